"""A session that a MemoryStore keeps (DeferredRecord) is the one that its bytes would give.

A store in memory keeps the session itself and encodes it only when asked. So sessions in every state are
compared with their records, and conversations continue from the records.
"""

import random
from collections.abc import Iterator

import pytest

from letterlock._ratchet.triple import Triple
from letterlock._records.session import decode_session, encode_session
from letterlock._records.triple import STATES
from letterlock._session.session import Established, Session
from letterlock._wire.suite import Suite
from letterlock.stores._interface import DeferredRecord, Record
from support.pair import Pair, Side, check_kept_sessions, encode_kept_sessions, kept_sessions, live, plain

pytestmark = pytest.mark.pure

SUITES = pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
DOUBLE_STATES = {"Unanswered", "Hearing", "Speaking"}
"""Waiting is never stored: a recipient's session exists once its first message was read."""


class Crash(Exception):
    """What the application raises."""


def both_initiate(pair: Pair) -> None:
    """Each side initiates before it hears from the other, so that promotions are deferred."""
    bundles = pair.alice.account.bundle(), pair.bob.account.bundle()
    pair.alice.initiate(bundles[1])
    pair.bob.initiate(bundles[0])


def messages(pair: Pair, count: int) -> Iterator[Side]:
    """Let both sides write and read in turn, now and then a long text; yield a side after each call."""
    rng = random.Random(5)
    for number in range(count):
        if number % 100 == 50:
            both_initiate(pair)
        side = rng.choice([pair.alice, pair.bob])
        side.say(bytes(rng.choice([20, 20, 20, 20, 2000])))
        yield side
        if rng.random() < 0.8:
            side.other.hear_all()
            yield side.other


def kinds(session: Session) -> set[str]:
    """Return the names of what a session is and of the states in it."""
    ratchet = live(session).ratchet
    names = {type(session).__name__}
    if isinstance(session, Established):
        names |= {f"{session.promote_next=}"}
    if isinstance(ratchet, Triple):
        return names | {type(ratchet.double).__name__, type(ratchet.braid).__name__}
    return names | {type(ratchet).__name__}


@SUITES
def test_a_kept_session_equals_what_its_bytes_decode_to(suite: Suite) -> None:
    pair = Pair(suite=suite)
    both_initiate(pair)
    seen: set[str] = set()
    for side in messages(pair, 400):
        check_kept_sessions(side.store)
        for kept in kept_sessions(side.store).values():
            seen |= kinds(kept.value)
    expected = {"Initiated", "Established", "session.promote_next=True", "session.promote_next=False"}
    braids = {state.__name__ for state in STATES} if suite is Suite.PQXDH else set()
    assert seen == expected | DOUBLE_STATES | braids


@SUITES
def test_a_conversation_continues_from_the_bytes_of_its_sessions(suite: Suite) -> None:
    """After every call each kept session is replaced by its bytes. The same draws give the same sessions."""
    plain_pair, encoded_pair = (Pair(suite=suite, seed="bytes") for _ in range(2))
    for pair in (plain_pair, encoded_pair):
        both_initiate(pair)
    for side in messages(encoded_pair, 150):
        assert kept_sessions(side.store)
        side.reopen()
        assert not kept_sessions(side.store)
    if suite is Suite.X3DH:  # the KEM of PQXDH draws its own randomness
        for _ in messages(plain_pair, 150):
            pass
        for one, other in ((plain_pair.alice, encoded_pair.alice), (plain_pair.bob, encoded_pair.bob)):
            assert kept_sessions(one.store)
            assert one.dump() == other.dump()


@SUITES
def test_a_rollback_restores_the_kept_sessions(suite: Suite) -> None:
    pair = Pair(suite=suite)
    pair.converse()
    skipped, first = pair.alice.write(b"skipped"), pair.alice.write(b"first")
    late, last = pair.bob.write(b"late"), pair.bob.write(b"last")
    before = {side: kept_sessions(side.store) for side in (pair.alice, pair.bob)}
    values = {side: plain({id_: kept.value for id_, kept in before[side].items()}) for side in before}
    calls = {pair.alice: (last, late), pair.bob: (first, skipped)}
    for side, received in calls.items():
        with pytest.raises(Crash), side.account.transaction():
            for message in received:
                side.read(message)
            side.write(b"taken back")
            side.initiate()
            during = kept_sessions(side.store)
            assert all(during[id_] is not kept for id_, kept in before[side].items())
            assert during.keys() > before[side].keys()
            raise Crash
        after = kept_sessions(side.store)
        assert after.keys() == before[side].keys()
        assert all(after[id_] is kept for id_, kept in before[side].items())
        assert plain({id_: kept.value for id_, kept in after.items()}) == values[side]
        check_kept_sessions(side.store)
    assert [pair.bob.read(each) for each in (first, skipped)] == [b"first", b"skipped"]
    assert [pair.alice.read(each) for each in (last, late)] == [b"last", b"late"]


def test_the_check_notices_a_kept_session_that_differs_from_its_record() -> None:
    pair = Pair()
    pair.converse()
    (kept,) = kept_sessions(pair.alice.store).values()
    (other,) = kept_sessions(pair.bob.store).values()
    sessions = pair.alice.store._rows.sessions  # type: ignore[union-attr]
    ((id_, row),) = sessions.items()
    wrong = DeferredRecord(kept.value, lambda _: encode_session(other.value))
    sessions[id_] = type(row)(row.id, row.address, row.rank, wrong)
    with pytest.raises(AssertionError, match="not the one in its record"):
        check_kept_sessions(pair.alice.store)


def test_encoding_kept_sessions_leaves_their_records() -> None:
    pair = Pair()
    pair.converse()
    (kept,) = kept_sessions(pair.alice.store).values()
    encode_kept_sessions(pair.alice.store)  # type: ignore[arg-type]
    (row,) = pair.alice.store._rows.sessions.values()  # type: ignore[union-attr]
    assert isinstance(row.record, Record)
    assert plain(decode_session(row.record)) == plain(kept.value)
