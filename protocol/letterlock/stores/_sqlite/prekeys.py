"""Prekeys in SQLite.

letterlock_prekeys       kind, id, expires (NULL while current) | sealed: the record, bound to all three
"""

from collections.abc import Iterable

from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import CorruptStore
from letterlock.stores._interface import PrekeyRow
from letterlock.stores._sqlite.format import PREKEYS, REPLAYS
from letterlock.stores._sqlite.table import SealedRow, SqliteTable


class SqlitePrekeyTable(SqliteTable):
    """Implements `PrekeyTable`, which documents the methods."""

    __slots__ = ()

    def add(self, rows: Iterable[PrekeyRow]) -> None:
        with self._database.savepoint():
            self._digest.require()
            sealed = [self._sealed(row) for row in rows]
            self._database.run_many(
                "INSERT INTO letterlock_prekeys (kind, id, expires, sealed) VALUES (?, ?, ?, ?)", sealed
            )
            self._digest.change(PREKEYS, (), sealed)

    def load(self, kind: PrekeyKind, id_: int) -> PrekeyRow | None:
        row = self._database.row(
            "SELECT expires, sealed FROM letterlock_prekeys WHERE kind = ? AND id = ?", kind, id_
        )
        if row is None:
            return None
        expires, sealed = row
        self._digest.require()
        return PrekeyRow(kind, id_, expires, self._cipher.open(sealed, PREKEYS, kind, id_, expires))

    def replace(self, row: PrekeyRow) -> None:
        kind, id_, expires, sealed = self._sealed(row)
        changed = self._change(
            PREKEYS,
            "kind = ? AND id = ?",
            (kind, id_),
            "UPDATE letterlock_prekeys SET expires = ?, sealed = ? WHERE kind = ? AND id = ?",
            expires,
            sealed,
            kind,
            id_,
        )
        if not changed:
            raise CorruptStore("there is no such prekey to replace")

    def delete(self, kind: PrekeyKind, id_: int) -> None:
        self._delete("kind = ? AND id = ?", int(kind), id_)

    def delete_expired(self, now: int) -> int:
        return self._delete("expires <= ?", now)

    def count(self, kind: PrekeyKind) -> int:
        return self._database.number("SELECT count(*) FROM letterlock_prekeys WHERE kind = ?", kind)

    def expiries(self, kind: PrekeyKind) -> list[tuple[int, int]]:
        rows = self._database.rows(
            "SELECT expires, id FROM letterlock_prekeys WHERE kind = ? AND expires IS NOT NULL", kind
        )
        # SQLite enforces no type on a column, so an edited file may hold anything.
        if not all(type(value) is int for row in rows for value in row):
            raise CorruptStore("a prekey's row was edited: restore the file from a copy")
        return sorted(rows)

    def _delete(self, where: str, *values: int) -> int:
        """Delete prekeys and their replays; return how many prekeys."""
        # The replays first: deleted with their prekeys, they would stay in the digest.
        with self._database.savepoint():
            of_them = f"(kind, id) IN (SELECT kind, id FROM letterlock_prekeys WHERE {where})"  # noqa: S608
            self._remove(REPLAYS, of_them, *values)
            return self._remove(PREKEYS, where, *values)

    def _sealed(self, row: PrekeyRow) -> SealedRow:
        identity = int(row.kind), row.id, row.expires
        return (*identity, self._cipher.seal(row.record, PREKEYS, *identity))
