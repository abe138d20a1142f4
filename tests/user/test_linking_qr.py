"""QR codes of linking codes, read back by an independent reader of barcodes, and the typed form."""

import re
import sys
import xml.etree.ElementTree as ET
from typing import Final

import pytest
import zxingcpp

from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.linking import LinkingCode, LinkingSecret
from letterlock.errors import MalformedMessage, UsageError
from support.pair import NOON, entropy_of

SCALE: Final = 3


def code(place: str = "relay.example/meet") -> LinkingCode:
    draw = entropy_of(place)
    return LinkingCode(draw(KEY_BYTES), LinkingSecret(draw(KEY_BYTES)), NOON, place)


def read(rows: list[list[int]]) -> list[str]:
    """Return the texts that a camera's software finds in an image: rows of modules, 1 for a dark one."""
    grey = bytes(255 * (1 - each) for row in rows for _ in range(SCALE) for each in row for _ in range(SCALE))
    shape = (SCALE * len(rows), SCALE * len(rows[0]))
    found = zxingcpp.read_barcodes(memoryview(grey).cast("B", shape=shape), try_invert=False)
    return [each.text for each in found]


def terminal_rows(text: str) -> list[list[int]]:
    """Return the modules that a terminal shows: white on black, two in each character cell."""
    rows: list[list[int]] = []
    for line in text.splitlines():
        cells = re.fullmatch("\x1b\\[97;40m([ \u2580\u2584\u2588]+)\x1b\\[0m", line)
        assert cells is not None
        rows.append([cell in " \u2584" for cell in cells[1]])
        rows.append([cell in " \u2580" for cell in cells[1]])
    return rows


def svg_rows(text: str) -> list[list[int]]:
    """Return the modules of an SVG: its dark path is drawn in horizontal strokes of one module's height."""
    element = ET.fromstring(text)
    side = int(element.attrib["width"]) // 4
    rows = [[0] * side for _ in range(side)]
    (dark,) = [each for each in element.iter() if each.attrib.get("stroke") == "#000"]
    x = y = 0.0
    for command, first, _, second in re.findall(r"([Mmh])(-?[\d.]+)([ ,]?(-?[\d.]+))?", dark.attrib["d"]):
        if command == "h":
            for at in range(int(x), int(x) + int(first)):
                rows[int(y)][at] = 1
            x += int(first)
        else:
            x, y = (float(first), float(second)) if command == "M" else (x + float(first), y + float(second))
    return rows


@pytest.mark.parametrize("place", ["", "relay.example/meet", "\u00f8" * 127])
def test_a_camera_reads_the_code_from_a_terminal_and_from_an_svg(place: str) -> None:
    shown = code(place)
    for rows in (terminal_rows(shown.qr_terminal()), svg_rows(shown.qr_svg())):
        (text,) = read(rows)
        assert LinkingCode.from_text(text).encode() == shown.encode()


def test_the_reader_of_these_tests_refuses_an_inverted_code() -> None:
    rows = terminal_rows(code().qr_terminal())
    assert read([[1 - each for each in row] for row in rows]) == []


def test_a_qr_code_is_no_link() -> None:
    """USR-22: a phone's camera finds nothing to open, so linking begins in the application only."""
    (text,) = read(terminal_rows(code().qr_terminal()))
    assert re.fullmatch("[A-Z2-7]+", text)


def test_a_damaged_qr_code_reads_as_the_same_code_or_not_at_all() -> None:
    shown = code()
    rows = terminal_rows(shown.qr_terminal())
    seen = 0
    for spot in range(8, len(rows) - 12, 2):
        spoilt = [list(row) for row in rows]
        for y in range(spot, spot + 5):
            for x in range(spot, spot + 5):
                spoilt[y][x] = 1
        for text in read(spoilt):
            assert LinkingCode.from_text(text).encode() == shown.encode()
            seen += 1
    assert seen  # level M corrects most of these


@pytest.mark.parametrize("name", ["qr_svg", "qr_terminal"])
def test_without_segno_the_error_says_what_to_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(UsageError, match=r"pip install 'letterlock\[qr\]', or show the text") as caught:
        getattr(code(), name)()
    assert caught.value.__cause__ is None


def test_a_place_that_is_too_long_has_no_qr_code() -> None:
    with pytest.raises(UsageError, match="at most 255"):
        code("\u00f8" * 128).qr_svg()


# --- typing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dash", ["-", "", " ", "\n", "\t- "])
def test_a_typed_code_may_have_any_case_and_spacing(dash: str) -> None:
    shown = code()
    typed = shown.text().replace("-", dash)
    for each in (typed, typed.lower(), typed.swapcase(), typed.title()):
        assert LinkingCode.from_text(each).encode() == shown.encode()


@pytest.mark.parametrize(("alike", "letter"), [("0", "O"), ("1", "I"), ("8", "B")])
def test_look_alikes_stand_for_the_letters_they_look_like(alike: str, letter: str) -> None:
    shown = code()
    typed = shown.text()
    assert letter in typed
    assert LinkingCode.from_text(typed.replace(letter, alike)).encode() == shown.encode()
    assert LinkingCode.from_text(typed.replace(letter, alike, 1)).encode() == shown.encode()


@pytest.mark.parametrize("wrong", ["9", "_", "+", "/", "=", "\u0131", "\u017f", "\u2013", "\uff21", "\u0660"])
def test_characters_that_no_code_has_are_refused(wrong: str) -> None:
    """Also digits and letters of other scripts that look like these."""
    typed = code().text()
    with pytest.raises(MalformedMessage):
        LinkingCode.from_text(typed[:7] + wrong + typed[8:])


def test_the_checksum_notices_groups_in_another_order() -> None:
    groups = code().text().split("-")
    for at in range(len(groups) - 1):
        changed = [*groups[:at], groups[at + 1], groups[at], *groups[at + 2 :]]
        if changed != groups:
            with pytest.raises(MalformedMessage):
                LinkingCode.from_text("-".join(changed))


def test_a_code_says_nothing_in_its_repr() -> None:
    shown = code()
    assert shown.text()[:5] not in repr(shown)
    assert shown.place not in repr(shown)
