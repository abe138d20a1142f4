"""StoreLock: one thread and task at a time uses a store, in the process that opened it.

    begin, commit, undo    what a store does for its transaction (`Changes`)
    level 0                the outermost transaction; others nest in it as levels 1, 2, ...        [STO-1]

    enter        wait until no other thread is inside, or nest in the caller's own transaction     [STO-1]
    run          one call of the library as a transaction: what it runs checks nothing again       [STO-1]
    require      is the calling thread, with the task that runs in it, inside a transaction?       [STO-2]
    leave        let others in; calling it again changes nothing
    close        wait until no other thread is inside, for the last time

A transaction belongs to a thread and, if tasks or greenlets run in that thread, to one of them.   [STO-9]

A process that forks copies everything its stores hold: a database connection that two processes must not
share, and chain keys that must not be used twice. So the copy refuses to work.                    [STO-5]

An interrupt (Ctrl-C) can raise at any line. So what must happen at the end is tried twice, and each step may
be repeated: the state tells how far it came, and a reentrant lock refuses to be released if its thread does
not hold it.                                                                                      [STO-11]

Not here: the transactions of `with` blocks (_transaction.py); what a transaction does (_memory.py,
_sqlite/database.py); other processes (_sqlite/database.py).
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from os import getpid
from threading import RLock, get_ident
from time import monotonic
from types import CodeType, FrameType, ModuleType
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple

from letterlock.errors import StoreBusy, StoreError, UsageError
from letterlock.limits import MAX_BUSY_TIMEOUT
from letterlock.stores._reentry import require_reachable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Changes(Protocol):
    """What a transaction of one level does to a store's rows."""

    def begin(self, level: int) -> int:
        """Begin to record changes; return a mark for `undo`."""
        ...

    def commit(self, level: int) -> None:
        """Keep the changes; at level 0, make them durable."""
        ...

    def undo(self, level: int, mark: int) -> None:
        """Undo the changes since `begin`, which may not have ended. Called again, it changes nothing."""
        ...


class Hold:
    """One transaction's place among those that are open. Level 0 is the outermost one."""

    level = 0
    outer: "Hold | None" = None
    thread = 0
    open = False
    ready = False
    """Whether other transactions may nest in it: not while it begins, and not while it ends."""
    code: CodeType
    module: dict[str, Any]

    def is_of(self, frame: FrameType) -> bool:
        """Return whether this is the frame of the function whose transaction it is."""
        raise NotImplementedError


class BlockHold(Hold):
    """The place of a `with` block."""

    committed = False

    def __init__(self, frame: FrameType) -> None:
        """`frame` is that of the function whose block it is.

        It is known by its id, which stays the same as long as the function runs. To keep the frame itself
        would keep its variables, and so perhaps the transaction, after the function has ended.
        """
        self._frame_id = id(frame)
        self.code = frame.f_code
        self.module = frame.f_globals
        self.thread = get_ident()

    def is_of(self, frame: FrameType) -> bool:
        return id(frame) == self._frame_id and frame.f_code is self.code


class StoreLock:
    """The right to use one store. `timeout` is how many seconds a thread waits for another one."""

    __slots__ = (
        "_closed",
        "_closing",
        "_innermost",
        "_lock",
        "_pid",
        "_task",
        "_thread",
        "_turn",
        "_waiting",
        "timeout",
    )

    def __init__(self, timeout: float) -> None:
        # NaN is refused too.
        if type(timeout) not in (int, float) or not timeout >= 0:
            raise UsageError("busy_timeout must be a number of seconds, 0 or more")
        self.timeout = min(timeout, MAX_BUSY_TIMEOUT)
        self._pid = getpid()
        self._lock = RLock()
        self._turn = RLock()
        self._waiting: dict[int, None] = {}
        self._thread: int | None = None
        self._task: object | None = None
        self._innermost: Hold | None = None
        self._closing = False
        self._closed = False

    @property
    def inherited(self) -> bool:
        """Whether this is a copy that a fork made."""
        return getpid() != self._pid

    def enter(self, hold: Hold, caller: FrameType, *, nests: bool) -> None:
        """Make `hold` the innermost transaction.

        Raises StoreBusy if another thread stays inside for longer than the timeout, and UsageError for a call
        of this thread that does not come from inside the innermost transaction's block.
        """
        # Checked before the lock too: in a forked copy, a thread that no longer exists may hold it for ever.
        if self._closing or getpid() != self._pid:
            self._require_usable()
        thread = hold.thread
        if self._thread == thread and (outer := self._innermost) is not None:
            self._require_task()
            if nests:
                self._require_nestable(outer, caller)
            hold.outer, hold.level = outer, outer.level + 1
            hold.open = True
            self._innermost = hold
            return
        hold.open = True
        if self._waiting or not self._lock.acquire(blocking=False):
            self._wait_for_turn()
        task = running_task()
        # No call stands between these lines. So no signal handler sees one without the others.
        self._innermost = hold
        self._task = task
        self._thread = thread
        if self._closing or getpid() != self._pid:  # another thread may have closed it meanwhile
            self._require_usable()

    def require(self) -> None:
        """Raise StoreError unless the calling thread is inside a transaction, UsageError for another task."""
        # Every method of every table asks, so the usual answer comes first, in one expression. A store is not
        # closed while a thread is inside.
        if self._thread == get_ident() and self._task is running_task() and self._pid == getpid():
            return
        self._require_usable()
        if self._thread == get_ident():
            self._require_task()
        # Another thread's transaction does not count: this call would become part of it.
        raise StoreError("a store is used inside its transactions: write `with store.transaction():`")

    def require_inside(self, caller: FrameType) -> None:
        """Raise what `require` raises, and UsageError for a call from outside the innermost block. STO-9"""
        self.require()
        if self._innermost is not None:
            require_reachable(self._innermost, caller, nests=False)

    def require_innermost(self, hold: Hold) -> None:
        """Raise StoreError or UsageError unless this transaction may be committed here and now."""
        if self._closing or getpid() != self._pid:
            self._require_usable()
        if self._innermost is not hold:
            raise StoreError("an inner transaction is still open: do not await or yield inside one")
        if hold.thread != get_ident() or self._task is not running_task():
            raise UsageError("a transaction ends in the thread and the task that began it: it was undone")

    def holds(self, hold: Hold) -> bool:
        """Return whether this transaction is among those that are open."""
        each = self._innermost
        while each is not None and each is not hold:
            each = each.outer
        return each is hold

    def leave(self, hold: Hold) -> None:
        """End a transaction and those inside it, and let others in after the outermost one."""
        if not hold.open:
            return
        held = self._innermost is hold or self.holds(hold)
        if held:
            if hold.outer is None:
                self._thread = None
            self._innermost = hold.outer
        if hold.outer is None:
            if hold.thread == get_ident():
                with suppress(RuntimeError):  # unless this thread does not hold it
                    self._lock.release()
            elif held:
                # Only the thread that acquired the lock could release it, and it has left that to this one.
                self._lock = RLock()
        hold.open = False

    def run(self, changes: Changes, call: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Return what `call` does, in a transaction; undo it if that raises. Raises as `enter`. [STO-1]

        `call` is the library's own. It ends in the thread, the task and the process in which it began.
        """
        if self._closing or getpid() != self._pid:
            self._require_usable()
        hold = CallHold()
        hold.thread = thread = get_ident()
        mark, committed = -1, False
        try:
            try:
                if self._thread == thread:
                    caller = sys._getframe()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
                    self.enter(hold, caller, nests=True)
                else:
                    hold.open = True
                    if self._waiting or not self._lock.acquire(False):  # noqa: FBT003
                        self._wait_for_turn()
                    task = running_task()
                    self._innermost, self._task, self._thread = hold, task, thread  # as in `enter`
                    if self._closing:
                        self._require_usable()
                mark = changes.begin(hold.level)
                value = call(*arguments)
                if self._innermost is not hold or getpid() != self._pid:
                    self.require_innermost(hold)
                changes.commit(hold.level)
                committed = True
                return value
            finally:
                if committed and hold.outer is None:  # nearly always
                    self._thread = self._innermost = None
                    self._lock.release()
                    hold.open = False
                else:
                    self._end(hold, changes, mark, committed=committed)
        finally:
            if hold.open:  # an interrupt stopped the first one
                self._end(hold, changes, mark, committed=committed)

    def _end(self, hold: Hold, changes: Changes, mark: int, *, committed: bool) -> None:
        """Undo what was not committed, and let others in; try twice, because an interrupt may stop it."""
        try:
            self._end_once(hold, changes, mark, committed=committed)
        finally:
            if hold.open:
                self._end_once(hold, changes, mark, committed=committed)

    def _end_once(self, hold: Hold, changes: Changes, mark: int, *, committed: bool) -> None:
        try:
            if not committed and hold.open and self.holds(hold):
                changes.undo(hold.level, mark)
        except StoreError:
            self.leave(hold)
            raise
        self.leave(hold)

    def close(self, finish: Callable[[], None]) -> None:
        """Wait until no other thread is inside, then call `finish`. It is called again if it was interrupted.

        Nothing is left to close the second time, and nothing may be closed in a forked child.
        """
        if self.inherited or self._closed:
            return
        if self._thread == get_ident():
            self._require_task()
            raise StoreError("a transaction is open: leave its block before closing the store")
        hold = CallHold()
        hold.thread = get_ident()
        try:
            try:
                hold.open = True
                if self._waiting or not self._lock.acquire(blocking=False):
                    self._wait_for_turn()
                self._closing = True
                finish()
                self._closed = True
            finally:
                self.leave(hold)
        finally:
            self.leave(hold)  # in case an interrupt stopped the first one

    def _wait_for_turn(self) -> None:
        """Acquire the lock after those who came earlier. Whoever calls releases it, also if this raises.

        Raises StoreBusy after the timeout.
        """
        # The thread whose turn it is waits for the lock, and the others for their turn. So a thread that
        # begins one transaction after another cannot keep the others out.
        deadline = monotonic() + self.timeout
        lock = self._lock
        try:
            try:
                self._waiting[get_ident()] = None
                if not self._turn.acquire(timeout=self.timeout) or not lock.acquire(
                    timeout=max(deadline - monotonic(), 0)
                ):
                    raise StoreBusy(f"another thread kept the store locked for {self.timeout:g} s: try again")
            finally:
                self._stop_waiting()
        finally:
            self._stop_waiting()  # in case an interrupt stopped the first one

    def _stop_waiting(self) -> None:
        self._waiting.pop(get_ident(), None)
        with suppress(RuntimeError):  # unless this thread does not hold it
            self._turn.release()

    def _require_usable(self) -> None:
        if self.inherited:
            raise StoreError("this store was opened before a fork: open it again in the child process")
        if self._closing:
            raise StoreError("store is closed")

    def _require_task(self) -> None:
        if self._task is not running_task():
            raise UsageError(
                "the store's transaction belongs to another task of this thread: never await inside its block"
            )

    def _require_nestable(self, outer: Hold, caller: FrameType) -> None:
        if not outer.ready:
            raise UsageError("this call interrupts the beginning or the end of a transaction: call it later")
        require_reachable(outer, caller, nests=True)


class CallHold(Hold):
    """The place of one of the library's own calls, which `StoreLock.run` runs."""

    ready = True  # what interrupts its beginning or its end is told that it interrupts a call
    code = StoreLock.run.__code__
    module = globals()

    def is_of(self, frame: FrameType) -> bool:
        return frame.f_code is self.code and frame.f_locals.get("hold") is self


# --- what runs in a thread ----------------------------------------------------------------------------


_loaded: Final = sys.modules.get


def running_task() -> object | None:
    """Return the innermost task, event loop or greenlet that runs in this thread, or None.

    A task is compared by identity, never by its context: a task that is created inside a transaction inherits
    a copy of the context, and `contextvars.copy_context().run(...)` changes the context but not the task.
    """
    # As long as a library was not imported, none of its tasks can be running.
    trio = _loaded("trio")
    if trio is not None and (task := _trio_task(trio)) is not None:
        return task
    asyncio = _loaded("asyncio")
    if asyncio is not None and (loop := asyncio._get_running_loop()) is not None:  # noqa: SLF001 (exported)
        return _asyncio_task(asyncio, loop)
    greenlet = _loaded("greenlet")
    if greenlet is not None:
        return _child_greenlet(greenlet)
    return None


def _asyncio_task(asyncio: ModuleType, loop: object) -> object:
    task: object | None = asyncio.current_task(loop)
    return loop if task is None else task  # a callback of the loop belongs to no task


def _child_greenlet(module: ModuleType) -> object | None:
    current: Any = module.getcurrent()
    # The greenlet in which the thread began has no parent. It is the thread itself.
    return None if current.parent is None else current


def _trio_task(trio: ModuleType) -> object | None:
    try:
        task: object = trio.lowlevel.current_task() if trio.lowlevel.in_trio_task() else None
    except (AttributeError, RuntimeError):  # another thread is importing it, or it does not run here
        return None
    return task
