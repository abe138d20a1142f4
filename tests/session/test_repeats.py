"""SES-3: until the answer every message is an initial one. Any begins the session, the others join it."""

import random

import cbor2
import pytest

from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.session import Established, Initiated
from letterlock._wire import cbor
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import InitialMessage
from letterlock._wire.suite import Suite
from letterlock.errors import DuplicateMessage, PeerError, TrustError, UnknownPrekey, UnknownSession
from support.pair import ALICE, BOB, Pair, Side, unchanged


def sessions(side: Side) -> list[type]:
    """Return the kinds of the sessions with the peer, the active one first."""
    with side.store.transaction():
        return [
            type(stored.session) for stored in PeerSessions(side.store, side.peer, frozenset(Suite)).all()
        ]


SUITES = pytest.mark.parametrize(
    ("suite", "kind"), [(Suite.X3DH, Kind.RATCHET), (Suite.PQXDH, Kind.TRIPLE)], ids=["X3DH", "PQXDH"]
)
"""Each suite with the kind of message that its sessions send."""


@SUITES
def test_every_message_is_an_initial_one_until_the_answer(x3dh_pair: Pair, suite: Suite, kind: Kind) -> None:
    pair = x3dh_pair
    pair.alice.initiate(suite=suite)
    messages = [pair.alice.write(b"%d" % n) for n in range(5)]
    assert {peek_kind(message) for message in messages} == {Kind.INITIAL}
    assert len({InitialMessage.decode(message).id for message in messages}) == 1
    assert [InitialMessage.decode(each).message.header.number for each in messages] == list(range(5))
    for n, message in enumerate(messages):
        assert pair.bob.read(message) == b"%d" % n
    pair.alice.read(pair.bob.write(b"answer"))
    assert peek_kind(pair.alice.write(b"next")) is kind
    assert sessions(pair.alice) == sessions(pair.bob) == [Established]


def test_delivery_without_an_answer_does_not_end_the_repeats(pair: Pair) -> None:
    pair.introduce()
    assert sessions(pair.alice) == [Initiated]
    assert peek_kind(pair.alice.write(b"again")) is Kind.INITIAL


@pytest.mark.parametrize("first", range(4))
def test_any_initial_message_begins_the_session_and_the_others_join_it(any_pair: Pair, first: int) -> None:
    any_pair.alice.initiate()
    messages = [any_pair.alice.write(b"%d" % n) for n in range(4)]
    order = [first, *(n for n in range(4) if n != first)]
    for n in order:
        assert any_pair.bob.read(messages[n]) == b"%d" % n
        any_pair.bob.reopen()
    assert sessions(any_pair.bob) == [Established]


@pytest.mark.parametrize("seed", range(8))
def test_initial_and_later_messages_are_read_in_any_order(pair: Pair, seed: int) -> None:
    rng = random.Random(seed)
    pair.alice.initiate()
    texts = {pair.alice.write(b"i%d" % n): b"i%d" % n for n in range(6)}
    early = list(texts)[rng.randrange(6)]
    pair.bob.read(early)
    pair.alice.read(pair.bob.write(b"answer"))
    late = {pair.alice.write(b"r%d" % n): b"r%d" % n for n in range(4)}
    waiting = [message for message in texts if message != early] + list(late)
    rng.shuffle(waiting)
    for message in waiting:
        assert pair.bob.read(message) == (texts | late)[message]
    assert sessions(pair.bob) == [Established]


def test_a_repeat_for_an_archived_session_is_read_in_it(pair: Pair) -> None:
    pair.alice.initiate()
    first, second, third = (pair.alice.write(text) for text in (b"1", b"2", b"3"))
    pair.bob.read(first)
    pair.bob.initiate()  # archives the first session on Bob's side
    assert sessions(pair.bob) == [Initiated, Established]
    assert pair.bob.read(third) == b"3"
    assert pair.bob.read(second) == b"2"
    assert sorted(map(str, sessions(pair.bob))) == sorted(map(str, [Established, Initiated]))


def test_a_repeat_after_many_turns_is_read_in_its_session(pair: Pair) -> None:
    pair.alice.initiate()
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    for _ in range(5):
        pair.bob.say(b"x")
        pair.alice.hear()
        pair.alice.say(b"y")
        pair.bob.hear()
    assert pair.bob.read(late) == b"late"
    assert sessions(pair.bob) == [Established]


# --- negative -------------------------------------------------------------------------------------


def test_the_same_initial_message_twice_is_a_duplicate(any_pair: Pair) -> None:
    any_pair.alice.initiate()
    message = any_pair.alice.write(b"once")
    any_pair.bob.read(message)
    for _ in range(2):
        with unchanged(any_pair.bob.store), pytest.raises(DuplicateMessage):
            any_pair.bob.read(message)
        any_pair.bob.reopen()


def test_a_forged_repeat_changes_nothing(pair: Pair) -> None:
    pair.alice.initiate()
    first, second = pair.alice.write(b"1"), pair.alice.write(b"2")
    pair.bob.read(first)
    for at in range(len(second) - 120, len(second)):
        forged = second[:at] + bytes([second[at] ^ 0x10]) + second[at + 1 :]
        with unchanged(pair.bob.store), pytest.raises(PeerError):
            pair.bob.read(forged)
    assert pair.bob.read(second) == b"2"


def test_a_repeat_with_another_handshake_header_does_not_find_the_session(pair: Pair) -> None:
    """A changed header has another digest, so it is another handshake, whose prekeys are used up."""
    pair.alice.initiate()
    first, second = pair.alice.write(b"1"), pair.alice.write(b"2")
    pair.bob.read(first)
    start = second.index(InitialMessage.decode(second).header.ephemeral.data)
    with unchanged(pair.bob.store), pytest.raises(UnknownPrekey):
        pair.bob.read(second[:start] + bytes([second[start] ^ 1]) + second[start + 1 :])


@pytest.mark.parametrize("late", [False, True])
def test_a_repeat_carries_messages_of_its_own_session_only(pair: Pair, late: bool) -> None:
    """No peer puts the header of one handshake around a message of another session."""
    pair.alice.initiate()
    header = InitialMessage.decode(pair.alice.write(b"first session")).header
    pair.bob.read(pair.alice.write(b"begins the first"))
    pair.converse()
    message = pair.alice.write(b"in the second session")
    if late:
        pair.bob.read(pair.alice.write(b"overtakes"))
    mixed = cbor.complete_array(header.encode_header(), message)
    with unchanged(pair.bob.store), pytest.raises(PeerError):
        pair.bob.read(mixed)
    assert pair.bob.read(message) == b"in the second session"


@SUITES
def test_a_ratchet_message_cannot_begin_a_session(x3dh_pair: Pair, suite: Suite, kind: Kind) -> None:
    pair = x3dh_pair
    pair.alice.initiate(suite=suite)
    bare = cbor2.loads(pair.alice.write(b"bare"))[-1]
    assert peek_kind(bare) is kind
    with unchanged(pair.bob.store), pytest.raises(UnknownSession):
        pair.bob.read(bare)


def test_an_initial_message_from_another_address_is_refused(pair: Pair) -> None:
    """Unknown key share: the sender's name is part of what the message authenticates."""
    pair.alice.initiate()
    message = pair.alice.write(b"from alice")
    for other in (BOB, type(ALICE)("alice", 2), type(ALICE)("mallory", 1)):
        with unchanged(pair.bob.store), pytest.raises(PeerError):
            pair.bob.account.decrypt(other, message)
    assert pair.bob.account.decrypt(ALICE, message) == b"from alice"


def test_a_message_does_not_go_back_to_its_sender(pair: Pair) -> None:
    """Reflection: both directions share their associated data, so only the ratchet keeps them apart."""
    pair.converse()
    for side in (pair.alice, pair.bob):
        message = side.write(b"to the other")
        with unchanged(side.store), pytest.raises(PeerError):
            side.read(message)
        assert side.other.read(message) == b"to the other"


def test_an_initial_message_does_not_go_back_to_its_sender(pair: Pair) -> None:
    pair.alice.initiate()
    message = pair.alice.write(b"to bob")
    for address in (ALICE, BOB):  # our own identity key is not the one recorded for Bob
        with unchanged(pair.alice.store), pytest.raises((PeerError, TrustError)):
            pair.alice.account.decrypt(address, message)


def test_a_message_for_somebody_else_is_refused(pair: Pair) -> None:
    other = Pair()
    other.converse()
    pair.converse()
    pair.alice.initiate()
    message = pair.alice.write(b"for bob")
    with unchanged(other.bob.store), pytest.raises(PeerError):
        other.bob.account.decrypt(type(ALICE)("carol", 1), message)
