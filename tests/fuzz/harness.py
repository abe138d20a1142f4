"""What every target checks in a call, whatever bytes the call is given.

    escape      only the errors that the call may raise come out
    work        steps and bytes parsed (support/step_counter.py) stay within the budget
    memory      while tracemalloc is tracing, the peak stays within the budget
    discretion  no text of an error, nor of one behind it, holds bytes of the input

Anything else that a target asserts (what decodes encodes to the same bytes) is a `Finding` too.

Under a fuzzer, which instruments the code, steps cannot be counted. There `watch_time` is set, and a call may
take `SLOWEST` seconds.

Not here: what happens to a store (stage.py), where inputs come from (tree.py, corpus.py), who calls
(worker.py, tests/fuzz/test_corpus.py).
"""

import random
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import Final, Generic, TypeAlias, TypeVar, cast

from fuzz.discretion import indiscretion
from letterlock._primitives.curve25519 import LOW_ORDER, P, PublicKey
from letterlock.errors import LetterlockError
from support.step_counter import StepCounter

T = TypeVar("T")

Mutator: TypeAlias = Callable[[bytes, random.Random, int], bytes]
"""Input, source of chance, most bytes of the result."""

Look: TypeAlias = Callable[[LetterlockError | None], None]
"""Looks at what a call left behind; the error is the one it raised."""

Around: TypeAlias = Callable[[], AbstractContextManager[Look | None]]

MAX_INPUT: Final = 64 * 1024
MEGABYTE: Final = 1024 * 1024

watch_time = False
"""True in a fuzzing process: calls are timed, and their steps are not counted."""

SLOWEST: Final = 0.1
"""Seconds for a refused call under a fuzzer; an accepted one may take twice as long, because a message of the
peer may leave 8,000 keys to keep."""

HOPELESS: Final = 20
"""A call that takes so many times its budget is stopped, so that a test fails and does not hang."""


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


@dataclass(frozen=True, slots=True)
class Allowance:
    """A limit that grows with the input: `base`, and `each` for every byte of it."""

    base: int
    each: int

    def of(self, size: int) -> int:
        return self.base + self.each * size


STEPS: Final = Allowance(30_000, 10)
"""A safety number takes 21,000 steps; interpolating a text of the braid takes 27,000. A publication takes 5
for each byte, because its items are counted one by one."""

STEPS_OF_TRIALS: Final = Allowance(80_000, 1)
"""A message that is refused may have been tried in 41 sessions, with 8,000 chain steps of 4 lines in all."""

STEPS_WITH_SKIPPED: Final = Allowance(350_000, 1)
"""A message that is accepted may leave 4,000 keys of each chain to be kept, of 35 lines each."""

PARSED: Final = Allowance(32 * 1024, 4)
"""Bytes parsed: the input, an initial message's inner message again, and the records of 41 sessions."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one call may take: bytes of memory at the peak; steps, other ones if it accepts; bytes parsed."""

    memory: Allowance
    steps: Allowance = STEPS
    accepted: Allowance = STEPS
    parsed: Allowance = PARSED


MESSAGE: Final = Budget(Allowance(2 * MEGABYTE, 8))
"""A refused message or bundle: its fields are copied a few times, and counted before. A publication may build
10,019 items before it is refused: empty arrays of 64 bytes."""

ITEMS: Final = Budget(Allowance(MEGABYTE, 160))
"""Bytes that are parsed alone: an empty map takes 64 bytes, and its place in an array 8. So does a record,
whose items are not counted first, because the store has authenticated it."""


def skipping(megabytes: int) -> Budget:
    """Return the budget of a message that may leave skipped keys, each a row of about a kilobyte."""
    return Budget(Allowance(megabytes * MEGABYTE, 8), STEPS_OF_TRIALS, STEPS_WITH_SKIPPED)


def check_points(*keys: PublicKey) -> None:
    """Check that decoded public keys are below p and not of low order."""
    for key in keys:
        if int.from_bytes(key.data, "little") >= P or key.data in LOW_ORDER:
            raise Finding(f"{type(key).__name__} is not canonical, or of low order")


def attempt(
    data: bytes,
    call: Callable[[], T],
    allowed: type[LetterlockError],
    budget: Budget = MESSAGE,
    around: Around = nullcontext,
) -> Outcome[T]:
    """Make a call that can be repeated, and check all properties. Each run happens in an `around()`."""
    trial = Trial(call, allowed, around)
    if tracemalloc.is_tracing():
        outcome = _weighed(data, trial, budget.memory)
    elif watch_time:
        outcome = _timed(data, trial)
    else:
        outcome = _counted(data, trial, budget)
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

    def run(self, meter: AbstractContextManager[object] | None = None) -> Outcome[T]:
        """Return what the call gave; `meter` is entered around the call alone."""
        with self.around() as look:
            outcome: Outcome[T]
            with nullcontext() if meter is None else meter:
                try:
                    outcome = Outcome(self.call(), None)
                except self.allowed as error:
                    outcome = Outcome(None, error)
            if look is not None:
                look(outcome.error)
        return outcome


def _counted(data: bytes, trial: Trial[T], budget: Budget) -> Outcome[T]:
    outcome, excess = _count(len(data), trial, budget)
    if excess is not None:
        # The first call of its kind may have filled a cache.
        outcome, excess = _count(len(data), trial, budget)
    if excess is not None:
        raise Finding(excess)
    return outcome


def _count(size: int, trial: Trial[T], budget: Budget) -> tuple[Outcome[T], str | None]:
    """Run a trial; return its outcome, and how it exceeded its budget."""
    counter = StepCounter(at_most=HOPELESS * max(budget.steps.of(size), budget.accepted.of(size)))
    outcome = trial.run(counter)
    steps = (budget.steps if outcome.error else budget.accepted).of(size)
    if counter.steps > steps:
        return outcome, f"{counter.steps} steps for {size} bytes; at most {steps}"
    parsed = budget.parsed.of(size)
    if counter.parsed > parsed:
        return outcome, f"{counter.parsed} bytes parsed for {size}; at most {parsed}"
    return outcome, None


class _Watch:
    """Seconds of one run, by a clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.took = 0.0

    def __enter__(self) -> None:
        self.took = -self._clock()

    def __exit__(self, *_: object) -> None:
        self.took += self._clock()


def _timed(data: bytes, trial: Trial[T]) -> Outcome[T]:
    watch = _Watch(perf_counter)
    outcome = trial.run(watch)
    limit = SLOWEST * (2 if outcome.error is None else 1)
    took = watch.took
    # Other processes take time too: a slow call is run three times more, by the processor's time.
    for _ in range(3):
        if took <= limit or len(data) > MAX_INPUT:
            return outcome
        watch = _Watch(thread_time)
        trial.run(watch)
        took = min(took, watch.took)
    if took > limit:
        raise Finding(f"{took * 1000:.1f} ms for {len(data)} bytes; at most {limit * 1000:.0f}")
    return outcome


class _Scale:
    """Bytes of memory that a run took at its peak."""

    def __init__(self) -> None:
        self.peak = 0

    def __enter__(self) -> None:
        tracemalloc.reset_peak()
        self.peak = -tracemalloc.get_traced_memory()[0]

    def __exit__(self, *_: object) -> None:
        self.peak += tracemalloc.get_traced_memory()[1]


def _weighed(data: bytes, trial: Trial[T], memory: Allowance) -> Outcome[T]:
    scale, most = _Scale(), memory.of(len(data))
    outcome = trial.run(scale)
    if scale.peak > most:
        raise Finding(f"{scale.peak} bytes of memory for {len(data)} bytes; at most {most}")
    return outcome
