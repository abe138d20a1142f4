"""Networks between a relay and its database that are slow, stop, break, or forget connections.

The relay answers UNAVAILABLE within a bounded time and goes on by itself; what it answered is there, and no
bundle goes out twice.

`LETTERLOCK_KILLS` is how often a network breaks: the ordinary run breaks it a few times.
"""

import asyncio
import gc
import os
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_login import account_key
from letterlock._wire.relay_mail import FetchRequest
from letterlock._wire.relay_prekeys import ClaimAnswer
from letterlock.relay import RelayStore, _relay, open_store
from letterlock.relay._postgresql import driver, wakes
from support.relay_databases import SERVERS, Database, port_of, url_through
from support.relay_proxy import Proxy, Way
from support.relay_town import Resident, Town

Ask = tuple[RelayBody, bytes]
"""A call, and the token of who makes it."""

TIMES: Final = int(os.environ.get("LETTERLOCK_KILLS", "4"))
PATIENCE: Final = 20.0
"""Seconds after which a client gives up."""

pytestmark = [  # nats-py drops a connection that broke while it logged in, and closes it by nothing but that
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
on_servers = pytest.mark.parametrize("database", SERVERS, indirect=True)


class Place:
    """A relay whose database is behind a network, with two people."""

    def __init__(self, town: Town, proxy: Proxy, direct: RelayStore) -> None:
        self.town, self.proxy, self.direct = town, proxy, direct
        self.alice, self.bob = Resident(town, "alice"), Resident(town, "bob")
        self.others = [Resident(town, f"other {each}") for each in range(10)]

    async def begin(self) -> None:
        for each in (self.alice, self.bob, *self.others):
            await each.move_in()
        await self.bob.publish(pairs=40)

    async def refused(self, *calls: Ask) -> None:
        """Make calls at once, all of which must be refused in time."""
        async with asyncio.timeout(PATIENCE):
            answers = await asyncio.gather(*(self.town.post(*each) for each in calls))
        for answer in answers:
            assert answer.status == 503, answer
            assert answer.retry_after
            assert ErrorAnswer.decode(answer.body).code is RelayCode.UNAVAILABLE

    async def settled(self, call: Ask) -> Any:
        """Make a call again and again until it is not refused for now, and return its answer."""
        for _ in range(400):
            answer = await self.town.ask(*call)
            if not isinstance(answer, ErrorAnswer) or answer.code is not RelayCode.UNAVAILABLE:
                return answer
            await asyncio.sleep(0.05)
        raise AssertionError("the store never came back")

    def letters(self, count: int) -> list[Ask]:
        """Return calls that send a letter each."""
        return [
            (self.alice.send(self.bob, {1: b"%d" % each}, id_=f"letter {each}"), self.alice.tokens[1])
            for each in range(count)
        ]

    def claims(self, count: int) -> list[Ask]:
        """Return calls of others that claim a bundle each: one device may not claim so many."""
        callers = [self.others[each % len(self.others)] for each in range(count)]
        return [
            (each.claim(self.bob, id_=f"claim {number}"), each.tokens[1])
            for number, each in enumerate(callers)
        ]

    async def require(self, letters: int, bundles: list[bytes | None]) -> None:
        """Require that so many letters are there, each once, and that no bundle went out twice."""
        self.proxy.cut_after(1 << 40, Way.QUESTIONS)
        self.proxy.cut_after(1 << 40, Way.ANSWERS)
        found = (await self.settled((FetchRequest(100, 0, ()), self.bob.tokens[1]))).deliveries
        assert len(found) == len({each.id for each in found}) == letters
        assert None not in bundles
        assert len(set(bundles)) == len(bundles)
        assert (await self.bob.state()).stock == 40 - len(bundles)
        assert await self.direct.check() == []


@asynccontextmanager
async def place(database: Database, url: str) -> AsyncGenerator[Place]:
    direct = await open_store(url).open()
    async with Proxy(port_of(database)) as proxy:
        store = await open_store(url_through(database, url, proxy.port)).open()
        town = Town(store)
        await town.restart()
        made = Place(town, proxy, direct)
        await made.begin()
        try:
            yield made
        finally:
            proxy.release()
            await store.close()
            await direct.close()
            gc.collect()


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a relay give up soon."""
    monkeypatch.setattr(_relay, "ANSWER_SECONDS", 1)
    monkeypatch.setattr(driver, "CONNECT_SECONDS", 2.0)


@on_servers
async def test_a_slow_network_changes_nothing(database: Database, url: str) -> None:
    async with place(database, url) as made:
        made.proxy.delay = 0.03
        calls = [*made.letters(8), *made.claims(8)]
        answers = await asyncio.gather(*(made.town.ask(*each) for each in calls))
        assert [type(each) for each in answers] == [DoneAnswer] * 8 + [ClaimAnswer] * 8
        await made.require(8, [each.bundles[0] for each in answers if isinstance(each, ClaimAnswer)])


@pytest.mark.slow
@on_servers
@pytest.mark.parametrize("ways", [(), (Way.QUESTIONS,), (Way.ANSWERS,)], ids=["both", "questions", "answers"])
async def test_a_relay_answers_while_its_database_does_not(
    database: Database, url: str, ways: tuple[Way, ...], hurry: None
) -> None:
    """RLY-60. Sixty calls wait for eight connections, and none of them for another."""
    async with place(database, url) as made:
        letters, claims = made.letters(20), made.claims(20)
        fetches: list[Ask] = [(FetchRequest(100, 0, ()), made.bob.tokens[1])] * 20
        made.proxy.hold(*ways)
        await made.refused(*letters, *claims, *fetches)
        await made.refused(*letters[:1])
        made.proxy.release()
        for letter in letters:
            assert isinstance(await made.settled(letter), DoneAnswer)
        bundles = [(await made.settled(claim)).bundles[0] for claim in claims]
        await made.require(20, bundles)


@pytest.mark.slow
@on_servers
async def test_calls_that_a_cut_interrupts_happen_once(database: Database, url: str, hurry: None) -> None:
    """The connection ends within a question or an answer, wherever that is."""
    times = min(TIMES, 20)
    async with place(database, url) as made:
        bundles = list[bytes | None]()
        for letter, claim in zip(made.letters(times), made.claims(times), strict=True):
            made.proxy.cut_after(random.randrange(1, 3000), random.choice(list(Way)))
            assert isinstance(await made.settled(letter), DoneAnswer)
            made.proxy.cut_after(random.randrange(1, 3000), random.choice(list(Way)))
            bundles += (await made.settled(claim)).bundles
        await made.require(times, bundles)


@pytest.mark.slow
@on_servers
async def test_connections_that_a_network_forgot_are_replaced(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing tells the relay: no answer comes, and what it sends goes nowhere."""
    monkeypatch.setattr(driver, "COMMAND_SECONDS", 1.0)
    monkeypatch.setattr(wakes, "_ASK_SECONDS", 1.0)
    monkeypatch.setattr(wakes, "_ANSWER_SECONDS", 1.0)
    async with place(database, url) as made:
        *before, letter = made.letters(9)
        (claim,) = made.claims(1)
        await asyncio.gather(*(made.settled(each) for each in before))
        async with made.town.store.watch(account_key("bob"), 1) as watch:
            made.proxy.abandon()
            assert isinstance(await made.settled(letter), DoneAnswer)
            (bundle,) = (await made.settled(claim)).bundles
            assert await watch.wait(PATIENCE)
        await made.require(9, [bundle])


@on_servers
async def test_a_relay_that_cannot_connect_says_so_and_goes_on(
    database: Database, url: str, hurry: None
) -> None:
    async with place(database, url) as made:
        made.proxy.is_open = False
        made.proxy.cut()
        letters = made.letters(10)
        await made.refused(*letters)
        made.proxy.is_open = True
        for letter in letters:
            assert isinstance(await made.settled(letter), DoneAnswer)
        await made.require(10, [])
