"""The tables of a relay's file, and how a file of an earlier release becomes one of this release.

    application_id    "LtRl"
    user_version      how many of MIGRATIONS the file has had

A migration only adds: a process of the release before it, which still runs, finds all that it knows.

`mail.seq` grows in the order of the commits, because SQLite has one writer at a time, and never repeats. So
whoever reads in its order passes over nothing that was committed before.

Counters stand beside what they count, and change in the same transaction: `device.messages` and `.bytes`,
`shelf.parcels` and `.bytes`, `putter.parcels` and `.bytes`, `prekeys.stock`. What was claimed of a page
stands in `prekeys.state`, so a claim writes one short row. Each bundle is a row, because SQLite finds a place
in a long value only by walking through all that is before it.

Not here: connections (database.py), the statements (accounts.py and its neighbours).
"""

import sqlite3
from typing import Final

from letterlock.errors import UnsupportedStore

APPLICATION_ID: Final = int.from_bytes(b"LtRl", "big")

FIRST: Final = (
    "CREATE TABLE secret (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL)",
    """CREATE TABLE account (
    id INTEGER PRIMARY KEY, account BLOB NOT NULL UNIQUE,
    version INTEGER NOT NULL, hash BLOB NOT NULL, user_id BLOB NOT NULL)""",
    """CREATE TABLE list (
    account INTEGER NOT NULL, version INTEGER NOT NULL, encoded BLOB NOT NULL,
    UNIQUE (account, version))""",
    """CREATE TABLE device (
    id INTEGER PRIMARY KEY, account INTEGER NOT NULL, device INTEGER NOT NULL,
    ed25519 BLOB NOT NULL, identity BLOB NOT NULL, class INTEGER NOT NULL, added INTEGER NOT NULL,
    counter INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, device))""",
    """CREATE TABLE prekeys (
    device INTEGER PRIMARY KEY,
    number INTEGER NOT NULL, stock INTEGER NOT NULL, state BLOB NOT NULL)""",
    # A page's bundles are the rows from `first` on: one transaction inserts them, so they follow each other.
    """CREATE TABLE page (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, number INTEGER NOT NULL,
    first INTEGER NOT NULL, count INTEGER NOT NULL, last_resort BLOB NOT NULL,
    UNIQUE (device, number))""",
    "CREATE TABLE bundle (id INTEGER PRIMARY KEY, bundle BLOB NOT NULL)",
    """CREATE TABLE mail (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    device INTEGER NOT NULL, id BLOB NOT NULL, time INTEGER NOT NULL, size INTEGER NOT NULL,
    sender TEXT NOT NULL, sender_device INTEGER NOT NULL, message BLOB NOT NULL)""",
    "CREATE UNIQUE INDEX mail_by_id ON mail (device, id)",
    "CREATE INDEX mail_in_order ON mail (device)",  # an index ends in the rowid, which is `seq`
    "CREATE INDEX mail_by_time ON mail (time)",
    """CREATE TABLE spent (
    account BLOB NOT NULL, value BLOB NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (account, value)) WITHOUT ROWID""",
    "CREATE INDEX spent_by_time ON spent (until)",
    "CREATE TABLE place (place BLOB PRIMARY KEY NOT NULL, account BLOB NOT NULL, until INTEGER NOT NULL)",
    "CREATE INDEX place_by_time ON place (until)",
    """CREATE TABLE part (
    place BLOB NOT NULL, step INTEGER NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (place, step, part))""",
)

SHELVES: Final = (
    "CREATE INDEX account_by_user ON account (user_id, version)",
    """CREATE TABLE shelf (
    shelf BLOB PRIMARY KEY NOT NULL,
    number INTEGER NOT NULL, parcels INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE putter (
    shelf BLOB NOT NULL, putter BLOB NOT NULL, parcels INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (shelf, putter)) WITHOUT ROWID""",
    """CREATE TABLE parcel (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    shelf BLOB NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, putter BLOB NOT NULL,
    size INTEGER NOT NULL, parcel BLOB NOT NULL,
    UNIQUE (shelf, number), UNIQUE (shelf, hash))""",
    """CREATE TABLE log (
    log BLOB PRIMARY KEY NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, state BLOB NOT NULL)""",
    """CREATE TABLE entry (
    log BLOB NOT NULL, number INTEGER NOT NULL, entry BLOB NOT NULL,
    UNIQUE (log, number))""",
)
"""Parcels are numbered on each shelf by themselves: a number for all would tell how many others get. `seq`
never leaves the database: by its growth a process notices what another one has stored."""

GROUPS: Final = (
    "ALTER TABLE parcel ADD COLUMN time INTEGER",
    "CREATE INDEX parcel_by_time ON parcel (time) WHERE time IS NOT NULL",
)
"""Texts of groups are parcels that expire."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (FIRST, SHELVES, GROUPS)
"""The statements that lead from each version to the next one."""


def require_current(connection: sqlite3.Connection) -> None:
    """Raise UnsupportedStore unless the tables are those of this release."""
    version = _version(connection)
    if version < len(MIGRATIONS):
        raise UnsupportedStore(f"the relay's file has version {version}: run `letterlock relay migrate`")


def is_new(connection: sqlite3.Connection) -> bool:
    """Return whether the file has nothing in it yet."""
    connection.execute("BEGIN")  # else another process may make the tables between two questions
    try:
        return _version(connection) == 0
    finally:
        connection.execute("ROLLBACK")


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the tables to this release, in one transaction, and return how many steps that took."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        steps = MIGRATIONS[_version(connection) :]
        for statement in (statement for step in steps for statement in step):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return len(steps)


def _version(connection: sqlite3.Connection) -> int:
    """Return how many migrations the file has had.

    Raises UnsupportedStore for a file of something else, or of a later release.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == APPLICATION_ID and version > len(MIGRATIONS):
        raise UnsupportedStore(f"the relay's file has version {version}: upgrade letterlock")
    if application == APPLICATION_ID:
        return int(version)
    if tables or application or version:
        raise UnsupportedStore("the file is no relay's: name another one")
    return 0
