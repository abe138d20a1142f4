"""Loop: an event loop in a thread of its own, for programs without asyncio.

Not here: whose calls run in it (_sync.py).
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from threading import Thread
from typing import Final, TypeAlias, TypeVar

from letterlock.errors import StoreError

T = TypeVar("T")
Work: TypeAlias = Callable[[], Awaitable[T]]

_JOIN: Final = 30.0
"""Seconds for which the end of a loop is waited for."""


class Loop:
    """An event loop in a thread of its own."""

    __slots__ = ("_loop", "_thread")

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="letterlock client", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    @property
    def is_closed(self) -> bool:
        """Whether the loop has ended."""
        return self._loop.is_closed()

    def submit(self, work: Work[T]) -> "Future[T]":
        """Start work in the loop."""

        async def main() -> T:
            return await work()

        if self._loop.is_closed():
            raise StoreError("this client is closed: open it again")
        return asyncio.run_coroutine_threadsafe(main(), self._loop)

    def wait(self, work: Work[T]) -> T:
        """Do work in the loop, and return or raise what comes of it. An interrupt cancels the work."""
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End the loop and its thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_JOIN)
            self._loop.close()
