"""What a client hands to the application: messages, contacts, and how far a delivery has come.

Not here: events (_events.py).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from letterlock._primitives.secret import Uncopyable
from letterlock._records.contact import ContactState
from letterlock._wire.address import Address
from letterlock._wire.content import Attachment, ContentKind
from letterlock._wire.device_snapshot import ListedDevice
from letterlock.client._rows import Arrived


class Message(Uncopyable):
    """A content that arrived, until the application has finished it.

    `sender` and `device` say from whom it came, and `group` where it was sent, None for this user alone. For
    what this user wrote on another device, `sender` is this user and `to` the name to whom it went. `id` has
    16 bytes, `time` is in seconds since 1970 by the sender's clock, `kind` is TEXT or one of the
    application's numbers.
    """

    __slots__ = ("_arrived", "_finish", "_is_asked")

    def __init__(self, arrived: Arrived, finish: Callable[[], Awaitable[None]]) -> None:
        """Not for applications."""
        self._arrived = arrived
        self._finish = finish
        self._is_asked = False

    @property
    def sender(self) -> str:
        """The name of the user who wrote it; empty for a member of a group whose name is not known."""
        return "" if self._arrived.sender is None else self._arrived.sender.name

    @property
    def device(self) -> int:
        """The id of the device that it came from."""
        group, sender = self._arrived.group, self._arrived.sender
        return group.device if group is not None else 0 if sender is None else sender.device_id

    @property
    def group(self) -> bytes | None:
        """The id of the group in which it was sent, 16 bytes, or None."""
        return None if self._arrived.group is None else self._arrived.group.group

    @property
    def user_id(self) -> bytes | None:
        """The 32 bytes that name the user who wrote it in a group, or None."""
        return None if self._arrived.group is None else self._arrived.group.user_id

    @property
    def is_late(self) -> bool:
        """Whether its user may not write in the group any more: an honest one sent it before. [GRP-38]"""
        return self._arrived.group is not None and self._arrived.group.is_late

    @property
    def to(self) -> str | None:
        """The name to whom this user wrote it on another device, or None."""
        return self._arrived.to

    @property
    def kind(self) -> int:
        """A `ContentKind`, or a number of the application's, 64 to 255."""
        return self._arrived.kind

    @property
    def is_archive(self) -> bool:
        """Whether the body is a history that `Client.link` gave, and that `read_archive` opens."""
        return self._arrived.kind == ContentKind.HISTORY_KEY

    @property
    def id(self) -> bytes:
        """The 16 bytes that name the content on all devices."""
        return self._arrived.id

    @property
    def time(self) -> int:
        """When it was written, in seconds since 1970, by its sender's clock; in a group, by the relay's."""
        return self._arrived.time

    @property
    def body(self) -> bytes:
        """What was written."""
        return self._arrived.body

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files that came with it."""
        return self._arrived.attachments

    async def done(self) -> None:
        """Note that the application has finished the message: it is not given again.

        The loop over `messages` does this by itself when its body ends. Inside `transaction()`, this and the
        application's own rows are committed together, so the application never saves a message twice.
        Raises AlreadyDone, which undoes that transaction.
        """
        self._is_asked = True
        await self._finish()

    @property
    def is_asked(self) -> bool:
        """Whether `done` was called, so that the loop does not."""
        return self._is_asked

    def __repr__(self) -> str:
        return f"<Message from {self.sender or 'a member'}>"


@dataclass(frozen=True, slots=True)
class Person:
    """A contact: who it is, and what is known of the person.

    `user_id` has 32 bytes. `devices` get messages; there are none until the device lists were fetched, and
    in state CONFLICTING. `version` is that of the newest list on record.
    """

    name: str
    user_id: bytes
    version: int
    state: ContactState
    devices: tuple[ListedDevice, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a content still waits for.

    `devices` have not acknowledged it. There are none while the device lists of `name` were not fetched.
    """

    name: str
    devices: tuple[Address, ...]
