"""Meeting places, values that were spent, and the relay's own secrets, in PostgreSQL.

Not here: what travels through a place; ending what is over (operations.py).
"""

from letterlock.relay._postgresql.accounts import keys_of
from letterlock.relay._postgresql.driver import Database
from letterlock.relay._store import ListedKey, Opened


async def secret(database: Database, name: str, candidate: bytes) -> bytes:
    """Return the secret of a name; `candidate` becomes it if there is none yet."""
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO letterlock.secret VALUES ($1, $2) ON CONFLICT DO NOTHING", name, candidate
        )
        return bytes(await connection.fetchval("SELECT value FROM letterlock.secret WHERE name = $1", name))


async def spend(database: Database, account: bytes, value: bytes, until: int) -> bool:
    """Return whether a value was never spent before."""
    async with database.connection() as connection:
        new = await connection.fetchval(
            "INSERT INTO letterlock.spent VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true",
            account,
            value,
            until,
        )
    return new is not None


async def open_place(
    database: Database, place: bytes, account: bytes, listed: ListedKey, until: int
) -> Opened:
    """Open a place. One that this account opened before stays as it is, and ends when it would have."""
    async with database.connection() as connection:
        # The lock keeps a list from leaving the device out before its place is there.
        owner = await connection.fetchval(
            "WITH its AS (SELECT account FROM letterlock.device"
            " WHERE account = $2 AND device = $4 AND keys = $5 FOR KEY SHARE)"
            " INSERT INTO letterlock.place SELECT $1, account, $3 FROM its"
            " ON CONFLICT (place) DO UPDATE SET place = excluded.place RETURNING account",
            place,
            account,
            until,
            listed.device,
            keys_of(listed),
        )
    if owner is None:
        return Opened.UNLISTED
    return Opened.OPEN if owner == account else Opened.TAKEN


async def place_owner(database: Database, place: bytes, now: int) -> bytes | None:
    """Return the account that opened a place, or None if it is not open."""
    async with database.connection() as connection:
        owner = await connection.fetchval(
            "SELECT account FROM letterlock.place WHERE place = $1 AND until > $2", place, now
        )
    return None if owner is None else bytes(owner)


async def put(database: Database, key: tuple[bytes, int, int], parts: int, data: bytes, now: int) -> bool:
    """Store a part of a step unless there is one. `key` is place, step and part."""
    async with database.connection() as connection:
        # The lock keeps `expire` from deleting the place before its part is there.
        opened = await connection.fetchval(
            "WITH its AS (SELECT place FROM letterlock.place WHERE place = $1 AND until > $6 FOR KEY SHARE),"
            " new AS (INSERT INTO letterlock.part SELECT place, $2, $3, $4, $5 FROM its"
            " ON CONFLICT DO NOTHING)"
            " SELECT count(*) FROM its",
            *key,
            parts,
            data,
            now,
        )
    return bool(opened)


async def get(database: Database, key: tuple[bytes, int, int], now: int) -> tuple[int, bytes] | None:
    """Return how many parts a step has, and one of them; None if it is not there."""
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT p.parts, p.data FROM letterlock.part p JOIN letterlock.place USING (place)"
            " WHERE p.place = $1 AND p.step = $2 AND p.part = $3 AND until > $4",
            *key,
            now,
        )
    return None if row is None else (int(row["parts"]), bytes(row["data"]))
