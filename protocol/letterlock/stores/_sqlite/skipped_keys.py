"""Keys of messages that are still expected, in SQLite.

letterlock_skipped       seq: order of arrival, session, chain: tag, number, kept: when it was kept
                         | sealed: the record, bound to all but seq
"""

from collections.abc import Iterable, Iterator

from letterlock.stores._interface import SkippedRow
from letterlock.stores._sqlite.format import SKIPPED_KEYS
from letterlock.stores._sqlite.table import SealedRow, SqliteTable, require_position


class SqliteSkippedKeyTable(SqliteTable):
    """Implements `SkippedKeyTable`, which documents the methods."""

    __slots__ = ()

    def find(self, address: bytes, chain: bytes, number: int) -> SkippedRow | None:
        tag = self._cipher.tag(SKIPPED_KEYS, chain)
        # CROSS JOIN makes SQLite read the peer's few sessions first, then look up the index once for each.
        row = self._database.row(
            "SELECT skipped.session, skipped.kept, skipped.sealed FROM letterlock_sessions AS sessions "
            "CROSS JOIN letterlock_skipped AS skipped ON skipped.session = sessions.id "
            "WHERE sessions.peer = ? AND skipped.chain = ? AND skipped.number = ? "
            "ORDER BY sessions.rank DESC, sessions.id DESC LIMIT 1",
            self._cipher.peer_tag(address),
            tag,
            number,
        )
        if row is None:
            return None
        session, kept, sealed = row
        record = self._cipher.open(sealed, SKIPPED_KEYS, session, tag, number, kept)
        return SkippedRow(session, chain, number, record, kept)

    def add(self, rows: Iterable[SkippedRow]) -> None:
        with self._database.savepoint():
            self._database.run_many(
                "INSERT INTO letterlock_skipped (session, chain, number, kept, sealed) "
                "VALUES (?, ?, ?, ?, ?)",
                self._sealed(rows),
            )

    def has(self, session_id: int, chain: bytes) -> bool:
        sql = "SELECT 1 FROM letterlock_skipped WHERE session = ? AND chain = ? LIMIT 1"
        return self._database.row(sql, session_id, self._cipher.tag(SKIPPED_KEYS, chain)) is not None

    def delete(self, row: SkippedRow) -> None:
        self._database.run(
            "DELETE FROM letterlock_skipped WHERE session = ? AND chain = ? AND number = ?",
            row.session_id,
            self._cipher.tag(SKIPPED_KEYS, row.chain),
            row.number,
        )

    def trim(self, session_id: int, keep: int) -> int:
        ((count, last),) = self._database.rows(
            "SELECT count(*), coalesce(max(seq), 0) FROM letterlock_skipped WHERE session = ?", session_id
        )
        # After the greatest number that a column can hold, SQLite gives the next rows numbers in no order.
        require_position(last)
        beyond = count - keep
        if beyond <= 0:
            return 0
        return self._database.run(
            "DELETE FROM letterlock_skipped WHERE seq IN "
            "(SELECT seq FROM letterlock_skipped WHERE session = ? ORDER BY seq LIMIT ?)",
            session_id,
            beyond,
        )

    def delete_kept_before(self, time: int) -> int:
        return self._database.run("DELETE FROM letterlock_skipped WHERE kept < ?", time)

    def _sealed(self, rows: Iterable[SkippedRow]) -> Iterator[SealedRow]:
        chain, tag = None, b""
        for row in rows:
            if row.chain != chain:  # rows of one chain come together
                chain, tag = row.chain, self._cipher.tag(SKIPPED_KEYS, row.chain)
            columns = row.session_id, tag, row.number, row.kept
            yield (*columns, self._cipher.seal(row.record, SKIPPED_KEYS, *columns))
