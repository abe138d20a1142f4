"""Watches: whoever waits for mail is woken, by any process, and never too late for good."""

import asyncio
import os

import pytest

from letterlock.relay import Delivered, RelayStore, open_store
from letterlock.relay._sqlite import watching
from letterlock.relay._watchers import Mailbox
from support.relay_rows import Person, letter, send, sent

LONG = 30.0
"""Longer than any of these tests takes: a wait that ends because its time is over fails."""
SHORT = 0.05


async def test_a_send_wakes_whoever_waits(store: RelayStore) -> None:
    person = await Person.registered(store)
    async with store.watch(person.key, 1) as watch:
        waits = asyncio.create_task(watch.wait(LONG))
        await asyncio.sleep(0)
        await sent(store, person, letter(1))
        assert await waits


async def test_a_send_before_the_wait_is_not_missed(store: RelayStore) -> None:
    person = await Person.registered(store)
    async with store.watch(person.key, 1) as watch:
        await sent(store, person, letter(1))
        assert await watch.wait(LONG)


async def test_all_who_watch_a_mailbox_are_woken(store: RelayStore) -> None:
    person = await Person.registered(store)
    async with store.watch(person.key, 1) as one, store.watch(person.key, 1) as two:
        await sent(store, person, letter(1))
        assert all(await asyncio.gather(one.wait(LONG), two.wait(LONG)))


async def test_a_watch_that_ended_does_not_end_another_one(store: RelayStore) -> None:
    person = await Person.registered(store)
    async with store.watch(person.key, 1) as outer:
        async with store.watch(person.key, 1):
            pass
        await sent(store, person, letter(1))
        assert await outer.wait(LONG)


async def test_nobody_is_woken_where_nothing_comes(store: RelayStore) -> None:
    person = await Person.registered(store)
    async with store.watch(person.key, 1) as watch:
        assert not await watch.wait(SHORT)
        assert not await watch.wait(0)


async def test_mail_of_others_wakes_nobody(store: RelayStore) -> None:
    person, other = await Person.registered(store, 1, 2), await Person.registered(store)
    async with store.watch(person.key, 1) as watch:
        await sent(store, person, letter(2))
        await sent(store, other, letter(1))
        assert not await watch.wait(SHORT)


async def test_a_send_that_stored_nothing_wakes_nobody(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    async with store.watch(person.key, 1) as watch:
        stale = send(Person(1).head, letter(1))
        assert await store.deliver(person.key, stale) == Delivered(head=person.head)
        full = send(person.head, letter(1), letter(2, bytes(99)), room=(9, 98))
        assert await store.deliver(person.key, full) == Delivered(full=2)
        assert not await watch.wait(SHORT)


async def test_a_watch_of_nobody_waits_in_vain(store: RelayStore) -> None:
    async with store.watch(os.urandom(16), 1) as watch:
        assert not await watch.wait(SHORT)


async def test_a_wait_may_be_cancelled_and_repeated(store: RelayStore) -> None:
    person = await Person.registered(store)
    async with store.watch(person.key, 1) as watch:
        waits = asyncio.create_task(watch.wait(LONG))
        await asyncio.sleep(0)
        waits.cancel()
        await asyncio.gather(waits, return_exceptions=True)
        await sent(store, person, letter(1))
        assert await watch.wait(LONG)


async def test_mail_that_another_connection_stored_wakes(store: RelayStore, url: str) -> None:
    """The other store stands for another process: the two share nothing but the database."""
    person = await Person.registered(store)
    other = await open_store(url).open()
    try:
        async with store.watch(person.key, 1) as watch:
            await sent(other, person, letter(1))
            assert await watch.wait(LONG)
    finally:
        await other.close()


async def test_a_wait_of_no_time_tells_what_is_there(store: RelayStore) -> None:
    person = await Person.registered(store)
    async with store.watch(person.key, 1) as watch:
        await sent(store, person, letter(1))
        assert await watch.wait(LONG)
        assert not await watch.wait(0)
        await sent(store, person, letter(1))
        assert await watch.wait(LONG)


async def test_a_second_watch_does_not_hide_what_came_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite: two watches begin at once. What was stored between their reads is for the first one."""
    monkeypatch.setattr(watching, "POLL_SECONDS", 0)
    loop = asyncio.get_running_loop()
    firsts = [loop.create_future(), loop.create_future()]
    reads, polls = iter(firsts), list[watching.Seen]()

    async def newer(after: watching.Seen | None) -> tuple[watching.Seen, list[Mailbox]]:
        if after is None:
            return await next(reads), []
        polls.append(after)
        return after, []

    watches, ended = watching.Watching(newer), asyncio.Event()

    async def watch() -> None:
        async with watches.watch((bytes(16), 1)):
            await ended.wait()

    tasks = [asyncio.create_task(watch()) for _ in firsts]
    for number, read in enumerate(firsts, 5):
        await asyncio.sleep(SHORT)
        read.set_result((number, 0))
    await asyncio.sleep(SHORT)
    ended.set()
    await asyncio.gather(*tasks)
    await watches.close()
    assert set(polls) == {(5, 0)}
