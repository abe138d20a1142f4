"""Elements of a relay's bodies: a good value of each, those at its limits, and those just outside of them.

    uint("most", 10, 1, 100)        10; also good 1 and 100; wrong 0, 101, a text, null

Not here: which body has which elements (families/relay/bodies.py).
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from generators.support.encoding import Value
from generators.support.family import Json
from generators.support.labels import draw

SHOWN: Final = 1024
"""Bytes up to which a byte string is answered whole."""


class Wrong(NamedTuple):
    """A value that is refused: the flag of the test, what it is, the rule, and the value."""

    flag: str
    what: str
    rule: str
    value: Value


def shown(value: Any) -> Any:
    """Return a value as operations answer it."""
    if isinstance(value, bytes):
        digest = hashlib.sha256(value).hexdigest()
        return value.hex() if len(value) <= SHOWN else {"length": len(value), "sha256": digest}
    return [shown(each) for each in value] if isinstance(value, list) else value


class Element(NamedTuple):
    """One element: its name, a good value, other good ones, wrong ones, and how it is answered."""

    key: str
    value: Value
    right: Sequence[tuple[str, Value]] = ()
    wrong: Sequence[Wrong] = ()
    show: Callable[[Any], Any] = shown


def _types(*others: tuple[str, Value]) -> list[Wrong]:
    return [Wrong("Type", what, "WIRE-4", value) for what, value in others]


TEXT: Final = ("a text", "1")
NUMBER: Final = ("a number", 1)
NULL: Final = ("null", None)
ARRAY: Final = ("an array", [])


def uint(key: str, value: int, least: int, most: int, show: Callable[[Any], Any] = shown) -> Element:
    """Return an unsigned integer of `least` to `most`."""
    bounds = [(str(each), each) for each in (least, most) if each != value]
    outside = [("the greatest and 1", most + 1), *([("the least less 1", least - 1)] if least else [])]
    wrong = [Wrong("Range", what, "WIRE-4", each) for what, each in outside]
    bytes_ = ("a byte string", b"\1")
    return Element(key, value, bounds, [*wrong, *_types(TEXT, bytes_, NULL, ARRAY)], show)


def wide(key: str, value: int) -> Element:
    """Return an unsigned integer of 63 bits, which is answered as eight bytes."""
    return uint(key, value, 0, 2**63 - 1, lambda given: given.to_bytes(8, "big").hex())


def blob(key: str, value: bytes, least: int, most: int, *, null: bool = False) -> Element:
    """Return a byte string of `least` to `most` bytes, or null if it may be null."""
    sizes = sorted({least, most} - {len(value)})
    right: list[tuple[str, Value]] = [(f"{size} bytes", bytes(size)) for size in sizes]
    outside = [most + 1, *([least - 1] if least else [])]
    wrong = [Wrong("Range", f"{size} bytes", "WIRE-4", bytes(size)) for size in outside]
    text = ("a text", "t" * len(value))
    if null:
        right.append(NULL)
    return Element(key, value, right, [*wrong, *_types(text, NUMBER, ARRAY, *([] if null else [NULL]))])


def name(value: str) -> Element:
    """Return a name that an address may have."""
    wrong = [
        Wrong("Name", what, "WIRE-8", text)
        for what, text in (
            ("empty", ""), ("256 bytes", "\u00fc" * 128), ("with a space at its end", value + " "),
            ("with a space before it", " " + value), ("not in normal form C", "e\u0301"),
            ("with a joiner that nobody sees", "a\u200bb"), ("with a control character", "a\tb"),
        )
    ]  # fmt: skip
    right = [("255 bytes", "n" * 255), ("letters of another script", "\u6771\u4eac \U0001f4c4")]
    bytes_ = ("a byte string", value.encode())
    return Element("name", value, right, [*wrong, *_types(bytes_, NUMBER, NULL, ARRAY)])


def device(key: str = "device") -> Element:
    """Return a device id."""
    return uint(key, 7, 1, 2**32 - 1)


def items(key: str, one: Element, least: int, most: int, make: Callable[[int], Value]) -> Element:
    """Return an array of `least` to `most` elements like `one`; `make` gives different ones by number."""
    first, second = one.value, make(2)
    right: list[tuple[str, Value]] = [
        ("one", [first]), (f"{most} of them", [make(at) for at in range(1, most + 1)]),
        *([] if least else [("none", [])]),
        *((f"one, {what}", [value]) for what, value in one.right),
    ]  # fmt: skip
    wrong = [
        Wrong("Count", f"{most + 1} of them", "WIRE-4", [make(at) for at in range(1, most + 2)]),
        *([Wrong("Count", "none", "WIRE-4", [])] if least else []),
        *_types(("one without an array", b"1"), NUMBER, TEXT, NULL),
        *(Wrong(flag, f"one, {what}", rule, [value]) for flag, what, rule, value in one.wrong),
        Wrong(one.wrong[0].flag, f"a good one, and one that is {one.wrong[0].what}", "WIRE-4",
              [first, one.wrong[0].value]),
    ]  # fmt: skip
    return Element(key, [first, second], right, wrong, lambda value: [one.show(each) for each in value])


def different(element: Element, twice: Sequence[tuple[str, Value]]) -> Element:
    """Return an array that may hold nothing twice."""
    wrong = [Wrong("Twice", what, "WIRE-4", value) for what, value in twice]
    return element._replace(wrong=[*element.wrong, *wrong])


def ids(key: str, least: int, most: int) -> Element:
    """Return an array of different ids."""
    one = blob("id", draw("relay id 1", 16), 16, 16)

    def make(at: int) -> Value:
        return draw(f"relay id {at}", 16)

    first = one.value
    twice: list[tuple[str, Value]] = [
        ("the same twice", [first, first]), ("the same at both ends", [first, make(2), first]),
    ]  # fmt: skip
    return different(items(key, one, least, most, make), twice)


def record(elements: Sequence[Element], show: Callable[[Json], Any]) -> Element:
    """Return an array of these elements that stands inside another one; `show` gets their answers by name."""
    whole = [each.value for each in elements]

    def changed(at: int, value: Value) -> Value:
        return [*whole[:at], value, *whole[at + 1 :]]

    right: list[tuple[str, Value]] = []
    wrong: list[Wrong] = []
    for at, each in enumerate(elements):
        right += [(f"with {each.key}: {what}", changed(at, value)) for what, value in each.right]
        wrong += [
            Wrong(flag, f"with {each.key}: {what}", rule, changed(at, value))
            for flag, what, rule, value in each.wrong
        ]
    wrong += [
        Wrong("Shape", "without its last element", "WIRE-4", whole[:-1]),
        Wrong("Shape", "with one element more", "WIRE-4", [*whole, None]),
        *_types(("no array", b"1"), NULL),
    ]

    def answer(value: list[Value]) -> Any:
        return show({each.key: each.show(given) for each, given in zip(elements, value, strict=True)})

    return Element("record", whole, right, wrong, answer)


def or_null(element: Element) -> Element:
    """Return an element that may be null."""
    wrong = [each for each in element.wrong if each.value is not None]

    def answer(value: Any) -> Any:
        return None if value is None else element.show(value)

    return element._replace(right=[*element.right, NULL], wrong=wrong, show=answer)


def check_kind() -> Element:
    """Return the name of a check of identity."""
    wrong = [
        Wrong("Range", what, "WIRE-4", text)
        for what, text in (
            ("no character", ""), ("17 characters", "k" * 17), ("a capital letter", "Mail"),
            ("a digit first", "2fa"),
            ("a hyphen first", "-mail"), ("a space", "e mail"), ("another letter", "m\u00e4il"),
            ("a line break at its end", "mail\n"),
        )
    ]  # fmt: skip
    types = [("a byte string", b"mail"), ("a number", 1), ("null", None)]
    right = [("16 characters", "k" * 16), ("one letter", "k"), ("digits and hyphens", "k-2-")]
    return Element(
        "kind", "mail", right, [*wrong, *(Wrong("Type", what, "WIRE-4", value) for what, value in types)]
    )
