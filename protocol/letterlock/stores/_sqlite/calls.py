"""How the library's own calls use a SQLite store: one statement reads the active session, one saves it.

Not here: the other rows of a call (sessions.py and its neighbours).
"""

from typing import Final

from letterlock.errors import CorruptStore
from letterlock.stores._calls import Run
from letterlock.stores._interface import AnyRecord, SessionRow
from letterlock.stores._sqlite.database import Database
from letterlock.stores._sqlite.format import SESSIONS, encode_session
from letterlock.stores._sqlite.table import SqliteTable

_READ: Final = (
    "SELECT id, rank, sealed FROM letterlock_sessions WHERE peer = ? ORDER BY rank DESC, id DESC LIMIT 1"
)
_WRITE: Final = "UPDATE letterlock_sessions SET sealed = ? WHERE id = ?"


class SqliteCalls(SqliteTable):
    """Implements `StoreCalls`, which documents the methods."""

    __slots__ = ("run",)

    run: Run

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.run = database.run_call

    def active(self, address: bytes) -> SessionRow | None:
        """See StoreCalls."""
        peer = self._cipher.peer_tag(address)
        self._digest.require_once(peer)
        for id_, rank, sealed in self._database.select(_READ, peer):
            record = self._decoded.find(sealed, SESSIONS, (id_, peer, rank))
            if record is None:
                record = self._open_kept(sealed, SESSIONS, id_, peer, rank)
            return SessionRow(id_, address, rank, record)
        return None

    def save_active(self, row: SessionRow, record: AnyRecord) -> None:
        """See StoreCalls."""
        id_, rank, peer = row.id, row.rank, self._cipher.peer_tag(row.address)
        sealed = self._cipher.seal_to(record.expose(), encode_session(id_, peer, rank))
        self._decoded.keep_saved(sealed, record, SESSIONS, (id_, peer, rank))
        if self._database.change(_WRITE, sealed, id_) != 1:
            raise CorruptStore("the session that was read is gone: restore the file from a copy")
