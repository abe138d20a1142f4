"""What every target holds a call to, whatever bytes it is given.

    escape      nothing but the errors that the call may raise comes out
    time        at most SLOWEST seconds, twice that if accepted; a slow call is measured three times more,
                and the least counts
    memory      at most what `room` says for the input's size, while tracemalloc is tracing
    discretion  no text of an error, nor of one behind it, holds bytes of the input

Anything else that a target asserts (what decodes encodes to the same bytes) is a `Finding` too.

Not here: what happens to a store (stage.py), where inputs come from (tree.py, corpus.py), who calls
(worker.py, tests/fuzz/test_corpus.py).
"""

import random
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import Final, Generic, TypeAlias, TypeVar, cast

from fuzz.discretion import indiscretion
from letterlock._primitives.curve25519 import LOW_ORDER, P, PublicKey
from letterlock.errors import LetterlockError

T = TypeVar("T")

Mutator: TypeAlias = Callable[[bytes, random.Random, int], bytes]
"""Input, source of chance, most bytes of the result."""

Look: TypeAlias = Callable[[LetterlockError | None], None]
"""Looks at what a call left behind; the error is the one it raised."""

Around: TypeAlias = Callable[[], AbstractContextManager[Look | None]]

SLOWEST: Final = 0.050
"""Seconds for one call on at most MAX_INPUT bytes."""

ACCEPTED: Final = 2
"""How much longer a call may take whose input is accepted: of the triple ratchet, a message of the peer's may
leave 8,000 keys to be kept, and nobody else's can."""

pace = 1
"""How much slower everything is in this process: coverage feedback costs time in every line."""

TRACED: Final = 4
"""How much slower again where a tracer looks at every line, as when coverage is measured: with other work on
the machine the dearest message took 53 ms so."""

MAX_INPUT: Final = 64 * 1024

MEGABYTE: Final = 1024 * 1024


class Finding(AssertionError):
    """A property does not hold: a bug of the library, or of the property."""


@dataclass(frozen=True, slots=True)
class Target:
    """One way into the library: `check` runs every reader behind it on some bytes, and raises or returns."""

    check: Callable[[bytes], None]
    mutate: Mutator
    seeds: Callable[[], dict[str, bytes]]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a call gave: its value, or the error by which it refused."""

    value: T | None
    error: LetterlockError | None

    def accepted(self) -> T:
        if self.error is not None:
            raise Finding(f"refused with {self.error!r}")
        return cast("T", self.value)


def message_room(size: int) -> int:
    """Memory for a refused message or bundle: its parts are copied a few times, and counted before.

    10,019 items of a publication may be built before it is refused: empty arrays of 64 bytes.
    """
    return 2 * MEGABYTE + 8 * size


def parsed_room(size: int) -> int:
    """Memory for bytes that are parsed alone: an empty map takes 64 bytes, and its place in an array 8.

    So it is with a record, whose items nobody counts first: the store has authenticated it.
    """
    return MEGABYTE + 160 * size


def check_points(*keys: PublicKey) -> None:
    """Hold decoded public keys to what they must be: below p, and not of low order."""
    for key in keys:
        if int.from_bytes(key.data, "little") >= P or key.data in LOW_ORDER:
            raise Finding(f"{type(key).__name__} is not canonical, or of low order")


def attempt(
    data: bytes,
    call: Callable[[], T],
    allowed: type[LetterlockError],
    room: Callable[[int], int] = message_room,
    around: Around = nullcontext,
) -> Outcome[T]:
    """Make a call that can be repeated, and hold it to all properties. Each time happens in an `around()`."""
    if tracemalloc.is_tracing():
        outcome = _weighed(data, Trial(call, allowed, around), room)
    else:
        outcome = _timed(data, Trial(call, allowed, around))
    if outcome.error is not None:
        leak = indiscretion(outcome.error, data)
        if leak:
            raise Finding(leak)
    return outcome


@dataclass(frozen=True, slots=True)
class Trial(Generic[T]):
    """A call, the errors it may raise, and what is set up and checked around it."""

    call: Callable[[], T]
    allowed: type[LetterlockError]
    around: Around

    def run(self, measure: Callable[[], float]) -> tuple[Outcome[T], float]:
        """Return what the call gave, and by how much the measure rose meanwhile."""
        with self.around() as look:
            before = measure()
            outcome: Outcome[T]
            try:
                outcome = Outcome(self.call(), None)
            except self.allowed as error:
                outcome = Outcome(None, error)
            rise = measure() - before
            if look is not None:
                look(outcome.error)
        return outcome, rise


def _timed(data: bytes, trial: Trial[T]) -> Outcome[T]:
    outcome, took = trial.run(perf_counter)
    limit = SLOWEST * pace * (1 if sys.gettrace() is None else TRACED)
    limit *= ACCEPTED if outcome.error is None else 1
    # What other processes take is not ours: the second look is at the processor's time.
    for _ in range(3):
        if took <= limit or len(data) > MAX_INPUT:
            return outcome
        took = min(took, trial.run(thread_time)[1])
    if took > limit:
        raise Finding(f"{took * 1000:.1f} ms for {len(data)} bytes; at most {limit * 1000:.0f}")
    return outcome


def _weighed(data: bytes, trial: Trial[T], room: Callable[[int], int]) -> Outcome[T]:
    readings = iter((_held, _peak))
    outcome, took = trial.run(lambda: next(readings)())  # noqa: PLW0108 - the first before, the second after
    if took > room(len(data)):
        raise Finding(f"{took:.0f} bytes of memory for {len(data)} bytes; at most {room(len(data))}")
    return outcome


def _held() -> float:
    tracemalloc.reset_peak()
    return tracemalloc.get_traced_memory()[0]


def _peak() -> float:
    return tracemalloc.get_traced_memory()[1]
