"""The tables of a relay in PostgreSQL, and how those of an earlier release become those of this one.

    letterlock.release    one row: how many of MIGRATIONS the database has had

A migration only adds, and a function that changes gets another name, which ends in the version that brought
it. So a process of the release before it, which still runs, finds all that it knows. A statement that says
CONCURRENTLY runs alone, before the others of its step, outside a transaction, and blocks nobody. It may take
hours, and may be cut short. So it says IF NOT EXISTS, and an index that was left half made, which PostgreSQL
keeps as an invalid one, is deleted and made anew.

`mail.number` comes from `device.number` of the same mailbox, in the transaction that stores the message and
under the lock of that row. So numbers of one mailbox grow in the order of the commits, and whoever reads in
their order passes over nothing that was committed before. A sequence would not do: it hands out numbers
before their transactions commit.

Counters stand beside what they count: `device.messages` and `.bytes`, `shelf.parcels` and `.bytes`,
`putter.parcels` and `.bytes`. `device.keys` is a digest of the
device as the newest list has it, by which a call knows under a lock that it is the same device.

Message and bundles are ciphertext and keys, so they are stored without an attempt to compress them.

Not here: connections (driver.py), the functions (functions.py), the statements (accounts.py and its
neighbours).
"""

import asyncio
from typing import Final

from letterlock.errors import UnsupportedStore
from letterlock.relay._postgresql.driver import Connection, connect, errors_as_ours
from letterlock.relay._postgresql.functions import FUNCTIONS_1
from letterlock.relay._postgresql.shelf_functions import FUNCTIONS_2, FUNCTIONS_3

_LOCK: Final = int.from_bytes(b"LtRlRel", "big")
"""The advisory lock of whoever changes the tables."""

LOCK_SECONDS: Final = 5
"""How long a step waits for a table's lock. All calls queue behind whoever waits for one."""

_LOOK_SECONDS: Final = 0.2
"""Seconds between two attempts to get the advisory lock."""

_INVALID: Final = """SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'letterlock'::regnamespace AND NOT i.indisvalid"""

FIRST: Final = (
    "CREATE TABLE letterlock.secret (name text PRIMARY KEY, value bytea NOT NULL)",
    """CREATE TABLE letterlock.account (
    account bytea PRIMARY KEY, version bigint NOT NULL, hash bytea NOT NULL, user_id bytea NOT NULL,
    head bytea NOT NULL) WITH (fillfactor = 80)""",
    """CREATE TABLE letterlock.list (
    account bytea NOT NULL, version bigint NOT NULL, encoded bytea NOT NULL,
    PRIMARY KEY (account, version))""",
    "ALTER TABLE letterlock.list ALTER encoded SET STORAGE EXTERNAL",
    """CREATE TABLE letterlock.device (
    account bytea NOT NULL, device bigint NOT NULL, keys bytea NOT NULL, number bigint NOT NULL DEFAULT 0,
    messages bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, counter bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (account, device)) WITH (fillfactor = 60)""",
    """CREATE TABLE letterlock.prekeys (
    account bytea NOT NULL, device bigint NOT NULL, number bigint NOT NULL, stock bigint NOT NULL,
    state bytea NOT NULL, PRIMARY KEY (account, device)) WITH (fillfactor = 60)""",
    """CREATE TABLE letterlock.page (
    account bytea NOT NULL, device bigint NOT NULL, number bigint NOT NULL,
    last_resort bytea NOT NULL, ends bigint[] NOT NULL, bundles bytea NOT NULL,
    PRIMARY KEY (account, device, number))""",
    "ALTER TABLE letterlock.page ALTER bundles SET STORAGE EXTERNAL",
    """CREATE TABLE letterlock.mail (
    account bytea NOT NULL, device bigint NOT NULL, number bigint NOT NULL, id bytea NOT NULL,
    "time" bigint NOT NULL, sender text NOT NULL, sender_device bigint NOT NULL, message bytea NOT NULL,
    PRIMARY KEY (account, device, number), UNIQUE (account, device, id))
    WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)""",
    "ALTER TABLE letterlock.mail ALTER message SET STORAGE EXTERNAL",
    'CREATE INDEX mail_by_time ON letterlock.mail ("time")',
    """CREATE TABLE letterlock.spent (
    account bytea NOT NULL, value bytea NOT NULL, until bigint NOT NULL, PRIMARY KEY (account, value))""",
    "CREATE INDEX spent_by_time ON letterlock.spent (until)",
    "CREATE TABLE letterlock.place (place bytea PRIMARY KEY, account bytea NOT NULL, until bigint NOT NULL)",
    "CREATE INDEX place_by_time ON letterlock.place (until)",
    """CREATE TABLE letterlock.part (
    place bytea NOT NULL, step bigint NOT NULL, part bigint NOT NULL, parts bigint NOT NULL,
    data bytea NOT NULL, PRIMARY KEY (place, step, part))""",
    "ALTER TABLE letterlock.part ALTER data SET STORAGE EXTERNAL",
    *FUNCTIONS_1,
)

SHELVES: Final = (
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS account_by_user ON letterlock.account (user_id, version)",
    """CREATE TABLE letterlock.shelf (
    shelf bytea PRIMARY KEY, number bigint NOT NULL DEFAULT 0, parcels bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0) WITH (fillfactor = 60)""",
    """CREATE TABLE letterlock.putter (
    shelf bytea NOT NULL, putter bytea NOT NULL, parcels bigint NOT NULL, bytes bigint NOT NULL,
    PRIMARY KEY (shelf, putter)) WITH (fillfactor = 60)""",
    """CREATE TABLE letterlock.parcel (
    shelf bytea NOT NULL, number bigint NOT NULL, hash bytea NOT NULL, putter bytea NOT NULL,
    parcel bytea NOT NULL, PRIMARY KEY (shelf, number), UNIQUE (shelf, hash))""",
    "ALTER TABLE letterlock.parcel ALTER parcel SET STORAGE EXTERNAL",
    """CREATE TABLE letterlock.log (
    log bytea PRIMARY KEY, number bigint NOT NULL, hash bytea NOT NULL, state bytea NOT NULL)""",
    """CREATE TABLE letterlock.entry (
    log bytea NOT NULL, number bigint NOT NULL, entry bytea NOT NULL, PRIMARY KEY (log, number))""",
    *FUNCTIONS_2,
)
"""Parcels get their numbers as mail does: from the row of their shelf, under its lock."""

GROUPS: Final = ('ALTER TABLE letterlock.parcel ADD COLUMN "time" bigint', *FUNCTIONS_3)
"""Texts of groups are parcels that expire."""

EXPIRING: Final = (
    """CREATE INDEX CONCURRENTLY IF NOT EXISTS parcel_by_time ON letterlock.parcel ("time")
    WHERE "time" IS NOT NULL""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (FIRST, SHELVES, GROUPS, EXPIRING)
"""The statements that lead from each version to the next one."""


async def prepare(url: str) -> None:
    """Create the tables if there are none. Raises UnsupportedStore for those of another release."""
    connection = await connect(url)
    try:
        async with errors_as_ours():
            if await _version(connection) == 0:
                await _migrate(connection)
            _require_current(await _version(connection))
    finally:
        await connection.close(timeout=1.0)


async def migrate(url: str) -> int:
    """Bring the tables to this release, and return how many steps that took. Raises StoreError."""
    connection = await connect(url)
    try:
        async with errors_as_ours():
            return await _migrate(connection)
    finally:
        await connection.close(timeout=1.0)


async def _version(connection: Connection) -> int:
    """Return how many migrations the database has had."""
    if await connection.fetchval("SELECT to_regclass('letterlock.release')") is None:
        return 0
    return int(await connection.fetchval("SELECT version FROM letterlock.release") or 0)


def _require_current(version: int) -> None:
    if version > len(MIGRATIONS):
        raise UnsupportedStore(f"the relay's tables have version {version}: upgrade letterlock")
    if version < len(MIGRATIONS):
        raise UnsupportedStore(f"the relay's tables have version {version}: run `letterlock relay migrate`")


async def _migrate(connection: Connection) -> int:
    """Take the steps that are left. One process at a time takes them; others wait for it."""
    await connection.execute("SET statement_timeout = 0")
    await connection.execute("SET lock_timeout = 0")
    # Not pg_advisory_lock: whoever waits in that has a snapshot, and making an index waits for all of those.
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)
    try:
        first = await _version(connection)
        for version, step in enumerate(MIGRATIONS[first:], first + 1):
            for alone in (each for each in step if "CONCURRENTLY" in each):
                await _make_index(connection, alone)
            await _take(connection, version, [each for each in step if "CONCURRENTLY" not in each])
        return max(0, len(MIGRATIONS) - first)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _make_index(connection: Connection, statement: str) -> None:
    """Make an index while others work. It waits for older transactions, such as a copy of the database."""
    for row in await connection.fetch(_INVALID):
        await connection.execute(f'DROP INDEX CONCURRENTLY letterlock."{row[0]}"')
    await connection.execute(statement)


async def _take(connection: Connection, version: int, step: list[str]) -> None:
    """Take one step, whole or not at all."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        if version == 1:
            await connection.execute("CREATE SCHEMA IF NOT EXISTS letterlock")
            await connection.execute("CREATE TABLE letterlock.release (version bigint NOT NULL)")
            await connection.execute("INSERT INTO letterlock.release VALUES (0)")
        for statement in step:
            await connection.execute(statement)
        await connection.execute("UPDATE letterlock.release SET version = $1", version)
