"""HAND-8: a handshake that used up no prekey is remembered with the prekey that can serve again.

The record of handshakes is bounded, refuses when full, and is deleted with its prekey.
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


def first_message(pair: Pair, suite: Suite, bundle: PrekeyBundle | None = None) -> bytes:
    """Return a first message that uses no one-time prekey."""
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
    message = first_message(both, suite)
    assert both.bob.read(message) == b"pay 100"
    forget_session(both)
    both.bob.reopen()
    trace.clear()
    with unchanged(both.bob.store), pytest.raises(DuplicateMessage):
        both.bob.read(message)
    assert trace.count("dh", "open") == 0


@SUITES
def test_another_message_of_the_same_handshake_is_a_replay_too(both: Pair, suite: Suite) -> None:
    """The whole handshake is remembered, because SK would be the same again."""
    message = first_message(both, suite)
    second = both.alice.write(b"pay 100 again")
    both.bob.read(message)
    forget_session(both)
    with unchanged(both.bob.store), pytest.raises(DuplicateMessage):
        both.bob.read(second)


def test_a_replay_after_the_session_left_the_archive_is_refused(pair: Pair) -> None:
    message = first_message(pair, Suite.PQXDH)
    pair.bob.read(message)
    for _ in range(41):
        pair.alice.initiate()
        pair.bob.read(pair.alice.write(b"newer"))
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(message)


def test_a_replay_after_the_identity_was_changed_and_changed_back_is_refused(pair: Pair) -> None:
    message = first_message(pair, Suite.PQXDH)
    pair.bob.read(message)
    alice, other = pair.alice.account.identity.data, Pair().alice.account.identity.data
    pair.bob.account.accept_identity(pair.alice.address, other)
    pair.bob.account.accept_identity(pair.alice.address, alice)
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(message)


@SUITES
def test_a_handshake_is_recorded_under_the_prekey_that_can_serve_again(both: Pair, suite: Suite) -> None:
    bundle = both.bob.account.publish(0).last_resort_bundle()
    assert recorded(both, bundle) == (0, 0)
    message = first_message(both, suite, bundle)
    with pytest.raises(PeerError):
        both.bob.read(message[:-1] + bytes([message[-1] ^ 1]))
    assert recorded(both, bundle) == (0, 0)  # a forgery is not recorded
    both.bob.read(message)
    both.bob.read(both.alice.write(b"again"))  # nor is a repeat
    assert recorded(both, bundle) == ((1, 0) if suite is Suite.X3DH else (0, 1))


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
def test_a_handshake_that_used_up_a_one_time_prekey_is_not_recorded(both: Pair, suite: Suite) -> None:
    publication = both.bob.account.publish(1)
    last = publication.last_resort_bundle()
    both.alice.initiate(next(publication.bundles()), suite)
    message = both.alice.write(b"once")
    both.bob.read(message)
    assert recorded(both, last) == (0, 0)
    forget_session(both)
    with unchanged(both.bob.store), pytest.raises(UnknownPrekey):
        both.bob.read(message)


def test_the_limit_is_that_of_the_specification() -> None:
    assert MAX_REPLAY_RECORDS == 65536


@SUITES
def test_a_full_record_refuses_new_handshakes_and_forgets_none(
    both: Pair, suite: Suite, monkeypatch: pytest.MonkeyPatch, trace: Trace
) -> None:
    monkeypatch.setattr(prekeys, "MAX_REPLAY_RECORDS", 3)
    bundle = both.bob.account.publish(0).last_resort_bundle()
    messages = [first_message(both, suite, bundle) for _ in range(4)]
    for message in messages[:3]:
        assert both.bob.read(message) == b"pay 100"
    trace.clear()
    with unchanged(both.bob.store), pytest.raises(ReplayRecordFull) as caught:
        both.bob.read(messages[3])
    assert caught.value.limit == 3
    assert trace.count("dh", "open") == 0
    # Accepted sessions go on.
    both.bob.say(b"answer")
    assert both.alice.hear() == b"answer"
    forget_session(both)
    for message in messages[:3]:  # their handshakes are remembered when the sessions are deleted,
        with pytest.raises(DuplicateMessage):
            both.bob.read(message)
    with pytest.raises(ReplayRecordFull):  # and that deletion makes no room.
        both.bob.read(messages[3])
    fresh = both.bob.account.publish(0, rotate=True).last_resort_bundle()
    assert both.bob.read(first_message(both, suite, fresh)) == b"pay 100"


@SUITES
def test_the_record_is_deleted_with_its_prekey(both: Pair, suite: Suite) -> None:
    bundle = both.bob.account.publish(0).last_resort_bundle()
    message = first_message(both, suite, bundle)
    both.bob.read(message)
    forget_session(both)
    both.bob.account.publish(0, rotate=True)
    assert sum(recorded(both, bundle)) == 1  # retired, but it can still serve
    with pytest.raises(DuplicateMessage):
        both.bob.read(message)
    both.clock.now += PREKEY_GRACE
    both.bob.reopen()
    assert recorded(both, bundle) == (0, 0)
    with unchanged(both.bob.store), pytest.raises(UnknownPrekey):
        both.bob.read(message)


def test_two_strangers_may_use_one_last_resort_prekey(pair: Pair) -> None:
    bundle = pair.bob.account.publish(0).last_resort_bundle()
    for name in ("carol", "dave"):
        address = type(BOB)(name, 1)
        stranger = Account.create(MemoryStore(), address, clock=pair.clock)
        stranger.initiate(BOB, bundle)
        assert pair.bob.account.decrypt(address, stranger.encrypt(BOB, b"hi")) == b"hi"
    assert recorded(pair, bundle) == (0, 2)


def test_a_replay_under_another_name_is_refused(pair: Pair) -> None:
    message = first_message(pair, Suite.PQXDH)
    pair.bob.read(message)
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.account.decrypt(type(BOB)("mallory", 1), message)


def test_the_answer_to_a_replay_is_under_a_new_key(pair: Pair) -> None:
    """X3DH section 4.2: a replay gives the same SK, so Bob's keys must not depend on it alone."""
    message = first_message(pair, Suite.PQXDH)
    keys = []
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), pair.bob.account.transaction():
            pair.bob.read(message)
            keys.append(RatchetMessage.decode(pair.bob.write(b"answer")).header.ratchet_key)
            raise ZeroDivisionError  # the decryption is rolled back, and the message comes again
    assert keys[0] != keys[1]
