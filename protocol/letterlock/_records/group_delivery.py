"""The records of what arrived where: this device's texts, what others have read of them, and receipts.

    said       [1, entry, head]
    read       [1, [[since, number] ...]]
    receipt    [1, last]

Group, epoch, number and device are in the keys of their rows.

Not here: when a receipt is due, and what one says (groups/_receipts.py).
"""

from dataclasses import field
from itertools import pairwise
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry
from letterlock._wire import cbor
from letterlock._wire.collection_limits import MAX_COLLECTION_LOG
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.group_content import read_run
from letterlock._wire.group_limits import MAX_READ_RUNS
from letterlock.errors import MalformedMessage
from letterlock.stores import Record

_SAID: Final = "the record of a text to a group"
_READ: Final = "the record of what a member has read"
_RECEIPT: Final = "the record of a receipt"


@dataclass(frozen=True, slots=True)
class SaidRecord:
    """A text of this device: the entry of the log that it names, and the head of its chain after it."""

    entry: int
    head: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """What another device has read of this one's texts in an epoch.

    `runs` are the first and the last numbers of texts in a row, in ascending order, with gaps between them.
    """

    runs: tuple[tuple[int, int], ...] = ()

    def has(self, number: int) -> bool:
        """Return whether a text is among them."""
        return any(since <= number <= last for since, last in self.runs)

    def with_run(self, since: int, number: int) -> "ReadRecord":
        """Return it with one more run, joined with those that it touches; of too many, the first goes."""
        apart = [each for each in self.runs if each[1] + 1 < since or number + 1 < each[0]]
        joined = [each for each in self.runs if each not in apart]
        first = min((since, *(each[0] for each in joined)))
        last = max((number, *(each[1] for each in joined)))
        return ReadRecord(tuple(sorted((*apart, (first, last))))[-MAX_READ_RUNS:])


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """When the sender of a chain was last told what was read, in seconds since 1970, 0 for never."""

    last: int


def encode_said(said: SaidRecord) -> Record:
    """Return the record of a text."""
    return encode_entry(said.entry, said.head)


def decode_said(record: Record) -> SaidRecord:
    """Read what `encode_said` gives. Raises CorruptStore."""
    return decode_entry(record, 2, _SAID, _said)


def encode_read(read: ReadRecord) -> Record:
    """Return the record of what a device has read."""
    runs: list[cbor.Value] = [[since, number] for since, number in read.runs]
    return encode_entry(runs)


def decode_read(record: Record) -> ReadRecord:
    """Read what `encode_read` gives. Raises CorruptStore."""
    return decode_entry(record, 1, _READ, _read)


def encode_receipt(receipt: ReceiptRecord) -> Record:
    """Return the record of a receipt."""
    return encode_entry(receipt.last)


def decode_receipt(record: Record) -> ReceiptRecord:
    """Read what `encode_receipt` gives. Raises CorruptStore."""
    return decode_entry(record, 1, _RECEIPT, lambda fields: ReceiptRecord(fields.uint("last", MAX_TIME)))


def _said(fields: Fields) -> SaidRecord:
    return SaidRecord(fields.uint_between("entry", 1, MAX_COLLECTION_LOG), fields.blob("head", HASH_BYTES))


def _read(fields: Fields) -> ReadRecord:
    found = tuple(read_run(Fields(each, 2, _READ)) for each in fields.array("runs", MAX_READ_RUNS))
    if not found or any(one[1] + 1 >= other[0] for one, other in pairwise(found)):
        raise MalformedMessage("runs of texts are none, touch, or are out of order")
    return ReadRecord(found)
