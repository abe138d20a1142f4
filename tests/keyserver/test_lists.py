"""What a server tells whoever shows a user's device lists: every account of a relay may have them."""

import pytest

from letterlock._keyserver._gate import KeptGates
from letterlock._keyserver._rows import SealedRows
from letterlock._wire.relay_error import RelayCode
from letterlock.recovery import FinishLock, RecoveryKey, bind_identity, device_keys
from letterlock.recovery._enrolment import make_card
from letterlock.recovery._signing import UNSIGNED, signed_for
from support.gate_town import GateTown
from support.keyserver_boxes import get, put
from support.keyserver_town import DeskTown, refused, with_lists
from support.recovery_town import unknown_lock
from support.user_tools import keys

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
