"""Cancelled tasks: what they began happens whole or not at all, and the store goes on."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

import pytest

from letterlock.relay import RelayStore
from support.relay_rows import NOW, Person, is_last_resort, letter, next_head, page, send, sent, waiting

TIMES: Final = 30

S = TypeVar("S")
T = TypeVar("T")
Step = Callable[[], Awaitable[Any]]


async def cancelled(step: Step) -> None:
    """Begin something, and cancel it after a random while that is often too short for it."""
    task = asyncio.ensure_future(step())
    for _ in range(random.randrange(3)):
        await asyncio.sleep(0)
    if random.random() < 0.5:
        await asyncio.sleep(random.random() / 500)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def between(look: Callable[[], Awaitable[S]], other: Callable[[], Awaitable[T]]) -> tuple[S, T]:
    """Return what two looks see at one time: a cancelled call may be on its way still."""
    before = await look()
    while True:
        found = await other()
        if before == (now := await look()):
            return now, found
        before = now


async def test_a_cancelled_send_is_stored_for_all_devices_or_none(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    for _ in range(TIMES):
        mail = letter(1)
        both = send(person.head, mail, replace(mail, device=2))
        await cancelled(partial(store.deliver, person.key, both))
    one, two = await between(partial(waiting, store, person, 1), partial(waiting, store, person, 2))
    assert [mail.id for mail in one] == [mail.id for mail in two]


async def test_a_cancelled_claim_takes_one_bundle_at_most(store: RelayStore) -> None:
    person = await Person.registered(store)
    await store.publish(person.key, person.listed(1), page(1, 50), 100)
    claims = [(os.urandom(16), os.urandom(16)) for _ in range(TIMES)]
    for claim in claims:
        await cancelled(partial(store.claim, person.key, [1], *claim, NOW))
    left = (await store.stock(person.key, 1)).bundles
    assert 50 - TIMES <= left <= 50
    got = [(await store.claim(person.key, [1], *claim, NOW))[0] for claim in claims]
    assert len(set(got)) == TIMES
    assert not any(map(is_last_resort, got))
    assert (await store.stock(person.key, 1)).bundles == 50 - TIMES


async def test_a_cancelled_upload_is_stored_whole_or_not(store: RelayStore) -> None:
    person = await Person.registered(store)
    for number in range(1, 11):
        await cancelled(partial(store.publish, person.key, person.listed(1), page(number, 3), 100))
    stock = await store.stock(person.key, 1)
    assert stock.bundles % 3 == 0


async def test_a_cancelled_acknowledgement_counts_what_it_deleted(store: RelayStore) -> None:
    person = await Person.registered(store)
    mail = [letter(1) for _ in range(TIMES)]
    await asyncio.gather(*(sent(store, person, each) for each in mail))
    for each in mail:
        await cancelled(partial(store.acknowledge, person.key, person.listed(1), [each.id]))
    left, stock = await between(partial(waiting, store, person), partial(store.stock, person.key, 1))
    assert stock.messages == len(left)


async def test_a_cancelled_list_is_the_newest_or_is_not_there(store: RelayStore) -> None:
    """It may also come a little later, in place of the next one."""
    person = await Person.registered(store)
    tried = {person.head}
    for device in range(2, 12):
        head = next_head(person.head, new=[device])
        tried.add(head)
        await cancelled(partial(store.append, person.key, person.head, b"list", head))
        found = await store.head(person.key)
        assert found is not None
        assert found in tried
        person.head = found
    found, lists = await between(
        partial(store.head, person.key), partial(store.lists, person.key, 0, 20, 1000)
    )
    assert found is not None
    assert found in tried
    assert len(lists) == found.version


async def test_what_was_cancelled_before_it_began_stops_nobody(store: RelayStore) -> None:
    person = await Person.registered(store)
    tasks = [asyncio.ensure_future(sent(store, person, letter(1))) for _ in range(100)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers.count(None) >= 50
    assert len(await waiting(store, person)) >= 50


async def test_mail_of_a_cancelled_send_still_wakes(store: RelayStore) -> None:
    """Whoever waits learns of what was stored, even if nobody waits for the answer any more."""
    person = await Person.registered(store)
    async with store.watch(person.key, 1) as watch:
        for _ in range(TIMES):
            before = (await store.stock(person.key, 1)).messages
            await cancelled(lambda: sent(store, person, letter(1)))
            # This one comes after it, if it comes.
            await store.acknowledge(person.key, person.listed(1), [os.urandom(16)])
            if (await store.stock(person.key, 1)).messages > before:
                assert await watch.wait(30)


@pytest.mark.parametrize("waits", [True, False])
async def test_the_store_closes_after_the_calls_that_run(store: RelayStore, *, waits: bool) -> None:
    person = await Person.registered(store)
    tasks = [asyncio.ensure_future(sent(store, person, letter(1))) for _ in range(20)]
    if waits:
        await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.open()
    stored = len(await waiting(store, person))
    assert stored >= sum(not task.exception() for task in tasks)
    assert stored == (20 if waits else 0)
