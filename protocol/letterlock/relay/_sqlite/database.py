"""Connections to a relay's file, and SQLite's errors as ours.

    journal_mode WAL     readers and the writer do not wait for each other
    synchronous FULL     what was committed survives a loss of power

    SQLITE_BUSY, _LOCKED     -> StoreBusy
    SQLITE_CORRUPT           -> CorruptStore
    SQLITE_NOTADB            -> UnsupportedStore
    SQLITE_CANTOPEN          -> StoreError
    anything else            -> StoreError

Not here: the tables (schema.py), threads and transactions (lane.py).
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from letterlock.errors import CorruptStore, StoreBusy, StoreError, UnsupportedStore, UsageError
from letterlock.relay._sqlite import schema
from letterlock.stores._sqlite.journal import switch_journal

T = TypeVar("T")

BUSY_SECONDS: Final = 5.0
"""How long a call waits for another process that writes."""

_OLDEST: Final = (3, 35, 0)
"""The first SQLite with RETURNING."""

_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA trusted_schema = OFF",  # a schema that somebody edited calls no functions
    "PRAGMA cell_size_check = ON",  # a damaged page is noticed before it is followed
    "PRAGMA secure_delete = FAST",  # deleted mail is overwritten where that costs no more writing
    "PRAGMA cache_size = -32768",
    "PRAGMA journal_size_limit = 67108864",
)


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that exists. Raises StoreError and its subclasses."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,  # the thread that opens it hands it to the lane's, once
        )
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error as error:
        raise store_error(error) from error
    return connection


def prepare(path: Path) -> None:
    """Create the file and its tables if there is nothing yet. Raises StoreError, UsageError."""
    _require_release()
    create_file(path)
    with closing(connect(path)) as connection:
        try:
            if schema.is_new(connection):
                schema.migrate(connection)
            schema.require_current(connection)
            use_wal(connection)  # only now: the file is ours
        except sqlite3.Error as error:
            raise store_error(error) from error


def use_wal(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. Raises StoreError where the file system cannot hold one."""
    if switch_journal(connection, "WAL", BUSY_SECONDS) != "wal":
        raise StoreError(
            "this file system cannot hold a write-ahead log: keep the relay's file on a local disk"
        )


def migrate(path: Path) -> int:
    """Bring a file to this release, and return how many steps that took. Raises StoreError."""
    _require_release()
    with closing(connect(path)) as connection:
        try:
            return schema.migrate(connection)
        except sqlite3.Error as error:
            raise store_error(error) from error


def read(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do work in a transaction of a connection of its own. Raises StoreError."""
    with closing(connect(path)) as connection:
        try:
            connection.execute("BEGIN")
            return work(connection)
        except sqlite3.Error as error:
            raise store_error(error) from error


def _require_release() -> None:
    if sqlite3.sqlite_version_info < _OLDEST:
        raise UsageError(f"SQLite {sqlite3.sqlite_version} is too old for a relay: install 3.35 or later")


def create_file(path: Path) -> None:
    """Create an empty file that only its owner may read, if there is none."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise UsageError(f"the relay's file cannot be used: {error.strerror}; check its path") from None


def store_error(error: sqlite3.Error) -> StoreError:
    """Return SQLite's error as ours. Its text names tables and columns, never values."""
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy("another process kept the relay's file locked: try again")
        case sqlite3.SQLITE_CORRUPT:
            return CorruptStore("the relay's file is damaged: restore it from a backup")
        case sqlite3.SQLITE_NOTADB:
            return UnsupportedStore("the file is no relay's: name another one")
        case sqlite3.SQLITE_CANTOPEN:
            return StoreError("the relay's file cannot be opened: check its path and who may read it")
        case _:
            return StoreError(f"SQLite: {error}; nothing of this call was stored")
