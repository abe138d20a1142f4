"""Shelves in each kind of database: parcels, their numbers, bounds, and who may take them away."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from letterlock._wire.relay_shelf import ShelfName
from letterlock.relay import LogHead, Put, RelayStore, open_store
from letterlock.relay._jetstream.connection import Stored
from letterlock.relay._jetstream.shared import Shared
from letterlock.relay._jetstream.store import JetStreamRelayStore
from letterlock.relay._sqlite import watching
from support.relay_rows import Person, first_head, parcel


async def there(store: RelayStore, shelf: bytes, after: int = 0) -> dict[int, bytes]:
    """Return all parcels after a number, read two at a time."""
    found: dict[int, bytes] = {}
    while True:
        page = await store.shelf(shelf, max(found, default=after), 2, 10**9)
        if not page.parcels:
            return found
        found |= dict(page.parcels)


async def shelved(store: RelayStore, *puts: Put) -> None:
    assert await store.shelve(puts) == [True] * len(puts)


async def test_parcels_are_numbered_on_each_shelf_in_their_order(store: RelayStore) -> None:
    one, other = os.urandom(16), os.urandom(16)
    puts = [parcel(one), parcel(other), parcel(one), parcel(one)]
    await shelved(store, *puts)
    assert await there(store, one) == {1: puts[0].parcel, 2: puts[2].parcel, 3: puts[3].parcel}
    assert await there(store, other) == {1: puts[1].parcel}
    assert await there(store, one, 1) == {2: puts[2].parcel, 3: puts[3].parcel}
    assert (await store.shelf(one, 3, 10, 10**9)).newest == 3
    assert (await store.shelf(os.urandom(16), 0, 10, 10**9)).newest == 0


async def test_the_same_parcel_again_changes_nothing(store: RelayStore) -> None:
    shelf = os.urandom(16)
    put = parcel(shelf)
    await shelved(store, put, put)
    await shelved(store, put)
    await shelved(store, parcel(shelf, os.urandom(16), put.parcel))
    assert await there(store, shelf) == {1: put.parcel}
    other = parcel(os.urandom(16), text=put.parcel)
    await shelved(store, other)
    assert await there(store, other.shelf) == {1: put.parcel}


async def test_a_page_has_at_most_so_many_bytes_but_one_parcel(store: RelayStore) -> None:
    shelf = os.urandom(16)
    await shelved(store, *(parcel(shelf, text=bytes([each]) * 100) for each in range(5)))
    for most, most_bytes, expected in (
        (10, 1, [1]),
        (10, 299, [1, 2]),
        (10, 300, [1, 2, 3]),
        (2, 999, [1, 2]),
    ):
        page = await store.shelf(shelf, 0, most, most_bytes)
        assert ([number for number, _ in page.parcels], page.newest) == (expected, 5)


async def test_a_shelf_that_is_full_takes_no_more(store: RelayStore) -> None:
    shelf = os.urandom(16)
    await shelved(store, parcel(shelf, text=b"1" * 10), parcel(shelf, text=b"2" * 10))
    assert await store.shelve([parcel(shelf, text=b"3", most_parcels=2)]) == [False]
    assert await store.shelve([parcel(shelf, text=b"3", most_bytes=20)]) == [False]
    assert await store.shelve([parcel(shelf, text=b"3", putter_parcels=2)]) == [False]
    assert await store.shelve([parcel(shelf, text=b"3", putter_bytes=20)]) == [False]
    assert await there(store, shelf) == {1: b"1" * 10, 2: b"2" * 10}
    # What is there already is there, whatever the room.
    assert await store.shelve([parcel(shelf, text=b"1" * 10, most_parcels=0, putter_bytes=0)]) == [True]
    other = os.urandom(16)
    assert await store.shelve([parcel(shelf, other, b"3", putter_parcels=1, most_bytes=21)]) == [True]
    assert await store.shelve([parcel(shelf, other, b"4", putter_parcels=1)]) == [False]
    assert await there(store, os.urandom(16)) == {}


async def test_of_parcels_in_one_call_those_without_room_are_left_out(store: RelayStore) -> None:
    shelf, free = os.urandom(16), os.urandom(16)
    puts = [parcel(shelf, text=b"%d" % each, most_parcels=2) for each in range(3)]
    assert await store.shelve([*puts, parcel(free, text=b"f")]) == [True, True, False, True]
    assert await there(store, shelf) == {1: b"0", 2: b"1"}


async def test_what_is_taken_away_makes_room_and_leaves_its_number(store: RelayStore) -> None:
    shelf, one, other = os.urandom(16), os.urandom(16), os.urandom(16)
    puts = [parcel(shelf, one), parcel(shelf, other), parcel(shelf, one)]
    await shelved(store, *puts)
    await store.unshelve(shelf, [puts[0].hash, os.urandom(32)], one)
    assert await there(store, shelf) == {2: puts[1].parcel, 3: puts[2].parcel}
    assert await store.shelve([parcel(shelf, one, most_parcels=3, putter_parcels=2)]) == [True]
    assert list(await there(store, shelf)) == [2, 3, 4]
    await shelved(store, puts[0])  # it was forgotten, so it comes anew
    assert list(await there(store, shelf)) == [2, 3, 4, 5]


async def test_nobody_takes_away_what_others_put_there_but_the_owner(store: RelayStore) -> None:
    shelf, one, other = os.urandom(16), os.urandom(16), os.urandom(16)
    puts = [parcel(shelf, one), parcel(shelf, other)]
    await shelved(store, *puts)
    hashes = [each.hash for each in puts]
    await store.unshelve(shelf, hashes, os.urandom(16))
    await store.unshelve(os.urandom(16), hashes, None)
    assert len(await there(store, shelf)) == 2
    await store.unshelve(shelf, hashes, one)
    assert await there(store, shelf) == {2: puts[1].parcel}
    await store.unshelve(shelf, hashes, None)
    assert await there(store, shelf) == {}
    assert (await store.shelf(shelf, 0, 10, 10**9)).newest == 2


async def test_numbers_go_on_beyond_what_one_record_holds(store: RelayStore) -> None:
    shelf = os.urandom(16)
    puts = [parcel(shelf, text=b"%d" % each) for each in range(300)]
    for first in range(0, 300, 60):
        await shelved(store, *puts[first : first + 60])
    await store.unshelve(shelf, [each.hash for each in puts[5:290]], None)
    assert list(await there(store, shelf)) == [1, 2, 3, 4, 5, *range(291, 301)]


async def test_many_who_put_at_once_lose_nothing_and_share_no_number(store: RelayStore) -> None:
    shelf, same = os.urandom(16), os.urandom(8)
    puts = [parcel(shelf, os.urandom(16)) for _ in range(12)]
    await asyncio.gather(
        *(store.shelve([each, parcel(shelf, each.putter, same)]) for each in puts),
        *(store.unshelve(shelf, [os.urandom(32)], None) for _ in range(3)),
    )
    found = await there(store, shelf)
    assert sorted(found) == list(range(1, 14))
    assert set(found.values()) == {same, *(each.parcel for each in puts)}


async def test_a_shelf_that_changes_hides_nothing_that_was_there(store: RelayStore) -> None:
    shelf = os.urandom(16)
    seen: dict[int, bytes] = {}

    async def read() -> None:
        while len(seen) < 12:
            page = await store.shelf(shelf, max(seen, default=0), 3, 10**9)
            seen.update(page.parcels)
            await asyncio.sleep(0)

    reading = asyncio.create_task(read())
    await asyncio.gather(*(store.shelve([parcel(shelf)]) for _ in range(12)))
    await asyncio.wait_for(reading, 30)
    assert sorted(seen) == list(range(1, 13))


async def test_news_of_a_shelf_wakes_whoever_watches_it(store: RelayStore) -> None:
    shelf = os.urandom(16)
    async with store.watch(shelf, 0) as watch, store.watch(os.urandom(16), 0) as other:
        await shelved(store, parcel(shelf))
        assert await watch.wait(20)
        assert not await other.wait(0.01)


async def test_news_of_the_same_process_needs_no_polling(
    store: RelayStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "POLL_SECONDS", 3600)
    shelf = os.urandom(16)
    async with store.watch(shelf, 0) as watch:
        await shelved(store, parcel(shelf))
        assert await watch.wait(20)


# --- several processes ----------------------------------------------------------------------------------


@asynccontextmanager
async def stores(url: str, count: int) -> AsyncIterator[list[RelayStore]]:
    """Several processes on one database."""
    opened = [await open_store(url).open() for _ in range(count)]
    try:
        yield opened
        assert await opened[0].check() == []
    finally:
        await asyncio.gather(*(each.close() for each in opened))


async def test_parcels_of_several_processes_share_no_number_and_no_room(url: str) -> None:
    shelf, same = os.urandom(16), os.urandom(8)
    async with stores(url, 3) as all_:
        puts = [parcel(shelf, most_parcels=10) for _ in range(12)]
        outcomes = await asyncio.gather(
            *(all_[at % 3].shelve([parcel(shelf, text=same), each]) for at, each in enumerate(puts))
        )
        assert sum(each[1] for each in outcomes) == 9
        assert all(each[0] for each in outcomes)
        found = await there(all_[0], shelf)
        assert sorted(found) == list(range(1, 11))
        assert await there(all_[1], shelf) == found
        await asyncio.gather(
            *(
                each.unshelve(shelf, [hashlib.sha256(text).digest() for text in found.values()], None)
                for each in all_
            )
        )
        assert await there(all_[2], shelf) == {}
        assert await all_[1].shelve([parcel(shelf, most_parcels=1)]) == [True]


@pytest.mark.parametrize("database", ["nats"], indirect=True)
async def test_a_parcel_that_goes_while_its_records_are_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JetStream reads three records one after another. Between them another process takes the parcel away."""
    shelf, read, gone = os.urandom(16), Shared.read, list[bytes]()
    async with stores(url, 2) as all_:
        one, other = (cast("JetStreamRelayStore", each) for each in all_)
        put = parcel(shelf)
        await shelved(one, put)

        async def interrupted(shared: Shared, stream: str, subject: str, age: float) -> Stored:
            its = shared.names.of(shelf).putter(put.putter)
            if shared is one._shared and subject == its and not gone:
                gone.append(put.hash)
                await other.unshelve(shelf, gone, None)
            return await read(shared, stream, subject, age)

        monkeypatch.setattr(Shared, "read", interrupted)
        await one.unshelve(shelf, [put.hash], None)
        assert gone
        assert await there(other, shelf) == {}
        assert await one.check() == []


async def test_news_of_another_process_are_noticed(url: str) -> None:
    shelf = os.urandom(16)
    async with stores(url, 2) as (one, other), one.watch(shelf, 0) as watch:
        await shelved(other, parcel(shelf))
        assert await watch.wait(20)


async def test_one_of_many_entries_of_several_processes_wins(url: str) -> None:
    log = os.urandom(16)
    async with stores(url, 4) as all_:
        head: LogHead | None = None
        for _ in range(4):
            heads = [
                LogHead(1 if head is None else head.number + 1, os.urandom(32), os.urandom(50))
                for _ in range(16)
            ]
            taken = await asyncio.gather(
                *(all_[at % 4].log_append(log, head, each.hash, each) for at, each in enumerate(heads))
            )
            assert taken.count(True) == 1
            head = heads[taken.index(True)]
            for store in all_:
                assert await store.log_head(log) == head
        assert head is not None
        assert (await all_[3].log_entries(log, 3, 9, 10**6)) == [head.hash]


# --- users ----------------------------------------------------------------------------------------------


async def test_a_user_is_found_by_id(store: RelayStore) -> None:
    person, other = await Person.registered(store, 1, 2), await Person.registered(store)
    assert await store.user(person.head.user_id) == (person.key, person.head)
    assert await store.user(other.head.user_id) == (other.key, other.head)
    assert await store.user(os.urandom(32)) is None
    await person.change(store, new=[3])
    assert await store.user(person.head.user_id) == (person.key, person.head)


async def test_a_copy_of_the_beginning_of_a_chain_is_not_the_user(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    old = person.head
    await person.change(store, without=[2])
    for each in range(20):
        account = bytes([each]) * 16
        assert await store.create(account, person.lists[:1], old, replace=False) is None
    assert await store.user(old.user_id) == (person.key, person.head)
    await person.change(store, new=[4])
    assert await store.user(old.user_id) == (person.key, person.head)


async def test_a_user_who_is_replaced_is_gone_with_the_shelf(store: RelayStore) -> None:
    person = await Person.registered(store)
    shelf = ShelfName.of_user(person.head.user_id).key
    await shelved(store, parcel(shelf))
    new: dict[str, Any] = {"lists": [b"list"], "head": first_head([1]), "replace": True}
    assert await store.create(person.key, **new) is None
    assert await store.user(person.head.user_id) is None
    assert await there(store, shelf) == {}
    assert (await store.shelf(shelf, 0, 10, 10**9)).newest == 0
    await shelved(store, parcel(shelf))
    assert list(await there(store, shelf)) == [1]


async def test_the_shelf_stays_while_the_user_has_another_account(store: RelayStore) -> None:
    person = await Person.registered(store)
    assert await store.create(os.urandom(16), person.lists, person.head, replace=False) is None
    shelf = ShelfName.of_user(person.head.user_id).key
    await shelved(store, parcel(shelf))
    assert await store.create(person.key, [b"list"], first_head([1]), replace=True) is None
    assert list(await there(store, shelf)) == [1]
