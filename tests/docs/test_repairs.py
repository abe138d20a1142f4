"""The page on conversations that break says what the model of users shows."""

import pytest

from docs.test_tools import tool
from letterlock.user import _repair
from support import users_breakdowns


def test_the_page_says_what_the_plays_show() -> None:
    writer = tool("write_repairs")
    assert writer.PAGE.read_text(encoding="utf-8") == writer.page()


def test_a_repair_that_takes_longer_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(each for each in users_breakdowns.BREAKDOWNS if each.happen is users_breakdowns.damaged)
    at_once = users_breakdowns.measured(case)
    monkeypatch.setattr(_repair, "seal_again", lambda *_: None)
    later = users_breakdowns.measured(case)
    words = [users_breakdowns.in_words(each.seconds) for each in (at_once, later)]
    assert words == ["at once", "after 1 d"]


def test_times_in_words() -> None:
    hour = 3600
    found = [users_breakdowns.in_words(each) for each in (61, hour + 61, 26 * hour, 50 * hour)]
    assert found == ["at once", "after 1 h", "after 1 d", "after 2 d"]
