"""The bodies of the kinds of content that devices exchange among themselves.

    receipt       = [ids]                                   1 to 1,024 ids of 16 bytes, joined
    retry request = [message tag, cause]
    list notice   = [[device list ...]]                     each list is a byte string, at least one
    sync copy     = [name, user id, content]                recipient; content as the recipient got it
    history key   = [archive id, key]                       16 and 32 bytes
    document seed = [generation, seed]                      32 bytes

Each is the body of a content, and read as strictly.                                             [USR-26]

Not here: the content around them (content.py); verifying device lists, and what to do with any of it (user/).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from letterlock._primitives.aead import TAG_BYTES
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.cbor_heads import ARRAY, BYTES, TEXT, blob, head
from letterlock._wire.content import CONTROL_KINDS, Content
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.envelope import check_items
from letterlock._wire.fields import Fields
from letterlock._wire.linking_payload import DocumentSeed
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import (
    MAX_CONTENT,
    MAX_COUNTER,
    MAX_DEVICE_LIST,
    MAX_NOTICE_BYTES,
    MAX_NOTICE_LISTS,
    MAX_RECEIPT_IDS,
    MESSAGE_ID_BYTES,
)

ARCHIVE_ID_BYTES: Final = 16
_MAX_CAUSE: Final = 255
_MAX_FLAT_ITEMS: Final = 4


class RetryCause(IntEnum):
    """Why a message could not be read. A number that this release does not know is read as OTHER."""

    OTHER = 0
    UNREADABLE = 1
    """It did not authenticate in any session."""
    NO_SESSION = 2
    UNKNOWN_PREKEY = 3
    """A prekey of a first message is used up, expired or of another device."""
    PLACE_USED = 4
    """Another message had its place in the chain before."""
    TOO_MANY_SKIPPED = 5
    SESSION_ENDED = 6
    RESTORED = 7
    """The device was restored from a copy, and its sessions are lost."""


_CAUSES: Final = {int(each): each for each in RetryCause}


class ArchiveKey(Secret):
    """The key of one history archive, 32 bytes."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Acknowledges contents: their ids, 16 bytes each, 1 to 1,024 of them, all different."""

    ids: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the body. Raises UsageError for none, or too many."""
        if not 1 <= len(self.ids) <= MAX_RECEIPT_IDS:
            raise UsageError(f"receipt of {len(self.ids)} ids; expected 1 to {MAX_RECEIPT_IDS}: send several")
        return cbor.encode([b"".join(self.ids)])

    @classmethod
    def decode(cls, body: bytes) -> "Receipt":
        """Read what `encode` gives. Raises MalformedMessage."""
        fields = _fields(body, 1, "a receipt")
        joined = fields.blob_between("ids", MESSAGE_ID_BYTES, MESSAGE_ID_BYTES * MAX_RECEIPT_IDS)
        starts = range(0, len(joined), MESSAGE_ID_BYTES)
        ids = tuple(joined[at : at + MESSAGE_ID_BYTES] for at in starts)
        if len(joined) % MESSAGE_ID_BYTES or len(set(ids)) != len(ids):
            raise fields.wrong("ids", f"different ids of {MESSAGE_ID_BYTES} bytes each")
        return cls(ids)


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """Asks for the content of the message that a tag of 16 bytes names, which could not be read."""

    tag: bytes
    cause: RetryCause

    def encode(self) -> bytes:
        """Return the body."""
        return cbor.encode([self.tag, int(self.cause)])

    @classmethod
    def decode(cls, body: bytes) -> "RetryRequest":
        """Read what `encode` gives. Raises MalformedMessage."""
        fields = _fields(body, 2, "a retry request")
        tag = fields.blob("tag", TAG_BYTES)
        return cls(tag, _CAUSES.get(fields.uint("cause", _MAX_CAUSE), RetryCause.OTHER))


@dataclass(frozen=True, slots=True)
class ListNotice:
    """Brings consecutive versions of the sender's own device list, 1 to 100 of them."""

    lists: tuple[DeviceList, ...]

    @classmethod
    def of_first(cls, lists: Sequence[DeviceList]) -> "ListNotice":
        """Return a notice of the first of these lists, as many as one notice holds.

        Raises UsageError if there are none. Whoever needs the others asks the directory.
        """
        size, count = 0, 0
        for each in lists[:MAX_NOTICE_LISTS]:
            size += len(each.encode())
            if count and size > MAX_NOTICE_BYTES:
                break
            count += 1
        return cls(tuple(lists[:count]))

    def encode(self) -> bytes:
        """Return the body. Raises UsageError for no list, or too many."""
        if not 1 <= len(self.lists) <= MAX_NOTICE_LISTS:
            raise UsageError(f"notice of {len(self.lists)} lists; expected 1 to {MAX_NOTICE_LISTS}")
        return cbor.encode([[each.encode() for each in self.lists]])

    @classmethod
    def decode(cls, body: bytes) -> "ListNotice":
        """Read what `encode` gives, and verify nothing.

        Raises MalformedMessage, UnsupportedVersion, InvalidKey.
        """
        fields = _fields(body, 1, "a list notice", 2 + MAX_NOTICE_LISTS)
        items = fields.array("lists", MAX_NOTICE_LISTS)
        if not items:
            raise fields.wrong("lists", "an array of at least one list")
        return cls(tuple(map(_list, items)))


@dataclass(frozen=True, slots=True)
class SyncCopy:
    """What a device sent to the user with this name and user id (32 bytes), for the sender's other devices.

    `content` is what the recipient got. It is a text or of the application's kinds, or of a kind that this
    release does not know, and it names no earlier messages.
    """

    name: str
    user_id: bytes
    content: Content

    def encode(self) -> bytes:
        """Return the body. Raises PlaintextTooLong, UsageError."""
        return encode_sync_copy(self.name, self.user_id, self.content.encode())

    @classmethod
    def decode(cls, body: bytes) -> "SyncCopy":
        """Read what `encode` gives. Raises MalformedMessage."""
        fields = _fields(body, 3, "a sync copy")
        # A name is one that an address may have.
        name = Address.from_fields([fields.text("name"), 1]).name
        user_id = fields.blob("user id", HASH_BYTES)
        content = Content.decode(fields.blob_between("content", 1, MAX_CONTENT))
        if content.earlier or content.kind in CONTROL_KINDS:
            raise fields.wrong("content", "one that an application sent")
        return cls(name, user_id, content)


_COPY_HEAD: Final = head(ARRAY, 3)


def encode_sync_copy(name: str, user_id: bytes, encoded: bytes) -> bytes:
    """Return the body of a sync copy of content that is encoded already."""
    text = name.encode()
    return b"".join(
        (_COPY_HEAD, head(TEXT, len(text)), text, blob(user_id), head(BYTES, len(encoded)), encoded)
    )


@dataclass(frozen=True, slots=True)
class HistoryKey(Uncopyable):
    """The key of the history archive that 16 bytes name."""

    archive_id: bytes
    key: ArchiveKey = field(repr=False)

    def encode(self) -> bytes:
        """Return the body."""
        return cbor.encode([self.archive_id, self.key.expose()])

    @classmethod
    def decode(cls, body: bytes) -> "HistoryKey":
        """Read what `encode` gives. Raises MalformedMessage."""
        fields = _fields(body, 2, "a history key")
        archive_id = fields.blob("archive id", ARCHIVE_ID_BYTES)
        return cls(archive_id, ArchiveKey(fields.blob("key", KEY_BYTES)))


@dataclass(frozen=True, slots=True)
class NewSeed(Uncopyable):
    """The seed of a document key of the sender's user, and the key's generation."""

    generation: int
    seed: DocumentSeed = field(repr=False)

    def encode(self) -> bytes:
        """Return the body."""
        return cbor.encode([self.generation, self.seed.expose()])

    @classmethod
    def decode(cls, body: bytes) -> "NewSeed":
        """Read what `encode` gives. Raises MalformedMessage."""
        fields = _fields(body, 2, "a document seed")
        generation = fields.uint_between("generation", 1, MAX_COUNTER)
        return cls(generation, DocumentSeed(fields.blob("seed", KEY_BYTES)))


def _fields(body: bytes, count: int, what: str, most_items: int = _MAX_FLAT_ITEMS) -> Fields:
    check_items(body, most_items, what)
    return Fields(cbor.decode(body), count, what)


def _list(item: object) -> DeviceList:
    if type(item) is not bytes or len(item) > MAX_DEVICE_LIST:
        raise MalformedMessage(f"a list of a notice is not a byte string of at most {MAX_DEVICE_LIST} bytes")
    return DeviceList.decode(item)
