"""What an old device refuses while it links a new one: messages that others changed, and lists that moved on.

USR-20 to USR-22, USR-34, USR-45."""

from dataclasses import replace

import pytest

from letterlock import Address, MemoryStore, UsageError
from letterlock.errors import (
    AuthenticationFailed,
    InvalidSignature,
    LetterlockError,
    MalformedMessage,
    PeerError,
)
from letterlock.limits import MAX_DEVICES
from letterlock.user import (
    EventKind,
    LinkingRefused,
    ListChain,
    NewDevice,
    Outcome,
)
from letterlock.user import _link as link_module
from letterlock.user._linking import linking_digits
from support.linkings import FULL, LIMITED, Linking, begun, linkings, versions
from support.pair import flipped
from support.user_devices import Person, own_record

# --- somebody between the two -----------------------------------------------------------------------------


def test_another_bundle_than_the_code_names_is_refused() -> None:
    """Section B2, "malicious QR linking": the bundle is swapped on its way."""
    made, it = begun()
    thief = NewDevice.begin(MemoryStore(), clock=made.clock)
    for bundle in (thief.bundle, flipped(it.new.bundle, 100), it.new.bundle[:-1], b""):
        with pytest.raises(LinkingRefused, match="not the one of the code"):
            made.alice.first.link(it.new.code, bundle)
    assert linkings(made.alice.first) == 0


def test_a_thief_who_swaps_code_and_bundle_shows_other_digits() -> None:
    """The thief knows the code, and plays the old device to the new one and a new one to the old."""
    made, it = begun()
    thief_old, thief_new = Person("alice", made.clock), NewDevice.begin(MemoryStore(), clock=made.clock)
    towards_new = thief_old.first.link(it.new.code, it.new.bundle)
    towards_old = made.alice.first.link(thief_new.code, thief_new.bundle)
    towards_new.receive(it.new.receive_offer(towards_new.offer))
    towards_old.receive(thief_new.receive_offer(towards_old.offer))
    # The person compares the screens of their own two devices, and does not confirm.
    assert towards_old.digits != it.new.digits
    assert versions(made.alice.first) == 1


def test_the_digits_cover_the_offer_and_the_nonce() -> None:
    _, it = begun()
    it.answer()
    with it.store.transaction():
        nonce = it.new._load()[0].nonce
    code = it.new.code
    assert linking_digits(code, it.link.offer, nonce) == it.link.digits
    assert linking_digits(code, flipped(it.link.offer, 5), nonce) != it.link.digits


def test_an_offer_that_was_changed_is_refused() -> None:
    _, it = begun()
    it.begin()
    for at in (0, 1200, len(it.link.offer) - 1):
        with pytest.raises((AuthenticationFailed, LetterlockError)):
            it.new.receive_offer(flipped(it.link.offer, at))
    it.link.receive(it.new.receive_offer(it.link.offer))


def test_a_wrong_answer_changes_nothing() -> None:
    """Section B2, "key and device id confusion": an answer of another linking, or a changed one."""
    made, it = begun()
    it.begin()
    answer = it.new.receive_offer(it.link.offer)
    other = Linking(made.bob.first, made.clock)
    other.begin()
    for wrong in (
        other.new.receive_offer(other.link.offer), b"", answer[:-1], flipped(answer, 10),
        flipped(answer, 2500), flipped(answer, len(answer) - 1),
    ):  # fmt: skip
        with pytest.raises(PeerError):
            it.link.receive(wrong)
        with pytest.raises(UsageError, match="not answered yet"):
            _ = it.link.digits
    it.link.receive(answer)
    with pytest.raises(LinkingRefused, match="answered already"):
        it.link.receive(flipped(answer, 2500))
    assert it.link.digits == it.new.digits


def test_a_package_for_another_device_is_refused() -> None:
    made, it = begun()
    other = Linking(made.alice.first, made.clock)
    it.answer()
    other.answer()
    package = it.link.confirm().package
    with pytest.raises(PeerError):
        other.new.receive_package(package)
    it.new.receive_package(package)


def test_a_package_that_was_changed_is_refused() -> None:
    _, it = begun()
    package = it.confirm().package
    for wrong in (b"", package[:-1], flipped(package, 40), flipped(package, len(package) - 1)):
        with pytest.raises((AuthenticationFailed, MalformedMessage, InvalidSignature, LetterlockError)):
            it.new.receive_package(wrong)
    it.new.receive_package(package)


# --- the device list --------------------------------------------------------------------------------------


def test_a_list_that_changed_meanwhile_is_not_overwritten() -> None:
    """Two versions in one place would be a fork, and freeze this user for every contact. USR-45."""
    made, it = begun(alices=2)
    it.answer()
    new_list = Linking(made.alice.devices[2], made.clock).confirm().device_list
    made.alice.first.learn("alice", [*made.alice.lists, new_list])
    with pytest.raises(UsageError, match="has changed since"):
        it.link.confirm()
    assert versions(made.alice.first) == 3
    ListChain.verify(made.alice.first.device_lists())
    # The person begins again, and the new device is added after the other one.
    again = Linking(made.alice.first, made.clock)
    assert again.finish().address.device_id == 4


def test_only_one_of_two_linkings_with_one_offer_each_is_confirmed() -> None:
    made, it = begun()
    other = Linking(made.alice.first, made.clock)
    it.answer()
    other.answer()
    it.link.confirm()
    with pytest.raises(UsageError, match="has changed since"):
        other.link.confirm()
    assert versions(made.alice.first) == 2


def test_a_new_device_that_was_given_an_old_chain_is_not_listed_by_anybody_else() -> None:
    """A revoked device that does not know of it links another one: its list is a fork."""
    made, _ = begun(alices=2)
    revoked = made.alice.devices[2]
    made.alice.revoke(2)
    made.bob.first.learn("alice", made.alice.lists)
    thief = Linking(revoked, made.clock)
    linked = thief.finish()
    incoming = made.bob.first.receive(linked.address, b"anything")
    assert incoming.outcome is not Outcome.READ
    learned = made.bob.first.learn("alice", revoked.device_lists())
    assert [each.kind for each in learned.events] == [EventKind.CONFLICT]
    assert Address("alice", 3) not in {
        Address("alice", each.id) for each in made.alice.lists[-1].snapshot.devices
    }


def test_a_device_that_knows_of_its_revocation_links_nobody() -> None:
    made, _ = begun(alices=2)
    second = made.alice.devices[2]
    early = Linking(second, made.clock)
    early.answer()
    made.alice.revoke(2)
    second.learn("alice", made.alice.lists)
    with pytest.raises(UsageError, match="revoked"):
        early.link.confirm()
    with pytest.raises(UsageError, match="revoked"):
        Linking(second, made.clock).begin()
    assert versions(second) == 3


def test_a_limited_device_links_nobody_and_has_no_seeds() -> None:
    """USR-8, USR-43."""
    made, it = begun(device_class=LIMITED)
    kiosk = it.finish()
    assert own_record(kiosk).seeds == ()
    for device_class in (FULL, LIMITED):
        with pytest.raises(UsageError, match="class limited"):
            Linking(kiosk, made.clock, device_class).begin()
    assert versions(kiosk) == 2
    # It does get messages.
    made.alice.devices[2] = kiosk
    made.alice.lists.append(it.confirmed.device_list)
    made.servers.send(made.bob.first, "alice", b"text")
    made.servers.send(made.bob.first, "alice", b"after the list is known")
    assert b"after the list is known" in made.servers.bodies(kiosk)


def test_a_full_user_links_no_further_device() -> None:
    made, it = begun()
    own = own_record(made.alice.first)
    assert own.pin.snapshot is not None
    (device,) = own.pin.snapshot.devices
    many = tuple(replace(device, id=each) for each in range(1, MAX_DEVICES + 1))
    snapshot = replace(own.pin.snapshot, devices=many)
    with pytest.raises(UsageError, match="at most 32 devices"):
        link_module.require_room(snapshot)
    link_module.require_room(replace(snapshot, devices=many[1:]))
    it.begin()
