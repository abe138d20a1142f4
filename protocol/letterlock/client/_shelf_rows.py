"""The records of what a client shares: parcels on their way, places on shelves, and parcels that are held.

parcel     [1, kind, id, parcel, failures]
shelf      [1, number, unopened, newest key, passed]
held       [1, kind, id, parcel, user id, version]

`kind` and `id` name a shelf. Not here: their rows in the store (_table.py), the parcels (documents/).
"""

from dataclasses import dataclass, field, replace
from typing import Final

from letterlock._records.entry import decode_entry, encode_entry
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.relay_limits import MAX_PARCEL
from letterlock._wire.relay_shelf import ShelfName
from letterlock.limits import MAX_COUNTER
from letterlock.stores import Record

MAX_FAILURES: Final = 720
"""How often a parcel is offered to the relay: hourly, for 30 days."""


@dataclass(frozen=True, slots=True)
class ParcelRecord:
    """A parcel for a shelf, and how often the relay has not taken it."""

    shelf: ShelfName
    parcel: bytes = field(repr=False)
    failures: int = 0

    def failed(self) -> "ParcelRecord":
        """Return the record after one more failure."""
        return replace(self, failures=min(self.failures + 1, MAX_FAILURES))


@dataclass(frozen=True, slots=True)
class ShelfRecord:
    """How far a shelf was read.

    `unopened` is the number of the first parcel whose key was not here, 0 for none, and `newest_key` the
    generation or epoch that was the newest one here at that time. `passed` is the number of the first parcel
    that should have been held and found no room, 0 for none.
    """

    number: int = 0
    unopened: int = 0
    newest_key: int = 0
    passed: int = 0


@dataclass(frozen=True, slots=True)
class HeldParcel:
    """A parcel of a user whose device lists, up to a version, are not on record."""

    shelf: ShelfName
    parcel: bytes = field(repr=False)
    user_id: bytes
    version: int


def encode_parcel(record: ParcelRecord) -> Record:
    """Return the record of a parcel on its way."""
    return encode_entry(*record.shelf.fields(), record.parcel, record.failures)


def decode_parcel(record: Record) -> ParcelRecord:
    """Read what `encode_parcel` gives. Raises CorruptStore."""
    return decode_entry(record, 4, "a record of a parcel on its way", _parcel)


def _parcel(fields: Fields) -> ParcelRecord:
    shelf, parcel = ShelfName.read(fields), fields.blob_between("parcel", 1, MAX_PARCEL)
    return ParcelRecord(shelf, parcel, fields.uint("failures", MAX_FAILURES))


def encode_shelf(record: ShelfRecord) -> Record:
    """Return the record of how far a shelf was read."""
    return encode_entry(record.number, record.unopened, record.newest_key, record.passed)


def decode_shelf(record: Record) -> ShelfRecord:
    """Read what `encode_shelf` gives. Raises CorruptStore."""
    return decode_entry(record, 4, "a record of a shelf", _shelf)


def _shelf(fields: Fields) -> ShelfRecord:
    number, unopened = fields.uint("number", MAX_COUNTER), fields.uint("unopened", MAX_COUNTER)
    newest_key = fields.uint("newest key", MAX_COUNTER)
    return ShelfRecord(number, unopened, newest_key, fields.uint("passed", MAX_COUNTER))


def encode_held_parcel(record: HeldParcel) -> Record:
    """Return the record of a parcel that is held."""
    return encode_entry(*record.shelf.fields(), record.parcel, record.user_id, record.version)


def decode_held_parcel(record: Record) -> HeldParcel:
    """Read what `encode_held_parcel` gives. Raises CorruptStore."""
    return decode_entry(record, 5, "a record of a held parcel", _held)


def _held(fields: Fields) -> HeldParcel:
    shelf, parcel = ShelfName.read(fields), fields.blob_between("parcel", 1, MAX_PARCEL)
    return HeldParcel(shelf, parcel, fields.blob("user id", HASH_BYTES), fields.uint("version", MAX_COUNTER))
