"""WIRE-10: armor is forgiving about what mail programs do to text, and about nothing else."""

import codecs
import quopri
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


def prefixed(prefix: bytes, text: bytes) -> bytes:
    """Put the prefix before every line, also before empty ones, as mail programs quote."""
    return b"".join(prefix + line for line in text.splitlines(keepends=True))


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
    "a quotation mark of cp1252 first": b"\x93Hello\x94\n" + TEXT + b"\x93\n",
    "a quotation mark of cp1252 alone": b"\x93\n" + TEXT,
    "any byte beyond ascii first": b"\x80" + TEXT,
    "latin 1 around it": "Gr\u00fc\u00dfe\n".encode("latin-1") + TEXT + "Zo\u00eb".encode("latin-1"),
    "byte order mark": codecs.BOM_UTF8 + TEXT,
    "utf-16": TEXT.decode().encode("utf-16"),
    "utf-16, big endian": codecs.BOM_UTF16_BE + f"Gr\u00fc\u00dfe\n{TEXT.decode()}".encode("utf-16-be"),
    "utf-16, an odd byte at the end": TEXT.decode().encode("utf-16") + b"\0",
    "quoted": textwrap.indent(TEXT.decode(), "> ").encode(),
    "quoted in a reply": b"Alice wrote:\r\n"
    + prefixed(b"> ", TEXT.replace(b"\n", b"\r\n"))
    + b"\r\nYes.\r\n",
    "quoted without a space": prefixed(b">", TEXT),
    "quoted twice": prefixed(b">> ", TEXT),
    "quoted twice, with spaces": prefixed(b"> > ", TEXT),
    "quoted and flowed": prefixed(b"> ", TEXT.replace(b"\n", b" \n")),
    "quoted, with empty lines": prefixed(b"> ", TEXT.replace(b"\n", b"\n\n")),
    "flowed": TEXT.replace(b"\n", b" \n"),
    "stuffed with spaces": prefixed(b" ", TEXT),
    "quoted-printable": quopri.encodestring(TEXT),
    "quoted-printable, lower case": TEXT.replace(b"=", b"=3d"),
    "quoted-printable, in long lines": quopri.encodestring(
        BEGIN + b"".join(TEXT.split(b"\n")[1:4]) + b"\n" + END
    ),
    "quoted-printable, broken before the padding": TEXT.replace(b"==", b"=\r\n=3D=\n=3D"),
    "quoted-printable, and quoted": prefixed(b"> ", quopri.encodestring(TEXT)),
}


@pytest.mark.parametrize("text", MEDDLED.values(), ids=MEDDLED.keys())
def test_what_mail_programs_do_is_forgiven(text: bytes) -> None:
    assert dearmor(text) == DATA
    assert is_armored(text)


BODY = TEXT.removeprefix(BEGIN).split(END)[0]


def meddled(put: bytes) -> bytes:
    """Put something else for the first A of the base64; the line before it has an A too."""
    return BEGIN + BODY.replace(b"A", put, 1) + END


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
    "a character cut": meddled(b""),
    "a stray character": meddled(b"!"),
    "quoted but for the first line": TEXT.replace(b"\n", b"\n> "),
    "quoted but for the last line": prefixed(b"> ", TEXT).replace(b"> " + END, END),
    "quoted but for a line within": prefixed(b"> ", TEXT).replace(b"\n> ", b"\n", 1),
    "quoted twice in one line": prefixed(b"> ", TEXT).replace(b"\n> ", b"\n>> ", 1),
    "a mark of a quotation within a line": prefixed(b"> ", meddled(b">")),
    "utf-16 without a byte order mark": TEXT.decode().encode("utf-16-le"),
    "utf-16 without a byte order mark, big endian": TEXT.decode().encode("utf-16-be"),
    "half in utf-16": codecs.BOM_UTF16_LE + TEXT[:80].decode().encode("utf-16-le") + TEXT[80:],
    "padding half in quoted-printable": TEXT.replace(b"==", b"=3D="),
    "quoted-printable and padding too": TEXT.replace(b"==", b"=3D=3D=="),
    "quoted-printable of another character": meddled(b"=41"),
    "quoted-printable padding within": meddled(b"=3DA"),
    "a soft break before the end": armor(bytes(48)).replace(b"\n-----END", b"=\n-----END"),
    "a soft break twice": armor(bytes(96)).replace(b"A\nA", b"A==\nA"),
    "html": TEXT.replace(b"\n", b"<br>\n"),
    "url-safe alphabet": armor(b"\xff" * 30).replace(b"/", b"_"),
    "no padding": armor(b"letterlock").replace(b"=", b""),
    "too much padding": armor(b"letterlock").replace(b"==", b"==="),
    "text after the padding": armor(b"letterlock").replace(b"==", b"==bGV0"),
    "nul": meddled(b"\0"),
    "byte above ascii": meddled(b"\xc3"),
    "utf-8 space": TEXT.replace(b"\n", "\u00a0".encode(), 2),
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedMessage, match="armored text is") as caught:
        dearmor(text)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("quoted but for the first line", "quoted in part"),
        ("quoted but for a line within", "quoted unevenly"),
        ("utf-16 without a byte order mark", "utf-16 without a byte order mark"),
        ("padding half in quoted-printable", "quoted-printable"),
        ("html", "html"),
        ("url-safe alphabet", "base64 for urls"),
        ("utf-8 space", "not ascii"),
        ("nul", "not the base64 of any bytes"),
    ],
)
def test_a_refusal_says_what_was_seen(name: str, seen: str) -> None:
    with pytest.raises(MalformedMessage, match=seen):
        dearmor(WRONG[name])


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"> ", b">> "]), st.booleans(), st.booleans())
def test_whatever_mail_programs_do_together_reads_as_the_one_message(
    data: bytes, quote: bytes, printable: bool, wide: bool
) -> None:
    text = armor(data)
    text = quopri.encodestring(text) if printable else text
    text = prefixed(quote, text)
    assert dearmor(text.decode().encode("utf-16") if wide else text) == data


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
    """Major type 4, then a version. A mail may begin with the first, but no control character follows."""
    assert all(is_armored(bytes([first]) + TEXT) for first in range(256))
    for version in (b"\x01", b"\x02", b"\x17", b"\x18\x20", b"\x19\x01\x00"):
        refused = {first for first in range(256) if not is_armored(bytes([first]) + version + TEXT)}
        assert refused == {first for first in range(256) if first >> 5 == 4}
    for ordinary in (b"\t", b"\n", b"\r\n", b" ", b"H", b"\x94"):
        assert is_armored(b"\x93" + ordinary + TEXT)


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
