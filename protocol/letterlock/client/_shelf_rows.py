"""The records of what a client shares: parcels on their way and on shelves, and places on shelves.

parcel          [1, kind, id, parcel, failures]
shelf           [1, number, unopened, newest key, passed, granter, given back]
held            [1, kind, id, parcel, user id, version]
shelved         [1, kind, id, [hash of a grant ...]]
grant parcels   [1, [hash of a parcel ...]]
waiting         [1, user id of the granter]
introduced      [1, name]

`kind` and `id` name a shelf. Not here: their rows in the store (_table.py), the parcels (documents/).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry
from letterlock._wire.address import Address
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.parcel import MAX_PARCEL_ITEMS
from letterlock._wire.relay_limits import MAX_PARCEL
from letterlock._wire.relay_shelf import ShelfName
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER
from letterlock.stores import Record

MAX_GRANT_PARCELS: Final = 8
"""Parcels of one grant that are remembered: it stands on two shelves, and a relay that lost its database is
given others."""
MAX_FAILURES: Final = 720
"""How often a parcel for others is offered to the relay: hourly, for 30 days. One for the own shelf stays."""


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
    that should have been held and found no room, 0 for none. `granter` is the user whose keys of the
    collection had its shelf read, 32 bytes, or none for a collection of this user's own; `given_back` is when
    this user's shelf was last filled again, in seconds since 1970.
    """

    number: int = 0
    unopened: int = 0
    newest_key: int = 0
    passed: int = 0
    granter: bytes = b""
    given_back: int = 0


@dataclass(frozen=True, slots=True)
class ShelvedParcel:
    """A parcel that stands on a shelf, and the hashes of the grants in it that hold still.

    Without any, it is to be taken away.
    """

    shelf: ShelfName
    grants: tuple[bytes, ...]


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
    read = (record.number, record.unopened, record.newest_key, record.passed)
    return encode_entry(*read, record.granter, record.given_back)


def decode_shelf(record: Record) -> ShelfRecord:
    """Read what `encode_shelf` gives. Raises CorruptStore."""
    return decode_entry(record, 6, "a record of a shelf", _shelf)


def _shelf(fields: Fields) -> ShelfRecord:
    number, unopened = fields.uint("number", MAX_COUNTER), fields.uint("unopened", MAX_COUNTER)
    newest_key, passed = fields.uint("newest key", MAX_COUNTER), fields.uint("passed", MAX_COUNTER)
    granter = fields.blob_between("granter", 0, HASH_BYTES)
    return ShelfRecord(number, unopened, newest_key, passed, granter, fields.uint("given back", MAX_TIME))


def encode_granter(granter: bytes) -> Record:
    """Return the record of a collection that waits for room."""
    return encode_entry(granter)


def decode_granter(record: Record) -> bytes:
    """Read what `encode_granter` gives. Raises CorruptStore."""
    return decode_entry(
        record, 1, "a record of a collection", lambda fields: fields.blob("granter", HASH_BYTES)
    )


def encode_introduced(name: str) -> Record:
    """Return the record of a name that was introduced."""
    return encode_entry(name)


def decode_introduced(record: Record) -> str:
    """Read what `encode_introduced` gives. Raises CorruptStore."""
    return decode_entry(record, 1, "a record of an introduction", _name)


def _name(fields: Fields) -> str:
    return Address.from_fields([fields.text("name"), 1]).name


def encode_shelved(record: ShelvedParcel) -> Record:
    """Return the record of a parcel on a shelf."""
    return encode_entry(*record.shelf.fields(), list(record.grants))


def decode_shelved(record: Record) -> ShelvedParcel:
    """Read what `encode_shelved` gives. Raises CorruptStore."""
    return decode_entry(record, 3, "a record of a parcel on a shelf", _shelved)


def _shelved(fields: Fields) -> ShelvedParcel:
    shelf = ShelfName.read(fields)
    return ShelvedParcel(shelf, read_hashes(fields.array("grants", MAX_PARCEL_ITEMS)))


def encode_grant_parcels(parcels: tuple[bytes, ...]) -> Record:
    """Return the record of the parcels in which a grant stands, by their hashes."""
    return encode_entry(list(parcels))


def decode_grant_parcels(record: Record) -> tuple[bytes, ...]:
    """Read what `encode_grant_parcels` gives. Raises CorruptStore."""
    return decode_entry(record, 1, "a record of the parcels of a grant", _grant_parcels)


def _grant_parcels(fields: Fields) -> tuple[bytes, ...]:
    return read_hashes(fields.array("parcels", MAX_GRANT_PARCELS))


def read_hashes(items: Sequence[object]) -> tuple[bytes, ...]:
    """Return what is an array of hashes, or of user ids. Raises MalformedMessage."""
    found = tuple(each for each in items if type(each) is bytes and len(each) == HASH_BYTES)
    if len(found) != len(items):
        raise MalformedMessage("a record names something by what is no hash")
    return found


def encode_held_parcel(record: HeldParcel) -> Record:
    """Return the record of a parcel that is held."""
    return encode_entry(*record.shelf.fields(), record.parcel, record.user_id, record.version)


def decode_held_parcel(record: Record) -> HeldParcel:
    """Read what `encode_held_parcel` gives. Raises CorruptStore."""
    return decode_entry(record, 5, "a record of a held parcel", _held)


def _held(fields: Fields) -> HeldParcel:
    shelf, parcel = ShelfName.read(fields), fields.blob_between("parcel", 1, MAX_PARCEL)
    return HeldParcel(shelf, parcel, fields.blob("user id", HASH_BYTES), fields.uint("version", MAX_COUNTER))
