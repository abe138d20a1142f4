"""Numbers that a relay claims: none of them harms the store, or has the client wait for years."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from letterlock import Address
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_login import ChallengeAnswer, ChallengeRequest
from letterlock.client import RelayEventKind, RelayMisbehaves, RelayUnavailable
from letterlock.client._connection import Connection
from letterlock.client._errors import RelayRefused
from letterlock.client._queue import Queue
from letterlock.client._rows import OwnRecord, decode_own, encode_own
from letterlock.client._transport import Reply
from letterlock.errors import UsageError
from letterlock.limits import MAX_COUNTER
from letterlock.stores import MemoryStore
from letterlock.user import User
from support.client_town import RELAY, Asked, Town, bodies, happens, play, refusal
from support.pair import NOON

AHEAD = 2**20


@contextmanager
def queue_at(number: int) -> Generator[Queue]:
    """Yield the queue of a client whose last publication had this number, inside a transaction."""
    store = MemoryStore()
    user = User.create(store, "alice", clock=lambda: NOON)
    with store.transaction():
        queue = Queue(user, store, lambda: NOON, system_entropy)
        queue.tables.save_own(OwnRecord(RELAY, registered=True, number=number, publication=b"kept"))
        yield queue


# --- publications -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("newest", [7 + AHEAD + 1, 2**31, MAX_COUNTER])
def test_a_number_that_nobody_has_reached_changes_nothing(newest: int) -> None:
    """CLN-7"""
    with queue_at(7) as queue:
        with pytest.raises(RelayMisbehaves):
            queue.renumber(newest)
        assert queue.own() == OwnRecord(RELAY, registered=True, number=7, publication=b"kept")


@pytest.mark.parametrize(("newest", "number"), [(0, 7), (7, 7), (8, 8), (7 + AHEAD, 7 + AHEAD)])
def test_a_number_within_reach_is_taken(newest: int, number: int) -> None:
    with queue_at(7) as queue:
        queue.renumber(newest)
        assert (queue.own().number, queue.own().publication) == (number, None)


def test_the_last_number_is_published_and_none_after_it() -> None:
    """CLN-7: what is kept can be read again."""
    with queue_at(MAX_COUNTER - 1) as queue:
        number, _ = queue.publish(1)
        assert number == MAX_COUNTER
        assert decode_own(encode_own(queue.own())) == queue.own()
        with pytest.raises(RelayMisbehaves):
            queue.publish(1)
        assert queue.own().number == MAX_COUNTER


@pytest.mark.parametrize("number", [-1, MAX_COUNTER + 1])
def test_a_record_that_could_not_be_read_is_not_written(number: int) -> None:
    """CLN-7"""
    with pytest.raises(UsageError):
        encode_own(OwnRecord(RELAY, number=number))


def test_a_relay_that_names_the_last_number_leaves_a_store_that_opens(tmp_path: Path) -> None:
    """CLN-7"""
    path, key = tmp_path / "alice.db", bytes(32)

    def last(asked: Asked) -> Reply | None:
        lies = asked.client == "alice" and asked.name == "publish"
        return refusal(RelayCode.CONFLICT, MAX_COUNTER) if lies else None

    async def story(town: Town) -> None:
        town.rules.append(last)
        kind = town.kind("alice")
        async with await kind.create(path, key=key, name="alice", relay=RELAY) as alice:
            await happens(alice, RelayEventKind.MISBEHAVES)
        town.rules.clear()
        async with await kind.open(path, key=key) as alice:
            bob = await town.client("bob")
            await bob.send("alice", b"hello")
            assert await bodies(alice, 1) == [b"hello"]

    play(tmp_path, story)


# --- pauses -----------------------------------------------------------------------------------------------


class OneAnswer:
    """A way to a relay that always gives the same answer."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Reply:
        return self._reply


def asked_to_wait(reply: Reply) -> int:
    """Return for how many seconds a client takes an answer to ask."""
    way: Any = OneAnswer(reply)
    connection = Connection(way, lambda **_: None)
    with pytest.raises((RelayRefused, RelayUnavailable)) as caught:
        asyncio.run(connection.call_openly(ChallengeRequest(Address("alice", 1)), ChallengeAnswer))
    error: Any = caught.value
    seconds: int = error.number if isinstance(error, RelayRefused) else error.seconds
    return seconds


@pytest.mark.parametrize("code", [RelayCode.SLOW_DOWN, RelayCode.UNAVAILABLE])
@pytest.mark.parametrize(
    ("asked", "taken"), [(0, 0), (7, 7), (3600, 3600), (3601, 3600), (MAX_COUNTER, 3600)]
)
def test_a_pause_is_an_hour_at_most(code: RelayCode, asked: int, taken: int) -> None:
    """CLN-8"""
    assert asked_to_wait(refusal(code, asked)) == taken
    assert asked_to_wait(refusal(code, 0, asked)) == taken


def test_a_gateway_s_pause_is_an_hour_at_most() -> None:
    assert asked_to_wait(Reply(503, b"", 2**40)) == 3600


@pytest.mark.parametrize("code", [RelayCode.STALE, RelayCode.CONFLICT, RelayCode.FULL])
def test_a_number_that_is_no_pause_stays_as_it_is(code: RelayCode) -> None:
    assert asked_to_wait(refusal(code, MAX_COUNTER, 7)) == MAX_COUNTER
