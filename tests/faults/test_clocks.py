"""Clocks that jump: tokens are renewed, nothing is lost, and nothing ends that should not."""

from contextlib import ExitStack

import pytest

from letterlock.relay._server._upkeep import DeletionTime
from support.fault_city import City
from support.relay_databases import Files

HOUR = 3600
YEAR = 365 * 24 * HOUR
STEPS = [HOUR, 0, -HOUR, 0, YEAR, 0]


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["relay", "home"])
def test_a_conversation_goes_on_while_a_clock_jumps(
    whose: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The relay's clock, or that of everybody else."""
    with ExitStack() as stack:
        files = Files(tmp_path_factory.mktemp("files"))
        stack.callback(files.stop)
        city = stack.enter_context(City(files.fresh(), workers=1))
        city.begin_relay()
        city.settle("anna", "ben", "carl")
        city.wait_until_met("anna", "ben", "carl")  # a bundle of before looks too old after a jump
        for step in STEPS:
            city.set_clock(whose, step)
            city.wait_until_seen(city.seen + 6)
        city.settle("dora")
        city.wait_until_heard("dora")
        city.be_quiet()
        city.require()


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
