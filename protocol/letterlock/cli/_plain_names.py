"""Plain file names for documents: whatever an author named a document, its name is safe in one directory.

    kept        the last part of a path, in normal form C
    replaced    control and formatting characters, and those that some system gives a meaning
    avoided     hidden files, names of devices, options, and names that a file system takes for the same

Not here: what the names are for (_export_command.py).
"""

import re
import unicodedata
from typing import Final

_MAX_BYTES: Final = 240
"""Bytes of a name. File systems take 255, and a number may follow."""
_MAX_SUFFIX: Final = 32
_MEANING: Final = re.compile(r'[<>:"/\\|?*]')
_UNSEEN: Final = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)


def plain_name(name: str | None, document: bytes) -> str:
    """Return a file name for a document, whose id is the name of one that has none."""
    last = re.split(r"[/\\]", (name or "").rstrip("/\\"))[-1]
    text = "".join(_seen(each) for each in unicodedata.normalize("NFC", last))
    text = _MEANING.sub("_", text).strip().rstrip(". ")
    if not text.strip("._ "):
        return f"document-{document.hex()}"
    if text[0] in ".-~":
        text = f"_{text[1:]}"
    if _DEVICES.fullmatch(text.partition(".")[0].rstrip()):
        text = f"_{text}"
    stem, suffix = _parts(text)
    return _cut(stem, _MAX_BYTES - len(suffix.encode())) + suffix


def numbered(name: str, number: int) -> str:
    """Return a name with a number, as the second, third ... file of this name."""
    if number == 1:
        return name
    stem, suffix = _parts(name)
    return f"{stem} ({number}){suffix}"


def same_name(name: str) -> str:
    """Return what two names have in common that some file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def _seen(character: str) -> str:
    return "_" if unicodedata.category(character) in _UNSEEN else character


def _parts(name: str) -> tuple[str, str]:
    """Return a name without its suffix, and a suffix that is short enough to be one."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix) if stem and len(suffix.encode()) < _MAX_SUFFIX else (name, "")


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode("utf-8", "ignore")
