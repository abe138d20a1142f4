"""SES-3: the initial message repeats until it is answered, any of them begins, and all go to one session."""

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
        return [type(entry.session) for entry in PeerSessions(side.store, side.peer, frozenset(Suite)).all()]


SUITES = pytest.mark.parametrize(
    ("suite", "kind"), [(Suite.X3DH, Kind.RATCHET), (Suite.PQXDH, Kind.TRIPLE)], ids=["X3DH", "PQXDH"]
)
"""The suites, with the kind of message that their sessions speak."""


@SUITES
def test_every_message_is_an_initial_one_until_the_answer(x3dh_pair: Pair, suite: Suite, kind: Kind) -> None:
    pair = x3dh_pair
    pair.alice.initiate(suite=suite)
    letters = [pair.alice.write(b"%d" % n) for n in range(5)]
    assert {peek_kind(letter) for letter in letters} == {Kind.INITIAL}
    assert len({InitialMessage.decode(letter).id for letter in letters}) == 1
    assert [InitialMessage.decode(each).message.header.number for each in letters] == list(range(5))
    for n, letter in enumerate(letters):
        assert pair.bob.read(letter) == b"%d" % n
    pair.alice.read(pair.bob.write(b"answer"))
    assert peek_kind(pair.alice.write(b"next")) is kind
    assert sessions(pair.alice) == sessions(pair.bob) == [Established]


def test_the_answer_is_what_counts_and_not_the_delivery(pair: Pair) -> None:
    pair.introduce()
    assert sessions(pair.alice) == [Initiated]
    assert peek_kind(pair.alice.write(b"again")) is Kind.INITIAL


@pytest.mark.parametrize("first", range(4))
def test_any_of_them_is_enough_and_the_others_may_follow(any_pair: Pair, first: int) -> None:
    any_pair.alice.initiate()
    letters = [any_pair.alice.write(b"%d" % n) for n in range(4)]
    order = [first, *(n for n in range(4) if n != first)]
    for n in order:
        assert any_pair.bob.read(letters[n]) == b"%d" % n
        any_pair.bob.reopen()
    assert sessions(any_pair.bob) == [Established]


@pytest.mark.parametrize("seed", range(8))
def test_initial_messages_in_any_order_beside_later_ones(pair: Pair, seed: int) -> None:
    rng = random.Random(seed)
    pair.alice.initiate()
    texts = {pair.alice.write(b"i%d" % n): b"i%d" % n for n in range(6)}
    early = list(texts)[rng.randrange(6)]
    pair.bob.read(early)
    pair.alice.read(pair.bob.write(b"answer"))
    late = {pair.alice.write(b"r%d" % n): b"r%d" % n for n in range(4)}
    waiting = [letter for letter in texts if letter != early] + list(late)
    rng.shuffle(waiting)
    for letter in waiting:
        assert pair.bob.read(letter) == (texts | late)[letter]
    assert sessions(pair.bob) == [Established]


def test_a_repeat_after_the_session_was_archived_goes_there(pair: Pair) -> None:
    pair.alice.initiate()
    first, second, third = (pair.alice.write(text) for text in (b"1", b"2", b"3"))
    pair.bob.read(first)
    pair.bob.initiate()  # archives the first session on Bob's side
    assert sessions(pair.bob) == [Initiated, Established]
    assert pair.bob.read(third) == b"3"
    assert pair.bob.read(second) == b"2"
    assert sorted(map(str, sessions(pair.bob))) == sorted(map(str, [Established, Initiated]))


def test_a_repeat_after_many_turns_goes_to_its_session(pair: Pair) -> None:
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
    letter = any_pair.alice.write(b"once")
    any_pair.bob.read(letter)
    for _ in range(2):
        with unchanged(any_pair.bob.store), pytest.raises(DuplicateMessage):
            any_pair.bob.read(letter)
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
    """The header is named by its digest: a changed one is another handshake, and its prekeys are gone."""
    pair.alice.initiate()
    first, second = pair.alice.write(b"1"), pair.alice.write(b"2")
    pair.bob.read(first)
    start = second.index(InitialMessage.decode(second).header.ephemeral.data)
    with unchanged(pair.bob.store), pytest.raises(UnknownPrekey):
        pair.bob.read(second[:start] + bytes([second[start] ^ 1]) + second[start + 1 :])


@pytest.mark.parametrize("late", [False, True])
def test_a_repeat_carries_messages_of_its_own_session_only(pair: Pair, late: bool) -> None:
    """The header of one handshake around a message of another session is not what anybody sent."""
    pair.alice.initiate()
    header = InitialMessage.decode(pair.alice.write(b"first session")).header
    pair.bob.read(pair.alice.write(b"begins the first"))
    pair.converse()
    letter = pair.alice.write(b"in the second session")
    if late:
        pair.bob.read(pair.alice.write(b"overtakes"))
    mixed = cbor.complete_array(header.encode_header(), letter)
    with unchanged(pair.bob.store), pytest.raises(PeerError):
        pair.bob.read(mixed)
    assert pair.bob.read(letter) == b"in the second session"


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
    letter = pair.alice.write(b"from alice")
    for other in (BOB, type(ALICE)("alice", 2), type(ALICE)("mallory", 1)):
        with unchanged(pair.bob.store), pytest.raises(PeerError):
            pair.bob.account.decrypt(other, letter)
    assert pair.bob.account.decrypt(ALICE, letter) == b"from alice"


def test_a_message_does_not_go_back_to_its_sender(pair: Pair) -> None:
    """Reflection: both directions share their associated data, so only the ratchet keeps them apart."""
    pair.converse()
    for side in (pair.alice, pair.bob):
        letter = side.write(b"to the other")
        with unchanged(side.store), pytest.raises(PeerError):
            side.read(letter)
        assert side.other.read(letter) == b"to the other"


def test_an_initial_message_does_not_go_back_to_its_sender(pair: Pair) -> None:
    pair.alice.initiate()
    letter = pair.alice.write(b"to bob")
    for address in (ALICE, BOB):  # our own identity key is not the one we know of Bob
        with unchanged(pair.alice.store), pytest.raises((PeerError, TrustError)):
            pair.alice.account.decrypt(address, letter)


def test_a_message_for_somebody_else_is_refused(pair: Pair) -> None:
    other = Pair()
    other.converse()
    pair.converse()
    pair.alice.initiate()
    letter = pair.alice.write(b"for bob")
    with unchanged(other.bob.store), pytest.raises(PeerError):
        other.bob.account.decrypt(type(ALICE)("carol", 1), letter)
