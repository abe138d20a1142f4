"""Shelves: parcels for users and for collections, floods of them, and people who are not the owner."""

import os
from collections.abc import Sequence

import pytest

from letterlock._wire.collection_member import Role
from letterlock._wire.log_entry import Action
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_calls import CALL_OF_REQUEST
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import AppendRequest, ListsAnswer, RegisterRequest, UserRequest
from letterlock._wire.relay_log import LogAppendAnswer, LogAppendRequest
from letterlock._wire.relay_shelf import (
    ShelfAnswer,
    ShelfName,
    ShelfRequest,
    ShelveAnswer,
    ShelveOutcome,
    ShelveRequest,
    UnshelveRequest,
    parcel_hash,
)
from letterlock.errors import UsageError
from letterlock.relay._settings import RelaySettings
from support.collection_logs import in_order
from support.relay_logs import SignedLog, user_member
from support.relay_town import NAME, Resident, Town, family

STORED, UNKNOWN, FULL = ShelveOutcome
SMALL = RelaySettings(NAME, shelf_parcels=64, shelf_bytes=16 * 1024 * 1024)


def shelf_of(person: Resident) -> ShelfName:
    return ShelfName.of_user(person.user_id)


async def put(
    caller: Resident, shelf: ShelfName, *parcels: bytes, device: int = 1
) -> Sequence[ShelveOutcome]:
    """Return what becomes of parcels for one shelf."""
    request = ShelveRequest(tuple((shelf, each) for each in parcels))
    return (await caller.town.get(ShelveAnswer, request, caller.tokens[device])).outcomes


async def found(caller: Resident, shelf: ShelfName, after: int = 0, *, device: int = 1) -> dict[int, bytes]:
    """Return the parcels of a shelf."""
    answer = await caller.town.get(ShelfAnswer, ShelfRequest(shelf, after, 100), caller.tokens[device])
    return dict(answer.parcels)


async def take_away(caller: Resident, shelf: ShelfName, *parcels: bytes, device: int = 1) -> None:
    request = UnshelveRequest(shelf, tuple(map(parcel_hash, parcels)))
    await caller.town.get(DoneAnswer, request, caller.tokens[device])


async def pair(town: Town) -> tuple[Resident, Resident]:
    return await Resident(town, "alice").move_in(), await Resident(town, "bob").move_in()


async def collection(town: Town, admin: Resident, *members: Resident) -> SignedLog:
    """Return a collection whose log the relay has."""
    log = SignedLog(admin, *map(user_member, members))
    answer = await town.get(LogAppendAnswer, LogAppendRequest(log.encoded[0]), admin.tokens[1])
    assert answer.is_taken
    return log


# --- parcels --------------------------------------------------------------------------------------------


async def test_parcels_wait_for_a_user(town: Town) -> None:
    alice, bob = await pair(town)
    assert await put(alice, shelf_of(bob), b"one", b"two") == (STORED, STORED)
    town.now += 5 * 365 * 86_400
    await town.relay.expire(town.now)
    await town.restart()
    await bob.log_in(1)
    assert await found(bob, shelf_of(bob)) == {1: b"one", 2: b"two"}
    assert await found(bob, shelf_of(bob), 1) == {2: b"two"}
    assert await found(bob, shelf_of(bob), 2) == {}


async def test_a_device_that_is_added_later_reads_what_came_before(town: Town) -> None:
    alice, bob = await pair(town)
    await put(alice, shelf_of(bob), b"one")
    bob.next(add=[(2, 1)])
    await bob.append()
    await bob.log_in(2)
    assert await found(bob, shelf_of(bob), device=2) == {1: b"one"}


async def test_one_call_puts_parcels_on_several_shelves(town: Town) -> None:
    alice, bob = await pair(town)
    log = await collection(town, alice)
    team = ShelfName.of_collection(log.id)
    nobody, nothing = ShelfName.of_user(os.urandom(32)), ShelfName.of_collection(os.urandom(16))
    names = [shelf_of(bob), nobody, team, shelf_of(alice), nothing]
    request = ShelveRequest(tuple((each, b"parcel") for each in names))
    answer = await town.get(ShelveAnswer, request, alice.tokens[1])
    assert answer.outcomes == (STORED, UNKNOWN, STORED, STORED, UNKNOWN)  # RLY-35
    assert await found(bob, shelf_of(bob)) == await found(bob, team) == {1: b"parcel"}
    assert await found(alice, shelf_of(alice)) == {1: b"parcel"}


async def test_a_parcel_whose_answer_was_lost_is_there_once(town: Town) -> None:
    """RLY-36: it keeps its number, whoever puts it there again."""
    alice, bob = await pair(town)
    for caller in (alice, alice, bob):
        assert await put(caller, shelf_of(bob), b"one") == (STORED,)
    await put(alice, shelf_of(bob), b"two", b"one")
    assert await found(bob, shelf_of(bob)) == {1: b"one", 2: b"two"}


async def test_a_long_shelf_comes_in_pages(town: Town) -> None:
    """RLY-40: whoever asks for what follows misses nothing, also where parcels were taken away."""
    alice, bob = await pair(town)
    parcels = [bytes([each]) * 200_000 for each in range(30)]
    for first in (0, 15):
        await put(alice, shelf_of(bob), *parcels[first : first + 15])
    await take_away(bob, shelf_of(bob), *parcels[3:7])
    seen: dict[int, bytes] = {}
    pages = 0
    while page := await found(bob, shelf_of(bob), max(seen, default=0)):
        assert sum(map(len, page.values())) <= 4 * 1024 * 1024
        seen |= page
        pages += 1
    assert seen == {at: each for at, each in enumerate(parcels, 1) if not 4 <= at <= 7}
    assert pages == 2


async def test_what_is_too_long_is_refused_before_it_is_read(town: Town) -> None:
    alice, bob = await pair(town)
    await put(alice, shelf_of(bob), bytes(256 * 1024))
    with pytest.raises(UsageError, match="send less at once"):
        await put(alice, shelf_of(bob), *(bytes([each]) * 256 * 1024 for each in range(16)))
    body = ShelveRequest(((shelf_of(bob), bytes(256 * 1024 + 1)),)).encode()

    reply = await town.relay.handle(CALL_OF_REQUEST[ShelveRequest], body, alice.tokens[1], town.now)
    assert reply.status == RelayCode.MALFORMED.status


# --- floods ---------------------------------------------------------------------------------------------


async def test_a_stranger_fills_a_part_of_a_shelf_only(town: Town) -> None:
    """RLY-38: a sixteenth; the user's own devices may fill it all."""
    await town.restart(SMALL)
    alice, bob = await pair(town)
    mallory = await Resident(town, "mallory").move_in()
    outcomes = await put(mallory, shelf_of(bob), *(b"%d" % each for each in range(9)))
    assert outcomes == (STORED,) * 4 + (FULL,) * 5
    assert await put(alice, shelf_of(bob), b"from alice") == (STORED,)
    await take_away(mallory, shelf_of(bob), b"0")
    assert await put(mallory, shelf_of(bob), b"9", b"10") == (STORED, FULL)
    assert await put(alice, shelf_of(alice), *(b"%d" % each for each in range(40))) == (STORED,) * 40


async def test_a_stranger_fills_a_part_of_the_bytes_only(town: Town) -> None:
    """RLY-38: where there is room for many parcels."""
    await town.restart(RelaySettings(NAME, shelf_parcels=1024, shelf_bytes=16 * 1024 * 1024))
    alice, bob = await pair(town)
    long = [bytes([each]) * 250_000 for each in range(5)]
    assert await put(alice, shelf_of(bob), *long, b"short") == (STORED,) * 4 + (FULL, STORED)
    assert await put(bob, shelf_of(bob), *long) == (STORED,) * 5


async def test_strangers_together_leave_room_for_the_owner(town: Town) -> None:
    """RLY-38: an eighth of the shelf. The owner can take the flood away, and then others have room again."""
    await town.restart(SMALL)
    _, bob = await pair(town)
    crowd = [await Resident(town, f"mallory {each}").move_in() for each in range(15)]
    flood = [b"%d" % each for each in range(60)]
    outcomes = [
        each
        for at, mallory in enumerate(crowd)
        for each in await put(mallory, shelf_of(bob), *flood[4 * at : 4 * at + 4])
    ]
    assert outcomes == [STORED] * 56 + [FULL] * 4
    assert await put(bob, shelf_of(bob), *(b"own %d" % each for each in range(9))) == (STORED,) * 8 + (FULL,)
    assert await put(crowd[-1], shelf_of(bob), b"more") == (FULL,)
    await take_away(bob, shelf_of(bob), *flood[:20])
    assert await put(crowd[-1], shelf_of(bob), b"more") == (STORED,)


async def test_nobody_fills_the_shelves_of_everybody(town: Town) -> None:
    """RLY-10: shelves count like names that one asks for."""
    mallory = await Resident(town, "mallory").move_in()
    names = [ShelfName.of_user(each.to_bytes(32, "big")) for each in range(1001)]
    for first in range(0, 960, 64):
        town.now += 1
        request = ShelveRequest(tuple((each, b"flood") for each in names[first : first + 64]))
        await town.get(ShelveAnswer, request, mallory.tokens[1])
    request = ShelveRequest(tuple((each, b"flood") for each in names[960:]))
    await town.refuses(RelayCode.SLOW_DOWN, request, mallory.tokens[1])
    assert await put(mallory, shelf_of(mallory), b"own") == (STORED,)


async def test_one_device_is_slowed_down(town: Town) -> None:
    mallory = await Resident(town, "mallory").move_in()
    for each in range(60):
        await put(mallory, shelf_of(mallory), b"%d" % each)
    request = ShelveRequest(((shelf_of(mallory), b"more"),))
    await town.refuses(RelayCode.SLOW_DOWN, request, mallory.tokens[1], number=1)
    town.now += 1
    assert await put(mallory, shelf_of(mallory), b"more") == (STORED,)


@pytest.mark.parametrize("wrong", [{"shelf_parcels": 63}, {"shelf_bytes": 16 * 1024 * 1024 - 1}])
def test_a_shelf_has_room_for_the_longest_parcel_of_anybody(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="shelf"):
        RelaySettings(NAME, **wrong)  # type: ignore[arg-type]


# --- people who are not the owner -----------------------------------------------------------------------


async def test_a_shelf_is_shown_to_its_user_alone(town: Town) -> None:
    """RLY-37: the answer for another user is that for one who does not exist."""
    alice, bob = await pair(town)
    await put(alice, shelf_of(bob), b"one")
    for shelf in (shelf_of(bob), ShelfName.of_user(os.urandom(32))):
        await town.refuses(RelayCode.UNKNOWN, ShelfRequest(shelf, 0, 1), alice.tokens[1], number=1)
    await town.refuses(RelayCode.UNKNOWN, ShelfRequest(shelf_of(bob), 0, 1), None, number=0)
    await town.refuses(RelayCode.UNKNOWN, ShelveRequest(((shelf_of(bob), b"x"),)), b"token", number=0)


async def test_a_stranger_takes_nothing_away(town: Town) -> None:
    """RLY-39: and does not learn whether it is there."""
    alice, bob = await pair(town)
    mallory = await Resident(town, "mallory").move_in()
    await put(alice, shelf_of(bob), b"one", b"two")
    await take_away(mallory, shelf_of(bob), b"one", b"two", b"never there")
    assert await found(bob, shelf_of(bob)) == {1: b"one", 2: b"two"}
    await put(mallory, shelf_of(bob), b"one")  # it is there, and stays alice's
    await take_away(mallory, shelf_of(bob), b"one")
    assert len(await found(bob, shelf_of(bob))) == 2
    await take_away(alice, shelf_of(bob), b"one")
    await take_away(bob, shelf_of(bob), b"two")
    assert await found(bob, shelf_of(bob)) == {}


async def test_from_a_collections_shelf_admins_take_away(town: Town) -> None:
    alice, bob = await pair(town)
    log = await collection(town, alice, bob)
    carol = await Resident(town, "carol").move_in()
    team = ShelfName.of_collection(log.id)
    await put(carol, team, b"carol's", b"carol's too")
    await put(bob, team, b"bob's")
    await take_away(bob, team, b"carol's", b"bob's")
    assert await found(bob, team) == {1: b"carol's", 2: b"carol's too"}
    await take_away(alice, team, b"carol's")
    await take_away(carol, team, b"carol's too")
    assert await found(carol, team) == {}
    entry = log.keep(log.make(alice, Action.ADD, *in_order(user_member(carol, Role.ADMIN))))
    await put(bob, team, b"more")
    await take_away(carol, team, b"more")
    assert len(await found(carol, team)) == 1
    await town.get(LogAppendAnswer, LogAppendRequest(entry.encode()), alice.tokens[1])
    await take_away(carol, team, b"more")
    assert await found(carol, team) == {}


async def test_a_device_that_was_revoked_reads_and_takes_away_nothing(town: Town) -> None:
    bob, alice = family(town, "bob"), await Resident(town, "alice").move_in()
    await bob.move_in()
    await put(alice, shelf_of(bob), b"one")
    bob.next(revoke=(2,))
    await bob.append()
    for request in (
        ShelfRequest(shelf_of(bob), 0, 1),
        UnshelveRequest(shelf_of(bob), (parcel_hash(b"one"),)),
        ShelveRequest(((shelf_of(bob), b"two"),)),
        UserRequest(alice.user_id, 0),
    ):
        await town.refuses(RelayCode.UNKNOWN, request, bob.tokens[2], number=0)
    assert await found(bob, shelf_of(bob)) == {1: b"one"}


async def test_a_device_of_class_limited_has_nothing_to_do_with_shelves(town: Town) -> None:
    bob = await family(town, "bob").move_in()
    await put(bob, shelf_of(bob), b"one")
    for request in (
        ShelfRequest(shelf_of(bob), 0, 1),
        UnshelveRequest(shelf_of(bob), (parcel_hash(b"one"),)),
    ):
        await town.refuses(RelayCode.REFUSED, request, bob.tokens[3])


async def test_a_revoked_device_gains_nothing_by_a_copy_of_the_old_chain(town: Town) -> None:
    """RLY-37: a thief registers the lists that listed the device, under another name, and logs in there."""
    bob, alice = await family(town, "bob").move_in(), await Resident(town, "alice").move_in()
    old = tuple(each.encode() for each in bob.lists)
    await put(alice, shelf_of(bob), b"one")
    bob.next(revoke=(2,))
    await bob.append()
    await town.get(DoneAnswer, RegisterRequest("bob two", old))
    thief = Resident(town, "bob")
    thief.name = "bob two"
    thief.keys = bob.keys  # type: ignore[method-assign]
    await thief.log_in(2)
    for request in (
        ShelfRequest(shelf_of(bob), 0, 1),
        UnshelveRequest(shelf_of(bob), (parcel_hash(b"one"),)),
        LogAppendRequest(SignedLog(bob, device=1).encoded[0]),
    ):
        await town.refuses(RelayCode.UNKNOWN, request, thief.tokens[2], number=0)
    # The lists that it registered are not those that others are shown.
    answer = await town.get(ListsAnswer, UserRequest(bob.user_id, 0), alice.tokens[1])
    assert answer.lists == tuple(each.encode() for each in bob.lists)
    assert await found(bob, shelf_of(bob)) == {1: b"one"}


# --- users ----------------------------------------------------------------------------------------------


async def test_lists_are_found_by_user_id(town: Town) -> None:
    """RLY-43: the newest ones, without a name."""
    alice, bob = await pair(town)
    await town.get(DoneAnswer, RegisterRequest("copy", (bob.lists[0].encode(),)))
    bob.next(add=[(2, 1)])
    await town.get(DoneAnswer, AppendRequest(bob.lists[-1].encode()), bob.tokens[1])
    lists = tuple(each.encode() for each in bob.lists)
    for after in range(4):
        answer = await town.get(ListsAnswer, UserRequest(bob.user_id, after), alice.tokens[1])
        assert (answer.version, answer.lists) == (2, lists[after:])
    await town.refuses(RelayCode.UNKNOWN, UserRequest(os.urandom(32), 0), alice.tokens[1], number=1)


async def test_whoever_tries_user_ids_is_slowed_down(town: Town) -> None:
    """RLY-10: as for names. The caller's own, and one that was asked for lately, cost nothing."""
    mallory = await Resident(town, "mallory").move_in()
    for each in range(1000):
        request = UserRequest(each.to_bytes(32, "big"), 0)
        await town.refuses(RelayCode.UNKNOWN, request, mallory.tokens[1], number=1)
    await town.refuses(RelayCode.SLOW_DOWN, UserRequest(os.urandom(32), 0), mallory.tokens[1])
    await town.get(ListsAnswer, UserRequest(mallory.user_id, 0), mallory.tokens[1])
    await town.refuses(RelayCode.UNKNOWN, UserRequest(bytes(32), 0), mallory.tokens[1], number=1)
