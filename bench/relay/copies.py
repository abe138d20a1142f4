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

_IDS: Final = ("account", "device", "page", "bundle")

_SQLITE: Final = (
    """INSERT INTO account (id, account, version, hash, user_id)
    SELECT id + :account, after, version, hash, user_id FROM account JOIN numbered ON account = before""",
    """INSERT INTO list SELECT account + :account, version, encoded FROM list WHERE account <= :people""",
    """INSERT INTO device SELECT id + :device, account + :account, device, ed25519, identity, class, added,
    counter, messages, bytes FROM device WHERE account <= :people""",
    """INSERT INTO prekeys SELECT device + :device, number, stock, state FROM prekeys
    WHERE device IN (SELECT id FROM device WHERE account <= :people)""",
    """INSERT INTO bundle SELECT id + :bundle, bundle FROM bundle WHERE id <= :bundles""",
    """INSERT INTO page SELECT p.id + :page, p.device + :device, number, first + :bundle, count, last_resort
    FROM page p JOIN device d ON d.id = p.device WHERE d.account <= :people""",
    """INSERT INTO mail (device, id, time, size, sender, sender_device, message)
    SELECT m.device + :device, m.id, time, size, sender, sender_device, message
    FROM mail m JOIN device d ON d.id = m.device WHERE d.account <= :people""",
)
"""Everything that the first `people` have, once more. `account` and the others are what ids grow by."""

_BUNDLES: Final = (
    "SELECT max(first + count) - 1 FROM page p JOIN device d ON d.id = p.device WHERE d.account <= {}"
)

_KEY: Final = "substring(sha256($1 || convert_to('person-' || lpad({number}::text, 7, '0'), 'UTF8')) FOR 16)"

_POSTGRESQL: Final = (
    """CREATE TEMPORARY TABLE numbered AS SELECT n, {before} AS before, {after} AS after
    FROM generate_series(0, $2::bigint - 1) n""",
    "CREATE UNIQUE INDEX ON numbered (before)",
    """INSERT INTO letterlock.account SELECT after, version, hash, user_id, head
    FROM letterlock.account JOIN numbered ON account = before""",
    """INSERT INTO letterlock.list SELECT after, version, encoded
    FROM letterlock.list JOIN numbered ON account = before""",
    """INSERT INTO letterlock.device SELECT after, device, number, messages, bytes, counter
    FROM letterlock.device JOIN numbered ON account = before""",
    """INSERT INTO letterlock.prekeys SELECT after, device, number, stock, state
    FROM letterlock.prekeys JOIN numbered ON account = before""",
    """INSERT INTO letterlock.page SELECT after, device, number, last_resort, ends, bundles
    FROM letterlock.page JOIN numbered ON account = before""",
    """INSERT INTO letterlock.mail SELECT after, device, number, id, "time", sender, sender_device, message
    FROM letterlock.mail JOIN numbered ON account = before""",
    "DROP TABLE numbered",
)


def copy_sqlite(path: Path, loaded: int, first: int) -> None:
    """Copy those who were `loaded` first under as many names from `first` on."""
    with closing(database.connect(path)) as connection:
        for pragma in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -2000000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TEMPORARY TABLE numbered (before BLOB PRIMARY KEY, after BLOB)")
        names = ((population.account(at), population.account(first + at)) for at in range(loaded))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO numbered VALUES (?, ?)", names)
        values = {each: _one(connection, f"SELECT max(id) FROM {each}") for each in _IDS}
        values |= {"people": loaded, "bundles": _one(connection, _BUNDLES.format(loaded))}
        for statement in _SQLITE:
            connection.execute(statement, values)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")


def _one(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])


async def copy_postgresql(url: str, loaded: int, first: int) -> None:
    """Copy those who were `loaded` first under as many names from `first` on."""
    import asyncpg

    connection: Any = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            for statement in _POSTGRESQL:
                text = statement.format(
                    before=_KEY.format(number="n"), after=_KEY.format(number="(n + $3::bigint)")
                )
                await connection.execute(text, *((RELAY_ACCOUNT, loaded, first) if "$1" in text else ()))
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
