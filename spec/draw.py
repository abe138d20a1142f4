"""Draw the specification's figures, and the lifecycle table, into the pages.

    python spec/draw.py            rewrite every drawing in its page
    python spec/draw.py --check    exit 1 if a page shows something else than its source gives

A drawing stands below the line `<!-- drawn by spec/draw.py: NAME -->` and a blank line. It ends at the next
blank line.

    NAME            drawn from                                  what it is
    session-table   the table in letterlock._session.lifecycle  a Markdown table
    session         the same table                              a Mermaid state diagram
    ratchet         the table of states in ratchet.md           a Mermaid state diagram
    braid           the table of states in pq-ratchet.md        a Mermaid state diagram

Not here: the tables themselves.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from letterlock._session.lifecycle import TABLE, Event, Phase

SPEC: Final = Path(__file__).parent
PAGES: Final = {
    "session-table": "session.md",
    "session": "session.md",
    "ratchet": "ratchet.md",
    "braid": "pq-ratchet.md",
}
"""Every drawing, and the page it belongs to."""

Edge = tuple[str, str, str]
"""The state before, the state after, and the event between them."""


def read_table(page: str, *header: str) -> list[list[str]]:
    """Return the rows of the table in `page` whose header begins with these cells, without the header.

    Raises ValueError if the page has no such table.
    """
    start = "| " + " | ".join(header) + " |"
    lines = (SPEC / page).read_text(encoding="utf-8").splitlines()
    at = next((i for i, line in enumerate(lines) if line.startswith(start)), None)
    if at is None:
        raise ValueError(f"{page} has no table with the header {start}")
    rows: list[list[str]] = []
    for line in lines[at + 2 :]:  # the line below the header is the rule under it
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def session_edges() -> list[Edge]:
    """Return the transitions of the code's lifecycle table."""
    return [(phase.name, _end(after), event.name) for (phase, event), after in TABLE.items()]


def _end(phase: Phase) -> str:
    return "[*]" if phase is Phase.DELETED else phase.name


def ratchet_edges() -> list[Edge]:
    """Return the transitions in ratchet.md: a cell `to X` changes the state, `stays` does not."""
    edges: list[Edge] = []
    for state, *cells in read_table(PAGES["ratchet"], "state", "to send"):
        for event, cell in zip(("send", "new key", "known key"), cells, strict=True):
            after = re.search(r"\bto (\w+)$", cell)
            if after or cell == "stays":
                edges.append((state, after[1] if after else state, event))
    return edges


def braid_edges() -> list[Edge]:
    """Return the transitions in pq-ratchet.md: each row is one transition."""
    rows = read_table(PAGES["braid"], "state", "sends", "on")
    return [(state, after, on.partition(":")[0]) for state, _, on, after in rows]


def session_table() -> str:
    """Return the code's lifecycle table in Markdown, with `-` where the table has no entry."""
    left = {phase for phase, _ in TABLE}
    rows = [["phase", *(event.name for event in Event)], ["---"] * (1 + len(Event))]
    for phase in (phase for phase in Phase if phase in left):
        after = [TABLE.get((phase, event)) for event in Event]
        rows.append([phase.name, *("-" if each is None else each.name for each in after)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def figure(edges: Iterable[Edge], *ends: str) -> str:
    """Return a state diagram. Events that lead from one state to the same other state share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for before, after, event in edges:
        arrows.setdefault((before, after), []).append(event)
    inner = [f"{before} --> {after}: {', '.join(events)}" for (before, after), events in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in (*ends, *inner)), "```"])


def session_figure() -> str:
    """Return the figure of the lifecycle table: how sessions begin is not in the table."""
    starts = ("[*] --> INITIATED: a bundle", "[*] --> ESTABLISHED: a first message")
    return figure(session_edges(), *starts, "ARCHIVED --> [*]: deleted")


def drawn(name: str) -> str:
    """Return the drawing of this name."""
    match name:
        case "session-table":
            return session_table()
        case "session":
            return session_figure()
        case "ratchet":
            return figure(ratchet_edges(), "[*] --> Unanswered: initiator", "[*] --> Waiting: recipient")
        case "braid":
            ends = ("[*] --> KeysUnsampled: initiator", "[*] --> NoHeaderReceived: recipient")
            return figure(braid_edges(), *ends)
        case _:
            raise ValueError(f"no drawing is called {name}")


def with_drawing(name: str, text: str) -> str:
    """Return a page's text with this drawing redone. Raises ValueError if the page has no marker for it."""
    marker = f"<!-- drawn by spec/draw.py: {name} -->\n\n"
    before, found, after = text.partition(marker)
    if not found:
        raise ValueError(f"{PAGES[name]} has no place for the drawing {name}")
    if after.startswith(("|", "```mermaid")):
        _, _, after = after.partition("\n\n")
    return f"{before}{marker}{drawn(name)}\n\n{after}".rstrip("\n") + "\n"


def main(arguments: list[str]) -> int:
    check = arguments == ["--check"]
    stale = 0
    for name, page in PAGES.items():
        path = SPEC / page
        text = path.read_text(encoding="utf-8")
        redone = with_drawing(name, text)
        if redone == text:
            continue
        stale += 1
        print(f"drawing {name} in spec/{page} is not what its source gives")
        if not check:
            path.write_text(redone, encoding="utf-8")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
