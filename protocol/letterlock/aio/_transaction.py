"""AsyncTransaction: an `async with` block whose calls commit together, or not at all.

A transaction belongs to the task that entered it. The calls of other tasks wait until it ends, except those
of a task that was started inside: the block may wait for that task, so its calls are refused. Such a task has
inherited the context of the block, by which it is recognised.

Not here: what the worker does meanwhile (_worker.py).
"""

from asyncio import current_task
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from letterlock._primitives.secret import Uncopyable
from letterlock.aio._call import running_loop
from letterlock.aio._worker import Begin, End, Worker
from letterlock.errors import StoreError, UsageError

_entered: ContextVar["AsyncTransaction | None"] = ContextVar("letterlock_transaction", default=None)
"""The innermost transaction whose block this context was in when it was copied or set."""


def is_inside(worker: Worker[Any]) -> bool:
    """Return whether the running task is inside the transaction that the worker has open.

    Raises UsageError in a task that was started there, and outside a running event loop.
    """
    running_loop()
    if worker.turns.inherited:
        return False  # whatever the parent process was inside
    entered = _entered.get()
    while entered is not None:
        if entered.is_open and entered.worker is worker:
            if entered.owner is current_task():
                return True
            raise UsageError(
                "this task was started inside the transaction of another task, which may wait for it: make "
                "the call in that task, or start this one outside"
            )
        entered = entered.outer
    return False


class AsyncTransaction(Uncopyable):
    """One transaction, entered once."""

    __slots__ = ("_used", "is_open", "outer", "owner", "worker")

    def __init__(self, worker: Worker[Any]) -> None:
        self.worker = worker
        self.owner: object = None
        self.outer: AsyncTransaction | None = None
        self.is_open = False
        self._used = False

    async def __aenter__(self) -> None:
        inside = is_inside(self.worker)
        if self._used:
            raise UsageError("this transaction was entered before: call `transaction()` again")
        self._used = True
        begin = Begin(self)
        self.worker.turns.add(begin, inside=inside)
        try:
            await begin.result()
        except BaseException:
            if begin.has_begun:
                self._end(commits=False)
            raise
        self.owner = current_task()
        self.outer = _entered.get()
        self.is_open = True
        _entered.set(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.is_open = False
        if _entered.get() is self:
            _entered.set(self.outer)
        end = self._end(commits=kind is None)
        # A coroutine that is being destroyed cannot wait.
        if end is not None and (kind is None or not issubclass(kind, GeneratorExit)):
            await end.settled()

    def _end(self, *, commits: bool) -> End | None:
        end = End(self, commits=commits)
        try:
            self.worker.turns.add(end, inside=True)
        except StoreError:
            # The worker has ended, or exists only in the parent process: nothing was committed here.
            if commits:
                raise
            return None
        return end
