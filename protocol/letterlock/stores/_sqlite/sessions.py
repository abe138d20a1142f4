"""Sessions in SQLite.

letterlock_sessions      id, peer: tag of the address, rank | sealed: the record, bound to all three
"""

from letterlock.errors import CorruptStore
from letterlock.stores._interface import SessionRow
from letterlock.stores._sqlite.format import SESSIONS, SKIPPED_KEYS
from letterlock.stores._sqlite.table import SqliteTable


class SqliteSessionTable(SqliteTable):
    """Implements `SessionTable`, which documents the methods."""

    __slots__ = ()

    def load(self, address: bytes, limit: int) -> list[SessionRow]:
        peer = self._cipher.peer_tag(address)
        self._digest.require_once(peer)
        rows = self._database.rows(
            "SELECT id, rank, sealed FROM letterlock_sessions WHERE peer = ? "
            "ORDER BY rank DESC, id DESC LIMIT ?",
            peer,
            limit,
        )
        return [
            SessionRow(id_, address, rank, self._open_kept(sealed, SESSIONS, id_, peer, rank))
            for id_, rank, sealed in rows
        ]

    def save(self, row: SessionRow) -> None:
        peer = self._cipher.peer_tag(row.address)
        self._digest.require_once(peer)
        sealed = self._seal_kept(row.record, SESSIONS, row.id, peer, row.rank)
        # Nearly every message leaves the rank as it is. Setting it again would write its index too, and so
        # two pages in a commit instead of one.
        if self._database.run(
            "UPDATE letterlock_sessions SET sealed = ? WHERE id = ? AND peer = ? AND rank = ?",
            sealed,
            row.id,
            peer,
            row.rank,
        ):
            return
        self._digest.require_bucket(peer)
        changed = self._change(
            SESSIONS,
            "id = ?",
            (row.id,),
            "INSERT INTO letterlock_sessions (id, peer, rank, sealed) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET rank = excluded.rank, sealed = excluded.sealed "
            "WHERE peer = excluded.peer",
            row.id,
            peer,
            row.rank,
            sealed,
        )
        if not changed:
            raise CorruptStore("this session id belongs to another peer")

    def delete(self, id_: int) -> None:
        self._decoded.drop(SESSIONS, id_)
        with self._database.savepoint():
            # Its skipped keys first: deleted with it, they would stay in the digest.
            self._remove(SKIPPED_KEYS, "session = ?", id_)
            self._remove(SESSIONS, "id = ?", id_)
