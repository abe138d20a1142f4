"""Side data of sessions in SQLite.

    letterlock_parts    session, slot, seq: order of arrival    record, sealed to all three

The stored format keeps the name of an earlier draft: the table, and the label its records are sealed to,
are called `parts`.
"""

from typing import Final

from letterlock.stores._interface import Record
from letterlock.stores._sqlite.table import SqliteTable

PARTS: Final = b"parts"


class SqliteSideDataTable(SqliteTable):
    """See SideDataTable."""

    __slots__ = ()

    def append(self, session_id: int, slot: int, record: Record) -> None:
        """See SideDataTable."""
        sql = "SELECT coalesce(max(seq), 0) + 1 FROM letterlock_parts WHERE session = ? AND slot = ?"
        seq = self._database.number(sql, session_id, slot)
        self._database.run(
            "INSERT INTO letterlock_parts (session, slot, seq, record) VALUES (?, ?, ?, ?)",
            session_id,
            slot,
            seq,
            self._vault.seal(record, PARTS, session_id, slot, seq),
        )

    def load(self, session_id: int, slot: int) -> list[Record]:
        """See SideDataTable."""
        sql = "SELECT seq, record FROM letterlock_parts WHERE session = ? AND slot = ? ORDER BY seq"
        rows = self._database.rows(sql, session_id, slot)
        return [self._vault.open(sealed, PARTS, session_id, slot, seq) for seq, sealed in rows]

    def clear(self, session_id: int, slot: int) -> None:
        """See SideDataTable."""
        self._database.run("DELETE FROM letterlock_parts WHERE session = ? AND slot = ?", session_id, slot)
