"""Frames of a socket, in both directions."""

from typing import Final

from generators.families.relay.bodies import BODIES
from generators.support.bodies import given
from generators.support.encoding import Value, encode
from generators.support.family import Family, Group, Json
from generators.support.labels import draw

MALFORMED: Final = "MalformedMessage"
FOUND: Final = {each.kind: each for each in BODIES}
GROUP: Final = draw("relay group", 16)
ACK: Final = encode(FOUND["ack"].array())
BYTES: Final[tuple[tuple[str, str, str, bytes], ...]] = (
    ("nothing", "LongForm", MALFORMED, b""),
    ("version 2", "Version", "UnsupportedVersion", encode([2, 10])),
    ("a fetch", "Number", MALFORMED, encode(FOUND["fetch"].array())),
    ("a send", "Number", MALFORMED, encode(FOUND["send"].array())),
    ("a text for a group", "Number", MALFORMED, encode(FOUND["group-send"].array())),
    ("no number", "Number", MALFORMED, encode([1])),
    ("ten elements for the number", "Number", MALFORMED, encode([1, [None] * 10, []])),
    ("an acknowledgement of nothing", "Count", MALFORMED, encode([1, 10, []])),
    ("the number in two bytes", "LongForm", MALFORMED, ACK[:2] + b"\x18\x0a" + ACK[3:]),
    ("a byte after the end", "LongForm", MALFORMED, ACK + b"\0"),
    ("cut short", "LongForm", MALFORMED, ACK[:-1]),
)
"""What is no frame, in both directions."""


def add(family: Family) -> None:
    """Add the groups."""
    pushed(family)
    sent(family)


def pushed(family: Family) -> None:
    """Add what a relay pushes."""
    group = family.group("relay.read_frame", "what a relay pushes into a socket, whichever it is")
    read(group, "mail-frame", "ack", "shelf-frame", "group-frame")
    empty: Json = {"kind": "mail-frame", "body": {"stock": 0, "deliveries": []}}
    group.valid("no mail", given(encode([1, 9, 0, []])), output=empty)
    none: Json = {"kind": "group-frame", "body": {"group": GROUP.hex(), "newest": 0}}
    group.valid("a group without texts", given(encode([1, 24, GROUP, 0])), rules=["RLY-51"], output=none)
    arrays: tuple[tuple[str, str, list[Value]], ...] = (
        ("an answer to a fetch", "Number", FOUND["fetch-answer"].array()),
        ("news of a shelf without a number", "Shape", [1, 16]),
        ("news of a shelf and something more", "Shape", [1, 16, 9, 9]),
        ("a request for a shelf", "Shape", FOUND["shelf"].array()),
        ("nine bytes for the number", "Number", [1, bytes(9), 0, []]),
        ("news of no group", "Shape", [1, 24]),
        ("news of a group without a number", "Shape", [1, 24, GROUP]),
        ("news of a group and something more", "Shape", [1, 24, GROUP, 9, 9]),
        ("news of a group in an array", "Type", [1, 24, [GROUP], 9]),
        ("what a client follows", "Shape", [1, 24, [GROUP]]),
        ("a request for texts of a group", "Number", FOUND["group-texts"].array()),
    )
    refuse(group, arrays)


def sent(family: Family) -> None:
    """Add what a client sends."""
    group = family.group("relay.read_sent_frame", "what a client sends into a socket, whichever it is")
    read(group, "ack", "follow-frame")
    nothing: Json = {"kind": "follow-frame", "body": {"groups": []}}
    group.valid("it follows nothing", given(encode([1, 24, []])), rules=["RLY-51"], output=nothing)
    many = [draw(f"relay group {at}", 16) for at in range(257)]
    output: Json = {"kind": "follow-frame", "body": {"groups": [each.hex() for each in many[:256]]}}
    group.valid("it follows 256", given(encode([1, 24, many[:256]])), rules=["RLY-51"], output=output)
    arrays: tuple[tuple[str, str, list[Value]], ...] = (
        ("it follows 257", "Count", [1, 24, many]),
        ("it follows one twice", "Twice", [1, 24, [GROUP, GROUP]]),
        ("an id of 15 bytes", "Range", [1, 24, [GROUP[:-1]]]),
        ("mail", "Number", FOUND["mail-frame"].array()),
        ("news of a shelf", "Number", FOUND["shelf-frame"].array()),
        ("news of a group", "Shape", FOUND["group-frame"].array()),
        ("groups without an array", "Shape", [1, 24]),
        ("groups and something more", "Shape", [1, 24, [GROUP], 9]),
        ("a group without an array", "Type", [1, 24, GROUP]),
    )
    refuse(group, arrays)


def read(group: Group, *kinds: str) -> None:
    """Add frames that are read."""
    for kind in kinds:
        body = FOUND[kind]
        output = {"kind": kind, "body": body.answer(body.array())}
        group.valid(kind, given(encode(body.array())), output=output)


def refuse(group: Group, arrays: tuple[tuple[str, str, list[Value]], ...]) -> None:
    """Add frames of this direction that are refused, and what is none in either."""
    cases = [(what, flag, MALFORMED, encode(array)) for what, flag, array in arrays]
    for what, flag, error, data in (*BYTES, *cases):
        rules = [{"Version": "WIRE-1", "LongForm": "WIRE-2"}.get(flag, "WIRE-4")]
        if flag == "Count" and "257" in what:
            rules.append("RLY-51")
        group.invalid(what, given(data), error, flags=[flag], rules=rules)
