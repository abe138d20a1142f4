"""Accounts and their lists, as they come and go. Each function runs inside a transaction.

Not here: finding an account (devices.py); what stands in a list (user/).
"""

import sqlite3
from collections.abc import Iterable, Sequence

from letterlock._wire.relay_shelf import ShelfName
from letterlock.errors import StoreError
from letterlock.relay._sqlite import shelves
from letterlock.relay._sqlite.devices import Found, find, find_listed
from letterlock.relay._sqlite.logs import user
from letterlock.relay._sqlite.prekeys import delete_pages
from letterlock.relay._store import Head, ListedKey


def lists(
    connection: sqlite3.Connection, account: bytes, after: int, most: int, most_bytes: int
) -> list[bytes]:
    """Return encoded lists after a version: at most so many and so many bytes, but one if there is one."""
    found = list[bytes]()
    size = 0
    rows = connection.execute(
        "SELECT l.encoded FROM account a JOIN list l ON l.account = a.id"
        " WHERE a.account = ? AND l.version > ? ORDER BY l.version LIMIT ?",
        (account, after, most),
    )
    for (encoded,) in rows:
        size += len(encoded)
        if found and size > most_bytes:
            break
        found.append(encoded)
    rows.close()
    return found


def create(
    connection: sqlite3.Connection, account: bytes, encoded: Sequence[bytes], head: Head, *, replace: bool
) -> Head | None:
    """Store an account. Return None, or the head of the account that is there."""
    found = find(connection, account)
    if found is not None:
        if not replace or found.head.user_id == head.user_id:
            return found.head
        _delete(connection, account, found)
    cursor = connection.execute(
        "INSERT INTO account (account, version, hash, user_id) VALUES (?, ?, ?, ?)",
        (account, head.version, head.hash, head.user_id),
    )
    row = cursor.lastrowid or 0
    first = head.version - len(encoded) + 1
    connection.executemany(
        "INSERT INTO list (account, version, encoded) VALUES (?, ?, ?)",
        [(row, first + place, each) for place, each in enumerate(encoded)],
    )
    _add_devices(connection, row, head.devices)
    return None


def append(
    connection: sqlite3.Connection, account: bytes, before: Head, encoded: bytes, head: Head
) -> Head | None:
    """Store a list after `before`. Return None, or the newest head if that is another one."""
    found = find(connection, account)
    if found is None:
        raise StoreError("no such account: register it first")
    if (found.head.version, found.head.hash) != (before.version, before.hash):
        return found.head
    connection.execute(
        "UPDATE account SET version = ?, hash = ? WHERE id = ?", (head.version, head.hash, found.row)
    )
    connection.execute(
        "INSERT INTO list (account, version, encoded) VALUES (?, ?, ?)", (found.row, head.version, encoded)
    )
    stay = {each.device for each in head.devices if each.is_same(found.head.device(each.device))}
    _delete_devices(connection, [row for device, row in found.devices.items() if device not in stay])
    _add_devices(connection, found.row, [each for each in head.devices if each.device not in stay])
    connection.executemany(
        "UPDATE device SET class = ? WHERE id = ?",
        [(each.device_class, found.devices[each.device]) for each in head.devices if each.device in stay],
    )
    return None


def _add_devices(connection: sqlite3.Connection, row: int, devices: Iterable[ListedKey]) -> None:
    connection.executemany(
        "INSERT INTO device (account, device, ed25519, identity, class, added) VALUES (?, ?, ?, ?, ?, ?)",
        [(row, d.device, d.ed25519, d.identity, d.device_class, d.added) for d in devices],
    )


def _delete_devices(connection: sqlite3.Connection, rows: Iterable[int]) -> None:
    """Delete devices with their prekeys and their mail."""
    for row in rows:
        delete_pages(connection, row)
        for table in ("mail", "prekeys"):
            connection.execute(f"DELETE FROM {table} WHERE device = ?", (row,))  # noqa: S608 (our own names)
        connection.execute("DELETE FROM device WHERE id = ?", (row,))


def _delete(connection: sqlite3.Connection, account: bytes, found: Found) -> None:
    """Delete an account whole. What it spent stays spent, or a ticket could be used twice.

    The user's shelf goes too, unless the user has another account.
    """
    _delete_devices(connection, found.devices.values())
    connection.execute("DELETE FROM list WHERE account = ?", (found.row,))
    connection.execute("DELETE FROM account WHERE id = ?", (found.row,))
    connection.execute(
        "DELETE FROM part WHERE place IN (SELECT place FROM place WHERE account = ?)", (account,)
    )
    connection.execute("DELETE FROM place WHERE account = ?", (account,))
    if user(connection, found.head.user_id) is None:
        shelves.clear(connection, ShelfName.of_user(found.head.user_id).key)


def advance(connection: sqlite3.Connection, account: bytes, listed: ListedKey, counter: int) -> int | None:
    """Keep the greatest counter of a device, and return the greatest before. None if it is not listed."""
    row = find_listed(connection, account, listed)
    if row is None:
        return None
    (before,) = connection.execute("SELECT counter FROM device WHERE id = ?", (row,)).fetchone()
    if counter > before:
        connection.execute("UPDATE device SET counter = ? WHERE id = ?", (counter, row))
    return int(before)
