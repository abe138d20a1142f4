"""What is measured: cases, each with two sides, ours and the floor; and how one repetition is timed.

    case     a stable name, and how its two sides are prepared
    side     a call, and what prepares a number of calls without being timed
    floor    the primitive calls that the protocol requires for the same case (floor.py)

Each bench_*.py file has its cases in a `Cases`; pytest-benchmark measures both sides, as `name` and
`floor_name`.

Not here: many rounds in turn, and ratios (ratios.py).
"""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter_ns, thread_time_ns
from typing import Any, cast

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

Arguments = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """A call. `batch` takes the number of calls to come and returns their arguments; it is not timed."""

    act: Callable[..., object]
    batch: Callable[[int], Sequence[Arguments]] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure. A repetition is `loops` calls, and each call does the work `units` times.

    A `disk` case waits for a disk and is timed by the clock. All others are timed by the processor's time, so
    other programs do not count. A case is not `steady` if its ratio varies from run to run whatever we do.
    """

    name: str
    prepare: Callable[[], tuple[Side, Side]]
    loops: int
    units: int
    disk: bool
    steady: bool


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of one file."""

    cases: list[Case] = field(default_factory=list)

    def add(
        self,
        name: str,
        prepare: Callable[[], tuple[Side, Side]],
        *,
        loops: int,
        units: int = 1,
        disk: bool = False,
        steady: bool = True,
    ) -> None:
        """Add a case; one that waits for a disk is never steady."""
        self.cases.append(Case(name, prepare, loops, units, disk, steady and not disk))

    def sides(self) -> list[Any]:
        """Return pytest's parameters: both sides of each case."""
        return [
            pytest.param((case, i), id=prefix + case.name)
            for case in self.cases
            for i, prefix in enumerate(("", "floor_"))
        ]


def run(benchmark: BenchmarkFixture, which: tuple[Case, int]) -> None:
    """Measure one side with pytest-benchmark: the time of one call with all its units."""
    case, index = which
    side = case.prepare()[index]
    if side.batch is None:
        benchmark(side.act)
        return
    batch, pedantic = side.batch, cast("Callable[..., object]", benchmark.pedantic)
    rounds = max(5, min(200, 4 * case.loops))
    pedantic(side.act, setup=lambda: (batch(1)[0], {}), rounds=rounds, warmup_rounds=2)


def repetition(case: Case, side: Side) -> float:
    """Run one repetition and return the nanoseconds of one unit."""
    clock = perf_counter_ns if case.disk else thread_time_ns
    act, loops = side.act, case.loops
    calls = [act] * loops if side.batch is None else [partial(act, *each) for each in side.batch(loops)]
    gc.collect(0)
    gc.disable()
    try:
        begun = clock()
        for call in calls:
            call()
        spent = clock() - begun
    finally:
        gc.enable()
    return spent / (loops * case.units)
