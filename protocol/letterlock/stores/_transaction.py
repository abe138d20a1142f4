"""Transaction: the block of a `with` statement, in which a store may be used.

If an interrupt falls on the first line of `__exit__`, Python calls nothing of ours any more. Then the
transaction ends when Python drops it, and nothing was committed.                                [STO-11]

Not here: who may enter (_lock.py); the account's own calls, which have no block (_calls.py).
"""

import inspect
import sys
from types import FrameType, TracebackType
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import StoreError, UsageError
from letterlock.stores._lock import BlockHold, Changes, StoreLock


class Transaction(Uncopyable):
    """One transaction, entered once. An exception undoes it and propagates."""

    __slots__ = ("_changes", "_hold", "_lock", "_mark", "_nests")

    def __init__(self, lock: StoreLock, changes: Changes, *, nests: bool = True) -> None:
        """`nests` is False for a transaction of a table's own method, inside the caller's one."""
        self._lock = lock
        self._changes = changes
        self._nests = nests
        self._hold: BlockHold | None = None
        self._mark = -1

    def __enter__(self) -> None:
        if self._hold is not None:
            raise UsageError("this transaction has been entered before: call `transaction()` again")
        caller = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        try:
            hold = self._hold = BlockHold(_holder(caller))
            self._lock.enter(hold, caller, nests=self._nests)
            self._mark = self._changes.begin(hold.level)
            hold.ready = True
        except BaseException:
            self._end_surely()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            self._end_surely()

    def __del__(self) -> None:
        hold = getattr(self, "_hold", None)  # an interrupt may have stopped `__init__`
        if hold is not None and hold.open:
            self._end()

    def _commit(self) -> None:
        hold = self._hold
        if hold is None:
            raise UsageError("this transaction was not entered")
        self._lock.require_innermost(hold)
        hold.ready = False
        self._changes.commit(hold.level)
        hold.committed = True

    def _end_surely(self) -> None:
        hold = self._hold
        try:
            self._end()
        finally:
            if hold is not None and hold.open:  # an interrupt stopped the first one
                self._end()

    def _end(self) -> None:
        """Undo what was not committed, and let others in."""
        hold = self._hold
        if hold is None or not hold.open:
            return
        hold.ready = False
        try:
            # What a transaction that ended before its turn did was undone with the one around it.
            if not hold.committed and self._lock.holds(hold):
                self._changes.undo(hold.level, self._mark)
        except StoreError:
            self._lock.leave(hold)
            raise
        self._lock.leave(hold)


_GENERATOR: Final = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR

_ENTERING: Final = frozenset({"__enter__", "__aenter__", "enter_context", "enter_async_context"})
"""Functions that enter a context for their caller, in `contextlib` and elsewhere."""


def _holder(frame: FrameType) -> FrameType:
    """Return the frame whose `with` block is being entered by a call in `frame`.

    A function that enters contexts for others passes the block on to its caller, and so does the generator
    of a `@contextmanager`.
    """
    while frame.f_back is not None and (
        frame.f_code.co_name in _ENTERING
        or (frame.f_code.co_flags & _GENERATOR and frame.f_back.f_code.co_name in _ENTERING)
    ):
        frame = frame.f_back
    return frame
