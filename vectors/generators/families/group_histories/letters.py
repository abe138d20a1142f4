"""The letter that names a history to the devices of a newcomer."""

from typing import Final

from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.labels import draw

KIND: Final = 13
GROUP: Final = draw("a group with a history", 16)
DOCUMENT: Final = draw("a document with a history", 16)
LETTER: Final[list[Value]] = [GROUP, 3, 7, DOCUMENT]
GIVER: Final[list[Value]] = [draw("the giver of a history", 32), 2]


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("content.read_body", "letters that name histories")
    for comment, body in (
        ("a letter", LETTER),
        ("the first epoch and entry", [GROUP, 1, 1, DOCUMENT]),
        ("the last epoch and entry", [GROUP, 2**32 - 1, 2**32 - 1, DOCUMENT]),
        ("passed on by another device of the user", [*LETTER, GIVER]),
        ("passed on, with the last device id", [*LETTER, [GIVER[0], 2**32 - 1]]),
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
        ("a giver of 31 bytes", encode([*LETTER, [bytes(31), 2]])),
        ("a giver of 33 bytes", encode([*LETTER, [bytes(33), 2]])),
        ("a giver without a device", encode([*LETTER, GIVER[:1]])),
        ("a giver with more than a device", encode([*LETTER, [*GIVER, 1]])),
        ("a giver whose device id is 0", encode([*LETTER, [GIVER[0], 0]])),
        ("a giver whose device id is 2^32", encode([*LETTER, [GIVER[0], 2**32]])),
        ("a giver that is a user id alone", encode([*LETTER, GIVER[0]])),
        ("a giver that is not there", encode([*LETTER, []])),
        ("two givers", encode([*LETTER, GIVER, GIVER])),
        ("a giver in the place of the document", encode([*LETTER[:3], GIVER])),
        ("no array", encode(GROUP)),
        ("nothing", b""),
        ("a byte behind it", whole + b"\0"),
        ("a byte is missing", whole[:-1]),
        ("an entry in two bytes", whole.replace(b"\x03\x07", b"\x03\x18\x07")),
    ):
        given = {"kind": KIND, "body": data.hex()}
        flags = ["LongForm" if comment.startswith(("a byte", "an entry in")) else "Shape"]
        group.invalid(comment, given, "MalformedMessage", flags=flags, rules=["GRP-53", "WIRE-4"])
