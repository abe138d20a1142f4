"""URLs of databases of recovery, and files that are something else."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from letterlock import SqliteStore
from letterlock._keyserver._opening import open_rows
from letterlock._keyserver._postgresql import PostgresqlRows
from letterlock._keyserver._sqlite import APPLICATION_ID, SqliteRows
from letterlock.errors import StoreError, UnsupportedStore, UsageError
from letterlock.relay import open_store


@pytest.mark.parametrize(
    "url", ["", "recovery.db", "nats://host", "tls://host", "mysql://h/d", "sqlite://x", "sqlite:///"]
)
def test_a_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        open_rows(url)


def test_a_url_names_its_database() -> None:
    assert isinstance(open_rows("sqlite:///x.db"), SqliteRows)
    assert isinstance(open_rows("postgresql://u@h/d"), PostgresqlRows)
    assert isinstance(open_rows("postgres://u@h/d"), PostgresqlRows)


def test_the_file_of_a_relay_or_a_client_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    async def relay(path: Path) -> None:
        await (await open_store(f"sqlite:///{path}").open()).close()

    paths = [tmp_path / name for name in ("relay.db", "client.db")]
    asyncio.run(relay(paths[0]))
    SqliteStore(paths[1], key=bytes(32)).close()
    for path in paths:
        with pytest.raises(StoreError):
            asyncio.run(SqliteRows(path).open())
        with closing(sqlite3.connect(path)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert "row" not in names


def test_a_file_of_a_later_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recovery.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(UnsupportedStore, match="upgrade"):
        asyncio.run(SqliteRows(path).open())


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        asyncio.run(SqliteRows(tmp_path / "nowhere" / "recovery.db").open())


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    async def open_once() -> None:
        await (await SqliteRows(tmp_path / "recovery.db").open()).close()

    asyncio.run(open_once())
    assert (tmp_path / "recovery.db").stat().st_mode & 0o077 == 0
