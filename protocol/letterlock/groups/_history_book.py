"""What a store holds of the histories that members gave.

    GROUP_HISTORY    group id || user id of the giver || document id       [1, number, device id, time]

`number` counts them in the order in which they arrived.

Every method runs inside the caller's transaction. Not here: which are kept (_telling.py).
"""

from typing import Final

from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry
from letterlock._wire.fields import Fields
from letterlock._wire.group_limits import GROUP_ID_BYTES, MAX_HISTORIES
from letterlock._wire.group_text import SenderName
from letterlock.limits import MAX_COUNTER, MAX_ID
from letterlock.stores import EntryKind, EntryRow, Record, Store

_USER: Final = slice(GROUP_ID_BYTES, GROUP_ID_BYTES + 32)
_DOCUMENT: Final = slice(GROUP_ID_BYTES + 32, None)


class HistoryBook:
    """The histories of all groups in a store."""

    __slots__ = ("_entries",)

    def __init__(self, store: Store) -> None:
        self._entries = store.tables.entries

    def save(self, group: bytes, giver: SenderName, document: bytes, now: int) -> bool:
        """Insert a history, in the place of the oldest of its giver if there are many. [GRP-53]

        Return False if it is on record already.
        """
        key = group + giver.user_id + document
        if self._entries.load(EntryKind.GROUP_HISTORY, key) is not None:
            return False
        found = self._rows(group)
        of_giver = [row for _, row in found if row.key[_USER] == giver.user_id]
        for row in of_giver[: max(len(of_giver) + 1 - MAX_HISTORIES, 0)]:
            self._entries.delete(EntryKind.GROUP_HISTORY, row.key)
        number = min(found[-1][0][0] + 1, MAX_COUNTER) if found else 0
        record = encode_entry(number, giver.device, now)
        self._entries.save(EntryRow(EntryKind.GROUP_HISTORY, key, None, record))
        return True

    def of(self, group: bytes) -> list[tuple[SenderName, bytes, int]]:
        """Return who gave which document of a group and when, in the order in which they arrived."""
        return [
            (SenderName(row.key[_USER], device), row.key[_DOCUMENT], time)
            for (_, device, time), row in self._rows(group)
        ]

    def forget(self, group: bytes) -> None:
        """Delete those of a group."""
        for _, row in self._rows(group):
            self._entries.delete(EntryKind.GROUP_HISTORY, row.key)

    def _rows(self, group: bytes) -> list[tuple[tuple[int, int, int], EntryRow]]:
        rows = [each for each in self._entries.all(EntryKind.GROUP_HISTORY) if each.key.startswith(group)]
        found = [(row.record.decoded(_decode), row) for row in rows]
        return sorted(found, key=lambda each: each[0])


def _decode(record: Record) -> tuple[int, int, int]:
    return decode_entry(record, 3, "a record of a group's history", _read)


def _read(fields: Fields) -> tuple[int, int, int]:
    number, device = fields.uint("number", MAX_COUNTER), fields.uint_between("device id", 1, MAX_ID)
    return number, device, fields.uint("time", MAX_TIME)
