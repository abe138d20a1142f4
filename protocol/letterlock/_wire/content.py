"""Content: what an account encrypts for a user, in every message that the user layer sends.

    content     = [kind, id, sent, own head, their head, [earlier ...], body, [attachment ...]]
    attachment  = [name, media type, bytes]
    message tag = the last 16 bytes of a message as it travels                                    [USR-25]

Content is the plaintext of a message, so the session has authenticated it and knows which device sent it.
It is still what a peer chose, and it is read strictly. Only the tags of earlier messages depend on the
device that it goes to, so it is encoded once for all devices of a contact.

Not here: what the body of each kind holds (content_bodies.py); what to do with it (user/).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import field
from enum import IntEnum
from typing import Final

from letterlock._primitives.aead import TAG_BYTES
from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire.cbor_heads import ARRAY, BYTES, UINT, blob, head
from letterlock._wire.envelope import check_items
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage, PlaintextTooLong, UsageError
from letterlock.limits import (
    HEAD_BYTES,
    MAX_ATTACHMENT_NAME,
    MAX_ATTACHMENTS,
    MAX_CONTENT,
    MAX_CONTENT_KIND,
    MAX_COUNTER,
    MAX_EARLIER,
    MAX_MEDIA_TYPE,
    MAX_PLAINTEXT,
    MESSAGE_ID_BYTES,
)

APPLICATION_KINDS: Final = range(64, 256)
"""The kinds whose meaning the application decides."""

_WHAT: Final = "content"
_ELEMENTS: Final = 8
_HEAD: Final = head(ARRAY, _ELEMENTS)
_NONE: Final = head(ARRAY, 0)
_MAX_ITEMS: Final = 1 + _ELEMENTS + MAX_EARLIER + 4 * MAX_ATTACHMENTS
_EARLIER_BYTES: Final = 1 + TAG_BYTES
"""Bytes of one tag with its head."""


class ContentKind(IntEnum):
    """What a content is for. 64 to 255 are the application's; any other number is of a later release.

    8 stays free: vectors use it as the number of a kind that nobody knows.
    """

    TEXT = 1
    """The body is the application's: bytes of any form."""
    RECEIPT = 2
    """Acknowledges contents."""
    RETRY_REQUEST = 3
    """Asks for the content of a message that could not be read."""
    LIST_NOTICE = 4
    """Brings device lists of the sender's own user."""
    SYNC_COPY = 5
    """Tells the sender's other devices what was sent to a contact."""
    HISTORY_KEY = 6
    """Brings the key of a history archive to a new device of the same user."""
    DOCUMENT_SEED = 7
    """Brings the seed of a document key to a device of the same user."""
    GROUP_SECRET = 9
    """Brings the secret of a group's epoch."""
    GROUP_CHAIN = 10
    """Brings the sender chain of the device that sent it."""
    GROUP_REQUEST = 11
    """Asks for one of the two."""
    GROUP_RECEIPT = 12
    """Says which texts to a group were read."""
    GROUP_HISTORY = 13
    """Names a document with what was written to a group before."""


CONTROL_KINDS: Final = frozenset(map(int, ContentKind)) - {int(ContentKind.TEXT)}
"""The kinds whose bodies this layer reads itself. They have no attachments."""

GROUP_KINDS: Final = frozenset(
    map(
        int,
        (
            ContentKind.GROUP_SECRET,
            ContentKind.GROUP_CHAIN,
            ContentKind.GROUP_REQUEST,
            ContentKind.GROUP_RECEIPT,
            ContentKind.GROUP_HISTORY,
        ),
    )
)
"""The kinds that are kept until groups take them."""

_KINDS: Final = {int(each): each for each in ContentKind}

_REFUSED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTIONS: Final = frozenset(
    map(chr, [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
)
"""The characters that change the direction of writing, with which `exe.txt` can be made of `txt.exe`."""
_SEPARATORS: Final = frozenset("/\\")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that comes with a text: its name, its media type, and its bytes.

    `name` has 1 to 255 bytes of UTF-8 and is the plain name of a file: without slash and backslash, control
    characters, line breaks and marks of direction, and neither `.` nor `..`. `media_type` has 1 to 127
    printable characters of ASCII, such as `image/png`. Raises UsageError otherwise. [USR-27]

    The name is the sender's choice. Do not write to a folder under it without asking whether it exists.
    """

    name: str
    media_type: str
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        problem = _problem(self.name, self.media_type)
        if problem is None and type(self.data) is not bytes:
            problem = f"attachment must be bytes, not {type(self.data).__name__}"
        if problem:
            raise UsageError(problem)

    def fields(self) -> cbor.Value:
        """Return the attachment as it stands inside an encoding."""
        return [self.name, self.media_type, self.data]

    @classmethod
    def from_fields(cls, value: object) -> "Attachment":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 3, "an attachment")
        name, media_type = fields.text("name"), fields.text("media type")
        problem = _problem(name, media_type)
        if problem:
            raise MalformedMessage(problem)
        return cls(name, media_type, fields.blob_between("bytes", 0, MAX_PLAINTEXT))


@dataclass(frozen=True, slots=True)
class Content:
    """What one device tells another in one message.

    `kind` is a ContentKind, or the number of a kind that this release does not know. `id` has 16 random
    bytes, and names the content on all devices. `sent` is in seconds since 1970 by the sender's clock.
    `own_head` is the head of the sender's chain, `their_head` that of the recipient's chain as the sender
    knows it, 8 bytes each. `earlier` are the tags, 16 bytes each, of messages that carried this content to
    the same device before. The bodies of control kinds are in content_bodies.py.
    """

    kind: int
    id: bytes
    sent: int
    own_head: bytes
    their_head: bytes
    body: bytes = field(repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    earlier: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """Return the content as bytes. Raises PlaintextTooLong, UsageError. [USR-23]"""
        self._check()
        # Written head by head, because every text is encoded twice on its way to five devices.
        parts = (
            _HEAD,
            head(UINT, self.kind),
            blob(self.id),
            head(UINT, self.sent),
            blob(self.own_head),
            blob(self.their_head),
            cbor.encode(self.earlier) if self.earlier else _NONE,
            head(BYTES, len(self.body)),  # not `blob`, which would copy a long body once more
            self.body,
            cbor.encode([each.fields() for each in self.attachments]) if self.attachments else _NONE,
        )
        encoded = b"".join(parts)
        most = _most(self.kind, len(self.earlier))
        if len(encoded) > most:
            raise PlaintextTooLong(len(encoded), most)
        return encoded

    @classmethod
    def decode(cls, data: bytes) -> "Content":
        """Read what `encode` gives. Raises MalformedMessage, and UsageError if `data` is not bytes.

        A kind that this release does not know is no error. [USR-24]
        """
        if type(data) is not bytes:  # a bytearray could change after it was checked
            raise UsageError(f"what is decoded must be bytes, not {type(data).__name__}")
        if len(data) > MAX_PLAINTEXT:
            raise MalformedMessage(f"{len(data)} bytes; {_WHAT} has at most {MAX_PLAINTEXT}")
        check_items(data, _MAX_ITEMS, _WHAT)
        fields = Fields(cbor.decode(data), _ELEMENTS, _WHAT)
        kind = fields.uint("kind", MAX_CONTENT_KIND)
        id_, sent = fields.blob("id", MESSAGE_ID_BYTES), fields.uint("time", MAX_COUNTER)
        own_head, their_head = fields.blob("own head", HEAD_BYTES), fields.blob("their head", HEAD_BYTES)
        earlier = read_tags(fields.array("earlier tags", MAX_EARLIER))
        body = fields.blob_between("body", 0, MAX_PLAINTEXT)
        attachments = tuple(map(Attachment.from_fields, fields.array("attachments", MAX_ATTACHMENTS)))
        if len(data) > (most := _most(kind, len(earlier))):
            raise MalformedMessage(f"{len(data)} bytes; {_WHAT} of its kind has at most {most}")
        if attachments and kind in CONTROL_KINDS:
            raise MalformedMessage(f"{_WHAT} of its kind has no attachments")
        return cls(_KINDS.get(kind, kind), id_, sent, own_head, their_head, body, attachments, earlier)

    @property
    def is_for_application(self) -> bool:
        """Whether body and attachments are the application's. A sync copy has content of its own."""
        return self.kind == ContentKind.TEXT or self.kind in APPLICATION_KINDS

    def _check(self) -> None:
        """Raise UsageError for what the caller of a public method may have given wrong."""
        if type(self.body) is not bytes:
            raise UsageError(f"body must be bytes, not {type(self.body).__name__}")
        if not 0 <= self.kind <= MAX_CONTENT_KIND:
            raise UsageError(f"kind {self.kind}; expected 0 to {MAX_CONTENT_KIND}")
        if not 0 <= self.sent <= MAX_COUNTER:
            raise UsageError(f"time {self.sent}; expected 0 to {MAX_COUNTER} seconds since 1970")
        if len(self.attachments) > (0 if self.kind in CONTROL_KINDS else MAX_ATTACHMENTS):
            raise UsageError(
                f"{len(self.attachments)} attachments; at most {MAX_ATTACHMENTS}, to a text only"
            )


def message_tag(message: bytes) -> bytes:
    """Return the 16 bytes that name a message: the authentication tag, with which each kind ends. [USR-25]

    They name it without a key, and before it is read. Raises MalformedMessage for fewer bytes.
    """
    if len(message) < TAG_BYTES:
        raise MalformedMessage(f"{len(message)} bytes are no message: discard them")
    return bytes(message[-TAG_BYTES:])


def read_tags(items: Sequence[object]) -> tuple[bytes, ...]:
    """Return the tags of earlier messages, all of them different. Raises MalformedMessage. [USR-25]"""
    tags = tuple(each for each in items if type(each) is bytes and len(each) == TAG_BYTES)
    if len(tags) != len(items) or len(set(tags)) != len(tags):
        raise MalformedMessage(f"earlier tags are not different byte strings of {TAG_BYTES} bytes")
    return tags


def _most(kind: int, earlier: int) -> int:
    """Return how many bytes content of a kind has at most. The tags of earlier messages do not count."""
    return MAX_PLAINTEXT if kind == ContentKind.SYNC_COPY else MAX_CONTENT + earlier * _EARLIER_BYTES


def _problem(name: str, media_type: str) -> str | None:
    if type(name) is not str or type(media_type) is not str:
        return "attachment needs a name (str) and a media type (str)"
    # A lone surrogate counts here and is refused below, with the rest of its category.
    size = len(name.encode("utf-8", "surrogatepass"))
    if not 1 <= size <= MAX_ATTACHMENT_NAME:
        return f"attachment name of {size} bytes; expected 1 to {MAX_ATTACHMENT_NAME}"
    if name in {".", ".."} or any(_is_refused(each) for each in name):
        return (
            "attachment name is no plain file name: it has a path, control characters or marks of direction"
        )
    if not 1 <= len(media_type) <= MAX_MEDIA_TYPE or not all(" " <= each <= "~" for each in media_type):
        return f"media type is not 1 to {MAX_MEDIA_TYPE} printable characters of ascii"
    return None


def _is_refused(character: str) -> bool:
    return character in _SEPARATORS or character in _DIRECTIONS or unicodedata.category(character) in _REFUSED
