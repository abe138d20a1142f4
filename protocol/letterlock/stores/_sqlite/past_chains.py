"""Finished receiving chains in SQLite.

letterlock_past_chains   session, seq: order of arrival, chain: tag of session and chain
"""

from letterlock.stores._sqlite.format import PAST_CHAINS
from letterlock.stores._sqlite.table import SqliteTable


class SqlitePastChainTable(SqliteTable):
    """Implements `PastChainTable`, which documents the methods."""

    __slots__ = ()

    def add(self, session_id: int, chain: bytes, keep: int) -> None:
        with self._database.savepoint():
            last = self._last_seq(
                "SELECT coalesce(max(seq), 0) FROM letterlock_past_chains WHERE session = ?", session_id
            )
            last += self._database.run(
                "INSERT INTO letterlock_past_chains (session, seq, chain) VALUES (?, ?, ?) "
                "ON CONFLICT (session, chain) DO NOTHING",
                session_id,
                last + 1,
                self._tag(session_id, chain),
            )
            self._database.run(
                "DELETE FROM letterlock_past_chains WHERE session = ? AND seq <= ?", session_id, last - keep
            )

    def has(self, session_id: int, chain: bytes) -> bool:
        sql = "SELECT 1 FROM letterlock_past_chains WHERE session = ? AND chain = ?"
        return self._database.row(sql, session_id, self._tag(session_id, chain)) is not None

    def _tag(self, session_id: int, chain: bytes) -> bytes:
        return self._cipher.tag(PAST_CHAINS, session_id, chain)
