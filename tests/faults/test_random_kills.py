"""Relay, workers, database and clients are killed at random, and people write to each other meanwhile.

    lost = 0, single-use prekeys issued twice = 0, texts seen twice = 0

The ordinary run kills a few times. `LETTERLOCK_KILLS=2000` kills so often for each kind of database, and
shows how far it is, for some minutes. `LETTERLOCK_SEED` repeats the order of the kills; it is shown too.
"""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from support.fault_city import City
from support.relay_databases import DATABASES, Database

KILLS: Final = int(os.environ.get("LETTERLOCK_KILLS", "10"))
SEED: Final = os.environ.get("LETTERLOCK_SEED") or str(random.randrange(10**9))
IS_LONG: Final = KILLS >= 100
FIRST: Final = 8 if IS_LONG else 4
"""People at the start, two in a home."""
MOST: Final = 24 if IS_LONG else 8
"""People at the end. Whoever moves in has to claim prekeys."""
GAPS: Final = {"home": 0.8, "worker": 1.0, "relay": 2.0, "database": 4.0} if IS_LONG else {}
"""Seconds for which a kind is left alone after a kill, so that something is done in between."""

PAUSE: Final = 0.1

pytestmark = pytest.mark.slow


@pytest.fixture(params=list(DATABASES))
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    server = DATABASES[request.param](tmp_path_factory.mktemp(request.param))
    yield server
    server.stop()


class Reaper:
    """Kills at random, and starts again what it killed."""

    def __init__(self, city: City, database: Database, seed: str) -> None:
        self.city, self.database = city, database
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self._free: dict[str, float] = {}
        self._kinds: dict[str, tuple[int, Callable[[], str]]] = {
            "home": (6, self._home),
            "worker": (2, self._worker),
            "relay": (2, self._relay),
            "database": (1, self._database),
        }
        if city.store.startswith("sqlite"):
            del self._kinds["database"]

    def kill(self) -> None:
        """Kill something that was not killed just before."""
        while True:
            names = list(self._kinds)
            kind = self.chance.choices(names, [self._kinds[each][0] for each in names])[0]
            if time.monotonic() >= self._free.get(kind, 0):
                break
            time.sleep(0.01)
        victim = self._kinds[kind][1]()
        self.counts[kind] += 1
        count = len(self.city.homes) if kind == "home" else 1
        self._free[victim] = time.monotonic() + GAPS.get(kind, 0) / count

    def _home(self) -> str:
        home = self.chance.choice(list(self.city.homes))
        self.city.end_home(home)
        self.city.begin_home(home)
        return "home"

    def _worker(self) -> str:
        self.city.kill_worker(self.chance)
        return "worker"

    def _relay(self) -> str:
        self.city.end_relay()
        self.city.begin_relay()
        return "relay"

    def _database(self) -> str:
        self.database.kill()
        return "database"


def test_nothing_is_lost_or_doubled(database: Database) -> None:
    with City(database.fresh()) as city:
        city.begin_relay()
        for number in range(0, FIRST, 2):
            city.settle(f"p{number}", f"p{number + 1}")
        city.wait_until_seen(FIRST)
        reaper = Reaper(city, database, SEED)
        begun = shown = time.monotonic()
        for kill in range(KILLS):
            time.sleep(PAUSE * reaper.chance.random())
            city.wait_for_progress()
            reaper.kill()
            if len(city.names) < FIRST + (MOST - FIRST) * kill // KILLS:
                city.settle(f"p{len(city.names)}", f"p{len(city.names) + 1}")
            if IS_LONG and time.monotonic() > shown + 10:
                shown = time.monotonic()
                tell(city, reaper, shown - begun)
        city.wait_for_relay()
        city.be_quiet()
        tally = city.require()
        single, last = city.claims()
        tell(city, reaper, time.monotonic() - begun)
        assert tally.sent
        assert single, last


def tell(city: City, reaper: Reaper, seconds: float) -> None:
    """Show how far it is."""
    tally = city.tally()
    single, last = city.claims()
    print(
        f"{city.store.partition(':')[0]} seed={SEED} {seconds:.0f} s: killed {dict(reaper.counts)}, "
        f"people {len(city.names)}, texts sent {len(tally.sent)}, seen {len(tally.seen)}, "
        f"waiting {len(tally.lost)}, twice {len(tally.twice)}, bundles single {len(single)} last {last}",
        file=sys.__stderr__,
        flush=True,
    )
