"""A network between `letterlock relay serve` and its database that fails at random, while people write.

    lost = 0, single-use prekeys issued twice = 0, texts seen twice = 0, tracebacks = 0

`LETTERLOCK_KILLS=100` lets it fail so often, and `LETTERLOCK_SEED` repeats the order.
"""

import os
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest

from letterlock._wire.relay_mail import FetchRequest
from support.fault_city import City
from support.relay_databases import DATABASES, SERVERS, Database, url_through
from support.relay_nats import NatsServers
from support.relay_network import Network
from support.relay_postgresql import PostgresqlServer
from support.relay_proxy import Way
from support.relay_server import ServedTown, in_town, served, until
from support.relay_town import Resident

TIMES: Final = int(os.environ.get("LETTERLOCK_KILLS", "5"))
SEED: Final = os.environ.get("LETTERLOCK_SEED") or str(random.randrange(10**9))
LONGEST: Final = 2.0
"""Seconds for which nothing arrives, at most. Longer ones are in tests/relay_stores."""

pytestmark = pytest.mark.slow


class Behind:
    """A database of one kind behind a network."""

    def __init__(self, database: Database, network: Network) -> None:
        self.network = network
        assert isinstance(database, PostgresqlServer | NatsServers)
        ports = database.ports if isinstance(database, NatsServers) else [database.port]
        self.url = url_through(database, database.fresh(), *(network.before(port).port for port in ports))


@pytest.fixture(params=SERVERS)
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    database, network = DATABASES[request.param](tmp_path_factory.mktemp(request.param)), Network()
    try:
        yield Behind(database, network)
    finally:
        network.stop()
        database.stop()


class Weather:
    """Lets a network fail in one way after another, chosen by a seed."""

    def __init__(self, network: Network, seed: str) -> None:
        self.network = network
        self.chance = random.Random(seed)

    def fail(self) -> None:
        """Let something fail on one way or all, for a while if it ends at all."""
        proxies = self.network.proxies
        struck = self.chance.choice([proxies, [self.chance.choice(proxies)]])
        way, count = self.chance.choice(list(Way)), self.chance.randrange(1, 5000)
        kind = self.chance.choice(["hold", "cut", "cut after", "abandon", "refuse", "slow"])
        for proxy in struck:
            match kind:
                case "hold":
                    self.network.let(partial(proxy.hold, way))
                case "cut":
                    self.network.let(proxy.cut)
                case "cut after":
                    self.network.let(partial(proxy.cut_after, count, way))
                case "abandon":
                    self.network.let(proxy.abandon)
                case "refuse":
                    proxy.is_open = False
                    self.network.let(proxy.cut)
                case _:
                    proxy.delay = 0.05
        time.sleep(LONGEST * self.chance.random())
        for proxy in struck:
            proxy.is_open, proxy.delay = True, 0.0
            self.network.let(proxy.release)


def test_nothing_is_lost_or_doubled(behind: Behind) -> None:
    with City(behind.url) as city:
        city.begin_relay()
        city.settle("anna", "ben")
        city.settle("carl", "dora")
        city.wait_until_seen(4)
        weather = Weather(behind.network, SEED)
        for failed in range(TIMES):
            city.wait_for_progress()
            weather.fail()
            if failed == TIMES // 2:
                city.settle("emil")  # who has to claim prekeys
        city.wait_until_heard("emil")
        city.be_quiet()
        tally = city.require()
        print(f"seed={SEED} failed {TIMES} times, texts {len(tally.sent)}, bundles {len(city.claims()[0])}")


def test_it_says_that_the_database_does_not_answer(behind: Behind, tmp_path: Path) -> None:
    """RLY-29, RLY-60. The relay itself is well: it must not be started again because of its database."""
    (*_, proxy) = behind.network.proxies

    async def play(town: ServedTown) -> None:
        alice = await Resident(town, "alice").move_in()
        for each in behind.network.proxies:
            behind.network.let(each.hold)
        answer = await town.post(FetchRequest(1, 0, ()), alice.tokens[1])
        assert (answer.status, answer.retry_after) == (503, 5)
        assert town.server.get("/health").status_code == 200
        assert ready(town.server.url) == 503
        for each in behind.network.proxies:
            behind.network.let(each.release)
        until(lambda: ready(town.server.url) == 200)
        assert await alice.fetched() == ()
        assert proxy.connections <= 12

    with served(tmp_path, "--store", behind.url) as server:
        in_town(server, play)
        assert server.metrics()["letterlock_relay_faults_total"] == 0


def ready(url: str) -> int:
    """Return what the relay says of itself."""
    return httpx.get(f"{url}/ready", timeout=20, trust_env=False).status_code
