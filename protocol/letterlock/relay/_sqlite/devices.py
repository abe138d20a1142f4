"""Finding an account, and the devices of its newest list. Each function runs inside a transaction.

Not here: how they come and go (accounts.py).
"""

import sqlite3
from dataclasses import dataclass

from letterlock.relay._store import Head, ListedKey


@dataclass(frozen=True, slots=True)
class Found:
    """An account's row and its head, with the row of each device by the device's id."""

    row: int
    head: Head
    devices: dict[int, int]


def find(connection: sqlite3.Connection, account: bytes) -> Found | None:
    """Return what is stored of an account, or None."""
    rows = connection.execute(
        "SELECT a.id, a.version, a.hash, a.user_id,"
        " d.device, d.ed25519, d.identity, d.class, d.added, d.id"
        " FROM account a LEFT JOIN device d ON d.account = a.id WHERE a.account = ? ORDER BY d.device",
        (account,),
    ).fetchall()
    if not rows:
        return None
    row, version, list_hash, user_id = rows[0][:4]
    listed = [each for each in rows if each[4] is not None]
    head = Head(version, list_hash, user_id, tuple(ListedKey(*each[4:9]) for each in listed))
    return Found(row, head, {each[4]: each[9] for each in listed})


def find_device(connection: sqlite3.Connection, account: bytes, device: int) -> int | None:
    """Return the row of a device, or None if the account's newest list has no such device."""
    row = connection.execute(
        "SELECT d.id FROM account a JOIN device d ON d.account = a.id WHERE a.account = ? AND d.device = ?",
        (account, device),
    ).fetchone()
    return None if row is None else int(row[0])


def find_listed(connection: sqlite3.Connection, account: bytes, listed: ListedKey) -> int | None:
    """Return the row of a device, or None if the newest list does not have it with these keys."""
    row = connection.execute(
        "SELECT d.id FROM account a JOIN device d ON d.account = a.id WHERE a.account = ?"
        " AND d.device = ? AND d.ed25519 = ? AND d.identity = ? AND d.added = ?",
        (account, listed.device, listed.ed25519, listed.identity, listed.added),
    ).fetchone()
    return None if row is None else int(row[0])


def find_rows(connection: sqlite3.Connection, account: bytes, version: int, head: bytes) -> dict[int, int]:
    """Return the row of each device by its id, or nothing if the account's newest list is another one.

    `head` is the hash of the list, or what it begins with.
    """
    rows = connection.execute(
        "SELECT d.device, d.id FROM account a JOIN device d ON d.account = a.id"
        " WHERE a.account = ? AND a.version = ? AND substr(a.hash, 1, ?) = ?",
        (account, version, len(head), head),
    )
    return dict(rows.fetchall())
