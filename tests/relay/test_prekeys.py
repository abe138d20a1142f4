"""Prekeys at the relay: what a device may publish, who gets which bundle, and who learns how many."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import pytest

from letterlock._handshake.bundle_signature import verify_bundle
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.publication import Publication
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_login import account_key
from letterlock._wire.relay_prekeys import ClaimAnswer, PublishRequest
from letterlock.relay._relay import Relay
from letterlock.relay._store import Stock
from support.pair import flipped
from support.relay_town import TICKET_KEY, Resident, Town, ticket
from support.user_tools import FULL, LIMITED, RECOVERY


def one_time_ids(bundles: tuple[bytes | None, ...]) -> list[int | None]:
    """Return the id of the one-time prekey in each bundle, None for a last-resort bundle."""
    decoded = [PrekeyBundle.decode(each) for each in bundles if each is not None]
    for each in decoded:
        verify_bundle(each)
    return [None if each.one_time is None else each.one_time.id for each in decoded]


async def pair(town: Town) -> tuple[Resident, Resident]:
    return await Resident(town, "alice").move_in(), await Resident(town, "bob").move_in()


# --- publishing -------------------------------------------------------------------------------------------


async def test_bundles_are_handed_out_one_by_one_and_then_the_last_resort(town: Town) -> None:
    alice, bob = await pair(town)
    assert await alice.publish(pairs=2) == 2
    given = [one_time_ids(await bob.claimed(alice, id_=str(each))) for each in range(4)]
    assert given == [[100], [101], [None], [None]]
    assert (await alice.state()).stock == 0


async def test_an_upload_that_is_repeated_changes_nothing(town: Town) -> None:
    """RLY-14: the answer was lost; the same keys must not be handed out twice."""
    alice, bob = await pair(town)
    request = PublishRequest(1, alice.publication(pairs=3).encode())
    await town.ask(request, alice.tokens[1])
    first = one_time_ids(await bob.claimed(alice, id_="1"))
    for number in (1, 2):
        await town.ask(replace(request, number=number), alice.tokens[1])
    second = one_time_ids(await bob.claimed(alice, id_="2"))
    assert (first, second, (await alice.state()).stock) == ([100], [101], 1)


async def test_a_number_that_is_not_greater_conflicts(town: Town) -> None:
    """RLY-14: with the newest number, from which the device goes on."""
    alice, _ = await pair(town)
    await alice.publish(number=7)
    for number in (1, 6, 7):
        request = PublishRequest(number, alice.publication(first=9000).encode())
        await town.refuses(RelayCode.CONFLICT, request, alice.tokens[1], number=7)
    assert (await alice.state()).stock == 3


async def test_of_uploads_that_come_at_once_with_one_number_one_is_stored(town: Town) -> None:
    """RLY-14: two processes of one device."""
    alice, _ = await pair(town)
    uploads = [
        PublishRequest(1, alice.publication(pairs=1, first=100 * each).encode()) for each in range(1, 7)
    ]
    replies = await asyncio.gather(*(town.post(each, alice.tokens[1]) for each in uploads))
    assert sorted(each.status for each in replies) == [200] + [409] * 5
    assert (await alice.state()).stock == 1


async def test_another_signed_prekey_replaces_what_was_there(town: Town) -> None:
    """RLY-13"""
    alice, bob = await pair(town)
    await alice.publish(number=1)
    assert await alice.publish(number=2) == 6
    assert await alice.publish(number=3, pairs=1, signed=2) == 1
    assert one_time_ids(await bob.claimed(alice)) == [300]


async def test_no_more_than_two_hundred_are_in_stock(town: Town) -> None:
    """RLY-12"""
    alice, _ = await pair(town)
    stocks = [await alice.publish(number=each, pairs=90, first=10_000 * each) for each in (1, 2, 3)]
    assert stocks == [90, 180, 200]


IDENTITY: Final = IdentityKey(bytes.fromhex("09" + "00" * 31))


async def test_a_publication_that_is_not_the_devices_own_is_refused(town: Town) -> None:
    """RLY-12: nobody puts keys of their own under somebody else's device."""
    alice = await Resident(town, "alice", [(1, FULL), (2, FULL)]).move_in()
    bob = Resident(town, "bob")
    right = alice.publication()
    wrong = [
        alice.publication(2),
        bob.publication(),
        replace(bob.publication(), address=right.address),
        bob.publication(name="alice"),
        replace(right, identity=IDENTITY),
        replace(right, made_on=right.made_on + 1),
        replace(right, last_resort_signature=flipped(right.last_resort_signature, 3)),
        replace(right, pairs=(*right.pairs[:2], replace(right.pairs[2], signature=bytes(64)))),
        replace(right, pairs=(right.pairs[0], replace(right.pairs[1], kem=right.pairs[2].kem))),
        alice.publication(pairs=101),
    ]
    for each in wrong:
        request = PublishRequest(1, each.encode())
        await town.refuses(RelayCode.REFUSED, request, alice.tokens[1], number=0)
    for data in (b"x", right.encode()[:-1], right.encode() + b"\0"):
        await town.refuses(RelayCode.REFUSED, PublishRequest(1, data), alice.tokens[1])
        town.now += 60
    assert (await alice.state()).number == 0


@pytest.mark.parametrize("replaced", [True, False])
async def test_a_publication_that_was_verified_for_another_device_is_not_stored(
    town: Town, replaced: bool
) -> None:
    """RLY-12: while it is verified, the name goes to another user, or the device is revoked."""
    changes = list[Callable[[], Awaitable[object]]]()

    async def run(work: Callable[[], Any], /) -> Any:
        result = work()
        while changes:
            await changes.pop()()
        return result

    alice = Resident(town, "alice")
    alice.next(add=[(2, FULL)])
    await alice.move_in()
    ticketed = replace(town.settings, ticket_key=TICKET_KEY.public.data)
    town.relay = Relay(town.store, ticketed, entropy=town.draw, run=run)
    await town.relay.start()
    taker = Resident(town, "alice", [(2, FULL), (3, FULL)])
    registration = taker.registration(ticket("alice", may_replace=True))
    alice.next(revoke=(2,))
    changes.append(partial(town.get, DoneAnswer, registration) if replaced else alice.append)
    request = PublishRequest(1, alice.publication(2).encode())
    await town.refuses(RelayCode.UNKNOWN, request, alice.tokens[2], number=0)
    assert not changes
    for device in (1, 2):
        assert await town.store.stock(account_key("alice"), device) == Stock(0, 0, 0, 0)


async def test_a_hundred_pairs_fit_into_one_upload(town: Town) -> None:
    alice, _ = await pair(town)
    publication: Publication = alice.publication(pairs=100)
    assert len(publication.encode()) < 256 * 1024
    assert await alice.publish(pairs=100) == 100


async def test_publishing_is_bounded(town: Town) -> None:
    alice, _ = await pair(town)
    request = PublishRequest(1, b"publication")
    for _ in range(20):
        await town.refuses(RelayCode.REFUSED, request, alice.tokens[1])
    await town.refuses(RelayCode.SLOW_DOWN, request, alice.tokens[1], number=30)


# --- claiming ---------------------------------------------------------------------------------------------


async def test_sixteen_who_claim_at_once_get_different_bundles(town: Town) -> None:
    """RLY-15: the keys would otherwise be used twice, and the second message could not be read."""
    alice = await Resident(town, "alice").move_in()
    others = [await Resident(town, f"racer {each}").move_in() for each in range(16)]
    await alice.publish(pairs=12)
    given = await asyncio.gather(*(each.claimed(alice) for each in others))
    ids = [one_time_ids(each)[0] for each in given]
    single = [each for each in ids if each is not None]
    assert sorted(single) == list(range(100, 112))
    assert ids.count(None) == 4


async def test_a_claim_that_is_repeated_gets_the_same_bundle(town: Town) -> None:
    """RLY-16: also by many at once, and after a restart."""
    alice, bob = await pair(town)
    await alice.publish(pairs=5)
    given = set(await asyncio.gather(*(bob.claimed(alice) for _ in range(8))))
    await town.restart()
    town.now += 300
    given.add(await bob.claimed(alice))
    assert len(given) == 1
    assert (await alice.state()).stock == 4


async def test_nobody_gets_the_bundle_of_somebody_elses_claim(town: Town) -> None:
    """RLY-16: an id that leaked is of no use."""
    alice, bob = await pair(town)
    carol = await Resident(town, "carol").move_in()
    await alice.publish()
    request = bob.claim(alice)
    answers = [await town.get(ClaimAnswer, request, each.tokens[1]) for each in (bob, carol)]
    assert [one_time_ids(each.bundles) for each in answers] == [[100], [101]]


async def test_a_claim_names_several_devices_and_is_answered_in_their_order(town: Town) -> None:
    devices = [(1, FULL), (2, LIMITED), (3, FULL), (9, RECOVERY)]
    alice, bob = await Resident(town, "alice", devices).move_in(), await Resident(town, "bob").move_in()
    await alice.publish(1)
    await alice.publish(3)
    bundles = await bob.claimed(alice, 3, 2, 1, 9)
    addresses = [each and PrekeyBundle.decode(each).address.device_id for each in bundles]
    assert addresses == [3, None, 1, None]


async def test_a_claim_for_an_older_list_is_refused_and_takes_nothing(town: Town) -> None:
    """RLY-20: the newer list may have revoked the device."""
    alice, bob = await pair(town)
    await alice.publish()
    stale = bob.claim(alice)
    alice.next(add=[(2, FULL)])
    await alice.append()
    newest = alice.lists[-1]
    for request in (
        stale,
        replace(stale, version=2),
        replace(stale, version=3, head=newest.hash[:8]),
        replace(stale, version=2, head=bytes(8)),
    ):
        await town.refuses(RelayCode.STALE, request, bob.tokens[1], number=2)
    assert (await alice.state()).stock == 3


async def test_a_device_that_the_list_does_not_have_is_refused(town: Town) -> None:
    alice, bob = await pair(town)
    await alice.publish()
    await town.refuses(RelayCode.REFUSED, bob.claim(alice, 1, 2), bob.tokens[1], number=0)
    assert (await alice.state()).stock == 3


# --- using up somebody's prekeys --------------------------------------------------------------------------


async def test_one_device_cannot_use_up_the_prekeys_of_another_one(town: Town) -> None:
    """RLY-17"""
    alice, bob = await pair(town)
    carol = await Resident(town, "carol").move_in()
    await alice.publish(pairs=100)
    for each in range(6):
        await bob.claimed(alice, id_=str(each))
    await town.refuses(RelayCode.SLOW_DOWN, bob.claim(alice, id_="7"), bob.tokens[1], number=600)
    assert (await alice.state()).stock == 94
    assert one_time_ids(await carol.claimed(alice)) == [106]
    await town.restart()
    await town.refuses(RelayCode.SLOW_DOWN, bob.claim(alice, id_="8"), bob.tokens[1])
    town.now += 600
    assert one_time_ids(await bob.claimed(alice, id_="9")) == [107]


async def test_many_devices_together_use_up_sixty_an_hour(town: Town) -> None:
    """RLY-18: then each gets the last-resort bundle, and is not told why."""
    alice = await Resident(town, "alice").move_in()
    await alice.publish(pairs=100)
    crowd = [await Resident(town, f"one of many {each}").move_in() for each in range(13)]
    ids: list[int | None] = []
    for round_ in range(6):
        for each in crowd:
            ids += one_time_ids(await each.claimed(alice, id_=str(round_)))
    assert len([each for each in ids if each is not None]) == 60
    assert ids[60:] == [None] * 18
    assert (await alice.state()).stock == 40


async def test_a_claim_that_is_refused_for_one_device_takes_nothing_of_the_others(town: Town) -> None:
    alice = await Resident(town, "alice", [(1, FULL), (2, FULL)]).move_in()
    bob = await Resident(town, "bob").move_in()
    await alice.publish(1)
    await alice.publish(2)
    for each in range(6):
        await bob.claimed(alice, 1, id_=str(each))
    await town.refuses(RelayCode.SLOW_DOWN, bob.claim(alice, 2, 1, id_="both"), bob.tokens[1])
    assert (await alice.state(2)).stock == 3


async def test_strangers_claim_nothing(town: Town) -> None:
    alice, bob = await pair(town)
    await alice.publish()
    for token in (None, b"token", bob.tokens[1][:-1]):
        await town.refuses(RelayCode.UNKNOWN, bob.claim(alice), token, number=0)
    assert (await alice.state()).stock == 3


async def test_a_device_that_was_revoked_claims_nothing(town: Town) -> None:
    bob = Resident(town, "bob")
    bob.next(add=[(2, FULL)])
    alice, bob = await Resident(town, "alice").move_in(), await bob.move_in()
    await alice.publish()
    bob.next(revoke=(2,))
    await bob.append()
    await town.refuses(RelayCode.UNKNOWN, bob.claim(alice), bob.tokens[2])
    assert (await alice.state()).stock == 3


async def test_the_number_of_prekeys_is_shown_to_their_owner_alone(town: Town) -> None:
    """RLY-19: it falls when somebody writes to the device, and rises when the device is online."""
    alice = await Resident(town, "alice", [(1, FULL), (2, FULL)]).move_in()
    bob = await Resident(town, "bob").move_in()
    await alice.publish(1, pairs=1)
    assert [(await each.state(device)).stock for each, device in ((alice, 1), (alice, 2), (bob, 1))] == [
        1,
        0,
        0,
    ]
    bundles = [await bob.claimed(alice, id_=str(each)) for each in range(2)]
    assert {len(each) for each in bundles} == {1}
    await town.get(DoneAnswer, bob.send(alice, {1: b"x"}), bob.tokens[1])


@pytest.mark.parametrize("device", [1, 2])
async def test_a_last_resort_bundle_shows_that_it_is_one(town: Town, device: int) -> None:
    alice = await Resident(town, "alice", [(1, FULL), (2, FULL)]).move_in()
    bob = await Resident(town, "bob").move_in()
    await alice.publish(device, pairs=0)
    (encoded,) = await bob.claimed(alice, device)
    assert encoded is not None
    assert PrekeyBundle.decode(encoded).one_time is None


async def test_a_device_that_another_process_revoked_claims_nothing(town: Town) -> None:
    """RLY-8: a claim uses bundles up, so the list of a moment ago is not enough."""
    bob = Resident(town, "bob")
    bob.next(add=[(2, FULL)])
    alice, bob = await Resident(town, "alice").move_in(), await bob.move_in()
    await alice.publish()
    here = town.relay
    await bob.fetched(2)
    await town.restart()
    bob.next(revoke=(2,))
    await bob.append()
    town.relay = here
    await town.refuses(RelayCode.UNKNOWN, bob.claim(alice), bob.tokens[2], number=0)
    assert (await alice.state()).stock == 3
