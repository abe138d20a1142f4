"""The letter that names a history to the devices of a newcomer."""

from typing import Final

from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.labels import draw

KIND: Final = 13
GROUP: Final = draw("a group with a history", 16)
DOCUMENT: Final = draw("a document with a history", 16)
LETTER: Final[list[Value]] = [GROUP, 3, 7, DOCUMENT]


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("content.read_body", "letters that name histories")
    for comment, body in (
        ("a letter", LETTER),
        ("the first epoch and entry", [GROUP, 1, 1, DOCUMENT]),
        ("the last epoch and entry", [GROUP, 2**32 - 1, 2**32 - 1, DOCUMENT]),
    ):
        group.valid(comment, {"kind": KIND, "body": encode(body).hex()}, rules=["GRP-53"])
    whole = encode(LETTER)
    for comment, data in (
        ("a group id of 15 bytes", encode([GROUP[1:], *LETTER[1:]])),
        ("a group id of 17 bytes", encode([GROUP + b"\0", *LETTER[1:]])),
        ("a group id of characters", encode(["g" * 16, *LETTER[1:]])),
        ("epoch 0", encode([GROUP, 0, *LETTER[2:]])),
        ("epoch 2^32", encode([GROUP, 2**32, *LETTER[2:]])),
        ("no epoch", encode([GROUP, None, *LETTER[2:]])),
        ("entry 0", encode([GROUP, 3, 0, DOCUMENT])),
        ("entry 2^32", encode([GROUP, 3, 2**32, DOCUMENT])),
        ("an entry of characters", encode([GROUP, 3, "7", DOCUMENT])),
        ("a document id of 15 bytes", encode([*LETTER[:3], DOCUMENT[1:]])),
        ("a document id of 17 bytes", encode([*LETTER[:3], DOCUMENT + b"\0"])),
        ("no document", encode([*LETTER[:3], None])),
        ("three elements", encode(LETTER[:3])),
        ("five elements", encode([*LETTER, None])),
        ("no array", encode(GROUP)),
        ("nothing", b""),
        ("a byte behind it", whole + b"\0"),
        ("a byte is missing", whole[:-1]),
        ("an entry in two bytes", whole.replace(b"\x03\x07", b"\x03\x18\x07")),
    ):
        given = {"kind": KIND, "body": data.hex()}
        flags = ["LongForm" if comment.startswith(("a byte", "an entry in")) else "Shape"]
        group.invalid(comment, given, "MalformedMessage", flags=flags, rules=["GRP-53", "WIRE-4"])
