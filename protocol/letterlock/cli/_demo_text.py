"""What the demonstration's participants write: consecutive excerpts of a text, a few lines each.

Not here: sending them (_demo_conversation.py).
"""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from itertools import cycle
from pathlib import Path
from typing import Final

from letterlock.cli._input import read_text
from letterlock.errors import UsageError

_LINES_PER_EXCERPT: Final = (1, 3, 2, 8, 1, 5)
"""Used in turn, so that sizes vary."""

_MAX_LINE: Final = 64 * 1024
"""Bytes. A longer line, as in a binary file, counts as several lines."""


def load_text(name: str | None) -> tuple[str, bytes]:
    """Return a title and the bytes of the named file, or of letterlock's README.

    Raises UsageError for an empty or too long text, OSError.
    """
    if name is not None:
        title, text = name, read_text(name)
    else:
        title, text = "letterlock's own README", _readme()
    if not text.strip():
        raise UsageError(f"{title} is empty: give --text a file with some text in it")
    return title, text


def excerpts(text: bytes) -> Iterator[bytes]:
    """Yield excerpts without end: after the end of the text they start again at its beginning."""
    lines = cycle(_lines(text))
    for count in cycle(_LINES_PER_EXCERPT):
        yield b"".join(next(lines) for _ in range(count))


def _lines(text: bytes) -> list[bytes]:
    lines = [line for line in text.splitlines(keepends=True) if line.strip()]
    return [line[start : start + _MAX_LINE] for line in lines for start in range(0, len(line), _MAX_LINE)]


def _readme() -> bytes:
    # A source checkout comes first: an editable install's metadata may be older than the file.
    root = Path(__file__).parents[3]
    if (root / "pyproject.toml").exists() and (root / "README.md").exists():
        return (root / "README.md").read_bytes()
    try:
        installed = metadata("letterlock")
    except PackageNotFoundError:
        return b""
    return installed["Description"].encode() if "Description" in installed else b""
