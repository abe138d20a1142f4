"""Side data of sessions in SQLite.

    letterlock_parts         session, slot, seq: order of arrival | record: sealed to all three

The stored format keeps an earlier name for this table: `parts`, in SQL and in the label of its records.
"""

from letterlock.stores._interface import Record
from letterlock.stores._sqlite.format import SIDE_DATA
from letterlock.stores._sqlite.table import SqliteTable, require_position


class SqliteSideDataTable(SqliteTable):
    """Implements `SideDataTable`, which documents the methods."""

    __slots__ = ()

    def append(self, session_id: int, slot: int, record: Record) -> None:
        sql = "SELECT coalesce(max(seq), 0) FROM letterlock_parts WHERE session = ? AND slot = ?"
        last = self._database.number(sql, session_id, slot)
        require_position(last)
        seq = last + 1
        self._database.run(
            "INSERT INTO letterlock_parts (session, slot, seq, record) VALUES (?, ?, ?, ?)",
            session_id,
            slot,
            seq,
            self._cipher.seal(record, SIDE_DATA, session_id, slot, seq),
        )

    def load(self, session_id: int, slot: int) -> list[Record]:
        sql = "SELECT seq, record FROM letterlock_parts WHERE session = ? AND slot = ? ORDER BY seq"
        rows = self._database.rows(sql, session_id, slot)
        return [self._cipher.open(sealed, SIDE_DATA, session_id, slot, seq) for seq, sealed in rows]

    def clear(self, session_id: int, slot: int) -> None:
        self._database.run("DELETE FROM letterlock_parts WHERE session = ? AND slot = ?", session_id, slot)
