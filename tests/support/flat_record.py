"""The layout of a session's record, written once more from the specification, for tests that edit one."""

from typing import Final

HEAD_BYTES: Final = 264

_HEAD: Final = (
    ("format", 1), ("suite", 1), ("state", 1), ("flags", 1), ("yields", 4), ("born", 8), ("archived", 8),
    ("ad", 32), ("root", 32), ("private", 32), ("public", 32), ("cks", 32), ("ns", 4), ("pn", 4),
    ("theirs", 32), ("ckr", 32), ("nr", 4), ("handshake length", 4),
)  # fmt: skip
_PART: Final = (
    ("sparse root", 32), ("latest", 8), ("sending epoch", 8), ("receiving epoch", 8), ("n sending", 4),
    ("n receiving", 4), ("sparse previous", 4), ("braid state", 4), ("sparse sending", 32),
    ("sparse receiving", 32), ("following sending", 32), ("following receiving", 32), ("epoch", 8),
    ("authenticator root", 32), ("authenticator key", 32), ("secret", 64), ("sent", 2),
    ("outgoing length", 2), ("incoming length", 2), ("kept length", 2),
)  # fmt: skip
TEXTS: Final = ("outgoing", "incoming", "kept")

Fields = dict[str, bytes]
"""The fields of a record in order, with the three texts and the handshake."""


def fields_of(record: bytes) -> Fields:
    """Return the fields of a sound record."""
    found: Fields = {}
    at = 0

    def take(name: str, length: int) -> None:
        nonlocal at
        assert at + length <= len(record)
        found[name] = record[at : at + length]
        at += length

    for name, length in _HEAD:
        take(name, length)
    assert at == HEAD_BYTES
    if found["suite"] == b"\2":
        for name, length in _PART:
            take(name, length)
        for name in TEXTS:
            take(name, number(found, f"{name} length"))
    take("handshake", number(found, "handshake length"))
    assert at == len(record)
    return found


def number(fields: Fields, name: str) -> int:
    return int.from_bytes(fields[name], "big")


def joined(fields: Fields, **changes: bytes | int) -> bytes:
    """Return a record with other fields; `_` in a name stands for a space, and a number keeps its length.

    A changed text or handshake does not change its length field.
    """
    whole = dict(fields)
    for name, value in changes.items():
        field = name.replace("_", " ")
        assert field in whole
        whole[field] = value.to_bytes(len(whole[field]), "big") if isinstance(value, int) else value
    return b"".join(whole.values())


def with_text(fields: Fields, name: str, text: bytes) -> bytes:
    """Return a record with another text or handshake, and its length."""
    length = fields[f"{name} length"]
    return joined(fields | {name: text, f"{name} length": len(text).to_bytes(len(length), "big")})
