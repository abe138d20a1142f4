"""The gate: have ratios to the floor grown since bench/baseline.json was written? Exit status 1 if so.

    python bench/gate.py               compare; a case that seems slower is measured twice more
    python bench/gate.py --update      measure three times, write the medians into bench/baseline.json
    python bench/gate.py --only kdf    cases with this in their names

Both sides of a ratio are measured in one process, in turn, so a slow or busy machine slows both. Cases that
wait for a disk or for memory are left out, because their ratios vary by a third. On a 2-core machine whose
other core was busy, the other ratios differed between five runs by 7 % at most and by 3 % in the median. The
tolerance follows from that.

We tried instruction counts (valgrind --tool=callgrind, the count of 1,000 calls less that of none). Python's
own start varies by 2.4 million instructions, so the ratio of the chain step varied by 9 % between three runs,
and one ratio took 36 s instead of 0.1. Instructions also misjudge hashing: the same ratio is 1.9 in
instructions and 2.7 in time.

Not here: measuring (ratios.py). The baseline holds for the machine and the versions it names.
"""

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from case import Case
from ratios import CASES, ROUNDS, Result, measure

BASELINE: Final = Path(__file__).with_name("baseline.json")
TOLERANCE: Final = 0.10
"""By how much a ratio may exceed its baseline."""
AGAIN: Final = 2
"""How often a case that seems slower is measured again. The lowest ratio counts, because noise only adds."""
RUNS: Final = 3
"""How many runs make a baseline."""
LIBRARIES: Final = ("cbor2", "cryptography", "pynacl")

Measure = Callable[[Iterable[Case], int], list[Result]]


def gated(only: str = "") -> list[Case]:
    """Return the cases whose ratios are steady."""
    return [case for case in CASES if case.steady and only in case.name]


def environment() -> dict[str, str]:
    """Return what a ratio depends on besides our code."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {
        "machine": platform.machine(),
        "python": python,
        **{library: version(library) for library in LIBRARIES},
    }


def ratios(cases: Iterable[Case], rounds: int, measuring: Measure) -> dict[str, float]:
    """Return the ratios of cases, by name."""
    return {each.name: each.ratio for each in measuring(cases, rounds)}


def slower(found: Mapping[str, float], baseline: Mapping[str, float]) -> list[str]:
    """Return the names of cases whose ratios exceed the baseline by more than the tolerance."""
    return [name for name, ratio in found.items() if ratio > baseline[name] * (1 + TOLERANCE)]


def compare(
    cases: Sequence[Case], baseline: Mapping[str, float], rounds: int, measuring: Measure = measure
) -> dict[str, float]:
    """Return the ratios of cases, after measuring again those that seem slower."""
    found = ratios(cases, rounds, measuring)
    for _ in range(AGAIN):
        doubtful = slower(found, baseline)
        if not doubtful:
            break
        print(f"measuring again: {', '.join(doubtful)}", file=sys.stderr)
        again = ratios([case for case in cases if case.name in doubtful], rounds, measuring)
        found |= {name: min(ratio, found[name]) for name, ratio in again.items()}
    return found


def report(found: Mapping[str, float], baseline: Mapping[str, float]) -> str:
    """Return a line for each case that is slower or faster by more than the tolerance."""
    lines = []
    for name, ratio in found.items():
        change = ratio / baseline[name] - 1
        if abs(change) > TOLERANCE:
            word = "SLOWER" if change > 0 else "faster"
            lines.append(f"{word}: {name}, {baseline[name]:.2f} -> {ratio:.2f} x floor ({change:+.0%})\n")
    return "".join(lines)


def update(cases: Sequence[Case], rounds: int, measuring: Measure = measure) -> None:
    """Write the medians of several runs."""
    runs = [ratios(cases, rounds, measuring) for _ in range(RUNS)]
    medians = {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}
    written = {"measured_on": environment(), "ratios": medians}
    BASELINE.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None, measuring: Measure = measure) -> int:
    parser = argparse.ArgumentParser(description="Have ratios to the floor grown?")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="cases with this in their names")
    parser.add_argument("--update", action="store_true", help="write bench/baseline.json")
    options = parser.parse_args(arguments)
    cases = gated(options.only)
    if options.update:
        if options.only:
            parser.error("a baseline has all cases: --update goes without --only")
        update(cases, options.rounds, measuring)
        return 0
    committed = json.loads(BASELINE.read_text(encoding="utf-8"))
    baseline: dict[str, float] = committed["ratios"]
    if not cases or not {case.name for case in cases} <= baseline.keys():
        parser.error("no such case, or one without a baseline: write it with --update")
    if committed["measured_on"] != environment():
        print(f"the baseline is from {committed['measured_on']}: ratios may differ here", file=sys.stderr)
    found = compare(cases, baseline, options.rounds, measuring)
    print(report(found, baseline), end="")
    failed = slower(found, baseline)
    print(f"{len(found)} ratios, {len(failed)} grown by more than {TOLERANCE:.0%}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
