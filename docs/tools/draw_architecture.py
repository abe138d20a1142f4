"""Draw the picture of the rooms from what they import: docs/pages/images/architecture.svg.

    python docs/tools/draw_architecture.py            write it
    python docs/tools/draw_architecture.py --check    exit 1 if the file shows another picture

A box is a module or package at the top of letterlock, and an arrow an import from one into another. An arrow
that follows from two others is left out, and so is every arrow to `errors` and `limits`, which all rooms may
import. Rooms that import each other share a frame.

Not here: which imports are allowed (tests/package/test_imports.py).
"""

import ast
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[1]
PACKAGE: Final = DOCS.parent / "protocol" / "letterlock"
PICTURE: Final = DOCS / "pages" / "images" / "architecture.svg"

FLOOR: Final = ("errors", "limits")
UNDRAWN: Final = frozenset({"__init__", "__main__", *FLOOR})
"""Not drawn, or drawn apart: `__init__` re-exports what the others define."""

PURPOSE: Final = {
    "cli": "the letterlock command",
    "client": "a user over a relay",
    "blobs": "where sealed files lie",
    "documents": "sealed files and grants",
    "groups": "conversations of many",
    "identity": "who somebody is",
    "recovery": "a password and two servers",
    "aio": "the account for asyncio",
    "user": "device lists and contacts",
    "account": "one device: the public object",
    "hazmat": "protocol with chosen entropy",
    "_session": "the sessions with one peer",
    "_device": "our identity, prekeys, peers",
    "_records": "codecs of what is stored",
    "_handshake": "PQXDH and X3DH",
    "_ratchet": "double and triple ratchet",
    "stores": "SQLite and memory",
    "_wire": "values to strict CBOR and back",
    "_primitives": "libsodium and OpenSSL",
}
"""What each room is for; a room that is missing here is drawn without."""

Graph = dict[str, set[str]]
Group = tuple[str, ...]


def imports(package: Path) -> Graph:
    """Return for each room the other rooms that it imports."""
    inside = [path for path in package.iterdir() if path.suffix == ".py" or path.is_dir()]
    rooms = {path.name.removesuffix(".py") for path in inside}
    graph: Graph = {room: set() for room in rooms - UNDRAWN - {"__pycache__"}}
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if room in graph and isinstance(node, ast.ImportFrom) and node.module:
                graph[room] |= set(_targets(node)) & (graph.keys() - {room})
    return graph


def _targets(node: ast.ImportFrom) -> Iterable[str]:
    top, *rest = (node.module or "").split(".")
    if top != "letterlock":
        return ()
    return rest[:1] or [alias.name for alias in node.names]


def reachable(graph: Graph, start: str) -> set[str]:
    """Return every room that `start` imports, directly or through others."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for room in graph[waiting.pop()] - found:
            found.add(room)
            waiting.append(room)
    return found


def groups(graph: Graph) -> dict[str, Group]:
    """Return for each room its group: the rooms that import each other, or itself alone."""
    below = {room: reachable(graph, room) for room in graph}
    return {
        room: tuple(sorted({room} | {other for other in below[room] if room in below[other]}))
        for room in graph
    }


def reduced(graph: Graph) -> dict[Group, set[Group]]:
    """Return the arrows between groups that do not follow from others."""
    group = groups(graph)
    arrows: dict[Group, set[Group]] = {each: set() for each in group.values()}
    for room, targets in graph.items():
        arrows[group[room]] |= {group[target] for target in targets} - {group[room]}
    whole = {each: _below(arrows, each) for each in arrows}
    return {
        each: {end for end in ends if not any(end in whole[other] for other in ends)}
        for each, ends in arrows.items()
    }


def _below(arrows: dict[Group, set[Group]], start: Group) -> set[Group]:
    return arrows[start].union(*(_below(arrows, end) for end in arrows[start]))


def layers(arrows: dict[Group, set[Group]]) -> list[list[Group]]:
    """Return the groups in rows, the highest first: each stands above everything that it imports."""

    def height(group: Group) -> int:
        return 1 + max((height(end) for end in arrows[group]), default=-1)

    rows: dict[int, list[Group]] = {}
    for group in sorted(arrows):
        rows.setdefault(height(group), []).append(group)
    return [rows[level] for level in sorted(rows, reverse=True)]


# --- drawing --------------------------------------------------------------------------------------

BOX_WIDTH, BOX_HEIGHT, GAP, ROW, MARGIN = 226, 52, 28, 108, 24


def draw(graph: Graph) -> str:
    """Return the picture as SVG."""
    arrows = reduced(graph)
    rows = layers(arrows)
    width = 2 * MARGIN + max(sum(_width(group) for group in row) + GAP * (len(row) - 1) for row in rows)
    place: dict[Group, tuple[float, float]] = {}
    for level, row in enumerate(rows):
        left = (width - sum(_width(group) for group in row) - GAP * (len(row) - 1)) / 2
        for group in row:
            place[group] = (left, MARGIN + level * ROW)
            left += _width(group) + GAP
    height = MARGIN + len(rows) * ROW + BOX_HEIGHT + MARGIN
    lines = [_HEAD.format(width=width, height=height)]
    lines += [_arrow(place, start, end) for start in place for end in sorted(arrows[start])]
    lines += [part for group in place for part in _boxes(group, *place[group])]
    lines += _floor(width, height - MARGIN - BOX_HEIGHT)
    return "\n".join([*lines, "</svg>"]) + "\n"


_HEAD: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" \
font-family="system-ui, sans-serif" text-anchor="middle">
<title>The rooms of letterlock: an arrow is an import</title>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">\
<path d="M0 0 10 5 0 10z" fill="#546e7a"/></marker></defs>
<rect width="{width:g}" height="{height:g}" fill="#fff"/>"""


def _width(group: Group) -> int:
    return len(group) * (BOX_WIDTH + GAP) - GAP


def _arrow(place: dict[Group, tuple[float, float]], start: Group, end: Group) -> str:
    (x1, y1), (x2, y2) = place[start], place[end]
    x1, x2 = x1 + _width(start) / 2, x2 + _width(end) / 2
    y1, y2 = y1 + BOX_HEIGHT + _frame(start), y2 - _frame(end) - 2
    # The ends lean towards each other, so that arrows into one box do not lie on top of one another.
    x1, x2 = x1 + (x2 - x1) * 0.12, x2 - (x2 - x1) * 0.12
    curve = f"M{x1:.0f} {y1:.0f} C{x1:.0f} {y1 + 34:.0f} {x2:.0f} {y2 - 34:.0f} {x2:.0f} {y2:.0f}"
    return f'<path d="{curve}" fill="none" stroke="#546e7a" stroke-width="1.6" marker-end="url(#head)"/>'


def _frame(group: Group) -> int:
    return 9 if len(group) > 1 else 0


def _boxes(group: Group, left: float, top: float) -> Iterable[str]:
    if len(group) > 1:
        width, height = _width(group) + 18, BOX_HEIGHT + 18
        look = 'rx="9" fill="none" stroke="#90a4ae" stroke-dasharray="5 4"'
        yield f'<rect x="{left - 9:g}" y="{top - 9:g}" width="{width}" height="{height}" {look}/>'
    for room in group:
        yield from _box((left, top, BOX_WIDTH), room, PURPOSE.get(room, ""), public=room[0] != "_")
        left += BOX_WIDTH + GAP


def _box(place: tuple[float, float, float], name: str, purpose: str, *, public: bool) -> Iterable[str]:
    left, top, width = place
    fill, edge = ("#dcedc8", "#689f38") if public else ("#eceff1", "#90a4ae")
    look = f'rx="6" fill="{fill}" stroke="{edge}"'
    yield f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{BOX_HEIGHT}" {look}/>'
    for text, below, font in (
        (name, 22, 'font-size="15" font-weight="600" fill="#263238"'),
        (purpose, 40, 'font-size="12" fill="#455a64"'),
    ):
        yield f'<text x="{left + width / 2:g}" y="{top + below:g}" {font}>{text}</text>'


def _floor(width: float, top: float) -> Iterable[str]:
    purpose = "what can go wrong and what is bounded: every room may import these"
    return _box((MARGIN, top, width - 2 * MARGIN), " · ".join(FLOOR), purpose, public=True)


def main(arguments: list[str]) -> int:
    """Write or check the picture; return the exit status."""
    picture = draw(imports(PACKAGE))
    if arguments == ["--check"]:
        shown = PICTURE.read_text(encoding="utf-8") if PICTURE.exists() else ""
        if shown != picture:
            print("architecture.svg shows other imports: run python docs/tools/draw_architecture.py")
            return 1
        return 0
    PICTURE.write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
