"""Linking between two devices with stores: what the old one signs, gives and keeps, and what it refuses.

USR-19 to USR-22, USR-42, USR-43, USR-45. `Linking` is one linking over bytes, with a restart wherever a test
wants one.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from letterlock import Address, MemoryStore, SqliteStore, Store, UsageError
from letterlock.errors import (
    AuthenticationFailed,
    InvalidSignature,
    LetterlockError,
    MalformedMessage,
    PeerError,
)
from letterlock.limits import KEPT_LIFETIME, LINKING_LIFETIME, MAX_DEVICES
from letterlock.stores import EntryKind
from letterlock.user import (
    ContactState,
    DeviceClass,
    EventKind,
    InvalidDeviceList,
    Link,
    LinkConfirmed,
    LinkingCode,
    LinkingRefused,
    ListChain,
    Need,
    NeedKind,
    NewDevice,
    Outcome,
    User,
)
from letterlock.user import _link as link_module
from letterlock.user._linking import linking_digits
from support.pair import flipped
from support.user_devices import Clock, Person, World, own_record, world

FULL, LIMITED = DeviceClass.FULL, DeviceClass.LIMITED


class Linking:
    """One linking of a new device, step by step."""

    def __init__(
        self, old: User, clock: Clock, device_class: DeviceClass = FULL, store: Store | None = None
    ) -> None:
        self.old, self.clock, self.device_class = old, clock, device_class
        self.store = store or MemoryStore()
        self.new = NewDevice.begin(self.store, "here", clock=clock)

    def begin(self) -> Link:
        self.link = self.old.link(self.new.code, self.new.bundle, self.device_class)
        return self.link

    def answer(self) -> None:
        self.begin().receive(self.new.receive_offer(self.link.offer))

    def confirm(self) -> LinkConfirmed:
        self.answer()
        assert self.link.digits == self.new.digits
        self.confirmed = self.link.confirm()
        return self.confirmed

    def finish(self) -> User:
        return self.new.receive_package(self.confirm().package)


def linkings(user: User) -> int:
    with user.transaction():
        return user._desk.book.store.tables.entries.count(EntryKind.LINKING)


def versions(user: User) -> int:
    return own_record(user).pin.version


def begun(alices: int = 1, **options: Any) -> tuple[World, Linking]:
    made = world(alices)
    return made, Linking(made.alice.first, made.clock, **options)


# --- a device is linked -----------------------------------------------------------------------------------


def test_a_new_device_is_one_of_the_users_with_contacts_seeds_and_messages() -> None:
    made, it = begun()
    number = made.alice.first.contact("bob").safety_number()
    made.alice.first.contact("bob").verify(number.digits)
    new = it.finish()
    assert new.address == Address("alice", it.link.device_id) == Address("alice", 2)
    assert new.user_id == made.alice.first.user_id
    assert own_record(new).seeds == own_record(made.alice.first).seeds
    assert new.contact("bob").state is ContactState.VERIFIED
    assert new.contact("bob").safety_number() == number
    assert new.devices() == made.alice.first.devices()
    assert it.confirmed.needs == (Need(NeedKind.BUNDLE, "alice", 2),)

    made.alice.devices[2] = new
    made.alice.lists.append(it.confirmed.device_list)
    made.servers.send(made.alice.first, "bob", b"from the old one")
    made.servers.send(new, "bob", b"from the new one")
    made.servers.send(made.bob.first, "alice", b"to both")
    assert made.servers.bodies(new) == [b"from the old one", b"to both"]
    assert made.servers.bodies(made.alice.first) == [b"from the new one", b"to both"]
    assert made.servers.bodies(made.bob.first) == [b"from the old one", b"from the new one"]


def test_other_devices_of_the_user_are_told_at_once_and_need_no_directory() -> None:
    """Section B2, "malicious QR linking": a device that is added cannot stay unseen."""
    made, it = begun(alices=2)
    second = made.alice.devices[2]
    made.servers.send(made.alice.first, "alice", b"so that there is a session")
    made.servers.send(second, "alice", b"answered")
    made.servers.lists["alice"] = made.alice.lists[:2]  # it hides the new version
    confirmed = it.confirm()
    (told,) = confirmed.outgoing
    assert told.address == second.address
    incoming = second.receive(made.alice.first.address, told.message)
    assert [(each.kind, each.device) for each in incoming.events] == [(EventKind.OWN_DEVICES_CHANGED, 3)]
    assert second.devices() == made.alice.first.devices()


def test_a_device_without_session_is_noticed_when_it_has_one() -> None:
    """The notice is not counted as sent while there is no session to send it in. USR-34."""
    made, it = begun(alices=2)
    made.alice.devices[3] = it.finish()
    assert it.confirmed.outgoing == ()
    second = made.alice.devices[2]
    made.servers.lists["alice"] = made.alice.lists[:2]
    made.servers.send(second, "alice", b"I know two versions")
    assert second.devices() == made.alice.first.devices()


def test_a_contact_that_was_not_verified_or_is_in_conflict_is_not_verified_on_the_new_device() -> None:
    """The new device meets a contradiction itself. USR-41."""
    made, it = begun()
    made.alice.first.contact("bob").verify(made.alice.first.contact("bob").safety_number().digits)
    mallory = Person("bob", made.clock)
    made.alice.first.learn("bob", mallory.lists)
    assert made.alice.first.contact("bob").state is ContactState.CONFLICTING
    carol = Person("carol", made.clock)
    made.alice.first.learn("carol", carol.lists)
    new = it.finish()
    assert [each.state for each in new.contacts()] == [ContactState.UNVERIFIED] * 2
    assert new.contact("bob").user_id == made.bob.first.user_id
    new.learn("bob", mallory.lists)
    assert new.contact("bob").state is ContactState.CONFLICTING


def test_a_linked_device_links_the_next_one() -> None:
    made, it = begun()
    second = it.finish()
    third = Linking(second, made.clock).finish()
    assert third.address.device_id == 3
    assert own_record(third).seeds == own_record(made.alice.first).seeds
    assert made.alice.first.learn("alice", third.device_lists(2)).events != ()
    assert third.devices() == made.alice.first.devices()


def test_it_goes_on_after_a_restart_at_every_step(tmp_path: Path) -> None:
    clock = Clock()
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    with SqliteStore(old, key=bytes(32)) as store, SqliteStore(new, key=bytes(32)) as empty:
        alice = User.create(store, "alice", clock=clock)
        begun = NewDevice.begin(empty, clock=clock)
        offer = alice.link(begun.code, begun.bundle).offer

    def reopened(step: Callable[[Link, NewDevice], Any]) -> Any:
        with SqliteStore(old, key=bytes(32)) as store, SqliteStore(new, key=bytes(32)) as empty:
            (link,) = User.open(store, clock=clock).links()
            return step(link, NewDevice.open(empty, clock=clock))

    assert reopened(lambda link, _: link.offer) == offer
    answer = reopened(lambda link, new: new.receive_offer(link.offer))
    reopened(lambda link, _: link.receive(answer))
    assert reopened(lambda link, new: (link.digits, link.device_id) == (new.digits, 2))
    first = reopened(lambda link, _: link.confirm())
    again = reopened(lambda link, _: link.confirm())
    assert (again.package, again.device_list) == (first.package, first.device_list)
    user = reopened(lambda _, new: new.receive_package(again.package))
    assert user.address == Address("alice", 2)


def test_a_lost_answer_and_a_lost_package_come_again() -> None:
    made, it = begun()
    it.begin()
    answer = it.new.receive_offer(it.link.offer)
    it.link.receive(answer)
    made.clock.now += 10 * LINKING_LIFETIME
    it.link.receive(answer)
    made.clock.now -= 10 * LINKING_LIFETIME
    package = it.link.confirm().package
    made.clock.now += 10 * LINKING_LIFETIME
    assert it.link.confirm().package == package
    assert it.new.receive_package(it.link.confirm().package).address.device_id == 2
    assert versions(made.alice.first) == 2
    it.link.forget()
    assert made.alice.first.links() == ()


def test_the_package_is_kept_for_thirty_days_and_the_rest_for_ten_minutes() -> None:
    made, it = begun()
    tables = made.alice.first._desk.book.store.tables
    it.answer()
    with made.alice.first.transaction():
        (row,) = tables.entries.all(EntryKind.LINKING)
    assert row.due == made.clock.now + LINKING_LIFETIME
    it.link.confirm()
    with made.alice.first.transaction():
        (row,) = tables.entries.all(EntryKind.LINKING)
    assert row.due == made.clock.now + KEPT_LIFETIME


def test_upkeep_deletes_what_has_expired_and_packages_after_thirty_days() -> None:
    made, it = begun()
    other = Linking(made.alice.first, made.clock)
    it.begin()
    other.confirm()
    made.clock.now += LINKING_LIFETIME
    made.alice.first.upkeep(made.clock.now)
    assert [each.device_id for each in made.alice.first.links()] == [other.link.device_id]
    assert linkings(made.alice.first) == 1
    made.clock.now += KEPT_LIFETIME - LINKING_LIFETIME
    made.alice.first.upkeep(made.clock.now)
    assert linkings(made.alice.first) == 0


def test_what_has_expired_is_deleted_when_the_next_linking_begins() -> None:
    made, it = begun()
    it.begin()
    made.clock.now += LINKING_LIFETIME
    Linking(made.alice.first, made.clock).begin()
    assert linkings(made.alice.first) == 1
    with pytest.raises(UsageError, match="nothing is kept"):
        _ = it.link.offer


# --- codes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["begin", "answer", "confirm"])
@pytest.mark.parametrize("by", [-1, LINKING_LIFETIME])
def test_outside_its_ten_minutes_a_code_adds_nobody(step: str, by: int) -> None:
    """USR-20."""
    made, it = begun()
    call: Callable[[], object] = it.begin
    if step != "begin":
        link = it.begin()
        answer = it.new.receive_offer(link.offer)
        call = partial(link.receive, answer)
        if step == "confirm":
            link.receive(answer)
            call = link.confirm
    made.clock.now += by
    with pytest.raises(LinkingRefused, match="expired"):
        call()
    assert versions(made.alice.first) == 1


def test_a_code_works_once() -> None:
    made, it = begun()
    it.begin()
    with pytest.raises(LinkingRefused, match="used already"):
        it.begin()
    assert linkings(made.alice.first) == 1


def test_a_code_works_for_one_of_two_old_devices() -> None:
    made, it = begun(alices=2)
    one = it.begin()
    other = made.alice.devices[2].link(it.new.code, it.new.bundle)
    it.new.receive_offer(one.offer)
    with pytest.raises(LinkingRefused, match="took an offer already"):
        it.new.receive_offer(other.offer)


def test_the_code_of_a_linked_device_is_worth_nothing() -> None:
    made, it = begun()
    code, bundle = it.new.code, it.new.bundle
    it.finish()
    it.link.forget()
    with pytest.raises(InvalidDeviceList, match="one key"):
        made.alice.first.link(code, bundle)
    assert linkings(made.alice.first) == 0


@pytest.mark.parametrize(
    "arguments",
    [("code", b"bundle", FULL), (None, b"", FULL), ("CODE", "bundle", FULL),
     ("CODE", b"", DeviceClass.RECOVERY), ("CODE", b"", 77)],
)  # fmt: skip
def test_a_wrong_call_is_misuse(arguments: tuple[Any, Any, Any]) -> None:
    made, it = begun()
    code, bundle, device_class = arguments
    with pytest.raises(UsageError):
        made.alice.first.link(it.new.code if code == "CODE" else code, bundle, device_class)
    assert linkings(made.alice.first) == 0


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


# --- crashes ----------------------------------------------------------------------------------------------


class Crash(Exception):
    """The process ends here."""


@pytest.mark.parametrize("where", ["take_change", "save_link", "payload_for"])
def test_a_crash_while_it_is_confirmed_changes_nothing(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    made, it = begun()
    it.answer()

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(link_module, where, crash)
        with pytest.raises(Crash):
            it.link.confirm()
    assert versions(made.alice.first) == 1
    assert len(made.alice.first.device_lists()) == 1
    (link,) = made.alice.first.links()
    assert it.new.receive_package(link.confirm().package).address.device_id == 2


def test_a_crash_before_an_offer_is_saved_hands_none_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made, it = begun()

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(link_module, "save_link", crash)
        with pytest.raises(Crash):
            it.begin()
    assert linkings(made.alice.first) == 0
    assert it.finish().address.device_id == 2


def test_steps_out_of_order_are_misuse() -> None:
    made, it = begun()
    it.begin()
    with pytest.raises(UsageError, match="not answered yet"):
        _ = it.link.digits
    with pytest.raises(UsageError, match="not answered yet"):
        it.link.confirm()
    it.link.forget()
    it.link.forget()
    uses: list[Callable[[], object]] = [
        lambda: it.link.digits, it.link.confirm, lambda: it.link.offer, lambda: it.link.device_id,
        lambda: it.link.receive(b""),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(UsageError, match="nothing is kept"):
            use()
    assert versions(made.alice.first) == 1


def test_a_typed_code_is_as_good_as_a_scanned_one() -> None:
    made, it = begun()
    code = LinkingCode.from_text(it.new.code.text().lower())
    link = made.alice.first.link(code, it.new.bundle)
    link.receive(it.new.receive_offer(link.offer))
    assert link.digits == it.new.digits


def test_a_link_shows_nothing_in_its_repr() -> None:
    _, it = begun()
    assert repr(it.begin()) == "<Link>"
    assert "package" not in repr(it.link._record())
