"""WIRE-10: armor is forgiving about white space and lines around it, and about nothing else."""

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._wire import armor as module
from letterlock._wire.armor import armor, dearmor, is_armored
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_MESSAGE
from support.wire_samples import samples

DATA = bytes(range(100))
TEXT = armor(DATA)
BEGIN, END = b"-----BEGIN LETTERLOCK MESSAGE-----", b"-----END LETTERLOCK MESSAGE-----"


def test_what_armor_looks_like() -> None:
    assert armor(b"letterlock") == BEGIN + b"\nbGV0dGVybG9jaw==\n" + END + b"\n"
    lines = TEXT.splitlines()
    assert [len(line) for line in lines[1:-1]] == [64, 64, 8]
    assert TEXT.isascii()
    assert dearmor(armor(b"")) == b""


@settings(deadline=None)
@given(st.binary(max_size=500))
def test_round_trip(data: bytes) -> None:
    text = armor(data)
    assert dearmor(text) == data
    assert is_armored(text)
    assert max(map(len, text.splitlines())) <= 64


MEDDLED = {
    "carriage returns": TEXT.replace(b"\n", b"\r\n"),
    "no line feed at the end": TEXT.rstrip(),
    "indented": textwrap.indent(TEXT.decode(), "    ").encode(),
    "double spaced": TEXT.replace(b"\n", b"\n\n"),
    "one line": TEXT.replace(b"\n", b""),
    "tabs and spaces": TEXT.replace(b"\n", b" \t\n"),
    "text before and after": b"Dear Bob,\n\n" + TEXT + b"\n-- \nAlice\n",
}


@pytest.mark.parametrize("text", MEDDLED.values(), ids=MEDDLED.keys())
def test_what_mail_programs_do_is_forgiven(text: bytes) -> None:
    assert dearmor(text) == DATA
    assert is_armored(text)


BODY = TEXT.removeprefix(BEGIN).split(END)[0]
WRONG = {
    "empty": b"",
    "no armor": b"hello",
    "no begin": BODY + END,
    "no end": BEGIN + BODY,
    "end before begin": END + BODY + BEGIN,
    "two messages": TEXT + TEXT,
    "one within the other": BEGIN + BODY + TEXT,
    "a second begin after the end": TEXT + BEGIN,
    "a second begin that shares dashes with the end": TEXT.rstrip() + TEXT.removeprefix(b"-----"),
    "a character cut": TEXT.replace(b"A", b"", 1),
    "a stray character": TEXT.replace(b"A", b"!", 1),
    "quoted": TEXT.replace(b"\n", b"\n> "),
    "url-safe alphabet": armor(b"\xff" * 30).replace(b"/", b"_"),
    "no padding": armor(b"letterlock").replace(b"=", b""),
    "too much padding": armor(b"letterlock").replace(b"==", b"==="),
    "text after the padding": armor(b"letterlock").replace(b"==", b"==bGV0"),
    "nul": TEXT.replace(b"A", b"\0", 1),
    "byte above ascii": TEXT.replace(b"A", b"\xc3", 1),
    "utf-8 space": TEXT.replace(b"\n", "\u00a0".encode(), 2),
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedMessage, match="armored text is") as caught:
        dearmor(text)
    assert caught.value.__cause__ is None


def test_oversize_text_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def b64decode(*_: object, **__: object) -> bytes:
        raise AssertionError("read")

    monkeypatch.setattr(module.base64, "b64decode", b64decode)  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "_MAX_ARMORED", len(TEXT))
    with pytest.raises(AssertionError, match="read"):
        dearmor(TEXT)
    with pytest.raises(MalformedMessage, match=f"of {len(TEXT) + 1} bytes; at most {len(TEXT)}"):
        dearmor(TEXT + b"\n")


def test_no_message_looks_armored() -> None:
    """Even one that carries the line in its bytes: an encoding begins with an array's head, above ASCII."""
    for data, _ in samples().values():
        assert data[0] >= 0x80
        assert not is_armored(data)
        assert not is_armored(data + TEXT)
    assert not is_armored(b"")


def test_only_the_head_of_an_array_rules_armor_out() -> None:
    """Major type 4, whatever the number of elements. A mail may begin with any other byte."""
    refused = {first for first in range(256) if not is_armored(bytes([first]) + TEXT)}
    assert refused == {first for first in range(256) if first >> 5 == 4}


def test_the_longest_message_is_read_with_the_line_ends_of_a_mail() -> None:
    data = bytes(MAX_MESSAGE)
    assert dearmor(b"Subject: letter\r\n\r\n" + armor(data).replace(b"\n", b"\r\n")) == data


@settings(deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda data: BEGIN + data + END))
def test_anything_is_read_or_refused(text: bytes) -> None:
    try:
        data = dearmor(text)
    except MalformedMessage:
        return
    assert dearmor(armor(data)) == data


def test_base64_with_stray_bits_in_its_last_character_is_refused() -> None:
    """One text, one spelling: `QQ==` and `QR==` would both be the letter A."""
    sound = armor(b"A")
    assert dearmor(sound) == b"A"
    with pytest.raises(MalformedMessage, match="not the base64 of any bytes"):
        dearmor(sound.replace(b"QQ==", b"QR=="))


@pytest.mark.parametrize("before", ["\ufeff", "Über: ", "x\n", ""], ids=["bom", "umlaut", "text", "nothing"])
def test_text_before_the_block_does_not_hide_it(before: str) -> None:
    text = before.encode() + armor(b"data")
    assert is_armored(text)
    assert dearmor(text) == b"data"
