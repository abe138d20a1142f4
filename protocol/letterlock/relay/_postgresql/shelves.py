"""Shelves and their parcels in PostgreSQL.

Not here: the steps under locks (shelf_functions.py); whose shelf it is (relay/_shelves.py).
"""

from collections.abc import Sequence

from letterlock.relay._postgresql.driver import Connection, Database
from letterlock.relay._store import LogHead, Posted, Put, ShelfPage


async def shelve(database: Database, puts: Sequence[Put]) -> list[bool]:
    """Store each parcel that is not there and has room. Return for each whether it is there."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT is_there FROM letterlock.shelve_2($1, $2, $3, $4, $5, $6, $7, $8)"
            " WITH ORDINALITY AS found (is_there, at) ORDER BY at",
            [each.shelf for each in puts],
            [each.hash for each in puts],
            [each.putter for each in puts],
            [each.parcel for each in puts],
            [each.most_parcels for each in puts],
            [each.most_bytes for each in puts],
            [each.putter_parcels for each in puts],
            [each.putter_bytes for each in puts],
        )
    return [bool(row["is_there"]) for row in rows]


async def shelved(database: Database, shelf: bytes, hash_: bytes) -> int | None:
    """Return the number of a parcel, or None if it is not there."""
    async with database.connection() as connection:
        number = await connection.fetchval(
            "SELECT number FROM letterlock.parcel WHERE shelf = $1 AND hash = $2", shelf, hash_
        )
    return None if number is None else int(number)


async def post(database: Database, put: Put, log: bytes, before: LogHead) -> Posted:
    """Store a parcel, unless it is there, if the newest entry of a log is this one."""
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT number, is_full FROM"
            " letterlock.post_3($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            log,
            before.number,
            before.hash,
            put.shelf,
            put.hash,
            put.putter,
            put.parcel,
            put.most_parcels,
            put.most_bytes,
            put.putter_parcels,
            put.putter_bytes,
            put.time,
        )
    return Posted() if row is None else Posted(row["number"], bool(row["is_full"]))


async def shelf(database: Database, shelf: bytes, after: int, most: int, most_bytes: int) -> ShelfPage:
    """Return parcels after a number: at most so many and so many bytes, but one if there is one."""
    async with database.connection() as connection:
        newest = await connection.fetchval("SELECT number FROM letterlock.shelf WHERE shelf = $1", shelf)
        if newest is None:
            return ShelfPage(0, ())
        # Only up to that number: what is stored meanwhile comes with the next page.
        rows = await connection.fetch(
            "SELECT number, parcel FROM (SELECT *, row_number() OVER (ORDER BY number) AS place,"
            " sum(octet_length(parcel)) OVER (ORDER BY number) AS size FROM"
            " (SELECT number, parcel FROM letterlock.parcel WHERE shelf = $1 AND number > $2 AND number <= $3"
            " ORDER BY number LIMIT $4) first) counted WHERE size <= $5 OR place = 1 ORDER BY number",
            shelf,
            after,
            newest,
            most,
            most_bytes,
        )
    return ShelfPage(int(newest), tuple((int(row["number"]), bytes(row["parcel"])) for row in rows))


async def unshelve(database: Database, shelf: bytes, hashes: Sequence[bytes], putter: bytes | None) -> None:
    """Delete parcels that a user put there, or those of anybody for None."""
    async with database.connection() as connection:
        await connection.execute("SELECT letterlock.unshelve_2($1, $2, $3)", shelf, list(hashes), putter)


async def clear(connection: Connection, shelf: bytes) -> None:
    """Delete a shelf with all that is on it, inside a transaction. Its row is locked first."""
    await connection.execute("SELECT FROM letterlock.shelf WHERE shelf = $1 FOR UPDATE", shelf)
    for table in ("parcel", "putter", "shelf"):
        await connection.execute(
            f"DELETE FROM letterlock.{table} WHERE shelf = $1",  # noqa: S608 - ours
            shelf,
        )
