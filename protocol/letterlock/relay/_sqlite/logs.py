"""Logs of collections, and the users that they name by their ids. Each function runs inside a transaction.

Not here: what an entry says (relay/_collection_logs.py).
"""

import sqlite3

from letterlock.relay._sqlite.devices import find
from letterlock.relay._store import Head, LogHead


def user(connection: sqlite3.Connection, user_id: bytes) -> tuple[bytes, Head] | None:
    """Return the account of a user id that has the newest list, and its head."""
    row = connection.execute(
        "SELECT account FROM account WHERE user_id = ? ORDER BY version DESC, id LIMIT 1", (user_id,)
    ).fetchone()
    if row is None:
        return None
    found = find(connection, row[0])
    return None if found is None else (bytes(row[0]), found.head)


def head(connection: sqlite3.Connection, log: bytes) -> LogHead | None:
    """Return the newest entry of a log, or None."""
    row = connection.execute("SELECT number, hash, state FROM log WHERE log = ?", (log,)).fetchone()
    return None if row is None else LogHead(*row)


def entries(
    connection: sqlite3.Connection, log: bytes, after: int, most: int, most_bytes: int
) -> list[bytes]:
    """Return entries after a number: at most so many and so many bytes, but one if there is one."""
    found = list[bytes]()
    size = 0
    rows = connection.execute(
        "SELECT entry FROM entry WHERE log = ? AND number > ? ORDER BY number LIMIT ?", (log, after, most)
    )
    for (entry,) in rows:
        size += len(entry)
        if found and size > most_bytes:
            break
        found.append(entry)
    rows.close()
    return found


def append(
    connection: sqlite3.Connection, log: bytes, before: LogHead | None, entry: bytes, newest: LogHead
) -> bool:
    """Store an entry after `before`, or the first one. Return False if the newest is another one."""
    row = connection.execute("SELECT number, hash FROM log WHERE log = ?", (log,)).fetchone()
    if row != (None if before is None else (before.number, before.hash)):
        return False
    connection.execute(
        "INSERT INTO log (log, number, hash, state) VALUES (?, ?, ?, ?) ON CONFLICT (log) DO"
        " UPDATE SET number = excluded.number, hash = excluded.hash, state = excluded.state",
        (log, newest.number, newest.hash, newest.state),
    )
    connection.execute("INSERT INTO entry (log, number, entry) VALUES (?, ?, ?)", (log, newest.number, entry))
    return True
