"""Registration with tickets: who may have one, what it is good for, and when it ends."""

import asyncio
from dataclasses import replace
from typing import Any, Final

import pytest

from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from support.pair import flipped
from support.relay_town import NOW, TICKET_KEY, Resident, Town, family, ticket
from support.user_tools import FULL, Owner


async def with_tickets(town: Town) -> None:
    await town.restart(replace(town.settings, ticket_key=TICKET_KEY.public.data))


# --- tickets ----------------------------------------------------------------------------------------------


async def test_a_ticket_registers_its_name(town: Town) -> None:
    await with_tickets(town)
    alice = Resident(town, "alice")
    for _ in range(2):  # the answer may have been lost
        await town.get(DoneAnswer, alice.registration(ticket("alice")))
    await alice.log_in(1)


OTHER_KEY: Final = Ed25519KeyPair(Ed25519Seed(bytes(32)))


@pytest.mark.parametrize(
    "shown",
    [
        None,
        b"",
        b"ticket",
        ticket("bob"),
        ticket("alice", key=OTHER_KEY),
        ticket("alice", until=NOW - 1),
        flipped(ticket("alice"), -1),
        ticket("alice") + b"\0",
    ],
)
async def test_without_a_good_ticket_nobody_registers(town: Town, shown: bytes | None) -> None:
    """RLY-9"""
    await with_tickets(town)
    await town.refuses(RelayCode.TICKET, Resident(town, "alice").registration(shown))
    await town.get(DoneAnswer, Resident(town, "alice").registration(ticket("alice")))


async def test_without_a_ticket_nobody_learns_whether_a_name_exists(town: Town) -> None:
    await Resident(town, "alice").move_in()
    await with_tickets(town)
    replies = [await town.post(Resident(town, name).registration()) for name in ("alice", "bob")]
    assert replies[0] == replies[1]


async def test_a_ticket_ends_at_its_time(town: Town) -> None:
    await with_tickets(town)
    alice, bob = Resident(town, "alice"), Resident(town, "bob")
    town.now += 600
    await town.get(DoneAnswer, alice.registration(ticket("alice")))
    town.now += 1
    await town.refuses(RelayCode.TICKET, bob.registration(ticket("bob")))


async def test_a_registration_is_repeated_after_its_ticket_ended(town: Town) -> None:
    """RLY-9: the answer was lost, and the client came back later."""
    await with_tickets(town)
    alice = family(town)
    await town.get(DoneAnswer, alice.registration(ticket("alice"), most=2))
    town.now += 601
    for most in (1, 2):
        await town.get(DoneAnswer, alice.registration(ticket("alice"), most=most))
    await alice.log_in(1)


async def test_a_ticket_that_ended_tells_and_changes_nothing_else(town: Town) -> None:
    """RLY-9: whatever is there, the answer is the one of a name that nobody has."""
    await with_tickets(town)
    alice = family(town)
    await town.get(DoneAnswer, alice.registration(ticket("alice"), most=2))
    fork = replace(alice.registration(), lists=(alice.lists[0].encode(), Owner("alice").make().encode()))
    town.now += 601
    for may_replace in (False, True):
        ended = ticket("alice", may_replace=may_replace)
        other = Resident(town, "alice", [(5, FULL)])
        for request in (other.registration(ended), alice.registration(ended), replace(fork, ticket=ended)):
            await town.refuses(RelayCode.TICKET, request, number=0)
    await town.refuses(RelayCode.TICKET, Resident(town, "bob").registration(ticket("bob")), number=0)
    for shown in (None, b"ticket", ticket("bob"), ticket("alice", key=OTHER_KEY)):
        await town.refuses(RelayCode.TICKET, alice.registration(shown, most=2), number=0)
    await alice.log_in(1)
    assert (await alice.listed("alice")).version == 2


async def test_a_replacement_is_repeated_after_its_ticket_ended(town: Town) -> None:
    await Resident(town, "alice").move_in()
    await with_tickets(town)
    good = ticket("alice", may_replace=True)
    after = Resident(town, "alice", [(5, FULL)])
    await town.get(DoneAnswer, after.registration(good))
    town.now += 10_000
    await town.relay.expire(town.now)
    await town.get(DoneAnswer, after.registration(good))
    await after.log_in(5)


async def test_a_replacement_that_comes_twice_at_once_is_done(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RLY-9: the client was impatient. The second request finds the ticket used, by the first one."""
    await Resident(town, "alice").move_in()
    await with_tickets(town)
    after = Resident(town, "alice", [(5, FULL)])
    request = after.registration(ticket("alice", may_replace=True))
    create, spend = town.store.create, town.store.spend
    created = asyncio.Event()

    async def slow_spend(*args: Any) -> bool:
        is_new = await spend(*args)
        if not is_new:
            await created.wait()
        return is_new

    async def told_create(*args: Any, **more: Any) -> Any:
        found = await create(*args, **more)
        created.set()
        return found

    monkeypatch.setattr(town.store, "create", told_create)
    monkeypatch.setattr(town.store, "spend", slow_spend)
    replies = await asyncio.gather(*(town.post(request) for _ in range(2)))
    assert [reply.status for reply in replies] == [200, 200]
    await after.log_in(5)


async def test_a_plain_ticket_replaces_nobody(town: Town) -> None:
    await with_tickets(town)
    await town.get(DoneAnswer, Resident(town, "alice").registration(ticket("alice")))
    other = Resident(town, "alice", [(5, FULL)])
    await town.refuses(RelayCode.TAKEN, other.registration(ticket("alice", label="two")))


async def test_a_ticket_that_may_replace_gives_the_name_to_another_user_once(town: Town) -> None:
    """RLY-9: everything of the earlier account is gone, and the ticket opens no second door."""
    before, bob = await Resident(town, "alice").move_in(), await Resident(town, "bob").move_in()
    await before.publish()
    await bob.sent(before, {1: b"for the earlier one"})
    await with_tickets(town)
    good = ticket("alice", may_replace=True)
    after = Resident(town, "alice", [(1, FULL), (5, FULL)])
    for _ in range(2):  # the answer may have been lost
        await town.get(DoneAnswer, after.registration(good))
    thief = Resident(town, "alice", [(6, FULL)])
    await town.refuses(RelayCode.TICKET, thief.registration(good))
    await after.log_in(1)
    assert await after.fetched() == ()
    assert (await after.state()).number == 0
    assert (await bob.listed("alice")).lists == (after.lists[0].encode(),)


async def test_a_ticket_works_once_although_another_clock_is_ahead(town: Town) -> None:
    """RLY-9: the other machine, by a minute at most, deletes what has ended."""
    await with_tickets(town)
    good = ticket("alice", may_replace=True)
    await town.get(DoneAnswer, Resident(town, "alice").registration(good))
    town.now += 600
    await town.relay.expire(town.now + 60)
    thief = Resident(town, "alice", [(6, FULL)])
    await town.refuses(RelayCode.TICKET, thief.registration(good))


async def test_the_earlier_user_gets_the_name_back_with_no_old_ticket(town: Town) -> None:
    await with_tickets(town)
    one, two = ticket("alice", may_replace=True, label="1"), ticket("alice", may_replace=True, label="2")
    first, second = Resident(town, "alice"), Resident(town, "alice", [(5, FULL)])
    await town.get(DoneAnswer, first.registration(one))
    await town.get(DoneAnswer, second.registration(two))
    await town.refuses(RelayCode.TICKET, first.registration(one))


async def test_one_of_two_users_gets_in_with_one_ticket(town: Town) -> None:
    await Resident(town, "alice").move_in()
    await with_tickets(town)
    good = ticket("alice", may_replace=True)
    others = [Resident(town, "alice", [(each, FULL)]) for each in range(5, 9)]
    replies = await asyncio.gather(*(town.post(each.registration(good)) for each in others))
    assert sorted(reply.status for reply in replies) == [200, 403, 403, 403]


async def test_a_ticket_that_is_shown_again_and_again_costs_little(town: Town) -> None:
    await with_tickets(town)
    wrong = replace(Resident(town, "alice").registration(ticket("alice")), lists=(b"l",))
    for _ in range(60):
        await town.refuses(RelayCode.REFUSED, wrong)
    await town.refuses(RelayCode.SLOW_DOWN, wrong)
    await town.get(DoneAnswer, Resident(town, "bob").registration(ticket("bob")))
