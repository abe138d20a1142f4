"""Draw the specification's figures from the tables that the code runs on, or that the pages print.

    python spec/draw.py            write them into the pages, between their markers
    python spec/draw.py --check    exit 1 if a page shows another figure than its table gives

A figure is a Mermaid state diagram after `<!-- drawn by spec/draw.py: NAME -->`.

Not here: the tables (letterlock._session.lifecycle, and the one in ratchet.md).
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from letterlock._session.lifecycle import TABLE

SPEC: Final = Path(__file__).parent
PAGES: Final = {"session": "session.md", "ratchet": "ratchet.md", "braid": "pq-ratchet.md"}

Edge = tuple[str, str, str]
"""From, to, on what."""


def session_edges() -> list[Edge]:
    return [(phase.name, after.name, event.name) for (phase, event), after in TABLE.items()]


def ratchet_edges() -> list[Edge]:
    """Read the table of states in ratchet.md: `to X` changes the state, `stays` does not."""
    lines = (SPEC / PAGES["ratchet"]).read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    edges: list[Edge] = []
    for state, _, *cells in rows[1:]:
        for event, cell in zip(("send", "new key", "known key"), cells, strict=True):
            after = re.search(r"\bto (\w+)$", cell)
            if after or cell == "stays":
                edges.append((state, after[1] if after else state, event))
    return edges


def braid_edges() -> list[Edge]:
    """Read the table of the braid: one row, one transition."""
    lines = (SPEC / PAGES["braid"]).read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [(state, after, on.partition(":")[0]) for state, _, on, after in rows[1:]]


def figure(start: str, edges: Iterable[Edge]) -> str:
    """Return the code block: events that lead from one state to the same other one share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for before, after, event in edges:
        arrows.setdefault((before, after), []).append(event)
    lines = [f"    {before} --> {after}: {', '.join(events)}" for (before, after), events in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", start, *lines, "```"])


def drawn(name: str) -> str:
    """Return the figure of this name."""
    if name == "session":
        start = "    [*] --> INITIATED: a bundle\n    [*] --> ESTABLISHED: a first message\n    GONE --> [*]"
        return figure(start, session_edges())
    if name == "braid":
        return figure(
            "    [*] --> KeysUnsampled: initiator\n    [*] --> NoHeaderReceived: recipient", braid_edges()
        )
    start = "    [*] --> Unanswered: initiator\n    [*] --> Waiting: recipient"
    return figure(start, ratchet_edges())


def page_with_figure(name: str) -> str:
    """Return the page's text with its figure as it should be. Raises ValueError if it has no marker."""
    text = (SPEC / PAGES[name]).read_text(encoding="utf-8")
    marker = f"<!-- drawn by spec/draw.py: {name} -->\n"
    before, found, after = text.partition(marker)
    if not found:
        raise ValueError(f"{PAGES[name]} has no place for figure {name}")
    rest = re.sub(r"\A```mermaid\n.*?\n```\n", "", after, flags=re.DOTALL)
    return f"{before}{marker}{drawn(name)}\n{rest}"


def main(arguments: list[str]) -> int:
    shown = {name: (SPEC / page).read_text(encoding="utf-8") for name, page in PAGES.items()}
    stale = [name for name in PAGES if shown[name] != page_with_figure(name)]
    for name in stale:
        print(f"figure {name} in spec/{PAGES[name]} is not what its table gives")
        if arguments != ["--check"]:
            (SPEC / PAGES[name]).write_text(page_with_figure(name), encoding="utf-8")
    return int(bool(stale)) if arguments == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
