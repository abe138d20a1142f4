"""What a server keeps of a user's locks: two at most, one that is being made, and the count of uses.

    user     [1, list version, [held ...], pending / null, meter]          list version 0: a decoy
    held     [seed, lock, login key]
    pending  [lock id, seed, blinded]
    meter    [uses left, end of the rest, last use, day, uses on it, asked / null, nonce / null]

Not here: what changes it, and where it lies (recovery/).
"""

from dataclasses import field, replace
from typing import Final, Self

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._primitives.voprf import BLINDED_BYTES, OprfSeed
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_limits import (
    LOCK_ID_BYTES,
    MAX_HELD_LOCKS,
    MAX_LOCK,
    MAX_USES,
    NONCE_BYTES,
)
from letterlock._wire.recovery_lock import Lock
from letterlock.limits import MAX_COUNTER, MAX_DAY
from letterlock.stores import Record

_ASKED_BYTES: Final = LOCK_ID_BYTES + HASH_BYTES
_WHAT: Final = "a record of locks"


@dataclass(frozen=True, slots=True)
class HeldLock(Uncopyable):
    """A lock in force at this server: the server's secret, the lock, and the key that tells of a success."""

    seed: OprfSeed
    lock: Lock
    login: Ed25519PublicKey

    def fields(self) -> cbor.Value:
        """Return it as it stands inside a record."""
        return [self.seed.expose(), self.lock.encode(), self.login.data]

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage, InvalidKey, UnsupportedVersion."""
        fields = Fields(value, 3, "a held lock")
        seed = OprfSeed(fields.blob("seed", KEY_BYTES))
        lock = Lock.decode(fields.blob_between("lock", 1, MAX_LOCK))
        return cls(seed, lock, Ed25519PublicKey(fields.blob("login key", KEY_BYTES)))


@dataclass(frozen=True, slots=True)
class PendingLock(Uncopyable):
    """A lock that is being made: its id, 16 bytes, the server's new secret, and the first blinded input."""

    lock_id: bytes
    seed: OprfSeed
    blinded: bytes

    def fields(self) -> cbor.Value:
        """Return it as it stands inside a record."""
        return [self.lock_id, self.seed.expose(), self.blinded]

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 3, "a pending lock")
        lock_id, seed = fields.blob("lock id", LOCK_ID_BYTES), OprfSeed(fields.blob("seed", KEY_BYTES))
        return cls(lock_id, seed, fields.blob("blinded input", BLINDED_BYTES))


@dataclass(frozen=True, slots=True)
class Meter:
    """How often the locks of a user may still be used. Times are in seconds since 1970 (UTC).

    `asked` is what was counted last: a lock id and the hash of the inputs, 48 bytes. `nonce` has 32 bytes.
    """

    uses_left: int
    rests_until: int = 0
    last: int = 0
    day: int = 0
    today: int = 0
    asked: bytes | None = field(default=None, repr=False)
    nonce: bytes | None = field(default=None, repr=False)

    def fields(self) -> cbor.Value:
        """Return it as it stands inside a record."""
        counts = (self.uses_left, self.rests_until, self.last, self.day, self.today)
        return [*counts, self.asked, self.nonce]

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 7, "a meter")
        return cls(
            fields.uint("uses left", MAX_USES),
            fields.uint("end of the rest", MAX_TIME),
            fields.uint("last use", MAX_TIME),
            fields.uint("day", MAX_DAY),
            fields.uint("uses of the day", MAX_USES),
            fields.optional_blob("last input", _ASKED_BYTES),
            fields.optional_blob("nonce", NONCE_BYTES),
        )


@dataclass(frozen=True, slots=True)
class RecoveryRecord(Uncopyable):
    """Everything that a server keeps of one user. Version 0 of the list marks a decoy. [REC-12]"""

    list_version: int
    held: tuple[HeldLock, ...]
    pending: PendingLock | None
    meter: Meter

    def find(self, lock_id: bytes) -> HeldLock | None:
        """Return the held lock with this id, or None."""
        return next((each for each in self.held if each.lock.name.lock_id == lock_id), None)

    def metered(self, meter: Meter) -> "RecoveryRecord":
        """Return the record with another count."""
        return replace(self, meter=meter)

    def encode(self) -> Record:
        """Return the bytes that are stored, about 400 with one lock."""
        pending = None if self.pending is None else self.pending.fields()
        held: list[cbor.Value] = [each.fields() for each in self.held]
        return encode_entry(self.list_version, held, pending, self.meter.fields())


def decode_recovery(record: Record) -> RecoveryRecord:
    """Read what `RecoveryRecord.encode` gives. Raises CorruptStore."""
    return decode_entry(record, 4, _WHAT, _read)


def _read(fields: Fields) -> RecoveryRecord:
    version = fields.uint("list version", MAX_COUNTER)
    held = tuple(map(HeldLock.read, fields.array("held locks", MAX_HELD_LOCKS)))
    pending = fields.any()
    return RecoveryRecord(
        version, held, None if pending is None else PendingLock.read(pending), Meter.read(fields.any())
    )
