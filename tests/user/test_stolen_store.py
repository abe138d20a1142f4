"""A thief of the store at day 31 finds nothing of day 0. USR-57, SES-16, SES-17"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from letterlock import Address, MemoryStore
from letterlock._primitives.secret import Secret
from letterlock._records.first_format import decode_any_session
from letterlock.limits import DAY, MAX_ARCHIVED_SESSIONS
from letterlock.stores import EntryKind, Record
from letterlock.user import User
from support.pair import dump
from support.repairs import BOB, forged, keep_up, settle
from support.user_devices import Person, World, world

PASSING = (EntryKind.SENT, EntryKind.RECEIVED, EntryKind.RETRY)
"""What is on record of messages."""


def material(value: object) -> Iterator[bytes]:
    """Yield every secret in a decoded session."""
    if isinstance(value, Secret):
        yield value.expose()
    elif is_dataclass(value):
        for each in fields(value):
            yield from material(getattr(value, each.name))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from material(each)


def session_rows(user: User) -> Iterator[bytes]:
    tables = user._desk.book.store.tables
    for peer in user.account.peers():
        for row in tables.sessions.load(peer.address.encoded, MAX_ARCHIVED_SESSIONS + 1):
            yield row.record.expose()


def dumped(user: User) -> dict[str, Any]:
    """Return what the tables of a device's store hold."""
    store = user._desk.book.store
    assert isinstance(store, MemoryStore)
    return dump(store)


def everything(user: User) -> bytes:
    """Return all that a thief reads who has the store and its key."""
    return b"|".join(flat(dumped(user)))


def flat(value: object) -> Iterator[bytes]:
    """Yield all bytes in a dump."""
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        for each in value.items():
            yield from flat(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from flat(each)


def secrets_of(user: User) -> set[bytes]:
    """Return all keys, ids and tags that a device has of its conversations."""
    with user.transaction():
        found = {
            each
            for row in session_rows(user)
            for each in material(decode_any_session(Record(row)))
            if len(each) >= 16
        }
        tables = user._desk.book.store.tables
        found |= {row.key for kind in PASSING for row in tables.entries.all(kind)}
    return found | skipped_keys(user)


def skipped_keys(user: User) -> set[bytes]:
    """Return the keys of messages that did not arrive. They end each of the rows."""
    sessions = dumped(user)["skipped_keys"].values()
    return {row[-1] for chains in sessions for rows in chains.values() for row in rows}


@pytest.fixture
def day_zero() -> World:
    """Texts, one that was lost, one that was damaged, an archived session, and a first message to nobody."""
    made = world()
    carol = Person("carol", made.clock)
    made.servers.join(carol)
    made.alice.first.learn("carol", carol.lists)
    made.servers.send(made.alice.first, "bob", b"a text of day zero")
    made.servers.send(made.bob.first, "alice", b"an answer of day zero")
    made.servers.carry(made.alice.first, made.alice.first.begin(BOB, made.bob.first.account.bundle()))
    made.servers.send(made.alice.first, "bob", b"in a new session of day zero")
    made.servers.send(made.bob.first, "alice", b"one more of day zero")
    made.alice.first.send("bob", b"lost on day zero")
    made.servers.send(made.alice.first, "bob", b"overtakes it on day zero")
    damaged, *_ = made.alice.first.send("bob", b"damaged on day zero")
    made.bob.first.receive(made.alice.first.address, forged(damaged.message, -20))
    made.alice.first.send("carol", b"for nobody on day zero")
    made.alice.first.begin(Address("carol", 1), carol.first.account.bundle())
    return made


def test_nothing_of_day_zero_is_in_the_store_at_day_31(day_zero: World) -> None:
    made = day_zero
    users = (made.alice.first, made.bob.first)
    needles = set().union(*map(secrets_of, users))
    before = [everything(user) for user in users]
    assert len(needles) > 30
    assert len(skipped_keys(made.bob.first)) == 2  # of both ratchets
    assert all(each in before[0] + before[1] for each in needles)
    assert all(b"day zero" in each for each in before)
    made.clock.now += DAY
    settle(made)
    for number in range(60):  # the conversation goes on, so that both of its ratchets turn
        made.servers.send(made.alice.first, "bob", b"later %d" % number)
        made.servers.send(made.bob.first, "alice", b"later %d" % number)
    made.clock.now += 30 * DAY
    for user in users:
        keep_up(made, user)
    for user in users:
        stolen = everything(user)
        assert b"day zero" not in stolen
        assert [each.hex() for each in needles if each in stolen] == []


def test_a_day_too_early_there_is_something(day_zero: World) -> None:
    """So the search finds what there is."""
    made = day_zero
    needles = secrets_of(made.alice.first)
    made.clock.now += 29 * DAY
    made.alice.first.upkeep()
    stolen = everything(made.alice.first)
    assert b"day zero" in stolen
    assert [each for each in needles if each in stolen]
