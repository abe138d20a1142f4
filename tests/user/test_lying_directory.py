"""A directory that lies to a user: what is stored, sent and reported afterwards.

test_directory.py has the rules that lists break. Here a `User` with sessions and texts that wait is lied to.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from letterlock import Address, MemoryStore
from letterlock._primitives.entropy import system_entropy
from letterlock.errors import PeerError, SafetyNumberMismatch, UsageError
from letterlock.user import (
    ContactFrozen,
    ContactState,
    Contradiction,
    DeviceList,
    EventKind,
    Evidence,
    NeedKind,
    User,
)
from letterlock.user._document_seeds import document_key_pair, new_seed
from letterlock.user._drafts import next_snapshot
from letterlock.user._signatures import sign_snapshot
from support.pair import unchanged
from support.user_devices import Person, World, world


def store_of(user: User) -> MemoryStore:
    store = user._desk.book.store
    assert isinstance(store, MemoryStore)
    return store


def test_one_person_under_two_names_stays_two_contacts() -> None:
    """Mallory's lists are shown for Carol's and for Dave's; later the directory shows Carol's own."""
    made = world()
    mallory, carol = Person("mallory", made.clock), Person("carol", made.clock)
    mallory.add()
    alice = made.alice.first
    alice.learn("carol", mallory.lists)
    alice.learn("dave", mallory.lists)
    alice.learn("carol", carol.lists)
    alice.contact("carol").replace()
    assert [each.user_id == mallory.first.user_id for each in alice.contacts()] == [False, False, True]
    assert alice.learn("dave", mallory.lists).events == ()
    assert [each.id for each in alice.contact("dave").devices] == [1, 2]


def test_two_branches_of_one_chain_under_two_names_stay_apart() -> None:
    made = world()
    mallory = Person("mallory", made.clock)
    mallory.add()
    fork = mallory.fork(at=1)
    alice = made.alice.first
    alice.learn("carol", mallory.lists)
    alice.learn("dave", fork)
    for name, lists in (("carol", mallory.lists), ("dave", fork)):
        assert alice.learn(name, lists).events == ()
    conflict = alice.learn("carol", fork)
    assert [each.kind for each in conflict.events] == [EventKind.CONFLICT]


# --- lies that are refused, and change nothing -------------------------------------------------------------


def refused(made: World, lists: Sequence[DeviceList], name: str = "bob") -> None:
    """Check that Alice refuses lists, keeps what she has, and still reaches Bob."""
    alice = made.alice.first
    with unchanged(store_of(alice)), pytest.raises(PeerError):
        alice.learn(name, lists)
    made.servers.send(alice, "bob", b"still there")
    assert made.servers.bodies(made.bob.first)[-1] == b"still there"


def test_a_device_that_nobody_signed() -> None:
    """Section B2, "server adds a device": the directory adds one of its own to a list of Bob's."""
    made = world()
    device = replace(Person("mallory", made.clock).lists[0].snapshot.devices[0], id=2, added=2)
    newest = made.bob.lists[-1]
    snapshot = next_snapshot(newest, newest.hash, made.clock(), add=(device,))
    refused(made, [replace(newest, snapshot=snapshot)])


def test_a_device_with_its_own_proof_and_a_signature_of_the_directory() -> None:
    made = world()
    mallory = Person("mallory", made.clock)
    mallory.add()
    newest = made.bob.lists[-1]
    device = replace(mallory.lists[-1].snapshot.devices[1], added=2)
    snapshot = next_snapshot(newest, newest.hash, made.clock(), add=(device,))
    refused(made, [sign_snapshot(snapshot, 1, mallory.signing(1))])


def test_a_version_left_out() -> None:
    made = world()
    made.bob.add()
    made.bob.add()
    refused(made, made.bob.lists[2:])


def test_versions_in_another_order() -> None:
    made = world()
    made.bob.add()
    made.bob.add()
    refused(made, [made.bob.lists[2], made.bob.lists[1]])


def test_a_version_twice() -> None:
    made = world()
    made.bob.add()
    refused(made, [made.bob.lists[1], made.bob.lists[1]])


def test_the_next_version_of_somebody_else() -> None:
    made = world()
    carol = Person("carol", made.clock)
    carol.add()
    refused(made, carol.lists[1:])


def test_the_first_version_of_one_and_the_second_of_another() -> None:
    made = world()
    carol = Person("carol", made.clock)
    carol.add()
    refused(made, [made.bob.lists[0], carol.lists[1]])


def test_the_signature_of_another_version() -> None:
    made = world()
    made.bob.add()
    made.bob.add()
    refused(made, [made.bob.lists[1], replace(made.bob.lists[2], signature=made.bob.lists[1].signature)])


def test_a_thief_of_a_newer_device_locks_nobody_out() -> None:
    """Section B2, "stolen device revokes the others first"."""
    made = world(bobs=2)
    newest, user_id = made.bob.lists[-1], made.bob.lists[0].hash
    key = document_key_pair(new_seed(system_entropy)).public.data
    snapshot = next_snapshot(newest, user_id, made.clock(), revoke=(1,), document_key=key)
    stolen = [sign_snapshot(snapshot, 2, made.bob.signing(2))]
    refused(made, stolen)
    with pytest.raises(PeerError):
        made.bob.first.learn("bob", stolen)
    assert [each.id for each in made.bob.first.devices()] == [1, 2]


def test_a_revoked_device_signs_the_next_version() -> None:
    made = world(bobs=2)
    made.bob.revoke(2)
    made.alice.first.learn("bob", made.bob.lists)
    newest, user_id = made.bob.lists[-1], made.bob.lists[0].hash
    key = document_key_pair(new_seed(system_entropy)).public.data
    snapshot = next_snapshot(newest, user_id, made.clock(), document_key=key)
    refused(made, [sign_snapshot(snapshot, 2, made.bob.signing(2))])


def test_nothing_at_all_for_a_new_name() -> None:
    made = world()
    with unchanged(store_of(made.alice.first)), pytest.raises(UsageError):
        made.alice.first.learn("carol", [])
    assert [each.name for each in made.alice.first.contacts()] == ["bob"]


def test_our_own_lists_under_another_name() -> None:
    """A person who seems to be ourselves would get our own safety number."""
    made = world()
    refused(made, made.alice.lists, "carol")
    assert [each.name for each in made.alice.first.contacts()] == ["bob"]


# --- lies that somebody signed: the contact is frozen ------------------------------------------------------


def frozen(made: World, lists: Sequence[DeviceList], kind: Contradiction) -> None:
    """Check that Alice freezes Bob, keeps evidence that anybody can check, and sends nothing."""
    alice = made.alice.first
    number = alice.contact("bob").safety_number()
    learned = alice.learn("bob", lists)
    assert [each.kind for each in learned.events] == [EventKind.CONFLICT]
    evidence = alice.contact("bob").evidence
    assert evidence is not None
    assert Evidence.check(evidence.encode()).kind is kind
    assert alice.contact("bob").safety_number() == number
    with pytest.raises(ContactFrozen):
        alice.send("bob", b"to whom?")
    with pytest.raises(ContactFrozen):
        alice.begin(Address("bob", 1), made.bob.first.account.bundle())
    for again in (lists, made.bob.lists):
        with unchanged(store_of(alice)), pytest.raises(ContactFrozen):
            alice.learn("bob", again)


def test_the_list_from_before_a_revocation() -> None:
    """Section B2, "rollback of manifest after revocation"."""
    made = world(bobs=2)
    made.bob.revoke(2)
    made.alice.first.learn("bob", made.bob.lists)
    frozen(made, made.bob.lists[:2], Contradiction.OLDER)


def test_the_first_list_alone() -> None:
    made = world(bobs=2)
    frozen(made, made.bob.lists[:1], Contradiction.OLDER)


def test_a_version_beside_the_newest_one() -> None:
    made = world(bobs=2)
    frozen(made, made.bob.fork(at=1), Contradiction.FORK)


def test_a_version_beside_the_newest_one_without_those_before_it() -> None:
    made = world(bobs=2)
    frozen(made, made.bob.fork(at=1)[1:], Contradiction.FORK)


def test_another_user() -> None:
    made = world()
    frozen(made, Person("bob", made.clock).lists, Contradiction.OTHER_USER)


def test_the_lists_of_another_contact() -> None:
    made = world()
    carol = Person("carol", made.clock)
    made.alice.first.learn("carol", carol.lists)
    frozen(made, carol.lists, Contradiction.OTHER_USER)
    assert made.alice.first.learn("carol", carol.lists).events == ()


def test_a_chain_that_begins_with_a_true_device() -> None:
    """Mallory lists her own device under the id and the name of Bob's first."""
    made = world()
    mallory = Person("bob", made.clock)
    mallory.add()
    frozen(made, mallory.lists, Contradiction.OTHER_USER)


# --- lies from the start, and about ourselves --------------------------------------------------------------


def test_the_first_lists_of_a_name_are_a_lie() -> None:
    """Alice meets Mallory as Carol. What was for Mallory goes to nobody once `replace` was called."""
    made = world()
    mallory, alice = Person("carol", made.clock), made.alice.first
    carol = Person("carol", made.clock)
    alice.learn("carol", mallory.lists)
    alice.send("carol", b"for mallory, as it seems")
    number = alice.contact("carol").safety_number().digits
    assert number != carol_number(carol, made)
    assert [each.kind for each in alice.learn("carol", carol.lists).events] == [EventKind.CONFLICT]
    alice.contact("carol").replace()
    assert alice.contact("carol").safety_number().digits == carol_number(carol, made)
    assert alice.begin(Address("carol", 1), carol.first.account.bundle()).outgoing == ()


def carol_number(carol: Person, made: World) -> str:
    carol.first.learn("alice", made.alice.lists)
    return carol.first.contact("alice").safety_number().digits


def test_another_user_under_our_own_name() -> None:
    made = world(alices=2)
    learned = made.alice.first.learn("alice", Person("alice", made.clock).lists)
    assert [each.kind for each in learned.events] == [EventKind.CONFLICT]
    assert [each.id for each in made.alice.first.devices()] == [1, 2]
    made.servers.send(made.alice.first, "bob", b"I am still I")
    assert made.servers.bodies(made.bob.first) == [b"I am still I"]


def test_an_old_list_under_our_own_name_brings_no_revoked_device_back() -> None:
    made = world(alices=2)
    made.alice.revoke(2)
    made.alice.first.learn("alice", made.alice.lists)
    learned = made.alice.first.learn("alice", made.alice.lists[:2])
    assert [each.kind for each in learned.events] == [EventKind.CONFLICT]
    assert [each.id for each in made.alice.first.devices()] == [1]
    sent = made.alice.first.send("bob", b"not for the thief")
    reached = [each.address for each in sent] + [each.address for each in sent.needs]
    assert Address("alice", 2) not in reached


def test_a_withheld_version_of_our_own_list_is_told_by_a_contact() -> None:
    """Alice's second device does not know of her third; Bob does, and what he writes shows it."""
    made = world(alices=2)
    second = made.alice.devices[2]
    made.servers.send(second, "bob", b"hello")
    made.alice.add()
    made.bob.first.learn("alice", made.alice.lists)
    (sent,) = [each for each in made.bob.first.send("alice", b"to all") if each.address == second.address]
    incoming = second.receive(made.bob.first.address, sent.message)
    needs = [(each.kind, each.name, each.after) for each in incoming.needs]
    assert (NeedKind.LISTS, "alice", 2) in needs
    learned = second.learn("alice", [])
    assert EventKind.UNKNOWN_HEAD in {each.kind for each in learned.events}


def test_a_thief_of_a_newer_device_reads_only_until_it_is_revoked() -> None:
    """Section B2, "stolen device": what it signs within the rules is taken, and taken back."""
    made = world(bobs=2)
    made.bob.add(signer=2)
    made.alice.first.learn("bob", made.bob.lists)
    assert len(made.alice.first.contact("bob").devices) == 3
    made.bob.revoke(3)
    made.bob.revoke(2)
    made.alice.first.learn("bob", made.bob.lists)
    sent = made.alice.first.send("bob", b"only for the first")
    assert [each.address for each in sent] + [each.address for each in sent.needs] == [Address("bob", 1)]


@pytest.mark.parametrize("code", ["identity key", "user id", "the number of devices"])
def test_nothing_but_the_number_of_both_users_verifies(code: str) -> None:
    """Section B2, "key/device id confusion in verification"."""
    made = world()
    contact = made.alice.first.contact("bob")
    listed = made.bob.lists[0].snapshot.devices[0]
    codes = {
        "identity key": listed.identity.data,
        "user id": made.bob.first.user_id,
        "the number of devices": bytes(made.alice.first.account.identity.data + listed.identity.data),
    }
    with unchanged(store_of(made.alice.first)), pytest.raises(SafetyNumberMismatch):
        contact.verify(codes[code])
    assert contact.state is ContactState.UNVERIFIED
