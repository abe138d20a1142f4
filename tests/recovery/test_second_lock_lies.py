"""The second lock at servers that lie: other halves, other deposits, another order, or none.

REC-43.
"""

from dataclasses import replace
from typing import Any

import pytest

from letterlock._primitives import hpke
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.xwing import XWingKeyPair
from letterlock._wire.second_lock_calls import (
    HalfGiven,
    SecondLockShown,
)
from letterlock.limits import MAX_COUNTER
from letterlock.recovery import (
    RecoveryKey,
    ServerAtFault,
    device_keys,
    lay_halves,
)
from letterlock.recovery._signing import signed_for
from support.second_lock_town import DELAY, SecondTown


@pytest.fixture
def town() -> SecondTown:
    made = SecondTown()
    made.set_up()
    return made


# --- servers that lie -----------------------------------------------------------------------------------


def over(town: SecondTown) -> tuple[Any, list[HalfGiven]]:
    """Return somebody who has waited, and what both servers give."""
    asking = town.asking()
    waits = town.ask_both(asking)
    town.pass_hours(48)
    return asking, [town.take(server, asking, waits[server - 1]) for server in (1, 2)]


@pytest.mark.parametrize("server", [1, 2])
def test_a_server_with_another_half_is_named(town: SecondTown, server: int) -> None:  # REC-43
    asking, given = over(town)
    deposit = given[0].halves[0][0]
    answer = given[server - 1]
    assert answer.wait is not None
    info = HalfGiven.info(server, town.user_id, answer.wait.id, deposit)
    other = XWingKeyPair.generate(system_entropy).public
    for wrong in (
        hpke.seal(asking.request.key, info, system_entropy(32)),
        hpke.seal(asking.request.key, info, system_entropy(31)),
        hpke.seal(other, info, system_entropy(32)),
        hpke.seal(asking.request.key, info + b"x", system_entropy(32)),
        given[2 - server].halves[0][1],
    ):
        answers = list(given)
        answers[server - 1] = replace(answer, halves=((deposit, wrong),))
        with pytest.raises(ServerAtFault) as caught:
            asking.finish(*answers)
        assert caught.value.server == server
    assert asking.finish(*given) == town.key


@pytest.mark.parametrize("server", [1, 2])
def test_another_deposit_is_somebodys_fault(town: SecondTown, server: int) -> None:  # REC-43
    """A made-up half with a commitment of its own is no half of what the other server holds."""
    asking, given = over(town)
    answer = given[server - 1]
    deposit, sealed = answer.halves[0]
    made_up = replace(deposit, commitments=(bytes(32), bytes(32)))
    given[server - 1] = replace(answer, halves=((made_up, sealed),))
    with pytest.raises(ServerAtFault, match="no deposit in common"):
        asking.finish(*given)


def test_a_server_that_changes_the_order_brings_no_old_key_back(town: SecondTown) -> None:  # REC-43
    laid = town.halves(2 * DELAY)
    for server in (1, 2):
        town.lay(server, laid.lay[server - 1])
    asking, given = over(town)
    assert asking.finish(*given) == town.key
    given[0] = replace(given[0], halves=given[0].halves[::-1])
    with pytest.raises(ServerAtFault, match="another order"):
        asking.finish(*given)


def test_the_newest_halves_that_both_hold_count(town: SecondTown) -> None:  # REC-43
    newer, signing = RecoveryKey(system_entropy(32)), device_keys(town.key).signing
    for server, call in enumerate(town.halves(key=newer).lay, 1):
        town.lay(server, signed_for(server, call, signing))
    asking, given = over(town)
    assert [len(each.halves) for each in given] == [2, 2]
    assert asking.finish(*given) == newer


@pytest.mark.parametrize("server", [1, 2])
def test_a_server_that_gives_nothing_is_named(town: SecondTown, server: int) -> None:
    asking, given = over(town)
    given[server - 1] = replace(given[server - 1], halves=())
    with pytest.raises(ServerAtFault, match="no half after the delay") as caught:
        asking.finish(*given)
    assert caught.value.server == server


def test_a_server_that_has_no_numbers_left_is_named() -> None:
    town = SecondTown()
    shown = SecondLockShown(0, (), None, 0), SecondLockShown(MAX_COUNTER, (), None, 0)
    with pytest.raises(ServerAtFault) as caught:
        lay_halves(town.key, town.user_id, DELAY, shown, system_entropy)
    assert caught.value.server == 2
