"""Two devices of one user that change the device list at the same time; a directory that takes one change.

Not here: a directory that takes none, and what others say about it (test_untaken_versions.py).
"""

import pytest

from letterlock import Address
from letterlock.errors import UsageError
from letterlock.limits import HOUR, LISTS_PATIENCE
from letterlock.stores import EntryKind
from letterlock.user import (
    ContactEvent,
    EventKind,
    ListChain,
    User,
)
from support.linkings import Linking
from support.revocations import seeds, talking, version
from support.user_devices import own_record
from support.withdrawing import added, events, lists_needed, overtaken, signed, taken

assert LISTS_PATIENCE == HOUR


def test_a_device_that_was_overtaken_takes_the_other_version_and_is_in_no_conflict() -> None:  # USR-65
    made = talking(alices=4)
    first, second = made.alice.first, made.alice.devices[2]
    signed(made, 1, 4)
    other = signed(made, 2, 3)
    found = overtaken(made, other)
    assert (found.event, found.evidence) == (ContactEvent.NEWER, None)
    assert (EventKind.LIST_WITHDRAWN, 4) in events(found)
    assert EventKind.CONFLICT not in dict(events(found))
    # The revocation was signed again on top, and the directory takes that.
    again = first.device_lists(5)
    assert [each.snapshot.version for each in again] == [6]
    assert [each.id for each in first.devices()] == [1, 2]
    taken(made, first, *again)
    taken(made, second)
    ListChain.verify(made.alice.lists)
    assert first.devices() == second.devices()
    assert made.bob.first.learn("alice", made.alice.lists).event is ContactEvent.NEWER
    made.servers.send(made.bob.first, "alice", b"to both")
    assert [made.servers.bodies(each)[-1:] for each in (first, second)] == [[b"to both"]] * 2
    assert seeds(first) == seeds(second)
    assert len(seeds(first)) == 3


def test_until_the_directory_took_it_nobody_is_told_of_a_version() -> None:  # USR-64
    made = talking()
    first = made.alice.first
    head = own_record(first).pin.hash[:8]
    result = first.revoke(3)
    assert (result.outgoing, result.needs) == ((), ())
    made.servers.send(first, "bob", b"text")
    made.servers.send(first, "alice", b"to my other one")
    made.servers.send(made.bob.first, "alice", b"answer")
    read = [each for found in made.servers.read.values() for each in found]
    assert [(each.needs, each.events) for each in read] == [((), ())] * len(read)  # no unknown head
    assert made.bob.first.contact("alice").version == 3
    assert version(made.alice.devices[2]) == 3
    assert [each.hash for each in first.device_lists(3)] == [result.device_list.hash]
    assert own_record(first).pin.heads[16:24] == head
    found = taken(made, first, result.device_list)
    assert found.event is ContactEvent.SAME
    assert {each.address.device_id for each in found.outgoing} == {2}
    assert version(made.alice.devices[2]) == 4
    assert seeds(made.alice.devices[2]) == seeds(first)
    made.servers.send(first, "bob", b"with the new head")
    assert made.bob.first.contact("alice").version == 4


def test_what_was_revoked_gets_nothing_although_the_version_is_not_taken_yet() -> None:  # USR-37, USR-46
    made = talking()
    first = made.alice.first
    first.revoke(3)
    assert first.account.session(Address("alice", 3)) is None
    sent = first.send("bob", b"not for the thief")
    assert {each.address.device_id for each in sent if each.address.name == "alice"} == {2}


def test_a_device_that_was_revoked_gets_nothing_when_the_version_is_withdrawn() -> None:  # USR-65
    """The thief of device 3 and the directory are one: each revocation meets a version of the thief's."""
    made = talking()
    first, thief = made.alice.first, made.alice.devices[3]
    signed(made, 1, 3)
    for number in range(3):
        made.alice.lists.append(added(made, thief))
        thief.learn("alice", made.alice.lists[-1:])
        found = first.learn("alice", made.alice.lists[own_record(first).shown :])
        assert (EventKind.LIST_WITHDRAWN, 3) in events(found), number
        assert {each.id for each in first.devices()} >= {1, 2}
        assert 3 not in {each.id for each in first.devices()}
        sent = first.send("alice", b"not for the thief")
        assert 3 not in {each.address.device_id for each in sent}
        assert all(each.device != 3 for each in found.needs)


def test_a_new_device_that_was_overtaken_has_to_be_linked_again() -> None:  # USR-65
    made = talking(alices=2)
    first = made.alice.first
    it = Linking(first, made.clock)
    it.answer()
    package = it.link.confirm().package
    other = added(made, made.alice.devices[2])
    found = overtaken(made, other)
    assert (EventKind.LIST_WITHDRAWN, 3) in events(found)
    assert first.device_lists() == tuple(made.alice.lists)
    with pytest.raises(UsageError, match="changed the device list first"):
        it.link.confirm()
    assert package
    again = Linking(first, made.clock)
    assert again.finish().address.device_id == 4
    ListChain.verify(first.device_lists())


def test_several_versions_are_withdrawn_together() -> None:  # USR-65
    made = talking(alices=4)
    first = made.alice.first
    signed(made, 1, 4)
    signed(made, 1, 3)
    other = added(made, made.alice.devices[2])
    found = overtaken(made, other)
    assert {each for each in events(found) if each[0] is EventKind.LIST_WITHDRAWN} == {
        (EventKind.LIST_WITHDRAWN, 3),
        (EventKind.LIST_WITHDRAWN, 4),
    }
    assert version(first) == 6  # one version revokes both again
    assert {each.id for each in first.devices()} == {1, 2, 5}
    assert seeds(first).keys() == {1, 2}
    assert lists_on_record(first) == version(first)


def lists_on_record(user: User) -> int:
    """Return how many versions a device keeps of its own user's list."""
    with user.transaction():
        kept = user._desk.book.store.tables.entries.count(EntryKind.LIST)
    return kept - user.contact("bob").version


def test_a_shorter_chain_takes_the_place_of_a_longer_one() -> None:  # USR-65
    made = talking(alices=2)
    first = made.alice.first
    added(made, first)
    added(made, first)
    assert lists_on_record(first) == 4
    overtaken(made, added(made, made.alice.devices[2]))
    assert first.device_lists() == tuple(made.alice.lists)
    assert lists_on_record(first) == version(first) == 3


def test_the_versions_that_the_directory_took_stay_when_a_later_one_is_withdrawn() -> None:
    """USR-65: it took the first one of two, and then another device's."""
    made = talking(alices=4)
    first, second = made.alice.first, made.alice.devices[2]
    one = signed(made, 1, 4)
    signed(made, 1, 3)
    made.alice.lists.append(one)
    second.learn("alice", [one])
    other = added(made, second)
    found = overtaken(made, other)
    assert [each for each in events(found) if each[0] is EventKind.LIST_WITHDRAWN] == [
        (EventKind.LIST_WITHDRAWN, 3)
    ]
    assert first.device_lists(4)[:2] == (one, other)
    assert {each.id for each in first.devices()} == {1, 2, 6}


def test_both_revoke_the_same_device() -> None:  # USR-65
    made = talking()
    first = made.alice.first
    signed(made, 1, 3)
    other = signed(made, 2, 3)
    found = overtaken(made, other)
    assert (EventKind.LIST_WITHDRAWN, 3) in events(found)
    assert first.device_lists() == tuple(made.alice.lists)  # nothing is left to do
    assert seeds(first).keys() == {1}  # the other device's seed is on its way
    made.servers.carry(made.alice.devices[2], taken(made, made.alice.devices[2]).outgoing)
    assert seeds(first) == seeds(made.alice.devices[2])


def test_this_device_was_revoked_by_the_other_version() -> None:
    made = talking()
    second = made.alice.devices[2]
    signed(made, 2, 3)
    other = signed(made, 1, 2)
    made.alice.lists.append(other)
    found = second.learn("alice", [other])
    assert (EventKind.REVOKED, 2) in events(found)
    assert found.outgoing == ()
    assert second.device_lists() == tuple(made.alice.lists)
    assert second.upkeep().outgoing == ()


def test_a_device_that_revokes_itself_is_overtaken() -> None:  # USR-65
    made = talking()
    second = made.alice.devices[2]
    left = second.revoke(2)
    made.servers.carry(second, left.outgoing)  # the seed
    other = added(made, made.alice.first)
    made.alice.lists.append(other)
    for each in second.learn("alice", [other]).outgoing:
        if each.address == made.alice.first.address:
            made.alice.first.receive(second.address, each.message)
    (again,) = second.device_lists(4)
    assert [each.id for each in again.snapshot.devices] == [1, 3, 4]
    made.alice.lists.append(again)
    second.learn("alice", [again])
    made.alice.first.learn("alice", made.alice.lists)
    assert [each.id for each in made.alice.first.devices()] == [1, 3, 4]
    assert 2 in seeds(made.alice.first)  # the one of the version that counts
    assert made.alice.first.send("alice", b"we go on").outgoing


# --- what only looks like it -------------------------------------------------------------------------------


def test_a_version_that_others_know_is_not_withdrawn() -> None:  # USR-65
    """It was taken, so another one in its place is a fork, with evidence."""
    made = talking()
    first = made.alice.first
    taken(made, first, first.revoke(3).device_list)
    found = first.learn("alice", made.alice.fork(at=3)[-1:])
    assert (found.event, found.evidence is not None) == (ContactEvent.FORK, True)
    assert events(found) == [(EventKind.CONFLICT, None)]
    assert [each.id for each in first.devices()] == [1, 2]


@pytest.mark.parametrize("by", ["bob", "alice"])
def test_somebody_who_names_its_head_has_seen_a_version(by: str) -> None:  # USR-64
    made = talking()
    first = made.alice.first
    new = first.revoke(3).device_list
    reader = made.bob.first if by == "bob" else made.alice.devices[2]
    reader.learn("alice", [new])
    (sent,) = [each for each in reader.send("alice", b"I saw it") if each.address == first.address]
    found = first.receive(reader.address, sent.message)
    assert 2 in {each.address.device_id for each in found.outgoing}
    other = signed(made, 2, 2) if by == "bob" else made.alice.fork(at=3)[-1]
    assert first.learn("alice", [other]).event is ContactEvent.FORK


def test_a_directory_that_shows_two_devices_two_branches_is_found_out() -> None:
    """USR-65: each takes the other's version, and then they disagree about every message."""
    made = talking(alices=4)
    first, second = made.alice.first, made.alice.devices[2]
    ours, theirs = signed(made, 1, 4), signed(made, 2, 3)
    assert first.learn("alice", [theirs]).event is ContactEvent.NEWER
    assert second.learn("alice", [ours]).event is ContactEvent.NEWER
    (sent,) = first.send("alice", b"hello")
    received = second.receive(first.address, sent.message)
    assert (received.body, lists_needed(received.needs)) == (b"hello", [("alice", 5)])
    assert events(second.learn("alice", [])) == [(EventKind.UNKNOWN_HEAD, None)]
    found = second.learn("alice", [theirs])
    assert (found.event, found.evidence is not None) == (ContactEvent.FORK, True)
    assert (EventKind.CONFLICT, None) in events(found)


def test_a_contact_is_shown_the_version_that_was_withdrawn() -> None:
    """The directory kept it: the two versions together are evidence of a fork, as ever."""
    made = talking()
    ours, theirs = signed(made, 1, 3), signed(made, 2, 2)
    overtaken(made, theirs)
    made.bob.first.learn("alice", made.alice.lists)
    found = made.bob.first.learn("alice", [*made.alice.lists[:3], ours])
    assert (found.event, found.evidence is not None) == (ContactEvent.FORK, True)
