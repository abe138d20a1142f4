"""Logs of collections, and the users that they name by their ids, in PostgreSQL.

Not here: what an entry says (relay/_collection_logs.py).
"""

from letterlock.relay._head_record import decode_head
from letterlock.relay._postgresql.driver import Connection, Database
from letterlock.relay._store import Head, LogHead

_USER = (
    "SELECT account, head FROM letterlock.account WHERE user_id = $1 ORDER BY version DESC, account LIMIT 1"
)


async def user(connection: Connection, user_id: bytes) -> tuple[bytes, Head] | None:
    """Return the account of a user id that has the newest list, and its head."""
    row = await connection.fetchrow(_USER, user_id)
    return None if row is None else (bytes(row["account"]), decode_head(row["head"]))


async def head(database: Database, log: bytes) -> LogHead | None:
    """Return the newest entry of a log, or None."""
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT number, hash, state FROM letterlock.log WHERE log = $1", log)
    return None if row is None else LogHead(int(row["number"]), bytes(row["hash"]), bytes(row["state"]))


async def entries(database: Database, log: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
    """Return entries after a number: at most so many and so many bytes, but one if there is one."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT entry FROM (SELECT *, row_number() OVER (ORDER BY number) AS place,"
            " sum(octet_length(entry)) OVER (ORDER BY number) AS size FROM"
            " (SELECT number, entry FROM letterlock.entry WHERE log = $1 AND number > $2"
            " ORDER BY number LIMIT $3) first) counted WHERE size <= $4 OR place = 1 ORDER BY number",
            log,
            after,
            most,
            most_bytes,
        )
    return [bytes(row["entry"]) for row in rows]


async def append(
    database: Database, log: bytes, before: LogHead | None, entry: bytes, newest: LogHead
) -> bool:
    """Store an entry after `before`, or the first one. Return False if the newest is another one."""
    async with database.transaction() as connection:
        # Both wait for another task that appends, and then see what it has stored.
        row = (log, newest.number, newest.hash, newest.state)
        if before is None:
            taken = await connection.fetchval(
                "INSERT INTO letterlock.log VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING true",
                *row,
            )
        else:
            taken = await connection.fetchval(
                "UPDATE letterlock.log SET number = $2, hash = $3, state = $4"
                " WHERE log = $1 AND number = $5 AND hash = $6 RETURNING true",
                *row,
                before.number,
                before.hash,
            )
        if taken is None:
            return False
        await connection.execute(
            "INSERT INTO letterlock.entry VALUES ($1, $2, $3)", log, newest.number, entry
        )
    return True
