"""A group text as it travels: sealed once, stored once by the relay, and signed by its sender.

    text      = [1, 28, group id, epoch, entry, user id, device, number, sealed, signature]
    header    = the bytes of the encoding before `sealed`
    signed    = the bytes of the encoding before `signature`
    sealed    = 8 bytes of a nonce || ciphertext || tag, as in a session's message

`entry` is the number of the newest entry of the group's log that the sender has seen. The hash of that
entry is signed and authenticated, but not sent. [GRP-1]

Not here: keys (_groups/); what the sealed bytes hold (group_content.py).
"""

from dataclasses import field
from hashlib import sha256
from typing import Final

from letterlock._primitives.aead import TAG_BYTES
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import SIGNATURE_BYTES
from letterlock._wire import cbor
from letterlock._wire.cbor_heads import ARRAY, BYTES, UINT, head
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.flat_array import Field, read_elements
from letterlock._wire.group_limits import GROUP_ID_BYTES, MAX_GROUP_TEXT
from letterlock._wire.message import SENT_NONCE_BYTES
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, MAX_ID, MIN_PADDED, PROTOCOL_VERSION

_OPENING: Final = head(ARRAY, 10) + head(UINT, PROTOCOL_VERSION) + head(UINT, UserKind.GROUP_TEXT)
_SIGNATURE_HEAD: Final = head(BYTES, SIGNATURE_BYTES)
_SIGNED_TO: Final = len(_SIGNATURE_HEAD) + SIGNATURE_BYTES
_LEAST_SEALED: Final = SENT_NONCE_BYTES + MIN_PADDED + TAG_BYTES
_FIELDS: Final = (
    Field.blob("group id", GROUP_ID_BYTES, GROUP_ID_BYTES),
    Field.uint("epoch", 1, MAX_COUNTER),
    Field.uint("entry", 1, MAX_COUNTER),
    Field.blob("user id", HASH_BYTES, HASH_BYTES),
    Field.uint("device id", 1, MAX_ID),
    Field.uint("number", 0, MAX_COUNTER),
    Field.blob("sealed text", _LEAST_SEALED, MAX_GROUP_TEXT),
    Field.blob("signature", SIGNATURE_BYTES, SIGNATURE_BYTES),
)


@dataclass(frozen=True, slots=True)
class SenderName:
    """Whose chain it is: a device of a user. `user_id` has 32 bytes."""

    user_id: bytes
    device: int


@dataclass(frozen=True, slots=True)
class TextPlace:
    """Where a text stands: in which group and epoch, after which entry of the log, and where in its chain."""

    group_id: bytes
    epoch: int
    entry: int
    sender: SenderName
    number: int

    def header(self) -> bytes:
        """Return the bytes of the encoding before `sealed`."""
        return b"".join(
            (
                _OPENING,
                head(BYTES, GROUP_ID_BYTES),
                self.group_id,
                head(UINT, self.epoch),
                head(UINT, self.entry),
                head(BYTES, HASH_BYTES),
                self.sender.user_id,
                head(UINT, self.sender.device),
                head(UINT, self.number),
            )
        )


@dataclass(frozen=True, slots=True)
class GroupText:
    """A text as it travels. `sealed` is a part of `encoded`; nothing of it is verified yet."""

    place: TextPlace
    sealed: bytes = field(repr=False)
    encoded: bytes = field(repr=False)

    @classmethod
    def signed_with(cls, place: TextPlace, sealed: bytes, signature: bytes) -> "GroupText":
        """Return the text with this signature, 64 bytes."""
        return cls(place, sealed, signed_bytes(place.header(), sealed) + _SIGNATURE_HEAD + signature)

    @classmethod
    def decode(cls, data: bytes) -> "GroupText":
        """Read what travels. Raises UnsupportedVersion, MalformedMessage, UsageError."""
        if type(data) is not bytes or len(data) > MAX_GROUP_TEXT or not data.startswith(_OPENING):
            read_user_envelope(data, UserKind.GROUP_TEXT)  # says what is wrong
            raise MalformedMessage("not the deterministic encoding of a group text")
        elements, _ = read_elements(data, len(_OPENING), _FIELDS, "a group text")
        group_id, epoch, entry, user_id, device, number, sealed, _ = elements
        return cls(TextPlace(group_id, epoch, entry, SenderName(user_id, device), number), sealed, data)

    @property
    def header(self) -> bytes:
        """The bytes before `sealed`."""
        sealed = len(self.sealed)
        return self.encoded[: -_SIGNED_TO - sealed - len(head(BYTES, sealed))]

    @property
    def signed(self) -> bytes:
        """The bytes before the signature."""
        return self.encoded[:-_SIGNED_TO]

    @property
    def signature(self) -> bytes:
        """The signature, 64 bytes."""
        return self.encoded[-SIGNATURE_BYTES:]

    def hash(self) -> bytes:
        """Return the 32 bytes that name this text."""
        return sha256(self.encoded).digest()


def signed_bytes(header: bytes, sealed: bytes) -> bytes:
    """Return the bytes of an encoding before its signature."""
    return cbor.complete_array(header, sealed)
