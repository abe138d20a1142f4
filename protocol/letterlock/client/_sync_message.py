"""SyncMessage: a content that arrived, for programs without asyncio.

Not here: where it comes from (_sync.py).
"""

from typing import TYPE_CHECKING

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.content import Attachment
from letterlock.client._values import Message

if TYPE_CHECKING:
    from letterlock.client._sync import SyncClient


class SyncMessage(Uncopyable):
    """A content that arrived, until the application has finished it. See `Message`."""

    __slots__ = ("_client", "_message")

    def __init__(self, client: "SyncClient", message: Message) -> None:
        """Not for applications."""
        self._client = client
        self._message = message

    @property
    def sender(self) -> str:
        """The name of the user who wrote it."""
        return self._message.sender

    @property
    def device(self) -> int:
        """The id of the device that it came from."""
        return self._message.device

    @property
    def to(self) -> str | None:
        """The name to whom this user wrote it on another device, or None."""
        return self._message.to

    @property
    def kind(self) -> int:
        """A `ContentKind`, or a number of the application's, 64 to 255."""
        return self._message.kind

    @property
    def is_archive(self) -> bool:
        """Whether the body is a history that `SyncClient.read_archive` opens."""
        return self._message.is_archive

    @property
    def group(self) -> bytes | None:
        """The id of the group in which it was sent, 16 bytes, or None."""
        return self._message.group

    @property
    def user_id(self) -> bytes | None:
        """The 32 bytes that name the user who wrote it in a group, or None."""
        return self._message.user_id

    @property
    def is_late(self) -> bool:
        """Whether its user may not write in the group any more: an honest one sent it before. [GRP-38]"""
        return self._message.is_late

    @property
    def id(self) -> bytes:
        """The 16 bytes that name the content on all devices."""
        return self._message.id

    @property
    def time(self) -> int:
        """When it was written, in seconds since 1970, by its sender's clock."""
        return self._message.time

    @property
    def body(self) -> bytes:
        """What was written."""
        return self._message.body

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files that came with it."""
        return self._message.attachments

    def done(self) -> None:
        """Note that the application has finished the message, as `Message.done` does."""
        self._client._do(self._message.done)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def __repr__(self) -> str:
        return f"<SyncMessage from {self.sender}>"
