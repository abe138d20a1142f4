"""Pace: how long a client waits, and how chance spreads its calls.

    back-off        a random time between 0 and 1, 2, 4, ... 60 s, at least what the relay asked for
    refill          a random time between 0 and a minute: when a relay comes back, not all call at once

Not here: what is waited for.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from random import SystemRandom
from typing import Any, Final

_RANDOM: Final = SystemRandom()
_MOST_DOUBLINGS: Final = 16


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds. `scale` makes all of them shorter, for tests."""

    first: float = 1.0
    most: float = 60.0
    refill: float = 60.0
    upkeep: float = 3600.0
    poll: int = 50
    without_socket: float = 600.0
    scale: float = 1.0

    def backoff(self, failures: int, least: float = 0.0) -> float:
        """Return how long to wait after so many failures in a row, 1 or more."""
        limit = min(self.most, self.first * float(2 ** min(failures - 1, _MOST_DOUBLINGS)))
        return self.scale * (least + _RANDOM.random() * limit)

    def spread(self, seconds: float) -> float:
        """Return a random time of at most so many seconds."""
        return self.scale * _RANDOM.random() * seconds

    def about(self, seconds: float) -> float:
        """Return a random time around so many seconds."""
        return self.scale * seconds * (0.9 + 0.2 * _RANDOM.random())


class Backoff:
    """How often in a row something has failed, and the wait that follows."""

    __slots__ = ("_pace", "failures")

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.failures = 0

    def succeeded(self) -> None:
        """Begin at the shortest wait again."""
        self.failures = 0

    async def wait(self, least: float = 0.0) -> None:
        """Wait after one more failure, `least` seconds at least."""
        self.failures += 1
        await asyncio.sleep(self._pace.backoff(self.failures, least))


async def woken(event: asyncio.Event, seconds: float | None) -> None:
    """Wait until an event is set, but no longer than so many seconds; then clear it."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()


async def together(jobs: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do jobs at the same time, each to its end; then raise the error of the first one that failed."""
    for error in await asyncio.gather(*jobs, return_exceptions=True):
        if error is not None:
            raise error
