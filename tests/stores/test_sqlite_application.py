"""The application's own tables in the store's file, and an application that disturbs transactions."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from letterlock.errors import StoreError
from letterlock.stores import SqliteStore
from support.store_tools import (
    ALICE,
    committed,
    exposed,
    open_sqlite,
    record,
    undone,
)

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


def test_the_applications_tables_are_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    with open_sqlite(tmp_path) as store, store.transaction():
        store.connection.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY, text)")
        store.connection.execute("CREATE TRIGGER t AFTER INSERT ON sessions BEGIN SELECT 1; END")
        store.connection.execute("INSERT INTO sessions VALUES (1, 'theirs')")
    with open_sqlite(tmp_path) as store, store.transaction():
        assert store.connection.execute("SELECT text FROM sessions").fetchall() == [("theirs",)]


def test_the_connection_requires_a_transaction(store: SqliteStore) -> None:
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
def test_an_application_that_ends_the_transaction_gets_an_error(
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
    assert committed(store)["account"] in (exposed(record("before")), exposed(record("account")))
    with store.transaction():
        store.tables.account.save(record("usable"))


def test_an_application_that_releases_our_savepoint_loses_all_changes(store: SqliteStore) -> None:
    before = committed(store)

    def inner() -> None:
        with store.transaction():
            store.tables.peers.save(ALICE, record("undone"))
            store.connection.execute("RELEASE letterlock_1")

    def outer() -> None:
        with store.transaction():
            store.tables.account.save(record("undone"))
            # The inner transaction can be neither committed nor undone by itself, so everything is undone.
            with pytest.raises(StoreError):
                inner()
            with pytest.raises(StoreError, match="ended inside its block"):
                store.tables.account.load()

    with pytest.raises(StoreError, match="ended inside its block"):
        outer()
    assert committed(store) == before


def test_the_store_refuses_to_join_a_transaction_of_the_application(store: SqliteStore) -> None:
    with store.transaction():
        connection = store.connection
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE mine (x)")
    with pytest.raises(StoreError, match="not the store's"), store.transaction():
        pytest.fail("a transaction began")
    # The application's transaction is refused, not undone.
    connection.execute("COMMIT")
    assert committed(store)["account"] == exposed(record("account"))


def test_the_applications_row_factory_does_not_affect_the_store(store: SqliteStore) -> None:
    before = committed(store)
    with store.transaction():
        store.connection.row_factory = lambda cursor, row: {"columns": len(row), "cursor": cursor}
    assert committed(store) == before


def test_an_iterator_of_peers_ends_with_the_transaction(store: SqliteStore) -> None:
    with store.transaction():
        for number in range(600):
            store.tables.peers.save(f"peer {number}".encode(), record(number))
        found = iter(store.tables.peers.all())
        next(found)
    with pytest.raises(StoreError, match="with store"):
        list(found)
