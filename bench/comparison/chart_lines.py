"""Growth as a picture: panels of lines over a few sizes, in SVG written by hand. Every scale begins at 0."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from comparison.svg import TITLE, Frame

WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 34, 66
COLUMNS: Final = 2
COLOURS: Final = ("#1f5fa8", "#c0562c", "#14775a", "#7a4f9e")


@dataclass(frozen=True)
class Panel:
    """Lines over the same sizes, which stand at equal distances."""

    title: str
    sizes: Sequence[str]
    lines: Mapping[str, Sequence[float]]


def _draw(panel: Panel, left: int, top: int) -> Iterator[str]:
    most = max(value for line in panel.lines.values() for value in line) * 1.1
    inner, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    base = top + TOP + tall
    places = [left + LEFT + inner * (at + 0.5) / len(panel.sizes) for at in range(len(panel.sizes))]
    yield f'<text class="t" x="{left}" y="{top + 16}">{escape(panel.title)}</text>'
    for part in (0.0, 0.5, 1.0):
        y = base - tall * part
        yield f'<line class="a" x1="{left + LEFT}" x2="{left + WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="n" x="{left + LEFT - 5}" y="{y + 4:.1f}">{most * part:,.{_digits(most)}f}</text>'
    for place, size in zip(places, panel.sizes, strict=True):
        yield f'<text class="m" x="{place:.1f}" y="{base + 16}">{escape(size)}</text>'
    for at, (name, line) in enumerate(panel.lines.items()):
        shade = COLOURS[at % len(COLOURS)]
        points = [(x, base - tall * value / most) for x, value in zip(places, line, strict=True)]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{drawn}" stroke="{shade}"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{shade}"/>' for x, y in points)
        x, y = left + LEFT + (at % 2) * 170, base + 34 + (at // 2) * 15
        yield f'<rect x="{x}" y="{y - 8}" width="9" height="9" fill="{shade}"/>'
        yield f'<text x="{x + 14}" y="{y}">{escape(name)}</text>'


def _digits(most: float) -> int:
    return 0 if most >= 10 else 2


def draw(title: str, subtitle: str, panels: Sequence[Panel]) -> str:
    """Return the whole picture."""
    parts: list[str] = []
    for at, panel in enumerate(panels):
        parts.extend(_draw(panel, 16 + at % COLUMNS * (WIDTH + 16), TITLE + at // COLUMNS * HEIGHT))
    width = COLUMNS * (WIDTH + 16) + 16
    height = TITLE + -(-len(panels) // COLUMNS) * HEIGHT
    return Frame(title, subtitle, width, height).around(parts)
