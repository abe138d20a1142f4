"""Whether an error reveals bytes of the input: in hexadecimal, as escapes, as a list of numbers, as letters.

Once the numbers are blotted out there are few different texts, so each is checked once: a text that carries
bytes of the input is a new one. (A number may come from the input: a version, a length.) The chain of errors
is followed to its end, even where a traceback would not show it, because crash reporters do.
"""

import re
from collections.abc import Iterator
from typing import Final

SHORTEST: Final = 4
"""Bytes in a row that count as revealed."""

MOST_TEXTS: Final = 1000
"""If one process sees more different texts than this, they vary with the input."""

_seen: set[str] = set()


def indiscretion(error: BaseException, data: bytes) -> str | None:
    """Return what is wrong with the texts of an error, or None."""
    for text in _texts(error):
        blotted = re.sub(r"\d+", "0", text)
        if blotted in _seen:
            continue
        if _tells(text, data):
            return f"text of {len(text)} characters tells some of the input"
        _seen.add(blotted)
        if len(_seen) > MOST_TEXTS:
            return f"more than {MOST_TEXTS} different texts: they vary with the input"
    return None


def _texts(error: BaseException) -> Iterator[str]:
    chain: list[BaseException] = [error]
    for each in chain:
        yield from (str(each), repr(each.args))
        behind = [one for one in (each.__cause__, each.__context__) if one is not None and one not in chain]
        chain += behind[:1] if len(behind) == 2 and behind[0] is behind[1] else behind


def _tells(text: str, data: bytes) -> bool:
    lower = text.lower()
    for start in range(len(data) - SHORTEST + 1):
        window = data[start : start + SHORTEST]
        if window.hex() in lower or str([*window])[1:-1] in text:
            return True
        # Any text contains four letters or blanks in a row.
        if repr(window)[2:-1] in text and not all(_is_of_a_word(each) for each in window):
            return True
    return False


def _is_of_a_word(byte: int) -> bool:
    return chr(byte) in " -,:;.'0" or (byte < 0x80 and chr(byte).isalpha())
