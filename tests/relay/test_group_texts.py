"""Texts of groups at a relay: stored once, in order, after the newest entry alone, and for members alone."""

import asyncio
import os
from dataclasses import replace

from letterlock._wire.collection_member import MemberName, Role, RoleChange
from letterlock._wire.group_text import SenderName
from letterlock._wire.log_entry import Action
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_group import (
    GroupSendRequest,
    GroupTextsRequest,
)
from letterlock._wire.relay_lists import RegisterRequest
from support.relay_groups import append, begun, gone_on, group_log, refuses, sent, shown, text_of
from support.relay_logs import SignedLog, user_member
from support.relay_town import Resident, Town, family
from support.user_tools import LIMITED


async def hidden_from(caller: Resident, group: bytes, device: int = 1) -> None:
    """Require that a group is not there for a device."""
    request = GroupTextsRequest(group, 0, 1, 0)
    await caller.town.refuses(RelayCode.UNKNOWN, request, caller.tokens[device], number=1)


# --- order ----------------------------------------------------------------------------------------------


async def test_texts_are_stored_once_and_read_by_everybody(town: Town) -> None:
    """RLY-49: each device reads from where it left off, and nobody takes anything away."""
    log, people = await begun(town, "alice", "bob", "carol")
    texts = [text_of(log, people[at % 3]) for at in range(6)]
    for at, each in enumerate(texts):
        town.now += 1
        assert await sent(people[at % 3], each) == at + 1
    await town.restart()
    for reader in people:
        found = await shown(reader, log.id)
        assert [(one.number, one.text) for one in found] == list(enumerate(texts, 1))
        assert [one.time for one in found] == [town.now - 5 + at for at in range(6)]
        assert await shown(reader, log.id, 4) == found[4:]
        assert await shown(reader, log.id, 1, most=2) == found[1:3]
        assert await shown(reader, log.id, 6) == ()


async def test_two_groups_count_by_themselves(town: Town) -> None:
    log, (alice,) = await begun(town, "alice")
    other = group_log(alice)
    await append(alice, other.entries[0])
    for number in (1, 2):
        assert await sent(alice, text_of(log, alice)) == number
        assert await sent(alice, text_of(other, alice)) == number


async def test_a_text_whose_answer_was_lost_keeps_its_number(town: Town) -> None:
    """RLY-47: also when the log went on, its sender was removed, and the group is full."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    text = text_of(log, bob)
    for _ in range(2):
        assert await sent(bob, text) == 1
    await sent(alice, text_of(log, alice))
    await gone_on(log, alice, Action.REMOVE, MemberName.user(bob.user_id))
    await town.restart(replace(town.settings, shelf_parcels=64))
    assert await sent(bob, text) == 1
    await refuses(bob, RelayCode.UNKNOWN, text_of(log, bob), number=1)
    assert len(await shown(alice, log.id)) == 2


async def test_a_text_after_an_entry_that_is_not_the_newest_is_stale(town: Town) -> None:
    """RLY-46: the answer names the newest entry, and nothing was stored."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    old = text_of(log, bob)
    await gone_on(log, alice, Action.RENEW)
    await refuses(bob, RelayCode.STALE, old, number=2)
    await refuses(bob, RelayCode.STALE, text_of(log, bob, entry=3), number=2)
    await refuses(bob, RelayCode.STALE, text_of(log, bob, entry=1, epoch=1), number=2)
    assert await shown(bob, log.id) == ()
    assert await sent(bob, text_of(log, bob)) == 1


async def test_an_entry_of_another_process_is_seen_with_the_next_text(town: Town) -> None:
    """RLY-46: what a process remembers of a log serves for no text."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    assert await sent(bob, text_of(log, bob)) == 1
    elsewhere = Town(town.store)
    await elsewhere.restart()
    here, bob.town, alice.town = town, elsewhere, elsewhere
    await gone_on(log, alice, Action.RENEW)
    alice.town = bob.town = here
    old = text_of(log, bob, entry=1, epoch=1)
    await refuses(bob, RelayCode.STALE, old, number=2)
    alice.town = elsewhere
    await gone_on(log, alice, Action.REMOVE, MemberName.user(bob.user_id))
    await refuses(bob, RelayCode.UNKNOWN, text_of(log, bob), number=1)


async def test_of_texts_and_an_entry_at_once_none_comes_after_it(town: Town) -> None:
    """RLY-46: sixteen senders race with one who removes; whoever was too late hears that it is stale."""
    log, people = await begun(town, "alice", *(f"person {each}" for each in range(16)))
    texts = [text_of(log, each) for each in people[1:]]
    entry = log.keep(log.make(people[0], Action.RENEW))
    requests = [
        town.ask(GroupSendRequest(text), each.tokens[1]) for text, each in zip(texts, people[1:], strict=True)
    ]
    half = len(requests) // 2
    *answers, _ = await asyncio.gather(*requests[:half], *requests[half:], append(people[0], entry))
    numbers = [each.number for each in answers if hasattr(each, "number") and not hasattr(each, "code")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert [getattr(each, "code", RelayCode.STALE) for each in answers] == [RelayCode.STALE] * 16
    assert len(await shown(people[0], log.id)) == len(numbers)


async def test_of_many_texts_at_once_each_gets_a_number(town: Town) -> None:
    log, people = await begun(town, "alice", "bob", "carol")
    texts = {text_of(log, each): each for each in people for _ in range(6)}
    numbers = await asyncio.gather(*(sent(each, text) for text, each in texts.items()))
    found = {each.number: each.text for each in await shown(people[0], log.id)}
    assert [found[number] for number in numbers] == list(texts)
    assert sorted(numbers) == list(range(1, 19))


# --- who may send ---------------------------------------------------------------------------------------


async def test_nobody_sends_in_the_name_of_somebody_else(town: Town) -> None:
    """RLY-46: neither of another member, nor of another device of the same user."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    stolen = text_of(log, alice)
    await refuses(bob, RelayCode.REFUSED, stolen)
    await refuses(alice, RelayCode.REFUSED, text_of(log, alice, device=2))
    await refuses(alice, RelayCode.REFUSED, text_of(log, alice, sender=SenderName(os.urandom(32), 1)))
    assert await shown(alice, log.id) == ()
    assert await sent(alice, stolen) == 1
    await refuses(bob, RelayCode.REFUSED, stolen)


async def test_a_member_that_was_removed_sends_and_reads_nothing(town: Town) -> None:
    """RLY-46, RLY-48: from the entry on, whatever it was sent before."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    await sent(alice, text_of(log, alice))
    assert len(await shown(bob, log.id)) == 1
    await gone_on(log, alice, Action.REMOVE, MemberName.user(bob.user_id))
    await refuses(bob, RelayCode.UNKNOWN, text_of(log, bob), number=1)
    await hidden_from(bob, log.id)
    assert await sent(alice, text_of(log, alice)) == 2  # a group that is parted goes on
    await gone_on(log, alice, Action.RENEW)
    await gone_on(log, alice, Action.ADD, user_member(bob, Role.WRITER))
    assert await sent(bob, text_of(log, bob)) == 3
    assert len(await shown(bob, log.id)) == 3


async def test_whoever_may_only_read_sends_nothing(town: Town) -> None:
    """RLY-46: a reader reads, and a role holds from its entry on."""
    log, (alice, bob) = await begun(town, "alice", "bob", role=Role.READER)
    await refuses(bob, RelayCode.REFUSED, text_of(log, bob))
    assert await shown(bob, log.id) == ()
    await gone_on(log, alice, Action.ROLE, RoleChange(MemberName.user(bob.user_id), Role.WRITER))
    assert await sent(bob, text_of(log, bob)) == 1
    await gone_on(log, alice, Action.ROLE, RoleChange(MemberName.user(bob.user_id), Role.READER))
    await refuses(bob, RelayCode.REFUSED, text_of(log, bob))
    assert len(await shown(bob, log.id)) == 1


async def test_nothing_is_sent_to_a_group_that_is_spent_or_closed(town: Town) -> None:
    """RLY-46: whoever left knows the secret of the epoch until a new one begins."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    await gone_on(log, bob, Action.LEAVE)
    await refuses(alice, RelayCode.REFUSED, text_of(log, alice))
    await refuses(bob, RelayCode.UNKNOWN, text_of(log, bob), number=1)
    await gone_on(log, alice, Action.RENEW)
    await refuses(alice, RelayCode.REFUSED, text_of(log, alice, epoch=1))
    await refuses(alice, RelayCode.REFUSED, text_of(log, alice, epoch=3))
    assert await sent(alice, text_of(log, alice)) == 1
    await gone_on(log, alice, Action.CLOSE)
    await refuses(alice, RelayCode.REFUSED, text_of(log, alice))
    assert len(await shown(alice, log.id)) == 1


async def test_a_stranger_learns_nothing_of_a_group(town: Town) -> None:
    """RLY-48: a group that is not there, one of others, and a collection give one answer."""
    log, (alice,) = await begun(town, "alice")
    eve = await Resident(town, "eve").move_in()
    collection = SignedLog(alice)
    await append(alice, collection.entries[0])
    await sent(alice, text_of(log, alice))
    for group in (log.id, collection.id, os.urandom(16)):
        await hidden_from(eve, group)
        await refuses(eve, RelayCode.UNKNOWN, text_of(log, eve, group_id=group), number=1)
    await hidden_from(alice, collection.id)
    await refuses(alice, RelayCode.UNKNOWN, text_of(log, alice, group_id=collection.id), number=1)
    for request in (GroupTextsRequest(log.id, 0, 1, 0), GroupSendRequest(text_of(log, alice))):
        await town.refuses(RelayCode.UNKNOWN, request, None, number=0)


async def test_a_revoked_device_gains_nothing_by_a_copy_of_the_old_chain(town: Town) -> None:
    """RLY-48: a thief registers the lists that listed the device, under another name, and logs in there."""
    alice = await family(town).move_in()
    log = group_log(alice)
    await append(alice, log.entries[0])
    assert await sent(alice, text_of(log, alice, 2), 2) == 1
    old = tuple(each.encode() for each in alice.lists)
    alice.next(revoke=(2,))
    await alice.append()
    await town.get(DoneAnswer, RegisterRequest("alice two", old))
    thief = Resident(town, "alice")
    thief.name = "alice two"
    thief.keys = alice.keys  # type: ignore[method-assign]
    await thief.log_in(2)
    for caller in (alice, thief):
        for request in (GroupTextsRequest(log.id, 0, 1, 0), GroupSendRequest(text_of(log, alice, 2))):
            await town.refuses(RelayCode.UNKNOWN, request, caller.tokens[2], number=0)
    assert len(await shown(alice, log.id)) == 1


async def test_each_device_that_gets_messages_sends_and_reads(town: Town) -> None:
    alice = await family(town).move_in()
    log = group_log(alice)
    await append(alice, log.entries[0])
    for number, device in enumerate((1, 2, 3), 1):
        assert await sent(alice, text_of(log, alice, device), device) == number
    assert len(await shown(alice, log.id, device=3)) == 3
    assert alice.lists[-1].snapshot.device(3).device_class == LIMITED  # type: ignore[union-attr]


# --- waiting --------------------------------------------------------------------------------------------


async def test_whoever_waits_gets_the_next_text_at_once(town: Town) -> None:
    log, (alice, bob) = await begun(town, "alice", "bob")
    waiting = asyncio.ensure_future(shown(bob, log.id, wait=60))
    await asyncio.sleep(0.05)
    await sent(alice, text := text_of(log, alice))
    assert [each.text for each in await waiting] == [text]


async def test_whoever_is_removed_while_it_waits_gets_nothing(town: Town) -> None:
    """RLY-48."""
    log, (alice, bob) = await begun(town, "alice", "bob")
    waiting = asyncio.ensure_future(
        town.refuses(RelayCode.UNKNOWN, GroupTextsRequest(log.id, 0, 9, 60), bob.tokens[1], number=1)
    )
    await asyncio.sleep(0.05)
    await gone_on(log, alice, Action.REMOVE, MemberName.user(bob.user_id))
    await sent(alice, text_of(log, alice))
    await waiting


async def test_a_relay_that_drains_lets_nobody_wait(town: Town) -> None:
    log, (alice,) = await begun(town, "alice")
    waiting = asyncio.ensure_future(shown(alice, log.id, wait=60))
    await asyncio.sleep(0.05)
    town.relay.drain()
    assert await waiting == ()
    assert await shown(alice, log.id, wait=60) == ()
