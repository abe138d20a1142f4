"""What a text costs in a group: letterlock's sender chains beside the floor and two other libraries.

    python bench/groups/compare.py              print a table
    python bench/groups/compare.py --rounds 2   quicker

All take turns in one run, a process each. Peers are installed as bench/compare.py installs them. letterlock
runs in Python alone, and once more with the native module if that is installed.

Not here: what each contestant does (worker.py, libsignal.mjs).
"""

import argparse
import statistics
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from comparison.environments import DEFAULT_CACHE, LIBSIGNAL, VODOZEMAC, CannotInstall, Environment  # noqa: E402
from comparison.rounds import Times, play, start  # noqa: E402

PEERS: Final = {"vodozemac": VODOZEMAC, "libsignal": LIBSIGNAL}
PURE: Final = "LETTERLOCK_PURE"
GOAL: Final = 0.9
"""Of libsignal's time."""
REPETITIONS: Final = 3


def commands(cache: Path, chosen: list[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return how each contestant is started, and why some are not."""
    worker = str(HERE / "worker.py")
    pure = ["env", f"{PURE}=1", sys.executable, worker]
    found = {name: [*pure, name] for name in ("letterlock", "users", "floor")}
    if find_spec("letterlock_fast") is not None:
        found["letterlock, fast"] = [sys.executable, worker, "letterlock"]
    missing: dict[str, str] = {}
    for name in chosen:
        environment = PEERS[name]
        try:
            if not environment.is_ready(cache):
                environment.make(cache)
        except CannotInstall as error:
            missing[name] = str(error)
            continue
        found[name] = [environment.program(cache), *_script(name, environment, cache)]
    return found, missing


def _script(name: str, environment: Environment, cache: Path) -> list[str]:
    if name == "libsignal":
        return [str(HERE / "libsignal.mjs"), str(environment.folder(cache))]
    return [str(HERE / "worker.py"), name]


def cell(times: Times) -> tuple[float, float]:
    """Return the fastest and the median, in microseconds."""
    spent = [each / 1000 for one in times.rounds for each in one]
    return min(spent), statistics.median(spent)


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="What a text costs in a group.")
    parser.add_argument("--rounds", type=int, default=10, help="how many (10)")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help=f"for peers ({DEFAULT_CACHE})")
    parser.add_argument("--only", nargs="*", default=list(PEERS), choices=list(PEERS), metavar="PEER")
    asked = parser.parse_args()
    how, missing = commands(asked.cache.expanduser(), asked.only)
    with ExitStack() as stack:
        workers, failed = start(how, stack)
        counts = dict.fromkeys(("encrypt", "decrypt"), REPETITIONS)
        table = play(workers, counts, asked.rounds, lambda _: None)
    print("| a text of 100 bytes, us | fastest | median | letterlock / it |")
    print("|---|--:|--:|--:|")
    for case, rows in table.items():
        ours = cell(rows["letterlock"])
        for name, times in rows.items():
            fastest, median = cell(times)
            ratio = f"{ours[0] / fastest:.2f}; {ours[1] / median:.2f}"
            print(f"| {case}, {name} | {fastest:.1f} | {median:.1f} | {ratio} |")
    for name, reason in {**missing, **failed}.items():
        print(f"\n{name} was not measured: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
