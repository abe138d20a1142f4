"""A full loss: every device is gone, the password is known, and a fresh device has everything again."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from letterlock import MemoryStore
from letterlock._primitives import hpke
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.labels import RECOVERY_BOX
from letterlock._primitives.xwing import XWingKeyPair
from letterlock._wire.linking import LinkingPayload
from letterlock._wire.linking_payload import PayloadContents
from letterlock._wire.recovery_box import BoxContents
from letterlock.documents import Documents
from letterlock.errors import AccountExists, LetterlockError, MalformedMessage, UsageError
from letterlock.recovery import (
    BoxRefused,
    Recovered,
    RecoveryCard,
    RecoveryKey,
    Remains,
    device_keys,
    enrol,
    recover_user,
    recovery_box,
)
from letterlock.recovery._enrolment import make_card
from letterlock.user import ContactState, DeviceClass, DeviceList, InvalidDeviceList, ListChain, User
from support.recovery_town import PASSWORD, Town, cheap
from support.user_devices import Person, World, own_record, world

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

TEXT = b"a finding of five years ago"


class Life:
    """Alice with three devices, a contact, a document for her, and a recovery device."""

    def __init__(self) -> None:
        self.world: World = world(alices=3)
        self.alice, self.bob = self.world.alice, self.world.bob
        self.key = RecoveryKey(system_entropy(32))
        enrolled = enrol(self.alice.first, self.key)
        self.card = RecoveryCard.decode(enrolled.card.encode())
        self.alice.lists.append(DeviceList.decode(enrolled.device_list.encode()))
        self.learn(self.alice.first, self.bob.first)
        self.box = recovery_box(self.alice.first, self.card)

    @property
    def remains(self) -> Remains:
        return Remains(tuple(self.alice.lists), self.box)

    def learn(self, *users: User) -> None:
        for user in users:
            self.world.servers.carry(user, user.learn("alice", self.alice.lists).outgoing)

    def lose(self) -> None:
        """Take every device away; what the servers hold stays."""
        self.alice.devices.clear()

    def come_back(self, *, revoke_others: bool = False, key: RecoveryKey | None = None) -> Recovered:
        store, clock = MemoryStore(), self.world.clock
        back = recover_user(store, key or self.key, self.remains, revoke_others=revoke_others, clock=clock)
        self.alice.lists.append(back.device_list)
        self.alice.devices[back.user.address.device_id] = back.user
        self.learn(back.user, self.bob.first)
        back.user.learn("bob", self.bob.lists)
        return back


@pytest.fixture
def life() -> Life:
    return Life()


def sealed_for_alice(life: Life) -> bytes:
    target = io.BytesIO()
    Documents(life.bob.first).seal(io.BytesIO(TEXT), target, ["alice"])
    return target.getvalue()


def read(user: User, document: bytes) -> bytes:
    return Documents(user).open(io.BytesIO(document)).read()


# --- what comes back ------------------------------------------------------------------------------------


def test_a_full_loss_from_the_password_to_the_documents(life: Life) -> None:
    """Two servers hold the lock of Alice's recovery key. All that is left of her is a password."""
    town = Town()
    town.key, town.chain = life.key, ListChain.verify(life.alice.lists)
    town.set_up()
    document = sealed_for_alice(life)
    life.lose()
    back = life.come_back(key=town.recover(PASSWORD).key, revoke_others=True)
    assert read(back.user, document) == TEXT
    town.chain = ListChain.verify(life.alice.lists)
    town.set_up()  # new keys of both servers, by the same recovery device
    assert town.recover(PASSWORD).key == life.key


def test_seeds_of_all_generations_come_back(life: Life) -> None:
    life.alice.revoke(3)
    life.learn(life.alice.devices[2], life.bob.first)
    life.box = recovery_box(life.alice.first, life.card)
    before = own_record(life.alice.first).seeds
    life.lose()
    back = life.come_back()
    assert [generation for generation, _ in before] == [1, 2]
    assert own_record(back.user).seeds == before


def test_the_lost_devices_can_be_revoked_at_once(life: Life) -> None:
    """They get no seed of the new generation, and nothing from the contact."""
    stolen = life.alice.devices[2]
    back = life.come_back(revoke_others=True)
    classes = {each.id: each.device_class for each in back.user.devices()}
    assert sorted(classes.values()) == [DeviceClass.FULL, DeviceClass.RECOVERY]
    assert [each for each, _ in own_record(back.user).seeds] == [1, 2]
    life.learn(stolen)
    assert own_record(stolen).seeds != own_record(back.user).seeds
    document = sealed_for_alice(life)
    assert read(back.user, document) == TEXT
    with pytest.raises(LetterlockError):
        read(stolen, document)


def test_contacts_come_back_with_what_was_verified(life: Life) -> None:
    number = life.alice.first.contact("bob").safety_number()
    life.alice.first.contact("bob").verify(number.digits)
    life.box = recovery_box(life.alice.first, life.card)
    life.lose()
    fresh = recover_user(MemoryStore(), life.key, life.remains, clock=life.world.clock).user
    ((name, state),) = [(each.name, each.state) for each in fresh.contacts()]
    assert (name, state) == ("bob", ContactState.VERIFIED)
    back = life.come_back()
    assert back.user.contact("bob").safety_number().digits == number.digits
    assert life.bob.first.contact("alice").safety_number().digits == number.digits


def test_conversations_begin_anew_and_the_contact_sees_the_device(life: Life) -> None:
    servers = life.world.servers
    servers.send(life.bob.first, "alice", b"before")
    life.lose()
    back = life.come_back(revoke_others=True)
    servers.send(back.user, "bob", b"it is me again")
    servers.send(life.bob.first, "alice", b"welcome back")
    assert servers.bodies(life.bob.first)[-1] == b"it is me again"
    assert servers.bodies(back.user)[-1] == b"welcome back"
    seen = {each.id for each in life.bob.first.contact("alice").devices}
    assert seen == {back.user.address.device_id}


def test_a_list_that_the_directory_has_not_taken_is_not_told(life: Life) -> None:
    """USR-64: nobody hears of the version before the directory shows it."""
    life.lose()
    clock = life.world.clock
    back = recover_user(MemoryStore(), life.key, life.remains, clock=clock)
    record = own_record(back.user)
    assert (record.shown, record.pin.version) == (len(life.alice.lists), len(life.alice.lists) + 1)
    life.alice.lists.append(back.device_list)
    back.user.learn("alice", life.alice.lists)
    assert own_record(back.user).shown == record.pin.version


def test_the_store_is_opened_again_after_a_restart(life: Life) -> None:
    store = MemoryStore()
    back = recover_user(store, life.key, life.remains, clock=life.world.clock)
    again = User.open(store, clock=life.world.clock)
    assert again.device_lists(len(life.alice.lists)) == (back.device_list,)


# --- what is refused ------------------------------------------------------------------------------------


def refused(life: Life, expected: type[LetterlockError], match: str | None = None, **changed: Any) -> None:
    """Check that a recovery is refused, and that its store stays empty."""
    store = MemoryStore()
    key, remains = changed.pop("key", life.key), replace(life.remains, **changed)
    with pytest.raises(expected, match=match):
        recover_user(store, key, remains, clock=life.world.clock)
    with store.transaction():
        assert store.tables.account.load() is None


def test_another_recovery_key(life: Life) -> None:
    refused(life, InvalidDeviceList, "not this recovery device", key=RecoveryKey(bytes(32)))


def test_a_list_from_before_the_recovery_device(life: Life) -> None:
    refused(life, InvalidDeviceList, lists=life.alice.lists[:-1])


def test_a_list_of_another_user(life: Life) -> None:
    refused(life, InvalidDeviceList, lists=life.bob.lists)


def test_a_recovery_device_that_was_revoked(life: Life) -> None:
    life.alice.revoke(next(each.id for each in life.alice.first.devices() if each.device_class == 3))
    refused(life, InvalidDeviceList)


def test_a_box_from_before_a_revocation(life: Life) -> None:  # REC-14
    """It lacks the newest seed. A box of a device that was revoked since is refused as well."""
    life.alice.revoke(3)
    refused(life, BoxRefused, "newer one")


def test_a_box_of_a_revoked_device(life: Life) -> None:  # REC-14
    """A thief of a device that was revoked cannot make a user believe in false contacts."""
    life.learn(life.alice.devices[3])
    life.box = recovery_box(life.alice.devices[3], life.card)
    life.alice.revoke(3)
    refused(life, BoxRefused, "no longer listed")


def resealed(life: Life, change: Callable[[BoxContents], BoxContents]) -> bytes:
    """Return a box whose contents somebody changed who knows the card."""
    recovery = device_keys(life.key)
    info = BoxContents.info(life.alice.first.user_id)
    contents = BoxContents.decode(hpke.open_sealed(recovery.receiving, info, life.box))
    return hpke.seal(life.card.receiving, info, change(contents).encode())


def without_contacts(contents: BoxContents) -> BoxContents:
    payload = PayloadContents.decode(contents.payload.expose())
    fewer = PayloadContents(payload.name, payload.seed, payload.sealed, ())
    return replace(contents, payload=LinkingPayload(fewer.encode()))


CHANGES: dict[str, Callable[[BoxContents], BoxContents]] = {
    "contacts left out": without_contacts,
    "another device named": lambda it: replace(it, device_id=2),
    "an unknown device named": lambda it: replace(it, device_id=77),
    "no signature": lambda it: replace(it, signature=bytes(len(it.signature))),
    "another key": lambda it: replace(it, ml_dsa=bytes(len(it.ml_dsa))),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_box_that_was_changed(life: Life, what: str) -> None:  # REC-14
    """Whoever keeps the box knows the card, and can seal to it. It cannot sign."""
    refused(life, BoxRefused, box=resealed(life, CHANGES[what]))


def test_a_box_signed_for_another_user(life: Life) -> None:  # REC-14
    """A signature covers the user id."""

    def moved(contents: BoxContents) -> BoxContents:
        payload = contents.payload.expose()
        signature = life.alice.signing(1).sign(BoxContents.signed(bytes(32), payload), RECOVERY_BOX)
        return replace(contents, signature=signature)

    refused(life, BoxRefused, box=resealed(life, moved))


def test_a_box_for_somebody_else(life: Life) -> None:
    recovery = device_keys(life.key).receiving
    info = BoxContents.info(life.alice.first.user_id)
    plain = hpke.open_sealed(recovery, info, life.box)
    refused(life, BoxRefused, box=hpke.seal(XWingKeyPair.generate(system_entropy).public, info, plain))
    refused(life, BoxRefused, box=hpke.seal(life.card.receiving, BoxContents.info(bytes(32)), plain))


def test_a_box_that_is_damaged(life: Life) -> None:
    for box in (life.box[:-1], life.box + b"\0", bytes(len(life.box))):
        refused(life, BoxRefused, box=box)
    for box in (b"", bytes(100), bytes(2**24 + 2**15)):
        refused(life, MalformedMessage, box=box)


def test_a_box_without_seeds(life: Life) -> None:  # REC-14
    def limited(contents: BoxContents) -> BoxContents:
        payload = PayloadContents("alice", None, (), ()).encode()
        user_id = life.alice.first.user_id
        signature = life.alice.signing(1).sign(BoxContents.signed(user_id, payload), RECOVERY_BOX)
        return replace(contents, signature=signature, payload=LinkingPayload(payload))

    refused(life, BoxRefused, "no document seeds", box=resealed(life, limited))


def test_a_store_that_is_used(life: Life) -> None:
    store = MemoryStore()
    User.create(store, "mallory")
    with pytest.raises(AccountExists):
        recover_user(store, life.key, life.remains, clock=life.world.clock)


# --- cards and enrolment --------------------------------------------------------------------------------


def test_a_card_that_the_recovery_device_did_not_sign(life: Life) -> None:  # REC-13
    """Whoever keeps the card would otherwise read the box."""
    mallory = device_keys(RecoveryKey(bytes(32)))
    user_id = life.alice.first.user_id
    forged = make_card(mallory, user_id)
    swapped = replace(life.card, receiving=mallory.receiving.public)
    moved = replace(life.card, user_id=bytes(32))
    mixed = replace(forged, by=replace(forged.by, ml_dsa=life.card.by.ml_dsa))
    for card in (forged, swapped, moved, mixed):
        with pytest.raises(BoxRefused):
            recovery_box(life.alice.first, card)


def test_a_card_of_a_recovery_device_that_was_replaced(life: Life) -> None:  # REC-13
    old = life.card
    recovery = next(each.id for each in life.alice.first.devices() if each.device_class == 3)
    life.alice.revoke(recovery)
    with pytest.raises(BoxRefused):
        recovery_box(life.alice.first, old)
    enrolled = enrol(life.alice.first, RecoveryKey(system_entropy(32)))
    with pytest.raises(BoxRefused):
        recovery_box(life.alice.first, old)
    assert recovery_box(life.alice.first, enrolled.card)


def test_a_second_recovery_device_is_refused(life: Life) -> None:
    with pytest.raises(UsageError, match="revoke it"):
        enrol(life.alice.first, RecoveryKey(bytes(32)))


def test_a_newer_device_enrols_nobody() -> None:
    """USR-12: a thief of a newer device could otherwise revoke all older ones."""
    made = world(alices=2)
    newer = made.alice.devices[2]
    before = own_record(newer).pin.version
    with pytest.raises(UsageError, match="oldest"):
        enrol(newer, RecoveryKey(bytes(32)))
    assert own_record(newer).pin.version == before


def test_a_limited_device_does_neither() -> None:
    made = world()
    limited: Person = made.alice
    user = limited.add(device_class=DeviceClass.LIMITED)
    with pytest.raises(UsageError):
        enrol(user, RecoveryKey(bytes(32)))
    card = make_card(device_keys(RecoveryKey(bytes(32))), user.user_id)
    with pytest.raises(UsageError):
        recovery_box(user, card)
