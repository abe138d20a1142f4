"""Accounts, their lists and counters in PostgreSQL.

Not here: what stands in a list (user/); prekeys (prekeys.py); mail (mail.py).
"""

import hashlib
from collections.abc import Sequence

from letterlock._wire.relay_shelf import ShelfName
from letterlock.errors import StoreError
from letterlock.relay._head_record import decode_head, encode_head, left_out
from letterlock.relay._postgresql import logs, shelves
from letterlock.relay._postgresql.driver import Connection, Database
from letterlock.relay._store import Head, ListedKey

_DIGEST_BYTES = 16
_HEAD = "SELECT head FROM letterlock.account WHERE account = $1"


async def head(connection: Connection, account: bytes) -> Head | None:
    """Return the newest list's head, or None."""
    record = await connection.fetchval(_HEAD, account)
    return None if record is None else decode_head(record)


async def lists(database: Database, account: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
    """Return encoded lists after a version: at most so many and so many bytes, but one if there is one."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT encoded FROM (SELECT version, encoded, row_number() OVER (ORDER BY version) AS place,"
            " sum(octet_length(encoded)) OVER (ORDER BY version) AS size FROM"
            " (SELECT version, encoded FROM letterlock.list WHERE account = $1 AND version > $2"
            " ORDER BY version LIMIT $3) first) counted WHERE size <= $4 OR place = 1 ORDER BY version",
            account,
            after,
            most,
            most_bytes,
        )
    return [bytes(row["encoded"]) for row in rows]


def keys_of(listed: ListedKey) -> bytes:
    """Return what stands for a device in a list, whatever its class is: its keys, and when it was added."""
    added = listed.added.to_bytes(8, "big")
    return hashlib.sha256(listed.ed25519 + listed.identity + added).digest()[:_DIGEST_BYTES]


async def create(
    database: Database, account: bytes, encoded: Sequence[bytes], newest: Head, *, replace: bool
) -> Head | None:
    """Store an account. Return None, or the head of the account that is there."""
    async with database.transaction() as connection:
        row = (account, newest.version, newest.hash, newest.user_id, encode_head(newest))
        # Waits for another task that creates or deletes the same account, and locks what is there.
        found = await connection.fetchval(
            "INSERT INTO letterlock.account VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (account) DO UPDATE SET account = excluded.account"
            " RETURNING CASE WHEN xmax = 0 THEN NULL ELSE head END",
            *row,
        )
        if found is not None:
            there = decode_head(found)
            if not replace or there.user_id == newest.user_id:
                return there
            await _delete_contents(connection, account, [each.device for each in there.devices])
            await connection.execute(
                "UPDATE letterlock.account SET version = $2, hash = $3, user_id = $4, head = $5"
                " WHERE account = $1",
                *row,
            )
            if await logs.user(connection, there.user_id) is None:
                await shelves.clear(connection, ShelfName.of_user(there.user_id).key)
        first = newest.version - len(encoded) + 1
        await connection.executemany(
            "INSERT INTO letterlock.list VALUES ($1, $2, $3)",
            [(account, version, each) for version, each in enumerate(encoded, first)],
        )
        await _add_devices(connection, account, newest)
    return None


async def append(
    database: Database, account: bytes, before: Head, encoded: bytes, newest: Head
) -> Head | None:
    """Store a list after `before`. Return None, or the newest head if that is another one."""
    async with database.transaction() as connection:
        record = await connection.fetchval(f"{_HEAD} FOR UPDATE", account)
        if record is None:
            raise StoreError("no such account: register it first")
        there = decode_head(record)
        if (there.version, there.hash) != (before.version, before.hash):
            return there
        await connection.execute(
            "UPDATE letterlock.account SET version = $2, hash = $3, head = $4 WHERE account = $1",
            account,
            newest.version,
            newest.hash,
            encode_head(newest),
        )
        await connection.execute(
            "INSERT INTO letterlock.list VALUES ($1, $2, $3)", account, newest.version, encoded
        )
        await _delete_devices(connection, account, left_out(there, newest))
        await _add_devices(connection, account, newest)
    return None


async def _add_devices(connection: Connection, account: bytes, newest: Head) -> None:
    await connection.execute(
        "INSERT INTO letterlock.device (account, device, keys) SELECT $1, unnest($2::bigint[]),"
        " unnest($3::bytea[]) ON CONFLICT DO NOTHING",
        account,
        [each.device for each in newest.devices],
        [keys_of(each) for each in newest.devices],
    )


async def _delete_devices(connection: Connection, account: bytes, devices: list[int]) -> None:
    """Delete devices with their prekeys and their mail. Their rows are locked first."""
    if not devices:
        return
    await connection.execute(
        "SELECT FROM letterlock.device WHERE account = $1 AND device = ANY ($2) ORDER BY device FOR UPDATE",
        account,
        devices,
    )
    await connection.execute(
        "SELECT FROM letterlock.prekeys WHERE account = $1 AND device = ANY ($2) ORDER BY device FOR UPDATE",
        account,
        devices,
    )
    for table in ("mail", "page", "prekeys", "device"):
        await connection.execute(
            f"DELETE FROM letterlock.{table} WHERE account = $1 AND device = ANY ($2)",  # noqa: S608 - ours
            account,
            devices,
        )


async def _delete_contents(connection: Connection, account: bytes, devices: list[int]) -> None:
    """Delete what an account holds. What it spent stays spent, or a ticket could be used twice."""
    await _delete_devices(connection, account, devices)
    await connection.execute("DELETE FROM letterlock.list WHERE account = $1", account)
    await connection.execute(
        "WITH its AS (DELETE FROM letterlock.place WHERE account = $1 RETURNING place)"
        " DELETE FROM letterlock.part WHERE place IN (SELECT place FROM its)",
        account,
    )


async def advance(database: Database, account: bytes, listed: ListedKey, counter: int) -> int | None:
    """Keep the greatest counter of a device, and return the greatest before. None if it is not listed."""
    async with database.connection() as connection:
        before = await connection.fetchval(
            "WITH it AS (SELECT account, device, counter FROM letterlock.device"
            " WHERE account = $1 AND device = $2 AND keys = $3 FOR UPDATE)"
            " UPDATE letterlock.device d SET counter = greatest(it.counter, $4::bigint) FROM it"
            " WHERE d.account = it.account AND d.device = it.device RETURNING it.counter",
            account,
            listed.device,
            keys_of(listed),
            counter,
        )
    return None if before is None else int(before)
