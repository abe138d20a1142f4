"""The newest card and box of a user, where a server keeps them.

    put-box     [1, 38, user id, number, card, box, device id, ML-DSA key, signature]          ->  [1]
    get-box     [1, 39, user id, after, time, device id / null, ML-DSA key, signature]
                                    ->  [1, number, card / null, box / null, newest version, [list ...]]

    signature   Composite(the device, CBOR[server, 38, user id, number, SHA-256(card), SHA-256(box)],
                "letterlock-v1 keeping of a recovery box")
                Composite(the device, CBOR[server, 39, user id, after, time], the same label)

    number      one more than that of the box before, from 1; 0 in an answer: no box
    after       0: the box, and the first device lists that the server knows; otherwise those after a version
    device id   null: the recovery device, which may have no device list to look into yet

Not here: what card and box hold (recovery_box.py); who may put and get them (_keyserver/).
"""

import hashlib
from dataclasses import field
from typing import Final, Self

from letterlock._primitives.composite import SIGNATURE_BYTES as COMPOSITE_BYTES
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.mldsa import PUBLIC_BYTES as ML_DSA_BYTES
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_box import MAX_BOX, RecoveryCard
from letterlock._wire.recovery_calls import ChangeSignature
from letterlock._wire.recovery_limits import SIGNED_RECOVERY_BODY
from letterlock._wire.relay_body import Form, RelayBody, read_blobs
from letterlock._wire.relay_limits import MAX_CHAIN_BYTES, MAX_CHAIN_LISTS
from letterlock.limits import MAX_COUNTER, MAX_DEVICE_LIST, MAX_ID

_MAX_TIME: Final = 2**53
"""Seconds since 1970, as far as every language counts exactly."""


@dataclass(frozen=True, slots=True)
class PutBox(RelayBody):
    """Brings the newest card and box of a user. `user_id` has 32 bytes."""

    FORM = Form("a recovery box to keep", 9, MAX_BOX + 2 * SIGNED_RECOVERY_BODY, 10)
    NUMBER = 38

    user_id: bytes
    number: int
    card: RecoveryCard
    box: bytes = field(repr=False)
    device_id: int
    by: ChangeSignature

    def signed(self, server: int) -> bytes:
        """Return the bytes that the device signs for one of the servers."""
        hashes = (hashlib.sha256(each).digest() for each in (self.card.encode(), self.box))
        return cbor.encode([server, self.NUMBER, self.user_id, self.number, *hashes])

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        card = self.card.encode()
        return [self.user_id, self.number, card, self.box, self.device_id, *self.by.fields()]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey, UnsupportedVersion."""
        return cls(
            fields.blob("user id", HASH_BYTES),
            fields.uint_between("number", 1, MAX_COUNTER),
            RecoveryCard.decode(fields.blob_between("card", 1, SIGNED_RECOVERY_BODY)),
            fields.blob_between("box", 1, MAX_BOX),
            fields.uint_between("device id", 1, MAX_ID),
            ChangeSignature.read(fields),
        )


@dataclass(frozen=True, slots=True)
class GetBox(RelayBody):
    """Asks for the newest card and box, and for device lists. `time` is in seconds since 1970 (UTC)."""

    FORM = Form("a request for a recovery box", 8, SIGNED_RECOVERY_BODY, 9)
    NUMBER = 39

    user_id: bytes
    after: int
    time: int
    device_id: int | None
    by: ChangeSignature

    def signed(self, server: int) -> bytes:
        """Return the bytes that the device signs for one of the servers."""
        return cbor.encode([server, self.NUMBER, self.user_id, self.after, self.time])

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.user_id, self.after, self.time, self.device_id, *self.by.fields()]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        user_id, after = fields.blob("user id", HASH_BYTES), fields.uint("version", MAX_COUNTER)
        time, device_id = fields.uint("time", _MAX_TIME), fields.optional_uint("device id", MAX_ID)
        if device_id == 0:
            raise fields.wrong("device id", "1 at least, or null")
        ml_dsa, signature = fields.blob("ml-dsa key", ML_DSA_BYTES), fields.blob("signature", COMPOSITE_BYTES)
        return cls(user_id, after, time, device_id, ChangeSignature(ml_dsa, signature))


@dataclass(frozen=True, slots=True)
class BoxKept(RelayBody):
    """Card and box with their number, and encoded device lists: at most 20, and 4 MiB.

    `newest` is the newest version that the server knows, 0 if it knows no lists. Ask again after the last one
    of `lists` until it is reached.
    """

    FORM = Form(
        "an answer with a recovery box",
        6,
        MAX_BOX + SIGNED_RECOVERY_BODY + MAX_CHAIN_BYTES + MAX_DEVICE_LIST + 1024,
        MAX_CHAIN_LISTS + 8,
    )

    number: int
    card: RecoveryCard | None
    box: bytes | None = field(repr=False)
    newest: int
    lists: tuple[bytes, ...]

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        card = None if self.card is None else self.card.encode()
        return [self.number, card, self.box, self.newest, [*self.lists]]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey, UnsupportedVersion."""
        number = fields.uint("number", MAX_COUNTER)
        card = fields.optional_blob_between("card", 1, SIGNED_RECOVERY_BODY)
        box = fields.optional_blob_between("box", 1, MAX_BOX)
        if (card is None) != (box is None):
            raise fields.wrong("box", "there exactly if the card is")
        newest = fields.uint("newest version", MAX_COUNTER)
        lists = read_blobs(fields, "lists", MAX_CHAIN_LISTS, MAX_DEVICE_LIST)
        return cls(number, None if card is None else RecoveryCard.decode(card), box, newest, lists)
