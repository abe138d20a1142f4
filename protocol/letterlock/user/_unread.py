"""Messages that could not be read and that this device asks for.

    RETRY    message tag     address, attempts, cause, when it was asked for, and in which content

An entry is due when the device asks for the message, or asks again. Every method runs inside the caller's
transaction. Not here: asking (_repair.py).
"""

from letterlock._records.retry import RetryRecord, decode_retry, encode_retry
from letterlock._wire.address import Address
from letterlock.limits import MAX_UNREAD, MAX_UNREAD_IN_ALL
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Store


class Unread:
    """What this device could not read."""

    __slots__ = ("_tables",)

    def __init__(self, store: Store) -> None:
        self._tables = store.tables

    def load(self, tag: bytes) -> RetryRecord | None:
        """Return the entry of a message with this tag (16 bytes), or None."""
        row = self._tables.entries.load(EntryKind.RETRY, tag)
        return None if row is None else row.record.decoded(decode_retry)

    def save(self, tag: bytes, retry: RetryRecord, due: int) -> None:
        """Insert or replace an entry."""
        record = DeferredRecord(retry, encode_retry)
        self._tables.entries.save(EntryRow(EntryKind.RETRY, tag, due, record))

    def delete(self, tag: bytes) -> None:
        """Delete an entry, if it exists."""
        self._tables.entries.delete(EntryKind.RETRY, tag)

    def due(self, now: int) -> list[tuple[bytes, RetryRecord]]:
        """Return the tags and entries that are due."""
        rows = self._tables.entries.due(EntryKind.RETRY, now, MAX_UNREAD_IN_ALL)
        return [(row.key, row.record.decoded(decode_retry)) for row in rows]

    def requests(self, address: Address) -> list[bytes]:
        """Return the ids of the contents that asked a device for messages."""
        found = (row.record.decoded(decode_retry) for row in self._tables.entries.all(EntryKind.RETRY))
        return [each.request for each in found if each.address == address and each.request is not None]

    def has_room(self, name: str) -> bool:
        """Return whether one more message of a contact may be noted."""
        if self._tables.entries.count(EntryKind.RETRY) >= MAX_UNREAD_IN_ALL:
            return False
        rows = self._tables.entries.all(EntryKind.RETRY)
        return sum(row.record.decoded(decode_retry).address.name == name for row in rows) < MAX_UNREAD
