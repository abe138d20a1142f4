"""What a relay does by itself: samples for rates, counting what is stored, deleting what is out of time.

Not here: what is out of time (the store).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic, time
from typing import Final

from letterlock.relay._relay import Relay
from letterlock.relay._server._logs import Faults
from letterlock.relay._server._metrics import Metrics
from letterlock.relay._server._rates import STEP, Rates
from letterlock.relay._store import RelayStore

_COUNT_SECONDS: Final = 60
EXPIRE_SECONDS: Final = 600
_PAUSE: Final = 0.05
"""Seconds between two steps of deleting: requests go first."""


class DeletionTime:
    """The time by which things are deleted: never ahead of the clock, and at most twice as fast as time.

    So a clock that jumps a year deletes nothing, unless the relay starts again meanwhile. A relay that was
    asleep deletes later. [RLY-33]
    """

    def __init__(self, clock: Callable[[], float] = time, steady: Callable[[], float] = monotonic) -> None:
        self._clock, self._steady = clock, steady
        self._time, self._at = clock(), steady()

    def now(self) -> int:
        """Return the time in seconds since 1970."""
        at = self._steady()
        self._time = min(self._clock(), self._time + 2 * (at - self._at))
        self._at = at
        return int(self._time)


class Upkeep:
    """The background work of one worker. One of several workers is `first`: it alone works on the store."""

    def __init__(
        self, relay: Relay, store: RelayStore, metrics: Metrics, rates: Rates, faults: Faults
    ) -> None:
        self._relay = relay
        self._store = store
        self._metrics = metrics
        self._rates = rates
        self._faults = faults
        self._time = DeletionTime()
        self._others: list[Callable[[int], Awaitable[None]]] = []

    def add(self, work: Callable[[int], Awaitable[None]]) -> None:
        """Let something else delete what has ended, at the times at which the relay does."""
        self._others.append(work)

    async def run(self, *, first: bool) -> None:
        """Work until cancelled."""
        loops = [self._repeat(self._sample, STEP)]
        if first:
            loops += [
                self._repeat(self._count, _COUNT_SECONDS),
                self._repeat(self._expire, EXPIRE_SECONDS),
                *(self._repeat(partial(self._by_time, work), EXPIRE_SECONDS) for work in self._others),
            ]
        await asyncio.gather(*loops)

    async def _repeat(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        await repeat(work, seconds, self._faults)

    async def _by_time(self, work: Callable[[int], Awaitable[None]]) -> None:
        await work(self._time.now())

    async def _sample(self) -> None:
        self._rates.add(monotonic(), self._metrics.totals())

    async def _count(self) -> None:
        self._metrics.stored(await self._store.counts())

    async def _expire(self) -> None:
        more = True
        while more:
            expired = await self._relay.expire(self._time.now())
            self._metrics.expired(expired.messages)
            more = expired.more
            await asyncio.sleep(_PAUSE)


async def repeat(work: Callable[[], Awaitable[None]], seconds: float, faults: Faults) -> None:
    """Do some work now, and about every so many seconds, until cancelled."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - the store may be down: it is asked again
            faults.note(error)
        # Several machines on one store must not all do this in the same moment.
        await asyncio.sleep(seconds * random.uniform(0.9, 1.1))  # noqa: S311 - no secret
