"""The inbox: which messages were read, so that a repeat is known and a receipt can be sent.

    RECEIVED    message tag             address, content id, whether a receipt is owed
    RECEIVED    address || content id   the same, for what the application was given

Every method runs inside the caller's transaction. Not here: sending receipts (_receipts.py).
"""

from dataclasses import replace
from typing import Final

from letterlock._records.received import ReceivedRecord, decode_received, encode_received
from letterlock._wire.address import Address
from letterlock.limits import KEPT_LIFETIME, RECEIPT_DELAY
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Store

_ALL: Final = 2**31


class Inbox:
    """What this device read within the last 30 days."""

    __slots__ = ("_tables",)

    def __init__(self, store: Store) -> None:
        self._tables = store.tables

    def has(self, address: Address, tag: bytes) -> bool:
        """Return whether a message with this tag (16 bytes) came from a device and was read."""
        row = self._tables.entries.load(EntryKind.RECEIVED, tag)
        return row is not None and row.record.decoded(decode_received).address == address

    def gave(self, address: Address, id_: bytes) -> bool:
        """Return whether a content with this id (16 bytes) came from a device and was given on. [USR-47]"""
        return self._tables.entries.load(EntryKind.RECEIVED, address.encoded + id_) is not None

    def add(self, address: Address, tag: bytes, id_: bytes, now: int, *, owed: bool) -> None:
        """Note that a message was read. If a receipt is owed, it is due a little later."""
        due = now + (RECEIPT_DELAY if owed else KEPT_LIFETIME)
        record = DeferredRecord(ReceivedRecord(address, id_, owed), encode_received)
        self._tables.entries.save(EntryRow(EntryKind.RECEIVED, tag, due, record))

    def give(self, address: Address, id_: bytes, now: int) -> None:
        """Note that the application was given a content."""
        record = DeferredRecord(ReceivedRecord(address, id_, owed=False), encode_received)
        key = address.encoded + id_
        self._tables.entries.save(EntryRow(EntryKind.RECEIVED, key, now + KEPT_LIFETIME, record))

    def due(self, now: int) -> list[tuple[bytes, ReceivedRecord, int]]:
        """Return the messages whose receipt is due, and those that are kept no longer.

        Each comes with its tag and the time when it was read.
        """
        found: list[tuple[bytes, ReceivedRecord, int]] = []
        for row in self._tables.entries.due(EntryKind.RECEIVED, now, _ALL):
            received = row.record.decoded(decode_received)
            kept = RECEIPT_DELAY if received.owed else KEPT_LIFETIME
            found.append((row.key, received, (row.due or 0) - kept))
        return found

    def settle(self, tag: bytes, received: ReceivedRecord, arrived: int) -> None:
        """Note that a receipt is owed no longer. The tag is kept, so that a repeat is known."""
        record = DeferredRecord(replace(received, owed=False), encode_received)
        self._tables.entries.save(EntryRow(EntryKind.RECEIVED, tag, arrived + KEPT_LIFETIME, record))

    def delete(self, tag: bytes) -> None:
        """Forget a message."""
        self._tables.entries.delete(EntryKind.RECEIVED, tag)
