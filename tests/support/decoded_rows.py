"""Stores whose rows stay decoded, and what is read from them."""

from pathlib import Path
from typing import Any

import pytest

from letterlock import SqliteStore
from letterlock.stores._interface import Record
from letterlock.stores._sqlite.cipher import StoreCipher
from support.store_tools import ALICE, BOB, KEY, record, session


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the tables of rows that were decrypted, in order."""
    tables: list[bytes] = []
    open_ = StoreCipher.open

    def noted(self: StoreCipher, sealed: object, table: bytes, *columns: object) -> Record:
        if table not in {b"digest", b"buckets"}:
            tables.append(table)
        return open_(self, sealed, table, *columns)

    monkeypatch.setattr(StoreCipher, "open", noted)
    return tables


def filled(path: Path, **options: Any) -> SqliteStore:
    """Return a store with two peers and a session with each."""
    store = SqliteStore(path, key=KEY, **options)
    with store.transaction():
        store.tables.account.save(record("account"))
        for id_, address in ((1, ALICE), (2, BOB)):
            store.tables.peers.save(address, record(f"peer {id_}"))
            store.tables.sessions.save(session(id_, address))
    return store


def read(store: SqliteStore, address: bytes = ALICE) -> bytes:
    with store.transaction():
        return store.tables.sessions.load(address, 1)[0].record.expose()


def save(store: SqliteStore, text: object, rank: int = 1) -> None:
    with store.transaction():
        store.tables.sessions.save(session(1, ALICE, rank, text))


def kept(store: SqliteStore) -> int:
    return len(store._database.decoded._rows)


def text(value: object) -> bytes:
    return record(value).expose()
