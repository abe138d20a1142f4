"""What only PostgreSQL can get wrong: calls beside a transaction that is not committed, and old tables."""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg
import pytest

from letterlock.errors import UnsupportedStore
from letterlock.relay import LogHead, RelayStore, open_store
from letterlock.relay._head_record import encode_head
from letterlock.relay._postgresql import schema
from support.relay_rows import Person, letter, next_head, parcel, send, sent, waiting

T = TypeVar("T")

THIS = len(schema.MIGRATIONS)

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


async def after_commit(other: Any, work: Coroutine[Any, Any, T]) -> T:
    """Begin something that has to wait for a transaction of `other`; commit when it waits or has ended."""
    task = asyncio.ensure_future(work)
    while not task.done():
        if await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            break
        await asyncio.sleep(0.01)
    await other.execute("COMMIT")
    return await task


async def test_a_send_waits_for_a_new_list_and_is_refused(store: RelayStore, url: str) -> None:
    person = await Person.registered(store)
    newest = next_head(person.head, new=[2])
    other = await asyncpg.connect(url)
    await other.execute("BEGIN")
    await other.execute(
        "UPDATE letterlock.account SET version = $2, hash = $3, head = $4 WHERE account = $1",
        person.key,
        newest.version,
        newest.hash,
        encode_head(newest),
    )
    await other.execute("INSERT INTO letterlock.list VALUES ($1, $2, 'two')", person.key, newest.version)
    await other.execute(
        "INSERT INTO letterlock.device (account, device, keys) VALUES ($1, 2, '')", person.key
    )
    delivered = await after_commit(other, store.deliver(person.key, send(person.head, letter(1))))
    assert delivered.head == newest
    assert await waiting(store, person) == []
    await other.close()


async def test_a_message_waits_for_the_one_with_the_number_before_it(store: RelayStore, url: str) -> None:
    """Otherwise whoever reads meanwhile would see the later one alone."""
    person = await Person.registered(store)
    other = await asyncpg.connect(url)
    first, second = letter(1), letter(1)
    await other.execute("BEGIN")
    await other.fetchrow(
        "SELECT * FROM letterlock.deliver_1($1, $2, $3, '{1}', $4, '{0}', '{alice}', '{7}', $5, 9, 99)",
        person.key,
        person.head.version,
        person.head.hash[:8],
        [first.id],
        [first.message],
    )
    await after_commit(other, sent(store, person, second))
    assert [mail.id for mail in await waiting(store, person)] == [first.id, second.id]
    await other.close()


async def test_a_parcel_waits_for_the_one_with_the_number_before_it(store: RelayStore, url: str) -> None:
    other = await asyncpg.connect(url)
    shelf = os.urandom(16)
    first, second = parcel(shelf), parcel(shelf)
    await other.execute("BEGIN")
    await other.fetch(
        "SELECT letterlock.shelve_2($1, $2, $3, $4, '{9}', '{999}', '{9}', '{999}')",
        [shelf],
        [first.hash],
        [first.putter],
        [first.parcel],
    )
    await after_commit(other, store.shelve([second]))
    page = await store.shelf(shelf, 0, 9, 999)
    assert page.parcels == ((1, first.parcel), (2, second.parcel))
    await other.close()


async def test_an_entry_waits_for_another_one_and_loses(store: RelayStore, url: str) -> None:
    other = await asyncpg.connect(url)
    for before in (None, LogHead(1, b"h" * 32, b"s")):
        log, number = os.urandom(16), 1 if before is None else 2
        if before is not None:
            assert await store.log_append(log, None, b"entry", before)
        await other.execute("BEGIN")
        await other.execute(
            "INSERT INTO letterlock.log VALUES ($1, $2, $3, $3) ON CONFLICT (log) DO"
            " UPDATE SET number = excluded.number, hash = excluded.hash",
            log,
            number,
            b"other",
        )
        await other.execute("INSERT INTO letterlock.entry VALUES ($1, $2, $3)", log, number, b"other")
        lost = store.log_append(log, before, b"late", LogHead(number, b"l" * 32, b"s"))
        assert await after_commit(other, lost) is False
        assert await store.log_entries(log, number - 1, 9, 999) == [b"other"]
    await other.close()


@pytest.mark.parametrize("version", [THIS - 1, THIS + 1, THIS + 2])
async def test_tables_of_another_release_are_refused(store: RelayStore, url: str, version: int) -> None:
    other = await asyncpg.connect(url)
    await other.execute("UPDATE letterlock.release SET version = $1", version)
    try:
        with pytest.raises(UnsupportedStore):
            await open_store(url).open()
    finally:
        await other.execute("UPDATE letterlock.release SET version = $1", THIS)
        await other.close()
    assert await store.head(bytes(16)) is None
