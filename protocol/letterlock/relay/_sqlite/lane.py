"""Lane: a thread with a connection of its own, in which many calls share one transaction.

    take every call that waits -> begin -> (savepoint, call, release) for each -> commit -> answer them all

While one batch is being synced to disk, the next one gathers. So a sync serves as many calls as wait for it,
and a single call waits for nobody.

    a call raises          its savepoint is undone, the others go on
    the commit fails       every call of the batch raises
    a task is cancelled    its call is left out if it had not begun; otherwise it is committed like the others

Not here: what the calls do (accounts.py and its neighbours), connections (database.py).
"""

import asyncio
import queue
import sqlite3
from asyncio import AbstractEventLoop, Future
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Any, Final, TypeVar

from letterlock.errors import StoreError, UsageError
from letterlock.relay._sqlite.database import store_error

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]

_MOST_CALLS: Final = 256
"""Calls in one transaction: enough to share a sync, few enough that none waits long for the others."""


class Undo(Exception):
    """Raised by a call to undo all that it did, and to answer `value`. It never leaves this module."""

    def __init__(self, value: object) -> None:
        self.value = value


class _Call:
    __slots__ = ("error", "future", "loop", "then", "value", "work")

    def __init__(
        self,
        work: Work[Any],
        loop: AbstractEventLoop,
        future: "Future[Any]",
        then: Callable[[Any], None] | None,
    ) -> None:
        self.work = work
        self.loop = loop
        self.future = future
        self.then = then
        self.value: Any = None
        self.error: BaseException | None = None

    def answer(self) -> None:
        """Wake the task. Runs in its event loop."""
        if self.error is None and self.then is not None:
            self.then(self.value)
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


class Lane:
    """One thread and one connection. `begin` is the statement that begins each transaction."""

    __slots__ = ("_begin", "_calls", "_connection", "_is_closed", "_lock", "_thread")

    def __init__(self, connection: sqlite3.Connection, begin: str) -> None:
        self._connection = connection
        self._begin = begin
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._lock = Lock()
        self._is_closed = False
        self._thread = Thread(target=self._run, name="letterlock relay store", daemon=True)
        self._thread.start()

    async def call(self, work: Work[T], then: Callable[[T], None] | None = None) -> T:
        """Make a call, and return its answer when it is durable.

        `then` is called with the answer in the event loop, even if the task was cancelled meanwhile.
        """
        loop = asyncio.get_running_loop()
        future: Future[T] = loop.create_future()
        with self._lock:  # so that nothing comes after the end
            if self._is_closed:
                raise UsageError("the relay's store is closed: open it again")
            self._calls.put(_Call(work, loop, future, then))
        return await future

    async def close(self) -> None:
        """End the thread and the connection after all calls that were made before."""
        with self._lock:
            self._is_closed = True
            self._calls.put(None)
        await asyncio.to_thread(self._thread.join)

    # --- in the thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch = [self._calls.get()]
            with suppress(queue.Empty):
                while len(batch) < _MOST_CALLS:
                    batch.append(self._calls.get_nowait())
            is_open = None not in batch
            calls = [call for call in batch if call is not None and not call.future.cancelled()]
            self._make(calls)
            _answer(calls)
        self._connection.close()

    def _make(self, calls: list[_Call]) -> None:
        """Make calls in one transaction, and set what each has to answer."""
        if not calls:
            return
        connection = self._connection
        try:
            connection.execute(self._begin)
            for call in calls:
                self._make_one(call)
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 (each caller gets it)
            for call in calls:
                call.error = _failure(error)  # one for each: whoever raises it writes into it
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")

    def _make_one(self, call: _Call) -> None:
        """Make a call in a savepoint, so that it happens whole or not at all."""
        execute = self._connection.execute
        execute("SAVEPOINT call")
        try:
            call.value = call.work(self._connection)
        except Undo as undo:
            call.value = undo.value
        except sqlite3.Error as error:
            call.error = store_error(error)
        except BaseException as error:  # noqa: BLE001 (the caller gets it)
            call.error = error
        else:
            execute("RELEASE call")
            return
        if not self._connection.in_transaction:
            # SQLite undid the calls before too, as it does where the disk is full.
            raise StoreError("the transaction was undone: free space on the disk, and look at its health")
        execute("ROLLBACK TO call")
        execute("RELEASE call")


def _failure(error: BaseException) -> StoreError:
    """Return why a transaction failed."""
    if isinstance(error, sqlite3.Error):
        return store_error(error)
    return StoreError(
        *error.args if isinstance(error, StoreError) else [f"the transaction failed: {error!r}"]
    )


def _answer(calls: list[_Call]) -> None:
    """Wake the tasks of a batch: each event loop is woken once."""
    loops: defaultdict[AbstractEventLoop, list[_Call]] = defaultdict(list)
    for call in calls:
        loops[call.loop].append(call)
    for loop, its in loops.items():
        with suppress(RuntimeError):  # the loop was closed, and nobody waits in it
            loop.call_soon_threadsafe(_answer_in_loop, its)


def _answer_in_loop(calls: list[_Call]) -> None:
    for call in calls:
        call.answer()
