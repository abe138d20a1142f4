"""What a server tells whoever shows a user's device lists: every account of a relay may have them."""

import pytest

from letterlock._keyserver._gate import KeptGates
from letterlock._keyserver._rows import SealedRows
from letterlock._keyserver._strangers import Strangers
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.second_lock_calls import SecondLockShown
from letterlock.limits import DAY
from letterlock.recovery import FinishLock, RecoveryKey, bind_identity, device_keys, lay_halves
from letterlock.recovery._enrolment import make_card
from letterlock.recovery._signing import UNSIGNED, signed_for
from support.gate_town import GateTown
from support.keyserver_boxes import get, put
from support.keyserver_town import DeskTown, refused, with_lists
from support.recovery_town import unknown_lock
from support.user_tools import keys

NOTHING = SecondLockShown(0, (), None, 0)
MALLORY = keys("mallory phone").signing


@pytest.mark.parametrize("shown", [slice(1, 2), slice(0, 1), slice(0, 2)], ids=["newest", "older", "all"])
async def test_lists_without_a_key_do_not_tell_who_is_known_here(  # REC-19
    rows: SealedRows, second: SealedRows, shown: slice
) -> None:
    gates = GateTown((KeptGates(rows), KeptGates(second)))
    town = DeskTown((rows,))
    town.now = gates.now
    town.desks[0] = town.desk(1, gate=gates.gates[0])
    town.follow()
    lists = town.lists[shown]
    finish = FinishLock(unknown_lock(town.user_id), None, UNSIGNED)
    by = device_keys(RecoveryKey(bytes(32))).signing
    proven = await gates.proven(server=1)
    town.now = gates.now
    assert proven.pass_ is not None
    forged = [
        signed_for(1, finish, by),
        put(town, 1, by=MALLORY),
        get(town, by=MALLORY, time=town.now),
        bind_identity(1, town.user_id, proven.pass_, 1, MALLORY),
        bind_identity(1, town.user_id, b"made up", 1, MALLORY),
    ]
    before = [await town.reply(1, each, with_lists(each, *lists)) for each in forged]
    await town.ask(1, bind_identity(1, town.user_id, proven.pass_, 1, keys("alice phone").signing))
    await town.ask(1, put(town, 1))
    assert [await town.reply(1, each, with_lists(each, *lists)) for each in forged] == before


async def test_lists_that_somebody_made_up_do_not_tell_either(rows: SealedRows) -> None:  # REC-19
    """The caller's own device is in them, and signs the call: what is known is not said even so."""
    town, other = DeskTown((rows,)), DeskTown((rows,))
    town.follow()
    other.follow(5)
    made_up = other.lists[1:]
    call = put(town, 1, card=make_card(device_keys(other.key), town.user_id))
    with refused(RelayCode.STALE):
        await town.ask(1, call, with_lists(call, *made_up))
    await town.ask(1, put(town, 1))
    with refused(RelayCode.STALE):
        await town.ask(1, call, with_lists(call, *made_up))


@pytest.mark.parametrize("is_full", [False, True], ids=["room", "no room"])
async def test_made_up_lists_tell_nothing_at_a_server_with_a_bound(
    rows: SealedRows, second: SealedRows, is_full: bool
) -> None:
    """REC-19, REC-56. A known user costs no place, which the answer must not tell. And it takes none."""
    gates = GateTown((KeptGates(rows), KeptGates(second)))
    town, other, strangers = DeskTown((rows,)), DeskTown((rows,)), Strangers(2)
    town.now = gates.now
    town.desks[0] = town.desk(1, gate=gates.gates[0], strangers=strangers)
    town.follow()
    other.follow(5)
    proven = await gates.proven(server=1)
    town.now = gates.now
    calls = [
        put(town, 1, card=make_card(device_keys(other.key), town.user_id)),
        lay_halves(other.key, town.user_id, DAY, (NOTHING, NOTHING), bytes).lay[0],
        signed_for(1, FinishLock(unknown_lock(town.user_id), None, UNSIGNED), device_keys(other.key).signing),
    ]
    if is_full:
        for _ in range(2):
            strangers.user(None, town.now)
    answers = [await town.reply(1, each, with_lists(each, *other.lists[1:])) for each in calls]
    await town.ask(1, bind_identity(1, town.user_id, proven.pass_ or b"", 1, keys("alice phone").signing))
    assert [await town.reply(1, each, with_lists(each, *other.lists[1:])) for each in calls] == answers
    assert {ErrorAnswer.decode(each.body).code for each in answers} == {RelayCode.STALE}
