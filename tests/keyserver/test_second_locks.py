"""The second lock at two desks with gates, on each kind of database: who may do what, and what waits.

REC-36 to REC-41. Notices have a file of their own.
"""

import asyncio

import pytest

from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.second_lock_calls import SecondLockShown, StopWait
from letterlock.limits import DAY
from letterlock.recovery._signing import UNSIGNED, signed_for
from support.gate_town import ANNA, BERT
from support.keyserver_halves import DELAY, HalvesTown
from support.keyserver_town import Answered, refused
from support.second_lock_town import HOUR
from support.user_tools import keys

pytestmark = pytest.mark.usefixtures("cheap")


async def test_the_key_comes_back_after_both_delays(rows: SealedRows, second: SealedRows) -> None:
    town = HalvesTown((rows, second))
    await town.turn_on()
    asking = town.asking()
    waits = await town.ask_both(asking)
    assert [(each.told, each.left) for each in waits] == [(True, DELAY)] * 2
    await town.pass_hours(23)
    assert [each.halves for each in await town.take_both(asking, waits)] == [(), ()]
    await town.pass_hours(1)
    assert asking.finish(*await town.take_both(asking, waits)) == town.key


async def test_without_a_pass_nothing_is_asked_or_taken(rows: SealedRows, second: SealedRows) -> None:
    """REC-40: no pass, a made-up one, that of the other server, that of somebody else, one that has ended."""
    town = HalvesTown((rows, second))
    await town.turn_on()
    asking = town.asking()
    waits = await town.ask_both(asking)
    await town.pass_hours(24)
    own, ended = await town.passes(), await town.passes()
    town.gates.now += HOUR
    berts = await town.passes(BERT)
    fresh = await town.passes()
    for wrong in (None, b"x" * 100, fresh[1], berts[0], own[0], ended[0]):
        for request in (asking.request, asking.take(waits[0])):
            with refused(RelayCode.UNKNOWN):
                await town.call(1, request, wrong)
    assert (await town.call(1, asking.take(waits[0]), fresh[0])).halves


async def test_an_identity_that_was_given_up_asks_nothing(rows: SealedRows, second: SealedRows) -> None:
    town = HalvesTown((rows, second))
    await town.turn_on()
    (pass_, _) = await town.passes()
    await town.gates.gates[0].release("mail", ANNA)
    with refused(RelayCode.UNKNOWN):
        await town.call(1, town.asking().request, pass_)


async def test_a_server_without_checks_has_no_second_lock(rows: SealedRows, second: SealedRows) -> None:
    town = HalvesTown((rows, second))
    laid = await town.halves()
    open_ = town.desk(1)
    town.desks[0] = open_
    for request in (laid.lay[0], town.asking().request):
        with refused(RelayCode.UNKNOWN):
            await town.ask(1, request)
    assert await rows.load((RowKind.SECOND_LOCKS, town.user_id)) == [None]


async def test_a_stolen_phone_lays_nothing(rows: SealedRows, second: SealedRows) -> None:
    """REC-36. It may change device lists, and is not the recovery device."""
    town = HalvesTown((rows, second))
    laid = await town.halves()
    stolen = signed_for(1, laid.lay[0], keys("alice phone").signing)
    for request in (stolen, laid.lay[1]):  # and what is signed for the other server
        with refused(RelayCode.REFUSED):
            await town.ask(1, request)
    shown = await town.watch_at(1)
    assert (shown.number, shown.deposits) == (0, ())


async def test_a_recovery_device_that_was_revoked_lays_nothing(rows: SealedRows, second: SealedRows) -> None:
    """REC-19, REC-36: neither by the old lists, once newer ones were seen, nor by the new ones."""
    town = HalvesTown((rows, second))
    await town.bind()
    laid = await town.halves()
    old = town.frame(laid.lay[0])
    town.replace_recovery_device()
    await town.watch_at(1)
    with refused(RelayCode.STALE, town.chain.version):
        await town.ask(1, laid.lay[0], old)
    with refused(RelayCode.REFUSED):
        await town.ask(1, laid.lay[0])


async def test_calls_that_come_again_change_nothing(rows: SealedRows, second: SealedRows) -> None:
    """REC-37, REC-41: an old half does not come back, and a recorded stop ends no later wait."""
    town = HalvesTown((rows, second))
    first = await town.turn_on()
    waits = await town.ask_both(town.asking())
    stop = town.stop_call(1, first.lay[0].number, waits[0].id)
    await town.ask(1, stop)
    await town.pass_hours(8 * 24)
    again = await town.call(1, town.asking().request, (await town.passes())[0])
    with refused(RelayCode.REFUSED):
        await town.ask(1, stop)
    assert (await town.watch_at(1)).wait == again.wait
    await town.turn_on()
    for request in (first.lay[0], first.keep[0], town.stop_call(1, first.lay[0].number, None)):
        with refused(RelayCode.REFUSED):
            await town.ask(1, request)
    assert (await town.watch_at(1)).number == first.lay[0].number + 1


async def test_a_tablet_stops_a_thief_at_both_servers(rows: SealedRows, second: SealedRows) -> None:
    """REC-41. It is of class limited, and the only device that is left."""
    town = HalvesTown((rows, second))
    await town.turn_on()
    tablet = keys("alice tablet")
    town.add_tablet(tablet)
    asking = town.asking()
    waits = await town.ask_both(asking)
    for server, wait in enumerate(waits, 1):
        shown: SecondLockShown = await town.watch_at(server, tablet.signing)
        assert shown.wait is not None
        assert shown.wait.id == wait.id
        call = StopWait(town.user_id, shown.number, wait.id, UNSIGNED)
        await town.ask(server, signed_for(server, call, tablet.signing))
    await town.pass_hours(24)
    for server, wait in enumerate(waits, 1):
        given = await town.call(server, asking.take(wait), (await town.passes())[server - 1])
        assert (given.wait, given.halves) == (None, ())
        with refused(RelayCode.REFUSED, 6 * DAY):
            await town.call(server, asking.request, (await town.passes())[server - 1])


async def test_who_may_not_watch(rows: SealedRows, second: SealedRows) -> None:
    town = HalvesTown((rows, second))
    await town.turn_on()
    for signing in (keys("somebody").signing, keys("alice tablet").signing):
        with refused(RelayCode.REFUSED):
            await town.watch_at(1, signing)


async def test_sixteen_at_once_with_keys_of_their_own(rows: SealedRows, second: SealedRows) -> None:
    """REC-40: one waits at the end, from the beginning; nobody has two waits, and no time is taken over."""
    town = HalvesTown((rows, second))
    await town.turn_on()
    (pass_, _) = await town.passes()
    askings = [town.asking() for _ in range(16)]
    answers = await asyncio.gather(*(town.call(1, each.request, pass_) for each in askings))
    assert len({each.wait.id for each in answers}) == 16
    shown = await town.watch_at(1)
    assert shown.wait is not None
    assert shown.wait.id in {each.wait.id for each in answers}
    await town.pass_hours(24)
    (pass_, _) = await town.passes()
    given = [
        await town.call(1, each.take(answer.wait), pass_)
        for each, answer in zip(askings, answers, strict=True)
    ]
    assert sum(bool(each.halves) for each in given) == 1


# --- time -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1, 10, 10_000])
async def test_a_clock_that_is_set_ahead_ends_no_delay(
    rows: SealedRows, second: SealedRows, days: int
) -> None:
    """REC-39: by an operator's error, again and again; each time what passed really passed."""
    town = HalvesTown((rows, second))
    await town.turn_on()
    asking = town.asking()
    wait = (await town.ask_both(asking))[0]
    for _ in range(30):
        town.set_ahead(days * DAY)
        await town.upkeep()
        town.set_ahead(-days * DAY)
        await town.upkeep()
    shown = await town.watch_at(1)
    assert shown.wait is not None
    assert DELAY - HOUR <= shown.wait.left <= wait.left


async def test_a_server_that_begins_again_all_the_time_ends_no_delay(
    rows: SealedRows, second: SealedRows
) -> None:
    """REC-39. Its machine starts without a clock, finds the time, and the server fails: fifty times."""
    town = HalvesTown((rows, second))
    await town.turn_on()
    await town.ask_both(town.asking())
    for _ in range(50):
        town.set_ahead(-town.now)
        town.begin_again()
        await town.upkeep()
        town.set_ahead(-town.leap)
        await town.upkeep()
    shown = await town.watch_at(1)
    assert shown.wait is not None
    assert shown.wait.left == DELAY


async def test_two_processes_count_no_second_twice(rows: SealedRows, second: SealedRows) -> None:
    town = HalvesTown((rows, second))
    await town.turn_on()
    await town.ask_both(town.asking())
    before, other = town.desks[0], town.another(1)
    for _ in range(10):
        town.now += 600
        await before.upkeep()
        await other.upkeep()
    shown = await town.watch_at(1)
    assert shown.wait is not None
    assert shown.wait.left == DELAY - 6000


@pytest.mark.parametrize("processes", [1, 4])
async def test_a_clock_that_runs_too_fast_ends_no_delay(
    rows: SealedRows, second: SealedRows, processes: int
) -> None:
    """REC-39: what one process has counted, no other one counts again."""
    town = HalvesTown((rows, second))
    await town.turn_on()
    await town.ask_both(town.asking())
    desks = [town.desks[0], *(town.another(1) for _ in range(processes - 1))]
    for _ in range(30):
        town.now += 600
        for each in desks:
            town.set_ahead(600)
            await each.upkeep()
    shown = await town.watch_at(1)
    assert shown.wait is not None
    assert shown.wait.left >= DELAY - 30 * 600


async def test_another_process_goes_on(rows: SealedRows, second: SealedRows) -> None:
    """Halves, the wait and the count lie in the database. The time of a start is not counted."""
    town = HalvesTown((rows, second))
    await town.turn_on()
    asking = town.asking()
    waits = await town.ask_both(asking)
    await town.pass_hours(12)
    town.now += 7 * DAY
    town.begin_again()
    await town.upkeep()
    await town.pass_hours(11)
    assert not any(each.halves for each in await town.take_both(asking, waits))
    await town.pass_hours(1)
    assert asking.finish(*await town.take_both(asking, waits)) == town.key


async def test_nothing_of_a_half_lies_open(rows: SealedRows, second: SealedRows) -> None:
    """REC-20. The rows of the database are sealed, and named by tags."""
    town = HalvesTown((rows, second))
    laid = await town.turn_on()
    name = rows._tag((RowKind.SECOND_LOCKS, town.user_id))
    (record,) = await rows._rows.load([name])
    assert record is not None
    half = laid.lay[0].half.expose()
    assert half not in record
    assert town.user_id not in record + name.tag
    assert all(half.hex() not in what for what, _ in town.audits)


async def test_an_address_that_asks_all_the_time_is_slowed_down(rows: SealedRows, second: SealedRows) -> None:
    """REC-24, REC-46: whoever may guess twelve times at once may ask twice, and then once an hour."""
    town = HalvesTown((rows, second), address_calls=12)
    await town.turn_on()
    (pass_, _) = await town.passes()
    for _ in range(2):
        await town.call(1, town.asking().request, pass_)
    with pytest.raises(Answered, match="SLOW_DOWN"):
        await town.call(1, town.asking().request, pass_)
    town.address = "198.51.100.1"
    await town.call(1, town.asking().request, pass_)
