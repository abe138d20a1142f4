"""Newer lists for a device that gets no token. [RLY-45]"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from letterlock import Address
from letterlock._primitives import ed25519
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.device_list import DeviceList
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import ListsAnswer
from letterlock._wire.relay_login import login_input
from letterlock._wire.relay_newer import NewerRequest, newer_input
from letterlock._wire.relay_prekeys import StateRequest
from letterlock.relay import _caller_signatures, _newer
from support.pair import flipped
from support.relay_town import NAME, TICKET_KEY, Resident, Town, ticket
from support.user_tools import FULL


async def with_revoked(town: Town) -> Resident:
    """Return somebody whose device 2 is in versions 2 and 3, and in no later one; version 5 is the newest."""
    alice = await Resident(town, "alice").move_in()
    changes: list[dict[str, Any]] = [
        {"add": [(2, FULL)]}, {"add": [(3, FULL)]}, {"revoke": (2,)}, {"revoke": (3,)}
    ]  # fmt: skip
    for each in changes:
        alice.next(**each)
        await alice.append()
    return alice


async def newer(
    who: Resident, device: int, after: int, *, signer: int | None = None, relay: str = NAME
) -> NewerRequest:
    """Return a signed request."""
    challenge, address = await who.challenge(device), Address(who.name, device)
    seed = who.keys(signer or device).signing.seed.expose()
    signed = newer_input(relay, address, challenge, after)
    return NewerRequest(address, challenge, after, Ed25519KeyPair(Ed25519Seed(seed[32:])).sign(signed))


def shown(alice: Resident, *versions: int) -> tuple[bytes, ...]:
    return tuple(alice.lists[each - 1].encode() for each in versions)


async def test_a_revoked_device_gets_the_lists_up_to_its_revocation(town: Town) -> None:
    """It learns nothing of the time after that."""
    alice = await with_revoked(town)
    for after, versions in ((2, (3, 4)), (3, (4,))):
        answer = await town.get(ListsAnswer, await newer(alice, 2, after))
        assert answer == ListsAnswer(4, shown(alice, *versions))


async def test_a_long_chain_comes_in_parts(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_newer, "MAX_CHAIN_LISTS", 1)
    alice = await with_revoked(town)
    assert await town.get(ListsAnswer, await newer(alice, 2, 2)) == ListsAnswer(5, shown(alice, 3))
    assert await town.get(ListsAnswer, await newer(alice, 2, 3)) == ListsAnswer(4, shown(alice, 4))


async def test_a_listed_device_gets_what_is_newer(town: Town) -> None:
    alice = await with_revoked(town)
    assert await town.get(ListsAnswer, await newer(alice, 1, 3)) == ListsAnswer(5, shown(alice, 4, 5))
    assert await town.get(ListsAnswer, await newer(alice, 1, 5)) == ListsAnswer(5, ())


async def test_it_is_no_login(town: Town) -> None:
    """A revoked device gets lists, and nothing else."""
    alice = await with_revoked(town)
    await town.get(ListsAnswer, await newer(alice, 2, 3))
    await town.refuses(RelayCode.UNKNOWN, alice.login(2, await alice.challenge(2)), number=0)
    await town.refuses(RelayCode.UNKNOWN, StateRequest(), number=0)


@pytest.mark.parametrize("after", [1, 4, 5, 6, 2**32 - 1])
async def test_a_version_that_does_not_list_the_device_is_refused(town: Town, after: int) -> None:
    """RLY-45: the key is taken from that version."""
    alice = await with_revoked(town)
    await town.refuses(RelayCode.UNKNOWN, await newer(alice, 2, after), number=0)


CHANGES: Final[dict[str, Callable[[NewerRequest], NewerRequest]]] = {
    "name": lambda it: replace(it, address=Address("bob", 2)),
    "device": lambda it: replace(it, address=Address("alice", 1)),
    "version": lambda it: replace(it, after=it.after - 1),
    "signature": lambda it: replace(it, signature=flipped(it.signature, 40)),
    "challenge": lambda it: replace(it, challenge=flipped(it.challenge, 0)),
    "a shorter challenge": lambda it: replace(it, challenge=it.challenge[:-1]),
    "no signature": lambda it: replace(it, signature=bytes(64)),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_request_that_was_changed_is_refused(town: Town, change: str) -> None:
    alice = await with_revoked(town)
    await Resident(town, "bob").move_in()
    request = await newer(alice, 2, 3)
    await town.refuses(RelayCode.UNKNOWN, CHANGES[change](request), number=0)
    await town.get(ListsAnswer, request)


async def test_other_signatures_of_the_device_are_refused(town: Town) -> None:
    """RLY-45: for another relay, of another device, of a login, and a login of this."""
    alice = await with_revoked(town)
    await town.refuses(RelayCode.UNKNOWN, await newer(alice, 2, 3, relay="evil.example"))
    await town.refuses(RelayCode.UNKNOWN, await newer(alice, 2, 3, signer=1))
    request = await newer(alice, 1, 3)
    seed = Ed25519KeyPair(Ed25519Seed(alice.keys(1).signing.seed.expose()[32:]))
    signed = login_input(NAME, request.address, request.challenge, request.after)
    await town.refuses(RelayCode.UNKNOWN, replace(request, signature=seed.sign(signed)))
    login = alice.login(1, request.challenge, counter=request.after)
    await town.refuses(RelayCode.UNKNOWN, replace(login, signature=request.signature))


async def test_a_request_is_good_once_and_for_five_minutes(town: Town) -> None:
    """RLY-4"""
    alice = await with_revoked(town)
    request, late = await newer(alice, 2, 3), await newer(alice, 2, 3)
    await town.get(ListsAnswer, request)
    await town.refuses(RelayCode.UNKNOWN, request)
    await town.restart()
    await town.refuses(RelayCode.UNKNOWN, request)
    town.now += 300
    await town.refuses(RelayCode.UNKNOWN, late)


async def test_two_at_once_with_one_challenge_get_one_answer(town: Town) -> None:
    alice = await with_revoked(town)
    request = await newer(alice, 2, 3)
    statuses = [each.status for each in await asyncio.gather(*(town.post(request) for _ in range(6)))]
    assert sorted(statuses) == [200] + [401] * 5


async def test_it_is_counted_with_logins(town: Town) -> None:
    alice = await with_revoked(town)
    for _ in range(60):
        await town.get(ListsAnswer, await newer(alice, 2, 3))
    await town.refuses(RelayCode.SLOW_DOWN, await newer(alice, 2, 3), number=6)


async def test_nobody_learns_of_another_user_who_has_the_name_now(town: Town) -> None:
    before = await with_revoked(town)
    await town.restart(replace(town.settings, ticket_key=TICKET_KEY.public.data))
    after = Resident(town, "alice", [(4, FULL)])
    after.next(4, add=[(2, FULL)])
    await town.get(DoneAnswer, after.registration(ticket("alice", may_replace=True)))
    changed = Resident(town, "thief", [(2, FULL)])
    changed.name = before.name
    for version in (1, 2):
        await town.refuses(RelayCode.UNKNOWN, await newer(changed, 2, version, signer=7), number=0)


# --- what strangers learn ---------------------------------------------------------------------------------


async def test_a_stranger_gets_one_answer_after_the_same_work(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RLY-7: whether or not the name, the version or the device exists."""
    alice, nobody = await with_revoked(town), Resident(town, "nobody")
    asked, replies = list[Counter[str]](), list[object]()
    count = Counter[str]()

    def watch(name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any) -> Any:
            count[name] += 1
            return await method(*arguments)

        return call

    def verify(key: bytes, message: bytes, signature: bytes) -> None:
        count["verify"] += 1
        ed25519.verify_edwards(key, message, signature)

    for name in ("head", "lists", "advance", "spend"):
        monkeypatch.setattr(town.store, name, watch(name, getattr(town.store, name)))
    monkeypatch.setattr(_caller_signatures, "verify_edwards", verify)
    for who, device, after in ((alice, 2, 3), (alice, 2, 5), (alice, 2, 99), (alice, 9, 3), (nobody, 1, 1)):
        count.clear()
        request = await newer(who, device, after, signer=8)
        replies.append(await town.post(request))
        asked.append(Counter(count))
    assert asked == [Counter(lists=1, verify=1)] * 5
    assert len(set(replies)) == 1


def test_another_list_is_read_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """RLY-7: reading one takes longer than a signature."""
    read = list[int]()
    decode = DeviceList.decode

    def watch(data: bytes) -> Any:
        read.append(len(data))
        return decode(data)

    monkeypatch.setattr(DeviceList, "decode", watch)
    assert _newer._key_in([], 1) is None
    assert max(read) > 10_000
