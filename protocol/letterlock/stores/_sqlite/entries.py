"""Entries in SQLite.

letterlock_entries       kind, entry: tag of kind and key, due | sealed: key and record, bound to all three

    sealed    length of the key (2 bytes) || key || record

The digest covers the kinds below `COVERED_KINDS` only.                                           [STO-19]
"""

from collections.abc import Iterator
from typing import Any, Final

from letterlock.errors import CorruptStore
from letterlock.stores._entry_kind import COVERED_KINDS, EntryKind
from letterlock.stores._interface import EntryRow, Record
from letterlock.stores._sqlite.format import ENTRIES
from letterlock.stores._sqlite.table import SqliteTable

_PAGE: Final = 256
"""How many entries are read at a time."""
_LENGTH: Final = 2
_ONE: Final = "kind = ? AND entry = ?"
_DUE: Final = "kind = ? AND due <= ?"
_ROWS: Final = "SELECT entry, due, sealed FROM letterlock_entries"
_UPSERT: Final = (
    "INSERT INTO letterlock_entries (kind, entry, due, sealed) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (kind, entry) DO UPDATE SET due = excluded.due, sealed = excluded.sealed"
)


class SqliteEntryTable(SqliteTable):
    """Implements `EntryTable`, which documents the methods."""

    __slots__ = ()

    def load(self, kind: EntryKind, key: bytes) -> EntryRow | None:
        entry = self._tag(kind, key)
        sql = f"SELECT due, sealed FROM letterlock_entries WHERE {_ONE}"  # noqa: S608 - ours
        row = self._database.row(sql, kind, entry)
        self._require(kind, entry)
        if row is None:
            return None
        due, sealed = row
        columns = entry, int(kind), due
        record = self._decoded.find(sealed, ENTRIES, columns)
        if record is None:
            record = self._opened(kind, entry, due, sealed).record
            self._decoded.keep_read(sealed, record, ENTRIES, columns)
        return EntryRow(kind, key, due, record)

    def save(self, row: EntryRow) -> None:
        kind, entry = int(row.kind), self._tag(row.kind, row.key)
        columns = entry, kind, row.due
        whole = len(row.key).to_bytes(_LENGTH, "big") + row.key + row.record.expose()
        sealed = self._cipher.seal(Record(whole), ENTRIES, *columns)
        self._decoded.keep_saved(sealed, row.record, ENTRIES, columns)
        if kind < COVERED_KINDS:
            self._digest.require_entry(kind, entry)
            self._change(ENTRIES, _ONE, (kind, entry), _UPSERT, kind, entry, row.due, sealed)
        else:
            self._database.run(_UPSERT, kind, entry, row.due, sealed)

    def delete(self, kind: EntryKind, key: bytes) -> None:
        entry = self._tag(kind, key)
        self._require(kind, entry)
        self._delete(_ONE, kind, entry)

    def all(self, kind: EntryKind) -> Iterator[EntryRow]:
        """Read a page at a time, so that many entries need little memory."""
        self._require(kind)
        return self._rows_from(kind, self._page(kind, b""))

    def count(self, kind: EntryKind) -> int:
        self._require(kind)
        return self._database.number("SELECT count(*) FROM letterlock_entries WHERE kind = ?", kind)

    def due(self, kind: EntryKind, until: int, limit: int) -> list[EntryRow]:
        self._require(kind)
        sql = f"{_ROWS} WHERE {_DUE} ORDER BY due LIMIT ?"
        return [self._opened(kind, *row) for row in self._database.rows(sql, kind, until, limit)]

    def delete_due(self, kind: EntryKind, until: int) -> int:
        self._require(kind)
        return self._delete(_DUE, kind, until)

    def _delete(self, where: str, kind: EntryKind, value: bytes | int) -> int:
        with self._database.savepoint():
            sql = f"SELECT entry FROM letterlock_entries WHERE {where}"  # noqa: S608 - ours
            for (entry,) in self._database.rows(sql, kind, value):
                self._decoded.drop(ENTRIES, entry)
            if kind < COVERED_KINDS:
                return self._remove(ENTRIES, where, kind, value)
            sql = f"DELETE FROM letterlock_entries WHERE {where}"  # noqa: S608 - ours
            return self._database.run(sql, kind, value)

    def _rows_from(self, kind: EntryKind, page: list[tuple[Any, ...]]) -> Iterator[EntryRow]:
        while page:
            for row in page:
                yield self._opened(kind, *row)
            page = self._page(kind, page[-1][0])

    def _page(self, kind: EntryKind, after: bytes) -> list[tuple[Any, ...]]:
        sql = f"{_ROWS} WHERE kind = ? AND entry > ? ORDER BY entry LIMIT ?"
        return self._database.rows(sql, kind, after, _PAGE)

    def _opened(self, kind: EntryKind, entry: bytes, due: int | None, sealed: bytes) -> EntryRow:
        whole = self._cipher.open(sealed, ENTRIES, entry, int(kind), due).expose()
        start = _LENGTH + int.from_bytes(whole[:_LENGTH], "big")
        if len(whole) < max(start, _LENGTH):  # STO-26
            raise CorruptStore("an entry of the store has no key: restore the file from a copy")
        return EntryRow(kind, whole[_LENGTH:start], due, Record(whole[start:]))

    def _require(self, kind: EntryKind, entry: bytes | None = None) -> None:
        """Compare what covers one entry, or all entries of a kind."""
        if kind >= COVERED_KINDS:
            return
        if entry is None:
            self._digest.require_all()
        else:
            self._digest.require_entry(kind, entry)

    def _tag(self, kind: EntryKind, key: bytes) -> bytes:
        return self._cipher.tag(ENTRIES, int(kind), key)
