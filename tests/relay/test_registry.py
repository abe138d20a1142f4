"""Names and device lists: who may register and append, and what a relay takes into its directory."""

import asyncio
from dataclasses import replace
from typing import Final

import pytest

from letterlock._wire.device_list import DeviceList
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import AppendRequest, ListsRequest, RegisterRequest
from letterlock._wire.relay_mail import FetchRequest
from letterlock._wire.relay_prekeys import PublishRequest
from letterlock.relay._limits import HEAD_SECONDS
from support.pair import flipped
from support.relay_town import Resident, Town, family
from support.user_tools import FULL, Owner

# --- registering ------------------------------------------------------------------------------------------


async def test_a_chain_is_registered_and_shown_to_others(town: Town) -> None:
    alice, bob = await family(town).move_in(), await Resident(town, "bob").move_in()
    for reader, after in ((bob, 0), (bob, 2), (alice, 1), (alice, 3), (bob, 2**32 - 1)):
        answer = await reader.listed("alice", after)
        assert answer.version == 3
        assert [DeviceList.decode(each) for each in answer.lists] == alice.lists[after:]


async def test_a_registration_that_is_repeated_changes_nothing(town: Town) -> None:
    """RLY-9: the answer may have been lost, and the list may have grown meanwhile."""
    alice = family(town)
    first = alice.registration(most=2)
    for _ in range(2):
        await town.get(DoneAnswer, first)
    await alice.log_in(1)
    await alice.append()
    for most in (1, 2, 3):
        await town.get(DoneAnswer, alice.registration(most=most))
    assert (await alice.listed("alice")).version == 3


async def test_a_longer_chain_of_the_same_user_conflicts(town: Town) -> None:
    """The device logs in and appends: only a listed device may."""
    alice = family(town)
    await town.get(DoneAnswer, alice.registration(most=1))
    await town.refuses(RelayCode.CONFLICT, alice.registration(), number=1)


async def test_a_name_is_taken_by_who_comes_first(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    other = Resident(town, "alice", [(5, FULL)])
    await town.refuses(RelayCode.TAKEN, other.registration(), number=0)
    assert (await alice.listed("alice")).lists == (alice.lists[0].encode(),)


async def test_one_of_many_who_come_at_once_gets_the_name(town: Town) -> None:
    others = [Resident(town, "alice", [(each, FULL)]) for each in range(1, 9)]
    replies = await asyncio.gather(*(town.post(each.registration()) for each in others))
    assert sorted(reply.status for reply in replies) == [200] + [409] * 7
    winner = others[[reply.status for reply in replies].index(200)]
    await winner.log_in(winner.lists[0].snapshot.devices[0].id)


async def test_a_fork_of_a_registered_chain_conflicts(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    one, other = alice.make(add=[(2, FULL)]), alice.make(add=[(3, FULL)])
    await town.get(DoneAnswer, AppendRequest(one.encode()), alice.tokens[1])
    fork = RegisterRequest("alice", (alice.lists[0].encode(), other.encode()))
    await town.refuses(RelayCode.CONFLICT, fork, number=2)


FIRST: Final = Owner("alice").lists[0]


@pytest.mark.parametrize(
    "lists",
    [
        (b"\x81\x01",),
        (FIRST.encode() + b"\0",),
        (flipped(FIRST.encode(), -1),),
        (flipped(FIRST.encode(), 300),),
        (FIRST.encode(), FIRST.encode()),
        (replace(FIRST, signature=Owner("bob").lists[0].signature).encode(),),
    ],
)
async def test_a_chain_that_breaks_a_rule_is_refused(town: Town, lists: tuple[bytes, ...]) -> None:
    """RLY-11"""
    await town.refuses(RelayCode.REFUSED, RegisterRequest("alice", lists), number=0)
    await Resident(town, "alice").move_in()


async def test_a_chain_that_does_not_begin_at_version_one_is_refused(town: Town) -> None:
    """RLY-11: whoever reads it could not verify it."""
    alice = family(town)
    request = RegisterRequest("alice", tuple(each.encode() for each in alice.lists[1:]))
    await town.refuses(RelayCode.REFUSED, request)


async def test_open_registration_is_bounded_for_everybody_together(town: Town) -> None:
    alice = Resident(town, "alice")
    for _ in range(60):
        await town.get(DoneAnswer, alice.registration())
    await town.refuses(RelayCode.SLOW_DOWN, Resident(town, "bob").registration(), number=1)
    town.now += 1
    await Resident(town, "bob").move_in()


# --- appending --------------------------------------------------------------------------------------------


async def test_the_next_version_is_appended_and_a_repeat_changes_nothing(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    alice.next(add=[(2, FULL)])
    for _ in range(2):
        await alice.append()
    await alice.log_in(2)
    assert (await alice.listed("alice", 1)).lists == (alice.lists[1].encode(),)


async def test_of_two_versions_that_come_at_once_one_is_stored(town: Town) -> None:
    """RLY-11: compare-and-swap: the chain never forks here."""
    alice = await Resident(town, "alice").move_in()
    lists = [alice.make(add=[(each, FULL)]) for each in range(2, 8)]
    replies = await asyncio.gather(
        *(town.post(AppendRequest(each.encode()), alice.tokens[1]) for each in lists)
    )
    assert sorted(reply.status for reply in replies).count(200) == 1
    won = lists[[reply.status for reply in replies].index(200)]
    assert (await alice.listed("alice", 1)).lists == (won.encode(),)


async def test_a_version_that_does_not_follow_is_refused(town: Town) -> None:
    """RLY-11"""
    alice, bob = await family(town).move_in(), Owner("bob")
    bob.next(add=[(2, FULL)])
    bob.next(add=[(3, FULL)])
    wrong = [
        alice.lists[0],
        alice.lists[1],
        bob.next(add=[(4, FULL)]),
        replace(alice.make(add=[(4, FULL)]), signature=alice.lists[0].signature),
        alice.make(3, add=[(4, FULL)]),
        alice.make(2, revoke=(1,)),
        replace(alice.make(add=[(4, FULL)]), proofs=()),
    ]
    for each in wrong:
        await town.refuses(RelayCode.REFUSED, AppendRequest(each.encode()), alice.tokens[1])
    await town.refuses(RelayCode.REFUSED, AppendRequest(b"list"), alice.tokens[1])
    assert (await alice.listed("alice")).version == 3


async def test_nobody_appends_to_the_list_of_somebody_else(town: Town) -> None:
    alice, bob = await family(town).move_in(), await Resident(town, "bob").move_in()
    request = AppendRequest(alice.next(add=[(4, FULL)]).encode())
    await town.refuses(RelayCode.REFUSED, request, bob.tokens[1])
    assert (await bob.listed("alice")).version == 3


async def test_a_list_without_devices_ends_the_account(town: Town) -> None:
    alice, bob = await Resident(town, "alice").move_in(), await Resident(town, "bob").move_in()
    alice.next(revoke=(1,))
    await alice.append()
    await town.refuses(RelayCode.UNKNOWN, FetchRequest(1, 0), alice.tokens[1])
    await town.refuses(RelayCode.REFUSED, bob.send(alice, {1: b"x"}), bob.tokens[1])
    assert (await bob.listed("alice")).version == 2


async def test_everything_of_a_revoked_device_ends_with_it(town: Town) -> None:
    """RLY-11: its mail, its prekeys and its token."""
    alice, bob = await family(town).move_in(), await Resident(town, "bob").move_in()
    await alice.publish(2)
    await bob.sent(alice, {2: b"two", 3: b"three"})
    alice.next(revoke=(2,))
    await alice.append()
    counts = await town.store.counts()
    assert (counts.messages, counts.bundles) == (1, 0)
    await town.refuses(RelayCode.UNKNOWN, FetchRequest(1, 0), alice.tokens[2])
    await town.refuses(RelayCode.REFUSED, bob.claim(alice, 2), bob.tokens[1])


async def test_a_device_that_is_revoked_publishes_nothing_in_the_seconds_after(town: Town) -> None:
    """RLY-8: another process knows the older list still; what changes the account reads it anew."""
    alice = await family(town).move_in()
    here = town.relay
    await alice.listed("alice", device=2)
    await town.restart()
    alice.next(revoke=(2,))
    await alice.append()
    town.relay = here
    request = PublishRequest(1, alice.publication(2).encode())
    await town.refuses(RelayCode.UNKNOWN, request, alice.tokens[2])
    await town.refuses(RelayCode.UNKNOWN, AppendRequest(alice.lists[-1].encode()), alice.tokens[2])
    assert HEAD_SECONDS == 5


async def test_appending_is_bounded(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    wrong = AppendRequest(Owner("bob").lists[0].encode())
    for _ in range(20):
        await town.refuses(RelayCode.REFUSED, wrong, alice.tokens[1])
    await town.refuses(RelayCode.SLOW_DOWN, wrong, alice.tokens[1], number=30)


# --- asking for lists -------------------------------------------------------------------------------------


async def test_a_long_chain_comes_in_parts(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    for each in range(2, 24):
        alice.next(new_key=True)
        await alice.append()
        town.now += 30 + each
    answer = await alice.listed("alice")
    assert (answer.version, len(answer.lists)) == (23, 20)
    rest = await alice.listed("alice", 20)
    assert [DeviceList.decode(each) for each in (*answer.lists, *rest.lists)] == alice.lists


async def test_a_name_that_is_not_there_is_told_to_who_is_logged_in(town: Town) -> None:
    alice, nobody = await Resident(town, "alice").move_in(), Resident(town, "nobody")
    token = alice.tokens[1]
    requests = (ListsRequest("nobody", 0), alice.claim(nobody), alice.send(nobody, {1: b"x"}))
    for request in requests:
        await town.refuses(RelayCode.UNKNOWN, request, token, number=1)
        await town.refuses(RelayCode.UNKNOWN, request, number=0)


async def test_whoever_tries_names_is_slowed_down(town: Town) -> None:
    """RLY-10: a thousand names a day. Those that were asked for lately do not count."""
    alice = await Resident(town, "alice").move_in()
    bob = await Resident(town, "bob").move_in()
    for each in range(1000):
        await town.refuses(RelayCode.UNKNOWN, ListsRequest(f"name {each}", 0), alice.tokens[1], number=1)
    unknown = Resident(town, "unknown")
    await town.refuses(RelayCode.SLOW_DOWN, ListsRequest("unknown", 0), alice.tokens[1], number=86)
    await town.refuses(RelayCode.SLOW_DOWN, alice.claim(unknown), alice.tokens[1])
    await town.refuses(RelayCode.UNKNOWN, ListsRequest("name 7", 0), alice.tokens[1], number=1)
    await alice.listed("alice")
    await bob.listed("alice")


async def test_whoever_tries_names_by_sends_is_slowed_down(town: Town) -> None:
    """RLY-10: a send tells as well whether a name is there. Sends to one's own devices do not count."""
    alice = await Resident(town, "alice").move_in()
    bob = await Resident(town, "bob").move_in()
    await alice.sent(bob, {1: b"x"}, id_="lately")
    for each in range(999):
        request = replace(bob.send(bob, {1: b"x"}), name=f"name {each}")
        await town.refuses(RelayCode.UNKNOWN, request, alice.tokens[1], number=1)
    request = replace(bob.send(bob, {1: b"x"}), name="unknown")
    await town.refuses(RelayCode.SLOW_DOWN, request, alice.tokens[1], number=86)
    await town.refuses(RelayCode.SLOW_DOWN, ListsRequest("unknown", 0), alice.tokens[1])
    await alice.sent(bob, {1: b"x"})
    await alice.sent(alice, {1: b"x"}, id_="own")
