"""How cases grow: the same cases with stores of different sizes, in turn, each in a process of its own.

Not here: what the workers hold (workers/scaled.py), what is shown (scale.py).
"""

import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparison.contestants import WORKERS
from comparison.results import Figures
from comparison.rounds import Table, play, start


@dataclass(frozen=True)
class Growth:
    """One question: the same cases with stores of different sizes."""

    name: str
    title: str
    sizes: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]


def questions(quick: bool) -> list[Growth]:
    sessions = (10, 100) if quick else (10, 1_000, 100_000)
    held = (0, 50) if quick else (0, 2_000)
    devices = (1, 5) if quick else (1, 10, 100, 1_000)
    contacts = (10, 30) if quick else (10, 1_000, 10_000)
    few, each = (2, 1) if quick else (8, 5)
    suites = ("X3DH", "PQXDH")
    both = {"encrypt": few, "encrypt-cpu": few, "decrypt": few, "decrypt-cpu": few}
    late = {"late": each, "late-cpu": each}
    first = ("open", "first-send", "first-receive", "look-up", "send", "receive")
    user = {name + clock: 1 if quick else 3 for name in first for clock in ("", "-cpu")}
    fan = dict.fromkeys(("together", "together-cpu", "apart", "apart-cpu"), 1 if quick else 2)
    return [
        Growth("sessions", "sessions in the store", {f"{n:,}": (str(n),) for n in sessions}, both),
        *(
            Growth(
                "skipped",
                f"skipped messages held, {suite}",
                {f"{n:,}": (str(n), suite) for n in held},
                both | late,
            )
            for suite in suites
        ),
        Growth("devices", "devices written to, each", {f"{n:,}": (str(n),) for n in devices}, fan),
        Growth("contacts", "contacts of a user", {f"{n:,}": (str(n),) for n in contacts}, user),
    ]


@dataclass(frozen=True)
class Grown:
    """The answer to a question: times by case and size, and what each size takes on disk and in memory."""

    growth: Growth
    table: Table
    memory: Mapping[str, Mapping[str, Any]]

    def figures(self, case: str) -> dict[str, Figures]:
        return {size: Figures.of(times) for size, times in self.table[case].items()}

    def ratio(self, case: str) -> float | None:
        """Return the time with the largest store over the time with the smallest."""
        done = self.figures(case)
        sizes = list(self.growth.sizes)
        if sizes[0] not in done or sizes[-1] not in done:
            return None
        return done[sizes[-1]].fastest / done[sizes[0]].fastest


def ask(growth: Growth, rounds: int, folder: Path) -> tuple[Grown, list[tuple[str, str]]]:
    """Build the stores and let them take turns; return the answer and the versions."""
    commands: dict[str, list[str]] = {}
    for at, (size, arguments) in enumerate(growth.sizes.items()):
        home = Path(tempfile.mkdtemp(prefix=f"{growth.name}-{at}-", dir=folder))
        commands[size] = [sys.executable, str(WORKERS / "scaled.py"), growth.name, *arguments, str(home)]
    with ExitStack() as stack:
        workers, dead = start(commands, stack)
        if dead:
            raise SystemExit(f"{growth.name}: {dead}")
        table = play(workers, growth.counts, rounds, lambda _: None)
        memory = {size: worker.run("memory", 1) for size, worker in workers.items()}
        versions = next(iter(workers.values())).versions
    for by_size in table.values():
        for times in by_size.values():
            if times.failed is not None:
                raise SystemExit(f"{growth.name}: {times.failed}")
    return Grown(growth, {case: done for case, done in table.items() if done}, memory), list(versions.items())
