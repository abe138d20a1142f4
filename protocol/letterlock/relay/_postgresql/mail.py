"""Mail in PostgreSQL.

Not here: the steps under locks (functions.py); waking who waits for mail (wakes.py).
"""

from collections.abc import Sequence

from letterlock.relay._postgresql import accounts
from letterlock.relay._postgresql.driver import Database
from letterlock.relay._postgresql.functions import FULL, STORED, UNKNOWN
from letterlock.relay._store import Deliver, Delivered, ListedKey, Mail


async def deliver(database: Database, account: bytes, send: Deliver) -> Delivered:
    """Store all messages of a send, or none."""
    mail = send.mail
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT outcome, full_device FROM letterlock.deliver_1"
            "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            account,
            send.version,
            send.hash,
            [each.device for each in mail],
            [each.id for each in mail],
            [each.time for each in mail],
            [each.sender[0] for each in mail],
            [each.sender[1] for each in mail],
            [each.message for each in mail],
            send.most_messages,
            send.most_bytes,
        )
        outcome = UNKNOWN if row is None else row["outcome"]
        if outcome == STORED:
            return Delivered()
        if row is not None and outcome == FULL:
            return Delivered(full=row["full_device"])
        head = await accounts.head(connection, account)
        return Delivered(unknown=True) if outcome == UNKNOWN or head is None else Delivered(head=head)


async def fetch(
    database: Database, account: bytes, device: int, limits: tuple[int, int], skip: frozenset[bytes]
) -> list[Mail]:
    """Return the oldest messages in order: at most so many and so many bytes, but one if there is one."""
    async with database.connection() as connection:
        # Only the rows that are returned are read whole: the length of a long value stands beside its row.
        rows = await connection.fetch(
            'SELECT id, "time", sender, sender_device, message FROM'
            " (SELECT *, row_number() OVER (ORDER BY number) AS place,"
            " sum(octet_length(message)) OVER (ORDER BY number) AS size FROM"
            " (SELECT * FROM letterlock.mail WHERE account = $1 AND device = $2 AND id <> ALL ($3)"
            " ORDER BY number LIMIT $4) oldest) counted WHERE size <= $5 OR place = 1 ORDER BY number",
            account,
            device,
            list(skip),
            *limits,
        )
    return [
        Mail(device, row["id"], row["time"], (row["sender"], row["sender_device"]), row["message"])
        for row in rows
    ]


async def acknowledge(database: Database, account: bytes, listed: ListedKey, ids: Sequence[bytes]) -> bool:
    """Delete messages. Return False if the device is not listed."""
    async with database.connection() as connection:
        deleted = await connection.fetchval(
            "SELECT letterlock.acknowledge_1($1, $2, $3, $4)",
            account,
            listed.device,
            accounts.keys_of(listed),
            list(ids),
        )
    return deleted is not None
