"""Keys of messages that are still expected, in SQLite.

letterlock_skipped    session, chain: tag of the ratchet key, number    record, sealed to all three
"""

from collections.abc import Iterable, Iterator
from typing import Final

from letterlock.stores._interface import SkippedRow
from letterlock.stores._sqlite.table import SealedRow, SqliteTable

SKIPPED: Final = b"skipped"


class SqliteSkippedKeyTable(SqliteTable):
    """See SkippedKeyTable."""

    __slots__ = ()

    def find(self, address: bytes, chain: bytes, number: int) -> SkippedRow | None:
        """See SkippedKeyTable."""
        tag = self._vault.tag(SKIPPED, chain)
        # CROSS JOIN fixes the order: the peer's few sessions, then one index lookup in each.
        row = self._database.row(
            "SELECT skipped.session, skipped.record FROM letterlock_sessions AS sessions "
            "CROSS JOIN letterlock_skipped AS skipped ON skipped.session = sessions.id "
            "WHERE sessions.peer = ? AND skipped.chain = ? AND skipped.number = ? "
            "ORDER BY sessions.rank DESC, sessions.id DESC LIMIT 1",
            self._vault.peer_tag(address),
            tag,
            number,
        )
        if row is None:
            return None
        session, sealed = row
        return SkippedRow(session, chain, number, self._vault.open(sealed, SKIPPED, session, tag, number))

    def add(self, rows: Iterable[SkippedRow]) -> None:
        """See SkippedKeyTable."""
        with self._database.savepoint():
            self._database.run_many(
                "INSERT INTO letterlock_skipped (session, chain, number, record) VALUES (?, ?, ?, ?)",
                self._sealed(rows),
            )

    def has(self, session_id: int, chain: bytes) -> bool:
        """See SkippedKeyTable."""
        sql = "SELECT 1 FROM letterlock_skipped WHERE session = ? AND chain = ? LIMIT 1"
        return self._database.row(sql, session_id, self._vault.tag(SKIPPED, chain)) is not None

    def delete(self, row: SkippedRow) -> None:
        """See SkippedKeyTable."""
        self._database.run(
            "DELETE FROM letterlock_skipped WHERE session = ? AND chain = ? AND number = ?",
            row.session_id,
            self._vault.tag(SKIPPED, row.chain),
            row.number,
        )

    def trim(self, session_id: int, keep: int) -> int:
        """See SkippedKeyTable."""
        sql = "SELECT count(*) FROM letterlock_skipped WHERE session = ?"
        beyond = self._database.number(sql, session_id) - keep
        if beyond <= 0:
            return 0
        return self._database.run(
            "DELETE FROM letterlock_skipped WHERE seq IN "
            "(SELECT seq FROM letterlock_skipped WHERE session = ? ORDER BY seq LIMIT ?)",
            session_id,
            beyond,
        )

    def _sealed(self, rows: Iterable[SkippedRow]) -> Iterator[SealedRow]:
        chain, tag = None, b""
        for row in rows:
            if row.chain != chain:  # they come in runs
                chain, tag = row.chain, self._vault.tag(SKIPPED, row.chain)
            sealed = self._vault.seal(row.record, SKIPPED, row.session_id, tag, row.number)
            yield row.session_id, tag, row.number, sealed
