"""Meeting places, values that were spent, and the relay's own secrets. All inside a transaction.

Not here: what travels through a place; ending what is over (operations.py).
"""

import sqlite3

from letterlock.relay._sqlite.devices import find_listed
from letterlock.relay._store import ListedKey, Opened

Key = tuple[bytes, int, int]
"""A place, a step and a part."""


def secret(connection: sqlite3.Connection, name: str, candidate: bytes) -> bytes:
    """Return the secret of a name; `candidate` becomes it if there is none yet."""
    connection.execute(
        "INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, candidate)
    )
    (value,) = connection.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
    return bytes(value)


def spend(connection: sqlite3.Connection, account: bytes, value: bytes, until: int) -> bool:
    """Return whether a value was never spent before."""
    cursor = connection.execute(
        "INSERT INTO spent (account, value, until) VALUES (?, ?, ?) ON CONFLICT (account, value) DO NOTHING",
        (account, value, until),
    )
    return cursor.rowcount == 1


def open_place(
    connection: sqlite3.Connection, place: bytes, account: bytes, listed: ListedKey, until: int
) -> Opened:
    """Open a place. One that this account opened before stays as it is, and ends when it would have."""
    if find_listed(connection, account, listed) is None:
        return Opened.UNLISTED
    connection.execute(
        "INSERT INTO place (place, account, until) VALUES (?, ?, ?) ON CONFLICT (place) DO NOTHING",
        (place, account, until),
    )
    (owner,) = connection.execute("SELECT account FROM place WHERE place = ?", (place,)).fetchone()
    return Opened.OPEN if owner == account else Opened.TAKEN


def place_owner(connection: sqlite3.Connection, place: bytes, now: int) -> bytes | None:
    """Return the account that opened a place, or None if it is not open."""
    row = connection.execute(
        "SELECT account FROM place WHERE place = ? AND until > ?", (place, now)
    ).fetchone()
    return None if row is None else bytes(row[0])


def put(connection: sqlite3.Connection, key: Key, parts: int, data: bytes, now: int) -> bool:
    """Store a part of a step unless there is one."""
    if place_owner(connection, key[0], now) is None:
        return False
    connection.execute(
        "INSERT INTO part (place, step, part, parts, data) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (place, step, part) DO NOTHING",
        (*key, parts, data),
    )
    return True


def get(connection: sqlite3.Connection, key: Key, now: int) -> tuple[int, bytes] | None:
    """Return how many parts a step has, and one of them; None if it is not there."""
    if place_owner(connection, key[0], now) is None:
        return None
    row = connection.execute(
        "SELECT parts, data FROM part WHERE place = ? AND step = ? AND part = ?", key
    ).fetchone()
    return None if row is None else (int(row[0]), bytes(row[1]))
