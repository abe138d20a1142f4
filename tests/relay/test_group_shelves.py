"""The shelf of a group's id, where the names of its members are kept: strangers put nothing there. RLY-61"""

import pytest

from letterlock._wire.collection_member import MemberName, Role
from letterlock._wire.log_entry import Action
from letterlock._wire.relay_shelf import (
    ShelfAnswer,
    ShelfName,
    ShelfRequest,
    ShelveAnswer,
    ShelveOutcome,
    ShelveRequest,
)
from letterlock.relay._settings import RelaySettings
from support.relay_groups import begun, gone_on
from support.relay_logs import SignedLog, user_member
from support.relay_town import NAME, Resident, Town

STORED, UNKNOWN, FULL = ShelveOutcome
SMALL = RelaySettings(NAME, shelf_parcels=64, shelf_bytes=16 * 1024 * 1024)


async def put(caller: Resident, log: SignedLog, *parcels: bytes) -> set[ShelveOutcome]:
    """Return what becomes of parcels for the shelf of a group."""
    request = ShelveRequest(tuple((ShelfName.of_collection(log.id), each) for each in parcels))
    return set((await caller.town.get(ShelveAnswer, request, caller.tokens[1])).outcomes)


async def there(caller: Resident, log: SignedLog) -> list[bytes]:
    request = ShelfRequest(ShelfName.of_collection(log.id), 0, 100)
    answer = await caller.town.get(ShelfAnswer, request, caller.tokens[1])
    return [parcel for _, parcel in answer.parcels]


@pytest.mark.parametrize("role", list(Role))
async def test_a_member_of_any_role_puts_names_there(town: Town, role: Role) -> None:
    log, (alice, bob) = await begun(town, "alice", "bob", role=role)
    assert await put(bob, log, b"names") == {STORED}
    assert await put(alice, log, b"more names") == {STORED}
    assert await there(alice, log) == [b"names", b"more names"]


async def test_whoever_is_no_member_puts_nothing_on_the_shelf_of_a_group(town: Town) -> None:
    log, (alice, bob) = await begun(town, "alice", "bob")
    eve = await Resident(town, "eve").move_in()
    assert await put(eve, log, b"rubbish") == {UNKNOWN}
    await gone_on(log, alice, Action.REMOVE, MemberName.user(bob.user_id))
    assert await put(bob, log, b"names") == {UNKNOWN}
    assert await there(alice, log) == []


async def test_what_a_stranger_knows_to_be_there_is_not_confirmed(town: Town) -> None:
    """RLY-36 keeps a parcel that is there; whoever puts it there again and is no member learns nothing."""
    log, (alice, _) = await begun(town, "alice", "bob")
    eve = await Resident(town, "eve").move_in()
    await put(alice, log, b"names")
    assert await put(eve, log, b"names", b"others") == {UNKNOWN}


async def test_whoever_left_puts_nothing_there_and_a_newcomer_does(town: Town) -> None:
    log, (alice, bob) = await begun(town, "alice", "bob")
    carol = await Resident(town, "carol").move_in()
    assert await put(carol, log, b"early") == {UNKNOWN}
    await gone_on(log, alice, Action.ADD, user_member(carol))
    assert await put(carol, log, b"names") == {STORED}
    await gone_on(log, bob, Action.LEAVE)
    assert await put(bob, log, b"late") == {UNKNOWN}


async def test_many_who_know_the_id_leave_room_for_members(town: Town) -> None:
    await town.restart(SMALL)
    log, (alice, _) = await begun(town, "alice", "bob")
    for at in range(20):  # each might fill a sixteenth
        eve = await Resident(town, f"eve {at}").move_in()
        await put(eve, log, *(b"%d of %d" % (each, at) for each in range(4)))
    assert await there(alice, log) == []
    assert await put(alice, log, b"names") == {STORED}


async def test_one_member_fills_a_sixteenth(town: Town) -> None:  # RLY-38
    await town.restart(SMALL)
    log, (alice, bob) = await begun(town, "alice", "bob")
    assert await put(bob, log, *(b"%d" % each for each in range(5))) == {STORED, FULL}
    assert len(await there(alice, log)) == 4
    assert await put(alice, log, b"names") == {STORED}
