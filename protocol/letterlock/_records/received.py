"""The record of a message that was read.

received    [1, address, content id, owed]
"""

from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import decode_entry, encode_entry, read_bool
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock.limits import MESSAGE_ID_BYTES
from letterlock.stores import Record

_FIELDS: Final = 3


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """A message that was read: the device that sent it, and the id of its content, 16 bytes.

    `owed` says that the device is still to get a receipt.
    """

    address: Address
    id: bytes
    owed: bool


def encode_received(received: ReceivedRecord) -> Record:
    """Return the record of a message that was read."""
    return encode_entry(received.address.fields(), received.id, int(received.owed))


def decode_received(record: Record) -> ReceivedRecord:
    """Return what a record says of a message that was read. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "a record of a message that was read", _read)


def _read(fields: Fields) -> ReceivedRecord:
    address = Address.from_fields(fields.any())
    return ReceivedRecord(address, fields.blob("id", MESSAGE_ID_BYTES), read_bool(fields, "owed"))
