"""Frames as bytes. What call, pass and lists say is nobody's affair before a server looks into them."""

from typing import Final

from generators.support.bodies import Body, given, refuse, refuse_bytes, refuse_elements, right
from generators.support.encoding import Value, encode
from generators.support.family import Family, Group
from generators.support.labels import draw
from generators.support.relay_elements import Element, blob, items, or_null

CALL: Final = 16_809_984
LIST: Final = 196_608
LISTS: Final = 4_194_304
SHOW: Final = encode([1, 30, draw("user of a frame", 32)])


def _lists() -> Element:
    one = blob("list", draw("list of a frame", 30), 1, LIST)
    return or_null(items("lists", one, 1, 256, lambda at: draw(f"list {at} of a frame", 30)))


FRAME: Final = Body(
    "frame", None,
    (blob("call", SHOW, 1, CALL), blob("pass", draw("pass of a frame", 90), 1, 512, null=True), _lists()),
)  # fmt: skip


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("recovery.decode", "frames")
    for what, array in right(FRAME):
        _valid(group, what, array)
    refuse_elements(group, FRAME)
    refuse_bytes(group, FRAME)
    opaque(family)
    lists(family)
    done = family.group("recovery.decode", "an answer without anything in it")
    done.valid("done", {"kind": "done", "data": "8101"}, output={})
    refuse_bytes(done, Body("done", None, ()))
    refuse(done, "done", "with one element", "Shape", "WIRE-4", encode([1, None]))


def _valid(group: Group, what: str, array: list[Value], rules: tuple[str, ...] = ()) -> None:
    asked = {"kind": "frame", **given(encode(array))}
    group.valid(f"frame, {what}", asked, rules=rules, output=FRAME.answer(array))


def opaque(family: Family) -> None:
    """Add frames whose elements say something, or nothing: a frame is read all the same."""
    group = family.group("recovery.decode", "frames of which nothing is judged")
    whole = encode([1, SHOW, None, None])
    for what, array in (
        ("a call of another version", [1, encode([2, 30]), None, None]),
        ("a call that is no CBOR", [1, b"\xff", None, None]),
        ("a frame as a call", [1, whole, None, None]),
        ("a pass that is CBOR", [1, SHOW, encode([1, "pass"]), None]),
        ("a pass that is a frame", [1, SHOW, whole, None]),
        ("a pass of zeros", [1, SHOW, bytes(32), None]),
        ("a pass of bytes that are no text", [1, SHOW, b"\xc0\xff\x80", None]),
        ("a pass of one byte that ends nothing", [1, SHOW, b"\xff", None]),
        ("lists that are none", [1, SHOW, None, [b"\0", b"\xff"]]),
        ("the same list twice", [1, SHOW, None, [b"list", b"list"]]),
    ):
        _valid(group, what, array)


def lists(family: Family) -> None:
    """Add frames with as many bytes of lists as there may be, and one more."""
    group = family.group("recovery.decode", "lists of 4 MiB")
    whole, rest = divmod(LISTS, LIST)
    full: list[Value] = [bytes(LIST)] * whole
    small: list[Value] = [bytes(LISTS // 256)] * 256
    _valid(group, "21 of the longest lists, and a rest", [1, SHOW, None, [*full, bytes(rest)]])
    _valid(group, "256 lists of 16 KiB", [1, SHOW, b"pass", small])
    _valid(group, "everything as long as it may be", [1, bytes(CALL), bytes(512), small])
    for what, found in (
        ("one byte more in the last list", [*full, bytes(rest + 1)]),
        ("one byte more in the first list", [bytes(LISTS // 256 + 1), *small[1:]]),
        ("one list more, of one byte", [*full, bytes(rest), b"\0"]),
        ("22 of the longest lists", [*full, bytes(LIST)]),
        ("256 lists of 17 KiB", [bytes(17 * 1024)] * 256),
    ):
        refuse(group, "frame", what, "Range", "WIRE-4", encode([1, SHOW, None, found]))
