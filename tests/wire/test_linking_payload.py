"""The payload of a linking: USR-41, USR-43, and that it has one encoding."""

from dataclasses import replace
from typing import Any, Final

import cbor2
import pytest

from letterlock._wire.linking_payload import ContactPin, DocumentSeed, PayloadContents, PinState
from letterlock.errors import MalformedMessage, PeerError, UsageError
from letterlock.limits import MAX_LINKED_CONTACTS, MAX_LINKING_PACKAGE

BOB: Final = ContactPin("bob", b"b" * 32, 3, b"h" * 32, PinState.VERIFIED)
EVE: Final = ContactPin("eve", b"e" * 32, 1, b"e" * 32, PinState.UNVERIFIED)
FULL: Final = PayloadContents("alice", DocumentSeed(b"s" * 32), (b"2" * 48, b"1" * 48), (BOB, EVE))
LIMITED: Final = PayloadContents("alice", None, (), (BOB,))
TREE: Final = cbor2.loads(FULL.encode())


def changed(at: int, value: object) -> bytes:
    return cbor2.dumps([*TREE[:at], value, *TREE[at + 1 :]])


def changed_pin(at: int, value: object) -> bytes:
    pin = TREE[4][0]
    return changed(4, [[*pin[:at], value, *pin[at + 1 :]], TREE[4][1]])


def refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage) as caught:
        PayloadContents.decode(data)
    assert caught.value.__cause__ is None
    assert b"ssss".hex() not in str(caught.value)


@pytest.mark.parametrize("contents", [FULL, LIMITED, replace(FULL, sealed=(), pins=())])
def test_a_payload_survives_its_encoding(contents: PayloadContents) -> None:
    again = PayloadContents.decode(contents.encode())
    assert (again.name, again.seed, again.sealed, again.pins) == (
        contents.name, contents.seed, contents.sealed, contents.pins,
    )  # fmt: skip
    assert again.encode() == contents.encode()


WRONG: Final[list[object]] = [
    None,
    True,
    1.5,
    -1,
    2**64,
    "",
    b"",
    b"\0" * 31,
    b"\0" * 33,
    [],
    [1],
    {},
    "x" * 256,
]


@pytest.mark.parametrize("at", range(5))
def test_an_element_of_another_type_or_size_is_refused(at: int) -> None:
    fitting: dict[int, list[object]] = {2: [None], 3: [[]], 4: [[]]}
    accepted = fitting.get(at, [])
    for value in WRONG:
        data = changed(at, value)
        if any(value is each or (value == each and type(value) is type(each)) for each in accepted):
            if at == 2:
                refused(data)  # there are sealed seeds, and nothing to open them
            else:
                PayloadContents.decode(data)
        else:
            refused(data)


@pytest.mark.parametrize("at", range(5))
def test_an_element_of_a_pin_of_another_type_or_size_is_refused(at: int) -> None:
    """USR-41."""
    for value in (*WRONG, 0, 3):
        if (at, value) == (2, 3) or (at == 2 and value is True):
            continue
        refused(changed_pin(at, value))
    refused(changed_pin(2, True))


@pytest.mark.parametrize(
    "name", ["", " bob", "bob ", "b\u0301ob\u0000", "e\u0301", "\u202ebob", "a\nb", "x" * 256]
)
def test_a_name_that_no_address_has_is_refused(name: str) -> None:
    refused(changed(1, name))
    refused(changed_pin(0, name))


def test_pins_have_one_order() -> None:
    """USR-41: by code points, each name once, and never the user's own."""
    for pins in ((EVE, BOB), (BOB, BOB), (replace(BOB, name="alice"),), (BOB, replace(BOB, hash=b"i" * 32))):
        refused(replace(FULL, pins=pins).encode())


def test_the_first_version_of_a_pin_is_the_user_id() -> None:
    """USR-1."""
    refused(replace(FULL, pins=(replace(EVE, hash=b"f" * 32),)).encode())
    refused(replace(FULL, pins=(replace(BOB, version=1),)).encode())


@pytest.mark.parametrize("state", [0, 3, 255])
def test_a_state_that_does_not_exist_is_refused(state: int) -> None:
    """A conflict is not given: the new device meets the contradiction itself."""
    refused(changed_pin(4, state))


def test_every_changed_byte_is_refused_or_is_read_as_another_payload() -> None:
    data = FULL.encode()
    for at in range(len(data)):
        for mask in (1, 0x80, 0xFF):
            wrong = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
            try:
                assert PayloadContents.decode(wrong).encode() == wrong
            except PeerError:
                continue


def test_cut_and_longer_payloads_are_refused() -> None:
    data = FULL.encode()
    for at in range(len(data)):
        refused(data[:at])
    refused(data + b"\0")
    refused(changed(0, 2))
    refused(cbor2.dumps([*TREE, None]))


def test_limits() -> None:
    pins = tuple(replace(BOB, name=f"n{at:06}") for at in range(MAX_LINKED_CONTACTS + 1))
    most = replace(FULL, pins=pins[:-1]).encode()
    assert len(PayloadContents.decode(most).pins) == MAX_LINKED_CONTACTS
    with pytest.raises(UsageError, match="40001 contacts"):
        replace(FULL, pins=pins).encode()
    refused(changed(4, [each.fields() for each in pins]))
    refused(changed(3, [b"\0" * 48] * 1000))
    refused(bytes(MAX_LINKING_PACKAGE + 1))
    # So many items are refused before any is built.
    refused(b"\x85\x01\x61a\xf6\x80\x9a\x00\x10\x00\x00" + b"\x80" * 0x100000)


def test_no_secret_is_shown() -> None:
    holders: list[Any] = [FULL, FULL.seed]
    for holder in holders:
        assert "ss" not in repr(holder).replace("class", "")
        with pytest.raises(TypeError):
            holder.__reduce__()
