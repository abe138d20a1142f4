"""Call: one awaited call on its way from an event loop to the worker thread and back.

    state        who moves it there                      cancelled now
    WAITING      the caller, by making it                it does not happen: dropped, or rolled back
    CLAIMED      the worker, just before it commits      it happens; the caller gets no result
    ABANDONED    the caller, by being cancelled          -
    FINISHED     the worker, with a result or an error   it has happened; the caller gets no result

A lock decides between `claim` and `leave`, so a call is never both committed and abandoned.

Not here: what a call does (_worker.py), and the texts that reach no caller (_undelivered.py).
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from threading import Lock
from typing import Generic, TypeVar, cast

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import UsageError

T = TypeVar("T")


class State(Enum):
    """How far a call has come."""

    WAITING = auto()
    CLAIMED = auto()
    ABANDONED = auto()
    FINISHED = auto()


class Abandoned(Exception):
    """Nobody waits for the call any more: undo it. It never leaves the worker."""


class Call(Uncopyable, Generic[T]):
    """One call. `work` runs in the worker thread, and the result goes back to the caller's event loop."""

    __slots__ = ("_claimed", "_error", "_future", "_gone", "_lock", "_loop", "_state", "_value", "work")

    def __init__(self, work: Callable[["Call[T]"], T] | None) -> None:
        self.work = work
        self._gone = False
        # A coroutine may be destroyed when no loop runs any more; what it does then has no one to wake.
        self._loop = asyncio._get_running_loop()  # noqa: SLF001 (documented; returns None instead of raising)
        self._future: asyncio.Future[None] | None = None
        self._lock = Lock()
        self._state = State.WAITING
        self._claimed = False
        self._value: T | None = None
        self._error: BaseException | None = None

    # --- in the worker thread -----------------------------------------------------------------------

    @property
    def is_abandoned(self) -> bool:
        """Whether the call must not happen."""
        return self._state is State.ABANDONED

    @property
    def gone(self) -> bool:
        """Whether nobody will take the result."""
        return self._gone or self._loop is None or self._loop.is_closed()

    @property
    def is_claimed(self) -> bool:
        """Whether it was decided that the call happens, and it has not failed."""
        return self._claimed and self._error is None

    def claim(self) -> None:
        """Decide that the call happens. Raises Abandoned if nobody waits for it any more."""
        with self._lock:
            if self._state is State.ABANDONED:
                raise Abandoned
            self._state = State.CLAIMED
            self._claimed = True

    def finish(self, value: T) -> None:
        """Wake the caller with a result."""
        self._value = value
        self._finish()

    def fail(self, error: BaseException) -> None:
        """Wake the caller with an error."""
        self._error = error
        self._finish()

    def _finish(self) -> None:
        self.work = None  # it holds a plaintext or a message
        with self._lock:
            if self._state is State.ABANDONED:
                self._value = self._error = None
                return
            self._state = State.FINISHED
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the loop was closed meanwhile
            self._gone = True

    # --- in the thread of the event loop --------------------------------------------------------------

    def _wake(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def leave(self) -> bool:
        """Stop waiting. Return whether the call will not happen; otherwise it was claimed already."""
        with self._lock:
            if self._state is State.WAITING:
                self._state = State.ABANDONED
            self._gone = True
            return self._state is State.ABANDONED

    async def result(self) -> T:
        """Wait for the call's result, and return or raise it. A caller that is cancelled leaves the call."""
        try:
            await self._woken()
        except BaseException:
            self.leave()
            raise
        return self._take()

    async def settled(self) -> T:
        """Do the same, but postpone a cancellation that comes too late: the task's next `await` raises it.

        So a block that was committed is left normally, and one that a cancellation leaves was rolled back.
        """
        postponed = False
        while self._state is not State.FINISHED:
            try:
                await self._woken()
            except asyncio.CancelledError:
                if self.leave():
                    raise
                postponed = True
        task = asyncio.current_task()
        if postponed and task is not None:
            task.get_loop().call_soon(_cancel_again, task, task.cancelling())
        return self._take()

    def _woken(self) -> "asyncio.Future[None]":
        """Return a future for `_wake`, which runs in this thread: so it cannot have come before."""
        self._future = running_loop().create_future()
        return self._future

    def _take(self) -> T:
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # its traceback names this frame, which names the call
        value, self._value = self._value, None  # a text outlives its delivery nowhere
        return cast("T", value)


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of this thread. Raises UsageError if there is none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise UsageError("an AsyncAccount is used inside a running event loop of asyncio") from None


def _cancel_again(task: "asyncio.Task[object]", requests: int) -> None:
    """Cancel a task whose cancellation was postponed, unless whoever requested it has taken it back."""
    if requests and task.cancelling() >= requests:  # `asyncio.timeout` takes its request back when it ends
        task.uncancel()
        task.cancel()
