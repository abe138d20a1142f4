"""One-time prekeys never block: the oldest make room, a rotation replaces all, a bundle needs none."""

from dataclasses import replace
from typing import Any

import pytest

from letterlock._device import prekeys
from letterlock._handshake.bundle_signature import verify_publication
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.publication import Publication
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import CorruptStore, DuplicateMessage, UnknownPrekey, UsageError
from letterlock.limits import DAY, MAX_ONE_TIME_PREKEYS, ONE_TIME_LIFETIME, PREKEY_GRACE, PREKEY_ROTATION
from letterlock.stores import MemoryStore, SqliteStore
from support.pair import BOB, BOTH_SUITES, NOON, Clock, Pair, unchanged
from support.prekey_tools import counts, mixed

LIMIT = 10


@pytest.fixture
def small(any_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """A pair whose accounts keep few one-time prekeys."""
    monkeypatch.setattr(prekeys, "MAX_ONE_TIME_PREKEYS", LIMIT)
    return any_pair


def one_time(pair: Pair) -> int:
    held = counts(pair.bob.store)
    assert held["ONE_TIME"] == held["KEM_ONE_TIME"]
    return held["ONE_TIME"]


def first_message(bundle: PrekeyBundle, number: int) -> tuple[Account, bytes]:
    """Return a stranger and what it writes first."""
    clock = Clock(bundle.made_on * DAY)
    stranger = Account.create(MemoryStore(), type(BOB)(f"stranger {number}", 1), clock=clock)
    stranger.initiate(BOB, bundle)
    return stranger, stranger.encrypt(BOB, b"hello")


def is_read(pair: Pair, stranger: Account, message: bytes) -> bool:
    try:
        return pair.bob.account.decrypt(stranger.address, message) == b"hello"
    except UnknownPrekey:
        return False


# --- at the limit -------------------------------------------------------------------------------------


def test_ten_thousand_unused_prekeys_block_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit itself, with rows that cost nothing to make."""
    assert MAX_ONE_TIME_PREKEYS == 10_000
    store = pair.bob.store
    with store.transaction():
        for kind in (PrekeyKind.ONE_TIME, PrekeyKind.KEM_ONE_TIME):
            made = pair.bob.account.publish(1)
            like = store.tables.prekeys.load(kind, (made.pairs[0].one_time, made.pairs[0].kem)[kind - 2].id)
            assert like is not None
            store.tables.prekeys.add(
                type(like)(kind, id_, like.expires, like.record)
                for id_ in range(2**31, 2**31 + MAX_ONE_TIME_PREKEYS - store.tables.prekeys.count(kind))
            )
    bundle = pair.bob.account.bundle()
    pair.alice.initiate(bundle)
    assert pair.bob.read(pair.alice.write(b"x")) == b"x"
    assert len(pair.bob.account.publish(1000).pairs) == 1000
    assert one_time(pair) == MAX_ONE_TIME_PREKEYS


def test_the_oldest_make_room_and_no_others(small: Pair) -> None:
    oldest = small.bob.account.publish(4)
    small.clock.now += DAY
    newer = small.bob.account.publish(6)
    assert one_time(small) == LIMIT
    newest = small.bob.account.publish(3)
    assert one_time(small) == LIMIT
    strangers = [
        first_message(bundle, number)
        for number, bundle in enumerate([*oldest.bundles(), *newer.bundles(), *newest.bundles()])
    ]
    assert [is_read(small, *each) for each in strangers] == [False] * 3 + [True] * 10


def test_a_flood_of_claims_never_stores_more_and_never_fails(small: Pair) -> None:
    for _ in range(12):
        assert len(small.bob.account.publish(LIMIT - 1).pairs) == LIMIT - 1
        assert one_time(small) <= LIMIT


def test_the_kinds_make_room_by_themselves(small: Pair) -> None:
    """Messages with the curve prekey alone leave more KEM prekeys than curve prekeys."""
    publication = small.bob.account.publish(LIMIT)
    last = publication.last_resort
    for number, bundle in enumerate(list(publication.bundles())[:4]):
        half = mixed(small.bob.store, bundle, bundle.one_time, last)
        assert is_read(small, *first_message(half, number))
    assert counts(small.bob.store)["ONE_TIME"] == LIMIT - 4
    small.bob.account.publish(4)
    held = counts(small.bob.store)
    assert (held["ONE_TIME"], held["KEM_ONE_TIME"]) == (LIMIT, LIMIT)


def test_expired_ones_make_room_first(small: Pair) -> None:
    small.bob.account.publish(LIMIT)
    small.clock.now += ONE_TIME_LIFETIME - 1
    kept = small.bob.account.publish(0)
    assert one_time(small) == LIMIT
    small.clock.now += 1
    publication = small.bob.account.publish(LIMIT)
    assert kept.signed == publication.signed
    assert one_time(small) == LIMIT


def test_signed_and_last_resort_prekeys_never_make_room(small: Pair) -> None:
    for _ in range(LIMIT + 2):
        small.bob.account.publish(LIMIT, rotate=True)
    held = counts(small.bob.store)
    assert (held["SIGNED"], held["KEM_LAST_RESORT"]) == (LIMIT + 3, LIMIT + 3)


# --- rotating -----------------------------------------------------------------------------------------


def test_one_time_prekeys_of_an_earlier_rotation_serve_what_is_under_way_and_no_longer(
    any_pair: Pair,
) -> None:  # HAND-13
    lost = any_pair.bob.account.publish(2)
    first, second = (first_message(bundle, number) for number, bundle in enumerate(lost.bundles()))
    any_pair.bob.account.publish(2, rotate=True)
    any_pair.clock.now += PREKEY_GRACE - 1
    assert is_read(any_pair, *first)
    any_pair.clock.now += 1
    with unchanged(any_pair.bob.store):
        assert not is_read(any_pair, *second)
    any_pair.bob.reopen()
    assert one_time(any_pair) == 2  # the new ones


def test_rotating_never_makes_a_prekey_live_longer(any_pair: Pair) -> None:
    old = any_pair.bob.account.publish(1)
    stranger, message = first_message(next(old.bundles()), 1)
    any_pair.clock.now = NOON + ONE_TIME_LIFETIME - DAY
    any_pair.bob.account.publish(1, rotate=True)
    any_pair.clock.now = NOON + ONE_TIME_LIFETIME
    assert not is_read(any_pair, stranger, message)


def test_rotating_twice_does_not_prolong_the_grace(any_pair: Pair) -> None:
    old = any_pair.bob.account.publish(1)
    stranger, message = first_message(next(old.bundles()), 1)
    any_pair.bob.account.publish(1, rotate=True)
    any_pair.clock.now += PREKEY_GRACE // 2
    any_pair.bob.account.publish(1, rotate=True)
    any_pair.clock.now += PREKEY_GRACE // 2
    assert not is_read(any_pair, stranger, message)


def test_without_rotation_earlier_prekeys_keep_their_time(any_pair: Pair) -> None:
    earlier = any_pair.bob.account.publish(1)
    any_pair.bob.account.publish(1)
    any_pair.clock.now += PREKEY_GRACE
    assert is_read(any_pair, *first_message(next(earlier.bundles()), 1))


def test_what_was_retired_makes_room_before_what_was_not(small: Pair) -> None:
    replaced = small.bob.account.publish(5)
    current = small.bob.account.publish(5, rotate=True)
    small.bob.account.publish(5)
    bundles = enumerate([*current.bundles(), *replaced.bundles()])
    read = [is_read(small, *first_message(bundle, number)) for number, bundle in bundles]
    assert read == [True] * 5 + [False] * 5


def test_a_rotation_may_publish_none(any_pair: Pair) -> None:
    any_pair.bob.account.publish(3)
    publication = any_pair.bob.account.publish(0, rotate=True)
    assert publication.pairs == ()
    verify_publication(Publication.decode(publication.encode()))
    any_pair.clock.now += PREKEY_GRACE
    any_pair.bob.reopen()
    assert one_time(any_pair) == 0


def test_a_pair_serves_exactly_as_long_as_its_signed_prekey(any_pair: Pair) -> None:  # HAND-13
    """Also if a message that was read has retired the signed prekey, and nobody publishes."""
    bundles = list(any_pair.bob.account.publish(3).bundles())
    any_pair.alice.initiate(bundles[0])
    messages = [first_message(bundle, number) for number, bundle in enumerate(bundles[1:])]
    any_pair.clock.now += PREKEY_ROTATION
    any_pair.bob.read(any_pair.alice.write(b"retires"))
    assert any_pair.bob.account.due().one_time_prekeys == 0
    any_pair.clock.now += PREKEY_GRACE - 1
    assert is_read(any_pair, *messages[0])
    any_pair.clock.now += 1
    assert not is_read(any_pair, *messages[1])
    any_pair.bob.reopen()
    assert counts(any_pair.bob.store) == dict.fromkeys(counts(any_pair.bob.store), 0)


def test_rotation_leaves_no_earlier_pair_to_count(any_pair: Pair) -> None:
    first = any_pair.bob.account.publish(1)
    second = any_pair.bob.account.publish(1)
    assert first.signed == second.signed
    assert any_pair.bob.account.due().one_time_prekeys == 2
    third = any_pair.bob.account.publish(1, rotate=True)
    assert third.signed != second.signed
    assert any_pair.bob.account.due().one_time_prekeys == 1


def test_a_rotation_that_is_taken_back_changes_nothing(any_pair: Pair) -> None:
    any_pair.bob.account.publish(3)
    with (
        unchanged(any_pair.bob.store),
        pytest.raises(ZeroDivisionError),
        any_pair.bob.account.transaction(),
    ):
        any_pair.bob.account.publish(3, rotate=True)
        raise ZeroDivisionError


@pytest.mark.parametrize("wrong", [1, 0, None, "yes", b""])
def test_whether_to_rotate_is_a_bool(pair: Pair, wrong: Any) -> None:
    with unchanged(pair.bob.store), pytest.raises(UsageError, match="rotate must be bool"):
        pair.bob.account.publish(1, rotate=wrong)


# --- a bundle without one-time prekeys ------------------------------------------------------------------


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
def test_a_bundle_without_one_time_prekeys_serves_many_and_stores_nothing(suite: Suite) -> None:
    pair = Pair(suites=BOTH_SUITES)
    with unchanged(pair.bob.store):
        bundle = pair.bob.account.bundle(one_time=False)
        again = pair.bob.account.bundle(one_time=False)
        assert replace(again, signature=bundle.signature) == bundle != again  # signed anew
    assert bundle.one_time is None
    published = pair.bob.account.publish(0).last_resort_bundle()
    assert replace(published, signature=bundle.signature) == bundle
    messages = []
    for number in range(3):
        address = type(BOB)(f"stranger {number}", 1)
        stranger = Account.create(MemoryStore(), address, suites=BOTH_SUITES, clock=pair.clock)
        stranger.initiate(BOB, bundle, suite=suite)
        messages.append((stranger, stranger.encrypt(BOB, b"hello")))
        assert is_read(pair, *messages[-1])
    for _, message in messages:  # HAND-8
        with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
            pair.bob.account.decrypt(type(BOB)("somebody else", 1), message)


def test_a_bundle_without_one_time_prekeys_can_be_had_at_the_limit(small: Pair) -> None:
    small.bob.account.publish(LIMIT)
    assert is_read(small, *first_message(small.bob.account.bundle(one_time=False), 1))
    assert one_time(small) == LIMIT


def test_a_bundle_without_one_time_prekeys_rotates_when_due(pair: Pair) -> None:
    before = pair.bob.account.bundle(one_time=False)
    pair.clock.now += PREKEY_ROTATION
    after = pair.bob.account.bundle(one_time=False)
    assert before.signed != after.signed
    assert before.kem != after.kem


@pytest.mark.parametrize("wrong", [1, 0, None, "no"])
def test_whether_a_bundle_has_one_time_prekeys_is_a_bool(pair: Pair, wrong: Any) -> None:
    with unchanged(pair.bob.store), pytest.raises(UsageError, match="one_time must be bool"):
        pair.bob.account.bundle(one_time=wrong)


# --- an edited file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["expires", "id"])
@pytest.mark.parametrize("value", ["'soon'", "x'00'", "9999999999.5"])
def test_an_edited_expiry_or_id_is_damage(small: Pair, column: str, value: str) -> None:
    store = small.bob.store
    if not isinstance(store, SqliteStore):
        return
    small.bob.account.publish(LIMIT)
    with store.transaction():
        (id_,) = store.connection.execute("SELECT max(id) FROM letterlock_prekeys WHERE kind = 2").fetchone()
        store.connection.execute(f"UPDATE letterlock_prekeys SET {column} = {value} WHERE id = {id_}")
    for rotate in (False, True):
        with pytest.raises(CorruptStore):
            small.bob.account.publish(1, rotate=rotate)
