"""Numbers that a relay claims: none of them harms the store, or has the client wait for years."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.relay_error import RelayCode
from letterlock.client import RelayEventKind, RelayMisbehaves
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
