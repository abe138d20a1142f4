"""What a store holds of which text arrived where.

    GROUP_SAID       id || epoch || number                 a text of this device, for 30 days
    GROUP_READ       id || epoch || device                 what a device of a member has read of those
    GROUP_RECEIPT    id || epoch || sender || number       the receipt for a chain, from this number on

Every method runs inside the caller's transaction. Not here: what any of it means (_receipts.py).
"""

from collections.abc import Iterator
from typing import Final

from letterlock._records.group_delivery import (
    ReadRecord,
    ReceiptRecord,
    SaidRecord,
    decode_read,
    decode_receipt,
    decode_said,
    encode_read,
    encode_receipt,
    encode_said,
)
from letterlock._wire.group_limits import MAX_RECEIPTED, RECEIPT_PAUSE
from letterlock._wire.group_text import SenderName, TextPlace
from letterlock.groups._row_keys import (
    NUMBER_BYTES,
    chain_key,
    place_key,
    read_place,
    read_sender,
    sender_bytes,
)
from letterlock.limits import KEPT_LIFETIME
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Store

_AT_ONCE: Final = 100
_LATEST: Final = 2**63 - 1


class DeliveryBook:
    """What arrived where, of all groups in a store."""

    __slots__ = ("_entries",)

    def __init__(self, store: Store) -> None:
        self._entries = store.tables.entries

    # --- this device's texts ----------------------------------------------------------------------

    def said(self, group: bytes, epoch: int, number: int) -> SaidRecord | None:
        """Return what is on record of a text of this device, or None."""
        row = self._entries.load(EntryKind.GROUP_SAID, place_key(place_key(group, epoch), number))
        return None if row is None else row.record.decoded(decode_said)

    def save_said(self, group: bytes, epoch: int, number: int, said: SaidRecord, now: int) -> None:
        """Insert a text of this device."""
        key, record = place_key(place_key(group, epoch), number), DeferredRecord(said, encode_said)
        self._entries.save(EntryRow(EntryKind.GROUP_SAID, key, now + KEPT_LIFETIME, record))

    def read(self, group: bytes, epoch: int, reader: SenderName) -> ReadRecord:
        """Return what a device has read of this one's texts in an epoch."""
        row = self._entries.load(EntryKind.GROUP_READ, place_key(group, epoch) + sender_bytes(reader))
        return ReadRecord() if row is None else row.record.decoded(decode_read)

    def save_read(self, group: bytes, epoch: int, reader: SenderName, read: ReadRecord) -> None:
        """Insert or replace what a device has read."""
        key, record = place_key(group, epoch) + sender_bytes(reader), DeferredRecord(read, encode_read)
        self._entries.save(EntryRow(EntryKind.GROUP_READ, key, None, record))

    def readers(self, group: bytes, epoch: int) -> Iterator[tuple[SenderName, ReadRecord]]:
        """Yield what each device has read in an epoch."""
        for row in self._of(place_key(group, epoch)):
            yield read_sender(row.key), row.record.decoded(decode_read)

    def forget_readers(self, group: bytes, gone: frozenset[bytes]) -> None:
        """Delete what devices of users have read, in all epochs."""
        for row in self._of(group):
            if read_sender(row.key).user_id in gone:
                self._entries.delete(EntryKind.GROUP_READ, row.key)

    def _of(self, prefix: bytes) -> list[EntryRow]:
        return [each for each in self._entries.all(EntryKind.GROUP_READ) if each.key.startswith(prefix)]

    # --- receipts of this device ------------------------------------------------------------------

    def receipt(self, place: TextPlace) -> tuple[ReceiptRecord, int | None] | None:
        """Return the receipt for the chain of a text, and when it is due, or None."""
        row = self._entries.load(EntryKind.GROUP_RECEIPT, _key(place))
        return None if row is None else (row.record.decoded(decode_receipt), row.due)

    def save_receipt(self, place: TextPlace, receipt: ReceiptRecord, due: int | None) -> None:
        """Insert or replace the receipt for the chain of a text. `due` is None if nothing is to be told."""
        record = DeferredRecord(receipt, encode_receipt)
        self._entries.save(EntryRow(EntryKind.GROUP_RECEIPT, _key(place), due, record))

    def due_receipts(self, now: int) -> list[TextPlace]:
        """Return the chains for which receipts are due, the earliest first, by a place in each."""
        rows = self._entries.due(EntryKind.GROUP_RECEIPT, _LATEST, _AT_ONCE)
        return [_place(row.key) for row in rows if row.due is not None and _is_due(row.due, now)]

    def next_receipt(self, now: int) -> int | None:
        """Return when the next receipt is due, or None."""
        found = self._entries.due(EntryKind.GROUP_RECEIPT, _LATEST, 1)
        due = found[0].due if found else None
        return due if due is None or not _is_due(due, now) else now


def _is_due(due: int, now: int) -> bool:
    """Return whether a receipt is due: also one that is due so late that the clock was put back since."""
    return due <= now or due > now + MAX_RECEIPTED * RECEIPT_PAUSE


def _key(place: TextPlace) -> bytes:
    return chain_key(place.group_id, place.epoch, place.sender, place.number)


def _place(key: bytes) -> TextPlace:
    group, epoch = read_place(key)
    number = int.from_bytes(key[-NUMBER_BYTES:], "big")
    return TextPlace(group, epoch, 0, read_sender(key[:-NUMBER_BYTES]), number)
