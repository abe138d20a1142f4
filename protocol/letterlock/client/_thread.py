"""StoreThread: the one thread in which a client uses its store.

Every call is a transaction that is committed only if somebody still waits for it, as those of `AsyncAccount`
are; the same worker makes them.

Not here: what the calls do (_queue.py).
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock.aio._call import Call
from letterlock.aio._transaction import AsyncTransaction, is_inside
from letterlock.aio._worker import End, Worker
from letterlock.errors import StoreError
from letterlock.limits import BUSY_TIMEOUT
from letterlock.stores import Store

T = TypeVar("T")
P = ParamSpec("P")


class StoreThread(Uncopyable):
    """A worker thread and its store."""

    __slots__ = ("_worker",)

    def __init__(self, worker: Worker[Any]) -> None:
        self._worker = worker

    @classmethod
    async def open(
        cls, store: Callable[[], Store], make: Callable[[Store], T], busy_timeout: float = BUSY_TIMEOUT
    ) -> tuple["StoreThread", T]:
        """Open a store in a new thread, and return what `make` makes of it, in a transaction of its own."""
        worker: Worker[Any] = Worker(store, owns_store=True, timeout=busy_timeout)
        thread = cls(worker)

        def work(call: Call[T]) -> T:
            opened = worker.open_store()
            call.claim()
            return make(opened)

        call = Call[T](work)
        try:
            worker.turns.add(call)
            return thread, await call.result()
        except BaseException:
            await thread.close()
            raise

    @property
    def store(self) -> Any:  # noqa: ANN401 (whatever the application passed)
        """The store."""
        return self._worker.store

    @property
    def is_inside(self) -> bool:
        """Whether the running task is inside `transaction`."""
        return is_inside(self._worker)

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in the thread, in a transaction of the store, and return its result.

        If it raises, what it wrote is undone.                                                       [CLN-1]
        """
        context = copy_context()

        def work(_: Call[Any]) -> T:
            with self._worker.store.transaction():  # `transact` alone commits what a failing call wrote
                return context.run(function, *args, **kwargs)

        call = Call[T](lambda call: self._worker.transact(work, call))
        self._worker.turns.add(call, inside=self.is_inside)
        return await call.result()

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Group calls of this task into one commit."""
        return AsyncTransaction(self._worker)

    def stop(self) -> None:
        """End the thread without waiting: for a coroutine that is being destroyed."""
        self._worker.turns.stop()

    async def close(self) -> None:
        """Close the store after the calls that were made before, and end the thread."""
        if self._worker.turns.inherited:
            return
        if self.is_inside:
            raise StoreError("a transaction is open: leave its block before closing the client")
        end = End(None, commits=False)
        if self._worker.turns.add_last(end):
            await end.result()

    def __repr__(self) -> str:
        return "<StoreThread>"
