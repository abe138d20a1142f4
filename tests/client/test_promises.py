"""What a client promises about pauses and repeats: chance spreads them, a relay asks for them, 30 days."""

from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_mail import AckRequest, Delivery, FetchAnswer
from letterlock.client import Client, RelayEventKind, RelayUnavailable
from letterlock.client._connection import decoded
from letterlock.client._pace import Backoff, Pace
from letterlock.client._transport import MAX_SECONDS, Reply
from letterlock.errors import StoreError
from letterlock.limits import DAY
from support.client_town import Asked, Town, bodies, happens, play, refusal, until


def test_pauses_double_up_to_a_minute_and_chance_spreads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace()
    drawn = [pace.backoff(3) for _ in range(100)]
    assert all(0 <= each <= 4 for each in drawn)
    assert len(set(drawn)) > 90
    monkeypatch.setattr(SystemRandom, "random", lambda _: 1.0)
    assert [pace.backoff(each) for each in range(1, 10)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert pace.backoff(10**6) == 60
    assert pace.backoff(1, 7) == 8
    monkeypatch.setattr(SystemRandom, "random", lambda _: 0.0)
    assert [pace.backoff(each, 7) for each in (1, 5, 50)] == [7, 7, 7]


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (Reply(429, b"slow down", 7), 7),
        (Reply(429, b""), 0),
        (Reply(503, b"<html>", 7), 7),
        (Reply(507, b"full", 2), 2),
        (Reply(429, b"", 10**9), MAX_SECONDS),
        (refusal(RelayCode.UNAVAILABLE, 9, 3), 9),
        (refusal(RelayCode.UNAVAILABLE, 3, 9), 9),
    ],
)
def test_what_stands_before_a_relay_may_ask_for_a_pause(reply: Reply, seconds: int) -> None:
    """CLN-8"""
    with pytest.raises(RelayUnavailable) as raised:
        decoded("ack", reply, DoneAnswer)
    assert raised.value.seconds == seconds


def test_a_task_waits_for_as_long_as_it_was_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = list[tuple[int, float]]()
    errors: list[Exception] = [
        RelayUnavailable("busy", 7), RelayUnavailable("busy"), StoreError("the end"),
    ]  # fmt: skip

    async def wait(backoff: Backoff, least: float = 0.0) -> None:
        backoff.failures += 1
        waits.append((backoff.failures, least))

    async def step() -> None:
        raise errors.pop(0)

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        monkeypatch.setattr(Backoff, "wait", wait)
        with pytest.raises(StoreError):
            await alice._office.forever(step)
        asked = {(1, 7.0), (2, 0.0)}
        assert [each for each in waits if each in asked] == [(1, 7.0), (2, 0.0)]

    play(tmp_path, story)


def test_a_message_waits_for_as_long_as_the_relay_says(tmp_path: Path) -> None:
    """CLN-8: the pause is kept in the store, and ends by the clock."""

    def slow(asked: Asked) -> Reply | None:
        is_it = asked.name == "send" and asked.client == "alice"
        return refusal(RelayCode.SLOW_DOWN, 1000) if is_it else None

    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        await alice.meet("bob")
        town.rules.append(slow)
        await alice.send("bob", b"hello")
        await happens(alice, RelayEventKind.SLOWED)
        due: Any = alice._office.queue.posts.next_due
        await until(lambda: town.calls["send"] > 0)
        assert 800 < await alice.run(due) <= 1000
        town.rules.clear()
        town.now += 1000
        alice._office.wake_all()
        assert await bodies(bob, 1) == [b"hello"]

    play(tmp_path, story)


def pass_days(town: Town, days: int, *clients: Client) -> None:
    town.now += days * DAY
    for client in clients:
        client._office.connection._since -= DAY  # its own clock does not run ahead
        client._office.connection._ends -= DAY


def test_what_comes_again_after_29_days_is_not_given_again(tmp_path: Path) -> None:
    """CLN-2: what was read is known for 30 days."""
    seen: list[Delivery] = []
    again: list[Delivery] = []
    acknowledged: set[bytes] = set()

    def repeat(asked: Asked, reply: Reply) -> Reply:
        if asked.client != "bob" or reply.status != 200:
            return reply
        if asked.name == "ack":
            acknowledged.update(AckRequest.decode(asked.body).ids)
        if asked.name != "fetch":
            return reply
        answer = FetchAnswer.decode(reply.body)
        seen.extend(answer.deliveries)
        left = tuple(each for each in again if each.id not in acknowledged)
        return Reply(200, FetchAnswer(answer.stock, answer.deliveries + left).encode())

    async def story(town: Town) -> None:
        town.sockets = False
        alice, bob = await town.client("alice"), await town.client("bob")
        town.changes.append(repeat)
        for number in range(3):
            await alice.send("bob", b"%d" % number)
        assert await bodies(bob, 3) == [b"0", b"1", b"2"]
        pass_days(town, 29, alice, bob)
        again.extend(Delivery(system_entropy(16), each.time, each.sender, each.message) for each in seen)
        assert len(again) >= 3
        await until(lambda: acknowledged >= {each.id for each in again})
        await alice.send("bob", b"end")
        assert await bodies(bob, 1) == [b"end"]

    play(tmp_path, story)
