"""SES-3, SES-15: until the answer every message is an initial one. Any begins the session, others join it."""

import random

import cbor2
import pytest

from letterlock._ratchet import double
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.session import Established, Initiated
from letterlock._wire import cbor
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import Header, InitialMessage
from letterlock._wire.suite import Suite
from letterlock.errors import (
    AuthenticationFailed,
    DuplicateMessage,
    PeerError,
    TrustError,
    UnknownPrekey,
    UnknownSession,
)
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


# --- a handshake that was stripped or added -----------------------------------------------------------


def stripped(message: bytes) -> bytes:
    """Return the message inside an initial message."""
    carried = cbor2.loads(message)[-1]
    assert isinstance(carried, bytes)
    return carried


def refused(side: Side, message: bytes) -> None:
    with unchanged(side.store), pytest.raises(AuthenticationFailed):
        side.read(message)


def test_a_repeat_without_its_handshake_is_refused(each_pair: Pair) -> None:
    pair = each_pair
    pair.alice.initiate()
    first, second, third = (pair.alice.write(text) for text in (b"1", b"2", b"3"))
    pair.bob.read(first)
    refused(pair.bob, stripped(second))
    refused(pair.bob, stripped(third))
    assert pair.bob.read(third) == b"3"
    refused(pair.bob, stripped(second))  # its key is a skipped key now
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(stripped(third))
    assert pair.bob.read(second) == b"2"


def test_a_late_first_message_is_refused_without_its_handshake_however_late(any_pair: Pair) -> None:
    any_pair.alice.initiate()
    late, first = any_pair.alice.write(b"late"), any_pair.alice.write(b"first")
    any_pair.bob.read(first)
    for _ in range(3):
        any_pair.bob.say(b"x")
        any_pair.alice.hear()
        any_pair.alice.say(b"y")
        any_pair.bob.hear()
        refused(any_pair.bob, stripped(late))
    any_pair.bob.reopen()
    refused(any_pair.bob, stripped(late))
    assert any_pair.bob.read(late) == b"late"


def test_first_messages_that_come_after_the_next_chain_need_their_handshake(each_pair: Pair) -> None:
    pair = each_pair
    pair.alice.initiate()
    messages = [pair.alice.write(b"%d" % n) for n in range(4)]
    pair.bob.read(messages[1])
    pair.alice.read(pair.bob.write(b"answer"))
    pair.bob.read(pair.alice.write(b"of the next chain"))  # skips 2 and 3
    for number in (0, 2, 3):
        refused(pair.bob, stripped(messages[number]))
        assert pair.bob.read(messages[number]) == b"%d" % number


def test_a_handshake_around_a_later_message_is_refused(each_pair: Pair) -> None:
    pair = each_pair
    pair.alice.initiate()
    first = InitialMessage.decode(pair.alice.write(b"lost"))
    pair.bob.read(pair.alice.write(b"hello"))
    pair.alice.read(pair.bob.write(b"answer"))
    late, next_one = pair.alice.write(b"late"), pair.alice.write(b"next")
    header = first.header.encode_header()
    refused(pair.bob, cbor.complete_array(header, next_one))
    assert pair.bob.read(next_one) == b"next"
    refused(pair.bob, cbor.complete_array(header, late))  # its key is a skipped key now
    assert pair.bob.read(late) == b"late"


def test_a_handshake_around_an_answer_is_refused(pair: Pair) -> None:
    """The recipient's own first chain has PN 0 as well, and it carries no handshake."""
    pair.alice.initiate()
    hello = pair.alice.write(b"hello")
    pair.bob.read(hello)
    answer = pair.bob.write(b"answer")
    with unchanged(pair.alice.store), pytest.raises((PeerError, TrustError)):
        pair.alice.read(cbor.complete_array(InitialMessage.decode(hello).header.encode_header(), answer))
    assert pair.alice.read(answer) == b"answer"


def test_crossed_sessions_read_each_message_as_it_was_sent(each_pair: Pair) -> None:
    """Both begin at once, and each session goes on: also those of the archive, and late messages."""
    pair = each_pair
    pair.alice.initiate()
    pair.bob.initiate()
    crossed = {side: [side.write(b"%d" % n) for n in range(3)] for side in (pair.alice, pair.bob)}
    for side, messages in crossed.items():
        refused_before = stripped(messages[2])
        assert side.other.read(messages[1]) == b"1"
        refused(side.other, refused_before)
    for side, messages in crossed.items():
        for number in (2, 0):
            refused(side.other, stripped(messages[number]))
            assert side.other.read(messages[number]) == b"%d" % number
    for _ in range(4):
        pair.turn()


def test_a_session_that_comes_back_still_repeats_its_handshake(pair: Pair) -> None:
    """Alice returns to her first session, which Bob never answered there."""
    pair.alice.initiate()
    pair.bob.read(pair.alice.write(b"first session"))
    answer = pair.bob.write(b"to the first session")
    pair.alice.initiate()
    pair.alice.write(b"lost")
    assert pair.alice.read(answer) == b"to the first session"
    assert sessions(pair.alice) == [Established, Initiated]
    pair.alice.say(b"goes on")
    assert pair.bob.hear() == b"goes on"


@pytest.mark.pure
def test_a_first_message_must_be_of_the_first_chain(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the peer itself could seal another PN; an honest one never does."""
    pair.alice.initiate()
    monkeypatch.setattr(double, "Header", lambda key, _, number: Header(key, 1, number))
    wrong = pair.alice.write(b"wrong")
    monkeypatch.undo()
    refused(pair.bob, wrong)
    assert pair.bob.read(pair.alice.write(b"right")) == b"right"
