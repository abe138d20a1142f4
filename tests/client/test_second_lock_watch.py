"""What a device makes of answers about a second lock: what is news, and when it looks. CLN-31."""

from pathlib import Path

import pytest

from letterlock._wire.second_lock_calls import Deposit, SecondLockShown, WaitShown
from letterlock.client import SecondLockNewsKind
from letterlock.client._second_lock_view import changes
from letterlock.client._second_lock_watch import SecondLockWatch
from letterlock.limits import DAY, HOUR
from support.client_checks import Checks
from support.client_town import Town, happens, play
from support.recovery_town import cheap

__all__ = ["cheap"]

DEPOSIT = Deposit(DAY, (bytes(32), bytes(32)))
OFF = SecondLockShown(3, (), None, 0)
ON = SecondLockShown(3, (DEPOSIT,), None, 0)


def waits(at: int = 1, left: int = DAY, *, told: bool = True, quiet: int = 0) -> SecondLockShown:
    return SecondLockShown(3, (DEPOSIT,), WaitShown(bytes([at]) * 16, 1000, told, left), quiet)


def quiet(seconds: int) -> SecondLockShown:
    return SecondLockShown(3, (DEPOSIT,), None, seconds)


NEWS = SecondLockNewsKind


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (None, OFF, []),
        (None, ON, []),  # nobody's news: this device has just come to it
        (None, waits(), [NEWS.ASKED]),
        (None, waits(left=0), [NEWS.ASKED, NEWS.OPEN]),
        (None, quiet(HOUR), [NEWS.STOPPED]),
        (OFF, ON, [NEWS.TURNED_ON]),
        (ON, OFF, [NEWS.TURNED_OFF]),
        (waits(), OFF, [NEWS.TURNED_OFF, NEWS.ENDED]),
        (waits(), waits(left=HOUR), []),
        (waits(), waits(2), [NEWS.ASKED]),
        (waits(), waits(left=0), [NEWS.OPEN]),
        (waits(left=0), waits(left=0), []),
        (waits(left=0), waits(2, left=0), [NEWS.ASKED, NEWS.OPEN]),
        (waits(left=0, told=False), waits(left=0), [NEWS.OPEN]),
        (waits(), ON, [NEWS.ENDED]),
        (waits(), quiet(7 * DAY), [NEWS.STOPPED]),
        (quiet(7 * DAY), quiet(6 * DAY), []),  # what is left of a week gets only less
        (quiet(HOUR), ON, []),
        (quiet(HOUR), quiet(7 * DAY), [NEWS.STOPPED]),
        (ON, waits(quiet=7 * DAY), [NEWS.STOPPED, NEWS.ASKED]),
    ],
)
def test_what_is_new_in_an_answer(
    before: SecondLockShown | None, after: SecondLockShown, news: list[SecondLockNewsKind]
) -> None:
    assert [*changes(before, after)] == news


@pytest.mark.usefixtures("cheap")
def test_a_clock_that_was_put_back_hides_nobody(tmp_path: Path) -> None:
    """It would else be months until it is time to look, or until a silence is one."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.on()
        await alice.recovery.second_lock.status()
        watch = SecondLockWatch(alice.recovery._desk)
        town.now -= 90 * DAY
        checks.servers.down = {2}
        asked = checks.servers.calls[1, "watch"]
        await watch.look_if_due()
        assert checks.servers.calls[1, "watch"] > asked
        checks.servers.pass_hours(12)
        await watch.look_if_due()
        view = await alice._office.run(alice.recovery._desk.views.load, 2)
        assert view is not None
        assert view.is_silence_told
        events = await happens(alice, NEWS.UNSEEN)
        assert [each.server for each in events if each.kind is NEWS.UNSEEN] == [2]

    play(tmp_path, story)
