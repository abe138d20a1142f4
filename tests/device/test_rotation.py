"""HAND-9: prekeys are replaced after a week, serve for a grace period, and are then deleted.

The tests set the clock, also wrongly.
"""

from dataclasses import replace
from typing import Any

import pytest

from letterlock import hazmat
from letterlock._device.prekeys import PrekeyRing
from letterlock._handshake.bundle_signature import verify_publication
from letterlock._wire.message import InitialMessage
from letterlock._wire.publication import Publication
from letterlock.errors import PeerError, UnknownPrekey, UsageError
from letterlock.limits import DAY, ONE_TIME_LIFETIME, PREKEY_GRACE, PREKEY_ROTATION
from letterlock.stores._memory import MemoryStore
from support.pair import ALICE, BOB, NOON, Pair, entropy_of, unchanged
from support.prekey_tools import USED, bundles, counts


def unsigned(publication: Publication) -> Publication:
    """Return a publication without its signature, which is another one each time."""
    return replace(publication, last_resort_signature=bytes(64))


def test_prekeys_rotate_after_a_week_and_not_before(pair: Pair) -> None:
    first = pair.bob.account.publish(0)
    pair.clock.now = NOON + PREKEY_ROTATION - 1
    assert unsigned(pair.bob.account.publish(0)) == unsigned(first)
    pair.clock.now = NOON + PREKEY_ROTATION
    second = pair.bob.account.publish(0)
    assert second.signed.id > first.signed.id
    assert second.last_resort.id > first.last_resort.id
    assert second.signed.key != first.signed.key
    assert second.last_resort.key != first.last_resort.key
    assert unsigned(pair.bob.account.publish(0)) == unsigned(second)  # the week starts again
    verify_publication(second)


def test_making_a_bundle_rotates_and_rotation_can_be_forced(pair: Pair) -> None:
    first = pair.bob.account.bundle()
    pair.clock.now += PREKEY_ROTATION
    second = pair.bob.account.bundle()
    third = pair.bob.account.publish(0, rotate=True)
    assert len({first.signed.id, second.signed.id, third.signed.id}) == 3


@pytest.mark.parametrize("which", USED)
def test_a_retired_prekey_serves_during_its_grace_period_and_not_after(any_pair: Pair, which: str) -> None:
    offered = bundles(any_pair.bob.store, any_pair.bob.account.publish(2))[which]
    late = Pair()
    messages = []
    for initiator in (any_pair.alice, late.alice):
        initiator.account.initiate(BOB, offered)
        messages.append(initiator.account.encrypt(BOB, b"late"))
    any_pair.clock.now += PREKEY_ROTATION
    any_pair.bob.account.publish(0)
    any_pair.clock.now += PREKEY_GRACE
    # The row is still there, but it has expired.
    with unchanged(any_pair.bob.store), pytest.raises(UnknownPrekey):
        any_pair.bob.read(messages[0])
    any_pair.clock.now -= 1
    assert any_pair.bob.read(messages[0]) == b"late"
    any_pair.clock.now += 1
    with unchanged(any_pair.bob.store), pytest.raises(PeerError):
        any_pair.bob.account.decrypt(type(ALICE)("other", 1), messages[1])


@pytest.mark.parametrize("how", ["open", "publish"])
def test_expired_prekeys_are_deleted(any_pair: Pair, how: str) -> None:  # HAND-9
    bob = any_pair.bob
    bob.account.publish(3)
    assert counts(bob.store) == {"SIGNED": 1, "ONE_TIME": 3, "KEM_ONE_TIME": 3, "KEM_LAST_RESORT": 1}
    any_pair.clock.now += PREKEY_ROTATION
    bob.account.publish(2)
    assert counts(bob.store) == {"SIGNED": 2, "ONE_TIME": 5, "KEM_ONE_TIME": 5, "KEM_LAST_RESORT": 2}

    def delete_expired() -> None:
        bob.reopen()
        if how == "publish":
            bob.account.publish(0)

    any_pair.clock.now += PREKEY_GRACE - 1
    if how == "open":
        delete_expired()
        assert counts(bob.store)["SIGNED"] == 2
    any_pair.clock.now += 1
    delete_expired()
    # Retired prekeys are deleted, and the one-time prekeys of their bundles with them. Current ones stay, and
    # publishing may have added new ones.
    held = counts(bob.store)
    assert held["SIGNED"] == held["KEM_LAST_RESORT"] == (2 if how == "publish" else 1)
    assert held["ONE_TIME"] == held["KEM_ONE_TIME"] == 2


def test_one_time_prekeys_of_a_current_signed_prekey_last_as_long_as_a_bundle(any_pair: Pair) -> None:
    """The device was off: nobody accepts a bundle that is older."""
    any_pair.bob.account.publish(3)
    for left, held in ((1, 3), (0, 0)):
        any_pair.clock.now = NOON + ONE_TIME_LIFETIME - left
        any_pair.bob.reopen()
        assert counts(any_pair.bob.store)["ONE_TIME"] == counts(any_pair.bob.store)["KEM_ONE_TIME"] == held


def test_the_current_prekeys_never_expire(pair: Pair) -> None:
    """After years without use an account still reads a message to its last-resort bundle."""
    last = pair.bob.account.publish(0).last_resort_bundle()
    pair.alice.initiate(last)
    message = pair.alice.write(b"years ago")
    pair.clock.now += 3000 * DAY
    pair.bob.reopen()
    assert pair.bob.read(message) == b"years ago"


def test_an_expired_one_time_prekey_is_refused_before_it_is_deleted(pair: Pair) -> None:
    pair.alice.initiate()
    message = pair.alice.write(b"stale")
    pair.clock.now += ONE_TIME_LIFETIME
    with unchanged(pair.bob.store), pytest.raises(UnknownPrekey):
        pair.bob.read(message)


@pytest.mark.parametrize("back", [1, DAY, 400 * DAY, NOON])
def test_a_clock_that_went_back_causes_one_rotation(pair: Pair, back: int) -> None:
    first = pair.bob.account.publish(1)
    pair.alice.initiate(next(first.bundles()))
    pair.clock.now -= back
    pair.bob.reopen()
    second = pair.bob.account.publish(1)
    assert second.signed.id > first.signed.id
    assert pair.bob.account.publish(0).signed == second.signed
    assert pair.bob.read(pair.alice.write(b"x")) == b"x"  # a bundle handed out earlier still serves
    pair.clock.now = NOON
    assert pair.bob.account.publish(0).signed.id >= second.signed.id


def test_an_account_made_at_time_zero_has_its_prekeys() -> None:
    """A device without a battery starts its clock in 1970. That must not look like having no prekey yet."""
    account = hazmat.create_account(MemoryStore(), ALICE, entropy_of("zero"), clock=lambda: 0)
    verify_publication(account.publish(1))


@pytest.mark.parametrize("wrong", [-1, 1.5, float(NOON), NOON * 1000, NOON * 10**9, None, "now", True])
def test_a_clock_that_does_not_return_seconds_is_refused_at_once(pair: Pair, wrong: Any) -> None:
    """time.time() or time_ns() as clock is noticed at the first call, not when the store is opened again."""
    pair.clock.now = wrong
    with unchanged(pair.bob.store), pytest.raises(UsageError, match="whole seconds"):
        pair.bob.account.publish(1)
    with unchanged(pair.bob.store), pytest.raises(UsageError):
        pair.bob.reopen()
    pair.clock.now = NOON
    pair.bob.account.publish(1)


def test_a_first_message_deletes_expired_prekeys(any_pair: Pair) -> None:
    """In an account that neither reopens nor publishes, first messages cause the deletion."""
    last = any_pair.bob.account.publish(3, rotate=True).last_resort_bundle()
    assert counts(any_pair.bob.store) == {"SIGNED": 2, "ONE_TIME": 3, "KEM_ONE_TIME": 3, "KEM_LAST_RESORT": 2}
    any_pair.alice.initiate(last)
    message = any_pair.alice.write(b"from a stranger")
    any_pair.clock.now += ONE_TIME_LIFETIME
    any_pair.bob.read(message)
    assert counts(any_pair.bob.store) == {"SIGNED": 1, "ONE_TIME": 0, "KEM_ONE_TIME": 0, "KEM_LAST_RESORT": 1}


def test_the_prekey_ring_refuses_an_expired_prekey(pair: Pair) -> None:
    """It does so even if the expired rows have not been deleted: the second line of defence, tested alone."""
    pair.alice.initiate()
    initial = InitialMessage.decode(pair.alice.write(b"x"))
    ring = PrekeyRing(pair.bob.store.tables, pair.bob.entropy)
    with pair.bob.store.transaction():
        assert ring.find(initial.header, initial.id, NOON + ONE_TIME_LIFETIME - 1).one_time is not None
        for late in (0, 1, DAY):
            with pytest.raises(UnknownPrekey):
                ring.find(initial.header, initial.id, NOON + ONE_TIME_LIFETIME + late)
