"""How a store of release 0.1.0 becomes one of today, in one transaction when it is opened.

    account, peers, prekeys    the column of the sealed record has another name
    sessions                   the record takes in the session's side data:
                               1 || length (4) || record || for each entry: slot (1) || length (4) || entry
    parts                      held the side data; it goes
    skipped                    many keys share a row, which gets the time of the migration
    past_chains                the tags of many chains share a row
    entries                    is new, and empty
    digest, buckets            are new, and stand for the rows as they are now

A process that still runs the earlier release does not find the columns any more, so all its calls fail and
change nothing. What is replaced leaves the file with the transaction.                     [STO-12] [STO-21]

Functions raise SQLITE_ERRORS as they come; database.py translates them.

Not here: what a session's record means (_records/first_format.py).
"""

import sqlite3
import struct
import time
from contextlib import suppress
from typing import Any, Final

from letterlock.errors import CorruptStore
from letterlock.stores._interface import Record
from letterlock.stores._skipped_rows import HALVES
from letterlock.stores._sqlite.cipher import TAG_BYTES, StoreCipher
from letterlock.stores._sqlite.digest import ConnectionRunner, Digest
from letterlock.stores._sqlite.first_skipped_keys import from_first_format
from letterlock.stores._sqlite.format import CHAINS_A_ROW, FORMAT, SESSIONS, SKIPPED_KEYS
from letterlock.stores._sqlite.schema import TABLES, check_tables, has_first_format
from letterlock.stores._sqlite.skipped_row import INSERT, sealed_row

_PARTS: Final = b"parts"
_RECORD: Final = struct.Struct(">BI")
_FIRST: Final = 1
"""The first byte of a session's record that release 0.1.0 wrote, and so the format of what follows."""

_RENAMED: Final = ("account", "peers", "prekeys", "sessions")
_REPLACED: Final = ("skipped", "past_chains")
_SKIPPED: Final = next(each for each in TABLES if "TABLE letterlock_skipped" in each)
_PAST_CHAINS: Final = next(each for each in TABLES if "TABLE letterlock_past_chains" in each)

_ADDED: Final = tuple(
    each
    for each in TABLES
    if any(f" letterlock_{table} " in each for table in ("digest", "buckets", "entries"))
)

_NEW: Final = {_SKIPPED, _PAST_CHAINS, *_ADDED}

FIRST_TABLES: Final = (
    *(each.replace("sealed BLOB", "record BLOB") for each in TABLES if each not in _NEW),
    """CREATE TABLE letterlock_skipped (
    seq INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES letterlock_sessions (id) ON DELETE CASCADE,
    chain BLOB NOT NULL, number INTEGER NOT NULL, record BLOB NOT NULL,
    UNIQUE (session, chain, number))""",
    """CREATE TABLE letterlock_past_chains (
    session INTEGER NOT NULL REFERENCES letterlock_sessions (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL, chain BLOB NOT NULL,
    PRIMARY KEY (session, seq), UNIQUE (session, chain)) WITHOUT ROWID""",
    """CREATE TABLE letterlock_parts (
    session INTEGER NOT NULL REFERENCES letterlock_sessions (id) ON DELETE CASCADE,
    slot INTEGER NOT NULL, seq INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (session, slot, seq)) WITHOUT ROWID""",
)


def migrate(connection: sqlite3.Connection, cipher: StoreCipher) -> None:
    """Migrate a store, unless another process does it meanwhile. Raises CorruptStore, and changes nothing."""
    # Tables are replaced, and their rows must not go with those that they belong to.
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if has_first_format(connection):
            check_tables(connection, FIRST_TABLES)
            _migrate_sessions(connection, cipher)
            for table in _REPLACED:
                connection.execute(f"ALTER TABLE letterlock_{table} RENAME TO letterlock_first_{table}")
            _migrate_skipped_keys(connection, cipher, int(time.time()))
            _migrate_past_chains(connection)
            for table in _REPLACED:
                connection.execute(f"DROP TABLE letterlock_first_{table}")
            for table in _RENAMED:
                connection.execute(f"ALTER TABLE letterlock_{table} RENAME COLUMN record TO sealed")
            for statement in _ADDED:
                connection.execute(statement)
            Digest(ConnectionRunner(connection), cipher).rebuild()
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        check_tables(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    connection.execute("PRAGMA foreign_keys = ON")
    with suppress(sqlite3.Error):  # another process reads the file: the log is emptied at a later commit
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _migrate_sessions(connection: sqlite3.Connection, cipher: StoreCipher) -> None:
    """Put side data into the sessions' records."""
    for id_, peer, rank, sealed in _rows(
        connection, "SELECT id, peer, rank, record FROM letterlock_sessions"
    ):
        record = cipher.open(sealed, SESSIONS, id_, peer, rank).expose()
        whole = [_RECORD.pack(_FIRST, len(record)), record]
        sql = "SELECT slot, seq, record FROM letterlock_parts WHERE session = ? ORDER BY slot, seq"
        for slot, seq, sealed_entry in _rows(connection, sql, id_):
            entry = cipher.open(sealed_entry, _PARTS, id_, slot, seq).expose()
            if not 0 < slot < 256:
                raise CorruptStore("a session's side data was edited: restore the file from a copy")
            whole += [_RECORD.pack(slot, len(entry)), entry]
        connection.execute(
            "UPDATE letterlock_sessions SET record = ? WHERE id = ?",
            (cipher.seal(Record(b"".join(whole)), SESSIONS, id_, peer, rank), id_),
        )
    connection.execute("DROP TABLE letterlock_parts")


def _migrate_skipped_keys(connection: sqlite3.Connection, cipher: StoreCipher, now: int) -> None:
    connection.execute(_SKIPPED)
    sql = "SELECT session, chain, number, record FROM letterlock_first_skipped ORDER BY session, seq"
    keys = (
        (session, chain, number, cipher.open(sealed, SKIPPED_KEYS, session, chain, number))
        for session, chain, number, sealed in _rows(connection, sql)
    )
    rows = from_first_format(keys, HALVES, now)
    connection.executemany(INSERT, (sealed_row(cipher, *each) for each in rows))


def _migrate_past_chains(connection: sqlite3.Connection) -> None:
    connection.execute(_PAST_CHAINS)
    tags: dict[int, list[bytes]] = {}
    sql = "SELECT session, chain FROM letterlock_first_past_chains ORDER BY session, seq"
    for session, chain in _rows(connection, sql):
        if type(chain) is not bytes or len(chain) != TAG_BYTES:
            raise CorruptStore("the finished chains of a session were edited: restore the file from a copy")
        tags.setdefault(session, []).append(chain)
    for session, chains in tags.items():
        for seq, start in enumerate(range(0, len(chains), CHAINS_A_ROW), 1):
            connection.execute(
                "INSERT INTO letterlock_past_chains (session, seq, chains) VALUES (?, ?, ?)",
                (session, seq, b"".join(chains[start : start + CHAINS_A_ROW])),
            )


def _rows(connection: sqlite3.Connection, sql: str, *values: object) -> list[tuple[Any, ...]]:
    return connection.execute(sql, values).fetchall()
