"""letterlock compared with the libraries one would use instead: the same cases in one run, in turn.

    python bench/compare.py                   set up what is missing, measure, write bench/results/latest.*
    python bench/compare.py --quick           two short rounds, to see that it works
    python bench/compare.py --only sibna      ours and those peers whose names contain it

Each peer gets an environment of its own in a cache folder, so the environment of this script needs letterlock
alone, and `letterlock-fast` for its rows. The report names what could not be installed, and the others go on.
Let nothing else run meanwhile.

Not here: the floor of each case (ratios.py), and how times grow with what is stored (scale.py).
"""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from comparison.chart import draw
from comparison.contestants import CONTESTANTS, FAST, Contestant
from comparison.environments import DEFAULT_CACHE, CannotInstall
from comparison.machine import about
from comparison.results import as_json, outcome
from comparison.rounds import Worker, play, start
from comparison.tables import report

RESULTS: Final = Path(__file__).with_name("results")

COUNTS: Final = {
    "chain-step": 5,
    "initiate": 10,
    "initiate-and-encrypt": 10,
    "first-decrypt": 10,
    "encrypt": 5,
    "encrypt-decrypt": 5,
    "ping-pong": 3,
    "skip-999": 1,
    "late-999": 1,
    "save-load": 5,
    "sqlite-encrypt": 3,
    "sqlite-decrypt": 3,
    "large-encrypt": 1,
    "large-decrypt": 1,
    "most-expensive": 1,
    "import": 1,
    "import-sqlite": 1,
}
"""Repetitions in one round: about a tenth of a second for each case, so that a round is short."""
ROUNDS: Final = 12


def tell(line: str) -> None:
    """Show progress on a terminal, in one line; elsewhere show nothing."""
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def prepare(chosen: list[Contestant], cache: Path, say: Callable[[str], None]) -> dict[str, str]:
    """Make the missing environments; return the reasons why some could not be made."""
    missing: dict[str, str] = {}
    refused: dict[str, str] = {}
    for each in chosen:
        environment = each.environment
        if environment is None or environment.is_ready(cache):
            continue
        if environment.name not in refused:
            say(f"installing {', '.join(environment.packages)}")
            try:
                environment.make(cache)
                continue
            except CannotInstall as error:
                refused[environment.name] = str(error)
                say(f"{environment.name}: {error}")
        missing[each.name] = refused[environment.name]
    return missing


def versions(workers: dict[str, Worker]) -> list[tuple[str, str]]:
    named: dict[str, str] = {}
    for worker in workers.values():
        named |= {name: version for name, version in worker.versions.items() if name not in named}
    return list(named.items())


def choose(only: list[str]) -> list[Contestant]:
    """Return letterlock, the floor, and the peers that are wanted."""

    def wanted(peer: Contestant) -> bool:
        return not only or any(name in peer.name for name in only)

    return [each for each in CONTESTANTS if each.environment is None or wanted(each)]


def run(arguments: argparse.Namespace) -> int:
    chosen = choose(arguments.only)
    missing = prepare(chosen, arguments.cache, lambda line: print(line, file=sys.stderr))
    counts, rounds = COUNTS, arguments.rounds
    if arguments.quick:
        counts, rounds = dict.fromkeys(COUNTS, 1), 2
    with ExitStack() as stack:
        commands = {each.name: each.command(arguments.cache) for each in chosen if each.name not in missing}
        workers, dead = start(commands, stack, {each.name: each.variables for each in chosen})
        for name, reason in dead.items():
            print(f"{name}: {reason}", file=sys.stderr)
        figures = outcome(play(workers, counts, rounds, tell))
        head = about(versions(workers))
    tell("")
    missing |= dead
    page = report(figures, [*head, ("rounds", str(rounds))], missing)
    arguments.results.mkdir(parents=True, exist_ok=True)
    data = {**dict(head), "rounds": rounds, "missing": missing, "cases": as_json(figures)}
    write = {
        "md": page,
        "json": json.dumps(data, indent=1) + "\n",
        "svg": draw(figures, ", ".join(text for name, text in head if name in ("date", "commit", "machine"))),
    }
    for ending, text in write.items():
        (arguments.results / f"latest.{ending}").write_text(text, "utf-8")
    print(page)
    return 1 if any(each.name in missing for each in chosen if each.ours and each.way != FAST) else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Compare letterlock with the libraries one would use instead."
    )
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help=f"for peers ({DEFAULT_CACHE})")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to write (bench/results)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how many ({ROUNDS})")
    parser.add_argument("--only", nargs="*", default=[], metavar="PEER", help="these peers, and ours")
    parser.add_argument("--quick", action="store_true", help="two rounds of one repetition each")
    arguments = parser.parse_args()
    arguments.cache = arguments.cache.expanduser()
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
