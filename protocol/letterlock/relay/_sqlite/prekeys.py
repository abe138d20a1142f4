"""Prekeys: pages of bundles, and a record for each device that says which are claimed.

A bundle is read at its place in the page by SQLite's incremental I/O, which reads little of a page of 100.
Each function runs inside a transaction.

Not here: which bundle a claim gets, and when it gets none (relay/_claims.py).
"""

import sqlite3
import struct
from collections.abc import Sequence
from contextlib import closing
from itertools import accumulate
from typing import NamedTuple

from letterlock.relay._claims import Choice, ClaimState
from letterlock.relay._sqlite.accounts import find_device
from letterlock.relay._store import Page, Published, Stock


class Asked(NamedTuple):
    """A claim's id, who claims, and when."""

    claim: bytes
    requester: bytes
    now: int


def publish(connection: sqlite3.Connection, account: bytes, device: int, page: Page, most: int) -> Published:
    """Store a page. For a device that no list names nothing is stored, as for an older page."""
    row = find_device(connection, account, device)
    if row is None:
        return Published.OLDER
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
        _delete_pages(connection, row, after.page_numbers)
    return published


def _insert(connection: sqlite3.Connection, row: int, page: Page, bundles: Sequence[bytes]) -> None:
    ends = struct.pack(f">{len(bundles)}I", *accumulate(map(len, bundles)))
    connection.execute(
        "INSERT INTO page (device, number, last_resort, ends, bundles) VALUES (?, ?, ?, ?, ?)",
        (row, page.number, page.last_resort, ends, b"".join(bundles)),
    )


def _delete_pages(connection: sqlite3.Connection, row: int, needed: frozenset[int]) -> None:
    stored = connection.execute("SELECT number FROM page WHERE device = ?", (row,)).fetchall()
    connection.executemany(
        "DELETE FROM page WHERE device = ? AND number = ?",
        [(row, number) for (number,) in stored if number not in needed],
    )


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
            _delete_pages(connection, row, after.page_numbers)
    return None if choice is None else _bundle(connection, row, choice)


def _bundle(connection: sqlite3.Connection, row: int, choice: Choice) -> bytes:
    page, ends, last_resort = connection.execute(
        "SELECT id, ends, last_resort FROM page WHERE device = ? AND number = ?", (row, choice.page)
    ).fetchone()
    if choice.bundle is None:
        return bytes(last_resort)
    start, end = struct.unpack_from(">2I", bytes(4) + ends, 4 * choice.bundle)
    with closing(connection.blobopen("page", "bundles", page, readonly=True)) as blob:
        blob.seek(start)
        return blob.read(end - start)


def stock(connection: sqlite3.Connection, account: bytes, device: int) -> Stock:
    """Return what is there for a device; nothing for one that no list names."""
    row = connection.execute(
        "SELECT coalesce(p.number, 0), coalesce(p.stock, 0), d.messages, d.bytes"
        " FROM account a JOIN device d ON d.account = a.id LEFT JOIN prekeys p ON p.device = d.id"
        " WHERE a.account = ? AND d.device = ?",
        (account, device),
    ).fetchone()
    return Stock(*(row or (0, 0, 0, 0)))
