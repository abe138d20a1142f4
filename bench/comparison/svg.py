"""The frame of a picture: SVG written by hand, so that drawing needs no package."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

TITLE: Final = 62
"""Pixels that title and subtitle take at the top."""

_STYLE: Final = (
    "text{font:11px system-ui,sans-serif;fill:#222}.t{font-weight:600;font-size:12px}"
    ".h{font-weight:600;font-size:16px}.m{text-anchor:middle}.n{text-anchor:end}"
    "line{stroke:#444;stroke-width:1.5}.a{stroke:#bbb;stroke-width:1}polyline{fill:none;stroke-width:2}"
)


@dataclass(frozen=True)
class Frame:
    """Title, subtitle and size in pixels."""

    title: str
    subtitle: str
    width: int
    height: int

    def around(self, parts: Iterable[str]) -> str:
        """Return the picture with these parts in it."""
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}"'
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style>",
            f'<rect width="{self.width}" height="{self.height}" fill="#fff"/>',
            f'<text class="h" x="16" y="26">{escape(self.title)}</text>',
            f'<text x="16" y="46">{escape(self.subtitle)}</text>',
        )
        return "\n".join([*head, *parts, "</svg>"]) + "\n"
