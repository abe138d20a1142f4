"""Worker: the one thread that uses a store.

    call         begin; work; claim; commit           rolled back if nobody waits for it any more
    Begin        begin; claim; make the calls inside  a loop inside a `with` block of this thread
    End          claim; commit, or roll back          the loop ends

So a transaction that spans the awaits of a task holds this thread, and never the thread of an event loop.

Not here: whose turn it is (_turns.py), which task is inside (_transaction.py), the calls (_account.py).
"""

import atexit
from collections.abc import Callable
from os import getpid
from threading import Thread, get_ident
from typing import Any, Final, Generic, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock.aio._call import Abandoned, Call
from letterlock.aio._turns import Turns
from letterlock.aio._undelivered import Undelivered
from letterlock.errors import StoreError, UsageError
from letterlock.stores import Store

S = TypeVar("S", bound=Store)
T = TypeVar("T")


class Begin(Call[None]):
    """Begins the transaction that the `End` with the same `block` ends."""

    __slots__ = ("block",)

    def __init__(self, block: object) -> None:
        super().__init__(None)
        self.block = block

    @property
    def has_begun(self) -> bool:
        """Whether the transaction began, so that it must be ended."""
        return self.is_claimed


class End(Call[None]):
    """Commits or rolls back the transaction `block`. If that is None, rolls back all, and ends the worker."""

    __slots__ = ("block", "commits", "misplaced")

    def __init__(self, block: object | None, *, commits: bool) -> None:
        super().__init__(None)
        self.block = block
        self.commits = commits
        self.misplaced = False
        """Whether it would commit while a transaction inside it is still open."""

    def end(self, error: BaseException | None) -> None:
        """Wake the caller."""
        if error is None:
            self.finish(None)
        else:
            self.fail(error)


class _RolledBackError(Exception):
    """Raised in a transaction to undo it. It never leaves this module."""


_JOIN_SECONDS: Final = 30.0
"""How long the interpreter's exit waits for the call that is being made."""


_workers: dict[tuple[int, int], "Worker[Any]"] = {}
"""The workers by process and by their stores' ids. Two workers of one store would wait for each other."""


class Worker(Uncopyable, Generic[S]):
    """A thread and its store. It ends when an `End` without a block is its turn, or with `turns.stop()`."""

    __slots__ = ("_blocks", "_exiting", "_open", "_store", "_thread", "owns_store", "turns", "undelivered")

    def __init__(self, open_store: Callable[[], S], *, owns_store: bool, timeout: float) -> None:
        """`open_store` is called in the thread. A store that is owned is closed at the end."""
        self.turns = Turns(timeout)
        self.undelivered = Undelivered()
        self.owns_store = owns_store
        self._open = open_store
        self._store: S | None = None
        self._blocks: list[object] = []
        self._exiting = False
        self._thread = Thread(target=self._run, name="letterlock", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            raise StoreError(f"no thread can be started for the store: {error}") from None
        # The interpreter may crash if a daemon thread comes out of another language's code during its exit.
        atexit.register(self._stop_and_wait)

    def _stop_and_wait(self) -> None:
        if not self.turns.inherited:
            self._exiting = True
            self.turns.stop()
            self._thread.join(_JOIN_SECONDS)

    # --- in the worker thread -------------------------------------------------------------------------

    @property
    def store(self) -> S:
        """The store, after `open_store`."""
        if self._store is None:
            raise StoreError("the store is not open")
        return self._store

    def open_store(self) -> S:
        """Open the store. Raises what opening it raises."""
        store = self._open()
        if _workers.setdefault((getpid(), id(store)), self) is not self:
            raise UsageError("this store has an AsyncAccount already: share it, or open the store again")
        self._store = store
        return store

    def transact(self, work: Callable[[Call[Any]], T], call: Call[Any]) -> T:
        """Work in a transaction that is committed only if somebody still waits for the call."""
        mark, value, failure = self.undelivered.mark(), list[T](), None
        try:
            with self.store.transaction():
                # An account's call that fails has undone what must be undone; what it left is committed.
                try:
                    value.append(work(call))
                except BaseException as error:  # noqa: BLE001 (raised again below)
                    failure = error
                call.claim()
        except BaseException as error:
            self.undelivered.undo(mark)
            value.clear()  # the error's traceback names this frame
            if failure is not None and not isinstance(error, Abandoned):
                raise failure from None
            raise
        self._committed()
        if failure is not None:
            raise failure
        return value[0]

    def _committed(self) -> None:
        if not self._blocks:
            self.undelivered.forget()

    def _run(self) -> None:
        self.turns.worker = get_ident()
        end = self._serve()
        error: BaseException | None = None
        try:
            if self.owns_store and self._store is not None:
                self._store.close()
        except BaseException as raised:  # noqa: BLE001 (`close` raises it)
            error = raised
        _workers.pop((getpid(), id(self._store)), None)
        if not self._exiting:
            atexit.unregister(self._stop_and_wait)
        for call in (end, *self.turns.drain()):
            if isinstance(call, End) and not call.commits:
                call.end(error)
            else:
                call.fail(StoreError("this account is closed: open it again"))

    def _serve(self) -> End:
        """Make calls as their turn comes, and return the one that ends this loop."""
        while True:
            call = self.turns.next(held=bool(self._blocks))
            match call:
                case None:
                    return End(None, commits=False)
                case End(block=block) if block is None or block in self._blocks:
                    return call
                case End(commits=commits):
                    call.end(StoreError("this transaction was ended before") if commits else None)
                case Begin():
                    end = self._hold(call)
                    if end is not None:
                        return end
                case _:
                    _make(call)

    def _hold(self, begin: Begin) -> End | None:
        """Make the calls of a transaction. Return the end of another one around it, or None."""
        mark, end = self.undelivered.mark(), None
        try:
            with self.store.transaction():
                begin.claim()
                self._blocks.append(begin.block)
                begin.finish(None)
                end = self._serve()
                _require_own(end, begin.block)
                end.claim()
        except BaseException as error:  # noqa: BLE001 (the caller of the beginning or of the end gets it)
            self.undelivered.undo(mark)
            return self._undone(begin, end, error)
        self._blocks.pop()
        self._committed()
        end.finish(None)
        return None

    def _undone(self, begin: Begin, end: End | None, error: BaseException) -> End | None:
        """Tell the task about a transaction that was rolled back."""
        if end is None:
            if not isinstance(error, Abandoned):
                begin.fail(error)
            return None
        self._blocks.pop()
        self._committed()
        if end.block is not begin.block:
            # Not nested as `async with` nests them. The outer one must not commit half of its calls.
            end.misplaced = end.commits
            return end
        end.end(None if isinstance(error, _RolledBackError | Abandoned) else error)
        return None


def _require_own(end: End, block: object) -> None:
    """Raise unless this commits this very transaction."""
    if end.misplaced:
        raise StoreError("an inner transaction is still open: leave the inner `async with` first")
    if end.block is not block or not end.commits:
        raise _RolledBackError


def _make(call: Call[Any]) -> None:
    """Do a call's work, and wake its caller."""
    if call.work is None or call.is_abandoned:
        return
    try:
        value = call.work(call)
    except Abandoned:
        return
    except BaseException as error:  # noqa: BLE001 (the caller gets it)
        call.fail(error)
    else:
        call.finish(value)
