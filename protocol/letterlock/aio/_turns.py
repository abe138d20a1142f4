"""Turns: the calls that wait for the worker, and whose turn it is.

    waiting    calls of all tasks, in order
    inside     calls of the task whose transaction is open: until it ends, it is the turn of these only

Not here: what is done with a call (_worker.py).
"""

from collections import deque
from math import inf
from os import getpid
from threading import TIMEOUT_MAX, Condition, Thread, get_ident
from time import monotonic
from typing import Any

from letterlock._primitives.secret import Uncopyable
from letterlock.aio._call import Call
from letterlock.errors import StoreBusy, StoreError, UsageError


class Turns(Uncopyable):
    """Two queues. `timeout` is how many seconds a call waits for another task's transaction."""

    __slots__ = (
        "_closed",
        "_drained",
        "_inside",
        "_pid",
        "_ready",
        "_stopped",
        "_timeout",
        "_waiting",
        "worker",
    )

    def __init__(self, timeout: float) -> None:
        if type(timeout) not in {int, float} or not 0 <= timeout <= TIMEOUT_MAX:
            raise UsageError("busy_timeout must be a number of seconds, 0 or more")
        self._timeout = timeout
        self._pid = getpid()
        # Its lock is reentrant, because the garbage collector may call `stop` anywhere.
        self._ready = Condition()
        self.worker = 0
        """The worker thread's identifier."""
        self._waiting: deque[tuple[float, Call[Any]]] = deque()
        self._inside: deque[Call[Any]] = deque()
        self._closed = False
        self._stopped = False
        self._drained = False

    # --- in the threads of event loops ----------------------------------------------------------------

    @property
    def inherited(self) -> bool:
        """Whether this is a copy that a fork made. It has no worker thread."""
        return getpid() != self._pid

    def add(self, call: Call[Any], *, inside: bool = False) -> None:
        """Let a call wait for its turn. Raises StoreError in a forked child, and after the last call.

        The last call waits for an open transaction, so calls inside it still come.
        """
        # Checked before the lock: in a forked copy, a thread that no longer exists may hold it for ever.
        if self.inherited:
            raise StoreError("this account was opened before a fork: open it again in the child process")
        if get_ident() == self.worker:
            raise UsageError("a function that `run` calls would wait for itself: await the call outside it")
        with self._ready:
            if self._stopped or (self._closed and not inside):
                raise StoreError("this account is closed: open it again")
            if inside:
                self._inside.append(call)
            else:
                self._waiting.append((monotonic() + self._timeout, call))
            self._ready.notify()

    def add_last(self, call: Call[Any]) -> bool:
        """Let a call wait for its turn, however long; accept only last ones after it.

        Return False if the worker has ended.
        """
        with self._ready:
            self._closed = True
            if not self._drained:
                self._waiting.append((inf, call))
                self._ready.notify()
            return not self._drained

    def stop(self) -> None:
        """Let `next` return None from now on."""
        if self.inherited:
            return
        if get_ident() == self.worker:
            # The garbage collector called this, perhaps in the middle of `next`, which would not notice.
            Thread(target=self.stop, daemon=True).start()
            return
        with self._ready:
            self._closed = self._stopped = True
            self._ready.notify()

    # --- in the worker thread -------------------------------------------------------------------------

    def next(self, *, held: bool) -> Call[Any] | None:
        """Wait for the next call and return it. `held` says that a transaction is open.

        A call that has waited too long for the transaction fails with StoreBusy: perhaps the task inside
        waits for the task of this call.
        """
        with self._ready:
            while not self._stopped:
                seconds = self._refuse_late() if held else None
                if self._inside:
                    return self._inside.popleft()
                if self._waiting and not held:
                    return self._waiting.popleft()[1]
                self._ready.wait(seconds)
            return None

    def _refuse_late(self) -> float | None:
        """Fail the calls that have waited too long; return how many seconds the next one may still wait."""
        now = monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            text = f"a transaction of another task stayed open for {self._timeout:g} s: try again"
            self._waiting.popleft()[1].fail(StoreBusy(text))
        until = self._waiting[0][0] if self._waiting else inf
        return until - now if until < inf else None

    def drain(self) -> list[Call[Any]]:
        """Accept no more calls; return those that wait."""
        with self._ready:
            self._closed = self._stopped = self._drained = True
            left = [*self._inside, *(call for _, call in self._waiting)]
            self._inside.clear()
            self._waiting.clear()
            return left
