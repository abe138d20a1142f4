"""Mailboxes: all devices or none, at least once until acknowledged, and no room for floods."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from letterlock import Address
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_login import account_key
from letterlock._wire.relay_mail import AckRequest, FetchRequest
from letterlock.limits import DAY
from letterlock.relay._means import Means
from letterlock.relay._reply import Refused
from letterlock.relay._settings import RelaySettings
from letterlock.relay._store import Mail
from letterlock.relay._verification import run_at_once, verify_chain
from support.relay_town import NAME, Resident, Town, some_id
from support.user_tools import FULL


async def trio(town: Town) -> tuple[Resident, Resident]:
    """Return Alice with two devices, and Bob."""
    alice = Resident(town, "alice")
    alice.next(add=[(2, FULL)])
    return await alice.move_in(), await Resident(town, "bob").move_in()


async def texts(of: Resident, device: int = 1) -> list[bytes]:
    return [each.message for each in await of.fetched(device)]


# --- sending and fetching ---------------------------------------------------------------------------------


async def test_each_device_gets_its_own_message_with_sender_and_time(town: Town) -> None:
    alice, bob = await trio(town)
    await bob.sent(alice, {1: b"one", 2: b"two"})
    (one,), (two,) = await alice.fetched(1), await alice.fetched(2)
    assert (one.message, two.message) == (b"one", b"two")
    assert (one.sender, one.time) == (Address("bob", 1), town.now)
    assert await bob.fetched() == ()


async def test_messages_come_oldest_first_until_they_are_acknowledged(town: Town) -> None:
    """RLY-23: at least once, whatever happens between."""
    alice, bob = await trio(town)
    for each in range(5):
        await bob.sent(alice, {1: b"%d" % each}, id_=str(each))
    got = await alice.fetched(most=3)
    assert [each.message for each in got] == [b"0", b"1", b"2"]
    await town.restart()
    assert await alice.fetched(most=3) == got
    await alice.acknowledged(got[1].id, some_id("unknown"))
    assert await texts(alice) == [b"0", b"2", b"3", b"4"]


async def test_what_a_device_holds_back_does_not_keep_the_rest_away(town: Town) -> None:
    """A message that cannot be read at the head of the queue would be delivered for ever."""
    alice, bob = await trio(town)
    for each in range(4):
        await bob.sent(alice, {1: b"%d" % each}, id_=str(each))
    first, second = await alice.fetched(most=2)
    rest = await alice.fetched(most=2, skip=(first.id, second.id))
    assert [each.message for each in rest] == [b"2", b"3"]


async def test_a_send_that_is_repeated_changes_nothing(town: Town) -> None:
    """RLY-21: the answer was lost."""
    alice, bob = await trio(town)
    for _ in range(3):
        await bob.sent(alice, {1: b"one", 2: b"two"})
    assert (await texts(alice), await texts(alice, 2)) == ([b"one"], [b"two"])


async def test_the_same_id_of_another_sender_is_another_send(town: Town) -> None:
    """RLY-21: otherwise whoever learns an id could keep the message from being stored."""
    alice, bob = await trio(town)
    carol = await Resident(town, "carol").move_in()
    request = bob.send(alice, {1: b"of bob"})
    await town.ask(replace(request, messages=((1, b"of carol"),)), carol.tokens[1])
    await town.ask(request, bob.tokens[1])
    await town.ask(replace(request, messages=((1, b"of alice 2"),)), alice.tokens[2])
    assert await texts(alice) == [b"of carol", b"of bob", b"of alice 2"]


async def test_message_ids_show_neither_order_nor_the_id_of_the_send(town: Town) -> None:
    """RLY-21"""
    alice, bob = await trio(town)
    request = bob.send(alice, {1: b"one", 2: b"two"})
    await town.ask(request, bob.tokens[1])
    ids = [each.id for device in (1, 2) for each in await alice.fetched(device)]
    assert len({*ids, request.id}) == 3


async def test_a_sender_cannot_name_another_one(town: Town) -> None:
    alice, bob = await trio(town)
    await alice.sent(bob, {1: b"x"}, device=2)
    assert [each.sender for each in await bob.fetched()] == [Address("alice", 2)]


async def test_a_fetch_takes_what_it_is_told(town: Town) -> None:
    alice, bob = await trio(town)
    for each in range(3):
        await bob.sent(alice, {1: bytes(700 * 1024)}, id_=str(each))
    for each in range(5):
        await bob.sent(alice, {1: bytes(700 * 1024)}, id_=f"more {each}")
    got = await alice.fetched()
    assert len(got) == 5  # 4 MiB
    assert len(await alice.fetched(skip=[each.id for each in got])) == 3


# --- device lists -----------------------------------------------------------------------------------------


async def test_a_send_for_an_older_list_stores_nothing_for_any_device(town: Town) -> None:
    """RLY-20: a device that was added gets its message too, and one that was revoked gets none."""
    alice, bob = await trio(town)
    stale = bob.send(alice, {1: b"x", 2: b"y"})
    alice.next(add=[(3, FULL)])
    await alice.append()
    newest = alice.lists[-1].hash[:8]
    for request in (
        stale,
        replace(stale, version=3),
        replace(stale, head=newest),
        replace(stale, version=4, head=newest),
        replace(stale, version=3, head=newest[::-1]),
    ):
        await town.refuses(RelayCode.STALE, request, bob.tokens[1], number=3)
    assert (await texts(alice), await texts(alice, 2)) == ([], [])


async def test_a_send_to_a_device_that_is_not_listed_stores_nothing(town: Town) -> None:
    alice, bob = await trio(town)
    await town.refuses(RelayCode.REFUSED, bob.send(alice, {1: b"x", 7: b"y"}), bob.tokens[1], number=0)
    assert await texts(alice) == []


async def test_a_send_and_a_new_list_at_once_never_miss_a_device(town: Town) -> None:
    """RLY-20: either the send is stored for the older list before the newer one, or it is stale."""
    alice, bob = await trio(town)
    sends = [bob.send(alice, {1: b"x", 2: b"y"}, id_=str(each)) for each in range(12)]
    alice.next(add=[(3, FULL)])
    results = await asyncio.gather(
        *(town.post(each, bob.tokens[1]) for each in sends[:6]),
        alice.append(),
        *(town.post(each, bob.tokens[1]) for each in sends[6:]),
    )
    stored = sum(getattr(each, "status", 0) == 200 for each in results)
    assert len(await texts(alice)) == len(await texts(alice, 2)) == stored
    assert sum(getattr(each, "status", 0) == 409 for each in results) == 12 - stored


# --- acknowledging ----------------------------------------------------------------------------------------


async def test_an_acknowledgement_may_be_repeated(town: Town) -> None:
    """RLY-24"""
    alice, bob = await trio(town)
    await bob.sent(alice, {1: b"x", 2: b"y"})
    (got,) = await alice.fetched()
    for _ in range(2):
        await alice.acknowledged(got.id)
    assert (await texts(alice), await texts(alice, 2)) == ([], [b"y"])


async def test_a_device_acknowledges_its_own_messages_alone(town: Town) -> None:
    """RLY-24: ids of others are no error, and change nothing."""
    alice, bob = await trio(town)
    await bob.sent(alice, {1: b"x"})
    (got,) = await alice.fetched()
    await bob.acknowledged(got.id)
    await alice.acknowledged(got.id, device=2)
    assert await texts(alice) == [b"x"]


async def test_strangers_neither_fetch_nor_acknowledge(town: Town) -> None:
    alice, bob = await trio(town)
    await bob.sent(alice, {1: b"x"})
    (got,) = await alice.fetched()
    for token in (None, b"token"):
        await town.refuses(RelayCode.UNKNOWN, FetchRequest(1, 0), token)
        await town.refuses(RelayCode.UNKNOWN, AckRequest((got.id,)), token)
        await town.refuses(RelayCode.UNKNOWN, bob.send(alice, {1: b"y"}), token)
    assert await texts(alice) == [b"x"]


# --- waiting ----------------------------------------------------------------------------------------------


async def test_a_fetch_that_waits_ends_with_the_first_message(town: Town) -> None:
    """RLY-23"""
    alice, bob = await trio(town)
    waiting = asyncio.ensure_future(alice.fetched(wait=60))
    await asyncio.sleep(0)
    await bob.sent(alice, {2: b"for another device"})
    assert not waiting.done()
    await bob.sent(alice, {1: b"x"}, id_="second")
    assert [each.message for each in await waiting] == [b"x"]


async def test_a_fetch_that_waits_misses_nothing_that_comes_while_it_begins(town: Town) -> None:
    alice, bob = await trio(town)
    for each in range(10):
        got, _ = await asyncio.gather(alice.fetched(wait=60), bob.sent(alice, {1: b"x"}, id_=str(each)))
        await alice.acknowledged(*(each.id for each in got))


async def test_many_who_wait_are_all_woken(town: Town) -> None:
    alice, bob = await trio(town)
    waiting = [asyncio.ensure_future(alice.fetched(wait=60)) for _ in range(20)]
    await bob.sent(alice, {1: b"x"})
    assert [len(each) for each in await asyncio.gather(*waiting)] == [1] * 20


async def test_a_fetch_that_skips_what_there_is_waits_for_more(town: Town) -> None:
    alice, bob = await trio(town)
    await bob.sent(alice, {1: b"first"}, id_="1")
    (held,) = await alice.fetched()
    waiting = asyncio.ensure_future(alice.fetched(wait=60, skip=(held.id,)))
    await bob.sent(alice, {1: b"second"}, id_="2")
    assert [each.message for each in await waiting] == [b"second"]


async def test_draining_ends_all_that_wait(town: Town) -> None:
    alice, _ = await trio(town)
    waiting = [asyncio.ensure_future(alice.fetched(wait=60)) for _ in range(3)]
    await waited(3)
    town.relay.drain()
    async with asyncio.timeout(30):  # it would wait for a minute
        assert await asyncio.gather(*waiting) == [(), (), ()]
        assert await alice.fetched(wait=60) == ()


async def test_a_fetch_that_is_cancelled_leaves_nothing_behind(town: Town) -> None:
    alice, bob = await trio(town)
    waiting = asyncio.ensure_future(alice.fetched(wait=60))
    await waited(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await bob.sent(alice, {1: b"x"})
    assert await texts(alice) == [b"x"]
    assert waits() == 0


async def test_a_fetch_that_waits_gets_nothing_of_who_has_its_number_now(town: Town) -> None:
    """RLY-8: while it waits, the name goes to another user, who has a device of the same number."""
    alice, bob = await trio(town)
    waiting = asyncio.ensure_future(town.ask(FetchRequest(100, 60), alice.tokens[1]))
    await waited(1)
    await taken_over(town, bob, alice)
    assert await waiting == ErrorAnswer(RelayCode.UNKNOWN)


@pytest.mark.parametrize("wait", [0, 60])
async def test_a_fetch_is_checked_after_the_mail_was_read(town: Town, wait: int) -> None:
    """RLY-8: the name goes to another user between the two."""
    alice, bob = await trio(town)
    fetch = town.store.fetch

    async def late(*arguments: Any) -> list[Mail]:
        vars(town.store).pop("fetch")
        await asyncio.sleep(0.02)
        await taken_over(town, bob, alice)
        return await fetch(*arguments)

    vars(town.store)["fetch"] = late
    await town.refuses(RelayCode.UNKNOWN, FetchRequest(100, wait), alice.tokens[1], number=0)


async def test_a_token_may_end_while_a_fetch_waits(town: Town) -> None:
    """RLY-6"""
    alice, _ = await trio(town)
    session = town.relay.session(alice.tokens[1], town.now)
    assert session is not None
    means = Means(town.store, town.settings, run_at_once)
    await means.check_now(session, session.until - 1)
    with pytest.raises(Refused):
        await means.check_now(session, session.until)


async def taken_over(town: Town, bob: Resident, alice: Resident) -> None:
    """Give Alice's name to another user, and send something to the device that has the number now."""
    taker = Resident(town, alice.name, [(1, FULL), (3, FULL)])
    lists = [each.encode() for each in taker.lists]
    assert await town.store.create(account_key(taker.name), lists, verify_chain(lists), replace=True) is None
    await bob.sent(taker, {1: b"for the taker"}, id_="taker")


def waits() -> int:
    """Return how many tasks wait for mail or for the end of the relay."""
    names = (getattr(each.get_coro(), "__qualname__", "") for each in asyncio.all_tasks())
    return sum(name.endswith(".wait") for name in names)


async def waited(fetches: int) -> None:
    """Wait until so many fetches wait for mail, and for the end of the relay besides."""
    while waits() < 2 * fetches:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.001)


# --- floods -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("messages", "size"), [(3, 10), (1000, 400 * 1024)])
async def test_a_full_mailbox_refuses_the_newest_for_all_devices(
    town: Town, messages: int, size: int
) -> None:
    """RLY-22: nothing is dropped to make room, and the sender is told."""
    alice, bob = await trio(town)
    await town.restart(RelaySettings(NAME, mailbox_messages=messages, mailbox_bytes=1024 * 1024))
    count = 3 if messages == 3 else 2
    for each in range(count):
        await bob.sent(alice, {2: bytes(size)}, id_=str(each))
    request = bob.send(alice, {1: bytes(size), 2: bytes(size)}, id_="beyond")
    await town.refuses(RelayCode.FULL, request, bob.tokens[1], number=2)
    assert await texts(alice) == []
    await bob.sent(alice, {1: b"x"}, id_="other device")
    await alice.acknowledged(*(each.id for each in await alice.fetched(2)), device=2)
    await town.ask(request, bob.tokens[1])
    assert len(await texts(alice, 2)) == 1


async def test_a_repeat_of_what_is_stored_is_no_more_although_the_mailbox_is_full(town: Town) -> None:
    alice, bob = await trio(town)
    await town.restart(RelaySettings(NAME, mailbox_messages=1))
    for _ in range(2):
        await bob.sent(alice, {1: b"x"})
    await town.refuses(RelayCode.FULL, bob.send(alice, {1: b"y"}, id_="2"), bob.tokens[1], number=1)


async def test_one_sender_is_slowed_down_and_others_are_not(town: Town) -> None:
    alice, bob = await trio(town)
    carol = await Resident(town, "carol").move_in()
    for each in range(60):
        await bob.sent(alice, {1: b"x"}, id_=str(each))
    await town.refuses(RelayCode.SLOW_DOWN, bob.send(alice, {1: b"x"}, id_="60"), bob.tokens[1], number=1)
    await bob.sent(carol, {1: b"x"})
    await carol.sent(alice, {1: b"x"})
    town.now += 1
    await bob.sent(alice, {1: b"x"}, id_="60")


# --- time -------------------------------------------------------------------------------------------------


async def test_mail_is_kept_for_thirty_days(town: Town) -> None:
    """RLY-27"""
    alice, bob = await trio(town)
    await bob.sent(alice, {1: b"old"}, id_="1")
    town.now += DAY
    await bob.log_in(1)
    await bob.sent(alice, {1: b"new"}, id_="2")
    town.now += 29 * DAY
    assert (await town.relay.expire(town.now)).messages == 0
    town.now += 1
    assert (await town.relay.expire(town.now)).messages == 1
    await alice.log_in(1)
    assert await texts(alice) == [b"new"]


async def test_the_state_of_a_device_counts_its_mail(town: Town) -> None:
    alice, bob = await trio(town)
    await alice.publish(pairs=2, number=4)
    await bob.sent(alice, {1: b"12345", 2: b"1"})
    state = await alice.state()
    assert (state.version, state.number, state.stock, state.messages, state.size) == (2, 4, 2, 1, 5)
