"""Handshakes that were accepted, in SQLite.

letterlock_replays       kind and id of the prekey, digest: tag of kind, id and digest
"""

from letterlock._wire.prekey import PrekeyKind
from letterlock.stores._sqlite.format import REPLAYS
from letterlock.stores._sqlite.table import SqliteTable


class SqliteReplayTable(SqliteTable):
    """Implements `ReplayTable`, which documents the methods."""

    __slots__ = ()

    def has(self, kind: PrekeyKind, id_: int, digest: bytes) -> bool:
        self._digest.require()
        sql = "SELECT 1 FROM letterlock_replays WHERE kind = ? AND id = ? AND digest = ?"
        return self._database.row(sql, *self._key(kind, id_, digest)) is not None

    def add(self, kind: PrekeyKind, id_: int, digest: bytes) -> None:
        key = self._key(kind, id_, digest)
        self._change(
            REPLAYS,
            "kind = ? AND id = ? AND digest = ?",
            key,
            "INSERT INTO letterlock_replays (kind, id, digest) VALUES (?, ?, ?)",
            *key,
        )

    def count(self, kind: PrekeyKind, id_: int) -> int:
        sql = "SELECT count(*) FROM letterlock_replays WHERE kind = ? AND id = ?"
        return self._database.number(sql, kind, id_)

    def _key(self, kind: PrekeyKind, id_: int, digest: bytes) -> tuple[int, int, bytes]:
        # The tag covers the prekey, so a row that is moved to another prekey matches no digest there.
        return int(kind), id_, self._cipher.tag(REPLAYS, int(kind), id_, digest)
