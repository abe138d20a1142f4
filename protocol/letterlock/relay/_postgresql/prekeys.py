"""Prekeys in PostgreSQL: pages of bundles, and a record for each device that says which are claimed.

    claim    read the records -> `ClaimState.take` -> write them if they are still as they were read

A second try locks the records first, so that no number of claimers can make one of them try for ever. A
bundle is cut out of its page in the database.

Not here: which bundle a claim gets, and when it gets none (relay/_claims.py).
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from letterlock.relay._claims import ClaimState
from letterlock.relay._postgresql.accounts import keys_of
from letterlock.relay._postgresql.driver import Connection, Database, is_changed_meanwhile, transaction_on
from letterlock.relay._store import ListedKey, Page, Published, Stock

_RECORDS = (
    "SELECT device, state FROM letterlock.prekeys WHERE account = $1 AND device = ANY ($2) ORDER BY device"
)
_LAST_RESORT = -1


class Asked(NamedTuple):
    """A claim's id, who claims, and when."""

    claim: bytes
    requester: bytes
    now: int


class _Change(NamedTuple):
    """What becomes of a device's record, and which bundle of which page is handed out."""

    device: int
    before: bytes
    after: bytes
    stock: int
    page: int
    place: int


async def publish(database: Database, account: bytes, listed: ListedKey, page: Page, most: int) -> Published:
    """Store a page, unless the newest list has another device under this number, or none."""
    device = listed.device
    async with database.transaction() as connection:
        # A list that leaves the device out waits for this lock.
        locked = await connection.fetchval(
            "SELECT true FROM letterlock.device WHERE account = $1 AND device = $2 AND keys = $3"
            " FOR NO KEY UPDATE",
            account,
            device,
            keys_of(listed),
        )
        if locked is None:
            return Published.UNLISTED
        record = await connection.fetchval(
            "SELECT state FROM letterlock.prekeys WHERE account = $1 AND device = $2 FOR UPDATE",
            account,
            device,
        )
        before = ClaimState() if record is None else ClaimState.decode(record)
        after, published, count = before.publish(page, most)
        if published is Published.STORED:
            await _store(connection, (account, device), page, page.bundles[:count], after)
    return published


async def _store(
    connection: Connection, of: tuple[bytes, int], page: Page, bundles: Sequence[bytes], after: ClaimState
) -> None:
    """Store a page and the record, and delete pages from which nothing can be claimed any more."""
    await connection.execute(
        "INSERT INTO letterlock.page VALUES ($1, $2, $3, $4, $5, $6)",
        *of,
        page.number,
        page.last_resort,
        list(accumulate(map(len, bundles))),
        b"".join(bundles),
    )
    await connection.execute(
        "INSERT INTO letterlock.prekeys VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account, device)"
        " DO UPDATE SET number = excluded.number, stock = excluded.stock, state = excluded.state",
        *of,
        page.number,
        after.stock,
        after.encode(),
    )
    await connection.execute(
        "DELETE FROM letterlock.page WHERE account = $1 AND device = $2 AND number <> ALL ($3)",
        *of,
        list(after.page_numbers | {page.number}),
    )


async def claim(
    database: Database, account: bytes, devices: Sequence[int], asked: Asked
) -> list[bytes | None]:
    """Return a bundle for each device, or None for one that published nothing or is not listed."""
    async with database.connection() as connection:
        try:
            found = await _claim(connection, account, devices, asked, lock="")
        except Exception as error:
            if not is_changed_meanwhile(error):
                raise
            async with transaction_on(connection):
                found = await _claim(connection, account, devices, asked, lock=" FOR UPDATE")
    return [found.get(device) for device in devices]


async def _claim(
    connection: Connection, account: bytes, devices: Sequence[int], asked: Asked, *, lock: str
) -> dict[int, bytes]:
    rows = await connection.fetch(_RECORDS + lock, account, list(devices))
    changes = [change for row in rows if (change := _change(row["device"], row["state"], asked)) is not None]
    if not changes:
        return {}
    columns = [list(column) for column in zip(*changes, strict=True)]
    taken = await connection.fetch(
        "SELECT device, bundle FROM letterlock.claim_1($1, $2, $3, $4, $5, $6, $7)", account, *columns
    )
    return {row["device"]: row["bundle"] for row in taken if row["bundle"] is not None}


def _change(device: int, record: bytes, asked: Asked) -> _Change | None:
    state, choice = ClaimState.decode(record).take(asked.claim, asked.requester, asked.now)
    if choice is None:
        return None
    place = _LAST_RESORT if choice.bundle is None else choice.bundle
    return _Change(device, record, state.encode(), state.stock, choice.page, place)


async def stock(database: Database, account: bytes, device: int) -> Stock:
    """Return what is there for a device; nothing for one that no list names."""
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT coalesce(p.number, 0) AS newest, coalesce(p.stock, 0) AS stock, d.messages, d.bytes"
            " FROM letterlock.device d LEFT JOIN letterlock.prekeys p USING (account, device)"
            " WHERE account = $1 AND device = $2",
            account,
            device,
        )
    return (
        Stock(0, 0, 0, 0)
        if row is None
        else Stock(row["newest"], row["stock"], row["messages"], row["bytes"])
    )
