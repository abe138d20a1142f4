"""A comparison as Markdown; the terminal shows the same.

Each row also says what the figure alone does not: letterlock's time divided by this one, for each way to use
letterlock, and how many late messages were recovered.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from comparison.contestants import (
    CLASSICAL,
    CONTESTANTS,
    FAST,
    OBJECT,
    OURS,
    POST_QUANTUM,
    PURE,
    RECORD,
    SESSION,
    Contestant,
)
from comparison.results import LARGE_BYTES, TITLES, Figures, Goal, Judged, Outcome, judge, rows

GROUPS: Final = {CLASSICAL: "X3DH and the double ratchet", POST_QUANTUM: "PQXDH and the triple ratchet"}
SKIPPED: Final = 999
WAYS: Final = (FAST, PURE, SESSION)


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
    ratios = [_ratio(figures[case], who, done, way) for way in WAYS]
    if done.failed is not None:
        return [who.name, "-", "-", "-", *ratios, f"failed: {done.failed}"]
    return [
        who.name,
        microseconds(done.fastest),
        microseconds(done.median),
        f"{100 * done.spread:.0f} %",
        *ratios,
        _remark(case, done),
    ]


def _ratio(of_case: Mapping[str, Figures], who: Contestant, done: Figures, way: str) -> str:
    """Return letterlock's time in one way, divided by another's."""
    like = of_case.get(OURS[who.group, way].name)
    if who.ours or like is None or like.failed is not None or done.failed is not None:
        return ""
    return f"{like.fastest / done.fastest:.2f}"


def _remark(case: str, done: Figures) -> str:
    if done.recovered is not None:
        return f"{done.recovered} of {SKIPPED} recovered"
    return f"{LARGE_BYTES / done.fastest:.2f} GB/s" if case.startswith("large") else ""


HEAD: Final = ("", "fastest, us", "median, us", "spread", *(f"{way} / it" for way in WAYS), "")


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
    goal, limit = judged.goal, judged.goal.at_most(judged.way)
    bound = "at least" if _is_rate(goal) else "at most"
    wanted = f"{bound} {limit:g} x {goal.peer}" if goal.peer else f"{bound} {_absolute(goal, limit)}"
    if goal.recovered is not None:
        wanted += f", all {goal.recovered} recovered"
    name = OURS[goal.group, judged.way].name
    reached = "**reached**" if judged.reached else "not reached"
    return [TITLES[goal.case], name, wanted, _measured(goal, judged), reached]


def _measured(goal: Goal, judged: Judged) -> str:
    """Return what the fastest repetition came to, and the median."""
    if judged.fastest is None or judged.median is None:
        return "not measured"
    if goal.peer is None:
        return f"{_absolute(goal, judged.fastest)}; {_absolute(goal, judged.median)}"
    came = f"{judged.fastest:.2f} x; {judged.median:.2f} x"
    return came if goal.recovered is None else f"{came}, {judged.recovered} recovered"


def _absolute(goal: Goal, ns: float) -> str:
    """Return a time without a peer: as a rate for long texts."""
    return f"{LARGE_BYTES / ns:.2f} GB/s" if _is_rate(goal) else f"{microseconds(ns)} us"


def _is_rate(goal: Goal) -> bool:
    return goal.case.startswith("large")


def goals(figures: Outcome) -> str:
    """Return the goals of accounts, and what was measured: the fastest repetition, and the median."""
    lines = [("case", "", "goal", "fastest; median", ""), *(_goal(each) for each in judge(figures))]
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
fastest of the rounds lie apart. *{FAST}* is letterlock's account with `letterlock-fast`, *{PURE}* the
account in Python alone, and *{SESSION}* the session functions alone, in Python. Each `/ it` is letterlock's
fastest divided by this contestant's: below 1 letterlock is faster. A contestant that begins from a *{RECORD}*
has a session that could be stored after each call; an *{OBJECT}* stays in memory.
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
