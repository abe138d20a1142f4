"""Blind indices: tokens of values."""

import hmac
from typing import Final

from generators.support.family import Family, Json
from generators.support.labels import draw

KEY: Final = draw("a session key of an index", 32)


def given(value: str, name: str = "family name", bits: int = 8) -> Json:
    """Return the input of index.token."""
    return {"key": KEY.hex(), "name": name, "bits": bits, "value": value}


def token(value: str, name: str = "family name", bits: int = 8) -> int:
    """Return the token by the formulae of spec/json.md."""
    key = hmac.digest(KEY, b"letterlock-v1 blind index" + bytes([bits]) + name.encode(), "sha256")
    return int.from_bytes(hmac.digest(key, value.encode(), "sha256"), "big") >> (256 - bits)


def add(family: Family) -> None:
    """Add the group."""
    group = family.group("index.token", "tokens")
    for value, name, bits in (
        ('"Lind"', "family name", 8), ('"lind"', "family name", 8), ('"Lind"', "given name", 8),
        ('"Lind"', "family name", 1), ('"Lind"', "family name", 7), ('"Lind"', "family name", 24),
        ("1.5", "dose", 12), ("1.50", "dose", 12), ("15", "dose", 12), ("-1", "dose", 9),
        ('""', "\u00e9" * 64, 17), ('"\u00e9"', "a", 16),
    ):  # fmt: skip
        comment = f"{value} in {bits} bits of {name}"
        output = {"token": token(value, name, bits)}
        group.valid(comment, given(value, name, bits), rules=["DOC-111", "DOC-112"], output=output)
    for comment, wrong in (
        ("true", given("true")),
        ("false", given("false")),
        ("null", given("null")),
        ("an empty object", given("{}")),
        ("an empty array", given("[]")),
        ("no bit", given('"Lind"', bits=0)),
        ("25 bits", given('"Lind"', bits=25)),
        ("256 bits", given('"Lind"', bits=256)),
        ("no name", given('"Lind"', "")),
        ("a name of 65 characters", given('"Lind"', "a" * 65)),
        ("a name with a line end", given('"Lind"', "a\n")),
    ):
        group.invalid(comment, wrong, "UsageError", flags=["Index"], rules=["DOC-112"])
