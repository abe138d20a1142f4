"""How a store file is opened, and created if it is not there.

    peek       reads the wrapped key without a lock, writes nothing, and makes no file beside the database
    connect    checks the key before it touches the file: a wrong key changes nothing on disk

A file is created in one exclusive transaction, in SQLite's rollback mode, and switched to the write-ahead log
only afterwards. So the wrapped key is always in the main file, and if two processes create a store at the
same time, one of them creates it and the other one opens it.

Functions raise SQLITE_ERRORS as they come; database.py translates them.

Not here: the tables (schema.py), transactions (database.py), keys (wrapped_key.py), paths (files.py).
"""

import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from letterlock.errors import CorruptStore, StoreBusy, StoreError, UnsupportedStore, WrongKey
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.files import StoreFiles, cannot_use
from letterlock.stores._sqlite.journal import switch_journal
from letterlock.stores._sqlite.migration import migrate
from letterlock.stores._sqlite.schema import (
    check_tables,
    create_tables,
    has_first_format,
    read_wrapped_key,
    write_wrapped_key,
)
from letterlock.stores._sqlite.wrapped_key import DataKey, Opener, WrappedKey

_PRAGMAS: Final = (
    "PRAGMA trusted_schema = OFF",  # a schema that somebody edited calls no functions
    "PRAGMA cell_size_check = ON",  # a damaged page is noticed before it is followed
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # deleted keys are overwritten in the file
    # EXTRA, not FULL: while the store is created, it makes the deletion of the rollback journal durable too.
    # A journal that came back after the switch to the write-ahead log would damage the file.
    "PRAGMA synchronous = EXTRA",
)

SQLITE_ERRORS: Final = (sqlite3.Error, UnicodeDecodeError)
"""What a call of SQLite may raise. A message of its own that quotes damaged text may not be UTF-8."""

_creating: Final = threading.Lock()


def connect(files: StoreFiles, opener: Opener, timeout: float) -> tuple[sqlite3.Connection, DataKey]:
    """Open the store, or create it. Raises StoreError and its subclasses, and SQLITE_ERRORS."""
    key = peek(files)
    data_key: DataKey | None = None
    while key is not None and data_key is None:
        try:
            data_key = key.open(opener)
        except WrongKey:
            seen, key = key, peek(files)
            if key == seen:
                raise
            # It was half written: another process is changing the key.
    if key is None or data_key is None:
        # The file is missing, or cannot be read without a lock: be ready to create it.
        data_key = DataKey.generate()
        key = WrappedKey.seal(data_key, opener)
        files.require_usable()
        _create_file(files.path)
    files.require_usable()
    files.remember("")
    connection = open_database(files.path, "mode=rw", timeout)
    try:
        stored = _read_or_create(connection, key, files)
        if stored != key:  # another process created it first, or it was locked when we peeked
            data_key = stored.open(opener)
        is_first = has_first_format(connection)
        if not is_first:
            check_tables(connection)
        open_log(connection, files, timeout)
        if is_first:
            migrate(connection, StoreCipher(data_key))
        files.require_unchanged()
    except BaseException:
        connection.close()
        raise
    return connection, data_key


def peek(files: StoreFiles) -> WrappedKey | None:
    """Return the wrapped key of a complete store, or None if finding out takes a lock.

    Raises UnsupportedStore for a database that is not a store. `immutable` keeps SQLite from locking the
    file, from recovering it and from making files beside it. So other pages may be half written when they are
    read, but not those that matter here: the two numbers in the header never change, and the wrapped key
    changes only while there is a journal.
    """
    try:
        if files.has_journal() or not files.size():
            return None  # another process is creating it, or was killed while creating it
        with closing(open_database(files.path, "mode=ro&immutable=1", 0)) as connection:
            connection.execute("BEGIN")
            return read_wrapped_key(connection)
    except (*SQLITE_ERRORS, CorruptStore):
        return None


def open_database(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    """Return a connection with our settings. `mode` is the query of a URI."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=timeout,
        isolation_level=None,  # transactions begin where we say, not where the module decides
        check_same_thread=False,  # StoreLock lets in one thread at a time
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


def _create_file(path: Path) -> None:
    """Create an empty file that only its owner may read; SQLite gives the files beside it the same mode."""
    # One thread at a time: closing the descriptor drops every lock that this process holds on the file.
    with _creating:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return
        except OSError as error:
            raise cannot_use(path.name, error) from None


def _read_or_create(connection: sqlite3.Connection, key: WrappedKey, files: StoreFiles) -> WrappedKey:
    """Return the wrapped key in the file, which is `key` itself if the file was empty."""
    connection.execute("BEGIN")
    stored = read_wrapped_key(connection)
    connection.execute("COMMIT")
    if stored is not None:
        return stored
    connection.execute("BEGIN EXCLUSIVE")
    # A process that waited for the lock finds the other's store here. After an error, closing the connection
    # rolls back.
    stored = read_wrapped_key(connection)
    if stored is None:
        # To SQLite, a file of a few bytes is an empty database, and so is one whose log was left behind.
        # STO-15
        if files.size():
            raise UnsupportedStore(
                f"{files.name!r} is not new, but holds no store; a copy of one that was made while it was in "
                "use may lack its -wal file: check the path, or restore a backup"
            )
        create_tables(connection, key)
    connection.execute("COMMIT")
    return stored or key


def replace_wrapped_key(
    connection: sqlite3.Connection, key: WrappedKey, files: StoreFiles, timeout: float
) -> None:
    """Put another wrapped key in place, in one transaction. Raises StoreBusy if the store is open elsewhere.

    This happens in rollback mode, so that the wrapped key is never in the log: `peek` reads only the main
    file, and the log would keep the old wrapped key. STO-17
    """
    try:
        files.forget("-wal", "-shm")
        if switch_journal(connection, "DELETE", timeout) == "delete":
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("BEGIN EXCLUSIVE")
            # Another process may have opened the store in between, which switches back.
            if connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete":
                write_wrapped_key(connection, key)
                connection.execute("COMMIT")
                return
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        # What was committed stays committed. The next process that opens the store switches again.
        with suppress(*SQLITE_ERRORS, StoreError):
            open_log(connection, files, timeout)
    raise StoreBusy("the store is open elsewhere: close it in every other process and object, then try again")


def open_log(connection: sqlite3.Connection, files: StoreFiles, timeout: float) -> None:
    """Switch to the write-ahead log, and remember its files."""
    _use_write_ahead_log(connection, timeout)
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # SQLite opens the log
    files.remember("-wal", "-shm")


def _use_write_ahead_log(connection: sqlite3.Connection, timeout: float) -> None:
    """Switch to the write-ahead log, and to the sync mode that makes a commit in it durable."""
    if switch_journal(connection, "WAL", timeout) != "wal":
        raise StoreError("this file system cannot hold a write-ahead log: keep the store on a local disk")
    connection.execute("PRAGMA synchronous = FULL")
