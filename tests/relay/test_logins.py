"""Logins: who gets a token, what one is good for, and what strangers learn from refusals."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from letterlock import Address
from letterlock._primitives import ed25519
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_calls import CALL_OF_REQUEST
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import ListsRequest
from letterlock._wire.relay_login import AuthenticateAnswer, AuthenticateRequest, ChallengeRequest
from letterlock._wire.relay_mail import FetchRequest
from letterlock._wire.relay_prekeys import StateRequest
from letterlock.relay import _caller_signatures, open_store
from letterlock.relay._session import Session
from letterlock.relay._settings import RelaySettings
from letterlock.relay._store import Head, ListedKey
from support.pair import flipped
from support.relay_town import NAME, NOW, TICKET_KEY, Resident, Town, ticket
from support.user_tools import FULL, LIMITED

KEY: Final = bytes(range(32))


async def test_a_listed_device_gets_a_token_for_an_hour(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    assert (await alice.state()).version == 1
    town.now += 3599
    assert (await alice.state()).version == 1
    town.now += 1
    await town.refuses(RelayCode.UNKNOWN, StateRequest(), alice.tokens[1])


async def test_a_login_tells_the_greatest_counter_before_and_the_newest_version(town: Town) -> None:
    """RLY-5: so a device notices that its store was restored from a copy."""
    alice = await Resident(town, "alice").move_in()
    highest = []
    for counter in (5, 9, 2, 9):
        request = alice.login(1, await alice.challenge(1), counter=counter)
        answer = await town.get(AuthenticateAnswer, request)
        highest.append((answer.highest, answer.version, answer.seconds))
    assert highest == [(1, 1, 3600), (5, 1, 3600), (9, 1, 3600), (9, 1, 3600)]


async def test_counters_are_of_one_device(town: Town) -> None:
    alice = await Resident(town, "alice", [(1, FULL), (2, LIMITED)]).move_in(1)
    answer = await alice.log_in(2)
    assert answer.highest == 0


# --- what a signature covers ------------------------------------------------------------------------------


CHANGES: Final[dict[str, Callable[[AuthenticateRequest], AuthenticateRequest]]] = {
    "name": lambda it: replace(it, address=Address("bob", 1)),
    "device": lambda it: replace(it, address=Address("alice", 2)),
    "counter": lambda it: replace(it, counter=it.counter + 1),
    "signature": lambda it: replace(it, signature=flipped(it.signature, 40)),
    "random bytes of the challenge": lambda it: replace(it, challenge=flipped(it.challenge, 0)),
    "end of the challenge": lambda it: replace(it, challenge=flipped(it.challenge, 19)),
    "mac of the challenge": lambda it: replace(it, challenge=flipped(it.challenge, 51)),
    "a shorter challenge": lambda it: replace(it, challenge=it.challenge[:-1]),
    "a longer challenge": lambda it: replace(it, challenge=it.challenge + b"\0"),
    "a challenge of one byte": lambda it: replace(it, challenge=b"x"),
    "no signature": lambda it: replace(it, signature=bytes(64)),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_login_that_was_changed_is_refused(town: Town, change: str) -> None:
    """RLY-5: RLY-4 for what concerns the challenge."""
    alice = await Resident(town, "alice", [(1, FULL), (2, FULL)]).move_in(1)
    await Resident(town, "bob").move_in()
    request = alice.login(1, await alice.challenge(1))
    await town.refuses(RelayCode.UNKNOWN, CHANGES[change](request), number=0)
    await town.get(AuthenticateAnswer, request)


@pytest.mark.parametrize("relay", ["evil.example", "relay.example:443", "Relay.example", "", NAME + "\0"])
async def test_a_login_that_was_signed_for_another_relay_is_refused(town: Town, relay: str) -> None:
    """RLY-5: a relay in the middle passes our challenge on, and would get in with the answer."""
    alice = await Resident(town, "alice").move_in(1)
    await town.refuses(RelayCode.UNKNOWN, alice.login(1, await alice.challenge(1), relay=relay))


async def test_a_relay_may_have_several_names(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    await town.restart(RelaySettings("new.example", other_names=(NAME,)))
    for relay in (NAME, "new.example"):
        await town.get(AuthenticateAnswer, alice.login(1, await alice.challenge(1), relay=relay))


async def test_the_key_of_another_device_is_refused(town: Town) -> None:
    alice = await Resident(town, "alice", [(1, FULL), (2, FULL)]).move_in(1)
    request = alice.login(1, await alice.challenge(1), signer=2)
    await town.refuses(RelayCode.UNKNOWN, request)


async def test_a_login_is_good_once(town: Town) -> None:
    """RLY-4: whoever reads it somewhere gets no token with it."""
    alice = await Resident(town, "alice").move_in()
    request = alice.login(1, await alice.challenge(1))
    await town.get(AuthenticateAnswer, request)
    await town.refuses(RelayCode.UNKNOWN, request)
    await town.restart()
    await town.refuses(RelayCode.UNKNOWN, request)


async def test_a_login_is_good_once_although_another_clock_is_ahead(town: Town) -> None:
    """RLY-4: the other machine, by a minute at most, deletes what has ended."""
    alice = await Resident(town, "alice").move_in()
    request = alice.login(1, await alice.challenge(1))
    await town.get(AuthenticateAnswer, request)
    town.now += 299
    await town.relay.expire(town.now + 60)
    await town.refuses(RelayCode.UNKNOWN, request)
    assert (await town.relay.expire(town.now + 62)).other == 2


async def test_two_logins_at_once_with_one_challenge_get_one_token(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    request = alice.login(1, await alice.challenge(1))
    statuses = [each.status for each in await asyncio.gather(*(town.post(request) for _ in range(8)))]
    assert sorted(statuses) == [200] + [401] * 7


async def test_a_challenge_ends_after_five_minutes(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    late, early = alice.login(1, await alice.challenge(1)), alice.login(1, await alice.challenge(1))
    town.now += 299
    await town.get(AuthenticateAnswer, early)
    town.now += 1
    await town.refuses(RelayCode.UNKNOWN, late)


async def test_a_challenge_of_a_clock_that_was_ahead_is_refused(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    town.now += 10_000
    request = alice.login(1, await alice.challenge(1))
    town.now -= 10_000
    await town.refuses(RelayCode.UNKNOWN, request)


def with_two_devices(town: Town) -> Resident:
    alice = Resident(town, "alice")
    alice.next(add=[(2, FULL)])
    return alice


# --- what strangers learn ---------------------------------------------------------------------------------


async def test_names_that_exist_and_names_that_do_not_look_alike(town: Town) -> None:
    """RLY-7: a challenge for anybody; then the same refusal after the same work."""
    alice = await Resident(town, "alice").move_in()
    nobody = Resident(town, "nobody")
    answers = []
    for name, device in (("alice", 1), ("alice", 99), ("nobody", 1)):
        challenge = await town.post(ChallengeRequest(Address(name, device)))
        assert challenge.status == 200
        answers.append(len(challenge.body))
    assert len(set(answers)) == 1
    refusals = [
        await town.post(nobody.login(1, await nobody.challenge(1))),
        await town.post(alice.login(99, await alice.challenge(99), signer=1)),
        await town.post(alice.login(1, await alice.challenge(1), signer=2)),
    ]
    assert {(each.status, each.body) for each in refusals} == {(401, refusals[0].body)}


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_a_login_costs_one_verification_whether_or_not_the_device_exists(
    town: Town, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RLY-7: the time of an answer would tell what its bytes do not."""
    await Resident(town, "alice").move_in()
    someone = Resident(town, name)
    request = someone.login(1, await someone.challenge(1), signer=5)
    verified: list[bytes] = []

    def verify(key: bytes, message: bytes, signature: bytes) -> None:
        verified.append(key)
        ed25519.verify_edwards(key, message, signature)

    monkeypatch.setattr(_caller_signatures, "verify_edwards", verify)
    await town.refuses(RelayCode.UNKNOWN, request)
    assert len(verified) == 1


async def test_nobody_can_sign_for_a_device_that_is_not_listed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RLY-7: with several names, a signature that is good for the first one would be refused sooner."""
    verified: list[bytes] = []
    monkeypatch.setattr(_caller_signatures, "verify_edwards", lambda key, *_: verified.append(key))
    nobody = Resident(town, "nobody")
    for _ in range(2):
        await town.refuses(RelayCode.UNKNOWN, nobody.login(1, await nobody.challenge(1)))
        await town.restart()
    assert len(set(verified)) == 2
    base_point = bytes([0x58]) + bytes([0x66]) * 31
    assert base_point not in verified


async def test_wrong_logins_do_not_keep_a_device_out(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    for _ in range(50):
        await town.refuses(RelayCode.UNKNOWN, alice.login(1, await alice.challenge(1), signer=2))
    await alice.log_in(1)


async def test_a_device_logs_in_sixty_times_and_then_ten_times_a_minute(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    for _ in range(59):
        await alice.log_in(1)
    await town.refuses(RelayCode.SLOW_DOWN, alice.login(1, await alice.challenge(1)), number=6)
    town.now += 6
    await alice.log_in(1)


# --- tokens -----------------------------------------------------------------------------------------------


async def test_no_byte_of_a_token_can_be_changed(town: Town) -> None:
    """RLY-6"""
    alice = await Resident(town, "alice").move_in()
    token = alice.tokens[1]
    for at in range(len(token)):
        assert town.relay.session(flipped(token, at), town.now) is None
    for other in (b"", token[:-1], token + b"\0", bytes(len(token)), bytes(512), b"x"):
        assert town.relay.session(other, town.now) is None
        await town.refuses(RelayCode.UNKNOWN, StateRequest(), other)


async def test_a_token_of_another_relay_is_of_no_use(town: Town, tmp_path: Path) -> None:
    other = Town(open_store(f"sqlite:///{tmp_path}/other.db"))
    await other.store.open()
    try:
        other.draw = lambda length: KEY[:length].ljust(length, b"k")
        await other.restart()
        alice = await Resident(town, "alice").move_in()
        twin = await Resident(other, "alice").move_in()
        await town.refuses(RelayCode.UNKNOWN, StateRequest(), twin.tokens[1])
        await other.refuses(RelayCode.UNKNOWN, StateRequest(), alice.tokens[1])
    finally:
        await other.store.close()


async def test_tokens_outlive_the_process(town: Town) -> None:
    alice = await Resident(town, "alice").move_in()
    town.draw = bytes
    await town.restart()
    await alice.state()


async def test_a_call_needs_the_token_of_a_device(town: Town) -> None:
    await Resident(town, "alice").move_in()
    for request in (StateRequest(), ListsRequest("alice", 0), FetchRequest(1, 0)):
        await town.refuses(RelayCode.UNKNOWN, request, number=0)
        await town.refuses(RelayCode.UNKNOWN, request, b"token", number=0)


async def test_the_token_of_a_revoked_device_ends_at_once_in_its_process(town: Town) -> None:
    """RLY-8"""
    alice = await with_two_devices(town).move_in()
    alice.next(revoke=(2,))
    await alice.append()
    for request in (StateRequest(), ListsRequest("alice", 0), FetchRequest(1, 0)):
        await town.refuses(RelayCode.UNKNOWN, request, alice.tokens[2], number=0)
    await town.refuses(RelayCode.UNKNOWN, alice.login(2, await alice.challenge(2)))


async def test_the_token_of_a_revoked_device_ends_within_five_seconds_in_others(town: Town) -> None:
    """RLY-8: another process has read the list a moment ago."""
    alice = await with_two_devices(town).move_in()
    here = town.relay
    await alice.listed("alice", device=2)
    await town.restart()
    alice.next(revoke=(2,))
    await alice.append()
    town.relay = here
    town.now += 5
    await town.refuses(RelayCode.UNKNOWN, ListsRequest("alice", 0), alice.tokens[2])
    await alice.state()


def test_a_device_that_was_added_again_under_its_number_is_another_one() -> None:
    """RLY-6: a list forgets the earliest of its revoked devices, whose numbers may then come back."""
    head = Head(3, bytes(32), bytes(32), (ListedKey(1, bytes(32), bytes(32), 1, 1),))
    session = Session(bytes(16), 1, NOW, "alice", 1, bytes(8))
    assert session.listed(head) == head.devices[0]
    assert replace(session, added=2).listed(head) is None
    assert replace(session, device=2).listed(head) is None
    assert replace(session, user=b"x" * 8).listed(head) is None
    assert session.listed(None) is None


async def test_a_token_of_an_earlier_user_of_the_name_is_of_no_use(town: Town) -> None:
    """RLY-6: the new user may have a device of the same number, added in the same version."""
    before = await Resident(town, "alice").move_in()
    await town.restart(replace(town.settings, ticket_key=TICKET_KEY.public.data))
    after = Resident(town, "alice", [(1, FULL), (3, FULL)])
    await town.get(DoneAnswer, after.registration(ticket("alice", may_replace=True)))
    await after.log_in(1)
    await town.refuses(RelayCode.UNKNOWN, StateRequest(), before.tokens[1])
    await after.state()


async def test_a_session_ends_with_its_token(town: Town) -> None:
    """RLY-6. A body may come so slowly that the token in its head has ended."""
    alice = await Resident(town, "alice").move_in()
    session = town.relay.session(alice.tokens[1], town.now)
    assert session is not None
    call, body = CALL_OF_REQUEST[StateRequest], StateRequest().encode()
    assert (await town.relay.handle(call, body, session, session.until - 1)).status == 200
    assert (await town.relay.handle(call, body, session, session.until)).status == 401
