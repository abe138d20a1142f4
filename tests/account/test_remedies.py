"""Each remedy that an error names can be followed, and helps. The texts are checked beside the deeds."""

from collections.abc import Callable
from typing import Any

import pytest

from letterlock._device import prekeys
from letterlock._records.account import encode_account
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import (
    AccountExists,
    AddressMismatch,
    DuplicateMessage,
    LetterlockError,
    NoAccount,
    NoSession,
    ReplayRecordFull,
    StaleBundle,
    SuiteRefused,
    TooManySkipped,
    UnknownPrekey,
    UnknownSession,
    UnsupportedVersion,
    UntrustedIdentity,
    UsageError,
)
from letterlock.limits import DAY, MAX_ID, MAX_PUBLISHED_ONE_TIME, MAX_SKIP
from letterlock.stores import MemoryStore
from support.pair import ALICE, BOB, BOTH_SUITES, CAROL, Pair
from support.prekey_tools import account_record


def raised(error: type[LetterlockError], call: Callable[[], object]) -> str:
    """Return the text of the error that a call raises."""
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def talk(pair: Pair) -> None:
    """Check that both sides read each other."""
    assert pair.alice.read(pair.bob.write(b"to alice")) == b"to alice"
    assert pair.bob.read(pair.alice.write(b"to bob")) == b"to bob"


def begin_anew(pair: Pair) -> None:
    """Let Bob initiate, as the remedies say, and let Alice read it."""
    pair.bob.account.initiate(ALICE, pair.alice.account.bundle())
    talk(pair)


def test_no_account_create_one() -> None:
    store = MemoryStore()
    raised(NoAccount, lambda: Account.open(store))
    Account.create(store, ALICE)
    assert "open it" in raised(AccountExists, lambda: Account.create(store, ALICE))
    assert Account.open(store).address == ALICE


def test_no_session_initiate_one(pair: Pair) -> None:
    assert "initiate" in raised(NoSession, lambda: pair.alice.write(b"x"))
    assert "initiate" in raised(NoSession, lambda: pair.alice.account.safety_number(BOB))
    pair.alice.initiate()
    assert pair.bob.read(pair.alice.write(b"x")) == b"x"
    assert str(pair.alice.account.safety_number(BOB)) == str(pair.bob.account.safety_number(ALICE))


def test_an_unknown_session_initiate_one(pair: Pair) -> None:
    pair.converse()
    message = pair.alice.write(b"lost")
    pair.bob.store = MemoryStore()
    pair.bob.account = Account.create(pair.bob.store, BOB, clock=pair.clock)
    raised(UnknownSession, lambda: pair.bob.read(message))
    pair.alice.account.accept_identity(BOB, pair.bob.account.identity.data)
    begin_anew(pair)


def test_an_unknown_prekey_send_its_author_a_new_bundle(pair: Pair) -> None:
    bundle = pair.bob.account.bundle()
    pair.alice.initiate(bundle)
    pair.bob.read(pair.alice.write(b"uses it up"))
    carol = Account.create(MemoryStore(), CAROL, clock=pair.clock)
    carol.initiate(BOB, bundle)
    first = carol.encrypt(BOB, b"lost")
    assert "new bundle" in raised(UnknownPrekey, lambda: pair.bob.account.decrypt(CAROL, first))
    carol.initiate(BOB, pair.bob.account.bundle())
    assert pair.bob.account.decrypt(CAROL, carol.encrypt(BOB, b"again")) == b"again"


def test_too_many_skipped_initiate_a_new_session(pair: Pair) -> None:
    pair.converse()
    for _ in range(MAX_SKIP + 1):
        message = pair.alice.write(b"lost")
    message = pair.alice.write(b"skips too many")
    assert "initiate a new session" in raised(TooManySkipped, lambda: pair.bob.read(message))
    begin_anew(pair)


def test_a_full_replay_record_publish_new_prekeys(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prekeys, "MAX_REPLAY_RECORDS", 1)
    bundle = pair.bob.account.bundle(one_time=False)
    pair.alice.initiate(bundle)
    pair.bob.read(pair.alice.write(b"x"))
    carol = Account.create(MemoryStore(), CAROL, clock=pair.clock)
    carol.initiate(BOB, bundle)
    first = carol.encrypt(BOB, b"refused")
    assert "rotate=True" in raised(ReplayRecordFull, lambda: pair.bob.account.decrypt(CAROL, first))
    new = pair.bob.account.publish(0, rotate=True).last_resort_bundle()
    raised(ReplayRecordFull, lambda: pair.bob.account.decrypt(CAROL, first))  # the old prekey stays full
    carol.initiate(BOB, new)
    assert pair.bob.account.decrypt(CAROL, carol.encrypt(BOB, b"again")) == b"again"


def test_used_up_ids_create_a_new_account(pair: Pair) -> None:
    record = account_record(pair.bob.store)
    with pair.bob.store.transaction():
        pair.bob.store.tables.account.save(
            encode_account(type(record)(record.party, MAX_ID + 1, record.signed_id, record.last_resort_id, 0))
        )
    assert "create a new account" in raised(UsageError, pair.bob.account.bundle)
    new = Account.create(MemoryStore(), BOB, clock=pair.clock)
    pair.alice.account.initiate(BOB, new.bundle())
    assert new.decrypt(ALICE, pair.alice.write(b"x")) == b"x"


def test_too_many_at_once_publish_twice(pair: Pair) -> None:
    text = raised(UsageError, lambda: pair.bob.account.publish(MAX_PUBLISHED_ONE_TIME + 2))
    assert str(MAX_PUBLISHED_ONE_TIME) in text
    pairs = pair.bob.account.publish(2).pairs + pair.bob.account.publish(2).pairs
    assert len({each.one_time.id for each in pairs}) == 4


def test_a_stale_bundle_ask_for_a_new_one(pair: Pair) -> None:
    old = pair.bob.account.bundle()
    pair.clock.now += 91 * DAY
    assert "ask its owner" in raised(StaleBundle, lambda: pair.alice.account.initiate(BOB, old))
    pair.alice.account.initiate(BOB, pair.bob.account.bundle())
    assert pair.bob.read(pair.alice.write(b"x")) == b"x"


def test_a_clock_of_1970_set_the_clock(pair: Pair) -> None:
    bundle, right, pair.clock.now = pair.bob.account.bundle(), pair.clock.now, 0
    text = raised(StaleBundle, lambda: pair.alice.account.initiate(BOB, bundle))
    assert "this clock shows 1970-01-01: set the clock" in text
    pair.clock.now = right
    pair.alice.account.initiate(BOB, bundle)
    assert pair.bob.read(pair.alice.write(b"x")) == b"x"


def test_a_bundle_of_version_1_its_sender_has_to_upgrade(pair: Pair) -> None:
    data = pair.bob.account.bundle().encode()
    old = data[:1] + b"\x01" + data[2:]
    assert "its sender has to upgrade" in raised(UnsupportedVersion, lambda: PrekeyBundle.decode(old))
    new = pair.bob.account.publish(0, rotate=True).last_resort_bundle()
    pair.alice.account.initiate(BOB, PrekeyBundle.decode(new.encode()))
    assert pair.bob.read(pair.alice.write(b"x")) == b"x"


def test_a_refused_suite_ask_for_another_or_allow_it() -> None:
    pair = Pair(suites=BOTH_SUITES)
    pair.alice.initiate(suite=Suite.X3DH)
    first = pair.alice.write(b"x")
    pair.bob.reopen(frozenset({Suite.PQXDH}))
    assert "does not allow" in raised(SuiteRefused, lambda: pair.bob.read(first))
    pair.bob.reopen(BOTH_SUITES)
    assert pair.bob.read(first) == b"x"
    pair.bob.reopen(frozenset({Suite.PQXDH}))
    pair.alice.initiate(suite=Suite.PQXDH)
    assert pair.bob.read(pair.alice.write(b"y")) == b"y"


def test_an_untrusted_identity_compare_and_accept(pair: Pair) -> None:
    pair.converse()
    new = Account.create(MemoryStore(), BOB, clock=pair.clock)
    with pytest.raises(UntrustedIdentity) as caught:
        pair.alice.account.initiate(BOB, new.bundle())
    assert "accept" in str(caught.value)
    pair.alice.account.accept_identity(BOB, caught.value.identity)
    pair.alice.account.initiate(BOB, new.bundle())
    assert new.decrypt(ALICE, pair.alice.write(b"x")) == b"x"


def test_another_address_ask_its_owner(pair: Pair) -> None:
    bundle = pair.bob.account.bundle()
    raised(AddressMismatch, lambda: pair.alice.account.initiate(CAROL, bundle))
    pair.alice.account.initiate(BOB, bundle)
    assert pair.bob.read(pair.alice.write(b"x")) == b"x"


def test_a_duplicate_ignore_it(pair: Pair) -> None:
    pair.converse()
    message = pair.alice.write(b"x")
    pair.bob.read(message)
    raised(DuplicateMessage, lambda: pair.bob.read(message))
    talk(pair)


@pytest.mark.parametrize("clock", [1.5, None, -1])
def test_a_wrong_clock_return_whole_seconds(pair: Pair, clock: Any) -> None:
    pair.clock.now, right = clock, pair.clock.now
    assert "whole seconds" in raised(UsageError, pair.bob.account.bundle)
    pair.clock.now = right
    pair.bob.account.bundle()
