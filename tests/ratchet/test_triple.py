"""PQR-4, PQR-7, RAT-6: the triple ratchet changes as a whole or not at all.

A session heals within a number of messages. A message that is forged, stripped or contradicts itself gives no
key or another one, and changes nothing. The double ratchet inside equals one that runs alone.

Not here: how the two halves of a key are combined (test_hybrid_key.py).
"""

import dataclasses
import random
from collections.abc import Callable

import pytest

from letterlock._primitives.entropy import Entropy
from letterlock._ratchet import double, triple
from letterlock._ratchet.double import Unanswered, Waiting
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_keys import HybridKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.ratchet import nothing_kept
from letterlock._wire.message import Header
from letterlock._wire.pq_header import PqType
from letterlock.errors import AuthenticationFailed, BraidFailed, DuplicateMessage, PeerError, UsageError
from letterlock.limits import MAX_CODEWORDS, MAX_COUNTER
from support.braid_pair import STATES
from support.double_pair import SIGNED, Ratchet, fresh_key, skipped_keys
from support.pair import entropy_of, flipped, plain
from support.trace_calls import Trace
from support.triple_pair import (
    AD,
    SECRET,
    Message,
    Side,
    Sides,
    alternate,
    as_ratchet_message,
    triple_pair,
    with_header,
    with_pq_header,
)

# --- conversations ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_a_thousand_messages_over_a_bad_network(seed: int) -> None:
    """Every message that arrives has its sender's key, and at least ten epochs complete."""
    rng, (alice, bob) = random.Random(seed), triple_pair(seed)
    wire: list[tuple[Side, Message]] = []
    late = received = 0
    for _ in range(1000):
        sender = alice if isinstance(bob.state.double, Waiting) else rng.choice((alice, bob))
        wire.append((bob if sender is alice else alice, sender.send(rng.choice((20, 300, 2048)))))
        while len(wire) > rng.randrange(10):
            receiver, message = wire.pop(rng.randrange(len(wire)))
            if rng.random() < 0.75:
                found = receiver.receive(message)
                late += found.sparse.state is found.before.sparse
                received += 1
                before = receiver.all()
                with pytest.raises((DuplicateMessage, AuthenticationFailed)):
                    receiver.find_message_key(message)
                assert receiver.all() == before
    assert received > 600
    assert late > 50
    assert min(side.state.sparse.latest for side in (alice, bob)) >= 10
    for side in (alice, bob):
        assert len(side.sparse) == len(side.double) > 0


@pytest.mark.parametrize(("size", "most"), [(20, 86), (200, 86), (2048, 12), (20480, 6)])
def test_how_soon_a_message_is_keyed_by_the_first_epoch(size: int, most: int) -> None:  # PQR-7
    count = alternate(triple_pair(size), lambda message: message.pq_header.epoch == 2, size)
    assert 4 < count <= most


def test_no_epoch_begins_while_one_side_writes_alone() -> None:
    """Healing needs both sides: until Bob answers, all messages of Alice are in epoch 0."""
    alice, bob = triple_pair()
    messages = [alice.send(2048) for _ in range(50)]
    assert {message.pq_header.epoch for message in messages} == {1}
    assert [message.pq_header.number for message in messages] == [*range(1, 51)]
    for message in reversed(messages):
        bob.receive(message)
    assert (bob.sparse, bob.double) == ({}, {})
    assert bob.braid == "HeaderReceived"


def test_codewords_of_a_late_message_are_collected() -> None:
    alice, bob = triple_pair()
    early, late = alice.send(20000), alice.send(20000)
    assert early.pq_header.type is PqType.HDR
    shortened = dataclasses.replace(
        late, pq_header=dataclasses.replace(late.pq_header, codewords=late.pq_header.codewords[:32])
    )
    bob.receive(shortened)
    assert bob.braid == "NoHeaderReceived"
    found = bob.receive(early)
    assert (found.double.state, found.sparse.state) == (found.before.double, found.before.sparse)
    assert bob.braid == "HeaderReceived"


@pytest.mark.parametrize(
    ("size", "most"),
    [(0, 1), (32, 1), (128, 1), (255, 1), (256, 2), (2048, 16), (8191, 63), (8192, 64), (10**7, 64)],
)
def test_a_quarter_of_a_message_may_be_codewords(size: int, most: int) -> None:
    assert triple.max_codewords(size) == most <= MAX_CODEWORDS
    sides = triple_pair()
    alternate(sides, lambda message: message.pq_header.type is PqType.CT1)
    state = sides[1].state
    sent = triple.send(LETTERLOCK, state, size, entropy_of(1))
    assert sent.pq_header is not None
    assert len(sent.pq_header.codewords) == 32 * min(most, 30)


# --- finding a key ------------------------------------------------------------------------------------------


def stages() -> list[tuple[Side, Message]]:
    """Return receivers in every state of the braid but one, each with its next message."""
    found: dict[tuple[str, str], tuple[Side, Message]] = {}
    for size in (20, 2048):
        sides = triple_pair("stages")
        for count in range(220):
            sender, receiver = sides if count % 4 < 2 else sides[::-1]
            message = sender.send(size)
            name = (receiver.braid, type(receiver.state.double).__name__)
            found.setdefault(name, (copied(receiver), message))
            receiver.receive(message)
    return list(found.values())


def copied(side: Side) -> Side:
    other = Side(side.state, side.entropy)
    other.double, other.sparse = dict(side.double), dict(side.sparse)
    return other


@pytest.fixture(scope="module")
def staged() -> list[tuple[Side, Message]]:
    return stages()


def test_finding_a_key_and_making_the_commit_change_nothing(staged: list[tuple[Side, Message]]) -> None:
    assert {side.braid for side, _ in staged} == set(STATES) - {"EkReceivedCt1Sampled"}
    for side, message in staged:
        before = side.all()
        one, two = side.find_message_key(message), side.find_message_key(message)
        assert plain(one) == plain(two)
        assert plain(side.commit(one)) == plain(side.commit(two))
        assert side.all() == before
        assert type(one.key) is HybridKey


OTHER_KEY: dict[str, Callable[[Message], Message]] = {
    "ratchet key": with_header(ratchet_key=fresh_key("forged")),
    "number": lambda it: with_header(number=it.header.number + 1)(it),
    "far number": with_header(number=MAX_COUNTER),
    "sparse number": lambda it: with_pq_header(number=it.pq_header.number + 1)(it),
    "far sparse number": with_pq_header(number=MAX_COUNTER),
    "epoch": lambda it: with_pq_header(epoch=it.pq_header.epoch + 1)(it),
    "far epoch": with_pq_header(epoch=MAX_COUNTER),
    "epoch before": lambda it: with_pq_header(epoch=it.pq_header.epoch - 1 or 3)(it),
}
"""Changes to what the key depends on."""

SAME_KEY: dict[str, Callable[[Message], Message]] = {
    "type": lambda it: with_pq_header(type=PqType((it.pq_header.type + 1) % 7))(it),
    "first index": lambda it: with_pq_header(first=it.pq_header.first + 1)(it),
    "codewords": lambda it: with_pq_header(codewords=flipped(it.pq_header.codewords or bytes(32), 3))(it),
    "previous": lambda it: with_pq_header(previous=it.pq_header.previous + 3)(it),
    "previous length": lambda it: with_header(previous_length=it.header.previous_length + 3)(it),
}
"""Changes to what the key does not depend on: only the tag authenticates these fields."""


@pytest.mark.parametrize("forge", OTHER_KEY.values(), ids=OTHER_KEY)
def test_a_forged_number_or_epoch_gives_another_key_or_none(
    staged: list[tuple[Side, Message]], forge: Callable[[Message], Message]
) -> None:
    for side, message in staged:
        before = side.all()
        try:
            key = side.find_message_key(forge(message)).key
        except PeerError:
            key = None
        assert key != message.key
        assert side.all() == before
        side.find_message_key(message)


@pytest.mark.parametrize("forge", SAME_KEY.values(), ids=SAME_KEY)
def test_other_forged_fields_give_the_same_key(
    staged: list[tuple[Side, Message]], forge: Callable[[Message], Message]
) -> None:
    for side, message in staged:
        before = side.all()
        assert side.find_message_key(forge(message)).key == message.key
        assert side.all() == before


def test_another_epoch_is_refused_before_any_work(staged: list[tuple[Side, Message]], trace: Trace) -> None:
    for side, message in staged:
        ahead = 2 if side.braid == "Ct2Sampled" else 1
        for epoch in (side.state.braid.epoch + ahead, side.state.braid.epoch + ahead + 1, MAX_COUNTER):
            with pytest.raises(AuthenticationFailed):
                side.find_message_key(with_pq_header(epoch=epoch)(message))
        assert trace.calls == []


def test_a_passed_number_is_a_duplicate_only_in_its_own_session(
    staged: list[tuple[Side, Message]], trace: Trace
) -> None:
    """Under an unknown ratchet key it may belong to another session, which counts like this one."""
    known, foreign = 0, with_header(ratchet_key=fresh_key("another session's"))
    trace.clear()
    for side, message in staged:
        chain = side.state.sparse.receiving
        if chain.number:
            passed = with_pq_header(epoch=chain.epoch + 1, number=chain.number)(message)
            is_ours = double.knows(side.state.double, message.header.ratchet_key)
            known += is_ours
            with pytest.raises(DuplicateMessage if is_ours else AuthenticationFailed):
                side.find_message_key(passed)
            with pytest.raises(AuthenticationFailed):
                side.find_message_key(foreign(passed))
            arrived, kept = as_ratchet_message(passed), MessageKey(bytes(32))
            with pytest.raises(DuplicateMessage):  # since that key was kept, it belongs to this session
                triple.find_message_key(LETTERLOCK, side.state, arrived, kept, nothing_kept, AD)
    assert known >= 3
    assert trace.calls == []


# --- contradictions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "size"),
    [(PqType.HDR, 20), (PqType.EK_CT1_ACK, 20), (PqType.CT2, 20), (PqType.CT2, 2048)],
)
def test_a_contradiction_changes_nothing(type_: PqType, size: int) -> None:
    """The key is found and the tag would verify, but the codewords contradict the braid."""
    sides, failed = triple_pair(type_), 0
    for count in range(120):
        sender, receiver = sides if count % 2 == 0 else sides[::-1]
        message = sender.send(size)
        if message.pq_header.type is type_:
            false = with_pq_header(codewords=flipped(message.pq_header.codewords, 5))(message)
            before, found = receiver.all(), receiver.find_message_key(false)
            assert found.key == message.key
            try:
                receiver.commit(found)
            except BraidFailed:
                failed += 1
            assert receiver.all() == before
        receiver.receive(message)
    assert failed >= 1


# --- the double ratchet inside ------------------------------------------------------------------------


def test_the_double_ratchet_inside_equals_one_that_runs_alone() -> None:
    """With the same root and the same draws, states and headers are equal after every event."""
    rng, (alice, bob) = random.Random(2), triple_pair()
    root, _ = triple.split(SECRET)
    draw = entropy_of("alone")
    alice.state = triple.initiator(LETTERLOCK, SECRET, SIGNED.public, entropy_of("alone"))
    alone = (Ratchet(double.initiator(root, SIGNED.public, draw), draw), None)
    other = Ratchet(double.recipient(root, SIGNED), draw)
    paired: list[tuple[Side, Ratchet]] = [(alice, alone[0]), (bob, other)]
    wire: list[tuple[int, Message, Header, MessageKey]] = []
    for event in range(300):
        here = 0 if isinstance(bob.state.double, Waiting) and not wire else rng.randrange(2)
        side, single = paired[here]
        ours = [each for each in wire if each[0] == here]
        if ours and rng.random() < 0.6:
            wire.remove(each := rng.choice(ours))
            side.receive(each[1])
            name = (each[2].ratchet_key.data, each[2].number)
            if single.skipped.pop(name, None) is None:
                received = double.receive(single.state, each[2])
                single.state = received.state
                single.skipped |= skipped_keys(received)
            assert plain(single.skipped) == plain(side.double)
        elif not isinstance(side.state.double, Waiting):
            side.entropy = entropy_of(event)
            message, sent = side.send(), double.send(single.state, entropy_of(event))
            single.state = sent.state
            assert message.header == sent.header
            assert message.key != sent.key
            wire.append((1 - here, message, sent.header, sent.key))
        assert plain(side.state.double) == plain(single.state)
    assert sum(len(single.skipped) for _, single in paired) + len(wire) < 100


def test_the_double_ratchet_draws_before_the_braid() -> None:
    """The key pair of the double ratchet is drawn first, then the secret of a new text of the braid."""
    drawn: list[list[int]] = []
    sides: Sides = triple_pair()
    for count in range(180):
        sender, receiver = sides if count % 2 == 0 else sides[::-1]
        drawn.append([])
        draw = entropy_of(count)

        def record(length: int, draw: Entropy = draw) -> bytes:
            drawn[-1].append(length)
            return draw(length)

        sender.entropy = record
        receiver.receive(sender.send())
    assert drawn[0] == [64]  # Alice made her key pair with the session
    assert {tuple(each) for each in drawn[1:]} == {(32,), (32, 32), (32, 64)}
    twice = [each[1] for each in drawn if len(each) == 2]
    assert twice == [32, 64, 32, 64, 32]


def test_the_recipient_cannot_send_first() -> None:
    _, bob = triple_pair()
    before = bob.all()
    with pytest.raises(UsageError, match="the peer speaks first"):
        bob.send()
    assert bob.all() == before


def test_the_first_states() -> None:
    alice, bob = triple_pair()
    assert isinstance(alice.state.double, Unanswered)
    assert isinstance(bob.state.double, Waiting)
    assert (alice.braid, bob.braid) == ("KeysUnsampled", "NoHeaderReceived")
    assert alice.state.braid.authenticator == bob.state.braid.authenticator
    pq_header = alice.send().pq_header
    assert (pq_header.epoch, pq_header.number, pq_header.previous, pq_header.type, pq_header.first) == (
        1,
        1,
        0,
        PqType.HDR,
        0,
    )
