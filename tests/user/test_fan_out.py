"""Fan-out: who gets a content, what waits for a session, and who gets nothing."""

from dataclasses import replace

import pytest

from letterlock import Address, UsageError
from letterlock.errors import AddressMismatch, PlaintextTooLong, UntrustedIdentity
from letterlock.limits import MAX_PLAINTEXT
from letterlock.stores import EntryKind
from letterlock.user import (
    Attachment,
    ContactFrozen,
    ContentKind,
    EventKind,
    Need,
    NeedKind,
    Outcome,
    User,
)
from support.user_devices import Clock, Person, World, world


def entries(user: User, kind: EntryKind) -> int:
    with user.transaction():
        return user._desk.book.store.tables.entries.count(kind)


def talking(alices: int = 1, bobs: int = 1) -> World:
    """Return a world in which every device has a session with every other one of the conversation."""
    made = world(alices, bobs)
    made.servers.send(made.alice.first, "bob", b"first")
    made.servers.send(made.bob.first, "alice", b"answer")
    return made


def test_a_text_reaches_every_device_of_both_people_once() -> None:
    made = world(alices=3, bobs=3)
    made.servers.send(made.alice.first, "bob", b"to all")
    for device in made.bob.devices.values():
        assert made.servers.bodies(device) == [b"to all"]
    for id_, device in made.alice.devices.items():
        assert made.servers.bodies(device) == ([] if id_ == 1 else [b"to all"])
    (copy,) = made.servers.read[Address("alice", 2)]
    assert (copy.sender, copy.device, copy.to) == ("alice", 1, "bob")


def test_a_copy_has_the_id_of_the_content() -> None:
    made = world(alices=2, bobs=1)
    id_ = made.servers.send(made.alice.first, "bob", b"text", kind=200)
    ids = {each.id for device in made.servers.read.values() for each in device}
    assert ids == {id_}
    assert {each.kind for device in made.servers.read.values() for each in device} == {200}


def test_what_is_sent_to_ourselves_reaches_our_other_devices_only() -> None:
    made = world(alices=2, bobs=1)
    made.servers.send(made.alice.first, "alice", b"a note")
    assert made.servers.bodies(made.alice.devices[2]) == [b"a note"]
    assert [each.to for each in made.servers.read[Address("alice", 2)]] == [None]
    assert made.bob.first.address not in made.servers.read


def test_a_device_without_session_is_a_need_and_gets_what_waited_in_order() -> None:
    made = world(bobs=2)
    sent = [made.alice.first.send("bob", body) for body in (b"1", b"2", b"3")]
    assert [each.outgoing for each in sent] == [()] * 3
    assert sent[0].needs == (Need(NeedKind.BUNDLE, "bob", 1), Need(NeedKind.BUNDLE, "bob", 2))
    made.servers.meet(made.alice.first, sent[0].needs)
    for device in made.bob.devices.values():
        assert made.servers.bodies(device) == [b"1", b"2", b"3"]


def test_attachments_arrive() -> None:
    made = talking()
    file = Attachment("a.png", "image/png", b"png" * 1000)
    made.servers.send(made.alice.first, "bob", b"see", attachments=[file])
    assert made.servers.read[made.bob.first.address][-1].attachments == (file,)


# --- nothing is sent --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("carol", {}),
        ("bob", {"kind": ContentKind.RECEIPT}),
        ("bob", {"kind": ContentKind.SYNC_COPY}),
        ("bob", {"kind": 63}),
        ("bob", {"kind": 256}),
        ("bob", {"sent": -1}),
        ("bob", {"sent": 1.5}),
        ("bob", {"attachments": [b"not one"]}),
    ],
)
def test_a_wrong_call_sends_and_keeps_nothing(name: str, options: dict[str, object]) -> None:
    made = talking()
    before = entries(made.alice.first, EntryKind.SENT)
    with pytest.raises(UsageError):
        made.alice.first.send(name, b"", **options)  # type: ignore[arg-type]
    assert entries(made.alice.first, EntryKind.SENT) == before


def test_an_address_is_no_name() -> None:
    made = talking()
    with pytest.raises(UsageError, match="name of a user as str, not Address"):
        made.alice.first.send(Address("bob"), b"")  # type: ignore[arg-type]


def test_a_body_beyond_the_limit_sends_nothing() -> None:
    made = talking()
    before = entries(made.alice.first, EntryKind.SENT)
    with pytest.raises(PlaintextTooLong):
        made.alice.first.send("bob", bytes(MAX_PLAINTEXT))
    assert entries(made.alice.first, EntryKind.SENT) == before


def test_a_frozen_contact_gets_nothing_and_no_session() -> None:
    """Section B2, "server adds a device": a conflict blocks, it does not warn."""
    made = talking()
    learned = made.alice.first.learn("bob", [*made.bob.lists, *made.bob.fork(at=1)[1:]])
    assert learned.events == ()  # a version that follows is no fork
    forked = made.bob.fork(at=1)
    learned = made.alice.first.learn("bob", forked)
    assert [each.kind for each in learned.events] == [EventKind.CONFLICT]
    with pytest.raises(ContactFrozen):
        made.alice.first.send("bob", b"text")
    with pytest.raises(ContactFrozen):
        made.alice.first.begin(Address("bob", 1), made.bob.first.account.bundle())


def test_a_device_outside_the_list_gets_no_session() -> None:
    """Section B2, "server adds a device": the server invents bob.9, with keys of its own."""
    made = talking()
    mallory = User.create(type(made.alice.first._desk.book.store)(), "bob")
    with pytest.raises(UsageError):
        made.alice.first.begin(Address("bob", 9), mallory.account.bundle())


def test_another_key_for_a_listed_device_gets_no_session() -> None:
    """Section B2, "key and device id confusion": the bundle is of bob.1 by name, and of another key."""
    made = world()
    mallory = Person("bob", made.clock)
    sent = made.alice.first.send("bob", b"secret")
    with pytest.raises(UntrustedIdentity):
        made.alice.first.begin(Address("bob", 1), mallory.first.account.bundle())
    # What waited still waits for the right device.
    made.servers.meet(made.alice.first, sent.needs)
    assert made.servers.bodies(made.bob.first) == [b"secret"]


def test_the_account_alone_gets_no_session_either() -> None:
    made = world()
    mallory = Person("bob", made.clock)
    with pytest.raises(UntrustedIdentity):
        made.alice.first.account.initiate(Address("bob", 1), mallory.first.account.bundle())
    with pytest.raises(AddressMismatch):
        carol = Person("carol", made.clock)
        made.alice.first.account.initiate(Address("carol", 1), carol.first.account.bundle())


def test_a_revoked_device_gets_nothing_from_those_who_know() -> None:
    """Section B2, "rollback of manifest after revocation": an older list does not bring it back."""
    made = talking(bobs=2)
    made.bob.revoke(2)
    made.alice.first.learn("bob", made.bob.lists)
    sent = made.alice.first.send("bob", b"only for 1")
    assert [each.address for each in sent] == [Address("bob", 1)]
    assert made.alice.first.account.session(Address("bob", 2)) is None
    older = made.alice.first.learn("bob", made.bob.lists[:2])
    assert [each.kind for each in older.events] == [EventKind.CONFLICT]
    with pytest.raises(ContactFrozen):
        made.alice.first.send("bob", b"more")


def test_what_waited_for_a_revoked_device_is_dropped() -> None:
    made = world(bobs=2)
    made.alice.first.send("bob", b"waits for both")
    made.bob.revoke(2)
    made.alice.first.learn("bob", made.bob.lists)
    with pytest.raises(UsageError):
        made.alice.first.begin(Address("bob", 2), made.bob.devices[2].account.bundle())
    begun = made.alice.first.begin(Address("bob", 1), made.bob.first.account.bundle()).outgoing
    assert [each.address for each in begun] == [Address("bob", 1)]


def test_a_device_that_was_revoked_sends_no_more() -> None:
    made = talking(alices=2)
    made.alice.revoke(2)
    learned = made.alice.devices[2].learn("alice", made.alice.lists)
    assert EventKind.REVOKED in {each.kind for each in learned.events}
    with pytest.raises(UsageError, match="revoked"):
        made.alice.devices[2].send("bob", b"too late")


def test_what_waits_is_not_given_to_another_user_under_the_name() -> None:
    """What was written to one person does not go to whoever takes the name."""
    made = world()
    made.alice.first.send("bob", b"for the first bob")
    other = Person("bob", made.clock)
    made.alice.first.learn("bob", other.lists)
    made.alice.first.contact("bob").replace()
    assert made.alice.first.begin(Address("bob", 1), other.first.account.bundle()).outgoing == ()


def test_an_exception_in_a_transaction_undoes_the_whole_send() -> None:
    made = talking()
    before = entries(made.alice.first, EntryKind.SENT)

    class Stop(Exception):
        pass

    with pytest.raises(Stop), made.alice.first.transaction():
        lost = made.alice.first.send("bob", b"never happened")
        raise Stop
    assert entries(made.alice.first, EntryKind.SENT) == before
    sent = made.alice.first.send("bob", b"happened")
    assert len(lost) == len(sent) == 1
    incoming = made.bob.first.receive(made.alice.first.address, sent.outgoing[0].message)
    assert (incoming.outcome, incoming.body) == (Outcome.READ, b"happened")


def test_a_call_that_interrupts_a_send_is_refused() -> None:
    """It would stand between reading a chain key and saving the next one. STO-9"""
    made = talking()
    alice, before = made.alice.first, entries(made.alice.first, EntryKind.SENT)
    clock, calls = made.alice.clock, list[bytes]()

    class Interrupting(Clock):
        def __call__(self) -> int:
            calls.append(alice.account.encrypt(Address("bob", 1), b"in between"))
            return self.now

    object.__setattr__(alice._desk, "environment", replace(alice._desk.environment, clock=Interrupting()))
    with pytest.raises(UsageError, match="interrupts another one"):
        alice.send("bob", b"never happened")
    assert calls == []
    object.__setattr__(alice._desk, "environment", replace(alice._desk.environment, clock=clock))
    assert entries(alice, EntryKind.SENT) == before
    assert made.servers.send(alice, "bob", b"happened")
    assert made.servers.bodies(made.bob.first)[-1] == b"happened"


def test_content_has_the_id_that_the_application_chose() -> None:
    made = talking(bobs=2)
    sent = made.alice.first.send("bob", b"kept for later", id=bytes(range(16)))
    assert sent.id == bytes(range(16))
    incoming = made.bob.first.receive(made.alice.first.address, sent.outgoing[0].message)
    assert (incoming.id, incoming.body) == (bytes(range(16)), b"kept for later")


@pytest.mark.parametrize("id_", [b"", bytes(15), bytes(17), bytearray(16), "0123456789abcdef", 1])
def test_an_id_that_is_none_is_refused(id_: object) -> None:
    made = talking()
    before = entries(made.alice.first, EntryKind.SENT)
    with pytest.raises(UsageError, match="id must be"):
        made.alice.first.send("bob", b"never sent", id=id_)  # type: ignore[arg-type]
    assert entries(made.alice.first, EntryKind.SENT) == before
