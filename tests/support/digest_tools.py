"""A closed store file, and an attacker who writes to it without a key."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock.errors import CorruptStore
from support.store_tools import (
    ALICE,
    CONTACT,
    ENTRY_KEYS,
    NOON,
    SIGNED,
    Call,
    entry,
    fill,
    open_sqlite,
    prekey,
    record,
    session,
    skipped,
    unsynced_store,
)

OTHER: Final = b"\x82\x65other\x01"
CHANGED: Final[dict[str, Call]] = {
    "account": lambda store: store.tables.account.save(record("later")),
    "peers": lambda store: store.tables.peers.save(ALICE, record("later")),
    "prekeys": lambda store: store.tables.prekeys.replace(prekey(SIGNED, 1, 70, "later")),
    "sessions": lambda store: store.tables.sessions.save(session(1, ALICE, 9, "later")),
    "skipped": lambda store: store.tables.skipped_keys.delete(skipped(1, 0)),
    "entries": lambda store: store.tables.entries.save(entry(CONTACT, ENTRY_KEYS[1], NOON, "later")),
}
"""One row of a table is replaced."""


def filled(tmp_path: Path) -> Path:
    """Return the folder of a store with rows in every table."""
    with unsynced_store(tmp_path) as store, store.transaction():
        fill(store)
        store.tables.peers.save(OTHER, record("nobody"))
    return tmp_path


def change(path: Path, call: Call) -> None:
    with open_sqlite(path) as store, store.transaction():
        call(store)


def rows(path: Path, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path / "store.db")) as connection:
        return connection.execute(f"SELECT * FROM letterlock_{table}").fetchall()


def attack(path: Path, *steps: tuple[str, tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(path / "store.db", isolation_level=None)) as attacker:
        for sql, values in steps:
            assert attacker.execute(sql, values).rowcount != 0, "the edit did nothing"


def refused(path: Path) -> None:
    """Check that the store refuses to open, or refuses to use the rows in the bucket of the edited one."""
    for _ in range(2):
        with pytest.raises(CorruptStore), open_sqlite(path) as store, store.transaction():
            store._database.digest.require_all()


def whole(path: Path) -> None:
    """Check that all sums of the store are right."""
    with open_sqlite(path) as store, store.transaction():
        store._database.digest.require_all()


def put(table: str, row: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    return f"INSERT OR REPLACE INTO letterlock_{table} VALUES ({', '.join('?' * len(row))})", row
