"""Processes that are killed while they work: nothing that was answered is lost, and no bundle goes out twice.

`LETTERLOCK_KILLS` is how often processes are killed; the ordinary run does it a few times.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

import pytest

from letterlock.errors import StoreError
from letterlock.relay import RelayStore, open_store
from support.relay_databases import DATABASES, Database
from support.relay_killing import Nursery
from support.relay_ledger import Ledger
from support.relay_rows import Person, is_last_resort, page

KILLS: Final = int(os.environ.get("LETTERLOCK_KILLS", "3"))
HOURS: Final = 2 * 3600
"""From one kill to the next, as the claims see it: as many single-use bundles are given out again."""
MOST_ATTEMPTS: Final = 20
"""A server that was killed answers again after some of them, each as long as a store waits for an answer."""


T = TypeVar("T")


async def prepared(store: RelayStore, stock: int = 0) -> Person:
    person = await Person.registered(store, 1, 2)
    await store.publish(person.key, person.listed(1), page(1, stock), 100)
    return person


@pytest.mark.slow
async def test_nothing_is_lost_when_processes_are_killed(store: RelayStore, url: str) -> None:
    """While one process dies the other one goes on, and waits for nothing that the dead one held."""
    person, ledger = await prepared(store), Ledger()
    with Nursery(url, person, ledger) as nursery:
        for _ in range(KILLS):
            ledger.now += HOURS
            one, two = (nursery.start("burst", ledger.now) for _ in range(2))
            nursery.read(random.randrange(1, 300))
            nursery.kill(one)
            nursery.read(100)
            nursery.kill(two)
            await ledger.require(store, person)
    assert ledger.sent
    assert ledger.acked
    assert ledger.shelved
    assert ledger.appended
    assert ledger.posted
    assert any(not is_last_resort(bundle) for found in ledger.claimed.values() for bundle in found)


@pytest.mark.slow
async def test_processes_that_race_get_each_bundle_once(store: RelayStore, url: str) -> None:
    person, ledger = await prepared(store, stock=40), Ledger()
    with Nursery(url, person, ledger) as nursery:
        for child in [nursery.start("claims", 15) for _ in range(4)]:
            nursery.wait(child)
    assert len(ledger.claimed) == 60
    single = [bundle for (bundle,) in ledger.claimed.values() if not is_last_resort(bundle)]
    assert len(single) == len(set(single)) == 40
    assert (await store.stock(person.key, 1)).bundles == 0
    await ledger.require(store, person)


@pytest.mark.slow
@pytest.mark.parametrize("database", [name for name in DATABASES if name != "sqlite"], indirect=True)
def test_nothing_is_lost_when_the_server_is_killed(database: Database, url: str) -> None:
    """The processes are killed only afterwards: some of their calls failed, and some had no answer."""
    person, ledger = asyncio.run(once(url, prepared)), Ledger()
    for _ in range(max(1, KILLS // 3)):
        ledger.now += HOURS
        with Nursery(url, person, ledger) as nursery:
            child = nursery.start("burst", ledger.now)
            nursery.read(random.randrange(20, 300))
            database.kill()
            nursery.kill(child)
        asyncio.run(once(url, lambda store: ledger.require(store, person)))
    assert ledger.sent


async def once(url: str, work: Callable[[RelayStore], Awaitable[T]]) -> T:
    """Do something with a store that is open only meanwhile, again until the store can be used."""
    for _ in range(MOST_ATTEMPTS):
        with suppress(StoreError):
            store = await open_store(url).open()
            try:
                return await work(store)
            finally:
                await store.close()
        await asyncio.sleep(0.05)
    raise AssertionError("the store never came back")
