"""Tables of PostgreSQL become those of a later release, while relays work and after a crash."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest

from letterlock.errors import StoreError, UnsupportedStore
from letterlock.relay import PostgresqlRelayStore, open_store
from letterlock.relay._postgresql import schema
from support.relay_databases import Database
from support.relay_killing import Nursery
from support.relay_ledger import Ledger
from support.relay_rows import Person, letter, page, sent

BASE = schema.MIGRATIONS
INDEX = "mail_by_sender"
STEP = (
    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {INDEX} ON letterlock.mail (sender)",
    "ALTER TABLE letterlock.account ADD COLUMN note text",
)
UNIQUE = (f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {INDEX} ON letterlock.mail (sender)",)

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def later(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A release that has one more step. Afterwards the database has no tables."""
    asyncio.run(opened_once(url))
    monkeypatch.setattr(schema, "MIGRATIONS", (*BASE, STEP))
    yield
    asyncio.run(without_tables(url))


async def opened_once(url: str) -> None:
    await (await open_store(url).open()).close()


async def without_tables(url: str) -> None:
    async with connected(url) as other:
        await other.execute("DROP SCHEMA letterlock CASCADE")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    other = await asyncpg.connect(url)
    try:
        yield other
    finally:
        await other.close(timeout=5)


async def is_valid(other: Any) -> bool | None:
    """Return whether the index is valid, or None if there is none."""
    found: bool | None = await other.fetchval(
        "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = $1",
        INDEX,
    )
    return found


async def version(other: Any) -> int:
    return int(await other.fetchval("SELECT version FROM letterlock.release"))


async def until_it_waits(other: Any, event: str) -> None:
    """Wait until a migration waits for something."""
    while not await other.fetchval(  # noqa: ASYNC110 (nothing tells)
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE%INDEX%' AND wait_event = $1", event
    ):
        await asyncio.sleep(0.01)


@asynccontextmanager
async def old_transaction(url: str, *, writes: bool = False) -> AsyncIterator[None]:
    """Have a snapshot for as long as the block runs, as a copy of the database does, or write to a table."""
    async with connected(url) as other:
        transaction = other.transaction(isolation="repeatable_read")
        await transaction.start()
        await other.fetchval("SELECT count(*) FROM letterlock.mail")
        if writes:
            await other.execute("DELETE FROM letterlock.mail")
        yield
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):  # it was killed
            await transaction.rollback()


@pytest.mark.slow
def test_relays_work_while_an_index_is_made(database: Database, url: str, later: None) -> None:
    async def prepared() -> Person:
        store = await open_store(url).open()
        person = await Person.registered(store, 1, 2)
        await store.publish(person.key, person.listed(1), page(1, 40), 100)
        await store.close()
        return person

    async def migrated() -> None:
        assert await PostgresqlRelayStore(url).migrate() == 1
        async with connected(url) as other:
            assert (await is_valid(other), await version(other)) == (True, len(BASE) + 1)

    async def required() -> None:
        store = await open_store(url).open()
        await ledger.require(store, person)
        await store.close()

    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(schema, "MIGRATIONS", BASE)
        person, ledger = asyncio.run(prepared()), Ledger()
    with Nursery(url, person, ledger) as nursery:
        one, two = (nursery.start("burst", ledger.now) for _ in range(2))
        nursery.read(100)
        asyncio.run(migrated())
        nursery.read(100)
        nursery.kill(one)
        nursery.kill(two)
    asyncio.run(required())
    assert ledger.sent


async def test_an_index_waits_as_long_as_a_copy_takes(
    url: str, later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for transactions that are older than it, and blocks nobody meanwhile."""
    monkeypatch.setattr(schema, "LOCK_SECONDS", 0.1, raising=False)
    async with connected(url) as other:
        async with old_transaction(url):
            migration = asyncio.ensure_future(schema.migrate(url))
            await until_it_waits(other, "virtualxid")
            await asyncio.sleep(0.5)
            assert not migration.done()
            with pytest.MonkeyPatch.context() as earlier:
                earlier.setattr(schema, "MIGRATIONS", BASE)
                store = await open_store(url).open()
            await sent(store, await Person.registered(store), letter(1))
            await store.close()
        assert await migration == 1
        assert await is_valid(other) is True


async def test_two_that_migrate_do_not_wait_for_each_other(url: str, later: None) -> None:
    """Whoever waits for a lock has a snapshot, and making an index waits for all snapshots."""
    async with connected(url) as other:
        async with old_transaction(url, writes=True):  # the snapshots that count are taken after this ended
            first = asyncio.ensure_future(schema.migrate(url))
            await until_it_waits(other, "virtualxid")
            second = asyncio.ensure_future(schema.migrate(url))
            await asyncio.sleep(0.5)
        assert (await first, await second) == (1, 0)
        assert (await is_valid(other), await version(other)) == (True, len(BASE) + 1)


@pytest.mark.parametrize("how", ["backend", "client", "server"])
async def test_an_index_that_was_left_half_made_is_made_anew(
    database: Database, url: str, later: None, how: str
) -> None:
    other = await asyncpg.connect(url)
    async with old_transaction(url):
        migration = asyncio.ensure_future(schema.migrate(url))
        await until_it_waits(other, "virtualxid")
        assert await is_valid(other) is False
        if how == "backend":
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE%INDEX%'"
            )
            with pytest.raises(StoreError):
                await migration
        elif how == "client":
            migration.cancel()
            await asyncio.wait({migration})
        else:
            await asyncio.to_thread(database.kill)
            with pytest.raises(StoreError):
                await migration
            other = await asyncpg.connect(url)
        assert await is_valid(other) is False
        assert await version(other) == len(BASE)
        with pytest.raises(UnsupportedStore):
            await open_store(url).open()
    assert await schema.migrate(url) == 1
    assert (await is_valid(other), await version(other)) == (True, len(BASE) + 1)
    assert await schema.migrate(url) == 0
    await other.close()


async def test_an_index_that_was_made_before_its_step_was_noted_is_kept(url: str, later: None) -> None:
    """The one who migrated died between the two."""
    async with connected(url) as other:
        await other.execute(STEP[0])
        made = await other.fetchval("SELECT oid FROM pg_class WHERE relname = $1", INDEX)
        assert await schema.migrate(url) == 1
        assert await other.fetchval("SELECT oid FROM pg_class WHERE relname = $1", INDEX) == made


async def test_an_index_that_cannot_be_made_leaves_the_version(
    url: str, later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(schema, "MIGRATIONS", BASE)
        store = await open_store(url).open()
    person = await Person.registered(store)
    await sent(store, person, letter(1))
    await sent(store, person, letter(1))
    monkeypatch.setattr(schema, "MIGRATIONS", (*BASE, UNIQUE))
    async with connected(url) as other:
        for _ in range(2):
            with pytest.raises(StoreError):
                await schema.migrate(url)
            assert await version(other) == len(BASE)
        assert any("index" in each for each in await store.check())
        monkeypatch.setattr(schema, "MIGRATIONS", (*BASE, STEP))
        assert await schema.migrate(url) == 1
        assert await is_valid(other) is True
    assert await store.check() == []
    await store.close()
