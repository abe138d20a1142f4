"""What `User` returns: needs, events, outgoing messages, and what an incoming message turned out to be.

Every value has the messages that are to be delivered in `outgoing`, so an application delivers them in one
place.

    Need        what the application fetches: device lists of a name, or a prekey bundle of a device
    Event       what the application may tell the person
    Outgoing    a message and the device it goes to
    Sent        what `User.send` made
    Begun       what `User.begin` made
    Upkeep      what `User.upkeep` found
    Incoming    what `User.receive` made of one message

Whatever a peer or a server causes is one of these values and no exception, because an exception would undo
what was noted about it.

Not here: the values that devices exchange (_wire/content.py).
"""

from collections.abc import Iterator
from dataclasses import field
from enum import Enum

from letterlock._primitives.dataclass import dataclass
from letterlock._wire.address import Address
from letterlock._wire.content import Attachment
from letterlock._wire.content_bodies import RetryCause
from letterlock.errors import LetterlockError


class NeedKind(Enum):
    """What an application fetches for a user."""

    LISTS = "device lists"
    """Device lists of `name` after version `after`, from the directory. Give them to `User.learn`."""
    BUNDLE = "prekey bundle"
    """A prekey bundle of the device `address`, from the prekey server. Give it to `User.begin`."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that only the application can fetch. It may be fetched later, or twice."""

    kind: NeedKind
    name: str
    device: int | None = None
    after: int | None = None

    @property
    def address(self) -> Address:
        """The device whose bundle is needed. Raises UsageError for a need of lists."""
        return Address(self.name, self.device or 0)


class EventKind(Enum):
    """What happened. `device` of the event says to which device, where it was one."""

    NEW_CONTACT = "new contact"
    """Device lists of a new name were taken as they came. Compare safety numbers."""
    DEVICES_CHANGED = "devices changed"
    """A contact added or revoked the device."""
    OWN_DEVICES_CHANGED = "own devices changed"
    """Another device of this user added or revoked the device."""
    RECOVERED = "recovered"
    """The recovery device of a contact, or of this user, added the device. Ask whether that was the owner."""
    CONFLICT = "conflict"
    """Device lists contradict each other. A contact is frozen until `keep` or `replace`."""
    UNKNOWN_HEAD = "unknown head"
    """The device named a version that the directory does not show. One of the two hides or invents it."""
    KEY_REUSED = "key reused"
    """A message does not fit into its session: forged or damaged, or the device was restored or copied."""
    COPIED = "copied"
    """Somebody has a copy of the device's keys."""
    SESSION_REPLACED = "session replaced"
    """The device began a new session, although there was one."""
    SESSION_ENDED = "session ended"
    """The session with the device ended, because its keys contradict each other."""
    GIVEN_UP = "given up"
    """Something could not be delivered to the device, or read, within the limits."""
    RESTORED = "restored"
    """This device's store was put back to an earlier copy."""
    LIST_WITHDRAWN = "list withdrawn"
    """Another device of this user changed the device list at the same time, and was faster.

    If this device added the device, link it again. If it revoked it, it did so again where it still may: look
    at `devices`, and give `device_lists` to the directory.
    """
    HISTORY_REFUSED = "history refused"
    """What the device gave of the history when it linked this one was changed on the way. It was not kept."""
    REVOKED = "revoked"
    """This device was revoked by another one. It sends no more."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a contact or to this user, for the application to tell or to log."""

    kind: EventKind
    name: str
    device: int | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message, and the device to which it goes. It was committed before it was handed out."""

    address: Address
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was made of a content: its id (16 bytes), a message for each device that can get one, and needs.

    A device without a session gets its message from `User.begin`, once its need was met. Iterating yields
    what is in `outgoing`.
    """

    id: bytes
    outgoing: tuple[Outgoing, ...]
    needs: tuple[Need, ...] = ()

    def __iter__(self) -> Iterator[Outgoing]:
        return iter(self.outgoing)

    def __len__(self) -> int:
        return len(self.outgoing)


@dataclass(frozen=True, slots=True)
class Begun:
    """What had waited for the session that `User.begin` began. Iterating yields what is in `outgoing`."""

    outgoing: tuple[Outgoing, ...] = ()

    def __iter__(self) -> Iterator[Outgoing]:
        return iter(self.outgoing)

    def __len__(self) -> int:
        return len(self.outgoing)


class Outcome(Enum):
    """What became of an incoming message."""

    READ = "read"
    """It was authentic, and is taken. `body` is None if there is nothing in it for the application."""
    REPEATED = "repeated"
    """It was read before, or its content was. Acknowledge it to the server."""
    HELD = "held"
    """It cannot be judged yet. Meet the needs, or decide about the contact, then give it again."""
    REFUSED = "refused"
    """It cannot be read, and never will be. Acknowledge it to the server."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What `User.upkeep` found: send `outgoing`, meet `needs`; if `publish`, publish new prekeys.

    `expired` is how many messages on record were forgotten because they were kept for 30 days.
    """

    publish: bool
    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()
    events: tuple[Event, ...] = ()
    expired: int = 0


@dataclass(frozen=True, slots=True)
class Incoming:
    """What one message turned out to be.

    `sender` and `device` say from whom it came: for a sync copy this user and another device of it, and `to`
    is the name of the contact to whom it was sent. `kind` is a ContentKind, an application's number, or that
    of a later release. `id` has 16 bytes, `time` is in seconds since 1970 by the sender's clock. `error` says
    why a message was refused, its content ignored, or held although nothing is needed, and `error.cause`
    says it to programs. `cause` is what a
    retry request names as the reason, if the message is asked for again.
    """

    outcome: Outcome
    sender: str
    device: int
    kind: int | None = None
    id: bytes | None = None
    time: int | None = None
    body: bytes | None = field(default=None, repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    to: str | None = None
    cause: RetryCause | None = None
    error: LetterlockError | None = field(default=None, compare=False)
    events: tuple[Event, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()
