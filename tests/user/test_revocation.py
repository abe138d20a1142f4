"""Revocation: who revokes whom, what the others learn of it, and what the revoked device still reads.

USR-11, USR-13, USR-37, USR-46, USR-48.
"""

from collections.abc import Callable

import pytest

from letterlock import Address, UsageError
from letterlock._wire.linking_payload import DocumentSeed
from letterlock.stores import EntryKind
from letterlock.user import (
    EventKind,
    ListChain,
    NeedKind,
    NewDevice,
    Outcome,
)
from letterlock.user import _revocation as revocation_module
from letterlock.user._document_seeds import document_key_pair
from support.revocations import LIMITED, revoked, seeds, talking, version
from support.user_devices import world

# --- what a revocation does -------------------------------------------------------------------------------


def test_the_other_devices_learn_it_and_get_the_new_seed() -> None:
    made = talking()
    first, second, third = made.alice.devices.values()
    result = revoked(made, 2)
    assert {each.address for each in result.outgoing} == {third.address}
    assert result.needs == ()
    made.servers.lists["alice"] = made.alice.lists[:3]  # a directory that hides it
    made.servers.carry(first, result.outgoing)
    assert [each.id for each in third.devices()] == [1, 3]
    assert seeds(third) == seeds(first)
    assert sorted(seeds(first)) == [1, 2]
    key = result.device_list.snapshot.document_key
    assert key is not None
    assert document_key_pair(DocumentSeed(seeds(first)[2])).public.data == key.public
    ListChain.verify(made.alice.lists)
    assert seeds(second).keys() == {1}


def test_a_device_without_session_gets_the_seed_with_the_first_one() -> None:
    made = world(alices=3)
    first, _, third = made.alice.devices.values()
    result = revoked(made, 2)
    assert result.outgoing == ()
    assert [(each.kind, each.device) for each in result.needs] == [(NeedKind.BUNDLE, 3)]
    made.servers.meet(first, result.needs)
    assert seeds(third) == seeds(first)
    assert sorted(seeds(third)) == [1, 2]
    assert [each.id for each in third.devices()] == [1, 3]


def test_a_seed_is_kept_until_it_is_acknowledged() -> None:
    made = talking()
    first = made.alice.first
    with first.transaction():
        before = first._desk.book.store.tables.entries.count(EntryKind.SENT)
    result = revoked(made, 2)
    with first.transaction():
        assert first._desk.book.store.tables.entries.count(EntryKind.SENT) == before + 1
    third = made.alice.devices[3]
    made.servers.carry(first, result.outgoing)
    with third.transaction():
        rows = list(third._desk.book.store.tables.entries.due(EntryKind.RECEIVED, 2**62, 100))
    assert any(row.due is not None and row.due < made.clock.now + 60 for row in rows)


def test_a_limited_device_learns_it_and_gets_no_seed() -> None:
    made = world(alices=2)
    made.alice.add(device_class=LIMITED)
    made.alice.devices[2].learn("alice", made.alice.lists)
    for user in made.alice.devices.values():
        made.servers.send(user, "alice", b"hello")
    result = revoked(made, 2)
    kiosk = made.alice.devices[3]
    assert [each.address for each in result.outgoing] == [kiosk.address]  # the notice
    assert result.needs == ()
    made.servers.lists["alice"] = made.alice.lists[:3]
    made.servers.carry(made.alice.first, result.outgoing)
    assert [each.id for each in kiosk.devices()] == [1, 3]
    assert seeds(kiosk) == {}


def test_the_next_device_gets_all_seeds() -> None:
    made = talking()
    made.servers.carry(made.alice.first, revoked(made, 2).outgoing)
    fourth = made.alice.add(signer=3)
    assert seeds(fourth) == seeds(made.alice.first)
    assert sorted(seeds(fourth)) == [1, 2]


def test_a_device_that_waits_for_a_seed_links_nobody_meanwhile() -> None:
    made = talking()
    revoked(made, 2)
    third = made.alice.devices[3]
    third.learn("alice", made.alice.lists)
    new = NewDevice.begin(made.alice.store(), clock=made.clock)
    with pytest.raises(UsageError, match="seed"):
        third.link(new.code, new.bundle)
    third.link(new.code, new.bundle, LIMITED)  # it needs none


# --- the revoked device -----------------------------------------------------------------------------------


def test_a_revoked_device_reads_nothing_sealed_afterwards() -> None:
    made = talking(bobs=2)
    second = made.alice.devices[2]
    made.servers.carry(made.alice.first, revoked(made, 2).outgoing)
    made.servers.read.clear()
    # Bob sends before he knows, is told by the answer, and sends again.
    made.servers.send(made.alice.first, "bob", b"by the way")
    assert [each.id for each in made.bob.first.contact("alice").devices] == [1, 3]
    made.servers.send(made.bob.first, "alice", b"not for the thief")
    made.servers.send(made.alice.first, "alice", b"a note")
    assert made.servers.bodies(second) == []
    assert b"not for the thief" in made.servers.bodies(made.alice.devices[3])
    assert made.alice.first.account.session(second.address) is None
    assert made.bob.first.account.session(second.address) is None


def test_what_a_revoked_device_sends_is_read_by_nobody_who_knows() -> None:
    made = talking()
    second = made.alice.devices[2]
    early = second.send("bob", b"from the thief")
    made.servers.carry(made.alice.first, revoked(made, 2).outgoing)
    made.bob.first.learn("alice", made.alice.lists)
    for user, sent in ((made.bob.first, early), (made.alice.devices[3], early)):
        (message,) = [each for each in sent if each.address == user.address]
        assert user.receive(second.address, message.message).outcome is Outcome.REFUSED


def test_no_session_with_a_revoked_device_begins_again() -> None:
    made = talking()
    second = made.alice.devices[2]
    bundle = second.account.bundle()
    revoked(made, 2)
    with pytest.raises(UsageError, match="newest device list"):
        made.alice.first.begin(second.address, bundle)


def test_a_waiting_message_for_a_revoked_device_is_dropped() -> None:
    made = world(alices=2)
    made.alice.first.send("alice", b"for the second")
    revoked(made, 2)
    with made.alice.first.transaction():
        assert made.alice.first._desk.outbox.all() == []


def test_a_revoked_device_finds_out_and_neither_sends_nor_revokes() -> None:
    made = talking()
    second = made.alice.devices[2]
    revoked(made, 2)
    learned = second.learn("alice", made.alice.lists)
    assert EventKind.REVOKED in {each.kind for each in learned.events}
    calls: tuple[Callable[[], object], ...] = (
        lambda: second.send("bob", b"text"),
        lambda: second.revoke(3),
        lambda: second.revoke(2),
    )
    for call in calls:
        with pytest.raises(UsageError, match="revoked"):
            call()


# --- who revokes whom -------------------------------------------------------------------------------------


def test_nobody_is_locked_out_by_a_thief_of_a_newer_device() -> None:
    """Section B2, "stolen device revokes the others first"."""
    made = talking()
    thief = made.alice.devices[3]
    for older in (1, 2):
        with pytest.raises(UsageError, match="listed before"):
            thief.revoke(older)
    assert version(thief) == 3
    assert sorted(seeds(thief)) == [1]
    # The owner of the older ones is still in, and shuts the thief out.
    made.servers.carry(made.alice.devices[2], revoked(made, 3, signer=2).outgoing)
    assert [each.id for each in made.alice.first.devices()] == [1, 2]


def test_a_thief_who_adds_devices_does_not_reach_older_ones() -> None:
    made = talking()
    thief = made.alice.devices[3]
    accomplice = made.alice.add(signer=3)
    for older in (1, 2, 3):
        with pytest.raises(UsageError, match="listed before"):
            accomplice.revoke(older)
    made.alice.first.learn("alice", made.alice.lists)
    revoked(made, 3)
    revoked(made, 4)
    assert [each.id for each in made.alice.first.devices()] == [1, 2]
    learned = thief.learn("alice", made.alice.lists)
    assert EventKind.REVOKED in {each.kind for each in learned.events}


def test_a_limited_device_revokes_nobody_not_even_itself() -> None:
    made = world()
    kiosk = made.alice.add(device_class=LIMITED)
    for device_id in (1, 2):
        with pytest.raises(UsageError, match="class limited"):
            kiosk.revoke(device_id)
    assert version(kiosk) == 2


@pytest.mark.parametrize("device_id", [0, 4, 77, -1, 2**32, True, "2", None])
def test_a_device_that_is_not_listed_cannot_be_revoked(device_id: object) -> None:
    made = world(alices=3)
    with pytest.raises(UsageError):
        made.alice.first.revoke(device_id)  # type: ignore[arg-type]
    assert version(made.alice.first) == 3


def test_a_device_is_revoked_once() -> None:
    made = talking()
    revoked(made, 2)
    with pytest.raises(UsageError, match="has this id"):
        made.alice.first.revoke(2)
    assert version(made.alice.first) == 4


def test_a_device_that_revokes_itself_tells_the_others_and_keeps_no_seed() -> None:
    made = talking()
    first, second, third = made.alice.devices.values()
    result = revoked(made, 1)
    assert seeds(first).keys() == {1}
    made.servers.lists["alice"] = made.alice.lists[:3]
    for each in result.outgoing:
        made.servers.deliver(first.address, each)
    for user in (second, third):
        assert [each.id for each in user.devices()] == [2, 3]
        assert seeds(user).keys() == {1, 2}
    assert seeds(second) == seeds(third)
    with pytest.raises(UsageError, match="was revoked"):
        first.send("bob", b"text")
    assert result.needs == ()


def test_limited_devices_alone_are_not_left_behind() -> None:
    """USR-5."""
    made = world()
    made.alice.add(device_class=LIMITED)
    with pytest.raises(UsageError, match="no full device would be left"):
        made.alice.first.revoke(1)
    made.alice.revoke(2)
    result = made.alice.first.revoke(1)
    assert result.device_list.snapshot.devices == ()
    assert result.device_list.snapshot.document_key is None
    ListChain.verify([*made.alice.lists, result.device_list])


def test_the_last_list_ends_the_user() -> None:
    made = world()
    result = revoked(made, 1)
    assert (result.outgoing, result.needs) == ((), ())
    made.bob.first.learn("alice", made.alice.lists)
    assert made.bob.first.contact("alice").devices == ()
    assert made.bob.first.send("alice", b"anybody?").outgoing == ()
    with pytest.raises(UsageError, match="revoked"):
        made.alice.first.revoke(1)


# --- crashes ----------------------------------------------------------------------------------------------


class Crash(Exception):
    """The process ends here."""


@pytest.mark.parametrize("where", ["take_change", "with_seed", "sign_snapshot"])
def test_a_crash_while_it_revokes_changes_nothing(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    made = talking()
    first = made.alice.first

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(revocation_module, where, crash)
        with pytest.raises(Crash):
            first.revoke(2)
    assert version(first) == 3
    assert seeds(first).keys() == {1}
    assert first.account.session(Address("alice", 2)) is not None
    assert revoked(made, 2).device_list.snapshot.version == 4
