"""Undelivered: a note in the store for every text that is committed and not yet where it belongs.

    letterlock's store    everything in it that begins with `letterlock_`
    ours, beside it       cli_undelivered: id (SHA-256 of sender and message), token of the part file

This is what `SqliteStore.connection` is for: our row and the ratchet's new state are one commit.

Not here: what is done about it (delivery.py). The text itself is never in this table.
"""

import sqlite3
from typing import Any, Final

from letterlock.errors import CorruptStore
from letterlock.limits import BUSY_TIMEOUT
from letterlock.stores._database import failure
from letterlock.stores._sqlite import SqliteStore

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS cli_undelivered "
    "(id BLOB PRIMARY KEY NOT NULL, token BLOB NOT NULL) WITHOUT ROWID"
)
_TOKEN_BYTES: Final = 8


class Undelivered:
    """The notes. Every method needs an open transaction of the store."""

    __slots__ = ("_store",)

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def find(self, id_: bytes) -> bytes | None:
        """Return the token (8 bytes) noted for a message, or None. Raises CorruptStore."""
        self._run(_TABLE)
        rows = self._run("SELECT token FROM cli_undelivered WHERE id = ?", id_)
        if not rows:
            return None
        token = rows[0][0]
        if not isinstance(token, bytes) or len(token) != _TOKEN_BYTES:
            raise CorruptStore("a note of the command line does not read: restore the store from a copy")
        return token

    def add(self, id_: bytes, token: bytes) -> None:
        """Note a message, which has none yet."""
        self._run("INSERT INTO cli_undelivered (id, token) VALUES (?, ?)", id_, token)

    def remove(self, id_: bytes) -> None:
        """Remove the note, if there is one."""
        self._run("DELETE FROM cli_undelivered WHERE id = ?", id_)

    def _run(self, sql: str, *values: bytes) -> list[tuple[Any, ...]]:
        try:
            return self._store.connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise failure(error, BUSY_TIMEOUT) from error
