"""QR codes of short texts, as SVG and for a terminal.

The package segno makes the code. It is optional: only the device that shows a code needs it.

Not here: what the text says (linking.py); reading a QR code, which is the camera's work.
"""

from typing import TYPE_CHECKING, Final

from letterlock.errors import UsageError

if TYPE_CHECKING:
    from segno import QRCode

_BORDER: Final = 4
"""Light modules around the code. Readers need them (ISO/IEC 18004)."""

_HALVES: Final = {(0, 0): "\u2588", (0, 1): "\u2580", (1, 0): "\u2584", (1, 1): " "}
"""A character cell shows two modules, one above the other; the light ones are drawn."""

_COLOURS: Final = "\x1b[97;40m"
"""White on black, whatever the terminal's own colours are: many cameras refuse an inverted code."""
_PLAIN: Final = "\x1b[0m"


def svg(text: str) -> str:
    """Return the code as an `<svg>` element, dark on light. Raises UsageError without segno."""
    return _code(text).svg_inline(scale=4, border=_BORDER, dark="#000", light="#fff")


def terminal(text: str) -> str:
    """Return the code as lines for a terminal, each with a line feed. Raises UsageError without segno."""
    rows = [list(row) for row in _code(text).matrix_iter(border=_BORDER)]
    if len(rows) % 2:
        rows.append([0] * len(rows))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    lines = ("".join(_HALVES[pair] for pair in zip(*both, strict=True)) for both in pairs)
    return "".join(f"{_COLOURS}{line}{_PLAIN}\n" for line in lines)


def _code(text: str) -> "QRCode":
    try:
        import segno  # noqa: PLC0415  (optional)
    except ImportError:
        raise UsageError("a qr code needs segno: pip install 'letterlock[qr]', or show the text") from None
    # Level M corrects 15 % of the code, and segno raises the level where that costs no size.
    return segno.make_qr(text, error="m")
