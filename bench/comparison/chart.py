"""A comparison as a picture: a panel for each case, a bar for each contestant, in SVG written by hand.

A bar is the fastest repetition; the line on it reaches to the median. Each panel has a scale of its own.
"""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from comparison.contestants import CALLS, CONTESTANTS, FAST, POST_QUANTUM, Contestant
from comparison.results import TITLES, Figures, Outcome
from comparison.svg import TITLE, Frame
from comparison.tables import microseconds

WIDTH: Final = 540
BAR, GAP, HEAD, FOOT = 14, 5, 26, 18
LABEL: Final = 178
SCALE: Final = WIDTH - LABEL - 126
"""Pixels of the longest bar. The space to its right is for the figure."""
COLUMNS: Final = 2

FASTEST: Final = {False: "#0b3a75", True: "#0a4d3a"}
"""Accounts with `letterlock-fast`, by whether they are post-quantum."""
COLOURS: Final = {  # ours?, post-quantum?
    (True, False): "#1f5fa8",
    (True, True): "#14775a",
    (False, False): "#a9b8c9",
    (False, True): "#a8c9bb",
}


def colour(who: Contestant) -> str:
    if who.kept == CALLS:
        return "#555"
    if who.way == FAST:
        return FASTEST[who.group == POST_QUANTUM]
    return COLOURS[who.ours, who.group == POST_QUANTUM]


def _bars(figures: Outcome, case: str) -> list[tuple[Contestant, Figures]]:
    done = figures.get(case, {})
    found = [(each, done[each.name]) for each in CONTESTANTS if each.name in done]
    return [(who, each) for who, each in found if each.failed is None]


def _height(bars: int) -> int:
    return HEAD + bars * (BAR + GAP) + FOOT


def _panel(case: str, bars: list[tuple[Contestant, Figures]], left: int, top: int) -> Iterator[str]:
    yield f'<text class="t" x="{left}" y="{top + 14}">{escape(TITLES[case])}, us</text>'
    scale = SCALE / max(each.fastest for _, each in bars)
    for at, (who, each) in enumerate(bars):
        y = top + HEAD + at * (BAR + GAP)
        start, middle = left + LABEL, y + BAR / 2
        length = max(1.0, each.fastest * scale)
        median = min(each.median * scale, SCALE + 6)
        late = "" if each.recovered is None else f" ({each.recovered} of 999)"
        yield f'<text class="n" x="{start - 6}" y="{y + 11}">{escape(who.name)}</text>'
        yield f'<rect x="{start}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour(who)}"/>'
        yield f'<line x1="{start + length:.1f}" x2="{start + median:.1f}" y1="{middle}" y2="{middle}"/>'
        after = start + max(length, median) + 5
        yield f'<text x="{after:.1f}" y="{y + 11}">{microseconds(each.fastest)}{late}</text>'


def draw(figures: Outcome, subtitle: str) -> str:
    """Return the whole picture. A case that nobody did has no panel."""
    panels = [(case, _bars(figures, case)) for case in TITLES]
    heights, parts = [TITLE] * COLUMNS, list[str]()
    for case, bars in panels:
        if bars:
            column = heights.index(min(heights))
            parts.extend(_panel(case, bars, 16 + column * (WIDTH + 16), heights[column]))
            heights[column] += _height(len(bars))
    width, height = COLUMNS * (WIDTH + 16) + 16, max(heights) + 8
    frame = Frame("letterlock and its peers: microseconds, shorter is faster", subtitle, width, height)
    return frame.around(parts)
