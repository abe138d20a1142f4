"""HAND-15: a bundle tells the day on which its signed prekey was made, and an old one is refused."""

import pickle
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from letterlock._handshake.agreement import Circumstances, initiate
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.day import date_of, day_of
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import Cause, InvalidSignature, PeerError, StaleBundle, SuiteRefused
from letterlock.limits import DAY, MAX_BUNDLE_AGE, MAX_BUNDLE_LEAD, MAX_DAY, PREKEY_ROTATION
from letterlock.stores import MemoryStore
from support.handshakes import ALICE_PARTY, MADE_ON, recipient
from support.pair import ALICE, BOB, BOTH_SUITES, NOON, Clock, Pair, entropy_of, unchanged
from support.prekey_tools import account_record, bundles
from support.trace_calls import Trace

BUNDLE = recipient().bundle
MADE = MADE_ON * DAY
SUITE = pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
OLD = [MADE + MAX_BUNDLE_AGE + 1, MADE + MAX_BUNDLE_AGE + DAY, MADE + 5 * 365 * DAY, MAX_DAY * DAY]
AHEAD = [MADE - MAX_BUNDLE_LEAD - 1, MADE - 2 * DAY, DAY, 1, 0]
FRESH = [MADE, MADE + DAY - 1, MADE + MAX_BUNDLE_AGE, MADE - MAX_BUNDLE_LEAD, MADE - 1, NOON]


def begin(bundle: PrekeyBundle, now: int, suite: Suite = Suite.PQXDH) -> None:
    initiate(ALICE_PARTY, bundle, BOB, suite, Circumstances(now, entropy_of("ephemeral")))


def account(clock: Clock) -> Account:
    return Account.create(MemoryStore(), ALICE, clock=clock, suites=BOTH_SUITES)


# --- the limits ---------------------------------------------------------------------------------------


def test_the_limits() -> None:
    assert (MAX_BUNDLE_AGE, MAX_BUNDLE_LEAD) == (90 * 86400, 86400)


@SUITE
@pytest.mark.parametrize("now", FRESH)
def test_a_bundle_of_up_to_ninety_days_is_taken(now: int, suite: Suite) -> None:
    begin(BUNDLE, now, suite)


@SUITE
@pytest.mark.parametrize("now", OLD + AHEAD)
def test_a_stale_bundle_is_refused_before_any_key_is_used(trace: Trace, now: int, suite: Suite) -> None:
    trace.clear()
    with pytest.raises(StaleBundle):
        begin(BUNDLE, now, suite)
    assert trace.calls == ["verify"]


@pytest.mark.parametrize("now", OLD + AHEAD)
def test_nobody_can_make_a_stale_bundle_fresh(now: int) -> None:
    """HAND-2: the day is signed."""
    for made_on in {day_of(now), max(0, day_of(now) - 1), min(MAX_DAY, day_of(now) + 1)}:
        with pytest.raises(InvalidSignature):
            begin(replace(BUNDLE, made_on=made_on), now)


def test_the_signature_comes_first_and_what_the_suite_needs_last() -> None:
    with pytest.raises(InvalidSignature):
        begin(replace(BUNDLE, signature=bytes(64)), OLD[0])
    without_kem = recipient(kem=False).bundle
    with pytest.raises(StaleBundle):
        begin(without_kem, OLD[0])
    with pytest.raises(SuiteRefused):
        begin(without_kem, NOON)


# --- accounts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["both one-time", "last resort alone"])
def test_an_account_keeps_nothing_of_a_stale_bundle(any_pair: Pair, name: str) -> None:
    bundle = bundles(any_pair.bob.store, any_pair.bob.account.publish(2))[name]
    for now in (*OLD[:3], *AHEAD):
        any_pair.clock.now = now
        with unchanged(any_pair.alice.store), pytest.raises(StaleBundle):
            any_pair.alice.initiate(bundle)
    assert any_pair.alice.account.peers() == []
    any_pair.clock.now = NOON
    any_pair.alice.initiate(bundle)
    any_pair.turn()


def test_the_day_of_a_bundle_is_the_day_of_its_signed_prekey(pair: Pair) -> None:
    first = pair.bob.account.bundle()
    pair.clock.now += PREKEY_ROTATION - 1
    same = pair.bob.account.publish(1)
    assert same.signed == first.signed
    assert {first.made_on, same.made_on} == {NOON // DAY}
    pair.clock.now += 1
    second = pair.bob.account.publish(1)
    assert second.signed != first.signed
    assert second.made_on == pair.clock.now // DAY == account_record(pair.bob.store).rotated // DAY
    assert {each.made_on for each in second.bundles()} == {second.made_on}


def test_a_bundle_shows_no_hour(pair: Pair) -> None:
    """The day alone: a server would otherwise learn when the device was in use."""
    for now in range(NOON // DAY * DAY, NOON // DAY * DAY + DAY, 3600):
        pair.clock.now = now
        bundle = pair.bob.account.publish(0, rotate=True).last_resort_bundle()
        assert bundle.made_on == NOON // DAY
        assert str(now).encode() not in bundle.encode()
        assert now.to_bytes(4, "big") not in bundle.encode()


def test_a_device_that_was_off_is_reached_for_ninety_days(pair: Pair) -> None:
    bundle = pair.bob.account.bundle()
    pair.clock.now = MADE + MAX_BUNDLE_AGE
    pair.alice.initiate(bundle)
    message = pair.alice.write(b"are you there?")
    pair.bob.reopen()
    assert pair.bob.read(message) == b"are you there?"


def test_the_remedy_for_an_old_bundle_works(pair: Pair) -> None:
    old = pair.bob.account.publish(1)
    pair.clock.now += 91 * DAY
    with pytest.raises(StaleBundle, match="ask its owner for a new one"):
        pair.alice.initiate(next(old.bundles()))
    pair.alice.initiate(next(pair.bob.account.publish(1).bundles()))
    pair.turn()


@pytest.mark.parametrize(
    "wrong", [0, DAY, NOON + 1000 * DAY], ids=["1970", "a day later", "in years to come"]
)
def test_the_remedy_for_an_owner_with_a_wrong_clock_works(wrong: int) -> None:
    """Its signed prekey is of another time; once the clock is right, the next publication makes a new one."""
    bobs, alices = Clock(wrong), Clock()
    bob = Account.create(MemoryStore(), BOB, clock=bobs)
    alice = account(alices)
    with pytest.raises(StaleBundle, match="clock"):
        alice.initiate(BOB, bob.bundle())
    bobs.now = NOON
    alice.initiate(BOB, bob.bundle())
    assert bob.decrypt(ALICE, alice.encrypt(BOB, b"now")) == b"now"


@pytest.mark.parametrize("wrong", [0, 1, NOON - 2 * DAY, NOON + 1000 * DAY])
def test_the_remedy_for_an_initiator_with_a_wrong_clock_works(wrong: int) -> None:
    alices = Clock(wrong)
    bob, alice = Account.create(MemoryStore(), BOB, clock=Clock()), account(alices)
    bundle = bob.bundle()
    with pytest.raises(StaleBundle, match="clock"):
        alice.initiate(BOB, bundle)
    alices.now = NOON
    alice.initiate(BOB, bundle)


# --- the error ----------------------------------------------------------------------------------------


def test_the_error_names_both_days_and_survives_pickling() -> None:
    with pytest.raises(StaleBundle) as caught:
        begin(BUNDLE, 0)
    error = caught.value
    assert str(error) == (
        "the bundle was made on 2023-11-14, and this clock shows 1970-01-01: set the clock, or ask the owner "
        "to set theirs and publish"
    )
    assert isinstance(error, PeerError)
    assert (error.cause, error.made, error.now) == (Cause.OUT_OF_DATE, MADE, 0)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.made, again.now) == (StaleBundle, str(error), MADE, 0)
    with pytest.raises(StaleBundle) as caught:
        begin(BUNDLE, OLD[2])
    assert str(caught.value) == (
        "the bundle was made on 2023-11-14, and this clock shows 2028-11-12: ask its owner for a new one, or "
        "set the clock if it is wrong"
    )


def test_dates_are_those_of_the_calendar() -> None:
    days = [*range(1200), *range(10_900, 11_100), *range(19_000, 20_000), *range(47_500, 47_700), MAX_DAY]
    for day in days:
        assert date_of(day) == f"{datetime.fromtimestamp(day * DAY, UTC).date()}"
    assert date_of(MAX_DAY) == "9999-12-31"
