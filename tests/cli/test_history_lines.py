"""The lines from which `letterlock group give-history` makes a history."""

import io
import json
from collections import Counter
from typing import Any, Final

import pytest

from letterlock.cli import _history_commands as commands
from letterlock.errors import UsageError
from letterlock.groups import CollectionPhase, Group, HistoryText

FLAGS: Final = {"may_send": True, "due": False, "forked": False, "history": True}
GROUP: Final = Group(bytes(16), "team", CollectionPhase.OPEN, 1, 1, b"", (), None, **FLAGS)
ID: Final = "00" * 16
BOB: Final = bytes(range(32))
RIGHT: Final = {"group": ID, "sender": "bob", "user_id": BOB.hex(), "time": 7, "text": "hello"}


def texts(*lines: object) -> tuple[list[HistoryText], Counter[str]]:
    data = b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines)
    counts = Counter[str]()
    source: Any = io.BytesIO(data)
    return list(commands._texts(source, GROUP, {"bob": BOB}, counts)), counts


def test_lines_that_receive_prints() -> None:
    found, counts = texts(RIGHT, b"", b"  ", {**RIGHT, "device": 2, "late": True, "id": "00", "extra": []})
    assert found == [HistoryText(BOB, 7, b"hello")] * 2
    assert counts == {"given": 2}


def test_bytes_that_are_no_text() -> None:
    line = {each: RIGHT[each] for each in ("group", "user_id", "time")}
    assert texts({**line, "base64": "/wA="})[0] == [HistoryText(BOB, 7, b"\xff\0")]


def test_a_line_of_our_own_names_its_sender() -> None:
    line = {each: RIGHT[each] for each in ("group", "sender", "time", "text")}
    assert texts(line, {**line, "user_id": None})[0] == [HistoryText(BOB, 7, b"hello")] * 2


def test_lines_of_other_conversations_are_left_out() -> None:
    ids = ["11" * 16, None, ID + "0"]
    other = [{**RIGHT, "group": each} for each in ids]
    found, counts = texts(*other, {"sender": "bob", "text": "for you alone"}, RIGHT)
    assert len(found) == 1
    assert counts == {"other": 4, "given": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        b"no json",
        b"[",
        b"1",
        b"[1]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        {**RIGHT, "time": "7"},
        {**RIGHT, "time": 7.0},
        {**RIGHT, "time": True},
        {**RIGHT, "text": 1},
        {**RIGHT, "text": "\ud800"},
        {**RIGHT, "user_id": "zz"},
        {**RIGHT, "user_id": 1},
        {**RIGHT, "user_id": None, "sender": "carol"},
        {**RIGHT, "user_id": None, "sender": []},
        {"group": ID, "user_id": BOB.hex(), "time": 7},
        {"group": ID, "user_id": BOB.hex(), "text": ""},
        {"group": ID, "user_id": BOB.hex(), "time": 7, "base64": "!"},
    ],
)
def test_another_line_ends_it(wrong: object) -> None:
    with pytest.raises(UsageError, match="line 2 is not one"):
        texts(RIGHT, wrong)


def test_a_line_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_MAX_LINE", 200)
    with pytest.raises(UsageError, match="line 2 has more"):
        texts(RIGHT, {**RIGHT, "text": "a" * 200})
