"""Finished receiving chains in SQLite.

letterlock_past_chains   session, seq: order of arrival, chains: up to 64 tags of session and chain

A turn of the ratchet finishes a chain. The tags of many chains share a row, so that a turn writes one page
of this table and has no index to write.
"""

from typing import Any, Final

from letterlock.errors import CorruptStore
from letterlock.stores._sqlite.cipher import TAG_BYTES
from letterlock.stores._sqlite.format import CHAINS_A_ROW, PAST_CHAINS
from letterlock.stores._sqlite.table import MAX_SEQ, SqliteTable

_ROW_BYTES: Final = CHAINS_A_ROW * TAG_BYTES


class SqlitePastChainTable(SqliteTable):
    """Implements `PastChainTable`, which documents the methods."""

    __slots__ = ()

    def add(self, session_id: int, chain: bytes, keep: int) -> None:
        tag, rows = self._tag(session_id, chain), self._rows(session_id)
        with self._database.savepoint():
            if not any(tag in tags for _, tags in rows):
                seq, tags = rows[-1] if rows else (0, b"")
                if rows and len(tags) < _ROW_BYTES:
                    rows[-1] = seq, tags + tag
                    self._replace(session_id, *rows[-1])
                else:
                    rows.append((seq + 1, tag))
                    self._database.run(
                        "INSERT INTO letterlock_past_chains (session, seq, chains) VALUES (?, ?, ?)",
                        session_id,
                        *rows[-1],
                    )
            self._forget(session_id, rows, sum(len(tags) for _, tags in rows) - keep * TAG_BYTES)

    def has(self, session_id: int, chain: bytes) -> bool:
        tag = self._tag(session_id, chain)
        return any(tag in tags for _, tags in self._rows(session_id))

    def _rows(self, session_id: int) -> list[tuple[int, bytes]]:
        """Return the position and the tags of every row, oldest first. Raises CorruptStore."""
        rows = self._database.rows(
            "SELECT seq, chains FROM letterlock_past_chains WHERE session = ? ORDER BY seq", session_id
        )
        if not all(_is_whole(*row) for row in rows):
            raise CorruptStore("the finished chains of a session were edited: restore the file from a copy")
        return rows

    def _forget(self, session_id: int, rows: list[tuple[int, bytes]], beyond: int) -> None:
        """Delete so many bytes of tags, oldest first."""
        for seq, tags in rows:
            if beyond <= 0:
                return
            if beyond < len(tags):
                self._replace(session_id, seq, tags[beyond:])
            else:
                self._database.run(
                    "DELETE FROM letterlock_past_chains WHERE session = ? AND seq = ?", session_id, seq
                )
            beyond -= len(tags)

    def _replace(self, session_id: int, seq: int, tags: bytes) -> None:
        self._database.run(
            "UPDATE letterlock_past_chains SET chains = ? WHERE session = ? AND seq = ?",
            tags,
            session_id,
            seq,
        )

    def _tag(self, session_id: int, chain: bytes) -> bytes:
        return self._cipher.tag(PAST_CHAINS, session_id, chain)


def _is_whole(seq: Any, tags: Any) -> bool:  # noqa: ANN401
    # SQLite enforces no type on a column, so an edited file may hold anything.
    return (
        type(seq) is int
        and 0 < seq < MAX_SEQ
        and type(tags) is bytes
        and 0 < len(tags) <= _ROW_BYTES
        and len(tags) % TAG_BYTES == 0
    )
