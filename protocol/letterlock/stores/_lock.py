"""StoreLock: one thread at a time uses a store, in the process that opened it, and its transactions nest.

    hold         wait until no other thread is inside; yields how many transactions enclose this one   [STO-1]
    require      is the calling thread inside a transaction?                                           [STO-2]
    closing      wait until no other thread is inside, for the last time

A process that forks copies everything its stores hold: a database connection that two processes must not
share, and chain keys that must not be used twice. So the copy refuses to work.                       [STO-5]

Not here: what a transaction does (_memory.py, _sqlite/database.py); other processes (_sqlite/database.py).
"""

from collections.abc import Generator
from contextlib import contextmanager
from os import getpid
from threading import RLock, get_ident

from letterlock.errors import StoreError


class StoreLock:
    """The right to use one store."""

    __slots__ = ("_closed", "_depth", "_lock", "_owner", "_pid")

    def __init__(self) -> None:
        self._pid = getpid()
        self._lock = RLock()
        self._owner: int | None = None
        self._depth = 0
        self._closed = False

    @property
    def inherited(self) -> bool:
        """Whether this is a copy that a fork made."""
        return getpid() != self._pid

    @contextmanager
    def hold(self) -> Generator[int]:
        """Wait until no other thread is inside, then yield how many transactions enclose this one."""
        # Checked before the lock too: in a forked copy, a thread that no longer exists may hold it for ever.
        self._require_usable()
        with self._lock:
            self._require_usable()
            level = self._depth
            try:
                self._owner, self._depth = get_ident(), level + 1
                yield level
            finally:
                # An outer transaction that ended too early has left a lower depth, which must not rise again.
                self._depth = min(self._depth, level)
                if level == 0:
                    self._owner = None

    @contextmanager
    def closing(self) -> Generator[bool]:
        """Wait until no other thread is inside, then yield whether to close.

        Nothing is left to close the second time, and nothing may be closed in a forked child.
        """
        if self.inherited:
            yield False
            return
        with self._lock:
            if self._depth:
                raise StoreError("a transaction is open: leave its block before closing the store")
            first, self._closed = not self._closed, True
            yield first

    def require(self) -> None:
        """Raise StoreError unless the calling thread is inside a transaction. STO-2"""
        # Every method of every table asks, so the usual answer comes first, in one expression.
        if self._owner == get_ident() and self._pid == getpid() and not self._closed:
            return
        self._require_usable()
        # Another thread's transaction does not count: this call would become part of it.
        raise StoreError("a store is used inside its transactions: write `with store.transaction():`")

    def require_innermost(self, level: int) -> None:
        """Raise StoreError unless this process may end the transaction of this level now."""
        self._require_usable()
        if self._depth != level + 1:
            raise StoreError("an inner transaction is still open: do not await or yield inside one")

    def _require_usable(self) -> None:
        if self.inherited:
            raise StoreError("this store was opened before a fork: open it again in the child process")
        if self._closed:
            raise StoreError("store is closed")
