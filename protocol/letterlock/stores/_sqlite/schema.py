"""The tables of a store file: how they are created, and how a file is recognised as a store.

    application_id    "LtLk"
    user_version      2; 1 is the format of release 0.1.0 (migration.py)
    letterlock_meta   the wrapped data key, in one row

A file with other values of the two numbers belongs to another application or to a later release. Every name
of ours begins with `letterlock_`, so the application may keep its own tables in the same file.

Functions raise SQLITE_ERRORS as they come; database.py translates them.

Not here: opening a file (opening.py), transactions (database.py), the rows of each table (account.py and its
neighbours), keys (wrapped_key.py).
"""

import sqlite3
from typing import Final

from letterlock.errors import CorruptStore, UnsupportedStore
from letterlock.stores._sqlite.format import FIRST_FORMAT, FORMAT
from letterlock.stores._sqlite.wrapped_key import WrappedKey

APPLICATION_ID: Final = int.from_bytes(b"LtLk", "big")

TABLES: Final = (
    """CREATE TABLE letterlock_meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    kind INTEGER NOT NULL, salt BLOB NOT NULL, opslimit INTEGER NOT NULL, memlimit INTEGER NOT NULL,
    wrapped BLOB NOT NULL)""",
    """CREATE TABLE letterlock_digest (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL)""",
    """CREATE TABLE letterlock_buckets (
    id INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL)""",
    """CREATE TABLE letterlock_account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL)""",
    """CREATE TABLE letterlock_peers (
    peer BLOB PRIMARY KEY NOT NULL,
    sealed BLOB NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE letterlock_prekeys (
    kind INTEGER NOT NULL, id INTEGER NOT NULL, expires INTEGER,
    sealed BLOB NOT NULL,
    PRIMARY KEY (kind, id))""",
    """CREATE INDEX letterlock_expiry ON letterlock_prekeys (expires) WHERE expires IS NOT NULL""",
    """CREATE TABLE letterlock_replays (
    kind INTEGER NOT NULL, id INTEGER NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (kind, id, digest),
    FOREIGN KEY (kind, id) REFERENCES letterlock_prekeys (kind, id) ON DELETE CASCADE) WITHOUT ROWID""",
    """CREATE TABLE letterlock_sessions (
    id INTEGER PRIMARY KEY,
    peer BLOB NOT NULL REFERENCES letterlock_peers (peer) ON DELETE CASCADE,
    rank INTEGER NOT NULL, sealed BLOB NOT NULL)""",
    """CREATE INDEX letterlock_ranks ON letterlock_sessions (peer, rank)""",
    # A row has the keys of up to 32 messages. seq is its order. The index also finds a session's rows for the
    # cascade.
    """CREATE TABLE letterlock_skipped (
    seq INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES letterlock_sessions (id) ON DELETE CASCADE,
    chain BLOB NOT NULL, start INTEGER NOT NULL, count INTEGER NOT NULL, sealed BLOB NOT NULL,
    UNIQUE (session, chain, start))""",
    # A row holds the tags of many chains. seq counts the rows of a session.
    """CREATE TABLE letterlock_past_chains (
    session INTEGER NOT NULL REFERENCES letterlock_sessions (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL, chains BLOB NOT NULL,
    PRIMARY KEY (session, seq)) WITHOUT ROWID""",
    # Rows may be long here, so there are rowids: without them SQLite reads whole rows to compare their keys.
    """CREATE TABLE letterlock_entries (
    kind INTEGER NOT NULL, entry BLOB NOT NULL, due INTEGER,
    sealed BLOB NOT NULL,
    PRIMARY KEY (kind, entry))""",
    """CREATE INDEX letterlock_due ON letterlock_entries (kind, due) WHERE due IS NOT NULL""",
)


def read_wrapped_key(connection: sqlite3.Connection) -> WrappedKey | None:
    """Return the wrapped key, or None from an empty database. Raises UnsupportedStore, CorruptStore.

    Several questions are asked, so the caller opens a transaction around them.
    """
    application_id = _integer(connection, "PRAGMA application_id")
    version = _integer(connection, "PRAGMA user_version")
    if (application_id, version) == (0, 0) and not _integer(connection, "SELECT count(*) FROM sqlite_master"):
        return None
    if application_id != APPLICATION_ID:
        raise UnsupportedStore("this database is not a letterlock store")
    if version not in {FIRST_FORMAT, FORMAT}:
        raise UnsupportedStore(f"store of version {version}, but this release knows {FORMAT}: upgrade")
    rows = connection.execute(
        "SELECT kind, salt, opslimit, memlimit, wrapped FROM letterlock_meta LIMIT 2"
    ).fetchall()
    return WrappedKey.read(rows[0] if len(rows) == 1 else ())


def create_tables(connection: sqlite3.Connection, key: WrappedKey) -> None:
    """Make an empty database a store with this wrapped key."""
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(
        "INSERT INTO letterlock_meta (id, kind, salt, opslimit, memlimit, wrapped) VALUES (1, ?, ?, ?, ?, ?)",
        (key.kind, key.salt, key.opslimit, key.memlimit, key.wrapped),
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def write_wrapped_key(connection: sqlite3.Connection, key: WrappedKey) -> None:
    """Replace the wrapped key of a store."""
    connection.execute(
        "UPDATE letterlock_meta SET kind = ?, salt = ?, opslimit = ?, memlimit = ?, wrapped = ? WHERE id = 1",
        (key.kind, key.salt, key.opslimit, key.memlimit, key.wrapped),
    )


def has_first_format(connection: sqlite3.Connection) -> bool:
    """Return whether the tables are those of release 0.1.0."""
    return _integer(connection, "PRAGMA user_version") == FIRST_FORMAT


def check_tables(connection: sqlite3.Connection, expected: tuple[str, ...] = TABLES) -> None:
    """Raise CorruptStore unless our tables, and every index and trigger on them, are exactly those expected.

    A missing cascade or an added trigger would change what our statements do.
    """
    rows = connection.execute(
        "SELECT sql FROM sqlite_master WHERE lower(tbl_name) GLOB 'letterlock_*' AND sql IS NOT NULL"
    ).fetchall()
    if {row[0] for row in rows} != set(expected) or len(rows) != len(expected):
        raise CorruptStore("the store's tables were altered: restore the file from a copy")


def _integer(connection: sqlite3.Connection, sql: str) -> int:
    integer: int = connection.execute(sql).fetchone()[0]
    return integer
