"""Attacks of strangers, of people who are logged in, and of whoever recorded a request.

The page on the relay (spec/relay.md) lists all attacks, with the tests here and elsewhere that play them.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from letterlock import Address
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_calls import CALLS, Call, TokenUse
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_lists import AppendRequest, ListsRequest
from letterlock._wire.relay_login import ChallengeRequest, account_key
from letterlock._wire.relay_mail import AckRequest
from letterlock._wire.relay_place import GetRequest, OpenPlaceRequest, PutRequest, Step
from letterlock._wire.relay_prekeys import PublishRequest
from letterlock.relay._reply import Reply
from support.relay_samples import BODIES
from support.relay_town import TICKET_KEY, Resident, Town, some_id
from support.user_tools import FULL

PLACE = some_id("place")


async def neighbours(town: Town) -> tuple[Resident, Resident]:
    alice = Resident(town, "alice")
    alice.next(add=[(2, FULL)])
    return await alice.move_in(), await Resident(town, "bob").move_in()


# --- enumeration ------------------------------------------------------------------------------------------


def counted(town: Town, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what the relay asks of its store: two answers that need as much take as long."""
    count = Counter[str]()

    def watch(name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            count[name] += 1
            return await method(*arguments, **named)

        return call

    for name in ("head", "lists", "create", "append", "advance", "spend", "deliver", "claim", "stock"):
        monkeypatch.setattr(town.store, name, watch(name, getattr(town.store, name)))
    return count


@pytest.mark.parametrize("call", [each for each in CALLS if each.token is TokenUse.ALWAYS], ids=str)
@pytest.mark.parametrize("token", [None, b"", bytes(90)])
async def test_a_stranger_gets_one_answer_to_all_that_needs_a_token(
    town: Town, call: Call, token: bytes | None
) -> None:
    """RLY-7: whatever name is in it. The store is not asked."""
    await neighbours(town)
    requests = [body for body, _ in BODIES if type(body) is call.request]
    assert requests
    bodies = [each.encode().replace(b"alice", name) for each in requests for name in (b"alice", b"nobod")]
    replies = [await town.relay.handle(call, body, token, town.now) for body in (*bodies, b"", b"\xff" * 99)]
    assert set(replies) == {Reply(401, ErrorAnswer(RelayCode.UNKNOWN).encode(), None)}


async def test_a_login_asks_as_much_of_the_store_for_a_name_that_nobody_has(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RLY-7: the time of an answer would tell what its bytes do not."""
    alice, nobody = (await neighbours(town))[0], Resident(town, "nobody")
    asked, replies = list[Counter[str]](), list[Reply]()
    count = counted(town, monkeypatch)
    for name, device in ((alice, 1), (alice, 9), (nobody, 1)):
        count.clear()
        challenge = await name.challenge(device)
        login = replace(name.login(device, challenge), signature=bytes(64))
        replies.append(await town.post(login))
        asked.append(Counter(count))
    assert asked == [Counter(head=1)] * 3
    assert len(set(replies)) == 1


async def test_a_registration_without_a_ticket_asks_nothing_of_the_store(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RLY-9"""
    await neighbours(town)
    await town.restart(replace(town.settings, ticket_key=TICKET_KEY.public.data))
    count = counted(town, monkeypatch)
    replies = [
        await town.post(Resident(town, name).registration(shown))
        for name in ("alice", "nobody")
        for shown in (None, b"ticket", bytes(200))
    ]
    assert set(replies) == {Reply(403, ErrorAnswer(RelayCode.TICKET).encode(), None)}
    assert not count


async def test_challenges_for_all_names_have_one_length(town: Town) -> None:
    """RLY-7"""
    await neighbours(town)
    names = ("alice", "nobody", "x" * 255)
    found = [await town.post(ChallengeRequest(Address(each, 1))) for each in names]
    shown = {(each.status, len(each.body), each.retry_after) for each in found}
    assert shown == {(200, len(found[0].body), None)}


async def test_a_meeting_place_that_is_not_open_is_like_one_that_never_was(town: Town) -> None:
    """RLY-26"""
    alice, _ = await neighbours(town)
    assert (await town.post(OpenPlaceRequest(PLACE), alice.tokens[1])).status == 200
    town.now += 601
    for place in (PLACE, some_id("never")):
        for step in (Step.BUNDLE, Step.PACKAGE):
            await town.refuses(RelayCode.UNKNOWN, GetRequest(place, step, 0, 0), number=1)


# --- receipts as a probe ----------------------------------------------------------------------------------


async def test_a_sender_learns_nothing_of_what_becomes_of_the_message(town: Town) -> None:
    """RLY-19: not whether it was fetched or acknowledged, and not whether the device is online."""
    alice, bob = await neighbours(town)
    answers = list[Reply]()
    for step in range(3):
        answers.append(await town.post(bob.send(alice, {1: b"x"}, id_=str(step)), bob.tokens[1]))
        answers.append(await town.post(bob.send(alice, {1: b"x"}, id_="same"), bob.tokens[1]))
        if step == 0:
            await alice.fetched()
        if step == 1:
            await alice.acknowledged(*(each.id for each in await alice.fetched()))
    assert len(set(answers)) == 1


# --- requests that somebody recorded ----------------------------------------------------------------------


async def rows(town: Town) -> list[object]:
    """Return all that a replay could change."""
    found: list[object] = []
    for name in ("alice", "bob"):
        key = account_key(name)
        found += [await town.store.head(key), await town.store.lists(key, 0, 20, 10**7)]
        for device in (1, 2, 3):
            found.append(await town.store.stock(key, device))
            found.append(await town.store.fetch(key, device, 100, 10**7, frozenset()))
    return [*found, await town.store.get(PLACE, 4, 0, town.now), await town.store.get(PLACE, 1, 0, town.now)]


async def recorded(town: Town, alice: Resident, bob: Resident) -> list[tuple[RelayBody, bytes | None]]:
    """Make one call of each kind that changes something. Return them as whoever recorded them has them."""
    calls: list[tuple[RelayBody, bytes | None]] = [
        (alice.registration(), None),
        (AppendRequest(alice.next(add=[(3, FULL)]).encode()), alice.tokens[1]),
        (PublishRequest(7, alice.publication(first=700).encode()), alice.tokens[1]),
    ]
    for request, token in calls:
        assert (await town.post(request, token)).status == 200
    later: list[tuple[RelayBody, bytes | None]] = [
        (bob.claim(alice, 1), bob.tokens[1]),
        (bob.send(alice, {1: b"one", 2: b"two", 3: b"three"}), bob.tokens[1]),
        (OpenPlaceRequest(PLACE), alice.tokens[1]),
        (PutRequest(PLACE, Step.BUNDLE, 0, 1, b"bundle"), None),
        (PutRequest(PLACE, Step.PACKAGE, 0, 1, b"package"), alice.tokens[1]),
    ]
    for request, token in later:
        assert (await town.post(request, token)).status == 200
    first = (await alice.fetched())[0].id
    acknowledgement = (AckRequest((first,)), alice.tokens[1])
    assert (await town.post(*acknowledgement)).status == 200
    return [*calls, *later[:1], *later[2:], acknowledgement]


async def test_a_request_that_is_replayed_changes_nothing(town: Town) -> None:
    """RLY-4, RLY-9, RLY-11, RLY-14, RLY-16, RLY-21, RLY-24, RLY-26: by a proxy that saw it, say."""
    alice, bob = await neighbours(town)
    calls = await recorded(town, alice, bob)
    before = await rows(town)
    for request, token in (*calls, *reversed(calls)):
        assert (await town.post(request, token)).status == 200
        assert await rows(town) == before, request


async def test_a_send_that_is_replayed_is_one_message_until_it_was_acknowledged(town: Town) -> None:
    """RLY-21. After that the recipient knows it again for thirty days, and for the relay it is a new one."""
    alice, bob = await neighbours(town)
    request = bob.send(alice, {1: b"one", 2: b"two"})
    for _ in range(3):
        assert (await town.post(request, bob.tokens[1])).status == 200
        assert [each.message for each in await alice.fetched()] == [b"one"]


async def test_a_request_of_a_device_that_was_revoked_since_is_refused(town: Town) -> None:
    """RLY-8"""
    alice, bob = await neighbours(town)
    calls: list[RelayBody] = [
        ListsRequest("bob", 0), alice.claim(bob), alice.send(bob, {1: b"x"}), OpenPlaceRequest(PLACE),
        AckRequest((some_id("x"),)), PublishRequest(1, alice.publication(2).encode()),
    ]  # fmt: skip
    alice.next(revoke=(2,))
    await alice.append()
    before = await rows(town)
    for request in calls:
        await town.refuses(RelayCode.UNKNOWN, request, alice.tokens[2], number=0)
    assert await rows(town) == before


# --- rollback ---------------------------------------------------------------------------------------------


async def test_a_list_that_was_replaced_is_the_newest_for_nobody(town: Town) -> None:
    """RLY-11, RLY-20: neither in answers nor for requests, also in a process that knew the older list."""
    alice, bob = await neighbours(town)
    await bob.listed("alice")
    old_claim, old_send = bob.claim(alice, 1), bob.send(alice, {1: b"x"})
    here = town.relay
    await town.restart()
    alice.next(revoke=(2,))
    await alice.append()
    for relay in (town.relay, here):
        town.relay = relay
        assert (await bob.listed("alice")).version == 3
        await town.refuses(RelayCode.STALE, old_claim, bob.tokens[1], number=3)
        await town.refuses(RelayCode.STALE, old_send, bob.tokens[1], number=3)
    assert await alice.fetched() == ()
