"""Prekeys in SQLite.

letterlock_prekeys    kind, id, expires (None while current)    record, sealed to all three
"""

from collections.abc import Iterable
from typing import Final

from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import CorruptStore
from letterlock.stores._interface import PrekeyRow
from letterlock.stores._sqlite.table import SealedRow, SqliteTable

PREKEYS: Final = b"prekeys"


class SqlitePrekeyTable(SqliteTable):
    """See PrekeyTable."""

    __slots__ = ()

    def add(self, rows: Iterable[PrekeyRow]) -> None:
        """See PrekeyTable."""
        with self._database.savepoint():
            self._database.run_many(
                "INSERT INTO letterlock_prekeys (kind, id, expires, record) VALUES (?, ?, ?, ?)",
                map(self._sealed, rows),
            )

    def load(self, kind: PrekeyKind, id_: int) -> PrekeyRow | None:
        """See PrekeyTable."""
        row = self._database.row(
            "SELECT expires, record FROM letterlock_prekeys WHERE kind = ? AND id = ?", kind, id_
        )
        if row is None:
            return None
        expires, sealed = row
        return PrekeyRow(kind, id_, expires, self._vault.open(sealed, PREKEYS, kind, id_, expires))

    def replace(self, row: PrekeyRow) -> None:
        """See PrekeyTable."""
        kind, id_, expires, sealed = self._sealed(row)
        changed = self._database.run(
            "UPDATE letterlock_prekeys SET expires = ?, record = ? WHERE kind = ? AND id = ?",
            expires,
            sealed,
            kind,
            id_,
        )
        if not changed:
            raise CorruptStore("there is no such prekey to replace")

    def delete(self, kind: PrekeyKind, id_: int) -> None:
        """See PrekeyTable."""
        self._database.run("DELETE FROM letterlock_prekeys WHERE kind = ? AND id = ?", kind, id_)

    def delete_expired(self, now: int) -> int:
        """See PrekeyTable."""
        return self._database.run("DELETE FROM letterlock_prekeys WHERE expires <= ?", now)

    def count(self, kind: PrekeyKind) -> int:
        """See PrekeyTable."""
        return self._database.number("SELECT count(*) FROM letterlock_prekeys WHERE kind = ?", kind)

    def _sealed(self, row: PrekeyRow) -> SealedRow:
        identity = int(row.kind), row.id, row.expires
        return (*identity, self._vault.seal(row.record, PREKEYS, *identity))
