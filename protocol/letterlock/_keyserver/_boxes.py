"""Recovery boxes at a server: one for each user, the newest.

    put     signed by a device of the newest list that reads documents, with the card of its recovery device;
            the number is one more than before                                                       [REC-21]
    get     signed by such a device, or by the recovery device of the kept card                      [REC-22]

    row BOX            [1, number, hash of the put, Ed25519 key of the recovery device, card]
    row BOX_CONTENTS   [1, number, box]

The contents, of any size, are read only for somebody who may have them: reading them would tell by its time
that there are some.

Numbers go up one by one. A device that is revoked later could otherwise put the greatest number of all, and
no box after it would be taken.

Not here: what card and box hold (_wire/recovery_box.py); device lists (_lists.py).
"""

import hashlib
from functools import cache
from typing import Final

from letterlock._keyserver._lists import CheckedLists
from letterlock._primitives.composite import DeviceSigningKey
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519PublicKey, Ed25519Seed
from letterlock._primitives.labels import RECOVERY_KEEPING
from letterlock._primitives.mldsa import MlDsa65PublicKey
from letterlock._records.entry import decode_entry, encode_entry
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_box import MAX_BOX, RecoveryCard
from letterlock._wire.recovery_calls import ChangeSignature
from letterlock._wire.recovery_kept import GetBox, PutBox
from letterlock._wire.recovery_limits import SIGNED_RECOVERY_BODY
from letterlock._wire.relay_error import RelayCode
from letterlock.errors import InvalidKey, InvalidSignature
from letterlock.limits import DAY, MAX_COUNTER
from letterlock.recovery import RecoveryKey, device_keys
from letterlock.recovery._enrolment import make_card, require_card
from letterlock.relay._reply import Refused
from letterlock.stores import Record
from letterlock.user import InvalidDeviceList
from letterlock.user._rules import rights
from letterlock.user._signatures import verify_by

_NOBODY: Final = Ed25519KeyPair(Ed25519Seed(hashlib.sha256(b"nobody").digest())).public
"""Stands for the recovery device of a user without a box, so that a refusal takes as long."""


@dataclass(frozen=True, slots=True)
class KeptBox:
    """What is kept beside a box: its number, the hash of the call that brought it, and who may get it."""

    number: int
    put: bytes
    recovery: Ed25519PublicKey
    card: RecoveryCard

    def encode(self) -> Record:
        """Return the bytes that are stored."""
        return encode_entry(self.number, self.put, self.recovery.data, self.card.encode())

    @classmethod
    def decode(cls, record: Record) -> "KeptBox":
        """Read what `encode` gives. Raises CorruptStore."""
        return decode_entry(record, 4, "a kept recovery box", cls._read)

    @classmethod
    def _read(cls, fields: Fields) -> "KeptBox":
        return cls(
            fields.uint_between("number", 1, MAX_COUNTER),
            fields.blob("put", HASH_BYTES),
            Ed25519PublicKey(fields.blob("recovery key", HASH_BYTES)),
            RecoveryCard.decode(fields.blob_between("card", 1, SIGNED_RECOVERY_BODY)),
        )


@cache
def box_of_nobody() -> Record:
    """Return what is opened and read in place of the row of a user without a box. [REC-22]"""
    keys = device_keys(RecoveryKey(hashlib.sha256(b"nobody").digest()))
    return KeptBox(1, bytes(HASH_BYTES), _NOBODY, make_card(keys, bytes(HASH_BYTES))).encode()


def encode_contents(request: PutBox) -> Record:
    """Return the row of the contents."""
    return encode_entry(request.number, request.box)


def decode_contents(record: Record, number: int) -> bytes:
    """Return the box of this number. Raises CorruptStore."""

    def read(fields: Fields) -> bytes:
        if fields.uint_between("number", 1, MAX_COUNTER) != number:
            raise fields.wrong("number", "that of the row beside it")
        return fields.blob_between("box", 1, MAX_BOX)

    return decode_entry(record, 2, "the contents of a recovery box", read)


def box_of(server: int, request: PutBox, lists: CheckedLists) -> KeptBox:
    """Return what a put brings. [REC-21] Takes milliseconds.

    Raises BoxRefused for a card of another device; Refused, UNKNOWN, unless a device of the newest list that
    may read documents signed the call.
    """
    _require_device(lists, request.device_id, request.by, request.signed(server))
    device = require_card(request.card, lists)
    hash_ = hashlib.sha256(request.signed(server)).digest()
    return KeptBox(request.number, hash_, Ed25519PublicKey(device.ed25519), request.card)


def follow(kept: KeptBox | None, new: KeptBox) -> KeptBox:
    """Return what is kept after a put. The same one again changes nothing. [REC-21]

    Raises Refused, CONFLICT with the number that is kept, if the new one is not the next.
    """
    number = 0 if kept is None else kept.number
    if kept is not None and (kept.number, kept.put) == (new.number, new.put):
        return kept
    if new.number != number + 1:
        raise Refused(RelayCode.CONFLICT, number)
    return new


def require_getter(server: int, request: GetBox, lists: CheckedLists, now: int) -> None:
    """Raise Refused, UNKNOWN, unless a listed device asks that may read documents. [REC-22]"""
    _require_time(request, now)
    _require_device(lists, request.device_id or 0, request.by, request.signed(server))


def require_recovery_device(server: int, request: GetBox, kept: KeptBox | None, now: int) -> None:
    """Raise Refused, UNKNOWN, unless the recovery device of the kept card asks. [REC-22]

    Whether there is a box is told to nobody else: without one, another key is asked in its place.
    """
    _require_time(request, now)
    is_ours = kept is not None and kept.card.by.ml_dsa == request.by.ml_dsa
    try:
        key = DeviceSigningKey(MlDsa65PublicKey(request.by.ml_dsa), kept.recovery if kept else _NOBODY)
        key.verify(request.signed(server), request.by.signature, RECOVERY_KEEPING)
    except (InvalidSignature, InvalidKey):
        is_ours = False
    if not is_ours:
        raise Refused(RelayCode.UNKNOWN)


def _require_time(request: GetBox, now: int) -> None:
    """Raise Refused unless the time is about now: an old request does not get the boxes of years."""
    if not now - DAY <= request.time <= now + DAY:
        raise Refused(RelayCode.UNKNOWN)


def _require_device(lists: CheckedLists, device_id: int, by: ChangeSignature, signed: bytes) -> None:
    device = lists.newest.snapshot.device(device_id)
    if device is None or not rights(device).reads_documents:
        raise Refused(RelayCode.UNKNOWN)
    try:
        verify_by(device, by.ml_dsa, signed, by.signature, RECOVERY_KEEPING)
    except (InvalidSignature, InvalidKey, InvalidDeviceList):
        raise Refused(RelayCode.UNKNOWN) from None
