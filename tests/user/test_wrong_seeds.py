"""Document seeds that are wrong, early, or from somebody who may not send them. USR-48."""

from dataclasses import replace

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.content import Content, ContentKind
from letterlock._wire.content_bodies import NewSeed
from letterlock._wire.linking_payload import DocumentSeed
from letterlock.errors import MalformedMessage
from letterlock.limits import HEAD_BYTES, MAX_SEEDS_AHEAD
from letterlock.user import (
    Incoming,
    NeedKind,
    Outcome,
)
from support.revocations import LIMITED, revoked, seeds, talking
from support.user_devices import World, own_record


def seed_message(made: World, sender: int, to: int, new: NewSeed, name: str = "alice") -> Incoming:
    """Let one of Alice's devices send another a seed, whatever it is."""
    people = {"alice": made.alice, "bob": made.bob}
    user, target = people[name].devices[sender], made.alice.devices[to]
    head = own_record(user).pin.hash[:HEAD_BYTES]
    id_ = system_entropy(16)
    content = Content(ContentKind.DOCUMENT_SEED, id_, made.clock.now, head, head, new.encode())
    message = user.account.encrypt(target.address, content.encode())
    return target.receive(user.address, message)


WRONG = DocumentSeed(b"w" * 32)


def test_a_seed_that_is_not_the_listed_keys_is_refused() -> None:
    """USR-48."""
    made = talking()
    made.servers.carry(made.alice.first, revoked(made, 2).outgoing)
    before = seeds(made.alice.first)
    third = made.alice.devices[3]
    with third.transaction():
        own = own_record(third)
        third._desk.book.save_own(replace(own, seeds=own.seeds[:1]))
    incoming = seed_message(made, 1, 3, NewSeed(2, WRONG))
    assert incoming.outcome is Outcome.REFUSED
    assert isinstance(incoming.error, MalformedMessage)
    assert seeds(third).keys() == {1}
    incoming = seed_message(made, 1, 3, NewSeed(2, DocumentSeed(before[2])))
    assert incoming.outcome is Outcome.READ
    assert incoming.body is None
    assert seeds(third) == before


def test_a_seed_does_not_replace_one_that_was_right() -> None:
    made = talking()
    before = seeds(made.alice.first)
    assert seed_message(made, 3, 1, NewSeed(1, WRONG)).outcome is Outcome.REFUSED
    assert seeds(made.alice.first) == before


def test_a_seed_of_a_contact_or_of_a_limited_device_is_refused() -> None:
    """Section B2, "acceptance of keys from the wrong channel"."""
    made = talking()
    made.alice.add(device_class=LIMITED)
    made.alice.devices[2].learn("alice", made.alice.lists)
    made.servers.send(made.alice.first, "alice", b"hello")
    made.servers.send(made.alice.devices[4], "alice", b"hello")
    for sender, name in ((1, "bob"), (4, "alice")):
        incoming = seed_message(made, sender, 1, NewSeed(2, WRONG), name)
        assert incoming.outcome is Outcome.REFUSED
        assert isinstance(incoming.error, MalformedMessage)
    # Nor does a limited device take one.
    assert seed_message(made, 1, 4, NewSeed(1, DocumentSeed(seeds(made.alice.first)[1]))).outcome is (
        Outcome.REFUSED
    )
    assert seeds(made.alice.devices[4]) == {}
    assert seeds(made.alice.first).keys() == {1}


def test_a_seed_may_come_before_its_list_and_counts_only_with_it() -> None:
    made = talking()
    first, _, third = made.alice.devices.values()
    result = revoked(made, 2)
    notice, seed = (each.message for each in result.outgoing)
    incoming = third.receive(first.address, seed)
    assert incoming.outcome is Outcome.READ
    assert [each.kind for each in incoming.needs] == [NeedKind.LISTS]
    third.receive(first.address, notice)
    assert seeds(third) == seeds(first)


def test_a_seed_that_came_early_and_was_wrong_is_dropped_with_its_list() -> None:
    made = talking()
    first, _, third = made.alice.devices.values()
    assert seed_message(made, 2, 3, NewSeed(2, WRONG)).outcome is Outcome.READ
    assert seeds(third).keys() == {1, 2}
    result = revoked(made, 2)
    notice, seed = (each.message for each in result.outgoing)
    third.receive(first.address, notice)
    assert seeds(third).keys() == {1}
    third.receive(first.address, seed)
    assert seeds(third) == seeds(first)


def test_a_wrong_seed_that_waits_is_in_nobodys_way() -> None:
    made = talking()
    for generation in (2, 3):
        assert seed_message(made, 2, 1, NewSeed(generation, WRONG)).outcome is Outcome.READ
    result = revoked(made, 2)
    made.servers.carry(made.alice.first, result.outgoing)
    third = made.alice.devices[3]
    assert seeds(made.alice.first)[2] == seeds(third)[2] != WRONG.expose()
    made.servers.carry(made.alice.first, revoked(made, 3).outgoing)
    assert seeds(made.alice.first)[3] != WRONG.expose()
    assert seeds(made.alice.first).keys() == {1, 2, 3}
    assert made.alice.add().devices() == made.alice.first.devices()


@pytest.mark.parametrize("ahead", [MAX_SEEDS_AHEAD + 1, 2**31])
def test_seeds_far_ahead_are_refused(ahead: int) -> None:
    made = talking()
    assert seed_message(made, 2, 3, NewSeed(1 + ahead, WRONG)).outcome is Outcome.REFUSED
    for generation in range(2, MAX_SEEDS_AHEAD + 2):
        assert seed_message(made, 2, 3, NewSeed(generation, WRONG)).outcome is Outcome.READ
    assert len(seeds(made.alice.devices[3])) == 1 + MAX_SEEDS_AHEAD
    made.alice.devices[3].send("bob", b"the record can still be read")


def test_a_seed_that_was_under_way_when_its_reader_was_revoked_is_no_mistake_of_its_sender() -> None:
    """USR-48: the device keeps nothing of it, and blames nobody."""
    made = talking(alices=4)
    third = made.alice.devices[3]
    late = revoked(made, 4, signer=2).outgoing
    made.alice.first.learn("alice", made.alice.lists)
    revoked(made, 3)
    third.learn("alice", made.alice.lists)
    before = seeds(third)
    for each in late:
        if each.address == third.address:
            incoming = third.receive(made.alice.devices[2].address, each.message)
            assert (incoming.outcome, incoming.error) == (Outcome.READ, None)
    assert seeds(third) == before
