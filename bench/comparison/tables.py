"""A comparison as Markdown; the terminal shows the same.

Each row also says what the figure alone does not: whether the session is stored in each call, how many late
messages were recovered, and letterlock's time divided by this one, like with like.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from comparison.contestants import (
    CALLS,
    CLASSICAL,
    CONTESTANTS,
    OBJECT,
    OURS,
    POST_QUANTUM,
    RECORD,
    Contestant,
)
from comparison.results import LARGE_BYTES, TITLES, Figures, Judged, Outcome, judge, rows

GROUPS: Final = {CLASSICAL: "X3DH and the double ratchet", POST_QUANTUM: "PQXDH and the triple ratchet"}
SKIPPED: Final = 999


def markdown(lines: Iterable[Iterable[str]], left: int = 1) -> str:
    """Return a table whose first `left` columns are words; the others are figures."""
    head, *body = [list(line) for line in lines]
    rule = ["---" if at < left else "--:" for at in range(len(head))]
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, rule, *body])


def microseconds(ns: float) -> str:
    value = ns / 1e3
    digits = 0 if value >= 1000 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def _row(figures: Outcome, case: str, who: Contestant, done: Figures) -> list[str]:
    if done.failed is not None:
        return [who.name, "-", "-", "-", "-", who.kept, f"failed: {done.failed}"]
    like = figures[case].get(OURS[who.group, OBJECT if who.kept == CALLS else who.kept].name)
    ratio = (
        "" if who.ours or like is None or like.failed is not None else f"{like.fastest / done.fastest:.2f}"
    )
    return [
        who.name,
        microseconds(done.fastest),
        microseconds(done.median),
        f"{100 * done.spread:.0f} %",
        ratio,
        who.kept,
        _remark(case, done),
    ]


def _remark(case: str, done: Figures) -> str:
    if done.recovered is not None:
        return f"{done.recovered} of {SKIPPED} recovered"
    return f"{LARGE_BYTES / done.fastest:.2f} GB/s" if case.startswith("large") else ""


HEAD: Final = ("", "fastest, us", "median, us", "spread", "letterlock / it", "from", "")


def cases(figures: Outcome, group: str) -> str:
    """Return a table for each case that a contestant of the group has done."""
    parts = [f"## {GROUPS[group]}\n"]
    for case, title in TITLES.items():
        found = rows(figures, case, group)
        if found:
            lines = [HEAD, *(_row(figures, case, who, done) for who, done in found)]
            parts.append(f"\n### {title}\n\n{markdown(lines)}")
    return "".join(parts)


def _goal(judged: Judged) -> list[str]:
    goal = judged.goal
    title, name = TITLES[goal.case], OURS[goal.group, judged.kept].name
    if goal.peer is None:
        wanted = f"at least {LARGE_BYTES / goal.at_most:.1f} GB/s"
        came = "not measured" if judged.ratio is None else f"{LARGE_BYTES / judged.ratio:.2f} GB/s"
    else:
        wanted = f"at most {goal.at_most:g} x {goal.peer}"
        came = "not measured" if judged.ratio is None else f"{judged.ratio:.2f} x"
    if goal.recovered is not None:
        wanted += f", all {goal.recovered} recovered"
        came += f", {judged.recovered} recovered"
    return [title, name, wanted, came, "reached" if judged.reached else "not reached"]


def goals(figures: Outcome) -> str:
    lines = [("case", "", "goal", "measured", ""), *(_goal(each) for each in judge(figures))]
    return markdown(lines, left=5)


def contestants(missing: Mapping[str, str]) -> str:
    """Return what each contestant does that others do not, and why any is missing."""
    lines = [("", "post-quantum", "from", "what it does")]
    for each in CONTESTANTS:
        quantum = "yes" if each.group == POST_QUANTUM else "no"
        absent = f"**not measured: {missing[each.name]}.** " if each.name in missing else ""
        lines.append((each.name, quantum, each.kept, absent + each.does))
    return markdown(lines, left=4)


EXPLAINED: Final = f"""Texts have 100 bytes, random ones, and every text that came out was compared.
*Fastest* is the fastest repetition of all rounds, *median* that of all repetitions, *spread* how far the
fastest of the rounds lie apart. A session *from* a {RECORD} is parsed and serialised again in each call, as
whoever stores it must; an {OBJECT} stays in memory. *letterlock / it* compares records with records and
objects with objects and with the floor: below 1 letterlock is faster.
"""


def report(figures: Outcome, about: Iterable[tuple[str, str]], missing: Mapping[str, str]) -> str:
    """Return the text of `results/latest.md`."""
    parts = [
        "# letterlock and its peers\n",
        markdown([("", ""), *about], left=2),
        EXPLAINED,
        f"## Goals\n\n{goals(figures)}",
        cases(figures, CLASSICAL),
        cases(figures, POST_QUANTUM),
        f"## Who does what\n\n{contestants(missing)}",
    ]
    return "\n".join(parts)
