"""The results of a comparison: figures by case and contestant, and letterlock's goals.

    fastest    the fastest repetition of all rounds: what the machine can do undisturbed
    median     of all repetitions
    spread     how far the rounds' fastest lie apart: slowest over fastest, less one

Not here: how they are shown (tables.py, chart.py).
"""

import statistics
from dataclasses import dataclass
from typing import Any, Final

from comparison.contestants import CLASSICAL, CONTESTANTS, FAST, OURS, POST_QUANTUM, PURE, Contestant
from comparison.rounds import Table, Times

TITLES: Final = {
    "chain-step": "one step of a bare chain",
    "initiate": "initiate: from a bundle to a session",
    "initiate-and-encrypt": "initiate, and encrypt the first message",
    "first-decrypt": "first decrypt: from an initial message to a session and the text",
    "encrypt": "one-way encrypt",
    "encrypt-decrypt": "one-way encrypt and decrypt",
    "ping-pong": "ping-pong, each message encrypted and decrypted",
    "skip-999": "decrypt a message that jumps over 999",
    "late-999": "decrypt the 999 in reverse, each",
    "save-load": "a session to bytes and back",
    "sqlite-encrypt": "one-way encrypt, durable in a SQLite file",
    "sqlite-decrypt": "one-way decrypt, durable in a SQLite file",
    "large-encrypt": "encrypt 1 MiB",
    "large-decrypt": "decrypt 1 MiB",
    "most-expensive": "the most expensive call in two epochs of the post-quantum ratchet",
    "import": "a process that imports the library",
    "import-sqlite": "a process that imports `SqliteStore` from it",
}
"""Plaintexts have 100 bytes unless the title says otherwise."""

LARGE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class Figures:
    """One contestant's times of one case, in nanoseconds; or why there are none."""

    fastest: float = 0.0
    median: float = 0.0
    spread: float = 0.0
    recovered: int | None = None
    failed: str | None = None

    @classmethod
    def of(cls, times: Times) -> "Figures":
        if times.failed is not None or not times.rounds:
            return cls(failed=times.failed or "not run")
        best = [min(each) for each in times.rounds]
        median = statistics.median([ns for each in times.rounds for ns in each])
        return cls(min(best), median, max(best) / min(best) - 1, times.recovered)


Outcome = dict[str, dict[str, Figures]]
"""By case, then by the contestant's name."""


def outcome(table: Table) -> Outcome:
    return {
        case: {name: Figures.of(times) for name, times in by_name.items()} for case, by_name in table.items()
    }


def rows(figures: Outcome, case: str, group: str) -> list[tuple[Contestant, Figures]]:
    """Return the contestants of a group that did a case, with their figures, in order."""
    done = figures.get(case, {})
    return [(each, done[each.name]) for each in CONTESTANTS if each.group == group and each.name in done]


@dataclass(frozen=True)
class Goal:
    """What a case may cost an account: so many times the peer's time, or so many ns without a peer.

    `fast` is the limit with `letterlock-fast`, `pure` the one in Python alone.
    """

    case: str
    group: str
    peer: str | None
    fast: float
    pure: float
    recovered: int | None = None

    def at_most(self, way: str) -> float:
        """Return the limit for one of the two ways."""
        return self.fast if way == FAST else self.pure


def _gigabytes(per_second: float) -> float:
    """Return the ns that 1 MiB takes at so many gigabytes a second."""
    return LARGE_BYTES / per_second


_VODOZEMAC, _LIBSIGNAL = "vodozemac", "libsignal-client, records"
_BARE_X3DH, _BARE_PQXDH = "floor, X3DH", "floor, PQXDH"

GOALS: Final = (
    Goal("encrypt-decrypt", CLASSICAL, _VODOZEMAC, 0.6, 2.4),
    Goal("encrypt-decrypt", POST_QUANTUM, _LIBSIGNAL, 0.12, 0.66),
    Goal("ping-pong", CLASSICAL, _VODOZEMAC, 0.85, 1.4),
    Goal("ping-pong", POST_QUANTUM, _LIBSIGNAL, 0.5, 0.9),
    Goal("initiate", POST_QUANTUM, _LIBSIGNAL, 0.7, 0.85),
    Goal("first-decrypt", POST_QUANTUM, _LIBSIGNAL, 0.7, 0.95),
    Goal("skip-999", POST_QUANTUM, _LIBSIGNAL, 0.5, 4.82),
    Goal("late-999", POST_QUANTUM, _LIBSIGNAL, 0.08, 0.23, recovered=999),
    Goal("sqlite-encrypt", CLASSICAL, _BARE_X3DH, 1.25, 1.8),
    Goal("sqlite-encrypt", POST_QUANTUM, _BARE_PQXDH, 1.25, 1.8),
    Goal("sqlite-decrypt", CLASSICAL, _BARE_X3DH, 1.3, 2.2),
    Goal("sqlite-decrypt", POST_QUANTUM, _BARE_PQXDH, 1.3, 2.2),
    Goal("large-encrypt", CLASSICAL, None, _gigabytes(3), _gigabytes(2)),
    Goal("large-encrypt", POST_QUANTUM, None, _gigabytes(3), _gigabytes(2)),
    Goal("large-decrypt", CLASSICAL, None, _gigabytes(3), _gigabytes(2)),
    Goal("large-decrypt", POST_QUANTUM, None, _gigabytes(3), _gigabytes(2)),
    Goal("most-expensive", POST_QUANTUM, None, 150e3, 1.4e6),
    Goal("import", CLASSICAL, None, 90e6, 90e6),
)


@dataclass(frozen=True)
class Judged:
    """The result of a goal for one way to use letterlock. Each value is None if it was not measured.

    `fastest` and `median` are ratios to the peer's, or nanoseconds for a goal without a peer.
    """

    goal: Goal
    way: str
    fastest: float | None = None
    median: float | None = None
    recovered: int | None = None

    @property
    def reached(self) -> bool:
        """Whether both values are within the limit. What could not be measured is not reached."""
        limit = self.goal.at_most(self.way)
        enough = self.goal.recovered is None or (self.recovered or 0) >= self.goal.recovered
        return enough and all(each is not None and each <= limit for each in (self.fastest, self.median))


def judge(figures: Outcome) -> list[Judged]:
    """Return every goal, for accounts with `letterlock-fast` and in Python alone."""
    return [_judge(figures, goal, way) for goal in GOALS for way in (FAST, PURE)]


def _judge(figures: Outcome, goal: Goal, way: str) -> Judged:
    done = figures.get(goal.case, {})
    ours = done.get(OURS[goal.group, way].name)
    if ours is None or ours.failed is not None:
        return Judged(goal, way)
    if goal.peer is None:
        return Judged(goal, way, ours.fastest, ours.median, ours.recovered)
    theirs = done.get(goal.peer)
    if theirs is None or theirs.failed is not None:
        return Judged(goal, way, recovered=ours.recovered)
    fastest, median = ours.fastest / theirs.fastest, ours.median / theirs.median
    return Judged(goal, way, fastest, median, ours.recovered)


def as_json(figures: Outcome) -> dict[str, Any]:
    """Return the figures in nanoseconds, for `latest.json`."""
    return {
        case: {
            name: {"failed": each.failed}
            if each.failed is not None
            else {
                "fastest_ns": round(each.fastest, 1),
                "median_ns": round(each.median, 1),
                "spread": round(each.spread, 3),
                **({} if each.recovered is None else {"recovered": each.recovered}),
            }
            for name, each in by_name.items()
        }
        for case, by_name in figures.items()
    }
