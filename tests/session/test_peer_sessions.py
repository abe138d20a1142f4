"""The limits of PeerSessions: which session is used, what trying several may cost, which ids sessions get.

Each limit of SES-5, SES-8 and SES-9 is met exactly, then exceeded by one.
"""

import pytest

from letterlock._device.known_peers import save_peer
from letterlock._device.peer import Peer
from letterlock._primitives.curve25519 import IdentityKey, RatchetKey
from letterlock._ratchet import braid, sparse
from letterlock._ratchet.double import Unanswered
from letterlock._ratchet.pq_keys import PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.triple import Triple
from letterlock._session.lifecycle import Phase
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.session import Initiated, Origin
from letterlock._wire import cbor
from letterlock._wire.message import Header
from letterlock._wire.suite import Suite
from letterlock.errors import AuthenticationFailed, NoSession, TooManySkipped
from letterlock.limits import MAX_ARCHIVED_SESSIONS, MAX_TRIAL_STEPS
from letterlock.stores._memory import MemoryStore
from support.double_pair import states
from support.pair import BOB, Pair, flipped, unchanged
from support.trace_calls import Trace

STRANGER = RatchetKey(b"\x09" + bytes(31))


def unanswered() -> Unanswered:
    state = states()["Unanswered"]
    assert isinstance(state, Unanswered)
    return state


def of_suite(suite: Suite) -> Initiated:
    shared = PqSharedSecret(bytes(32))
    chains = sparse.start(LETTERLOCK, shared, is_initiator=True)
    triple = Triple(unanswered(), chains, braid.initiator(LETTERLOCK, shared))
    ratchet = unanswered() if suite is Suite.X3DH else triple
    return Initiated(Origin(suite, bytes(32), None), b"a header", ratchet)


def store_that_knows_bob() -> MemoryStore:
    store = MemoryStore()
    with store.transaction():
        save_peer(store.tables, Peer(BOB, IdentityKey(STRANGER.data)))
    return store


def forged(number: int) -> bytes:
    return cbor.complete_array(Header(STRANGER, 0, number).encode_header(), bytes(56))


# --- SES-8: a session whose suite is not allowed is kept and not used ---------------------------------


@pytest.mark.parametrize("newer", [0, 1, MAX_ARCHIVED_SESSIONS - 1, MAX_ARCHIVED_SESSIONS])
def test_the_newest_session_of_an_allowed_suite_is_used_however_many_are_newer(newer: int) -> None:
    store = store_that_knows_bob()
    with store.transaction():
        everything = PeerSessions(store, BOB, frozenset(Suite))
        oldest = everything.insert(of_suite(Suite.PQXDH), lambda length: bytes([1]) * length)
        weaker = PeerSessions(store, BOB, frozenset({Suite.X3DH}))
        for n in range(newer):
            weaker.insert(of_suite(Suite.X3DH), lambda length, n=n: bytes([2 + n]) * length)  # type: ignore[misc]
        careful = PeerSessions(store, BOB, frozenset({Suite.PQXDH}))
        found = careful.active()
        assert found is not None
        assert (found.id, found.phase, len(everything.all())) == (oldest, Phase.INITIATED, newer + 1)
        assert [stored.id for stored in careful.all()] == [oldest]
        assert PeerSessions(store, BOB, frozenset()).active() is None
        with pytest.raises(NoSession):
            PeerSessions(store, BOB, frozenset()).encrypt(b"text", bytes)


# --- SES-9: what a message that no session knows may cost -----------------------------------------------


def test_trials_end_when_the_next_would_exceed_the_step_limit(trace: Trace) -> None:
    """Each trial takes 889 steps. After eight of ten sessions 888 are left, one too few for a ninth."""
    pair = Pair(suite=Suite.X3DH)
    for _ in range(10):
        pair.converse()
    assert MAX_TRIAL_STEPS == 8 * 889 + 888
    trace.clear()
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(forged(889))
    assert (trace.count("dh"), trace.count("open")) == (8, 8)


def test_a_jump_beyond_the_step_limit_reports_the_jump_and_the_limit(trace: Trace) -> None:
    pair = Pair(suite=Suite.X3DH)
    pair.converse()
    trace.clear()
    with unchanged(pair.bob.store), pytest.raises(TooManySkipped) as caught:
        pair.bob.read(forged(MAX_TRIAL_STEPS + 1))
    assert (caught.value.skipped, caught.value.limit) == (MAX_TRIAL_STEPS + 1, MAX_TRIAL_STEPS)
    assert trace.calls == []


def test_a_forgery_in_a_known_chain_is_not_tried_in_other_sessions(pair: Pair, trace: Trace) -> None:
    """Bob spoke last in five archived sessions, so only an agreement could rule each of them out."""
    for _ in range(6):
        pair.converse()
    assert pair.bob.read(pair.alice.write(b"the key is known")) == b"the key is known"
    message = pair.alice.write(b"next")
    trace.clear()
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(flipped(message, len(message) - 1))
    assert (trace.count("dh"), trace.count("open")) == (0, 1)


# --- ids -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("drawn", "id_"), [(0x00, 1), (0xFF, 2**63 - 1)])
def test_an_id_is_a_positive_integer_that_sqlite_can_hold(drawn: int, id_: int) -> None:
    store = store_that_knows_bob()
    with store.transaction():
        sessions = PeerSessions(store, BOB, frozenset(Suite))
        assert sessions.insert(of_suite(Suite.PQXDH), lambda length: bytes([drawn]) * length) == id_
