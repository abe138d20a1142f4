"""HAND-8: a handshake that used nothing up is remembered under the prekey that can serve again.

The record is bounded, fails closed, and goes with the prekey.
"""

import pytest

from letterlock._device import prekeys
from letterlock._session.peer_sessions import PeerSessions
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.message import RatchetMessage
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import DuplicateMessage, PeerError, ReplayRecordFull, UnknownPrekey
from letterlock.limits import MAX_REPLAY_RECORDS, PREKEY_GRACE
from letterlock.stores._memory import MemoryStore
from support.pair import BOB, BOTH_SUITES, Pair, unchanged
from support.trace_calls import Trace

SIGNED, LAST_RESORT = PrekeyKind.SIGNED, PrekeyKind.KEM_LAST_RESORT
SUITES = pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)


@pytest.fixture
def both(any_pair: Pair) -> Pair:
    any_pair.suites = BOTH_SUITES
    any_pair.reopen()
    return any_pair


def first_letter(pair: Pair, suite: Suite, bundle: PrekeyBundle | None = None) -> bytes:
    """A first message that uses no one-time prekey."""
    pair.alice.initiate(bundle or pair.bob.account.publish(0).last_resort_bundle(), suite)
    return pair.alice.write(b"pay 100")


def forget_session(pair: Pair) -> None:
    with pair.bob.store.transaction():
        PeerSessions(pair.bob.store, pair.bob.peer, frozenset(Suite)).delete_all()


def recorded(pair: Pair, bundle: PrekeyBundle) -> tuple[int, int]:
    """Return how many handshakes are recorded under the signed and under the last-resort prekey."""
    assert bundle.kem is not None
    with pair.bob.store.transaction():
        store = pair.bob.store
        return store.tables.replays.count(SIGNED, bundle.signed.id), store.tables.replays.count(
            LAST_RESORT, bundle.kem.id
        )


@SUITES
def test_a_replay_after_the_session_was_removed_is_refused(both: Pair, trace: Trace, suite: Suite) -> None:
    letter = first_letter(both, suite)
    assert both.bob.read(letter) == b"pay 100"
    forget_session(both)
    both.bob.reopen()
    trace.clear()
    with unchanged(both.bob.store), pytest.raises(DuplicateMessage):
        both.bob.read(letter)
    assert trace.count("dh", "open") == 0


@SUITES
def test_another_message_of_the_same_handshake_is_a_replay_too(both: Pair, suite: Suite) -> None:
    """The handshake is what is remembered: SK would be the same again."""
    letter = first_letter(both, suite)
    second = both.alice.write(b"pay 100 again")
    both.bob.read(letter)
    forget_session(both)
    with unchanged(both.bob.store), pytest.raises(DuplicateMessage):
        both.bob.read(second)


def test_a_replay_after_the_session_left_the_archive_is_refused(pair: Pair) -> None:
    letter = first_letter(pair, Suite.PQXDH)
    pair.bob.read(letter)
    for _ in range(41):
        pair.alice.initiate()
        pair.bob.read(pair.alice.write(b"newer"))
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(letter)


def test_a_replay_after_the_identity_changed_there_and_back_is_refused(pair: Pair) -> None:
    letter = first_letter(pair, Suite.PQXDH)
    pair.bob.read(letter)
    alice, other = pair.alice.account.identity.data, Pair().alice.account.identity.data
    pair.bob.account.accept_identity(pair.alice.address, other)
    pair.bob.account.accept_identity(pair.alice.address, alice)
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(letter)


@SUITES
def test_the_record_stands_under_the_prekey_that_can_serve_again(both: Pair, suite: Suite) -> None:
    bundle = both.bob.account.publish(0).last_resort_bundle()
    assert recorded(both, bundle) == (0, 0)
    letter = first_letter(both, suite, bundle)
    with pytest.raises(PeerError):
        both.bob.read(letter[:-1] + bytes([letter[-1] ^ 1]))
    assert recorded(both, bundle) == (0, 0)  # a forgery is not remembered
    both.bob.read(letter)
    both.bob.read(both.alice.write(b"again"))  # nor is a repeat
    assert recorded(both, bundle) == ((1, 0) if suite is Suite.X3DH else (0, 1))


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
def test_what_used_a_one_time_prekey_up_needs_no_record(both: Pair, suite: Suite) -> None:
    publication = both.bob.account.publish(1)
    last = publication.last_resort_bundle()
    both.alice.initiate(next(publication.bundles()), suite)
    letter = both.alice.write(b"once")
    both.bob.read(letter)
    assert recorded(both, last) == (0, 0)
    forget_session(both)
    with unchanged(both.bob.store), pytest.raises(UnknownPrekey):
        both.bob.read(letter)


def test_the_limit_is_that_of_the_specification() -> None:
    assert MAX_REPLAY_RECORDS == 65536


@SUITES
def test_a_full_record_refuses_and_does_not_forget(
    both: Pair, suite: Suite, monkeypatch: pytest.MonkeyPatch, trace: Trace
) -> None:
    monkeypatch.setattr(prekeys, "MAX_REPLAY_RECORDS", 3)
    bundle = both.bob.account.publish(0).last_resort_bundle()
    letters = [first_letter(both, suite, bundle) for _ in range(4)]
    for letter in letters[:3]:
        assert both.bob.read(letter) == b"pay 100"
    trace.clear()
    with unchanged(both.bob.store), pytest.raises(ReplayRecordFull) as caught:
        both.bob.read(letters[3])
    assert caught.value.limit == 3
    assert trace.count("dh", "open") == 0
    # What was accepted goes on, in its sessions ...
    both.bob.say(b"answer")
    assert both.alice.hear() == b"answer"
    forget_session(both)
    for letter in letters[:3]:  # ... and is remembered without them,
        with pytest.raises(DuplicateMessage):
            both.bob.read(letter)
    with pytest.raises(ReplayRecordFull):  # and the room is not freed by it.
        both.bob.read(letters[3])
    fresh = both.bob.account.publish(0, rotate=True).last_resort_bundle()
    assert both.bob.read(first_letter(both, suite, fresh)) == b"pay 100"


@SUITES
def test_the_record_goes_with_its_prekey(both: Pair, suite: Suite) -> None:
    bundle = both.bob.account.publish(0).last_resort_bundle()
    letter = first_letter(both, suite, bundle)
    both.bob.read(letter)
    forget_session(both)
    both.bob.account.publish(0, rotate=True)
    assert sum(recorded(both, bundle)) == 1  # retired, but it can still serve
    with pytest.raises(DuplicateMessage):
        both.bob.read(letter)
    both.clock.now += PREKEY_GRACE
    both.bob.reopen()
    assert recorded(both, bundle) == (0, 0)
    with unchanged(both.bob.store), pytest.raises(UnknownPrekey):
        both.bob.read(letter)


def test_two_strangers_may_use_the_last_resort(pair: Pair) -> None:
    bundle = pair.bob.account.publish(0).last_resort_bundle()
    for name in ("carol", "dave"):
        address = type(BOB)(name, 1)
        stranger = Account.create(MemoryStore(), address)
        stranger.initiate(BOB, bundle)
        assert pair.bob.account.decrypt(address, stranger.encrypt(BOB, b"hi")) == b"hi"
    assert recorded(pair, bundle) == (0, 2)


def test_a_replay_under_another_name_is_refused(pair: Pair) -> None:
    letter = first_letter(pair, Suite.PQXDH)
    pair.bob.read(letter)
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.account.decrypt(type(BOB)("mallory", 1), letter)


def test_the_answer_to_a_replay_is_under_a_new_key(pair: Pair) -> None:
    """X3DH section 4.2: SK comes out the same again, so what Bob sends must not depend on it alone."""
    letter = first_letter(pair, Suite.PQXDH)
    keys = []
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), pair.bob.account.transaction():
            pair.bob.read(letter)
            keys.append(RatchetMessage.decode(pair.bob.write(b"answer")).header.ratchet_key)
            raise ZeroDivisionError  # the message is taken back, and comes again
    assert keys[0] != keys[1]
