"""What each case costs, as a ratio to the floor; both are measured in turn in one process.

    python bench/ratios.py                        all cases, a table in Markdown
    python bench/ratios.py --json out.json        the same as numbers
    python bench/ratios.py --only encrypt         cases with this in their names
    python bench/ratios.py --rounds 100

Machines drift, so there are many short rounds: a round has one repetition of each side of each case. The
table gives the fastest repetition of each side and the ratio of these two, the median of each side and the
median of the rounds' ratios, and the ratios between which the middle half of the rounds lies.

Not here: what is measured (bench_*.py), and the comparison with earlier ratios (gate.py).
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import bench_account
import bench_handshake
import bench_kdf
import bench_kem
import bench_record
import bench_session
import bench_sqlite
import bench_user
import bench_wire
import bench_xeddsa
from case import Case, Side, repetition

MODULES: Final = (
    bench_kdf,
    bench_xeddsa,
    bench_kem,
    bench_wire,
    bench_record,
    bench_session,
    bench_handshake,
    bench_account,
    bench_sqlite,
    bench_user,
)
CASES: Final[tuple[Case, ...]] = tuple(case for module in MODULES for case in module.CASES.cases)
ROUNDS: Final = 30


@dataclass(frozen=True, slots=True)
class Result:
    """One case: fastest and median of both sides in microseconds, and the ratios."""

    name: str
    ours: float
    floor: float
    ratio: float
    ours_median: float
    floor_median: float
    ratio_median: float
    low: float
    high: float

    @classmethod
    def of(cls, name: str, ours: Sequence[float], floor: Sequence[float]) -> "Result":
        """Sum up the nanoseconds of all rounds."""
        each = [a / b for a, b in zip(ours, floor, strict=True)]
        low, middle, high = statistics.quantiles(each, n=4) if len(each) > 1 else each * 3
        return cls(
            name,
            min(ours) / 1e3,
            min(floor) / 1e3,
            min(ours) / min(floor),
            statistics.median(ours) / 1e3,
            statistics.median(floor) / 1e3,
            middle,
            low,
            high,
        )


def measure(cases: Iterable[Case], rounds: int) -> list[Result]:
    """Measure cases in turn, with progress on stderr."""
    prepared: list[tuple[Case, tuple[Side, Side]]] = []
    for case in cases:
        _say(f"preparing {case.name}")
        sides = case.prepare()
        for side in sides:
            repetition(case, side)  # the first one fills caches
        prepared.append((case, sides))
    times: dict[str, tuple[list[float], list[float]]] = {case.name: ([], []) for case, _ in prepared}
    for number in range(rounds):
        for case, sides in prepared:
            _say(f"round {number + 1} of {rounds}: {case.name}")
            # The first side may find the machine in another state than the second, so they change places.
            for index in (0, 1) if number % 2 == 0 else (1, 0):
                times[case.name][index].append(repetition(case, sides[index]))
    _say("")
    return [Result.of(name, *both) for name, both in times.items()]


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:70.70}", end="\r" if not text else "", file=sys.stderr, flush=True)
    elif text.startswith("round") and text.endswith(CASES[0].name):
        print(text.partition(":")[0], file=sys.stderr, flush=True)


HEAD: Final = (
    "| case | ours, us | floor, us | ratio | medians, us | ratio | middle half |",
    "|---|--:|--:|--:|--:|--:|--:|",
)


def table(results: Iterable[Result]) -> str:
    """Return the results in Markdown."""
    rows = [
        f"| {each.name} | {each.ours:,.2f} | {each.floor:,.2f} | **{each.ratio:.2f}** "
        f"| {each.ours_median:,.2f} / {each.floor_median:,.2f} | {each.ratio_median:.2f} "
        f"| {each.low:.2f} to {each.high:.2f} |"
        for each in results
    ]
    return "".join(f"{line}\n" for line in (*HEAD, *rows))


def chosen(only: str) -> list[Case]:
    """Return the cases with this in their names."""
    return [case for case in CASES if only in case.name]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="What each case costs, as a ratio to the floor.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="cases with this in their names")
    parser.add_argument("--json", type=Path, help="write the numbers to this file too")
    options = parser.parse_args(arguments)
    cases = chosen(options.only)
    if not cases or options.rounds < 1:
        parser.error("nothing to measure: no case has that in its name, or no rounds")
    results = measure(cases, options.rounds)
    print(table(results), end="")
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in results], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
