"""Prekeys: pages of bundles, and a record for each device that says which are claimed.

Each function runs inside a transaction.

Not here: which bundle a claim gets, and when it gets none (relay/_claims.py).
"""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from letterlock.relay._claims import Choice, ClaimState
from letterlock.relay._sqlite.devices import find_listed
from letterlock.relay._store import ListedKey, Page, Published, Stock


class Asked(NamedTuple):
    """A claim's id, who claims, and when."""

    claim: bytes
    requester: bytes
    now: int


def publish(
    connection: sqlite3.Connection, account: bytes, listed: ListedKey, page: Page, most: int
) -> Published:
    """Store a page, unless the newest list has another device under this number, or none."""
    row = find_listed(connection, account, listed)
    if row is None:
        return Published.UNLISTED
    found = connection.execute("SELECT state FROM prekeys WHERE device = ?", (row,)).fetchone()
    before = ClaimState() if found is None else ClaimState.decode(found[0])
    after, published, count = before.publish(page, most)
    if published is Published.STORED:
        _insert(connection, row, page, page.bundles[:count])
        connection.execute(
            "INSERT INTO prekeys (device, number, stock, state) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (device) DO UPDATE SET"
            " number = excluded.number, stock = excluded.stock, state = excluded.state",
            (row, after.number, after.stock, after.encode()),
        )
        delete_pages(connection, row, after.page_numbers)
    return published


def _insert(connection: sqlite3.Connection, row: int, page: Page, bundles: Sequence[bytes]) -> None:
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM bundle").fetchone()
    connection.executemany("INSERT INTO bundle (id, bundle) VALUES (?, ?)", enumerate(bundles, last + 1))
    connection.execute(
        "INSERT INTO page (device, number, first, count, last_resort) VALUES (?, ?, ?, ?, ?)",
        (row, page.number, last + 1, len(bundles), page.last_resort),
    )


def delete_pages(connection: sqlite3.Connection, row: int, needed: frozenset[int] = frozenset()) -> None:
    """Delete the pages of a device, but for those of some numbers."""
    stored = connection.execute(
        "SELECT id, number, first, count FROM page WHERE device = ?", (row,)
    ).fetchall()
    for page, number, first, count in stored:
        if number not in needed:
            connection.execute("DELETE FROM bundle WHERE id >= ? AND id < ?", (first, first + count))
            connection.execute("DELETE FROM page WHERE id = ?", (page,))


def claim(
    connection: sqlite3.Connection, account: bytes, devices: Sequence[int], asked: Asked
) -> list[bytes | None]:
    """Return a bundle for each device, or None for one that published nothing or is not listed."""
    return [_claim_one(connection, account, device, asked) for device in devices]


def _claim_one(connection: sqlite3.Connection, account: bytes, device: int, asked: Asked) -> bytes | None:
    found = connection.execute(
        "SELECT p.device, p.state FROM account a JOIN device d ON d.account = a.id"
        " JOIN prekeys p ON p.device = d.id WHERE a.account = ? AND d.device = ?",
        (account, device),
    ).fetchone()
    if found is None:
        return None
    row, record = found
    before = ClaimState.decode(record)
    after, choice = before.take(*asked)
    if after is not before:
        connection.execute(
            "UPDATE prekeys SET stock = ?, state = ? WHERE device = ?", (after.stock, after.encode(), row)
        )
        if after.page_numbers != before.page_numbers:
            delete_pages(connection, row, after.page_numbers)
    return None if choice is None else _bundle(connection, row, choice)


def _bundle(connection: sqlite3.Connection, row: int, choice: Choice) -> bytes:
    first, last_resort = connection.execute(
        "SELECT first, last_resort FROM page WHERE device = ? AND number = ?", (row, choice.page)
    ).fetchone()
    if choice.bundle is None:
        return bytes(last_resort)
    (bundle,) = connection.execute(
        "SELECT bundle FROM bundle WHERE id = ?", (first + choice.bundle,)
    ).fetchone()
    return bytes(bundle)


def stock(connection: sqlite3.Connection, account: bytes, device: int) -> Stock:
    """Return what is there for a device; nothing for one that no list names."""
    row = connection.execute(
        "SELECT coalesce(p.number, 0), coalesce(p.stock, 0), d.messages, d.bytes"
        " FROM account a JOIN device d ON d.account = a.id LEFT JOIN prekeys p ON p.device = d.id"
        " WHERE a.account = ? AND d.device = ?",
        (account, device),
    ).fetchone()
    return Stock(*(row or (0, 0, 0, 0)))
