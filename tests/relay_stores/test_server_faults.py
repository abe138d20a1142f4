"""Servers that go away, stop for a while or lose answers: nothing is lost, and nothing goes out twice."""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import pytest

from letterlock.errors import StoreError
from letterlock.relay import Delivered, LogHead, Mail, Put, RelayStore, open_store
from letterlock.relay._jetstream import connection, retries
from letterlock.relay._jetstream.store import JetStreamRelayStore
from letterlock.relay._postgresql import driver
from support.relay_databases import SERVERS, Database, port_of, url_through
from support.relay_killing import Nursery
from support.relay_ledger import Ledger
from support.relay_postgresql import PostgresqlServer
from support.relay_proxy import Proxy
from support.relay_rows import (
    NOW,
    Person,
    is_last_resort,
    letter,
    page,
    parcel,
    send,
    sent,
    until_settled,
    waiting,
)

T = TypeVar("T")

TIMES: Final = int(os.environ.get("LETTERLOCK_KILLS", "3"))
MOST: Final = 40
"""Claims in one test: a device gives out 60 single-use bundles at once."""
PAUSE: Final = float(os.environ.get("LETTERLOCK_PAUSE", "0.5"))
"""Seconds for which a server stops. With 15 a node of NATS is taken for lost."""
SECONDS: Final = 30.0
"""Much longer than a new connection takes."""

on_servers = pytest.mark.parametrize("database", SERVERS, indirect=True)


@pytest.mark.slow
@on_servers
def test_nothing_is_lost_when_a_server_stops_for_a_while(database: Database, url: str) -> None:
    person, ledger = asyncio.run(_once(url, _prepared)), Ledger()
    with Nursery(url, person, ledger) as nursery:
        child = nursery.start("burst", ledger.now)
        for _ in range(max(1, TIMES // 3)):
            nursery.read(random.randrange(20, 100))
            database.freeze()
            time.sleep(PAUSE)
            database.thaw()
            nursery.read(50)
        nursery.kill(child)
    asyncio.run(_once(url, lambda store: ledger.require(store, person)))
    assert ledger.sent


@on_servers
async def test_what_is_repeated_after_a_lost_answer_happens_once(database: Database, url: str) -> None:
    """Every answer is lost at some time. Whoever asks again is answered as if it were the first time.

    A client of JetStream needs longer for another connection, so it loses fewer.
    """
    direct = await open_store(url).open()
    person = await _prepared(direct)
    rounds = min(TIMES * (2 if url.startswith("nats") else 4), MOST)
    mail = [letter(1, bytes([number])) for number in range(rounds)]
    claims = [(os.urandom(16), os.urandom(16)) for _ in mail]
    bundles = list[bytes | None]()
    shelf, puts, log, entries = os.urandom(16), list[Put](), os.urandom(16), list[bytes]()
    async with Proxy(port_of(database)) as proxy:
        store = await open_store(url_through(database, url, proxy.port)).open()
        for one, claim in zip(mail, claims, strict=True):

            async def deliver(one: Mail = one) -> None:
                assert await store.deliver(person.key, send(person.head, one)) == Delivered()

            async def take(claim: tuple[bytes, bytes] = claim) -> None:
                bundles.extend(await store.claim(person.key, [1], *claim, NOW))

            put, entry = parcel(shelf), os.urandom(32)

            async def shelve(put: Put = put) -> None:
                assert await store.shelve([put]) == [True]

            async def append(entry: bytes = entry) -> None:
                before = await direct.log_head(log)
                if before is not None and before.hash == entry:
                    return  # as the relay finds an entry that is in the log already
                newest = LogHead(1 if before is None else before.number + 1, entry, b"state")
                if not await store.log_append(log, before, entry, newest):
                    raise StoreError("the first attempt came in between")

            puts.append(put)
            entries.append(entry)
            for call in (deliver, take, shelve, append):
                await _without_an_answer(proxy, call)
        assert proxy.lost
        await store.close()
    assert await waiting(direct, person) == mail
    page_ = await direct.shelf(shelf, 0, MOST, 10**6)
    assert page_.parcels == tuple(enumerate((each.parcel for each in puts), 1))
    assert await direct.log_entries(log, 0, MOST, 10**6) == entries
    assert len(set(bundles)) == len(mail)
    assert not any(map(is_last_resort, bundles))
    assert (await direct.stock(person.key, 1)).bundles == 90 - len(mail)
    assert await direct.check() == []
    await direct.close()


@pytest.mark.parametrize("database", ["nats"], indirect=True)
@pytest.mark.parametrize("kind", ["request", "stream", "subscription"])
async def test_a_question_ends_with_its_connection(
    kind: str, database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not when its time is over: no answer comes any more. The next question is answered."""
    async with Proxy(port_of(database)) as proxy:
        store = await open_store(url_through(database, url, proxy.port)).open()
        assert isinstance(store, JetStreamRelayStore)
        nats = store._shared.nats
        questions: dict[str, Callable[[], Awaitable[object]]] = {
            "request": lambda: nats.call("INFO", {}),
            "stream": lambda: nats.up_to("relay_00", "relay"),
            "subscription": lambda: nats.listen("relay", lambda: None),
        }
        monkeypatch.setattr(connection, "ANSWER_SECONDS", SECONDS * 2)
        for _ in range(2):
            proxy.answers, proxy.lost = False, 0
            asked = [asyncio.ensure_future(questions[kind]()) for _ in range(3)]
            for _ in range(3000):
                if proxy.lost:
                    break
                await asyncio.sleep(0.01)
            proxy.cut()
            proxy.answers = True
            async with asyncio.timeout(SECONDS):
                outcomes = await asyncio.gather(*asked, return_exceptions=True)
                assert [type(each) for each in outcomes] == [connection.Unsettled] * 3
                assert "error" not in await nats.call("INFO", {})
        await store.close()


async def _without_an_answer(proxy: Proxy, call: Callable[[], Awaitable[None]]) -> None:
    """Make a call, lose its answer, and make it again."""
    proxy.answers = False
    first = asyncio.ensure_future(call())
    await asyncio.sleep(random.random() / 50)
    proxy.cut()
    proxy.answers = True
    outcome = (await asyncio.gather(first, return_exceptions=True))[0]
    if outcome is not None:
        assert isinstance(outcome, StoreError)
        await until_settled(call)


@on_servers
async def test_a_store_goes_on_after_its_server_was_away(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if url.startswith("nats") and "LETTERLOCK_KILLS" not in os.environ:
        pytest.skip("a whole cluster elects its leaders for ten seconds: set LETTERLOCK_KILLS")
    monkeypatch.setattr(retries, "SECONDS", 0.5)
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.5)
    store = await open_store(url).open()
    person = await Person.registered(store)
    first, second = letter(1), letter(1)
    await sent(store, person, first)
    async with store.watch(person.key, 1) as watch:
        database.end()
        with pytest.raises(StoreError):
            await store.deliver(person.key, send(person.head, second))
        with pytest.raises(StoreError):
            await store.head(person.key)
        with pytest.raises(StoreError):
            await open_store(url).open()
        monkeypatch.undo()  # a cluster that elects its leaders takes longer
        await asyncio.to_thread(database.begin)
        await until_settled(lambda: sent(store, person, second))
        assert await watch.wait(30)
    assert await waiting(store, person) == [first, second]
    assert await store.check() == []
    await store.close()


async def test_a_database_that_does_not_answer_is_given_up(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "COMMAND_SECONDS", 0.5)
    server = await asyncio.to_thread(PostgresqlServer, tmp_path_factory.mktemp("frozen"))
    try:
        store = await open_store(server.fresh()).open()
        person = await Person.registered(store)
        server.freeze()
        with pytest.raises(StoreError):
            await sent(store, person, letter(1))
        server.thaw()
        await until_settled(lambda: sent(store, person, letter(1)))
        await store.close()
    finally:
        server.stop()


async def _prepared(store: RelayStore) -> Person:
    person = await Person.registered(store, 1, 2)
    await store.publish(person.key, person.listed(1), page(1, 90), 100)
    return person


async def _once(url: str, work: Callable[[RelayStore], Awaitable[T]]) -> T:
    store = await open_store(url).open()
    try:
        return await work(store)
    finally:
        await store.close()
