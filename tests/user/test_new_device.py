"""A new device that is linked through its store: it goes on after a crash at every step. A code works once.

USR-20, USR-42, USR-43. The old device is played by the values of user/_linking.py.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock._records.contact import ContactState, decode_contact
from letterlock._records.user import decode_user
from letterlock._wire.address import Address
from letterlock._wire.linking_payload import ContactPin, DocumentSeed, PayloadContents, PinState
from letterlock.account import Account
from letterlock.errors import (
    AccountExists,
    AuthenticationFailed,
    MalformedMessage,
    NoAccount,
    PeerError,
    UsageError,
)
from letterlock.limits import LINKING_LIFETIME
from letterlock.stores import EntryKind, MemoryStore, Store
from letterlock.user import (
    DeviceList,
    EventKind,
    LinkingRefused,
    ListChain,
    Need,
    NeedKind,
    NewDevice,
    User,
)
from letterlock.user._document_seeds import document_key_pair, seal_seeds
from letterlock.user._drafts import first_snapshot, next_snapshot
from letterlock.user._linking import offer_link
from letterlock.user._signatures import sign_snapshot
from support.pair import NOON, flipped
from support.user_tools import FULL, LIMITED, Owner, keys

SEEDS: Final = tuple((generation, DocumentSeed(bytes([generation]) * 32)) for generation in (1, 2, 3))
BOB: Final = ContactPin("bob", b"b" * 32, 3, b"h" * 32, PinState.VERIFIED)
EVE: Final = ContactPin("eve", b"e" * 32, 1, b"e" * 32, PinState.UNVERIFIED)
OLD: Final = keys("new device test 1")


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


def chain() -> ListChain:
    """Return the old device's list: three versions, each with a document key of its own."""
    public = [document_key_pair(seed).public.data for _, seed in SEEDS]
    snapshot = first_snapshot((OLD.listed(1),), public[0], NOON)
    lists = [sign_snapshot(snapshot, 1, OLD.signing, (OLD.prove(snapshot, 1),))]
    for key in public[1:]:
        draft = next_snapshot(lists[-1], lists[0].hash, NOON, document_key=key)
        lists.append(sign_snapshot(draft, 1, OLD.signing))
    return ListChain.verify(lists)


CHAIN: Final = chain()
CONTENTS: Final = PayloadContents("alice", SEEDS[-1][1], seal_seeds(SEEDS, CHAIN.user_id), (BOB, EVE))


class Linking:
    """One linking, and what the old device makes of it."""

    def __init__(self, store: Store | None = None) -> None:
        self.clock = Clock()
        self.store = store or MemoryStore()
        self.new = NewDevice.begin(self.store, "here", clock=self.clock)

    def reopened(self) -> NewDevice:
        return NewDevice.open(self.store, clock=self.clock)

    def offer(self, device_class: int = FULL) -> Any:
        code, bundle = self.new.code, self.new.bundle
        return offer_link(CHAIN, code, bundle, self.clock.now, (CHAIN.version + 1, device_class))

    def package(
        self, contents: PayloadContents = CONTENTS, device_class: int = FULL, reopen: bool = False
    ) -> bytes:
        offered = self.offer(device_class)
        answer = (self.reopened() if reopen else self.new).receive_offer(offered.sealed)
        answered = offered.receive(answer, self.clock.now)
        assert answered.digits == (self.reopened() if reopen else self.new).digits
        self.list, package = answered.confirm(1, OLD.signing, contents.encode(), self.clock.now)
        return bytes(package)

    list: DeviceList


def entries(store: Store, kind: EntryKind) -> list[Any]:
    with store.transaction():
        return list(store.tables.entries.all(kind))


@pytest.mark.parametrize("reopen", [False, True])
def test_a_device_is_linked_also_with_a_restart_before_every_step(reopen: bool) -> None:
    it = Linking()
    identity = it.offer().bundle.identity
    package = it.package(reopen=reopen)
    user = (it.reopened() if reopen else it.new).receive_package(package)
    assert user.address == Address("alice", CHAIN.version + 1)
    assert user.account.identity == identity
    assert User.open(it.store, clock=it.clock).account.identity == identity
    (own,) = (row.record.decoded(decode_user) for row in entries(it.store, EntryKind.USER))
    assert own.seeds == SEEDS
    assert (own.device_id, own.pin.user_id, own.pin.version) == (4, CHAIN.user_id, 4)
    assert own.pin.hash == it.list.hash
    assert len(entries(it.store, EntryKind.LIST)) == 4
    contacts = {row.key: row.record.decoded(decode_contact) for row in entries(it.store, EntryKind.CONTACT)}
    assert {name: (each.pin.version, each.pin.hash, each.state) for name, each in contacts.items()} == {
        b"bob": (3, b"h" * 32, ContactState.VERIFIED),
        b"eve": (1, b"e" * 32, ContactState.UNVERIFIED),
    }
    assert entries(it.store, EntryKind.LINKING) == []


def test_contacts_come_without_device_lists_which_are_fetched_when_they_are_needed() -> None:
    it = Linking()
    user = it.new.receive_package(it.package())
    assert [(each.name, each.version, each.devices) for each in user.contacts()] == [
        ("bob", 3, ()),
        ("eve", 1, ()),
    ]
    sent = user.send("bob", b"text")
    own, theirs = sent.needs
    assert (sent.outgoing, theirs) == ((), Need(NeedKind.LISTS, "bob", after=0))
    assert (own.kind, own.name) == (NeedKind.LISTS, "alice")  # USR-63: the directory has not shown them yet


def test_a_contact_is_taken_only_with_the_version_that_the_old_device_knew() -> None:
    """Section B2, "rollback of manifest after revocation": another chain, or an older one, is a conflict."""
    bob = Owner("bob of a new device")
    bob.next(add=[(2, FULL)])
    pin = ContactPin("bob", bob.user_id, 2, bob.lists[1].hash, PinState.VERIFIED)
    for lists in (bob.lists[:1], Owner("somebody else").lists):
        it = Linking()
        user = it.new.receive_package(it.package(replace(CONTENTS, pins=(pin,))))
        learned = user.learn("bob", lists)
        assert [each.kind for each in learned.events] == [EventKind.CONFLICT]
        assert user.contact("bob").state is ContactState.CONFLICTING
    it = Linking()
    user = it.new.receive_package(it.package(replace(CONTENTS, pins=(pin,))))
    user.learn("bob", bob.lists)
    assert [each.id for each in user.contact("bob").devices] == [1, 2]
    assert user.contact("bob").state is ContactState.VERIFIED


def test_code_and_bundle_are_the_same_after_a_restart() -> None:
    it = Linking()
    again = it.reopened()
    assert again.code.encode() == it.new.code.encode()
    assert again.bundle == it.new.bundle


def test_a_code_works_once() -> None:
    it = Linking()
    first, second = it.offer(), it.offer()
    answer = it.new.receive_offer(first.sealed)
    digits = it.new.digits
    for new in (it.new, it.reopened()):
        with pytest.raises(LinkingRefused, match="took an offer already"):
            new.receive_offer(second.sealed)
    assert it.new.digits == digits
    first.receive(answer, NOON)


def test_the_same_offer_gets_the_same_answer() -> None:
    """The answer was committed before it was handed out. If it is lost on its way, it can be given again."""
    it = Linking()
    offered = it.offer()
    answer = it.new.receive_offer(offered.sealed)
    it.clock.now += 10 * LINKING_LIFETIME
    assert it.new.receive_offer(offered.sealed) == answer
    assert it.reopened().receive_offer(offered.sealed) == answer


def test_beginning_again_makes_the_code_before_worthless() -> None:
    it = Linking()
    offered = it.offer()
    again = NewDevice.begin(it.store, clock=it.clock)
    assert again.code.encode() != offered.code.encode()
    with pytest.raises(AuthenticationFailed):
        again.receive_offer(offered.sealed)
    with pytest.raises(AuthenticationFailed):
        it.new.receive_offer(offered.sealed)


@pytest.mark.parametrize("by", [-1, LINKING_LIFETIME, 10**6])
def test_a_late_offer_is_refused_and_changes_nothing(by: int) -> None:
    """USR-20."""
    it = Linking()
    offered = it.offer()
    it.clock.now += by
    with pytest.raises(LinkingRefused, match="expired"):
        it.new.receive_offer(offered.sealed)
    it.clock.now = NOON
    it.new.receive_offer(offered.sealed)


def test_refused_offers_and_packages_change_nothing() -> None:
    it = Linking()
    offered = it.offer()
    for wrong in (b"", offered.sealed[:-1], flipped(offered.sealed, 1500), bytes(3000)):
        with pytest.raises(PeerError):
            it.new.receive_offer(wrong)
    package = it.package()
    for wrong in (b"", package[:-1], *(flipped(package, at) for at in range(0, len(package), 1999))):
        with pytest.raises(PeerError):
            it.new.receive_package(wrong)
        with pytest.raises(NoAccount):
            Account.open(it.store, clock=it.clock)
    it.new.receive_package(package)


def test_steps_out_of_order_are_misuse() -> None:
    it = Linking()
    with pytest.raises(UsageError, match="no offer yet"):
        it.new.receive_package(b"")
    with pytest.raises(UsageError, match="no offer yet"):
        _ = it.new.digits
    with pytest.raises(UsageError, match="no linking is under way"):
        NewDevice.open(MemoryStore())
    it.new.receive_package(it.package())
    uses: list[Callable[[], object]] = [
        lambda: it.new.code, lambda: it.new.bundle, lambda: it.new.digits, it.reopened,
        lambda: it.new.receive_offer(b""), lambda: it.new.receive_package(b""),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(UsageError, match="open the user"):
            use()
    with pytest.raises(AccountExists, match="empty store"):
        NewDevice.begin(it.store, clock=it.clock)


def test_a_store_with_an_account_cannot_become_a_new_device() -> None:
    store = MemoryStore()
    Account.create(store, Address("alice"))
    with pytest.raises(AccountExists):
        NewDevice.begin(store)
    assert entries(store, EntryKind.LINKING) == []


def test_a_linking_can_be_given_up() -> None:
    it = Linking()
    it.new.cancel()
    it.new.cancel()
    with pytest.raises(UsageError, match="no linking"):
        it.reopened()
    Account.create(it.store, Address("alice"))


# --- the payload ------------------------------------------------------------------------------------------


def test_a_limited_device_gets_no_seeds() -> None:
    """USR-43."""
    it = Linking()
    package = it.package(PayloadContents("alice", None, (), (BOB,)), LIMITED)
    it.new.receive_package(package)
    (own,) = (row.record.decoded(decode_user) for row in entries(it.store, EntryKind.USER))
    assert own.seeds == ()


def refused_contents(contents: PayloadContents, device_class: int = FULL) -> None:
    it = Linking()
    package = it.package(contents, device_class)
    with pytest.raises((LinkingRefused, MalformedMessage)):
        it.new.receive_package(package)
    for kind in (EntryKind.USER, EntryKind.LIST, EntryKind.CONTACT):
        assert entries(it.store, kind) == []
    assert len(entries(it.store, EntryKind.LINKING)) == 1


@pytest.mark.parametrize(
    ("contents", "device_class"),
    [
        (CONTENTS, LIMITED),
        (PayloadContents("alice", None, (), ()), FULL),
        (PayloadContents("alice", SEEDS[-1][1], (), ()), FULL),
        (PayloadContents("alice", SEEDS[0][1], CONTENTS.sealed, ()), FULL),
        (PayloadContents("alice", SEEDS[-1][1], CONTENTS.sealed[::-1], ()), FULL),
        (PayloadContents("alice", SEEDS[-1][1], CONTENTS.sealed, (EVE, BOB)), FULL),
        (PayloadContents(" ", SEEDS[-1][1], CONTENTS.sealed, ()), FULL),
    ],
)
def test_a_payload_that_does_not_fit_leaves_no_account(contents: PayloadContents, device_class: int) -> None:
    """USR-42, USR-43."""
    refused_contents(contents, device_class)


# --- crashes ----------------------------------------------------------------------------------------------


class Crash(Exception):
    """The process ends here."""


def test_a_crash_while_the_account_is_made_leaves_the_linking(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Linking()
    package = it.package()
    for name in ("_save_user",):
        with monkeypatch.context() as patch:
            patch.setattr(NewDevice, name, crash)
            with pytest.raises(Crash):
                it.new.receive_package(package)
        with pytest.raises(NoAccount):
            Account.open(it.store, clock=it.clock)
    assert it.reopened().receive_package(package).address.name == "alice"


def test_a_crash_before_an_answer_is_saved_hands_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Linking()
    one, other = it.offer(), it.offer()
    with monkeypatch.context() as patch:
        patch.setattr(NewDevice, "_save", crash)
        with pytest.raises(Crash):
            it.new.receive_offer(one.sealed)
    it.reopened().receive_offer(other.sealed)


def crash(*_: object) -> None:
    raise Crash


def test_on_disk_the_linking_goes_on_in_another_process(tmp_path: Path) -> None:
    from letterlock import SqliteStore

    path = tmp_path / "new.db"
    with SqliteStore(path, key=bytes(32)) as store:
        it = Linking(store)
        package = it.package()
    with SqliteStore(path, key=bytes(32)) as store:
        NewDevice.open(store, clock=it.clock).receive_package(package)
    with SqliteStore(path, key=bytes(32)) as store:
        assert Account.open(store, clock=it.clock).address.device_id == 4


def test_a_new_device_shows_nothing_in_its_repr() -> None:
    assert repr(Linking().new) == "<NewDevice>"
