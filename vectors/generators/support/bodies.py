"""Bodies that are sent to servers, made of elements: those that are read, and those that are refused.

    body = Body("lists", 4, (name("bob"), uint("after", 2, 0, U32)))
    right(body)                         the arrays that are read
    refuse_elements(group, body)        one wrong element each
    refuse_bytes(group, body)           other versions, other numbers of calls, second encodings

Not here: the elements (relay_elements.py); the bodies of each family.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from generators.support.encoding import Value, encode
from generators.support.family import Group, Json
from generators.support.relay_elements import SHOWN, Element

ZEROS: Final = re.compile(rb"(\0{64,})")
CALLS: Final = 24


class Body(NamedTuple):
    """One kind of body: the number of its call or None, and its elements."""

    kind: str
    number: int | None
    elements: tuple[Element, ...]

    def opening(self) -> list[Value]:
        """Return what stands before the elements."""
        return [1] if self.number is None else [1, self.number]

    def array(self, at: int = 0, value: Value = None, *, changed: bool = False) -> list[Value]:
        """Return the whole array, with another value at one of the elements if `changed`."""
        values = [each.value for each in self.elements]
        return [*self.opening(), *([*values[:at], value, *values[at + 1 :]] if changed else values)]

    def answer(self, array: list[Value]) -> dict[str, Any]:
        """Return what reading an array gives."""
        values = array[len(self.opening()) :]
        return {each.key: each.show(value) for each, value in zip(self.elements, values, strict=True)}


def given(data: bytes) -> Json:
    """Return bytes as an operation gets them: long ones as parts, each with how often it stands there."""
    if len(data) <= 4 * SHOWN:
        return {"data": data.hex()}
    pieces = [piece for piece in ZEROS.split(data) if piece]
    return {"parts": [["00", len(each)] if ZEROS.fullmatch(each) else [each.hex(), 1] for each in pieces]}


def right(body: Body) -> Iterator[tuple[str, list[Value]]]:
    """Yield the arrays that are read."""
    yield "in the middle of its limits", body.array()
    for at, element in enumerate(body.elements):
        for what, value in element.right:
            yield f"{element.key}: {what}", body.array(at, value, changed=True)


def refuse(group: Group, kind: str, what: str, flag: str, rule: str, data: bytes) -> None:
    """Add a body that is refused."""
    error = "UnsupportedVersion" if rule == "WIRE-1" else "MalformedMessage"
    group.invalid(f"{kind}, {what}", {"kind": kind, **given(data)}, error, flags=[flag], rules=[rule])


def refuse_elements(group: Group, body: Body) -> None:
    """Add bodies with one wrong element each, or with too few or too many."""
    for at, element in enumerate(body.elements):
        for flag, what, rule, value in element.wrong:
            data = encode(body.array(at, value, changed=True))
            refuse(group, body.kind, f"{element.key}: {what}", flag, rule, data)
    whole = body.array()
    refuse(group, body.kind, "without its last element", "Shape", "WIRE-4", encode(whole[:-1]))
    refuse(group, body.kind, "with one element more", "Shape", "WIRE-4", encode([*whole, None]))
    refuse(group, body.kind, "with the body once more in an array", "Shape", "WIRE-4", encode([whole]))


def refuse_bytes(group: Group, body: Body) -> None:
    """Add other versions, other numbers of calls, and second encodings."""
    whole = body.array()
    sound, rest = encode(whole), encode(whole)[2:]
    length = sound[:1]
    cases: list[tuple[str, str, str, bytes]] = [
        ("version 0", "Version", "WIRE-1", length + b"\0" + rest),
        ("version 2", "Version", "WIRE-1", length + b"\2" + rest),
        ("version 2 of another shape", "Version", "WIRE-1", encode([2, *whole[1:], "more"])),
        ("a version that is a text", "Version", "WIRE-4", length + b"\x611" + rest),
        ("a version that is null", "Version", "WIRE-4", length + b"\xf6" + rest),
        ("nothing", "LongForm", "WIRE-2", b""),
        ("cut short", "LongForm", "WIRE-2", sound[:-1]),
        ("a byte after the end", "LongForm", "WIRE-2", sound + b"\0"),
        ("the array's head in two bytes", "LongForm", "WIRE-2", bytes([0x98, len(whole)]) + sound[1:]),
        ("the version in two bytes", "LongForm", "WIRE-2", length + b"\x18\1" + rest),
        ("the version in nine bytes", "LongForm", "WIRE-2", length + b"\x1b" + bytes(7) + b"\1" + rest),
        ("an array of indefinite length", "LongForm", "WIRE-2", b"\x9f" + sound[1:] + b"\xff"),
        ("a tag around it", "LongForm", "WIRE-5", b"\xc1" + sound),
        ("a tag on the version", "LongForm", "WIRE-5", length + b"\xc1" + sound[1:]),
        ("a byte string around it", "Type", "WIRE-4", encode(sound)),
        ("a map", "Type", "WIRE-4", b"\xa1\1" + (rest or b"\1")),
    ]
    if body.number is not None:
        number = encode(body.number)
        after, longer = rest[len(number) :], b"\x18" if body.number < 24 else b"\x19\0"
        cases += [
            ("the number of the next call", "Number", "WIRE-4",
             length + b"\1" + encode(body.number % CALLS + 1) + after),
            ("number 0", "Number", "WIRE-4", length + b"\1\0" + after),
            ("a number that is a text", "Number", "WIRE-4", length + b"\1\x61n" + after),
            ("no number", "Number", "WIRE-4", length + b"\1\xf6" + after),
            (f"the number in {len(longer) + 1} bytes", "LongForm", "WIRE-2",
             length + b"\1" + longer + bytes([body.number]) + after),
        ]  # fmt: skip
    for what, flag, rule, data in cases:
        refuse(group, body.kind, what, flag, rule, data)
