"""Calls: what the tasks of a relay ask of the store, each in a task of its own.

A batch that was begun must be ended, or the servers keep it for ten seconds. So a call whose caller was
cancelled goes on, and the caller is cancelled when it has ended, or a second later. One that has not begun
ends at once. Calls for one account wait for each other in this process: they would refuse each other.

Not here: what the calls do.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from letterlock.errors import UsageError

T = TypeVar("T")

_LOCKS: Final = 1024

_LAST_SECONDS: Final = 1.0
"""How long a caller that was cancelled waits for its call: servers that are away take longer."""


class Calls:
    """The calls of one store."""

    __slots__ = ("_is_open", "_locks", "_tasks")

    def __init__(self) -> None:
        self._is_open = False
        self._locks = [asyncio.Lock() for _ in range(_LOCKS)]
        self._tasks: set[asyncio.Task[Any]] = set()

    def open(self) -> None:
        """Begin to take calls."""
        self._is_open = True

    async def close(self) -> None:
        """Refuse new calls, and wait for those that run."""
        self._is_open = False
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def run(self, call: Callable[[], Coroutine[Any, Any, T]], key: bytes | None = None) -> T:
        """Make a call, alone in this process among those with this key."""
        if not self._is_open:
            raise UsageError("the relay's store is closed: open it again")
        begun = asyncio.Event()
        task = asyncio.create_task(self._make(call, key, begun))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not begun.is_set():
                task.cancel()
            task.add_done_callback(_ended)
            await asyncio.wait({task}, timeout=_LAST_SECONDS)
            raise

    async def _make(
        self, call: Callable[[], Coroutine[Any, Any, T]], key: bytes | None, begun: asyncio.Event
    ) -> T:
        if key is None:
            begun.set()
            return await call()
        async with self._locks[int.from_bytes(key[-4:], "big") % _LOCKS]:
            begun.set()
            return await call()


def _ended(task: asyncio.Task[Any]) -> None:
    """Take what a call raised that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
