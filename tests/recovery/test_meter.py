"""How uses are counted: a pause, a day's limit, a rest instead of an end, and clocks that go wrong."""

from dataclasses import replace

import pytest

from letterlock._records.recovery import Meter
from letterlock._wire.recovery_calls import LockStanding
from letterlock.errors import UsageError
from letterlock.limits import DAY
from letterlock.recovery import Policy
from letterlock.recovery._meter import idle_time, refilled, spend, standing, woken

NOON = 20_000 * DAY + DAY // 2
POLICY = Policy()
FAST = Policy(pause=0, uses_a_day=1000)


def used(meter: Meter, policy: Policy, *times: int) -> Meter:
    """Return the count after a use at each of these times, all of which are possible."""
    for now in times:
        after = spend(meter, policy, now, bytes(48), bytes(32))
        assert after is not None, now - NOON
        meter = after
    return meter


def is_refused(meter: Meter, policy: Policy, now: int) -> bool:
    return spend(meter, policy, now, bytes(48), bytes(32)) is None


def test_a_use_is_one_less() -> None:
    meter = used(refilled(POLICY), POLICY, NOON)
    assert meter.uses_left == 9
    assert standing(meter, POLICY, NOON) == LockStanding(9, NOON + 30)
    assert standing(meter, POLICY, NOON + 30) == LockStanding(9)


def test_a_pause_follows_each_use() -> None:
    meter = used(refilled(POLICY), POLICY, NOON)
    assert is_refused(meter, POLICY, NOON)
    assert is_refused(meter, POLICY, NOON + 29)
    assert not is_refused(meter, POLICY, NOON + 30)


def test_a_day_has_three_uses() -> None:
    meter = used(refilled(POLICY), POLICY, NOON, NOON + 30, NOON + 60)
    midnight = (NOON // DAY + 1) * DAY
    assert is_refused(meter, POLICY, midnight - 1)
    assert standing(meter, POLICY, NOON + 90) == LockStanding(7, midnight)
    assert not is_refused(meter, POLICY, midnight)
    assert used(meter, POLICY, midnight).today == 1


def test_ten_uses_then_a_rest_and_three_more() -> None:
    meter = used(refilled(FAST), FAST, *[NOON] * 10)
    assert standing(meter, FAST, NOON) == LockStanding(0, NOON + 7 * DAY, rests=True)
    assert is_refused(meter, FAST, NOON + 7 * DAY - 1)
    later = NOON + 7 * DAY
    assert standing(meter, FAST, later) == LockStanding(3)
    meter = used(meter, FAST, *[later] * 3)
    assert standing(meter, FAST, later) == LockStanding(0, later + 7 * DAY, rests=True)
    assert is_refused(meter, FAST, later)


def test_a_lock_that_rests_is_never_gone() -> None:
    meter, now = refilled(FAST), NOON
    for _ in range(5):
        while not is_refused(meter, FAST, now):
            meter = used(meter, FAST, now)
        now += 7 * DAY
    assert not is_refused(meter, FAST, now)


def test_the_last_use_of_a_lock_is_counted_like_the_others() -> None:
    meter = used(replace(refilled(FAST), uses_left=1), FAST, NOON)
    assert (meter.uses_left, meter.rests_until) == (0, NOON + FAST.rest)


def test_a_clock_that_was_ahead_keeps_nobody_out() -> None:
    meter = used(refilled(POLICY), POLICY, NOON + 400 * DAY)
    assert standing(meter, POLICY, NOON) == LockStanding(9)
    assert not is_refused(meter, POLICY, NOON)


def test_a_clock_that_was_ahead_at_the_last_use_closes_no_lock() -> None:
    """The rest would end in the clock's future: fifty years, where the policy says a week."""
    meter = used(replace(refilled(FAST), uses_left=1), FAST, NOON + 50 * 365 * DAY)
    assert standing(meter, FAST, NOON) == LockStanding(3)
    meter = used(meter, FAST, *[NOON] * 3)
    assert standing(meter, FAST, NOON) == LockStanding(0, NOON + 7 * DAY, rests=True)
    assert is_refused(meter, FAST, NOON + 7 * DAY - 1)


@pytest.mark.parametrize("back", [1, DAY - 1, DAY])
def test_a_clock_that_was_a_little_ahead_ends_no_rest(back: int) -> None:
    meter = used(replace(refilled(FAST), uses_left=1), FAST, NOON)
    assert is_refused(meter, FAST, NOON - back)
    assert standing(meter, FAST, NOON - back).rests


def test_a_clock_that_is_set_back_gives_no_use_back() -> None:
    meter = used(refilled(FAST), FAST, *[NOON] * 9, NOON - 100 * DAY)
    assert meter.uses_left == 0
    assert is_refused(meter, FAST, NOON - 101 * DAY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"uses": 0}, {"uses": 1001}, {"uses_a_day": 0}, {"uses_after_rest": 0}, {"uses_after_rest": 1001},
        {"pause": -1}, {"rest": -1}, {"rest": 367 * DAY},
    ],
    ids=str,
)  # fmt: skip
def test_a_policy_has_limits(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        Policy(**wrong)


# --- a count that nobody touches --------------------------------------------------------------------------

IDLE = 28 * DAY


def test_a_count_that_nobody_touches_is_full_again() -> None:  # REC-50
    assert idle_time(POLICY) == IDLE
    meter = used(refilled(POLICY), POLICY, NOON)
    assert woken(meter, POLICY, NOON + IDLE - 1) == meter
    assert woken(meter, POLICY, NOON + IDLE) == refilled(POLICY)
    assert standing(meter, POLICY, NOON + IDLE) == LockStanding(10)


def test_whoever_guesses_gains_nothing_by_waiting() -> None:  # REC-50
    """In the same year: all uses and a long wait, again and again; or three after each rest."""

    def guesses(*, waits: bool) -> int:
        meter, now, count = refilled(FAST), NOON, 0
        while now < NOON + 365 * DAY:
            while not is_refused(meter, FAST, now):
                meter, count = used(meter, FAST, now), count + 1
            now += IDLE if waits else FAST.rest
        return count

    assert guesses(waits=True) <= guesses(waits=False)


@pytest.mark.parametrize(
    ("policy", "days"),
    [
        (Policy(rest=0, pause=0), 2),
        (Policy(uses=1, rest=7 * DAY), 7),
        (Policy(uses=4, rest=7 * DAY), 14),
        (Policy(uses=1, rest=0, pause=30 * DAY), 30),
    ],
)
def test_no_policy_gets_uses_back_sooner(policy: Policy, days: int) -> None:  # REC-50
    assert idle_time(policy) == days * DAY
