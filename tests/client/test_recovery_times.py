"""The times that the commands of recovery print: a command that is repeated then is not refused again."""

import time

import pytest

from letterlock.cli._wall_clock import whole_minute


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "00:00"), (1, "00:01"), (59, "00:01"), (60, "00:01"), (61, "00:02")],
)
def test_a_wait_ends_at_a_whole_minute_that_is_not_before_it(
    seconds: int, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    try:
        assert whole_minute(seconds) == f"Thursday, 01 January 1970, at {shown} UTC"
    finally:
        monkeypatch.undo()
        time.tzset()
