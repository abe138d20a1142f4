"""Clocks that jump: nothing ends that should not."""

from letterlock.relay._server._upkeep import DeletionTime

HOUR = 3600
YEAR = 365 * 24 * HOUR


def test_nothing_is_deleted_because_a_clock_jumped() -> None:
    """RLY-33."""
    clock, steady = [1000.0], [50.0]
    time = DeletionTime(lambda: clock[0], lambda: steady[0])
    assert time.now() == 1000
    clock[0] += YEAR
    assert time.now() == 1000
    steady[0] += 600
    clock[0] += 600
    assert time.now() == 1000 + 2 * 600
    clock[0] = 1600
    assert time.now() == 1600


def test_a_clock_that_is_put_back_is_followed_at_once_and_caught_up_with_later() -> None:
    clock, steady = [10_000.0], [50.0]
    time = DeletionTime(lambda: clock[0], lambda: steady[0])
    clock[0] = 1000
    assert time.now() == 1000
    clock[0], steady[0] = 10_100, 150
    assert time.now() == 1200
    clock[0], steady[0] = 20_000, 10_050
    assert time.now() == 20_000
