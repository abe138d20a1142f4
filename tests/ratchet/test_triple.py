"""PQR-2, PQR-4, PQR-6, PQR-7, RAT-6: the triple ratchet moves as a whole, or not at all.

That a session heals, and in how many messages; that what is forged, stripped or contradicts itself gives no
key, or another, and changes nothing; that the double ratchet inside is the one that stands alone.
"""

import dataclasses
import random
from collections.abc import Callable

import pytest

from letterlock._handshake.x3dh import SharedSecret
from letterlock._primitives.entropy import Entropy
from letterlock._ratchet import double, triple
from letterlock._ratchet.double import Unanswered, Waiting
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_keys import HybridKey, SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._wire.message import Header
from letterlock._wire.pq_header import PqType
from letterlock.errors import AuthenticationFailed, BraidFailed, DuplicateMessage, PeerError, UsageError
from letterlock.limits import MAX_CODEWORDS, MAX_COUNTER
from support import reference
from support.braid_pair import STATES
from support.double_pair import SIGNED, Ratchet, fresh_key, skipped_keys
from support.pair import entropy_of, flipped, plain
from support.trace_calls import Trace
from support.triple_pair import (
    SECRET,
    Message,
    Side,
    Sides,
    alternate,
    triple_pair,
    with_header,
    with_pq_header,
)

# --- conversations ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_a_thousand_messages_over_a_bad_network(seed: int) -> None:
    """Every one that arrives opens with its sender's key, and at least ten epochs complete."""
    rng, (alice, bob) = random.Random(seed), triple_pair(seed)
    wire: list[tuple[Side, Message]] = []
    late = opened = 0
    for _ in range(1000):
        sender = alice if isinstance(bob.state.double, Waiting) else rng.choice((alice, bob))
        wire.append((bob if sender is alice else alice, sender.send(rng.choice((20, 300, 2048)))))
        while len(wire) > rng.randrange(10):
            receiver, letter = wire.pop(rng.randrange(len(wire)))
            if rng.random() < 0.75:
                late += receiver.receive(letter).sparse is None
                opened += 1
                before = receiver.all()
                with pytest.raises((DuplicateMessage, AuthenticationFailed)):
                    receiver.find_message_key(letter)
                assert receiver.all() == before
    assert opened > 600
    assert late > 50
    assert min(side.state.sparse.latest for side in (alice, bob)) >= 10
    for side in (alice, bob):
        assert len(side.sparse) == len(side.double) > 0


@pytest.mark.parametrize(("size", "most"), [(20, 86), (200, 86), (2048, 12), (20480, 6)])
def test_how_soon_a_message_is_keyed_by_the_first_epoch(size: int, most: int) -> None:  # PQR-7
    count = alternate(triple_pair(size), lambda letter: letter.pq_header.epoch == 2, size)
    assert 4 < count <= most


def test_whoever_speaks_alone_goes_on_without_an_epoch() -> None:
    """Healing needs both: until Bob answers, every message of Alice is in epoch 0."""
    alice, bob = triple_pair()
    letters = [alice.send(2048) for _ in range(50)]
    assert {letter.pq_header.epoch for letter in letters} == {1}
    assert [letter.pq_header.number for letter in letters] == [*range(1, 51)]
    for letter in reversed(letters):
        bob.receive(letter)
    assert (bob.sparse, bob.double) == ({}, {})
    assert bob.braid == "HeaderReceived"


def test_a_late_message_still_brings_its_codewords() -> None:
    alice, bob = triple_pair()
    early, late = alice.send(20000), alice.send(20000)
    assert early.pq_header.type is PqType.HDR
    spoiled = dataclasses.replace(
        late, pq_header=dataclasses.replace(late.pq_header, codewords=late.pq_header.codewords[:32])
    )
    bob.receive(spoiled)
    assert bob.braid == "NoHeaderReceived"
    looked = bob.receive(early)
    assert (looked.double, looked.sparse) == (None, None)
    assert bob.braid == "HeaderReceived"


@pytest.mark.parametrize(
    ("size", "room"),
    [(0, 1), (32, 1), (128, 1), (255, 1), (256, 2), (2048, 16), (8191, 63), (8192, 64), (10**7, 64)],
)
def test_a_quarter_of_a_message_may_be_codewords(size: int, room: int) -> None:
    assert triple.room(size) == room <= MAX_CODEWORDS
    sides = triple_pair()
    alternate(sides, lambda letter: letter.pq_header.type is PqType.CT1)
    state = sides[1].state
    sent = triple.send(LETTERLOCK, state, size, entropy_of(1), sides[1].slots.read)
    assert len(sent.pq_header.codewords) == 32 * min(room, 30)


# --- looking ------------------------------------------------------------------------------------------


def stages() -> list[tuple[Side, Message]]:
    """Receivers with a letter that is their next: in every state of the braid but one."""
    found: dict[tuple[str, str], tuple[Side, Message]] = {}
    for size in (20, 2048):
        sides = triple_pair("stages")
        for count in range(220):
            sender, receiver = sides if count % 4 < 2 else sides[::-1]
            letter = sender.send(size)
            name = (receiver.braid, type(receiver.state.double).__name__)
            found.setdefault(name, (copied(receiver), letter))
            receiver.receive(letter)
    return list(found.values())


def copied(side: Side) -> Side:
    other = Side(side.state, side.entropy)
    other.slots.held = dict(side.slots.held)
    other.double, other.sparse = dict(side.double), dict(side.sparse)
    return other


@pytest.fixture(scope="module")
def staged() -> list[tuple[Side, Message]]:
    return stages()


def test_looking_and_settling_change_nothing(staged: list[tuple[Side, Message]]) -> None:
    assert {side.braid for side, _ in staged} == set(STATES) - {"EkReceivedCt1Sampled"}
    for side, letter in staged:
        before = side.all()
        one, two = side.find_message_key(letter), side.find_message_key(letter)
        assert plain(one) == plain(two)
        assert plain(side.commit(letter, one)) == plain(side.commit(letter, two))
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
    "epoch before": lambda it: with_pq_header(epoch=it.pq_header.epoch - 1)(it),
}
"""What the key depends on."""

SAME_KEY: dict[str, Callable[[Message], Message]] = {
    "type": lambda it: with_pq_header(type=PqType((it.pq_header.type + 1) % 7))(it),
    "first index": lambda it: with_pq_header(first=it.pq_header.first + 1)(it),
    "codewords": lambda it: with_pq_header(codewords=flipped(it.pq_header.codewords or bytes(32), 3))(it),
    "previous": lambda it: with_pq_header(previous=it.pq_header.previous + 3)(it),
    "previous length": lambda it: with_header(previous_length=it.header.previous_length + 3)(it),
}
"""What the key does not depend on, so that the associated data must vouch for it."""


@pytest.mark.parametrize("forge", OTHER_KEY.values(), ids=OTHER_KEY)
def test_a_forged_place_gives_another_key_or_none(
    staged: list[tuple[Side, Message]], forge: Callable[[Message], Message]
) -> None:
    for side, letter in staged:
        before = side.all()
        try:
            key = side.find_message_key(forge(letter)).key
        except PeerError:
            key = None
        assert key != letter.key
        assert side.all() == before
        side.find_message_key(letter)


@pytest.mark.parametrize("forge", SAME_KEY.values(), ids=SAME_KEY)
def test_a_forged_part_gives_the_key_whose_tag_will_not_verify(
    staged: list[tuple[Side, Message]], forge: Callable[[Message], Message]
) -> None:
    for side, letter in staged:
        before = side.all()
        assert side.find_message_key(forge(letter)).key == letter.key
        assert side.all() == before


def test_another_epoch_is_refused_before_any_work(staged: list[tuple[Side, Message]], trace: Trace) -> None:
    for side, letter in staged:
        ahead = 2 if side.braid == "Ct2Sampled" else 1
        for epoch in (side.state.braid.epoch + ahead, side.state.braid.epoch + ahead + 1, MAX_COUNTER):
            with pytest.raises(AuthenticationFailed):
                side.find_message_key(with_pq_header(epoch=epoch)(letter))
        assert trace.calls == []


def test_a_passed_place_is_a_duplicate_only_in_its_own_session(
    staged: list[tuple[Side, Message]], trace: Trace
) -> None:
    """Under an unknown ratchet key it may be a message of another session, whose numbers are like ours."""
    known, foreign = 0, with_header(ratchet_key=fresh_key("another session's"))
    trace.clear()
    for side, letter in staged:
        chain = side.state.sparse.receiving
        if chain.number:
            passed = with_pq_header(epoch=chain.epoch + 1, number=chain.number)(letter)
            is_ours = double.knows(side.state.double, letter.header.ratchet_key)
            known += is_ours
            with pytest.raises(DuplicateMessage if is_ours else AuthenticationFailed):
                side.find_message_key(passed)
            with pytest.raises(AuthenticationFailed):
                side.find_message_key(foreign(passed))
            message = (passed.header, passed.pq_header)
            with pytest.raises(DuplicateMessage):  # its double-ratchet key was kept, so it is ours
                triple.find_message_key(
                    LETTERLOCK, side.state, message, MessageKey(bytes(32)), lambda *_: None
                )
    assert known >= 3
    assert trace.calls == []


# --- both halves --------------------------------------------------------------------------------------


def test_the_two_parts_of_a_secret() -> None:  # PQR-6
    okm = reference.hkdf(bytes(32), SECRET.expose(), b"letterlock-v1 pq split", 64)
    root, shared = triple.split(SECRET)
    assert (root.expose(), shared.expose()) == (okm[:32], okm[32:])


def test_no_key_without_the_sparse_half() -> None:
    """Whoever has all of the double ratchet, private keys included, has no message key."""
    alice, bob = triple_pair()
    sealed = {letter.key.expose() for letter in (alice.send() for _ in range(20))}
    thief = dataclasses.replace(
        bob.state, sparse=triple.recipient(LETTERLOCK, SharedSecret(bytes(32)), SIGNED).sparse
    )
    alice_again, _ = triple_pair()
    for _ in range(20):
        letter = alice_again.send()
        looked = triple.find_message_key(
            LETTERLOCK, thief, (letter.header, letter.pq_header), None, lambda *_: None
        )
        assert looked.double is not None
        assert looked.key.expose() not in sealed
        assert looked.double.key.expose() not in sealed
        assert letter.key.expose() in sealed


def test_no_key_without_the_double_half() -> None:
    alice, bob = triple_pair()
    letter = alice.send()
    other = triple.recipient(LETTERLOCK, SharedSecret(bytes(32)), SIGNED)
    thief = dataclasses.replace(bob.state, double=other.double)
    looked = triple.find_message_key(
        LETTERLOCK, thief, (letter.header, letter.pq_header), None, lambda *_: None
    )
    assert looked.sparse is not None
    assert letter.key not in (looked.key, HybridKey(looked.sparse.key.expose()))


def test_the_hybrid_key_is_of_both() -> None:  # PQR-2
    one, two = MessageKey(b"\x01" * 32), SparseMessageKey(b"\x02" * 32)
    expected = reference.hkdf(two.expose(), one.expose(), b"letterlock-v1 pq hybrid", 32)
    assert LETTERLOCK.hybrid(one, two).expose() == expected
    swapped = LETTERLOCK.hybrid(MessageKey(two.expose()), SparseMessageKey(one.expose()))
    assert swapped.expose() != expected


@pytest.mark.parametrize("half", ["double", "sparse"])
def test_a_late_message_needs_both_kept_keys(half: str) -> None:
    alice, bob = triple_pair()
    first, second = alice.send(), alice.send()
    bob.receive(second)
    assert len(bob.double) == len(bob.sparse) == 1
    getattr(bob, half).clear()
    before = bob.all()
    with pytest.raises(DuplicateMessage):
        bob.find_message_key(first)
    assert bob.all() == before


def test_a_kept_key_moves_neither_ratchet() -> None:
    alice, bob = triple_pair()
    first, second = alice.send(), alice.send()
    bob.receive(second)
    state = bob.state
    bob.receive(first)
    assert plain(bob.state.double) == plain(state.double)
    assert plain(bob.state.sparse) == plain(state.sparse)


# --- contradictions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "size"),
    [(PqType.HDR, 20), (PqType.EK_CT1_ACK, 20), (PqType.CT2, 20), (PqType.CT2, 2048)],
)
def test_a_contradiction_changes_nothing(type_: PqType, size: int) -> None:
    """The key is found, the tag would verify, and what the peer sent contradicts itself."""
    sides, failed = triple_pair(type_), 0
    for count in range(120):
        sender, receiver = sides if count % 2 == 0 else sides[::-1]
        letter = sender.send(size)
        if letter.pq_header.type is type_:
            false = with_pq_header(codewords=flipped(letter.pq_header.codewords, 5))(letter)
            before, looked = receiver.all(), receiver.find_message_key(false)
            assert looked.key == letter.key
            try:
                receiver.commit(false, looked)
            except BraidFailed:
                failed += 1
            assert receiver.all() == before
        receiver.receive(letter)
    assert failed >= 1


# --- the double ratchet inside ------------------------------------------------------------------------


def test_the_double_ratchet_inside_is_the_one_that_stands_alone() -> None:
    """The same root and the same draws, and states and headers are equal after every event."""
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
            letter, sent = side.send(), double.send(single.state, entropy_of(event))
            single.state = sent.state
            assert letter.header == sent.header
            assert letter.key != sent.key
            wire.append((1 - here, letter, sent.header, sent.key))
        assert plain(side.state.double) == plain(single.state)
    assert sum(len(single.skipped) for _, single in paired) + len(wire) < 100


def test_what_is_drawn_comes_in_order() -> None:
    """The double ratchet's key pair first, then what begins a text of the braid."""
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


def test_the_recipient_speaks_second() -> None:
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
