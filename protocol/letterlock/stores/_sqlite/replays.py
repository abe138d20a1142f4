"""Handshakes that were accepted, in SQLite.

letterlock_replays    kind and id of a prekey, digest: tag of all three
"""

from typing import Final

from letterlock._wire.prekey import PrekeyKind
from letterlock.stores._sqlite.table import SqliteTable

REPLAYS: Final = b"replays"


class SqliteReplayTable(SqliteTable):
    """See ReplayTable."""

    __slots__ = ()

    def has(self, kind: PrekeyKind, id_: int, digest: bytes) -> bool:
        """See ReplayTable."""
        sql = "SELECT 1 FROM letterlock_replays WHERE kind = ? AND id = ? AND digest = ?"
        return self._database.row(sql, *self._key(kind, id_, digest)) is not None

    def add(self, kind: PrekeyKind, id_: int, digest: bytes) -> None:
        """See ReplayTable."""
        self._database.run(
            "INSERT INTO letterlock_replays (kind, id, digest) VALUES (?, ?, ?)",
            *self._key(kind, id_, digest),
        )

    def count(self, kind: PrekeyKind, id_: int) -> int:
        """See ReplayTable."""
        sql = "SELECT count(*) FROM letterlock_replays WHERE kind = ? AND id = ?"
        return self._database.number(sql, kind, id_)

    def _key(self, kind: PrekeyKind, id_: int, digest: bytes) -> tuple[int, int, bytes]:
        # The tag covers the prekey, so that a row moved to another prekey means nothing there.
        return int(kind), id_, self._vault.tag(REPLAYS, int(kind), id_, digest)
