"""Versions of a device list that the directory has not taken: how long they wait, and whose word counts."""

import pytest

from letterlock import Address
from letterlock.limits import HOUR, LISTS_PATIENCE
from letterlock.user import (
    ContactEvent,
    ContentKind,
    Event,
    EventKind,
    User,
)
from support.revocations import seeds, talking, version
from support.user_devices import World, own_record
from support.withdrawing import added, events, lists_needed, overtaken, signed, taken


def test_upkeep_asks_whether_a_version_was_taken() -> None:  # USR-64
    made = talking()
    first = made.alice.first
    first.revoke(3)
    for _ in range(2):
        assert lists_needed(first.upkeep().needs) == [("alice", 3)]
    taken(made, first, *first.device_lists(3))
    assert lists_needed(first.upkeep().needs) == []


@pytest.mark.parametrize("answer", [0, 3])
def test_a_directory_that_withholds_a_version_delays_it_by_an_hour(answer: int) -> None:  # USR-64
    """It answers with nothing, or with the versions before."""
    made = talking()
    first = made.alice.first
    made.clock.now += 5 * HOUR  # this device was off
    first.revoke(3)
    made.clock.now += 5 * HOUR
    first.upkeep()
    for _ in range(2):
        found = first.learn("alice", made.alice.lists[:answer])
        assert (found.event, found.events, found.evidence) == (ContactEvent.SAME, (), None)
        made.clock.now += LISTS_PATIENCE // 2 - 1
    assert ContentKind.LIST_NOTICE not in told(made, first)
    made.clock.now += 2
    assert ContentKind.LIST_NOTICE in told(made, first)
    assert version(made.alice.devices[2]) == 4
    assert seeds(made.alice.devices[2]) == seeds(first)
    made.servers.send(first, "bob", b"with the new head")
    made.servers.send(made.bob.first, "alice", b"with the old one")
    assert made.bob.first.contact("alice").version == 4


def told(made: World, user: User) -> list[int | None]:
    """Return the kinds of what upkeep sends to Alice's second device."""
    second = made.alice.devices[2]
    before = len(made.servers.read.get(second.address, []))
    made.servers.carry(user, user.upkeep().outgoing)
    return [each.kind for each in made.servers.read.get(second.address, [])[before:]]


def test_an_event_names_each_device() -> None:
    made = talking(alices=4)
    signed(made, 1, 4)
    found = overtaken(made, signed(made, 2, 3))
    assert Event(EventKind.LIST_WITHDRAWN, "alice", 4) in found.events


def test_a_notice_withdraws_nothing_and_the_directory_is_asked() -> None:  # USR-65
    """The directory took our revocation. A thief's version comes in a notice of an honest device."""
    made = talking(alices=4)
    first, thief = made.alice.first, made.alice.devices[3]
    ours = signed(made, 1, 3)
    theirs = added(made, thief)
    other = made.alice.devices[4]
    before = [each.id for each in first.devices()]
    other.learn("alice", [theirs])
    (asked,) = [each for each in first.send("alice", b"hello") if each.address == other.address]
    (notice,) = other.receive(first.address, asked.message).outgoing
    found = first.receive(other.address, notice.message)
    assert ("alice", 4) in lists_needed(found.needs)
    assert EventKind.LIST_WITHDRAWN not in {each.kind for each in found.events}
    assert [each.id for each in first.devices()] == before
    learned = taken(made, first, ours)
    assert (learned.event, learned.evidence) == (ContactEvent.SAME, None)
    assert 3 not in {each.id for each in first.devices()}


def test_a_head_announces_no_version_after_the_one_it_names() -> None:  # USR-64
    """Bob has seen version 4, and nobody version 5. Another device's version 5 is then no fork."""
    made = talking(alices=4)
    first, second = made.alice.first, made.alice.devices[2]
    one = signed(made, 1, 4)
    signed(made, 1, 3)
    made.alice.lists.append(one)
    second.learn("alice", [one])
    made.bob.first.learn("alice", [one])
    sent = made.bob.first.send("alice", b"I saw it")
    (message,) = [each for each in sent if each.address == first.address]
    first.receive(made.bob.first.address, message.message)
    assert own_record(first).shown == 5 == version(first) - 1
    other = added(made, second)
    found = overtaken(made, other)
    assert (found.event, found.evidence) == (ContactEvent.NEWER, None)
    assert 3 not in {each.id for each in first.devices()}


def test_what_the_directory_showed_is_not_withdrawn_with_the_rest() -> None:  # USR-65
    made = talking(alices=4)
    first = made.alice.first
    one = signed(made, 1, 4)
    signed(made, 1, 3)
    found = first.learn("alice", [one])
    assert (found.event, own_record(first).shown) == (ContactEvent.SAME, one.snapshot.version)
    assert found.outgoing  # the others are told of it
    assert own_record(first).withheld
    again = first.learn("alice", [made.alice.fork(at=4)[-1]])
    assert (again.event, again.evidence is not None) == (ContactEvent.FORK, True)


def test_a_directory_that_answers_wrongly_delays_a_version_by_an_hour_once_mail_arrives() -> None:
    """USR-64: an answer that is no answer starts nothing, and a content of anybody's does."""
    made = talking()
    first = made.alice.first
    first.revoke(3)
    for _ in range(2):
        made.clock.now += 2 * LISTS_PATIENCE
        first.upkeep()
        assert own_record(first).shown == version(first) - 1
    made.servers.send(made.bob.first, "alice", b"are you there?")
    assert own_record(first).withheld
    made.clock.now += LISTS_PATIENCE
    assert Address("alice", 2) in {each.address for each in first.upkeep().outgoing}
    assert own_record(first).shown == version(first)


def test_a_thief_who_leaves_no_full_device_is_revoked_again_all_the_same() -> None:  # USR-65
    """Device 1 revoked the thief and then itself. The thief leaves nobody else who may sign."""
    made = talking(alices=3)
    first, thief = made.alice.first, made.alice.devices[2]
    signed(made, 1, 2)
    signed(made, 1, 1)
    versions = [added(made, thief), thief.revoke(3).device_list]
    found = first.learn("alice", versions)
    assert (EventKind.LIST_WITHDRAWN, 2) in events(found)
    assert 2 not in {each.id for each in first.devices()}
    assert all(each.device != 2 for each in found.needs)
