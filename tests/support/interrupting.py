"""A KeyboardInterrupt at any line of the code of the stores."""

import os
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, Final

import pytest

from letterlock.stores import MemoryStore, SqliteStore
from letterlock.stores import _lock as lock_module
from letterlock.stores import _memory as memory_module
from letterlock.stores import _memory_rows as memory_rows_module
from letterlock.stores import _transaction as transaction_module
from letterlock.stores._sqlite import calls as calls_module
from letterlock.stores._sqlite import database as database_module

AnyStore = MemoryStore | SqliteStore
Place = tuple[CodeType, int]
Step = Callable[[AnyStore], object]
MODULES: Final = (
    lock_module,
    transaction_module,
    memory_module,
    memory_rows_module,
    database_module,
    calls_module,
)
FILES: Final = frozenset(str(module.__file__) for module in MODULES)


DEEP: Final = os.environ.get("LETTERLOCK_DEEP") == "1"


class Interrupt:
    """Raises KeyboardInterrupt at the line or instruction of our files that has the number `at`.

    It notes the place of each of them. The number 0 never comes: it only notes.
    """

    def __init__(self, at: int, event: str) -> None:
        self.at = at
        self.event = event
        self.count = 0
        self.raised = False
        self.places: list[Place] = []

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in FILES or dropping(frame):
            return None
        frame.f_trace_opcodes = self.event == "opcode"
        if event == self.event:
            self.count += 1
            if self.at == 0:
                self.places.append((frame.f_code, frame.f_lasti))
            if self.count == self.at:
                self.raised = True
                sys.settrace(None)
                raise KeyboardInterrupt
        return self

    def during(self, step: Step, store: AnyStore) -> bool:
        """Run a step. Return whether it ended, rather than raised."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            step(store)
        except (KeyboardInterrupt, Crash):
            return False
        finally:
            sys.settrace(before)
        return True


def dropping(frame: FrameType) -> bool:
    """Return whether a `__del__` of the stores runs."""
    each: FrameType | None = frame
    while each is not None and each.f_code.co_filename in FILES:
        if each.f_code.co_name == "__del__":
            return True
        each = each.f_back
    return False


class Crash(Exception):
    """What the application raises."""


def interrupts(event: str) -> Iterator[Interrupt]:
    """Yield an interrupt for each line, until one did not come because the step had ended."""
    at = 0
    while True:
        at += 1
        interrupt = Interrupt(at, event)
        yield interrupt
        if not interrupt.raised:
            assert at > 20, "the step has so few lines that the trace cannot be right"
            return


def interrupts_in(event: str) -> Iterator[Interrupt]:
    """Yield an interrupt that never comes, and then those that come at each place.

    A step reaches most places many times, in one statement after another. The first two times and the last
    one stand for the others; LETTERLOCK_DEEP=1 takes them all.
    """
    noting = Interrupt(0, event)
    yield noting
    assert len(noting.places) > 20, "the step has so few lines that the trace cannot be right"
    for at in range(1, len(noting.places) + 1) if DEEP else first_and_last(noting.places):
        yield Interrupt(at, event)


def first_and_last(places: list[Place]) -> list[int]:
    """Return the numbers, from 1, at which each place is reached for the first two times and the last one."""
    times: dict[Place, list[int]] = {}
    for number, place in enumerate(places, 1):
        times.setdefault(place, []).append(number)
    return sorted({number for each in times.values() for number in (*each[:2], each[-1])})


def nothing_is_open(store: AnyStore) -> None:
    """Check that no thread holds a store and that no transaction goes on."""
    lock = store._rows.lock if isinstance(store, MemoryStore) else store._database._lock
    assert (lock._thread, lock._task, lock._innermost, lock._waiting) == (None, None, None, {})
    for each in (lock._lock, lock._turn):
        with pytest.raises(RuntimeError):
            each.release()
    if isinstance(store, MemoryStore):
        assert store._rows._journal == []
    else:
        assert not store._database._connection.in_transaction
