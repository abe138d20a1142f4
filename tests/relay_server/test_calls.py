"""Every call, over HTTP, to a relay in a process of its own."""

from letterlock import Address
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.collection_member import Role
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_calls import CALLS
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import ListsAnswer, UserRequest
from letterlock._wire.relay_log import LogAnswer, LogAppendAnswer, LogAppendRequest, LogRequest
from letterlock._wire.relay_mail import AckRequest
from letterlock._wire.relay_newer import NewerRequest, newer_input
from letterlock._wire.relay_place import GetAnswer, GetRequest, OpenPlaceRequest, PutRequest, Step
from letterlock._wire.relay_prekeys import StateRequest
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
from support.relay_groups import append, group_log, sent, shown, text_of
from support.relay_logs import SignedLog, user_member
from support.relay_server import ServedTown, Server, in_town
from support.relay_town import NAME, Resident, some_id
from support.user_tools import FULL

PLACE = some_id("place")


def test_two_people_use_every_call(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        alice, bob = (Resident(town, name) for name in ("alice", "bob"))
        bob.next(add=[(2, FULL)])
        for each in (alice, bob):
            await each.move_in()
            assert await each.publish() == 3
        assert len((await alice.listed("bob")).lists) == 2
        bundles = await alice.claimed(bob, 1)
        assert bundles == await alice.claimed(bob, 1)
        assert bundles[0] is not None
        await alice.sent(bob, {1: b"to one", 2: b"to two"})
        await alice.sent(bob, {1: b"to one", 2: b"to two"})
        (first,) = await bob.fetched(1)
        (second,) = await bob.fetched(2, wait=5)
        assert (first.message, second.message) == (b"to one", b"to two")
        assert first.sender.name == "alice"
        assert await bob.fetched(1, skip=[first.id]) == ()
        await bob.acknowledged(first.id)
        await bob.acknowledged(first.id)
        assert await bob.fetched(1) == ()
        assert (await bob.state(2)).messages == 1
        bob.next(revoke=(2,))
        await bob.append()
        await town.refuses(RelayCode.UNKNOWN, StateRequest(), bob.tokens[2])
        assert (await town.get(ListsAnswer, await newer(bob, 2))).version == 3
        await town.get(DoneAnswer, OpenPlaceRequest(PLACE), alice.tokens[1])
        await town.get(DoneAnswer, PutRequest(PLACE, Step.BUNDLE, 0, 1, b"bundle"))
        await town.refuses(RelayCode.UNKNOWN, PutRequest(PLACE, Step.OFFER, 0, 1, b"offer"))
        found = await town.get(GetAnswer, GetRequest(PLACE, Step.BUNDLE, 0, 5))
        assert found.data == b"bundle"
        await share(town, alice, bob)
        await talk(alice, bob)
        metrics = server.metrics()
        for call in CALLS:
            assert metrics[f'letterlock_relay_request_seconds_count{{call="{call.name}",code="OK"}}'] > 0

    in_town(server, play)


async def newer(who: Resident, device: int) -> NewerRequest:
    """Return the request of a device that was in version 2."""
    challenge, address = await who.challenge(device), Address(who.name, device)
    seed = who.keys(device).signing.seed.expose()
    pair = Ed25519KeyPair(Ed25519Seed(seed[32:]))
    return NewerRequest(address, challenge, 2, pair.sign(newer_input(NAME, address, challenge, 2)))


async def share(town: ServedTown, alice: Resident, bob: Resident) -> None:
    """Use shelves and logs."""
    shelf, parcel = ShelfName.of_user(bob.user_id), bytes(256 * 1024)
    log = SignedLog(alice, user_member(bob))
    taken = await town.get(LogAppendAnswer, LogAppendRequest(log.encoded[0]), alice.tokens[1])
    assert (taken.is_taken, taken.newest) == (True, 1)
    shown = await town.get(LogAnswer, LogRequest(log.id, 0), bob.tokens[1])
    assert shown.entries == log.encoded
    both = ShelveRequest(((shelf, parcel), (ShelfName.of_collection(log.id), parcel)))
    outcomes = (await town.get(ShelveAnswer, both, alice.tokens[1])).outcomes
    assert outcomes == (ShelveOutcome.STORED, ShelveOutcome.STORED)
    found = await town.get(ShelfAnswer, ShelfRequest(shelf, 0, 100), bob.tokens[1])
    assert found.parcels == ((1, parcel),)
    await town.get(DoneAnswer, UnshelveRequest(shelf, (parcel_hash(parcel),)), bob.tokens[1])
    lists = await town.get(ListsAnswer, UserRequest(bob.user_id, 0), alice.tokens[1])
    assert len(lists.lists) == len(bob.lists)


async def talk(alice: Resident, bob: Resident) -> None:
    """Use a group."""
    log = group_log(alice, user_member(bob, Role.WRITER))
    assert (await append(alice, log.entries[0])).is_taken
    texts = [text_of(log, each) for each in (alice, bob)]
    assert [await sent(each, text) for each, text in zip((alice, bob), texts, strict=True)] == [1, 2]
    assert [each.text for each in await shown(bob, log.id)] == texts


def test_without_a_token_nothing_is_told(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        for token in (None, b"\x00", b"x" * 512):
            await town.refuses(RelayCode.UNKNOWN, AckRequest((PLACE,)), token)
            await town.refuses(RelayCode.UNKNOWN, StateRequest(), token)

    in_town(server, play)
