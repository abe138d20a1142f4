"""What whoever runs a relay asks of its PostgreSQL database.

Not here: what clients ask (accounts.py, prekeys.py, mail.py, places.py); migrations (schema.py). Backups are
PostgreSQL's own: `pg_dump --schema letterlock`, or a base backup with its log.
"""

from typing import Final

from letterlock.relay._postgresql.driver import Database, connect, errors_as_ours
from letterlock.relay._store import Counts, Expired

_AT_ONCE: Final = 500
"""Rows of each table that one call of `expire` deletes, so that no send waits long for it."""

_OLD_MAIL: Final = (
    "SELECT account, device, array_agg(id) AS ids FROM"
    ' (SELECT account, device, id FROM letterlock.mail WHERE "time" < $1 ORDER BY "time" LIMIT $2) oldest'
    " GROUP BY account, device"
)

_OLD_PLACES: Final = (
    "WITH ended AS (DELETE FROM letterlock.place WHERE place IN"
    " (SELECT place FROM letterlock.place WHERE until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)"
    " RETURNING place),"
    " parts AS (DELETE FROM letterlock.part WHERE place IN (SELECT place FROM ended))"
    " SELECT count(*) FROM ended"
)

_OLD_SPENT: Final = (
    "WITH ended AS (DELETE FROM letterlock.spent WHERE (account, value) IN"
    " (SELECT account, value FROM letterlock.spent WHERE until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)"
    " RETURNING 1) SELECT count(*) FROM ended"
)


_OLD_PARCELS: Final = (
    "SELECT shelf, array_agg(hash) AS hashes FROM"
    ' (SELECT shelf, hash FROM letterlock.parcel WHERE "time" < $1 ORDER BY "time" LIMIT $2) oldest'
    " GROUP BY shelf"
)


async def expire(database: Database, now: int, mail_before: int) -> Expired:
    """Delete a bounded number of rows whose time is over. Each mailbox, and each shelf, is a transaction."""
    async with database.connection() as connection:
        messages = 0
        for row in await connection.fetch(_OLD_MAIL, mail_before, _AT_ONCE):
            messages += await connection.fetchval(
                "SELECT coalesce(letterlock.acknowledge_1($1, $2, NULL, $3), 0)",
                row["account"],
                row["device"],
                row["ids"],
            )
        parcels = 0
        for row in await connection.fetch(_OLD_PARCELS, mail_before, _AT_ONCE):
            parcels += len(row["hashes"])
            await connection.execute(
                "SELECT letterlock.unshelve_2($1, $2, NULL)", row["shelf"], row["hashes"]
            )
        places = int(await connection.fetchval(_OLD_PLACES, now, _AT_ONCE))
        spent = int(await connection.fetchval(_OLD_SPENT, now, _AT_ONCE))
    other = places, spent, parcels
    return Expired(messages, sum(other), _AT_ONCE in {messages, *other})


_COUNTS: Final = """SELECT
    (SELECT count(*) FROM letterlock.account TABLESAMPLE SYSTEM ($1)) AS accounts,
    (SELECT coalesce(sum(stock), 0) FROM letterlock.prekeys TABLESAMPLE SYSTEM ($1)) AS bundles,
    count(*) AS devices, coalesce(sum(messages), 0) AS messages, coalesce(sum(bytes), 0) AS bytes
    FROM letterlock.device TABLESAMPLE SYSTEM ($1)"""

_SAMPLE: Final = 100_000
"""Devices that `counts` reads about. It reads all of a database that has no more."""


async def counts(database: Database) -> Counts:
    """Return how much there is: exactly in a small database, from a random part of a large one."""
    async with database.connection() as connection:
        devices = await connection.fetchval(
            "SELECT reltuples FROM pg_class WHERE oid = 'letterlock.device'::regclass"
        )
        percent = 100.0 * min(1.0, _SAMPLE / max(1.0, devices))
        row = await connection.fetchrow(_COUNTS, percent)
    if row is None:
        return Counts(0, 0, 0, 0, 0)
    names = ("accounts", "devices", "bundles", "messages", "bytes")
    return Counts(*(round(int(row[name]) * 100 / percent) for name in names))


_CONTRADICTIONS: Final = {
    "accounts whose newest list is not there": """SELECT count(*) FROM letterlock.account a WHERE NOT EXISTS
    (SELECT FROM letterlock.list l WHERE l.account = a.account AND l.version = a.version)""",
    "lists newer than their account's newest": """SELECT count(*) FROM letterlock.list l
    JOIN letterlock.account a USING (account) WHERE l.version > a.version""",
    "lists without an account": """SELECT count(*) FROM letterlock.list l
    WHERE NOT EXISTS (SELECT FROM letterlock.account a WHERE a.account = l.account)""",
    "devices without an account": """SELECT count(*) FROM letterlock.device d
    WHERE NOT EXISTS (SELECT FROM letterlock.account a WHERE a.account = d.account)""",
    "messages of devices that no list names": """SELECT count(*) FROM letterlock.mail m WHERE NOT EXISTS
    (SELECT FROM letterlock.device d WHERE d.account = m.account AND d.device = m.device)""",
    "prekeys of devices that no list names": """SELECT count(*) FROM letterlock.prekeys p WHERE NOT EXISTS
    (SELECT FROM letterlock.device d WHERE d.account = p.account AND d.device = p.device)""",
    "pages of prekeys without a count": """SELECT count(*) FROM letterlock.page p WHERE NOT EXISTS
    (SELECT FROM letterlock.prekeys k WHERE k.account = p.account AND k.device = p.device)""",
    "mailboxes with a wrong count of messages": """SELECT count(*) FROM letterlock.device d LEFT JOIN
    (SELECT account, device, count(*) AS n, sum(octet_length(message)) AS size FROM letterlock.mail
    GROUP BY account, device) m USING (account, device)
    WHERE d.messages <> coalesce(m.n, 0) OR d.bytes <> coalesce(m.size, 0)""",
    "messages numbered beyond their mailbox": """SELECT count(*) FROM letterlock.mail m
    JOIN letterlock.device d USING (account, device) WHERE m.number > d.number""",
    "devices whose newest page of prekeys is not there": """SELECT count(*) FROM letterlock.prekeys k
    WHERE NOT EXISTS (SELECT FROM letterlock.page p
    WHERE p.account = k.account AND p.device = k.device AND p.number = k.number)""",
    "indexes that were not finished": """SELECT count(*) FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'letterlock'::regnamespace AND NOT i.indisvalid""",
    "parcels on no shelf, or numbered beyond its newest": """SELECT count(*) FROM letterlock.parcel p
    WHERE NOT EXISTS (SELECT FROM letterlock.shelf s WHERE s.shelf = p.shelf AND s.number >= p.number)""",
    "shelves with a wrong count of parcels": """SELECT count(*) FROM letterlock.shelf s LEFT JOIN
    (SELECT shelf, count(*) AS n, sum(octet_length(parcel)) AS size FROM letterlock.parcel GROUP BY shelf) p
    USING (shelf) WHERE s.parcels <> coalesce(p.n, 0) OR s.bytes <> coalesce(p.size, 0)""",
    "wrong counts of what one user put on a shelf": """SELECT count(*) FROM letterlock.putter u
    FULL JOIN (SELECT shelf, putter, count(*) AS n, sum(octet_length(parcel)) AS size FROM letterlock.parcel
    GROUP BY shelf, putter) p USING (shelf, putter)
    WHERE (u.parcels, u.bytes) IS DISTINCT FROM (p.n, p.size::bigint)""",
    "logs whose newest entry is not there": """SELECT count(*) FROM letterlock.log l WHERE NOT EXISTS
    (SELECT FROM letterlock.entry e WHERE e.log = l.log AND e.number = l.number)""",
    "logs that lack entries, or have newer ones": """SELECT count(*) FROM letterlock.log l
    WHERE l.number <> (SELECT count(*) FROM letterlock.entry e WHERE e.log = l.log)""",
    "entries without a log": """SELECT count(*) FROM letterlock.entry e
    WHERE NOT EXISTS (SELECT FROM letterlock.log l WHERE l.log = e.log)""",
    "parts of places that nobody opened": """SELECT count(*) FROM letterlock.part p
    WHERE NOT EXISTS (SELECT FROM letterlock.place o WHERE o.place = p.place)""",
}
"""What must not be, and how many there are of it."""


async def check(database: Database) -> list[str]:
    """Return what contradicts itself, each as a sentence without identities. It may take hours."""
    found = list[str]()
    connection = await connect(database.url)
    try:
        async with errors_as_ours(), connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await connection.execute("SET LOCAL statement_timeout = 0")
            for what, question in _CONTRADICTIONS.items():
                count = await connection.fetchval(question)
                if count:
                    found.append(f"{count} {what}")
    finally:
        await connection.close(timeout=1.0)
    return found
