"""Receiving: what becomes of a message, whoever wrote it and whatever the directory shows."""

from dataclasses import replace

import pytest

from letterlock import Address, MemoryStore
from letterlock._wire.content import Content, message_tag
from letterlock._wire.content_bodies import ArchiveKey, HistoryKey, ListNotice, SyncCopy
from letterlock.errors import AddressMismatch, Cause
from letterlock.user import (
    ContactFrozen,
    ContentKind,
    DeviceNotListed,
    DeviceRevoked,
    EventKind,
    Incoming,
    NeedKind,
    Outcome,
    RetryCause,
    User,
)
from support.memory_copies import copy_of
from support.user_devices import MINUTE, Person, World, own_record, world
from support.user_tools import FULL, RECOVERY, Owner

ID = bytes(range(16))


def talking(alices: int = 1, bobs: int = 1) -> World:
    """Return a world in which every device has a session with every other one of the conversation."""
    made = world(alices, bobs)
    made.servers.send(made.alice.first, "bob", b"first")
    made.servers.send(made.bob.first, "alice", b"answer")
    return made


def crafted(made: World, sender: User, kind: int, body: bytes) -> bytes:
    """Return a message to bob.1 with a content that `send` would not make."""
    own, theirs = own_record(sender).pin.hash[:8], made.bob.lists[-1].hash[:8]
    content = Content(kind, ID, made.clock(), own, theirs, body)
    return sender.account.encrypt(Address("bob", 1), content.encode())


def why(incoming: Incoming) -> tuple[type[object], Cause | None]:
    """Return the class of the error that came with a message, and its cause."""
    return type(incoming.error), incoming.error.cause if incoming.error is not None else None


# --- who is read ------------------------------------------------------------------------------------------


def test_an_unknown_name_is_held_until_its_lists_are_learned() -> None:
    made = talking()
    carol = Person("carol", made.clock)
    made.servers.join(carol)
    carol.first.learn("bob", made.bob.lists)
    carol.first.send("bob", b"hello")
    (sent,) = carol.first.begin(Address("bob", 1), made.bob.first.account.bundle())
    held = made.bob.first.receive(carol.first.address, sent.message)
    assert held.outcome is Outcome.HELD
    assert [(each.kind, each.name, each.after) for each in held.needs] == [(NeedKind.LISTS, "carol", 0)]
    made.bob.first.learn("carol", carol.lists)
    assert made.bob.first.receive(carol.first.address, sent.message).body == b"hello"


def test_a_device_that_the_server_invents_is_not_read() -> None:  # USR-30
    """Section B2, "server adds a device": bob reads nothing of alice.9, whoever it is."""
    made = talking()
    mallory = Person("alice", made.clock)
    mallory.first.learn("bob", made.bob.lists)
    mallory.first.send("bob", b"I am Alice")
    (sent,) = mallory.first.begin(Address("bob", 1), made.bob.first.account.bundle())
    made.clock.now += 2 * MINUTE
    held = made.bob.first.receive(Address("alice", 9), sent.message)
    assert held.outcome is Outcome.HELD
    made.bob.first.learn("alice", [])  # an honest directory has nothing newer
    refused = made.bob.first.receive(Address("alice", 9), sent.message)
    assert (refused.outcome, refused.body, refused.needs) == (Outcome.REFUSED, None, ())
    assert why(refused) == (DeviceNotListed, Cause.NOT_LISTED)
    assert (held.error, held.cause) == (None, None)


@pytest.mark.parametrize(("seconds", "outcome"), [(4, Outcome.REFUSED), (5, Outcome.HELD)])
def test_a_device_may_write_as_soon_as_it_is_linked(seconds: int, outcome: Outcome) -> None:
    """Bob asked the directory a moment before it had Alice's new device."""
    made = talking()
    made.bob.first.learn("alice", [])
    new = made.alice.add()
    new.learn("bob", made.bob.lists)
    new.send("bob", b"from my new phone")
    (sent, *_) = new.begin(Address("bob", 1), made.bob.first.account.bundle())
    made.clock.now += seconds
    incoming = made.bob.first.receive(new.address, sent.message)
    assert incoming.outcome is outcome
    assert [each.kind for each in incoming.needs] == [NeedKind.LISTS] * (outcome is Outcome.HELD)
    made.bob.first.learn("alice", made.alice.lists[1:])
    if outcome is Outcome.HELD:
        assert made.bob.first.receive(new.address, sent.message).body == b"from my new phone"


def test_another_key_under_the_address_of_a_listed_device_is_not_read() -> None:  # USR-30
    made = talking()
    mallory = Person("alice", made.clock)
    mallory.first.learn("bob", made.bob.lists)
    mallory.first.send("bob", b"I am Alice")
    (sent,) = mallory.first.begin(Address("bob", 1), made.bob.first.account.bundle())
    refused = made.bob.first.receive(made.alice.first.address, sent.message)
    assert (refused.outcome, refused.body) == (Outcome.REFUSED, None)
    made.servers.send(made.alice.first, "bob", b"still me")
    assert made.servers.bodies(made.bob.first)[-1] == b"still me"


def test_a_revoked_device_is_not_read_by_those_who_know() -> None:  # USR-37
    made = talking(alices=2)
    made.alice.revoke(2)
    made.bob.first.learn("alice", made.alice.lists)
    (sent, *_) = made.alice.devices[2].send("bob", b"from a stolen device")
    assert sent.address == Address("bob", 1)
    incoming = made.bob.first.receive(made.alice.devices[2].address, sent.message)
    assert (incoming.outcome, incoming.body) == (Outcome.REFUSED, None)
    assert why(incoming) == (DeviceRevoked, Cause.REVOKED)
    assert "link the device again" in str(incoming.error)


def test_a_message_from_a_contact_in_conflict_is_held_and_read_after_keep() -> None:
    made = talking()
    (sent,) = made.alice.first.send("bob", b"which Alice?")
    made.bob.first.learn("alice", Person("alice", made.clock).lists)
    assert made.bob.first.receive(made.alice.first.address, sent.message).outcome is Outcome.HELD
    made.bob.first.contact("alice").keep()
    assert made.bob.first.receive(made.alice.first.address, sent.message).body == b"which Alice?"


# --- what is read once ------------------------------------------------------------------------------------


def test_a_repeat_is_named_as_one_also_after_the_store_was_opened_again() -> None:  # USR-32
    made = talking()
    (sent,) = made.alice.first.send("bob", b"once")
    assert made.bob.first.receive(made.alice.first.address, sent.message).body == b"once"
    again = made.bob.first.receive(made.alice.first.address, sent.message)
    assert (again.outcome, again.body, again.events) == (Outcome.REPEATED, None, ())


def test_what_a_restored_device_sends_again_is_given_once() -> None:  # USR-47
    """Alice's store is put back to a copy in which the text still waits for a session."""
    made = world()
    made.alice.first.send("bob", b"once")
    store = made.alice.first._desk.book.store
    assert isinstance(store, MemoryStore)
    outcomes = []
    for each_store in (store, copy_of(store)):
        alice = User.open(each_store, clock=made.clock)
        messages = alice.begin(Address("bob", 1), made.bob.first.account.bundle())
        outcomes += [made.bob.first.receive(alice.address, each.message) for each in messages]
    assert [(each.outcome, each.body) for each in outcomes] == [
        (Outcome.READ, b"once"), (Outcome.REPEATED, None),
    ]  # fmt: skip


def test_malformed_content_is_refused_and_its_key_is_used_up() -> None:  # USR-32
    made = talking()
    message = made.alice.first.account.encrypt(Address("bob", 1), b"no content")
    assert made.bob.first.receive(made.alice.first.address, message).outcome is Outcome.REFUSED
    assert made.bob.first.receive(made.alice.first.address, message).outcome is Outcome.REPEATED
    made.servers.send(made.alice.first, "bob", b"goes on")
    assert made.servers.bodies(made.bob.first)[-1] == b"goes on"


def test_a_forged_message_takes_no_place() -> None:
    made = talking()
    (sent,) = made.alice.first.send("bob", b"authentic")
    forged = sent.message[:-1] + bytes([sent.message[-1] ^ 1])
    refused = made.bob.first.receive(made.alice.first.address, forged)
    assert (refused.outcome, refused.cause) == (Outcome.REFUSED, RetryCause.UNREADABLE)
    assert made.bob.first.receive(made.alice.first.address, sent.message).body == b"authentic"


def test_all_of_a_send_is_undone_together() -> None:  # USR-31
    made = talking(alices=2, bobs=2)
    with pytest.raises(KeyError), made.alice.first.transaction():
        made.alice.first.send("bob", b"lost")
        raise KeyError
    sent = made.alice.first.send("bob", b"kept")
    assert len(sent) == 3
    made.servers.carry(made.alice.first, sent)
    for device in made.bob.devices.values():
        assert made.servers.bodies(device)[-1] == b"kept"


# --- a device that was revoked ---------------------------------------------------------------------------


def test_a_revoked_device_sends_no_list_notice() -> None:  # USR-37
    made = talking(alices=2)
    made.alice.revoke(2)
    stolen = made.alice.devices[2]
    stolen.learn("alice", made.alice.lists)
    (sent,) = [each for each in made.bob.first.send("alice", b"to whom?") if each.address == stolen.address]
    incoming = stolen.receive(made.bob.first.address, sent.message)
    assert (incoming.outcome, incoming.outgoing) == (Outcome.READ, ())


def test_a_revoked_device_sends_nothing_that_waited() -> None:  # USR-37
    """Bob begins a session with a device that has a text for him and finds itself revoked."""
    made = world(alices=2)
    made.alice.revoke(2)
    stolen = made.alice.devices[2]
    stolen.send("bob", b"waits")
    stolen.learn("alice", made.alice.lists)
    made.bob.first.send("alice", b"to whom?")
    (sent,) = made.bob.first.begin(stolen.address, stolen.account.bundle())
    incoming = stolen.receive(made.bob.first.address, sent.message)
    assert (incoming.outcome, incoming.outgoing) == (Outcome.READ, ())


# --- heads ------------------------------------------------------------------------------------------------


def test_a_head_that_the_directory_never_shows_is_reported() -> None:  # USR-33
    """Section B2, "selective withholding": the directory hides version 2 from Bob."""
    made = talking()
    made.servers.lists["alice"] = list(made.alice.lists)
    made.alice.add()
    made.alice.first.learn("alice", made.alice.lists)
    (sent, *_) = made.alice.first.send("bob", b"I have a new device")
    incoming = made.bob.first.receive(made.alice.first.address, sent.message)
    assert incoming.body == b"I have a new device"
    assert [(each.kind, each.name, each.after) for each in incoming.needs] == [(NeedKind.LISTS, "alice", 1)]
    learned = made.bob.first.learn("alice", made.servers.lists["alice"][1:])
    assert [each.kind for each in learned.events] == [EventKind.UNKNOWN_HEAD]


def test_a_device_that_does_not_know_our_newest_list_is_sent_it_once() -> None:  # USR-34
    """Section B2, "rollback of manifest after revocation": the user's own device tells."""
    made = talking(alices=2)
    made.alice.revoke(2)
    made.alice.first.learn("alice", made.alice.lists)
    (sent,) = made.bob.first.send("alice", b"to whom?").outgoing[:1]
    incoming = made.alice.first.receive(made.bob.first.address, sent.message)
    (notice,) = incoming.outgoing
    read = made.bob.first.receive(made.alice.first.address, notice.message)
    assert read.kind == ContentKind.LIST_NOTICE
    assert made.bob.first.contact("alice").version == 3
    assert [each.id for each in made.bob.first.contact("alice").devices] == [1]


def test_a_notice_with_older_lists_changes_nothing() -> None:  # USR-35
    made = talking(alices=2)
    body = ListNotice((made.alice.lists[0],)).encode()
    message = crafted(made, made.alice.first, ContentKind.LIST_NOTICE, body)
    read = made.bob.first.receive(made.alice.first.address, message)
    assert (read.outcome, read.events) == (Outcome.READ, ())
    assert made.bob.first.contact("alice").version == 2


def test_a_notice_is_never_about_somebody_else() -> None:  # USR-35
    """Section B2, "list of another user": Carol's lists in Alice's notice are not Alice's."""
    made = talking()
    carol = Person("carol", made.clock)
    message = crafted(made, made.alice.first, ContentKind.LIST_NOTICE, ListNotice((carol.lists[0],)).encode())
    read = made.bob.first.receive(made.alice.first.address, message)
    assert (read.outcome, read.events, read.needs) == (Outcome.READ, (), ())
    assert [each.name for each in made.bob.first.contacts()] == ["alice"]


def test_a_fork_in_a_notice_freezes_the_contact() -> None:  # USR-35
    made = talking(alices=2)
    body = ListNotice(tuple(made.alice.fork(at=1)[1:])).encode()
    read = made.bob.first.receive(
        made.alice.first.address, crafted(made, made.alice.first, ContentKind.LIST_NOTICE, body)
    )
    assert [each.kind for each in read.events] == [EventKind.CONFLICT]
    evidence = made.bob.first.contact("alice").evidence
    assert evidence is not None


# --- kinds that only our own devices may send ---------------------------------------------------------------


@pytest.mark.parametrize("kind", [ContentKind.SYNC_COPY, ContentKind.HISTORY_KEY])
def test_a_contact_cannot_write_in_our_name(kind: ContentKind) -> None:  # USR-36
    made = talking()
    (own,) = made.alice.first.send("bob", b"I owe Alice 100")
    content = Content.decode(made.bob.first.account.decrypt(made.alice.first.address, own.message))
    body = (
        SyncCopy("alice", made.alice.first.user_id, replace(content)).encode()
        if kind is ContentKind.SYNC_COPY
        else HistoryKey(ID, ArchiveKey(bytes(32))).encode()
    )
    refused = made.bob.first.receive(made.alice.first.address, crafted(made, made.alice.first, kind, body))
    assert (refused.outcome, refused.body, refused.to) == (Outcome.REFUSED, None, None)


def test_the_tag_that_names_a_message_is_its_last_16_bytes() -> None:
    made = talking()
    (sent,) = made.alice.first.send("bob", b"text")
    assert message_tag(sent.message) == sent.message[-16:]


def test_a_message_from_our_own_address_is_refused_with_a_reason() -> None:
    made = talking()
    (sent,) = made.alice.first.send("bob", b"to Bob")
    refused = made.bob.first.receive(made.bob.first.address, sent.message)
    assert refused.outcome is Outcome.REFUSED
    assert why(refused) == (AddressMismatch, Cause.OTHER_ADDRESS)


def test_what_is_held_until_a_decision_says_so() -> None:  # USR-16
    made = talking(alices=2)
    made.bob.first.learn("alice", made.alice.fork(at=1))
    (sent, *_) = made.alice.first.send("bob", b"who am I?")
    held = made.bob.first.receive(made.alice.first.address, sent.message)
    assert (held.outcome, held.needs) == (Outcome.HELD, ())
    assert why(held) == (ContactFrozen, Cause.CONTRADICTION)


def test_a_recovery_device_writes_no_messages() -> None:  # USR-4
    """It is listed, and still refused with a reason."""
    made = talking()
    chain = Owner("alice", [(1, FULL), (9, RECOVERY)]).lists
    made.bob.first.learn("carol", chain)
    refused = made.bob.first.receive(Address("carol", 9), b"any bytes")
    assert refused.outcome is Outcome.REFUSED
    assert why(refused) == (DeviceNotListed, Cause.NOT_LISTED)
