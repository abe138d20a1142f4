"""What a store holds of the histories that members gave.

    GROUP_HISTORY    group id || user id of the giver || document id       [1, number, device id, time, told]

`number` counts them in the order in which they arrived, and `told` has the ids of this user's other devices
that know of it.

Every method runs inside the caller's transaction. Not here: which are kept (_telling.py).
"""

from dataclasses import replace
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry
from letterlock._wire.fields import Fields
from letterlock._wire.group_limits import GROUP_ID_BYTES, MAX_HISTORIES
from letterlock._wire.group_text import SenderName
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, MAX_ID
from letterlock.stores import EntryKind, EntryRow, Record, Store

_USER: Final = slice(GROUP_ID_BYTES, GROUP_ID_BYTES + 32)
_DOCUMENT: Final = slice(GROUP_ID_BYTES + 32, None)


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """A history on record: the device that gave it, when, and which of our other devices know of it."""

    number: int
    device: int
    time: int
    told: frozenset[int] = frozenset()


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
        number = min(found[-1][0].number + 1, MAX_COUNTER) if found else 0
        self._save(key, HistoryRecord(number, giver.device, now))
        return True

    def untold(self, group: bytes, devices: frozenset[int]) -> list[tuple[SenderName, bytes, frozenset[int]]]:
        """Return who gave which document of which some of this user's devices do not know, and which."""
        found = [
            (SenderName(row.key[_USER], record.device), row.key[_DOCUMENT], devices - record.told)
            for record, row in self._rows(group)
        ]
        return [each for each in found if each[2]]

    def note_told(self, group: bytes, giver: bytes, document: bytes, devices: frozenset[int]) -> None:
        """Note that devices of this user know of a history that is on record."""
        key = group + giver + document
        row = self._entries.load(EntryKind.GROUP_HISTORY, key)
        if row is not None:
            record = row.record.decoded(_decode)
            self._save(key, replace(record, told=record.told | devices))

    def of(self, group: bytes) -> list[tuple[SenderName, bytes, int]]:
        """Return who gave which document of a group and when, in the order in which they arrived."""
        return [
            (SenderName(row.key[_USER], record.device), row.key[_DOCUMENT], record.time)
            for record, row in self._rows(group)
        ]

    def forget(self, group: bytes) -> None:
        """Delete those of a group."""
        for _, row in self._rows(group):
            self._entries.delete(EntryKind.GROUP_HISTORY, row.key)

    def _save(self, key: bytes, record: HistoryRecord) -> None:
        encoded = encode_entry(record.number, record.device, record.time, [*sorted(record.told)])
        self._entries.save(EntryRow(EntryKind.GROUP_HISTORY, key, None, encoded))

    def _rows(self, group: bytes) -> list[tuple[HistoryRecord, EntryRow]]:
        rows = [each for each in self._entries.all(EntryKind.GROUP_HISTORY) if each.key.startswith(group)]
        found = [(row.record.decoded(_decode), row) for row in rows]
        return sorted(found, key=lambda each: (each[0].number, each[1].key))


def _decode(record: Record) -> HistoryRecord:
    return decode_entry(record, 4, "a record of a group's history", _read)


def _read(fields: Fields) -> HistoryRecord:
    number, device = fields.uint("number", MAX_COUNTER), fields.uint_between("device id", 1, MAX_ID)
    time, told = fields.uint("time", MAX_TIME), fields.array("devices", MAX_COUNTER)
    if any(type(each) is not int or not 1 <= each <= MAX_ID for each in told):
        raise MalformedMessage("a device id in a group's history is wrong")
    return HistoryRecord(number, device, time, frozenset(int(str(each)) for each in told))
