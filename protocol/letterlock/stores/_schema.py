"""The tables of the SQLite store, and how a file becomes or is recognised as one.

    application_id   "LtLk"; user_version 1. A file with others is somebody else's, or a later release's
    peek             reads the wrapped key without a lock, a write or a file beside the database
    connect          key first, file second: a wrong key touches nothing

A file is made in one exclusive transaction, in SQLite's rollback mode; only then is it switched to the
write-ahead log. So the wrapped key always stands in the main file, and of two processes that create a
store at once one does and the other opens it.

Every name of ours begins with `letterlock_`: the application may keep its own tables beside them.

Not here: transactions (database.py), rows (sqlite.py), keys (vault.py). Functions raise sqlite3.Error as
it comes; database.py translates.
"""

import os
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from letterlock.errors import CorruptStore, StoreError, UnsupportedStore
from letterlock.stores._vault import FORMAT, DataKey, Opener, WrappedKey

APPLICATION_ID: Final = int.from_bytes(b"LtLk", "big")

TABLES: Final = (
    """CREATE TABLE letterlock_meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    kind INTEGER NOT NULL, salt BLOB NOT NULL, opslimit INTEGER NOT NULL, memlimit INTEGER NOT NULL,
    wrapped BLOB NOT NULL)""",
    """CREATE TABLE letterlock_account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    record BLOB NOT NULL)""",
    """CREATE TABLE letterlock_peers (
    peer BLOB PRIMARY KEY NOT NULL,
    record BLOB NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE letterlock_prekeys (
    kind INTEGER NOT NULL, id INTEGER NOT NULL, expires INTEGER,
    record BLOB NOT NULL,
    PRIMARY KEY (kind, id))""",
    """CREATE INDEX letterlock_expiry ON letterlock_prekeys (expires) WHERE expires IS NOT NULL""",
    """CREATE TABLE letterlock_replays (
    kind INTEGER NOT NULL, id INTEGER NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (kind, id, digest),
    FOREIGN KEY (kind, id) REFERENCES letterlock_prekeys (kind, id) ON DELETE CASCADE) WITHOUT ROWID""",
    """CREATE TABLE letterlock_sessions (
    id INTEGER PRIMARY KEY,
    peer BLOB NOT NULL REFERENCES letterlock_peers (peer) ON DELETE CASCADE,
    rank INTEGER NOT NULL, record BLOB NOT NULL)""",
    """CREATE INDEX letterlock_ranks ON letterlock_sessions (peer, rank)""",
    # seq is the rowid, hence the order of arrival. The index also finds a session's rows for the cascade.
    """CREATE TABLE letterlock_skipped (
    seq INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES letterlock_sessions (id) ON DELETE CASCADE,
    chain BLOB NOT NULL, number INTEGER NOT NULL, record BLOB NOT NULL,
    UNIQUE (session, chain, number))""",
    # seq counts within the session and has no gaps, so that the ones beyond `keep` need no search.
    """CREATE TABLE letterlock_past_chains (
    session INTEGER NOT NULL REFERENCES letterlock_sessions (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL, chain BLOB NOT NULL,
    PRIMARY KEY (session, seq), UNIQUE (session, chain)) WITHOUT ROWID""",
    """CREATE TABLE letterlock_parts (
    session INTEGER NOT NULL REFERENCES letterlock_sessions (id) ON DELETE CASCADE,
    slot INTEGER NOT NULL, seq INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (session, slot, seq)) WITHOUT ROWID""",
)

_SAFE: Final = (
    "PRAGMA trusted_schema = OFF",  # a schema that somebody edited calls no functions
    "PRAGMA cell_size_check = ON",  # and a damaged page is noticed before it is followed
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # deleted keys are overwritten in the file
    # EXTRA rather than FULL matters while the store is created: it makes the end of the rollback
    # journal durable too, which must not come back once the write-ahead log is in use.
    "PRAGMA synchronous = EXTRA",
)

_creating: Final = threading.Lock()


def connect(path: Path, opener: Opener, timeout: float) -> tuple[sqlite3.Connection, DataKey]:
    """Open the store at `path`, or make it. Raises StoreError or its kinds, sqlite3.Error."""
    wrap = peek(path)
    if wrap is not None:
        data_key = wrap.open(opener)
    else:
        # Nothing there, or not to be read without a lock: be ready to make it.
        data_key = DataKey.generate()
        wrap = WrappedKey.seal(data_key, opener)
        _touch(path)
    connection = _open(path, "mode=rw", timeout)
    try:
        found = _found_or_made(connection, wrap)
        if found != wrap:  # another process made it first, or it was locked when we peeked
            data_key = found.open(opener)
        _check_tables(connection)
        _use_write_ahead_log(connection, timeout)
    except BaseException:
        connection.close()
        raise
    return connection, data_key


def peek(path: Path) -> WrappedKey | None:
    """Return the wrapped key of a store that is whole, or None if that takes a lock to find out.

    Raises UnsupportedStore for somebody else's database. `immutable` keeps SQLite from locking the file,
    from recovering it and from making files beside it. What it reads may then be half written, but not
    the parts that matter: the header's two numbers and the wrapped key never change.
    """
    try:
        if path.with_name(path.name + "-journal").exists():
            return None  # somebody is making it, or was killed while making it
        with closing(_open(path, "mode=ro&immutable=1", 0)) as connection:
            return _read(connection)
    except (OSError, sqlite3.Error, CorruptStore):
        return None


def _open(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=timeout,
        isolation_level=None,  # transactions begin where we say, not where the module thinks
        check_same_thread=False,  # turn.py lets in one thread at a time
    )
    try:
        for pragma in _SAFE:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


def _touch(path: Path) -> None:
    """Make an empty file for its owner only; SQLite gives the files beside it the same mode."""
    # One thread at a time: closing the descriptor drops every lock this process has on the file.
    with _creating:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return
        except OSError as error:
            raise StoreError(f"store file {path.name!r} cannot be created: {error.strerror}") from None


def _found_or_made(connection: sqlite3.Connection, wrap: WrappedKey) -> WrappedKey:
    found = _read(connection)
    if found is not None:
        return found
    connection.execute("BEGIN EXCLUSIVE")
    # Whoever waited for the lock finds the other's store here. An error leaves it to close() to roll back.
    found = _read(connection, begin=False)
    if found is None:
        _make(connection, wrap)
    connection.execute("COMMIT")
    return found or wrap


def _read(connection: sqlite3.Connection, *, begin: bool = True) -> WrappedKey | None:
    """Return the wrapped key, or None from an empty database. Raises UnsupportedStore, CorruptStore."""
    if begin:  # one snapshot for all four questions
        connection.execute("BEGIN")
    marks = (_number(connection, "PRAGMA application_id"), _number(connection, "PRAGMA user_version"))
    entries = _number(connection, "SELECT count(*) FROM sqlite_master")
    wrap = None
    if marks != (0, 0) or entries:
        _check_marks(*marks)
        wrap = _read_wrap(connection)
    if begin:
        connection.execute("COMMIT")
    return wrap


def _check_marks(application_id: int, version: int) -> None:
    if application_id != APPLICATION_ID:
        raise UnsupportedStore("this database is not a letterlock store")
    if version != FORMAT:
        raise UnsupportedStore(f"store of version {version}, but this release knows {FORMAT}: upgrade")


def _read_wrap(connection: sqlite3.Connection) -> WrappedKey:
    rows = connection.execute(
        "SELECT kind, salt, opslimit, memlimit, wrapped FROM letterlock_meta LIMIT 2"
    ).fetchall()
    return WrappedKey.read(rows[0] if len(rows) == 1 else ())


def _make(connection: sqlite3.Connection, wrap: WrappedKey) -> None:
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(
        "INSERT INTO letterlock_meta (id, kind, salt, opslimit, memlimit, wrapped) VALUES (1, ?, ?, ?, ?, ?)",
        (wrap.kind, wrap.salt, wrap.opslimit, wrap.memlimit, wrap.wrapped),
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def _check_tables(connection: sqlite3.Connection) -> None:
    """Raise CorruptStore unless our tables, and whatever hangs on them, are exactly those above.

    A missing cascade or an added trigger would change what our statements mean.
    """
    rows = connection.execute(
        "SELECT sql FROM sqlite_master WHERE lower(tbl_name) GLOB 'letterlock_*' AND sql IS NOT NULL"
    ).fetchall()
    if {row[0] for row in rows} != set(TABLES) or len(rows) != len(TABLES):
        raise CorruptStore("the store's tables were altered: restore the file from a copy")


def _use_write_ahead_log(connection: sqlite3.Connection, timeout: float) -> None:
    """Switch to the write-ahead log, and to the sync mode in which a commit there is durable."""
    deadline = time.monotonic() + timeout
    mode: object = None
    while mode is None:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            # SQLite does not always wait by itself here, because the waiting could be mutual.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise StoreError("this file system cannot hold a write-ahead log: keep the store on a local disk")
    connection.execute("PRAGMA synchronous = FULL")


def _number(connection: sqlite3.Connection, sql: str) -> int:
    number: int = connection.execute(sql).fetchone()[0]
    return number
