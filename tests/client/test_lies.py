"""A relay that lies, loses, repeats and stumbles: nothing false is believed, and nothing true is lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock._wire.relay_calls import CALL_OF_PATH
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import ListsAnswer
from letterlock._wire.relay_login import AuthenticateAnswer
from letterlock._wire.relay_mail import Delivery, FetchAnswer
from letterlock._wire.relay_prekeys import ClaimAnswer
from letterlock.client import (
    Client,
    NameTaken,
    RelayEventKind,
    RelayMisbehaves,
    RelayUnavailable,
    TicketRefused,
    UnknownUser,
)
from letterlock.client._transport import Reply
from letterlock.errors import PlaintextTooLong, UsageError
from letterlock.stores import MemoryStore
from letterlock.user import ContactFrozen, ContactState, EventKind
from support.client_town import RELAY, Asked, Town, bodies, happens, play, refusal, until

UP = RelayEventKind.UP


def answers(
    name: str, lie: Callable[[Any, Asked], Any], times: int = 2**30
) -> Callable[[Asked, Reply], Reply]:
    """Return a change of the answers to one call, so many times."""
    left = [times]

    def change(asked: Asked, reply: Reply) -> Reply:
        if asked.name != name or reply.status != 200 or not left[0]:
            return reply
        told = lie(CALL_OF_PATH[f"/v1/{name}"].answer.decode(reply.body), asked)
        if told is None:
            return reply
        left[0] -= 1
        return Reply(200, told if isinstance(told, bytes) else told.encode())

    return change


# --- answers that are lost --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["send", "ack", "fetch", "lists", "claim", "publish", "authenticate"])
def test_an_answer_that_is_lost_loses_and_doubles_nothing(tmp_path: Path, name: str) -> None:
    """CLN-1, CLN-2, CLN-4: the relay has done it, and the client does not know."""
    lost = [0]

    def lose(asked: Asked, reply: Reply) -> Reply:
        if asked.name == name and lost[0] < 3:
            lost[0] += 1
            raise RelayUnavailable("the answer was lost")
        return reply

    async def story(town: Town) -> None:
        town.changes.append(lose)
        alice, bob = await town.client("alice"), await town.client("bob")
        for number in range(5):
            await alice.send("bob", b"%d" % number)
        assert await bodies(bob, 5) == [b"%d" % each for each in range(5)]
        await bob.send("alice", b"end")
        assert await bodies(alice, 1) == [b"end"]
        while lost[0] < 3:  # acknowledgements travel together: five messages may need two of them
            await alice.send("bob", b"more")
            assert await bodies(bob, 1) == [b"more"]

    play(tmp_path, story)


def test_messages_that_are_repeated_and_reordered_are_read_once(tmp_path: Path) -> None:
    """CLN-2"""
    seen: list[Delivery] = []

    def again(answer: FetchAnswer, asked: Asked) -> FetchAnswer | None:
        if asked.client != "bob" or not answer.deliveries:
            return None
        seen.extend(answer.deliveries)
        both = {each.id: each for each in (*reversed(answer.deliveries), *seen)}
        return FetchAnswer(answer.stock, tuple(both.values())[:100])

    async def story(town: Town) -> None:
        town.sockets = False
        alice, bob = await town.client("alice"), await town.client("bob")
        await alice.meet("bob")
        town.changes.append(answers("fetch", again))
        for number in range(8):
            await alice.send("bob", b"%d" % number)
        assert sorted(await bodies(bob, 8)) == [b"%d" % each for each in range(8)]
        await alice.send("bob", b"end")
        assert await bodies(bob, 1) == [b"end"]

    play(tmp_path, story)


# --- answers that mean nothing ------------------------------------------------------------------------------


GARBAGE = {
    "nothing": Reply(200, b""),
    "no CBOR": Reply(200, b"<html>"),
    "another version": Reply(200, b"\x82\x02\x00"),
    "too long": Reply(200, bytes(5 * 1024 * 1024)),
    "a fault": Reply(500, b"Internal Server Error"),
    "a gateway": Reply(502, b"<html>", 1),
    "too slow": Reply(408, refusal(RelayCode.MALFORMED).body),
    "a page": Reply(404, b"<html>"),
    "a reason of another status": Reply(400, refusal(RelayCode.STALE, 1).body),
    "unavailable": refusal(RelayCode.UNAVAILABLE, 1),
    "slow down": refusal(RelayCode.SLOW_DOWN, 1),
    "malformed": refusal(RelayCode.MALFORMED),
}
CALLS = ["challenge", "authenticate", "lists", "claim", "publish", "fetch"]


@pytest.mark.parametrize("kind", GARBAGE)
def test_an_answer_that_means_nothing_ends_nothing(tmp_path: Path, kind: str) -> None:
    told = dict.fromkeys(CALLS, 0)

    def garble(asked: Asked) -> Reply | None:
        if told.get(asked.name, 9) < 1:
            told[asked.name] += 1
            return GARBAGE[kind]
        return None

    async def story(town: Town) -> None:
        town.rules.append(garble)
        alice, bob = await town.client("alice"), await town.client("bob")
        while True:
            try:
                await alice.send("bob", b"hello")
                break
            except RelayMisbehaves:
                pass
        assert await bodies(bob, 1) == [b"hello"]
        assert set(told.values()) == {1}

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(RelayCode.TAKEN), NameTaken),
        (refusal(RelayCode.TICKET), TicketRefused),
        (refusal(RelayCode.SLOW_DOWN, 5), RelayUnavailable),
        (refusal(RelayCode.UNAVAILABLE, 5), RelayUnavailable),
        (refusal(RelayCode.REFUSED), RelayMisbehaves),
        (Reply(200, b"yes"), RelayMisbehaves),
        (Reply(301, b""), RelayMisbehaves),
        (Reply(503, b"busy", 9), RelayUnavailable),
    ],
)
def test_a_registration_that_fails_says_why(tmp_path: Path, reply: Reply, error: type[Exception]) -> None:
    async def story(town: Town) -> None:
        town.rules.append(lambda asked: reply if asked.name == "register" else None)
        path, key = tmp_path / "alice.db", bytes(32)
        kind = town.kind("alice")
        with pytest.raises(error):
            await kind.create(path, key=key, name="alice", relay=RELAY)
        assert path.exists() != issubclass(error, UsageError)  # nobody will ever know this user
        town.rules.clear()
        async with await kind.create(path, key=key, name="alice", relay=RELAY) as alice:
            assert alice.name == "alice"

    play(tmp_path, story)


# --- lies about people and devices --------------------------------------------------------------------------


async def met(town: Town) -> tuple[Client, Client]:
    """Return Alice and Bob, who have talked."""
    alice, bob = await town.client("alice"), await town.client("bob")
    await alice.send("bob", b"first")
    assert await bodies(bob, 1) == [b"first"]
    return alice, bob


def test_a_foreign_bundle_gets_nothing(tmp_path: Path) -> None:
    """CLN-5: a relay that hands out a bundle of its own reads nothing."""
    kept: list[bytes | None] = []

    def foreign(answer: ClaimAnswer, asked: Asked) -> ClaimAnswer | None:
        if asked.request.name == "eve":
            kept.extend(each for each in answer.bundles if each)
            return None
        return ClaimAnswer((kept[0],)) if asked.request.name == "bob" else None

    async def story(town: Town) -> None:
        town.changes.append(answers("claim", foreign))
        alice, bob, eve = await town.client("alice"), await town.client("bob"), await town.client("eve")
        await alice.send("eve", b"for eve")
        assert await bodies(eve, 1) == [b"for eve"]
        sends = town.calls["send"]
        await alice.send("bob", b"for bob only")
        await happens(alice, RelayEventKind.MISBEHAVES)
        assert town.calls["send"] <= sends + 1  # a receipt perhaps
        town.changes.clear()
        assert await bodies(bob, 1) == [b"for bob only"]

    play(tmp_path, story)


def test_lists_of_somebody_else_are_evidence(tmp_path: Path) -> None:
    """CLN-5, USR-16: another user under a known name freezes the contact, with evidence."""

    async def story(town: Town) -> None:
        alice, bob = await met(town)
        eve = await town.client("eve")
        chain = await alice.run(lambda: [each.encode() for each in eve._office.queue.user.device_lists()])

        def other(asked: Asked) -> Reply | None:
            if asked.name == "lists" and asked.client == "alice" and asked.request.name == "bob":
                lists = tuple(chain[asked.request.after :])
                return Reply(200, ListsAnswer(max(1, asked.request.after), lists).encode())
            return refusal(RelayCode.STALE, 1) if asked.name == "send" and asked.client == "alice" else None

        town.rules.append(other)
        await alice.send("bob", b"later")
        await happens(alice, EventKind.CONFLICT)
        assert (await alice.contact("bob")).state is ContactState.CONFLICTING
        evidence = await alice.evidence("bob")
        assert evidence is not None
        with pytest.raises(ContactFrozen):
            await alice.send("bob", b"now")
        town.rules.clear()
        await alice.keep("bob")
        assert await bodies(bob, 1) == [b"later"]

    play(tmp_path, story)


@pytest.mark.parametrize(
    "lie",
    [
        lambda answer, _: ListsAnswer(answer.version + 1, answer.lists),
        lambda answer, _: ListsAnswer(answer.version, ()),
        lambda answer, _: ListsAnswer(answer.version, tuple(each[:-1] + b"x" for each in answer.lists)),
        lambda answer, _: ListsAnswer(answer.version, tuple(b"x" for _ in answer.lists)),
        lambda answer, _: ListsAnswer(answer.version, answer.lists * 2),
    ],
)
def test_lists_that_are_wrong_are_not_learned(tmp_path: Path, lie: Callable[[Any, Asked], Any]) -> None:
    """CLN-5"""

    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        town.changes.append(
            answers("lists", lambda a, asked: lie(a, asked) if asked.request.name == "bob" else None)
        )
        with pytest.raises(RelayMisbehaves):
            await alice.meet("bob")
        assert await alice.contacts() == []
        town.changes.clear()
        await alice.send("bob", b"hello")
        assert await bodies(bob, 1) == [b"hello"]

    play(tmp_path, story)


def test_a_counter_that_no_store_reaches_is_not_taken(tmp_path: Path) -> None:
    """CLN-3: the store could else count no further, for good."""

    def most(answer: AuthenticateAnswer, _: Asked) -> AuthenticateAnswer:
        return AuthenticateAnswer(answer.token, answer.seconds, 2**63 - 2, answer.version)

    async def story(town: Town) -> None:
        town.changes.append(answers("authenticate", most, 2))
        alice, bob = await town.client("alice"), await town.client("bob")
        await happens(alice, RelayEventKind.MISBEHAVES)
        await alice.send("bob", b"hello")
        assert await bodies(bob, 1) == [b"hello"]

    play(tmp_path, story)


def test_a_sender_that_is_made_up_is_held_and_not_read(tmp_path: Path) -> None:
    """USR-30: a name that the relay puts on a message says nothing."""

    def rename(answer: FetchAnswer, asked: Asked) -> FetchAnswer | None:
        if asked.client != "bob" or not answer.deliveries:
            return None
        named = tuple(Delivery(e.id, e.time, eve_address[0], e.message) for e in answer.deliveries)
        return FetchAnswer(answer.stock, named)

    eve_address: list[Any] = []

    async def story(town: Town) -> None:
        alice, bob = await met(town)
        eve = await town.client("eve")
        eve_address.append(eve.address)
        town.changes.append(answers("fetch", rename, 1))
        await alice.send("bob", b"from alice")
        await until(lambda: len(town.changes) > 0 and town.calls["ack"] > 1)
        town.changes.clear()
        await alice.send("bob", b"from alice again")
        assert await bodies(bob, 1) == [b"from alice again"]

    play(tmp_path, story)


# --- refusals -----------------------------------------------------------------------------------------------


def test_a_name_that_nobody_has_is_told_at_once(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice = await town.client("alice")
        await happens(alice, UP)
        with pytest.raises(UnknownUser):
            await alice.send("nobody", b"hello")
        with pytest.raises(UnknownUser):
            await alice.meet("nobody")
        town.is_down = True
        await happens(alice, RelayEventKind.DOWN)
        id_ = await alice.send("nobody", b"who knows")
        delivery = await alice.delivery(id_)
        assert delivery is not None
        assert (delivery.name, delivery.devices) == ("nobody", ())
        town.is_down = False
        await happens(alice, RelayEventKind.UNKNOWN_USER)

    play(tmp_path, story)


def test_a_full_mailbox_stops_one_device_only(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await met(town)
        laptop = await town.second(bob, "laptop")
        await alice.send("bob", b"to both")
        assert await bodies(bob, 1) == [b"to both"]
        assert await bodies(laptop, 1) == [b"to both"]

        def full(asked: Asked) -> Reply | None:
            if asked.name != "send" or asked.client != "alice" or asked.request.name != "bob":
                return None
            return refusal(RelayCode.FULL, 1) if 1 in dict(asked.request.messages) else None

        town.rules.append(full)
        await alice.send("bob", b"to the laptop first")
        assert await bodies(laptop, 1) == [b"to the laptop first"]
        (event,) = [e for e in await happens(alice, RelayEventKind.MAILBOX_FULL) if e.device == 1]
        assert event.name == "bob"
        town.rules.clear()
        town.began -= 60  # the message for the full mailbox is tried again after ten minutes
        assert await bodies(bob, 1) == [b"to the laptop first"]

    play(tmp_path, story)


def test_a_new_device_of_the_contact_is_learned_from_a_stale_send(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await met(town)
        laptop = await town.second(bob, "laptop")
        await alice.send("bob", b"for the old list")
        await alice.send("bob", b"and one more")
        assert await bodies(bob, 2) == [b"for the old list", b"and one more"]
        assert sorted(await bodies(laptop, 2)) == [b"and one more", b"for the old list"]
        await happens(alice, EventKind.DEVICES_CHANGED)

    play(tmp_path, story)


def test_what_is_too_long_is_refused_before_it_is_kept(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await met(town)
        with pytest.raises(PlaintextTooLong):
            await alice.send("bob", bytes(640 * 1024 + 1))
        with pytest.raises(PlaintextTooLong):
            await alice.send("nobody", bytes(640 * 1024 + 1))
        await alice.send("bob", bytes(640 * 1024))
        assert await bodies(bob, 1) == [bytes(640 * 1024)]

    play(tmp_path, story)


def test_a_relay_that_does_not_know_us_any_more_is_told(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        town.rules.append(lambda asked: refusal(RelayCode.UNKNOWN) if asked.name == "authenticate" else None)
        store = MemoryStore()
        made = await town.kind("alice").create(store, name="alice", relay=RELAY)
        async with made as alice:
            await happens(alice, RelayEventKind.NOT_ADMITTED)
            town.rules.clear()
            bob = await town.client("bob")
            await alice.send("bob", b"hello")
            assert await bodies(bob, 1) == [b"hello"]

    play(tmp_path, story)
