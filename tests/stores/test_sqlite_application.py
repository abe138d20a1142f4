"""The application's own tables beside the store's, and what it must not do to the store's transactions."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letterlock.errors import StoreError
from letterlock.stores._sqlite import SqliteStore
from support.store_tools import (
    ALICE,
    fill,
    plain,
    quick,
    record,
    seen,
    sqlite,
    undone,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with quick(tmp_path, busy_timeout=0.05) as made:
        with made.transaction():
            fill(made)
        yield made


# --- the application's own tables -----------------------------------------------------------------


def test_the_application_writes_in_the_same_transaction(store: SqliteStore) -> None:
    with store.transaction():
        store.connection.execute("CREATE TABLE inbox (text)")
    with undone(store):
        store.tables.account.save(record("undone"))
        store.connection.execute("INSERT INTO inbox VALUES ('undone')")
    with store.transaction():
        store.tables.account.save(record("done"))
        store.connection.execute("INSERT INTO inbox VALUES ('done')")
    with store.transaction():
        assert store.connection.execute("SELECT text FROM inbox").fetchall() == [("done",)]
        assert store.tables.account.load() == record("done")


def test_the_application_s_tables_survive_a_new_opening(tmp_path: Path) -> None:
    with sqlite(tmp_path) as store, store.transaction():
        store.connection.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY, text)")
        store.connection.execute("CREATE TRIGGER t AFTER INSERT ON sessions BEGIN SELECT 1; END")
        store.connection.execute("INSERT INTO sessions VALUES (1, 'theirs')")
    with sqlite(tmp_path) as store, store.transaction():
        assert store.connection.execute("SELECT text FROM sessions").fetchall() == [("theirs",)]


def test_the_connection_is_for_use_inside_a_transaction(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="with store"):
        _ = store.connection
    store.close()
    with pytest.raises(StoreError, match="store is closed"):
        _ = store.connection


@pytest.mark.parametrize(
    "end",
    [
        lambda connection: connection.commit(),
        lambda connection: connection.rollback(),
        lambda connection: connection.execute("COMMIT"),
        lambda connection: connection.execute("ROLLBACK"),
        lambda connection: connection.executescript("SELECT 1"),
        lambda connection: connection.__enter__().__exit__(None, None, None),
    ],
)
@pytest.mark.parametrize("levels", [1, 2])
def test_an_application_that_ends_the_transaction_is_told(
    store: SqliteStore, end: Callable[[sqlite3.Connection], object], levels: int
) -> None:
    def block(level: int) -> None:
        with store.transaction():
            if level < levels:
                block(level + 1)
                return
            store.tables.account.save(record("before"))
            end(store.connection)
            with pytest.raises(StoreError, match="ended inside its block"):
                store.tables.account.save(record("after"))

    with pytest.raises(StoreError, match="ended inside its block"):
        block(1)
    assert seen(store)["account"] in (plain(record("before")), plain(record("account")))
    with store.transaction():
        store.tables.account.save(record("usable"))


def test_an_application_that_takes_our_savepoint_away_loses_all(store: SqliteStore) -> None:
    before = seen(store)

    def inner() -> None:
        with store.transaction():
            store.tables.peers.save(ALICE, record("undone"))
            store.connection.execute("RELEASE letterlock_1")

    def outer() -> None:
        with store.transaction():
            store.tables.account.save(record("undone"))
            # The inner block can be neither kept nor undone by itself, so nothing may be kept.
            with pytest.raises(StoreError):
                inner()
            with pytest.raises(StoreError, match="ended inside its block"):
                store.tables.account.load()

    with pytest.raises(StoreError, match="ended inside its block"):
        outer()
    assert seen(store) == before


def test_a_transaction_of_the_application_s_own_is_refused(store: SqliteStore) -> None:
    with store.transaction():
        connection = store.connection
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE mine (x)")
    with pytest.raises(StoreError, match="not the store's"), store.transaction():
        pytest.fail("a transaction began")
    # Refused, not undone: it is theirs.
    connection.execute("COMMIT")
    assert seen(store)["account"] == plain(record("account"))


def test_a_row_factory_of_the_application_s_does_not_disturb(store: SqliteStore) -> None:
    before = seen(store)
    with store.transaction():
        store.connection.row_factory = lambda cursor, row: {"columns": len(row), "cursor": cursor}
    assert seen(store) == before


def test_reading_peers_ends_with_the_transaction(store: SqliteStore) -> None:
    with store.transaction():
        for number in range(600):
            store.tables.peers.save(f"peer {number}".encode(), record(number))
        found = iter(store.tables.peers.all())
        next(found)
    with pytest.raises(StoreError, match="with store"):
        list(found)
