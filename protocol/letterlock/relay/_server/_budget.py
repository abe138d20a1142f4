"""The memory of one worker for bodies that are read, and answers and frames that are written.

    Budget      all of it: callers without a token have half
    Share       the half of it that sockets may use

Whoever takes an answer slowly holds memory that others need. As long as there is enough, each has its time
(`answer-seconds`). When somebody finds no room, the connection that was slow for longest is closed. [RLY-32]

Not here: reading a body (_body.py); what is written (_answer.py, _socket.py).
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from time import monotonic
from typing import Final, cast

from starlette.types import Scope

ABORT: Final = "letterlock.abort"
"""The extension of a connection's scope that closes it at once, whatever it has still to send."""

SLOW_SECONDS: Final = 10.0
"""For how long a connection may hold memory that others wait for. A line of 4 Mbit/s takes the largest
answer in that time."""

_LOOK_SECONDS: Final = 1.0


class Budget:
    """Bytes that may be held at the same time. `count` is told of each change."""

    def __init__(self, most: int, count: Callable[[int], None]) -> None:
        self._most = most
        self._count = count
        self._held = 0
        self._freed = asyncio.Event()
        self._writing: dict[object, tuple[float, Callable[[], None]]] = {}  # the oldest first

    def take(self, size: int, *, known: bool) -> bool:
        """Hold so many bytes more, if they fit; for a caller without a token, into half of the memory."""
        if self._held + size > (self._most if known else self._most // 2):
            self.close_slowest()
            return False
        self._held += size
        self._count(size)
        return True

    def give_back(self, size: int) -> None:
        """Let bytes go."""
        self._held -= size
        self._count(-size)
        self._freed.set()

    async def some_freed(self) -> None:
        """Wait until somebody lets bytes go, or for a second."""
        self._freed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._freed.wait()

    @contextmanager
    def writing(self, scope: Scope) -> Generator[None]:
        """Know, while the block runs, that a connection holds memory until its client takes what it gets."""
        key = object()
        self._writing[key] = monotonic(), _abort_of(scope)
        try:
            yield
        finally:
            self._writing.pop(key, None)

    def close_slowest(self) -> None:
        """Close the connection that has been written to for longest, if that is too long."""
        for key, (since, abort) in self._writing.items():
            if monotonic() - since >= SLOW_SECONDS:
                del self._writing[key]
                abort()
            return


class Share:
    """A part of a budget, in bytes, for which many may wait."""

    def __init__(self, whole: Budget, most: int) -> None:
        self._whole = whole
        self._most = most
        self._held = 0
        self._turn = asyncio.Lock()

    def take(self, size: int) -> bool:
        """Hold so many bytes more, if they fit into the part and into the whole."""
        if self._held + size > self._most:
            self._whole.close_slowest()
            return False
        if not self._whole.take(size, known=True):
            return False
        self._held += size
        return True

    async def wait_for(self, size: int) -> None:
        """Hold so many bytes more as soon as they fit. Those who wait get theirs in turn."""
        async with self._turn:
            while not self.take(size):
                await self._whole.some_freed()

    def give_back(self, size: int) -> None:
        """Let bytes go."""
        self._held -= size
        self._whole.give_back(size)

    def writing(self, scope: Scope) -> AbstractContextManager[None]:
        """See Budget."""
        return self._whole.writing(scope)


def _abort_of(scope: Scope) -> Callable[[], None]:
    found = scope.get("extensions", {}).get(ABORT)
    return cast("Callable[[], None]", found) if found is not None else _nothing


def _nothing() -> None:
    """Stand for a connection that cannot be closed, as in a test."""
