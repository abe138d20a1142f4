"""Texts of groups in each kind of database: numbered, stored once, after the newest entry of a log alone."""

import asyncio
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from letterlock.errors import UnsupportedStore
from letterlock.relay import (
    LogHead,
    Posted,
    PostgresqlRelayStore,
    Put,
    RelayStore,
    ShelfPage,
    SqliteRelayStore,
    open_store,
)
from letterlock.relay._postgresql import schema as postgresql
from letterlock.relay._sqlite import schema as sqlite
from letterlock.relay._watchers import SHELF
from support.relay_rows import NOW, parcel, texts_of


def named() -> tuple[bytes, bytes]:
    """Return the keys of a log and of its texts, which a database keeps together."""
    log = os.urandom(16)
    return log, texts_of(log)


async def begun(store: RelayStore, log: bytes) -> LogHead:
    head = LogHead(1, os.urandom(32), os.urandom(50))
    assert await store.log_append(log, None, os.urandom(100), head)
    return head


async def gone_on(store: RelayStore, log: bytes, before: LogHead) -> LogHead:
    head = LogHead(before.number + 1, os.urandom(32), os.urandom(50))
    assert await store.log_append(log, before, os.urandom(100), head)
    return head


def text(stream: bytes, time: int = NOW, **made: object) -> Put:
    return replace(parcel(stream, **made), time=time)  # type: ignore[arg-type]


async def posted(store: RelayStore, stream: bytes, after: int = 0) -> list[tuple[int, bytes]]:
    return list((await store.shelf(stream, after, 100, 10**6)).parcels)


async def test_texts_are_numbered_in_the_order_in_which_they_came(store: RelayStore) -> None:
    (log, stream), (other_log, other) = named(), named()
    head, other_head = await begun(store, log), await begun(store, other_log)
    texts = [text(stream) for _ in range(5)]
    for number, each in enumerate(texts, 1):
        assert await store.post(each, log, head) == Posted(number)
    assert await store.post(text(other), other_log, other_head) == Posted(1)
    assert await posted(store, stream) == [(at, each.parcel) for at, each in enumerate(texts, 1)]
    assert await posted(store, stream, 3) == [(at, texts[at - 1].parcel) for at in (4, 5)]
    assert await store.shelf(stream, 5, 9, 99) == ShelfPage(5, ())


async def test_a_text_that_is_repeated_keeps_its_number(store: RelayStore) -> None:
    """Also after the log went on, and from somebody who has no room any more."""
    log, stream = named()
    head = await begun(store, log)
    one, two = text(stream), text(stream)
    for number, each in ((1, one), (2, two), (1, one)):
        assert await store.post(each, log, head) == Posted(number)
    await gone_on(store, log, head)
    assert await store.post(one, log, head) == Posted(1)
    assert await store.post(replace(one, most_parcels=0, time=NOW + 9), log, head) == Posted(1)
    assert await posted(store, stream) == [(1, one.parcel), (2, two.parcel)]


async def test_a_text_after_another_entry_than_the_newest_is_not_stored(store: RelayStore) -> None:
    log, stream = named()
    first = await begun(store, log)
    assert await store.post(text(stream), log, first) == Posted(1)
    newest = await gone_on(store, log, first)
    wrong = (
        first,
        replace(newest, number=1),
        replace(newest, number=3),
        replace(newest, hash=os.urandom(32)),
        replace(newest, hash=first.hash),
    )
    for before in wrong:
        assert await store.post(text(stream), log, before) == Posted()
    assert await store.post(text(stream), log[:8] + os.urandom(8), newest) == Posted()
    assert await store.post(text(stream), log, newest) == Posted(2)
    assert [number for number, _ in await posted(store, stream)] == [1, 2]


async def test_without_a_log_there_are_no_texts(store: RelayStore) -> None:
    log, stream = named()
    head = LogHead(1, os.urandom(32), b"state")
    assert await store.post(text(stream), log, head) == Posted()
    assert await store.shelf(stream, 0, 9, 99) == ShelfPage(0, ())


async def test_whether_a_text_is_there(store: RelayStore) -> None:
    log, stream = named()
    head, each = await begun(store, log), text(stream)
    assert await store.shelved(stream, each.hash) is None
    await store.post(text(stream), log, head)
    await store.post(each, log, head)
    assert await store.shelved(stream, each.hash) == 2
    assert await store.shelved(named()[1], each.hash) is None


async def test_a_stream_without_room_refuses_the_newest(store: RelayStore) -> None:
    log, stream = named()
    head = await begun(store, log)
    one, two = os.urandom(16), os.urandom(16)
    full = Posted(None, is_full=True)
    assert await store.post(text(stream, putter=one), log, head) == Posted(1)
    for room in (
        {"most_parcels": 1},
        {"most_bytes": 79},
        {"putter_parcels": 1},
        {"putter_bytes": 79},
    ):
        assert await store.post(text(stream, putter=one, **room), log, head) == full
    its_own = {"putter_parcels": 1, "putter_bytes": 40}
    assert await store.post(text(stream, putter=two, **its_own), log, head) == Posted(2)
    assert len(await posted(store, stream)) == 2


async def test_of_sixteen_who_post_at_once_each_gets_a_number(store: RelayStore) -> None:
    log, stream = named()
    head = await begun(store, log)
    texts = [text(stream, putter=os.urandom(16)) for _ in range(16)]
    found = await asyncio.gather(*(store.post(each, log, head) for each in texts))
    assert sorted(each.number or 0 for each in found) == list(range(1, 17))
    there = dict(await posted(store, stream))
    assert [there[each.number or 0] for each in found] == [each.parcel for each in texts]


async def test_one_text_that_is_posted_many_times_at_once_is_there_once(store: RelayStore) -> None:
    log, stream = named()
    head, each = await begun(store, log), text(stream)
    assert set(await asyncio.gather(*(store.post(each, log, head) for _ in range(8)))) == {Posted(1)}
    assert await posted(store, stream) == [(1, each.parcel)]


@pytest.mark.parametrize("_", range(4))
async def test_nothing_is_posted_after_an_entry_that_was_followed(store: RelayStore, _: int) -> None:
    """Texts and an entry race: whoever has read the entry reads all texts that were sent before it."""
    log, stream = named()
    head = await begun(store, log)

    async def newest_after_entry() -> int:
        await gone_on(store, log, head)
        return (await store.shelf(stream, 2**31, 1, 1)).newest

    entry = asyncio.ensure_future(newest_after_entry())
    found = await asyncio.gather(*(store.post(text(stream), log, head) for _ in range(8)))
    numbers = [each.number for each in found if each.number is not None]
    assert await entry == len(numbers)
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


async def test_texts_end_and_parcels_do_not(store: RelayStore) -> None:
    (log, stream), shelf = named(), os.urandom(16)
    head, kept = await begun(store, log), parcel(shelf)
    await store.shelve([kept])
    old = [text(stream, NOW - each) for each in (100, 1)]
    new = [text(stream, NOW + each) for each in (0, 100)]
    for each in (*old, *new):
        assert (await store.post(each, log, head)).number
    assert (await store.expire(NOW, NOW)).other == 2
    assert await posted(store, stream) == [(at, each.parcel) for at, each in enumerate(new, 3)]
    assert await posted(store, shelf) == [(1, kept.parcel)]
    assert await store.post(old[0], log, head) == Posted(5)
    room = {"most_parcels": 4, "most_bytes": 160, "putter_parcels": 4, "putter_bytes": 160}
    assert await store.post(text(stream, **room), log, head) == Posted(6)
    assert (await store.post(text(stream, **room), log, head)).is_full


async def test_numbers_go_on_when_all_texts_have_ended(store: RelayStore) -> None:
    log, stream = named()
    head = await begun(store, log)
    for _ in range(3):
        await store.post(text(stream, NOW - 1), log, head)
    assert (await store.expire(NOW, NOW)).other == 3
    assert await store.shelf(stream, 0, 9, 99) == ShelfPage(3, ())
    assert await store.post(text(stream), log, head) == Posted(4)
    assert (await store.expire(NOW, NOW)).other == 0


async def test_one_text_of_a_time_to_come_keeps_no_other(store: RelayStore) -> None:
    log, stream = named()
    head = await begun(store, log)
    texts = [text(stream, NOW + 10**6), text(stream, NOW), text(stream, NOW)]
    for each in texts:
        await store.post(each, log, head)
    while (await store.expire(NOW + 1, NOW + 1)).more:
        pass
    assert await posted(store, stream) == [(1, texts[0].parcel)]


async def test_whoever_watches_a_stream_is_woken(store: RelayStore) -> None:
    log, stream = named()
    head = await begun(store, log)
    async with store.watch(stream, SHELF) as watch:
        await store.post(text(stream), log, head)
        assert await watch.wait(10)


# --- databases of before groups -------------------------------------------------------------------------


def migrating(url: str) -> SqliteRelayStore | PostgresqlRelayStore:
    store = open_store(url)
    assert isinstance(store, SqliteRelayStore | PostgresqlRelayStore)
    return store


async def shelved_before(url: str, put: Put, number: int) -> None:
    """Store a parcel by the statements of a release that knew of no groups."""
    shelf = (put.shelf, number, number, 40 * number)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
            file.execute("REPLACE INTO shelf (shelf, number, parcels, bytes) VALUES (?, ?, ?, ?)", shelf)
            file.execute("REPLACE INTO putter VALUES (?, ?, ?, ?)", (put.shelf, put.putter, *shelf[2:]))
            file.execute(
                "INSERT INTO parcel (shelf, number, hash, putter, size, parcel) VALUES (?, ?, ?, ?, ?, ?)",
                (put.shelf, number, put.hash, put.putter, len(put.parcel), put.parcel),
            )
        return
    other: Any = await asyncpg.connect(url)
    lists = [[each] for each in (put.shelf, put.hash, put.putter, put.parcel, 9, 10**6, 9, 10**6)]
    await other.fetch("SELECT * FROM letterlock.shelve_2($1, $2, $3, $4, $5, $6, $7, $8)", *lists)
    await other.close()


async def emptied(url: str) -> None:
    """Leave no tables in a database that all tests share."""
    if url.startswith("postgresql"):
        other: Any = await asyncpg.connect(url)
        await other.execute("DROP SCHEMA IF EXISTS letterlock CASCADE")
        await other.close()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
async def test_an_older_database_gets_texts_and_keeps_its_parcels(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay of the release before goes on with it meanwhile."""
    shelf, (log, stream) = os.urandom(16), named()
    parcels = [parcel(shelf), parcel(shelf)]
    await emptied(url)
    with monkeypatch.context() as earlier:
        for module in (sqlite, postgresql):
            earlier.setattr(module, "MIGRATIONS", module.MIGRATIONS[:2])
        old = await migrating(url).open()
    head = await begun(old, log)
    await shelved_before(url, parcels[0], 1)
    new = migrating(url)
    with pytest.raises(UnsupportedStore, match="relay migrate"):
        await new.open()
    assert await new.migrate() >= 1
    assert await new.migrate() == 0
    await new.open()
    await shelved_before(url, parcels[1], 2)
    assert await new.post(text(stream, NOW - 1), log, head) == Posted(1)
    assert (await new.expire(NOW, NOW)).other == 1
    assert await posted(new, shelf) == [(at, each.parcel) for at, each in enumerate(parcels, 1)]
    assert await new.check() == []
    await old.close()
    await new.close()
    await emptied(url)
