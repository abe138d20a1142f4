"""Code that Python runs in the middle of other code of the same thread does not join its transaction. [STO-9]

Signal handlers, `__del__`, trace functions and finalizers interrupt either the application's block, or the
account in the middle of a call.
"""

import signal
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Final

import pytest

from letterlock.errors import StoreError, UsageError
from letterlock.stores import SqliteStore
from letterlock.stores._any_store import calls_of
from support.pair import Pair

Act = Callable[[], None]


class Crash(Exception):
    """What the application raises."""


class Attempt:
    """A call of Alice's account from the wrong place, and what became of it."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.refusals: list[str] = []
        self.letters: list[bytes] = []

    def __call__(self) -> None:
        try:
            self.letters.append(self.pair.alice.write(b"from the wrong place"))
        except UsageError as error:
            self.refusals.append(str(error))

    def on_signal(self, _: int, __: FrameType | None) -> None:
        self()


class Dropped:
    """Calls something when it is collected."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def __del__(self) -> None:
        self.act()


class Finalized:
    """Calls nothing itself."""


@contextmanager
def handling(handler: Callable[[int, FrameType | None], object]) -> Iterator[Act]:
    """Install a signal handler, and yield what raises the signal in this thread."""
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        yield lambda: signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


def raising(handler: Callable[[int, FrameType | None], object]) -> Act:
    def act() -> None:
        with handling(handler) as signalled:
            signalled()

    return act


def once(attempt: Attempt, number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    attempt()


def drop(attempt: Attempt) -> None:
    dropped = Dropped(attempt)
    del dropped


def finalize(attempt: Attempt) -> None:
    finalized = Finalized()
    weakref.finalize(finalized, attempt)
    del finalized


def trace(attempt: Attempt) -> None:
    def tracer(_: FrameType, __: str, ___: object) -> None:
        sys.settrace(before)
        attempt()

    def traced() -> None:
        pass

    before = sys.gettrace()
    sys.settrace(tracer)
    traced()
    sys.settrace(before)


INTERRUPTIONS: Final[dict[str, Callable[[Attempt], Act]]] = {
    "function": lambda attempt: raising(lambda _, __: attempt()),
    "rest": lambda attempt: raising(lambda *_: attempt()),
    "method": lambda attempt: raising(attempt.on_signal),
    "partial": lambda attempt: raising(partial(lambda extra, _, __: extra(), attempt)),
    "default": lambda attempt: raising(lambda number, _: once(attempt, number)),
    "__del__": lambda attempt: partial(drop, attempt),
    "finalize": lambda attempt: partial(finalize, attempt),
    "trace": lambda attempt: partial(trace, attempt),
}
"""What Python does in the middle of other code, and a call of the account that it makes there."""


def all_arrive(pair: Pair, letters: list[bytes]) -> None:
    letters = [*letters, pair.alice.write(b"and one more")]
    for letter in letters:
        assert pair.bob.read(letter)
    assert len(set(letters)) == len(letters)
    pair.turn()


@pytest.fixture
def talking(any_pair: Pair) -> Pair:
    any_pair.converse()
    return any_pair


@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_what_interrupts_a_block_does_not_join_its_transaction(talking: Pair, name: str) -> None:
    attempt = Attempt(talking)
    act = INTERRUPTIONS[name](attempt)
    with suppress(Crash), talking.alice.account.transaction():
        talking.alice.write(b"undone")
        act()
        raise Crash
    assert len(attempt.refusals) == 1
    assert "interrupts another" in attempt.refusals[0]
    all_arrive(talking, attempt.letters)


@pytest.mark.parametrize("name", INTERRUPTIONS)
@pytest.mark.parametrize("grouped", [False, True])
def test_what_interrupts_a_call_does_not_use_its_key(
    talking: Pair, monkeypatch: pytest.MonkeyPatch, name: str, *, grouped: bool
) -> None:
    """The chain key was read, and the next one is not saved yet."""
    attempt = Attempt(talking)
    act = INTERRUPTIONS[name](attempt)
    calls = type(calls_of(talking.alice.store))
    save = calls.save_active

    def interrupted_save(*arguments: object) -> None:
        monkeypatch.undo()
        act()
        save(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(calls, "save_active", interrupted_save)
    if grouped:
        with talking.alice.account.transaction():
            letter = talking.alice.write(b"interrupted")
    else:
        letter = talking.alice.write(b"interrupted")
    assert len(attempt.refusals) == 1
    all_arrive(talking, [letter, *attempt.letters])


def test_a_plain_callback_in_the_middle_of_a_call_is_refused_too(
    talking: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A callback of `weakref.ref` cannot be told from a function that the application called."""
    attempt = Attempt(talking)
    kept = Finalized()
    reference = weakref.ref(kept, lambda _: attempt())
    calls = type(calls_of(talking.alice.store))
    save = calls.save_active

    def interrupted_save(*arguments: object) -> None:
        nonlocal kept
        monkeypatch.undo()
        kept = Finalized()
        save(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(calls, "save_active", interrupted_save)
    letter = talking.alice.write(b"interrupted")
    assert reference() is None
    assert len(attempt.refusals) == 1
    all_arrive(talking, [letter, *attempt.letters])


@pytest.mark.parametrize("step", ["begin", "commit", "undo"])
def test_what_interrupts_the_beginning_or_end_of_a_transaction_is_refused(
    talking: Pair, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    attempt = Attempt(talking)
    store = talking.alice.store
    rows = type(store._database if isinstance(store, SqliteStore) else store._rows)
    plain = getattr(rows, step)

    def interrupted(self: object, level: int, *mark: int) -> object:
        if not level:
            monkeypatch.undo()
            attempt()
        return plain(self, level, *mark)

    letters = []
    with suppress(Crash), talking.alice.account.transaction():
        letters.append(talking.alice.write(b"inside"))
        monkeypatch.setattr(rows, step, interrupted)
        if step == "undo":
            letters.clear()
            raise Crash
    if step == "begin":
        with talking.alice.account.transaction():
            letters.append(talking.alice.write(b"inside"))
    assert len(attempt.refusals) == 1
    assert "beginning or the end" in attempt.refusals[0]
    all_arrive(talking, letters)


@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_the_connection_is_refused_too(talking: Pair, name: str) -> None:
    store = talking.alice.store
    if not isinstance(store, SqliteStore):
        pytest.skip("a store in memory has no connection")
    attempt = Attempt(talking)

    def connect(_: bytes) -> bytes:
        assert store.connection.in_transaction
        return b""

    talking.alice.write = connect  # type: ignore[method-assign, assignment]
    act = INTERRUPTIONS[name](attempt)
    with store.transaction():
        act()
        assert store.connection.in_transaction
    assert len(attempt.refusals) == 1


@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_they_may_call_outside_a_transaction(talking: Pair, name: str) -> None:
    attempt = Attempt(talking)
    INTERRUPTIONS[name](attempt)()
    assert attempt.refusals == []
    assert len(attempt.letters) == 1
    all_arrive(talking, attempt.letters)


@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_they_may_begin_a_transaction_of_their_own(talking: Pair, name: str) -> None:
    """A block that begins inside a signal handler is interrupted by nothing."""
    attempt = Attempt(talking)
    write = talking.alice.write

    def grouped(text: bytes) -> bytes:
        with talking.alice.account.transaction():
            return write(text)

    talking.alice.write = grouped  # type: ignore[method-assign]
    INTERRUPTIONS[name](attempt)()
    assert attempt.refusals == []
    all_arrive(talking, attempt.letters)


def test_a_signal_handler_may_not_close_the_store_inside_a_block(talking: Pair) -> None:
    errors: list[StoreError] = []

    def close(*_: object) -> None:
        try:
            talking.alice.store.close()
        except StoreError as error:
            errors.append(error)

    with handling(close) as signalled, talking.alice.account.transaction():
        signalled()
        letter = talking.alice.write(b"inside")
    assert [type(error).__name__ for error in errors] == ["StoreError"]
    all_arrive(talking, [letter])


def test_a_function_that_looks_at_frames_may_call(talking: Pair) -> None:
    """Only the arguments of a function tell that Python called it by itself."""

    def look() -> bytes:
        frame = sys._getframe().f_back
        assert frame is not None
        return talking.alice.write(b"inside")

    with talking.alice.account.transaction():
        letter = look()
    all_arrive(talking, [letter])
