"""Bodies of documents in threads of their own: neither the event loop nor the store waits for them.

    the calling thread      an event loop
    a thread for each body  reads and writes the source, the storage and the target
    the store's thread      each step that needs the store, in a transaction of its own

A body that is cancelled ends at its next batch, when it would tell its progress.

Not here: what the steps are (documents/_bodies.py).
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import TypeVar

from letterlock.client._office import Office
from letterlock.documents._sealing import Pace
from letterlock.errors import StoreError

T = TypeVar("T")


class _CancelledError(Exception):
    """Raised in the thread of a body that nobody waits for any more. It never leaves this module."""


class BodyThread:
    """Does one body's work in another thread."""

    __slots__ = ("_cancelled", "_loop", "_office")

    def __init__(self, office: Office) -> None:
        self._office = office
        self._loop = asyncio.get_running_loop()
        self._cancelled = Event()

    async def run(self, work: Callable[[], T]) -> T:
        """Call a function in another thread, and wait for it."""
        running = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._cancelled.set()
            await asyncio.wait([running])  # what it writes to is the caller's again only then
            if not running.cancelled():
                running.exception()
            raise

    def in_store(self, step: Callable[[], T], /) -> T:
        """Call a function in the store's thread. To be called in the thread of the body."""
        if self._cancelled.is_set():
            raise _CancelledError
        try:
            return asyncio.run_coroutine_threadsafe(self._office.run(step), self._loop).result()
        except RuntimeError:
            raise StoreError("the client has ended: open it again") from None

    def told(self, done: int, whole: int | None) -> None:
        """End the work if nobody waits for it."""
        del done, whole
        if self._cancelled.is_set():
            raise _CancelledError

    def pace(self, pace: Pace) -> Pace:
        """Return a pace that also asks whether the work was cancelled."""
        inner = pace.progress

        def progress(done: int, whole: int | None) -> None:
            self.told(done, whole)
            if inner is not None:
                inner(done, whole)

        return replace(pace, progress=progress)
