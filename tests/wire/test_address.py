"""WIRE-8: one spelling of a name, nothing invisible in it, and a device id of four bytes."""

import copy
import dataclasses
import pickle
import re
import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_ID, MAX_NAME_BYTES
from support.wire_samples import ADDRESSES

GOOD = {
    "one letter": "a",
    "e-mail": "alice@example.org",
    "umlaut, composed": "b\u00f6b",
    "cjk": "\u6c34",
    "beyond the basic plane": "\U00010151",
    "255 bytes": "n" * 255,
    "255 bytes of three": "\u6c34" * 85,
    "space": "Alice Liddell",
    "combining mark that has no composed form": "x\u0301",
    "just before the variation selectors": "\ufdff",
    "just after them": "\ufe10",
}

BAD = {
    "empty": "",
    "256 bytes": "n" * 256,
    "256 bytes of two": "\u00f6" * 128,
    "256 bytes in 86 characters": "\u6c34" * 85 + "n",
    "umlaut, decomposed": "bo\u0308b",
    "hangul, decomposed": "\u1112\u1161\u11ab",
    "angstrom sign": "\u212b",
    "ohm sign": "\u2126",
    "marks in the wrong order": "a\u0301\u0316",
    "nul": "a\0b",
    "newline": "a\n",
    "tab": "a\tb",
    "escape": "\x1b[31m",
    "delete": "a\x7f",
    "c1 control": "a\x85",
    "right-to-left override": "\u202egro.elpmaxe",
    "left-to-right mark": "a\u200e",
    "isolate": "\u2066a\u2069",
    "zero-width space": "al\u200bice",
    "zero-width joiner": "al\u200dice",
    "soft hyphen": "al\u00adice",
    "byte order mark": "\ufeffalice",
    "tag character": "alice\U000e0041",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "high surrogate": "a\ud800",
    "low surrogate": "\udfff",
    "surrogate pair": "\ud800\udd51",
    "private use": "\ue000",
    "unassigned": "\u0378",
    "grapheme joiner": "a\u034f",
    "hangul filler": "\u3164",
    "variation selector": "a\ufe0f",
    "ideographic variation": "\u845b\U000e0100",
    "space before": " alice",
    "space behind": "alice ",
    "no-break space behind": "alice\u00a0",
    "no-break space within": "Alice\u00a0Liddell",
    "ideographic space within": "\u6c34\u3000\u6c34",
    "braille blank": "al\u2800ice",
    "null notehead": "alice\U0001d159",
    "null notehead alone": "\U0001d159",
    "half a blank hieroglyph": "\U00013442",
}


SHOWN = {"ETHIOPIC WORDSPACE", "SYMBOL FOR SPACE", "BLANK SYMBOL", "IDEOGRAPHIC HALF FILL SPACE"}
"""Characters that show something although their names speak of blanks."""


def test_no_character_that_is_named_blank_invisible_or_joining_is_accepted() -> None:
    words = re.compile(r"\b(BLANK|SPACE|INVISIBLE|JOINER|ZERO WIDTH|VARIATION SELECTOR|NULL NOTEHEAD)\b")
    found = set()
    for character in map(chr, range(sys.maxunicode + 1)):
        name = unicodedata.name(character, "")
        if not words.search(name) or character == " " or name in SHOWN or name.startswith("SIGNWRITING"):
            continue
        with pytest.raises(UsageError, match=r"white space|invisible|normal form"):
            Address(f"a{character}b")
        found.add(name)
    assert {"NO-BREAK SPACE", "BRAILLE PATTERN BLANK", "BRAHMI NUMBER JOINER"} <= found


def test_white_space_is_only_the_space_and_only_within() -> None:
    spaces = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
    assert len(spaces) > 20
    for space in spaces:
        for name in (f"a{space}b", f"{space}a", f"a{space}", space):
            if name == "a b":
                Address(name)
            else:
                with pytest.raises(UsageError):
                    Address(name)


@pytest.mark.parametrize("name", GOOD.values(), ids=GOOD.keys())
def test_names_that_are_accepted(name: str) -> None:
    address = Address(name, 3)
    assert Address.from_fields(cbor.decode(address.encode())) == address
    assert address.encode() == cbor.encode([name, 3])
    assert str(address) == f"{name}.3"


@pytest.mark.parametrize("name", BAD.values(), ids=BAD.keys())
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        Address(name, 3)
    with pytest.raises(MalformedMessage) as received:
        Address.from_fields([name, 3])
    # WIRE-4: the text names what is wrong, and not the name.
    assert str(received.value) == str(caught.value)
    assert str(caught.value).startswith("address name")
    assert len(name) < 2 or name not in str(caught.value)


@pytest.mark.parametrize("number", [1, 2, 255, 2**31, MAX_ID])
def test_device_ids_that_are_accepted(number: int) -> None:
    assert Address.from_fields(["a", number]) == Address("a", number)


@pytest.mark.parametrize("number", [0, -1, MAX_ID + 1, 2**64])
def test_device_ids_that_are_refused(number: int) -> None:
    with pytest.raises(UsageError, match=f"device id {number}; expected 1 to {MAX_ID}"):
        Address("a", number)
    with pytest.raises(MalformedMessage, match="device id"):
        Address.from_fields(["a", number])


class OwnStr(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("name", "number"),
    [(b"a", 1), (None, 1), (1, 1), (OwnStr("a"), 1), ("a", True), ("a", 1.0), ("a", "1"), ("a", None)],
    ids=repr,
)
def test_other_types_are_refused(name: str, number: int) -> None:
    with pytest.raises(UsageError, match=r"needs a name \(str\) and a device id \(int\)"):
        Address(name, number)


@pytest.mark.parametrize(
    "value", [None, "a", ["a"], ["a", 1, 1], [1, "a"], [["a", 1]], {"a": 1}, b"a", [b"a", 1]], ids=repr
)
def test_other_shapes_are_refused(value: object) -> None:
    with pytest.raises(MalformedMessage):
        Address.from_fields(value)


def test_an_address_is_a_value() -> None:
    assert Address("a") == Address("a", 1)
    assert hash(Address("a")) == hash(Address("a", 1))
    assert Address("a", 1) != Address("a", 2)
    assert Address("a", 1) != Address("b", 1)
    assert Address("a", 1) < Address("a", 2) < Address("b", 1)
    with pytest.raises(AttributeError):
        Address("a").name = "b"  # type: ignore[misc]


@settings(deadline=None)
@given(ADDRESSES)
def test_round_trip(address: Address) -> None:
    assert Address.from_fields(cbor.decode(address.encode())) == address


@settings(deadline=None)
@given(ADDRESSES, ADDRESSES)
def test_two_addresses_never_have_one_encoding(one: Address, other: Address) -> None:
    assert (one.encode() == other.encode()) == (one == other)


@settings(deadline=None)
@given(st.text(st.characters(), max_size=300))
def test_any_text_is_a_name_or_refused(name: str) -> None:
    try:
        address = Address(name)
    except UsageError:
        return
    assert 1 <= len(name.encode()) <= MAX_NAME_BYTES
    assert unicodedata.is_normalized("NFC", name)
    assert name.isprintable() or any(unicodedata.category(c) in {"Zs", "Co", "Cn"} for c in name)
    assert Address.from_fields(cbor.decode(address.encode())) == address


def test_the_encoding_is_made_once_and_takes_no_part() -> None:
    address = Address("bob", 7)
    assert address.encode() is address.encode() is address.encoded
    assert Address.__match_args__ == ("name", "device_id")
    assert repr(address) == "Address(name='bob', device_id=7)"
    assert (address == Address("bob", 7), hash(address) == hash(Address("bob", 7))) == (True, True)
    assert Address("ab", 1) < Address("b", 1)  # by name: the encoding of a shorter name is less
    with pytest.raises(dataclasses.FrozenInstanceError):
        address.encoded = b""  # type: ignore[misc]


COPIES: dict[str, Callable[[Address], Address]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda address: pickle.loads(pickle.dumps(address)),
    "replace": dataclasses.replace,
}


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_a_copy_is_encoded_too(make: Callable[[Address], Address]) -> None:
    address = Address("böb", 7)
    made = make(address)
    assert (made, made.encode()) == (address, address.encode())
    assert dataclasses.replace(address, device_id=8).encode() == Address("böb", 8).encode()
