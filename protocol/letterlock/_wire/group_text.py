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
from letterlock._wire.group_limits import GROUP_ID_BYTES, MAX_CHAIN_TEXTS, MAX_GROUP_TEXT
from letterlock._wire.message import SENT_NONCE_BYTES
from letterlock._wire.user_envelope import UserKind, read_user_envelope
from letterlock.limits import MAX_COUNTER, MAX_ID, MIN_PADDED, PROTOCOL_VERSION

_OPENING: Final = head(ARRAY, 10) + head(UINT, PROTOCOL_VERSION) + head(UINT, UserKind.GROUP_TEXT)
_SIGNATURE_HEAD: Final = head(BYTES, SIGNATURE_BYTES)
_LEAST_SEALED: Final = SENT_NONCE_BYTES + MIN_PADDED + TAG_BYTES


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
    """A text that was decoded. `sealed` and `signature` are what its sender made; nothing is verified yet."""

    place: TextPlace
    sealed: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    header: bytes = field(repr=False)

    def signed(self) -> bytes:
        """Return the bytes before the signature."""
        return signed_bytes(self.header, self.sealed)

    def encode(self) -> bytes:
        """Return the bytes that travel."""
        return b"".join((self.signed(), _SIGNATURE_HEAD, self.signature))

    def hash(self) -> bytes:
        """Return the 32 bytes that name this text."""
        return sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes) -> "GroupText":
        """Read what `encode` gives. Raises UnsupportedVersion, MalformedMessage, UsageError."""
        fields = read_user_envelope(data, UserKind.GROUP_TEXT)
        group_id = fields.blob("group id", GROUP_ID_BYTES)
        epoch, entry = (
            fields.uint_between("epoch", 1, MAX_COUNTER),
            fields.uint_between("entry", 1, MAX_COUNTER),
        )
        sender = SenderName(fields.blob("user id", HASH_BYTES), fields.uint_between("device id", 1, MAX_ID))
        place = TextPlace(group_id, epoch, entry, sender, fields.uint("number", MAX_CHAIN_TEXTS - 1))
        sealed = fields.blob_between("sealed text", _LEAST_SEALED, MAX_GROUP_TEXT)
        return cls(place, sealed, fields.blob("signature", SIGNATURE_BYTES), place.header())


def signed_bytes(header: bytes, sealed: bytes) -> bytes:
    """Return the bytes of an encoding before its signature."""
    return cbor.complete_array(header, sealed)
