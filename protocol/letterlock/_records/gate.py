"""What a gate remembers. No row holds an identity: only keyed tags of one. [REC-33]

    code        [1, seed, ends, last mail, mails, challenges, is spent]     of an identity: two at most
    tries       [1, wrong proofs]                                           of a challenge
    spent       [1]                                                         of a challenge or a pass
    owner       [1, user id]                                                of an identity
    binding     [1, tag of the identity, version of the device list]        of a user and a kind of check

An identity is bound if its owner's binding names it: each of the two rows points to the other.

Not here: what changes them (recovery/_gate.py); where they lie (recovery/_gate_store.py).
"""

from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_bool
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.identity_limits import CHALLENGES, MAILS, TRIES
from letterlock.limits import MAX_COUNTER
from letterlock.stores import Record

SEED_BYTES: Final = 16
"""Bytes of which a code is made, with the gate's key."""


@dataclass(frozen=True, slots=True)
class CodeRow:
    """The code of an identity: when it ends, its mails, and how many challenges it serves."""

    seed: bytes
    ends: int
    last_mail: int
    mails: int = 1
    challenges: int = 1
    is_spent: bool = False

    def encode(self) -> Record:
        """Return the bytes that are stored."""
        counts = (self.ends, self.last_mail, self.mails, self.challenges)
        return encode_entry(self.seed, *counts, int(self.is_spent))


@dataclass(frozen=True, slots=True)
class BindingRow:
    """The identity of a user, as a tag of 32 bytes, and the version of the list whose device bound it."""

    tag: bytes
    list_version: int

    def encode(self) -> Record:
        """Return the bytes that are stored."""
        return encode_entry(self.tag, self.list_version)


def decode_code(record: Record) -> CodeRow:
    """Read what `CodeRow.encode` gives. Raises CorruptStore."""
    return decode_entry(record, 6, "a record of a code", _read_code)


def decode_binding(record: Record) -> BindingRow:
    """Read what `BindingRow.encode` gives. Raises CorruptStore."""
    return decode_entry(record, 2, "a record of a binding", _read_binding)


def encode_tries(tries: int) -> Record:
    """Return the record of so many wrong proofs."""
    return encode_entry(tries)


def decode_tries(record: Record) -> int:
    """Read what `encode_tries` gives. Raises CorruptStore."""
    return decode_entry(record, 1, "a record of tries", lambda fields: fields.uint("tries", TRIES))


def encode_owner(user_id: bytes) -> Record:
    """Return the record of the user, 32 bytes, who has an identity."""
    return encode_entry(user_id)


def decode_owner(record: Record) -> bytes:
    """Read what `encode_owner` gives. Raises CorruptStore."""
    return decode_entry(record, 1, "a record of an owner", lambda fields: fields.blob("user id", HASH_BYTES))


SPENT: Final = encode_entry()
"""The record of what serves once, and has served."""


def _read_code(fields: Fields) -> CodeRow:
    return CodeRow(
        fields.blob("seed", SEED_BYTES),
        fields.uint("end", MAX_TIME),
        fields.uint("last mail", MAX_TIME),
        fields.uint("mails", MAILS),
        fields.uint("challenges", CHALLENGES),
        read_bool(fields, "spent"),
    )


def _read_binding(fields: Fields) -> BindingRow:
    return BindingRow(fields.blob("tag", HASH_BYTES), fields.uint("list version", MAX_COUNTER))
