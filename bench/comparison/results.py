"""The results of a comparison: figures by case and contestant, and letterlock's goals.

    fastest    the fastest repetition of all rounds: what the machine can do undisturbed
    median     of all repetitions
    spread     how far the rounds' fastest lie apart: slowest over fastest, less one

Not here: how they are shown (tables.py, chart.py).
"""

import statistics
from dataclasses import dataclass
from typing import Any, Final

from comparison.contestants import CLASSICAL, CONTESTANTS, OBJECT, OURS, POST_QUANTUM, RECORD, Contestant
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
    "large-encrypt": "encrypt 1 MiB",
    "large-decrypt": "decrypt 1 MiB",
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
    """What a case may cost letterlock: `at_most` times the peer's time, or `at_most` ns without a peer."""

    case: str
    group: str
    peer: str | None
    at_most: float
    recovered: int | None = None
    kept: tuple[str, ...] = (RECORD, OBJECT)


_LARGE_NS: Final = LARGE_BYTES / 2.0
"""1 MiB at 2 GB a second."""

GOALS: Final = (
    Goal("chain-step", CLASSICAL, "floor, X3DH", 1.15, kept=(OBJECT,)),
    Goal("encrypt", CLASSICAL, "floor, X3DH", 1.6),
    Goal("encrypt", CLASSICAL, "vodozemac", 0.45),
    Goal("encrypt-decrypt", CLASSICAL, "vodozemac", 0.75),
    Goal("encrypt-decrypt", CLASSICAL, "sibna", 0.9),
    Goal("encrypt-decrypt", CLASSICAL, "doubleratchet + x3dh", 0.12),
    Goal("encrypt-decrypt", POST_QUANTUM, "libsignal-client, records", 0.2),
    Goal("ping-pong", CLASSICAL, "vodozemac", 1.0),
    Goal("ping-pong", POST_QUANTUM, "libsignal-client, records", 0.5),
    Goal("initiate", POST_QUANTUM, "libsignal-client, records", 0.7),
    Goal("first-decrypt", POST_QUANTUM, "libsignal-client, records", 0.65),
    Goal("skip-999", POST_QUANTUM, "floor, PQXDH", 1.25),
    Goal("late-999", POST_QUANTUM, "libsignal-client, records", 0.08, recovered=999),
    Goal("large-encrypt", CLASSICAL, None, _LARGE_NS),
    Goal("large-encrypt", POST_QUANTUM, None, _LARGE_NS),
    Goal("large-decrypt", CLASSICAL, None, _LARGE_NS),
    Goal("large-decrypt", POST_QUANTUM, None, _LARGE_NS),
    Goal("save-load", CLASSICAL, "floor, X3DH", 1.5, kept=(OBJECT,)),
    Goal("save-load", POST_QUANTUM, "floor, PQXDH", 1.5, kept=(OBJECT,)),
    Goal("sqlite-encrypt", CLASSICAL, "floor, X3DH", 1.3, kept=(RECORD,)),
    Goal("sqlite-encrypt", POST_QUANTUM, "floor, PQXDH", 1.3, kept=(RECORD,)),
)


@dataclass(frozen=True)
class Judged:
    """The result of a goal for one way to use letterlock; `ratio` is None if nothing was measured."""

    goal: Goal
    kept: str
    ratio: float | None
    recovered: int | None

    @property
    def reached(self) -> bool:
        """A goal that could not be measured is not reached."""
        enough = self.goal.recovered is None or (self.recovered or 0) >= self.goal.recovered
        return self.ratio is not None and self.ratio <= self.goal.at_most and enough


def judge(figures: Outcome) -> list[Judged]:
    """Return every goal, for accounts and for bare sessions."""
    return [_judge(figures, goal, kept) for goal in GOALS for kept in goal.kept]


def _judge(figures: Outcome, goal: Goal, kept: str) -> Judged:
    done = figures.get(goal.case, {})
    ours = done.get(OURS[goal.group, kept].name)
    if ours is None or ours.failed is not None:
        return Judged(goal, kept, None, None)
    if goal.peer is None:
        return Judged(goal, kept, ours.fastest, ours.recovered)
    theirs = done.get(goal.peer)
    if theirs is None or theirs.failed is not None:
        return Judged(goal, kept, None, ours.recovered)
    return Judged(goal, kept, ours.fastest / theirs.fastest, ours.recovered)


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
