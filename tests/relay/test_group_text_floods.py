"""What must not enter a group at the relay, and floods: sizes, shares of members, rates, and ages.

RLY-46 to 50. Not here: order, and who may send (test_group_texts.py).
"""

import asyncio
import os
from dataclasses import replace

import pytest

from letterlock._wire.collection_member import MemberName, Role
from letterlock._wire.group_text import GroupText
from letterlock._wire.relay_calls import CALL_OF_REQUEST
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_group import (
    GroupSendRequest,
    GroupTextsAnswer,
    GroupTextsRequest,
    log_key,
    texts_key,
)
from letterlock._wire.relay_limits import MAX_RELAYED_MESSAGE
from letterlock.limits import DAY
from letterlock.relay._settings import RelaySettings
from support.pair import flipped
from support.relay_groups import append, begun, group_log, refuses, sent, shown, text_of
from support.relay_logs import user_member
from support.relay_town import NAME, Resident, Town

# --- what must not enter, and floods --------------------------------------------------------------------


async def test_what_is_no_text_is_refused(town: Town) -> None:
    log, (alice,) = await begun(town, "alice")
    good = text_of(log, alice)
    for junk in (b"\0", os.urandom(200), good[:-1], good + b"\0", log.encoded[0], b"\x8b" + good[1:]):
        await refuses(alice, RelayCode.REFUSED, junk)
    assert await shown(alice, log.id) == ()
    call = CALL_OF_REQUEST[GroupSendRequest]
    reply = await town.relay.handle(call, bytes(call.size + 1), alice.tokens[1], town.now)
    assert reply.status == RelayCode.TOO_LARGE.status


async def test_no_byte_of_a_header_can_be_changed_unnoticed(town: Town) -> None:
    """Whatever is changed is refused, or is another text of the same sender, which no member opens."""
    log, (alice,) = await begun(town, "alice")
    good = text_of(log, alice)
    header = GroupText.decode(good).header
    stored = 0
    for at in range(len(header)):
        town.now += 1
        answer = await town.ask(GroupSendRequest(flipped(good, at)), alice.tokens[1])
        stored += not hasattr(answer, "code")
    assert stored <= 2  # the number in the chain is the sender's affair


async def test_a_text_of_the_largest_size_is_kept(town: Town) -> None:
    log, (alice,) = await begun(town, "alice")
    rest = len(text_of(log, alice, size=70_000)) - 70_000
    largest = text_of(log, alice, size=MAX_RELAYED_MESSAGE - rest)
    assert len(largest) == MAX_RELAYED_MESSAGE
    await sent(alice, largest)
    assert [each.text for each in await shown(alice, log.id)] == [largest]


async def test_answers_are_bounded_and_go_on(town: Town) -> None:
    log, (alice,) = await begun(town, "alice")
    texts = [text_of(log, alice, size=700_000) for _ in range(8)]
    for each in texts:
        await sent(alice, each)
    first = await shown(alice, log.id)
    assert len(first) == 5
    assert [each.text for each in (*first, *await shown(alice, log.id, 5))] == texts


async def test_one_member_fills_a_part_of_a_group_only(town: Town) -> None:
    """RLY-50: and the one who floods is told."""
    await town.restart(RelaySettings(NAME, shelf_parcels=64))
    log, (alice, bob) = await begun(town, "alice", "bob")
    for _ in range(16):
        await sent(bob, text_of(log, bob))
    await refuses(bob, RelayCode.FULL, text_of(log, bob), number=0)
    assert await sent(alice, text_of(log, alice)) == 17
    town.now += 31 * DAY
    while (await town.relay.expire(town.now)).more:
        pass
    await bob.log_in(1)
    assert await sent(bob, text_of(log, bob)) == 18


async def test_the_bytes_of_a_member_are_bounded_too(town: Town) -> None:
    """RLY-50."""
    await town.restart(RelaySettings(NAME, shelf_bytes=16 * 1024 * 1024))
    log, (alice, bob) = await begun(town, "alice", "bob")
    for _ in range(5):
        await sent(bob, text_of(log, bob, size=700_000))
    await refuses(bob, RelayCode.FULL, text_of(log, bob, size=700_000), number=0)
    assert await sent(alice, text_of(log, alice, size=700_000)) == 6


async def test_one_device_is_slowed_down_in_one_group(town: Town) -> None:
    log, (alice, bob) = await begun(town, "alice", "bob")
    for _ in range(60):
        await sent(bob, text_of(log, bob))
    await refuses(bob, RelayCode.SLOW_DOWN, text_of(log, bob))
    await sent(alice, text_of(log, alice))
    other = group_log(bob)
    await append(bob, other.entries[0])
    await sent(bob, text_of(other, bob))
    town.now += 1
    await sent(bob, text_of(log, bob))


async def test_texts_end_after_thirty_days_and_numbers_go_on(town: Town) -> None:
    """RLY-27, RLY-49."""
    log, (alice,) = await begun(town, "alice")
    await sent(alice, text_of(log, alice))
    town.now += 20 * DAY
    await alice.log_in(1)
    await sent(alice, text_of(log, alice))
    town.now += 11 * DAY
    await alice.log_in(1)
    await town.relay.expire(town.now)
    request = GroupTextsRequest(log.id, 0, 9, 0)
    answer = await town.get(GroupTextsAnswer, request, alice.tokens[1])
    assert (answer.newest, [each.number for each in answer.texts]) == (2, [2])
    assert await sent(alice, text_of(log, alice)) == 3


async def test_a_group_of_a_thousand_is_read_once_for_many_calls(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record has a hundred kilobytes, and each text would cost as much."""
    alice = await Resident(town, "alice").move_in()
    crowd = [
        replace(user_member(alice, Role.WRITER), name=MemberName.user(os.urandom(32))) for _ in range(999)
    ]
    log = group_log(alice, *crowd)
    await append(alice, log.entries[0])
    read = 0
    log_head = town.store.log_head

    async def counted(key: bytes) -> object:
        nonlocal read
        read += 1
        return await log_head(key)

    monkeypatch.setattr(type(town.store), "log_head", lambda _, key: counted(key))
    for _ in range(5):
        await sent(alice, text_of(log, alice))
    await asyncio.gather(*(shown(alice, log.id) for _ in range(20)))
    assert read == 1


def test_texts_stand_beside_their_log_in_a_database() -> None:
    group = os.urandom(16)
    assert texts_key(group)[:8] == log_key(group)[:8]
    assert texts_key(group)[8:] != log_key(group)[8:]
    assert texts_key(bytes(16)).hex() == "e258ceedb42c202481034e0fb83c1e06"
