"""The record of the key of a history archive that another device of this user sent.

history    [1, address, key]
"""

from dataclasses import dataclass, field
from typing import Final

from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.entry import decode_entry, encode_entry
from letterlock._wire.address import Address
from letterlock._wire.content_bodies import ArchiveKey
from letterlock._wire.fields import Fields
from letterlock.stores import Record

_FIELDS: Final = 2


@dataclass(frozen=True, slots=True)
class HistoryRecord(Uncopyable):
    """The key of an archive, 32 bytes, and the device that made both."""

    address: Address
    key: ArchiveKey = field(repr=False)


def encode_history(history: HistoryRecord) -> Record:
    """Return the record of an archive's key."""
    return encode_entry(history.address.fields(), history.key.expose())


def decode_history(record: Record) -> HistoryRecord:
    """Return the key that a record holds. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "the record of an archive's key", _read)


def _read(fields: Fields) -> HistoryRecord:
    return HistoryRecord(Address.from_fields(fields.any()), ArchiveKey(fields.blob("key", KEY_BYTES)))
