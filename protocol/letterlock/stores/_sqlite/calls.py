"""How the library's own calls use a SQLite store: one statement reads the active session, one saves it.

Not here: the other rows of a call (sessions.py and its neighbours).
"""

from collections.abc import Sequence
from typing import Final, cast

from letterlock.errors import CorruptStore
from letterlock.stores._calls import Run
from letterlock.stores._interface import AnyRecord, SessionRow, SkippedKey
from letterlock.stores._sqlite.database import Database
from letterlock.stores._sqlite.format import SESSIONS, encode_session
from letterlock.stores._sqlite.skipped_keys import SqliteSkippedKeyTable
from letterlock.stores._sqlite.table import SqliteTable

_READ: Final = (
    "SELECT id, rank, sealed FROM letterlock_sessions WHERE peer = ? ORDER BY rank DESC, id DESC LIMIT 1"
)
_WRITE: Final = "UPDATE letterlock_sessions SET sealed = ? WHERE id = ?"


class SqliteCalls(SqliteTable):
    """Implements `StoreCalls`, which documents the methods."""

    __slots__ = ("_skipped_keys", "run")

    run: Run

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.run = database.run_call
        self._skipped_keys = SqliteSkippedKeyTable(database)

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

    def kept(self, row: SessionRow, places: Sequence[tuple[bytes, int]]) -> list[SkippedKey]:
        """See StoreCalls."""
        found = [self._skipped_keys.kept_in(row.id, chain, number) for chain, number in places]
        return [] if None in found else cast("list[SkippedKey]", found)

    def delete_kept(self, keys: Sequence[SkippedKey]) -> None:
        """See StoreCalls."""
        self._skipped_keys.delete_each(keys)
