"""SqliteRows: the rows of recovery in one file, with the connections and threads of a relay's file.

    application_id    "LtRk"
    user_version      1

Not here: threads and transactions (relay/_sqlite/lane.py), pragmas and errors (relay/_sqlite/database.py).
"""

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Self, TypeVar

from letterlock._keyserver._rows import Changes, RowName, RowStep
from letterlock.errors import StoreError, UnsupportedStore, UsageError
from letterlock.relay._sqlite.database import connect, create_file, store_error, use_wal
from letterlock.relay._sqlite.lane import Lane
from letterlock.relay._sqlite.operations import back_up

T = TypeVar("T")

APPLICATION_ID: Final = int.from_bytes(b"LtRk", "big")
VERSION: Final = 1

TABLES: Final = (
    """CREATE TABLE row (
    id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, tag BLOB NOT NULL, until INTEGER, record BLOB NOT NULL,
    UNIQUE (kind, tag))""",
    "CREATE INDEX row_by_time ON row (until) WHERE until IS NOT NULL",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)

_FIND: Final = "SELECT record FROM row WHERE kind = ? AND tag = ?"
_SAVE: Final = """INSERT INTO row (kind, tag, until, record) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, tag) DO UPDATE SET until = excluded.until, record = excluded.record"""
_DELETE: Final = "DELETE FROM row WHERE kind = ? AND tag = ?"
_PAGE: Final = "SELECT tag, record FROM row WHERE kind = ? AND tag > ? ORDER BY tag LIMIT ?"
_EXPIRE: Final = "DELETE FROM row WHERE id IN (SELECT id FROM row WHERE until <= ? LIMIT ?)"


class SqliteRows:
    """Rows in the file `path`, which is created if it is not there. See Rows."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._writer: Lane | None = None
        self._reader: Lane | None = None

    async def open(self) -> Self:
        """Open the file, and create it if it is not there. Raises StoreError, UsageError."""
        if self._writer is not None:
            raise UsageError("the store of recovery is open already")
        await asyncio.to_thread(_prepare, self._path)
        writer, reader = connect(self._path), connect(self._path)
        self._writer, self._reader = Lane(writer, "BEGIN IMMEDIATE"), Lane(reader, "BEGIN")
        return self

    @property
    def path(self) -> Path:
        """Where the file is, or will be."""
        return self._path

    async def backup(self, target: str | os.PathLike[str]) -> None:
        """Copy the file to a new one, while it is in use. Raises UsageError, StoreError."""
        await asyncio.to_thread(back_up, self._path, Path(target))

    async def close(self) -> None:
        """End the connections after the calls that run. A second time changes nothing."""
        lanes, self._writer, self._reader = (self._writer, self._reader), None, None
        for lane in lanes:
            if lane is not None:
                await lane.close()

    async def load(self, names: Sequence[RowName]) -> list[bytes | None]:
        """See Rows."""
        return await _open(self._reader).call(lambda connection: _find(connection, names))

    async def change(self, names: Sequence[RowName], step: RowStep[T]) -> T:
        """See Rows."""

        def work(connection: sqlite3.Connection) -> T:
            changes, answer = step(_find(connection, names))
            _write(connection, names, changes)
            return answer

        return await _open(self._writer).call(work)

    async def page(self, kind: int, after: bytes, most: int) -> list[tuple[bytes, bytes]]:
        """See Rows."""
        return await _open(self._reader).call(lambda c: c.execute(_PAGE, (kind, after, most)).fetchall())

    async def expire(self, now: int, most: int) -> int:
        """See Rows."""
        return await _open(self._writer).call(lambda c: c.execute(_EXPIRE, (now, most)).rowcount)


def _find(connection: sqlite3.Connection, names: Sequence[RowName]) -> list[bytes | None]:
    found = [connection.execute(_FIND, each).fetchone() for each in names]
    return [None if each is None else each[0] for each in found]


def _write(connection: sqlite3.Connection, names: Sequence[RowName], changes: Changes) -> None:
    for at, stored in changes.items():
        if stored is None:
            connection.execute(_DELETE, names[at])
        else:
            connection.execute(_SAVE, (*names[at], stored.until, stored.record))


def _prepare(path: Path) -> None:
    """Create the file and its tables if there is nothing yet. Raises StoreError, UsageError."""
    create_file(path)
    with closing(connect(path)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                _create(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            use_wal(connection)  # only now: the file is ours
        except sqlite3.Error as error:
            raise store_error(error) from error


def _create(connection: sqlite3.Connection) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (application, version) == (APPLICATION_ID, VERSION):
        return
    if application == APPLICATION_ID:
        raise UnsupportedStore(f"the file of recovery has version {version}: upgrade letterlock")
    if application or version or tables:
        raise UnsupportedStore("the file is no store of recovery: name another one")
    for statement in TABLES:
        connection.execute(statement)


def _open(lane: Lane | None) -> Lane:
    if lane is None:
        raise StoreError("the store of recovery is not open: await its `open` first")
    return lane
