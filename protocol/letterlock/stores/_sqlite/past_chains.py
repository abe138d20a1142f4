"""Finished receiving chains in SQLite.

letterlock_past_chains    session, seq: order of arrival, chain: tag of both session and chain
"""

from typing import Final

from letterlock.stores._sqlite.table import SqliteTable

PAST_CHAINS: Final = b"past_chains"


class SqlitePastChainTable(SqliteTable):
    """See PastChainTable."""

    __slots__ = ()

    def add(self, session_id: int, chain: bytes, keep: int) -> None:
        """See PastChainTable."""
        with self._database.savepoint():
            last = self._database.number(
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
        """See PastChainTable."""
        sql = "SELECT 1 FROM letterlock_past_chains WHERE session = ? AND chain = ?"
        return self._database.row(sql, session_id, self._tag(session_id, chain)) is not None

    def _tag(self, session_id: int, chain: bytes) -> bytes:
        return self._vault.tag(PAST_CHAINS, session_id, chain)
