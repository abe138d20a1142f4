"""Pending deliveries: texts that were decrypted, and committed, but not yet renamed to their target.

    id       32 bytes, SHA-256 of sender and message
    token    8 bytes, the token of the temporary file that holds the text

The table `cli_undelivered` lies in the store's database, which `SqliteStore.connection` allows, so that a row
of ours and the ratchet's new state are one commit. It never holds a text.

Not here: what a pending delivery means for the next run (_delivery.py).
"""

import sqlite3
from typing import Any, Final

from letterlock.errors import CorruptStore, StoreError
from letterlock.stores import SqliteStore

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS cli_undelivered "
    "(id BLOB PRIMARY KEY NOT NULL, token BLOB NOT NULL) WITHOUT ROWID"
)
_TOKEN_BYTES: Final = 8
_DAMAGE: Final = ("SQLITE_CORRUPT", "unreadable text")


class PendingDeliveries:
    """The table. Every method needs an open transaction of the store, and raises StoreError."""

    __slots__ = ("_store",)

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def find(self, message_id: bytes) -> bytes | None:
        """Return the token (8 bytes) recorded for a message, or None. Raises CorruptStore."""
        self._run(_TABLE)
        rows = self._run("SELECT token FROM cli_undelivered WHERE id = ?", message_id)
        if not rows:
            return None
        token = rows[0][0]
        if not isinstance(token, bytes) or len(token) != _TOKEN_BYTES:
            raise CorruptStore("a pending delivery is damaged: restore the store from a copy")
        return token

    def add(self, message_id: bytes, token: bytes) -> None:
        """Record a message that has no pending delivery yet. `find` must have run before."""
        self._run("INSERT INTO cli_undelivered (id, token) VALUES (?, ?)", message_id, token)

    def remove(self, message_id: bytes) -> None:
        """Remove a message's pending delivery, if there is one."""
        self._run("DELETE FROM cli_undelivered WHERE id = ?", message_id)

    def _run(self, sql: str, *values: bytes) -> list[tuple[Any, ...]]:
        try:
            return self._store.connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            # SQLite's name for the error, because its text may quote what a column holds.
            name: str = getattr(error, "sqlite_errorname", "unreadable text")
            kind = CorruptStore if name.startswith(_DAMAGE) else StoreError
            raise kind(f"the table of pending deliveries cannot be used ({name})") from error
