"""The second lock with time: who waits how long, what a server alone can do about it, and who can stop it.

REC-35, REC-38 to REC-42, REC-44.
"""

import hashlib
from dataclasses import replace

import pytest

from letterlock import MemoryStore
from letterlock._records.second_lock import HoursRecord
from letterlock.errors import UsageError
from letterlock.limits import DAY
from letterlock.recovery import (
    Asking,
    AskingKey,
    HalfWaits,
    RecoveryKey,
    RecoveryRefused,
    SecondLockEvent,
    SecondLockServer,
    StoredRows,
)
from letterlock.recovery._hours import passed
from support.pair import NOON
from support.second_lock_town import DELAY, HOUR, SecondTown


@pytest.fixture
def town() -> SecondTown:
    made = SecondTown()
    made.set_up()
    return made


def test_the_key_comes_back_after_both_delays(town: SecondTown) -> None:
    asking = town.asking()
    waits = town.ask_both(asking)
    assert [each.left for each in waits] == [DELAY, DELAY]
    town.pass_hours(23)
    with pytest.raises(HalfWaits) as caught:
        town.recover(asking, waits)
    assert caught.value.seconds == HOUR
    town.pass_hours(1)
    assert town.recover(asking, waits) == town.key


@pytest.mark.parametrize("delay", [DAY, 2 * DAY, 3 * DAY])
def test_the_delay_is_the_chosen_one(delay: int) -> None:
    town = SecondTown()
    town.set_up(delay)
    asking = town.asking()
    waits = town.ask_both(asking)
    town.pass_hours(delay // HOUR - 1)
    with pytest.raises(HalfWaits):
        town.recover(asking, waits)
    town.pass_hours(1)
    assert town.recover(asking, waits) == town.key


def test_each_half_is_as_random_as_the_other() -> None:  # REC-35
    """Half 1 is drawn, and half 2 is the key under it as a one-time pad: each value of it is as likely."""
    town = SecondTown()
    halves = [each.half.expose() for each in town.halves().lay]
    again = [each.half.expose() for each in town.halves().lay]
    for first, second in (halves, again):
        assert bytes(a ^ b for a, b in zip(first, second, strict=True)) == town.key.expose()
    assert len({*halves, *again, town.key.expose()}) == 5


def test_a_commitment_is_the_hash_of_the_page() -> None:  # REC-43
    town = SecondTown()
    laid = town.halves()
    for server, call in enumerate(laid.lay, 1):
        label = b"letterlock-v1 half of a recovery key"
        text = label + bytes((server,)) + town.user_id + call.half.expose()
        assert laid.deposit.commitments[server - 1] == hashlib.sha256(text).digest()


def test_there_is_no_second_lock_unless_somebody_makes_one() -> None:  # REC-44
    town = SecondTown()
    with pytest.raises(RecoveryRefused, match="no second lock"):
        town.ask(1, town.asking())
    assert town.watch_at(1).deposits == ()


@pytest.mark.parametrize("checked", [False, None, 1])
def test_nothing_is_told_to_whoever_passed_no_check(town: SecondTown, checked: object) -> None:  # REC-40
    asking, before = town.asking(), town.record(1)
    with pytest.raises(RecoveryRefused, match="not checked"):
        town.servers[1].ask(asking.request, checked=checked)  # type: ignore[arg-type]
    assert town.record(1) == before
    waits = town.ask_both(asking)
    town.pass_hours(24)
    with pytest.raises(RecoveryRefused, match="not checked"):
        town.servers[1].take(asking.take(waits[0]), checked=checked)  # type: ignore[arg-type]


# --- what one server can do to the delay ----------------------------------------------------------------


@pytest.mark.parametrize("server", [1, 2])
def test_one_server_gives_at_once_and_the_other_still_waits(town: SecondTown, server: int) -> None:
    """REC-38. Whoever runs one server has its half anyway. The other one counts for itself."""
    honest = 3 - server
    asking = town.asking()
    waits = town.ask_both(asking)
    town.cheat(server)
    assert town.take(server, asking, waits[server - 1]).halves
    with pytest.raises(HalfWaits) as caught:
        town.recover(asking, waits)
    assert (caught.value.server, caught.value.seconds) == (honest, DELAY)
    town.pass_hours(24, honest)
    assert town.recover(asking, waits) == town.key


def test_what_is_said_at_one_server_begins_nothing_at_the_other(town: SecondTown) -> None:
    asking = town.asking()
    town.ask(1, asking)
    town.pass_hours(24)
    late = town.ask(2, asking)
    assert late.left == DELAY


def test_a_server_that_begins_again_goes_on(town: SecondTown) -> None:
    asking = town.asking()
    waits = town.ask_both(asking)
    town.pass_hours(20)
    town.servers = {1: town.server(1), 2: town.server(2)}
    town.pass_hours(3)
    with pytest.raises(HalfWaits):
        town.recover(asking, waits)
    town.pass_hours(1)
    assert town.recover(asking, waits) == town.key


def test_a_server_that_was_off_counts_an_hour(town: SecondTown) -> None:  # REC-39
    asking = town.asking()
    waits = town.ask_both(asking)
    town.now = {1: NOON + 100 * HOUR, 2: NOON + 100 * HOUR}
    town.servers = {1: town.server(1), 2: town.server(2)}
    assert [each.left for each in town.ask_both(asking)] == [DELAY - HOUR] * 2
    with pytest.raises(HalfWaits):
        town.recover(asking, waits)


@pytest.mark.parametrize("jump", [DAY, 3 * DAY, 3650 * DAY, -DAY, -NOON])
def test_a_clock_that_jumps_adds_an_hour_at_most(town: SecondTown, jump: int) -> None:  # REC-39
    asking = town.asking()
    town.ask(2, asking)
    for leap in (jump, -jump, jump, -jump):
        town.now[2] += leap
        town.servers[2].look()
    waited = DELAY - town.ask(2, asking).left
    assert 0 <= waited <= 2 * HOUR
    town.pass_hours(21, 2)
    assert town.ask(2, asking).left > 0
    town.pass_hours(3 + 24, 2)  # a clock that went back by a day has to catch up
    assert town.ask(2, asking).left == 0


def test_two_processes_with_different_clocks_count_no_hour_twice(town: SecondTown) -> None:  # REC-39
    """Each call is a look: whoever asks the one and then the other again and again gains nothing."""
    asking = town.asking()
    town.ask(2, asking)
    for _ in range(50):
        town.now[2] += 2 * HOUR
        town.ask(2, asking)
        town.now[2] -= 2 * HOUR
        town.ask(2, asking)
    assert DELAY - town.ask(2, asking).left <= HOUR


def test_a_count_never_falls_and_never_leaps() -> None:  # REC-39
    hours = HoursRecord(NOON, 5)
    assert passed(hours, NOON) == hours
    assert passed(hours, NOON + 10) == HoursRecord(NOON + 10, 15)
    assert passed(hours, NOON + DAY) == HoursRecord(NOON + DAY, 5 + HOUR)
    assert passed(hours, NOON - DAY) == hours
    assert passed(hours, NOON - DAY - 1) == HoursRecord(NOON - DAY - 1, 5)
    assert passed(hours, -7) == HoursRecord(0, 5)


def test_no_time_passes_before_the_notice_is_sent(town: SecondTown) -> None:  # REC-42
    asking = town.asking()
    wait = town.ask(2, asking, tell=False)
    town.pass_hours(100)
    assert not town.take(2, asking, wait).halves
    again = town.ask(2, asking)  # the notice comes again until it was sent
    assert (again.id, again.told, again.left) == (wait.id, False, DELAY)
    assert town.ask(2, asking).told
    town.pass_hours(23)
    assert not town.take(2, asking, wait).halves
    town.servers[2].told(town.notices[-1])  # a second time changes nothing
    town.pass_hours(1)
    assert town.take(2, asking, wait).halves


def test_a_notice_of_another_wait_starts_nothing(town: SecondTown) -> None:  # REC-42
    first, second = town.asking(), town.asking()
    _, notice = town.servers[2].ask(first.request, checked=True)
    assert notice is not None
    town.ask(2, second, tell=False)
    town.servers[2].told(notice)
    town.servers[2].told(
        replace(notice, event=SecondLockEvent.GIVEN, wait_id=town.ask(2, second, tell=False).id)
    )
    assert not town.ask(2, second, tell=False).told


# --- begun again, by the owner or a thief ---------------------------------------------------------------


def test_asking_again_with_the_same_key_changes_nothing(town: SecondTown) -> None:
    key = AskingKey(bytes(range(32)))
    first = town.ask_both(Asking.begin(town.user_id, key))
    town.pass_hours(12)
    asking = Asking.begin(town.user_id, key)
    again = town.ask_both(asking)
    assert [each.id for each in again] == [each.id for each in first]
    assert [each.left for each in again] == [DELAY - 12 * HOUR] * 2
    town.pass_hours(12)
    assert town.recover(asking, again) == town.key


def test_a_thief_does_not_take_over_the_time_that_somebody_has_waited(town: SecondTown) -> None:  # REC-40
    owner, thief = town.asking(), town.asking()
    waits = town.ask_both(owner)
    town.pass_hours(23)
    stolen = town.ask_both(thief)
    assert [each.left for each in stolen] == [DELAY, DELAY]
    town.pass_hours(1)
    with pytest.raises(HalfWaits):
        town.recover(thief, stolen)
    with pytest.raises(RecoveryRefused, match="stopped or replaced"):
        town.recover(owner, waits)
    assert [each.event for each in town.notices] == [SecondLockEvent.ASKED] * 4


def test_the_id_of_a_wait_gives_its_half_to_nobody_else(town: SecondTown) -> None:  # REC-40
    """Whoever passes the check and has seen the id gets what only the key that waited opens."""
    owner, thief = town.asking(), town.asking()
    waits = town.ask_both(owner)
    town.pass_hours(24)
    taken = [town.take(server, thief, waits[server - 1]) for server in (1, 2)]
    with pytest.raises(Exception, match="not sealed to the key that waited"):
        thief.finish(*taken)
    assert owner.finish(*taken) == town.key


def test_a_device_stops_a_wait(town: SecondTown) -> None:  # REC-41
    thief = town.asking()
    waits = town.ask_both(thief)
    town.pass_hours(23)
    town.stop(2)
    town.pass_hours(10)
    with pytest.raises(RecoveryRefused, match="stopped or replaced"):
        town.recover(thief, waits)
    assert town.watch_at(2).wait is None
    assert SecondLockEvent.STOPPED in [each.event for each in town.notices]


def test_nobody_asks_for_a_week_after_a_device_has_stopped_somebody(town: SecondTown) -> None:  # REC-41
    town.ask(2, town.asking())
    town.stop(2)
    thief = town.asking()
    for hours in (0, 1, 24 * 7 - 2):
        town.pass_hours(hours, 2)
        with pytest.raises(RecoveryRefused, match="stopped a request"):
            town.ask(2, thief)
    town.pass_hours(1, 2)
    assert town.ask(2, thief).left == DELAY


def test_a_half_that_nobody_takes_is_kept_back_after_a_week(town: SecondTown) -> None:  # REC-38
    asking = town.asking()
    waits = town.ask_both(asking)
    town.pass_hours(24 * 8 - 1)
    assert town.recover(asking, waits) == town.key
    town.pass_hours(1)
    with pytest.raises(RecoveryRefused, match="stopped or replaced"):
        town.recover(asking, waits)
    assert [each.left for each in town.ask_both(asking)] == [DELAY, DELAY]


def test_a_half_that_is_given_is_told_once(town: SecondTown) -> None:  # REC-42
    asking = town.asking()
    waits = town.ask_both(asking)
    town.pass_hours(24)
    for _ in range(3):
        town.recover(asking, waits)
    given = [each for each in town.notices if each.event == SecondLockEvent.GIVEN]
    assert [(each.server, each.wait_id) for each in given] == [(1, waits[0].id), (2, waits[1].id)]


def test_new_halves_end_a_wait(town: SecondTown) -> None:
    """Whoever has the recovery key needs no second lock, and a thief shall not wait for the new halves."""
    thief = town.asking()
    waits = town.ask_both(thief)
    town.pass_hours(23)
    town.set_up()
    town.pass_hours(1)
    with pytest.raises(RecoveryRefused, match="stopped or replaced"):
        town.recover(thief, waits)


def test_the_longer_delay_counts_while_two_deposits_are_held() -> None:  # REC-38
    town = SecondTown()
    town.set_up(3 * DAY)
    laid = town.halves(DAY)
    town.lay(2, laid.lay[1])
    assert town.ask(2, town.asking()).left == 3 * DAY


def test_a_half_that_is_laid_ends_a_wait_at_once(town: SecondTown) -> None:
    thief = town.asking()
    wait = town.ask(2, thief)
    town.pass_hours(24, 2)
    town.lay(2, town.halves().lay[1])
    assert town.take(2, thief, wait).wait is None


@pytest.mark.parametrize("number", [0, 3, "1"])
def test_there_are_two_servers(number: object) -> None:
    with pytest.raises(UsageError, match="number 1"):
        SecondLockServer(number, StoredRows(MemoryStore()))  # type: ignore[arg-type]


@pytest.mark.parametrize("delay", [0, DAY - 1, 3 * DAY + 1, -DAY, float(DAY), None])
def test_a_delay_is_one_to_three_days(delay: object) -> None:
    with pytest.raises(UsageError, match="choose another delay"):
        SecondTown().halves(delay)  # type: ignore[arg-type]


def test_nothing_shows_a_half(town: SecondTown) -> None:
    laid = town.halves()
    assert laid.lay[0].half.expose().hex() not in repr(laid) + str(town.record(1)) + repr(town.servers)
    assert repr(RecoveryKey(bytes(32))) == "<RecoveryKey: hidden>"
