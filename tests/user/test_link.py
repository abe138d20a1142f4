"""Linking between two devices with stores: what the old one signs, gives and keeps.

USR-19 to USR-22, USR-42, USR-43.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from letterlock import Address, SqliteStore, UsageError
from letterlock.limits import KEPT_LIFETIME, LINKING_LIFETIME
from letterlock.stores import EntryKind
from letterlock.user import (
    ContactState,
    DeviceClass,
    EventKind,
    InvalidDeviceList,
    Link,
    LinkingCode,
    LinkingRefused,
    Need,
    NeedKind,
    NewDevice,
    User,
)
from letterlock.user import _link as link_module
from support.linkings import FULL, Linking, begun, linkings, versions
from support.user_devices import Clock, Person, own_record

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
    it.confirm()
    (told,) = it.told.outgoing
    assert told.address == second.address
    incoming = second.receive(made.alice.first.address, told.message)
    assert [(each.kind, each.device) for each in incoming.events] == [(EventKind.OWN_DEVICES_CHANGED, 3)]
    assert second.devices() == made.alice.first.devices()


def test_a_device_without_session_is_noticed_when_it_has_one() -> None:
    """The notice is not counted as sent while there is no session to send it in. USR-34."""
    made, it = begun(alices=2)
    made.alice.devices[3] = it.finish()
    assert it.told.outgoing == ()
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
