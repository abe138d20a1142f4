"""How time and memory grow with what a store holds, and how long letterlock takes to start.

    python bench/scale.py            measures, writes bench/results/scale.*
    python bench/scale.py --quick    small stores and one round, to see that it works

Stores of different sizes take turns, each in a process of its own, so a slow disk slows them all.

Not here: what a message costs, compared with other libraries (compare.py).
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from comparison import startup
from comparison.chart_lines import Panel, draw
from comparison.growth import Grown, ask, questions
from comparison.machine import about
from comparison.tables import markdown, microseconds

RESULTS: Final = Path(__file__).with_name("results")
ROUNDS: Final = 20
HELP_MS: Final = 150
GROWTH: Final = 1.2
"""The goal: a message in the largest store takes at most this many times as long as in the smallest."""

PAGES: Final = {
    "sessions": "A message finds its session by an index on the address: a few pages of a tree that is one "
    "or two levels deeper with 100,000 sessions than with 10. The addresses are random, so the "
    "pages it touches are not the ones just used: 1.7 of them are read again, 15 us. What it "
    "writes does not depend on how many there are. SQLite keeps 2 MB of pages in memory "
    "whatever the file's size; the rest of what the process grows by is the worker's own list "
    "of the messages it has heard.",
    "skipped": "Skipped keys are rows of their own, so that a session with 2,000 of them costs no more to "
    "save; a message looks its number up in their index. The triple ratchet keeps two keys of each message, "
    "and a late one looks up and deletes both.",
    "contacts": "A user and all its contacts have one device each; a repetition is one message with a random "
    "contact. Opening is that of the file and of the user. *First* is the first call after it, without the "
    "opening. The rows of contacts, lists, peers and sessions are in 64 buckets, and a bucket is compared "
    "whole before the first of its rows is used.",
    "devices": "A message to each device is sealed on its own. In one transaction the devices share its "
    "cost, the wait for the disk above all; in one each, every device waits.",
}


def _named(case: str) -> str:
    return f"{case.removesuffix('-cpu')}, {'processor' if case.endswith('-cpu') else 'elapsed'}"


def page(grown: Grown) -> str:
    """Return a question's tables."""
    sizes = list(grown.growth.sizes)
    lines = [("us a message, fastest (median)", *sizes, "growth")]
    for case in grown.table:
        done = grown.figures(case)
        cells = [
            f"{microseconds(done[size].fastest)} ({microseconds(done[size].median)})" if size in done else "-"
            for size in sizes
        ]
        ratio = grown.ratio(case)
        lines.append((_named(case), *cells, "-" if ratio is None else f"{ratio:.2f}"))
    kept = [("", *sizes)]
    kept.append(("file, kB", *(f"{grown.memory[size]['file'] / 1e3:,.0f}" for size in sizes)))
    kept.append(("process, MB", *(f"{grown.memory[size]['resident'] / 1e6:.1f}" for size in sizes)))
    why = PAGES[grown.growth.name]
    return f"## {grown.growth.title}\n\n{markdown(lines)}\n{markdown(kept)}\n{why}\n"


def panels(all_grown: Sequence[Grown]) -> list[Panel]:
    found: list[Panel] = []
    for grown in all_grown:
        sizes = list(grown.growth.sizes)
        lines = {
            _named(case): [each.fastest / 1e3 for each in grown.figures(case).values()]
            for case in grown.table
            if len(grown.figures(case)) == len(sizes)
        }
        found.append(Panel(f"us a message by {grown.growth.title}", sizes, lines))
    files = [each["file"] / 1e6 for each in all_grown[0].memory.values()]
    resident = [each["resident"] / 1e6 for each in all_grown[0].memory.values()]
    sizes = list(all_grown[0].growth.sizes)
    found.append(Panel("MB by sessions in the store", sizes, {"file": files, "process": resident}))
    return found


def starting(times: int) -> tuple[str, dict[str, Any]]:
    """Return the tables of start-up, and its figures."""
    nothing, help_ = startup.elapsed(("-c", ""), times), startup.elapsed(startup.COMMAND, times)
    library, command = (startup.importing(program, times) for program in (startup.LIBRARY, startup.COMMAND))
    reached = "reached" if help_[0] < HELP_MS else "not reached"
    lines = [("", "fastest, ms", "median, ms")]
    lines.append(("`python -m letterlock --help`", f"{help_[0]:.0f}", f"{statistics.median(help_):.0f}"))
    lines.append(('`python -c ""`', f"{nothing[0]:.0f}", f"{statistics.median(nothing):.0f}"))
    parts = [("imported, ms", "`import letterlock`", "`letterlock --help`")]
    parts.extend((name, _ms(library[name]), _ms(us)) for name, us in command.most_common())
    parts.append(("**sum**", _ms(library.total()), _ms(command.total())))
    text = (
        f"## Start-up\n\n{markdown(lines)}\n"
        f"The goal is to say `--help` in less than {HELP_MS} ms: {reached}.\n\n{markdown(parts)}\n"
        "Times of imports are longer under `-X importtime` than without.\n"
    )
    figures = {"import_us": dict(library), "command_import_us": dict(command)}
    return text, {"help_ms": help_, "nothing_ms": nothing, **figures}


def _ms(us: int) -> str:
    return f"{us / 1e3:.1f}"


def as_json(grown: Grown) -> dict[str, Any]:
    cases = {
        case: {
            size: {"fastest_ns": each.fastest, "median_ns": each.median, "spread": round(each.spread, 3)}
            for size, each in grown.figures(case).items()
        }
        for case in grown.table
    }
    memory = {
        size: {name: each[name] for name in ("file", "resident", "built")}
        for size, each in grown.memory.items()
    }
    return {"what": grown.growth.title, "cases": cases, "memory": memory}


def goal(grown: Grown) -> str:
    lines = [("with the most sessions, over the least", "fastest", f"at most {GROWTH}")]
    for case in grown.table:
        ratio = grown.ratio(case) or 0.0
        lines.append((_named(case), f"{ratio:.2f} x", "reached" if ratio <= GROWTH else "not reached"))
    return markdown(lines)


INTRODUCTION: Final = """SQLite stores in files, every transaction durable before it returns, texts of 100
bytes; a repetition is ten messages. *Elapsed* is what a user waits for, most of it the disk's doing;
*processor* is the time spent computing, which is what can grow with the data. *Growth* is the fastest with
the most over the fastest with the least.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="How time and memory grow with what a store holds.")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to write (bench/results)")
    parser.add_argument("--folder", type=Path, help="where to put the stores (a temporary one)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how many ({ROUNDS})")
    parser.add_argument("--quick", action="store_true", help="small stores, one round")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else arguments.rounds
    all_grown: list[Grown] = []
    versions: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="letterlock-scale-", dir=arguments.folder) as folder:
        for growth in questions(arguments.quick):
            print(f"{growth.title}: {', '.join(growth.sizes)}", file=sys.stderr)
            grown, versions = ask(growth, rounds, Path(folder))
            all_grown.append(grown)
    started, start_figures = starting(1 if arguments.quick else startup.TIMES)
    head = about(versions)
    parts = [
        "# How letterlock grows\n",
        markdown([("", ""), *head, ("rounds", str(rounds))], left=2),
        INTRODUCTION,
    ]
    parts.append(f"## Goal\n\n{goal(all_grown[0])}")
    text = "\n".join([*parts, *map(page, all_grown), started])
    data = {**dict(head), "growth": [as_json(each) for each in all_grown], "start": start_figures}
    subtitle = ", ".join(text for name, text in head if name != "versions")
    arguments.results.mkdir(parents=True, exist_ok=True)
    for ending, content in {
        "md": text,
        "json": json.dumps(data, indent=1) + "\n",
        "svg": draw("How letterlock grows: fastest, by size", subtitle, panels(all_grown)),
    }.items():
        (arguments.results / f"scale.{ending}").write_text(content, "utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
