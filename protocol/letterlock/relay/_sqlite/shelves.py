"""Shelves and their parcels. Each function runs inside a transaction.

    shelf      number: the one that was given last; parcels, bytes: what is there now
    putter     what one user has on one shelf

Not here: whose shelf it is (relay/_shelves.py).
"""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence

from letterlock.relay._store import LogHead, Posted, Put, ShelfPage


def shelve(connection: sqlite3.Connection, puts: Sequence[Put]) -> list[bool]:
    """Store each parcel that is not there and has room. Return for each whether it is there."""
    return [_put(connection, each) is not None for each in puts]


def shelved(connection: sqlite3.Connection, shelf: bytes, hash_: bytes) -> int | None:
    """Return the number of a parcel, or None if it is not there."""
    row = connection.execute(
        "SELECT number FROM parcel WHERE shelf = ? AND hash = ?", (shelf, hash_)
    ).fetchone()
    return None if row is None else int(row[0])


def post(connection: sqlite3.Connection, put: Put, log: bytes, before: LogHead) -> Posted:
    """Store a parcel, unless it is there, if the newest entry of a log is this one."""
    known = shelved(connection, put.shelf, put.hash)
    if known is not None:
        return Posted(known)
    newest = connection.execute("SELECT number, hash FROM log WHERE log = ?", (log,)).fetchone()
    if newest != (before.number, before.hash):
        return Posted()
    number = _put(connection, put)
    return Posted(number, is_full=number is None)


def _put(connection: sqlite3.Connection, put: Put) -> int | None:
    """Return the number of a parcel, which is stored unless it is there; None if it has no room."""
    known = shelved(connection, put.shelf, put.hash)
    if known is not None:
        return known
    size = len(put.parcel)
    number, parcels, held = connection.execute(
        "SELECT number, parcels, bytes FROM shelf WHERE shelf = ?", (put.shelf,)
    ).fetchone() or (0, 0, 0)
    its_parcels, its_bytes = connection.execute(
        "SELECT parcels, bytes FROM putter WHERE shelf = ? AND putter = ?", (put.shelf, put.putter)
    ).fetchone() or (0, 0)
    if parcels >= put.most_parcels or held + size > put.most_bytes:
        return None
    if its_parcels >= put.putter_parcels or its_bytes + size > put.putter_bytes:
        return None
    connection.execute(
        "INSERT INTO parcel (shelf, number, hash, putter, size, parcel, time) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (put.shelf, number + 1, put.hash, put.putter, size, put.parcel, put.time),
    )
    connection.execute(
        "INSERT INTO shelf (shelf, number, parcels, bytes) VALUES (?, 1, 1, ?) ON CONFLICT (shelf) DO"
        " UPDATE SET number = number + 1, parcels = parcels + 1, bytes = bytes + excluded.bytes",
        (put.shelf, size),
    )
    connection.execute(
        "INSERT INTO putter (shelf, putter, parcels, bytes) VALUES (?, ?, 1, ?)"
        " ON CONFLICT (shelf, putter) DO UPDATE SET parcels = parcels + 1, bytes = bytes + excluded.bytes",
        (put.shelf, put.putter, size),
    )
    return int(number) + 1


def shelf(connection: sqlite3.Connection, shelf: bytes, after: int, most: int, most_bytes: int) -> ShelfPage:
    """Return parcels after a number: at most so many and so many bytes, but one if there is one."""
    row = connection.execute("SELECT number FROM shelf WHERE shelf = ?", (shelf,)).fetchone()
    found = list[tuple[int, bytes]]()
    size = 0
    rows = connection.execute(
        "SELECT number, parcel FROM parcel WHERE shelf = ? AND number > ? ORDER BY number LIMIT ?",
        (shelf, after, most),
    )
    for number, parcel in rows:
        size += len(parcel)
        if found and size > most_bytes:
            break
        found.append((number, parcel))
    rows.close()
    return ShelfPage(0 if row is None else int(row[0]), tuple(found))


def unshelve(
    connection: sqlite3.Connection, shelf: bytes, hashes: Sequence[bytes], putter: bytes | None
) -> None:
    """Delete parcels that a user put there, or those of anybody for None."""
    gone: defaultdict[bytes, list[int]] = defaultdict(list)
    for each in hashes:
        rows = connection.execute(
            "DELETE FROM parcel WHERE shelf = ? AND hash = ? AND (? IS NULL OR putter = ?)"
            " RETURNING putter, size",
            (shelf, each, putter, putter),
        ).fetchall()
        for whose, size in rows:
            gone[whose].append(size)
    for whose, sizes in gone.items():
        released = len(sizes), sum(sizes)
        connection.execute(
            "UPDATE shelf SET parcels = parcels - ?, bytes = bytes - ? WHERE shelf = ?", (*released, shelf)
        )
        connection.execute(
            "UPDATE putter SET parcels = parcels - ?, bytes = bytes - ? WHERE shelf = ? AND putter = ?",
            (*released, shelf, whose),
        )
    connection.execute("DELETE FROM putter WHERE shelf = ? AND parcels = 0", (shelf,))


def clear(connection: sqlite3.Connection, shelf: bytes) -> None:
    """Delete a shelf with all that is on it."""
    for table in ("parcel", "putter", "shelf"):
        connection.execute(f"DELETE FROM {table} WHERE shelf = ?", (shelf,))  # noqa: S608 (our own names)
