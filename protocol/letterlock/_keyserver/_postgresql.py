"""PostgresqlRows: the rows of recovery in PostgreSQL, for several processes and machines.

    change     begin; an advisory lock for each row, in one order; select; write; commit

A row that is not there yet cannot be locked, so what is locked is its name. Each statement sees what was
committed when it began, and so the rows are read after all locks are held. [REC-9]

Not here: connections, time limits and errors (relay/_postgresql/driver.py).
"""

import hashlib
from collections.abc import Sequence
from typing import Final, Self, TypeVar

from letterlock._keyserver._rows import Changes, RowName, RowStep
from letterlock.errors import UnsupportedStore
from letterlock.relay._postgresql.driver import Connection, Database, connect, errors_as_ours

T = TypeVar("T")

CONNECTIONS: Final = 8
"""Connections of one process."""

VERSION: Final = 1

_MAKING: Final = int.from_bytes(b"LtRkRel", "big")
"""The advisory lock of whoever creates the tables."""

TABLES: Final = (
    "CREATE SCHEMA IF NOT EXISTS letterlock_recovery",
    "CREATE TABLE letterlock_recovery.release (version bigint NOT NULL)",
    f"INSERT INTO letterlock_recovery.release VALUES ({VERSION})",  # noqa: S608 (our own number)
    """CREATE TABLE letterlock_recovery.row (
    kind bigint NOT NULL, tag bytea NOT NULL, until bigint, record bytea NOT NULL,
    PRIMARY KEY (kind, tag)) WITH (fillfactor = 80)""",
    "ALTER TABLE letterlock_recovery.row ALTER record SET STORAGE EXTERNAL",
    "CREATE INDEX row_by_time ON letterlock_recovery.row (until) WHERE until IS NOT NULL",
)

_THERE: Final = "SELECT to_regclass('letterlock_recovery.release')"
_VERSION: Final = "SELECT version FROM letterlock_recovery.release"
_LOCK: Final = "SELECT pg_advisory_xact_lock($1)"
_FIND: Final = """SELECT r.record FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS n (kind, tag, at)
    LEFT JOIN letterlock_recovery.row r ON r.kind = n.kind AND r.tag = n.tag ORDER BY n.at"""
_SAVE: Final = """INSERT INTO letterlock_recovery.row (kind, tag, until, record) VALUES ($1, $2, $3, $4)
    ON CONFLICT (kind, tag) DO UPDATE SET until = excluded.until, record = excluded.record"""
_DELETE: Final = "DELETE FROM letterlock_recovery.row WHERE kind = $1 AND tag = $2"
_PAGE: Final = """SELECT tag, record FROM letterlock_recovery.row WHERE kind = $1 AND tag > $2
    ORDER BY tag LIMIT $3"""
_EXPIRE: Final = """DELETE FROM letterlock_recovery.row WHERE (kind, tag) IN (
    SELECT kind, tag FROM letterlock_recovery.row WHERE until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
    AND until <= $1"""


class PostgresqlRows:
    """Rows in a database at a URL `postgresql://user@host/database`, which processes share. See Rows."""

    __slots__ = ("_database",)

    def __init__(self, url: str, *, connections: int = CONNECTIONS) -> None:
        self._database = Database(url, connections)

    async def open(self) -> Self:
        """Create the tables if there are none, and connect. Raises StoreError."""
        await _prepare(self._database.url)
        await self._database.open()
        return self

    async def close(self) -> None:
        """Wait for the calls that run, and end all connections."""
        await self._database.close()

    async def load(self, names: Sequence[RowName]) -> list[bytes | None]:
        """See Rows."""
        async with self._database.connection() as connection:
            return await _find(connection, names)

    async def change(self, names: Sequence[RowName], step: RowStep[T]) -> T:
        """See Rows."""
        async with self._database.transaction() as connection:
            for lock in sorted({_lock_of(each) for each in names}):  # one order: no two wait for each other
                await connection.execute(_LOCK, lock)
            changes, answer = step(await _find(connection, names))
            await _write(connection, names, changes)
        return answer

    async def page(self, kind: int, after: bytes, most: int) -> list[tuple[bytes, bytes]]:
        """See Rows."""
        async with self._database.connection() as connection:
            found = await connection.fetch(_PAGE, kind, after, most)
        return [(each[0], each[1]) for each in found]

    async def expire(self, now: int, most: int) -> int:
        """See Rows."""
        async with self._database.connection() as connection:
            said = await connection.execute(_EXPIRE, now, most)
        return int(said.rpartition(" ")[2])


def _lock_of(name: RowName) -> int:
    """Return the number of the lock for a row. Two rows may share one: they wait for each other, no more."""
    digest = hashlib.sha256(b"%d " % name.kind + name.tag).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


async def _find(connection: Connection, names: Sequence[RowName]) -> list[bytes | None]:
    found = await connection.fetch(_FIND, [each.kind for each in names], [each.tag for each in names])
    return [each[0] for each in found]


async def _write(connection: Connection, names: Sequence[RowName], changes: Changes) -> None:
    for at, stored in changes.items():
        if stored is None:
            await connection.execute(_DELETE, *names[at])
        else:
            await connection.execute(_SAVE, *names[at], stored.until, stored.record)


async def _prepare(url: str) -> None:
    """Create the tables if there are none. Raises UnsupportedStore for those of another release."""
    connection = await connect(url)
    try:
        async with errors_as_ours(), connection.transaction():
            await connection.execute(_LOCK, _MAKING)
            if await connection.fetchval(_THERE) is None:
                for statement in TABLES:
                    await connection.execute(statement)
            version = await connection.fetchval(_VERSION)
        if version != VERSION:
            raise UnsupportedStore(f"the tables of recovery have version {version}: upgrade letterlock")
    finally:
        await connection.close(timeout=1.0)
