"""Copies of people inside a database: a shard of its real size, without a call for each of its rows.

Those who were loaded by the store protocol are copied under the names and account keys of all the others, row
by row, so that every table and index has as many bytes as if each of them had been loaded. The random bytes
of messages and the keys are the same in all copies; neither database compresses them.

Not here: loading the first of them (shard.py).
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import population

from letterlock._primitives.labels import RELAY_ACCOUNT
from letterlock.relay._sqlite import database

_GROWS: Final = {
    "account": {"id": "account", "account": None},
    "list": {"account": "account"},
    "device": {"id": "device", "account": "account"},
    "prekeys": {"device": "device"},
    "bundle": {"id": "bundle"},
    "page": {"id": "page", "device": "device", "first": "bundle"},
    "mail": {"device": "device"},
}
"""By table of SQLite: by how much the greatest id of which table a column grows in a copy; None is the key of
the account."""

_OF_PEOPLE: Final = {
    "account": "JOIN numbered ON its.account = before",
    "list": "WHERE its.account <= :people",
    "device": "WHERE its.account <= :people",
    "prekeys": "JOIN device d ON d.id = its.device WHERE d.account <= :people",
    "bundle": "WHERE its.id <= :bundles",
    "page": "JOIN device d ON d.id = its.device WHERE d.account <= :people",
    "mail": "JOIN device d ON d.id = its.device WHERE d.account <= :people",
}
"""By table of SQLite: which rows belong to those who were loaded first."""

_BUNDLES: Final = (
    "SELECT max(first + count) - 1 FROM page p JOIN device d ON d.id = p.device WHERE d.account <= {}"
)

_TABLES: Final = ("account", "list", "device", "prekeys", "page", "mail")
"""The tables of PostgreSQL. Each of them names the account in its column `account`, and nothing else."""

_COLUMNS: Final = (
    "SELECT column_name FROM information_schema.columns"
    " WHERE table_schema = 'letterlock' AND table_name = $1 AND column_name <> 'account'"
)

_KEY: Final = "substring(sha256($1 || convert_to('person-' || lpad({number}::text, 7, '0'), 'UTF8')) FOR 16)"


def copy_sqlite(path: Path, loaded: int, first: int) -> None:
    """Copy those who were `loaded` first under as many names from `first` on."""
    with closing(database.connect(path)) as connection:
        for pragma in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -2000000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TEMPORARY TABLE numbered (before BLOB PRIMARY KEY, after BLOB)")
        names = ((population.account(at), population.account(first + at)) for at in range(loaded))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO numbered VALUES (?, ?)", names)
        ids = ("account", "device", "page", "bundle")
        values = {each: _one(connection, f"SELECT max(id) FROM {each}") for each in ids}
        values |= {"people": loaded, "bundles": _one(connection, _BUNDLES.format(loaded))}
        for table in _GROWS:
            connection.execute(_copy_of(connection, table), values)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")


def _copy_of(connection: sqlite3.Connection, table: str) -> str:
    """Return the statement that copies the rows of a table, whatever other columns it has."""
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "seq"]
    grows = {
        column: "after" if by is None else f"its.{column} + :{by}" for column, by in _GROWS[table].items()
    }
    values = ", ".join(grows.get(each, f"its.{each}") for each in names)
    rows = f"{table} its {_OF_PEOPLE[table]}"
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {rows}"


def _one(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])


async def copy_postgresql(url: str, loaded: int, first: int) -> None:
    """Copy those who were `loaded` first under as many names from `first` on."""
    import asyncpg

    connection: Any = await asyncpg.connect(url)
    try:
        before, after = _KEY.format(number="n"), _KEY.format(number="(n + $3::bigint)")
        async with connection.transaction():
            await connection.execute(
                "CREATE TEMPORARY TABLE numbered ON COMMIT DROP AS"
                f" SELECT {before} AS before, {after} AS after FROM generate_series(0, $2::bigint - 1) n",
                RELAY_ACCOUNT,
                loaded,
                first,
            )
            for table in _TABLES:
                columns = await connection.fetch(_COLUMNS, table)
                names = ", ".join(f'"{row["column_name"]}"' for row in columns)
                await connection.execute(
                    f"INSERT INTO letterlock.{table} (account, {names})"
                    f" SELECT after, {names} FROM letterlock.{table} JOIN numbered ON account = before"
                )
    finally:
        await connection.close()


async def finish_postgresql(url: str) -> float:
    """Do what a database does by itself in time after so many rows came. Return how many seconds it took."""
    import asyncpg

    begun = time.monotonic()
    connection: Any = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
    return time.monotonic() - begun
