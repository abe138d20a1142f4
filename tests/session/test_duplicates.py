"""RAT-6, RAT-7, RAT-9: late, lost, repeated and forged messages, on whole accounts."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from letterlock._primitives.curve25519 import PrivateKey, RatchetKeyPair
from letterlock._ratchet.double import DoubleState
from letterlock._ratchet.triple import Triple
from letterlock._session import peer_sessions
from letterlock._wire import cbor
from letterlock._wire.message import Header, RatchetMessage
from letterlock._wire.pq_header import PqHeader
from letterlock._wire.suite import Suite
from letterlock.errors import AuthenticationFailed, DuplicateMessage, PeerError, TooManySkipped
from letterlock.limits import MAX_COUNTER, MAX_PAST_CHAINS, MAX_SKIP, MAX_SKIPPED_KEYS
from support.double_pair import fresh_key
from support.kept_keys import kept_count
from support.pair import Pair, Side, flipped, live, memory_stores, sqlite_stores, unchanged
from support.trace_calls import Trace
from support.triple_session import sessions_of


@pytest.fixture(params=[(where, suite) for where in ("memory", "sqlite") for suite in Suite], ids=str)
def conversation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    where, suite = request.param
    pair = Pair(memory_stores() if where == "memory" else sqlite_stores(tmp_path), suite=suite)
    pair.converse()
    pair.turn()
    yield pair
    pair.close()


def keys_of(pair: Pair, messages: int) -> int:
    """Return how many keys are kept for this many skipped messages: one in each ratchet."""
    return messages * (2 if pair.suite is Suite.PQXDH else 1)


def skipped_count(side: Side) -> int:
    return kept_count(side.store)


def refused(side: Side, message: bytes, error: type[PeerError]) -> None:
    """Check that a message is refused and changes nothing; then check both again after reopening."""
    for _ in range(2):
        with unchanged(side.store), pytest.raises(error):
            side.read(message)
        side.reopen()


# --- duplicates in every position -------------------------------------------------------------------


def test_a_duplicate_in_the_current_chain(conversation: Pair) -> None:
    messages = [conversation.alice.write(b"%d" % n) for n in range(3)]
    for message in messages:
        conversation.bob.read(message)
    for message in messages:
        refused(conversation.bob, message, DuplicateMessage)


def test_a_duplicate_of_a_message_that_was_skipped(conversation: Pair) -> None:
    late, first = conversation.alice.write(b"late"), conversation.alice.write(b"first")
    conversation.bob.read(first)
    assert skipped_count(conversation.bob) == keys_of(conversation, 1)
    assert conversation.bob.read(late) == b"late"
    assert skipped_count(conversation.bob) == 0
    refused(conversation.bob, late, DuplicateMessage)


def test_a_duplicate_in_a_finished_chain(conversation: Pair) -> None:
    late, first = conversation.alice.write(b"late"), conversation.alice.write(b"first")
    conversation.bob.read(first)
    for _ in range(2):
        conversation.turn()
        conversation.bob.say(b"x")
        conversation.alice.hear()
    refused(conversation.bob, first, DuplicateMessage)
    assert conversation.bob.read(late) == b"late"
    refused(conversation.bob, late, DuplicateMessage)


def test_a_duplicate_in_an_archived_session(conversation: Pair) -> None:
    late, first = conversation.alice.write(b"late"), conversation.alice.write(b"first")
    conversation.bob.read(first)
    conversation.bob.initiate()
    conversation.bob.say(b"new session")
    conversation.alice.hear()
    refused(conversation.bob, first, DuplicateMessage)
    assert conversation.bob.read(late) == b"late"
    refused(conversation.bob, late, DuplicateMessage)


def test_a_duplicate_in_a_finished_chain_of_an_archived_session(conversation: Pair) -> None:
    """The active session finds it forged, but the one that finished the chain recognizes the duplicate."""
    message = conversation.alice.write(b"once")
    conversation.bob.read(message)
    for _ in range(2):
        conversation.turn()
    conversation.bob.initiate()
    refused(conversation.bob, message, DuplicateMessage)


def test_every_message_of_a_conversation_is_a_duplicate_the_second_time(each_pair: Pair) -> None:
    pair = each_pair
    pair.alice.initiate()
    sent: list[tuple[Side, bytes]] = []
    for turn in range(6):
        side = pair.alice if turn % 2 == 0 else pair.bob
        messages = [side.write(b"%d" % n) for n in range(3)]
        for message in (messages[2], messages[0], messages[1]):
            side.other.read(message)
        sent += [(side.other, message) for message in messages]
    for side, message in sent:
        with unchanged(side.store), pytest.raises(DuplicateMessage):
            side.read(message)


@pytest.mark.pure
def test_a_duplicate_in_a_forgotten_chain_still_gives_no_plaintext(
    each_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the last chains are remembered. A duplicate of an earlier chain is refused as a forgery."""
    pair = each_pair
    assert MAX_PAST_CHAINS == 1000
    monkeypatch.setattr(peer_sessions, "MAX_PAST_CHAINS", 2)
    pair.converse()
    messages = []
    for n in range(5):
        messages.append(pair.alice.write(b"%d" % n))
        pair.bob.read(messages[-1])
        pair.bob.say(b"x")
        pair.alice.hear()
    errors = []
    for message in messages:
        with unchanged(pair.bob.store), pytest.raises(PeerError) as caught:
            pair.bob.read(message)
        errors.append(caught.type)
    assert errors == [AuthenticationFailed] * 2 + [DuplicateMessage] * 3


# --- jumps --------------------------------------------------------------------------------------------


def test_a_jump_at_the_limit_and_one_past_it(each_pair: Pair) -> None:
    pair = each_pair
    pair.converse()
    for _ in range(MAX_SKIP):
        pair.alice.write(b"lost")
    at_limit, past = pair.alice.write(b"at the limit"), pair.alice.write(b"one past it")
    with unchanged(pair.bob.store), pytest.raises(TooManySkipped) as caught:
        pair.bob.read(past)
    assert (caught.value.skipped, caught.value.limit) == (MAX_SKIP + 1, MAX_SKIP)
    assert pair.bob.read(at_limit) == b"at the limit"
    assert pair.bob.read(past) == b"one past it"
    assert skipped_count(pair.bob) == keys_of(pair, MAX_SKIP)


def test_a_jump_in_the_first_message(each_pair: Pair) -> None:
    pair = each_pair
    pair.alice.initiate()
    messages = [pair.alice.write(b"%d" % n) for n in range(MAX_SKIP + 2)]
    with unchanged(pair.bob.store), pytest.raises(TooManySkipped):
        pair.bob.read(messages[-1])
    assert pair.bob.read(messages[-2]) == b"%d" % MAX_SKIP
    assert pair.bob.read(messages[0]) == b"0"
    assert skipped_count(pair.bob) == keys_of(pair, MAX_SKIP - 1)


def test_skipping_in_both_chains_keeps_the_total_and_drops_the_oldest_keys() -> None:
    """RAT-7: the total is twice the limit of one chain. Each key beyond it drops the oldest."""
    pair = Pair(suite=Suite.X3DH)
    pair.converse()
    old = [pair.alice.write(b"old %d" % n) for n in range(-1, MAX_SKIP)]
    pair.bob.read(old.pop(0))
    pair.bob.say(b"turn")
    pair.alice.hear()
    new = [pair.alice.write(b"new %d" % n) for n in range(MAX_SKIP + 1)]
    assert pair.bob.read(new[-1]) == b"new %d" % MAX_SKIP
    assert skipped_count(pair.bob) == MAX_SKIPPED_KEYS == 2 * MAX_SKIP
    last = [pair.alice.write(b"last") for _ in range(4)]
    pair.bob.read(last[-1])
    assert skipped_count(pair.bob) == MAX_SKIPPED_KEYS
    for message in old[:3]:
        with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
            pair.bob.read(message)
    assert pair.bob.read(old[3]) == b"old 3"
    assert pair.bob.read(new[0]) == b"new 0"


def test_two_double_ratchet_chains_of_one_epoch_share_its_sparse_limit() -> None:
    """RAT-5: a turn begins a new chain of the double ratchet, while the sparse chain goes on."""
    pair = Pair(suite=Suite.PQXDH)
    pair.converse()
    old = [pair.alice.write(b"old %d" % n) for n in range(-1, MAX_SKIP // 2)]
    pair.bob.read(old.pop(0))
    pair.bob.say(b"turn")
    pair.alice.hear()
    new = [pair.alice.write(b"new %d" % n) for n in range(MAX_SKIP // 2 + 2)]
    with unchanged(pair.bob.store), pytest.raises(TooManySkipped) as caught:
        pair.bob.read(new[-1])
    assert (caught.value.skipped, caught.value.limit) == (MAX_SKIP + 1, MAX_SKIP)
    assert pair.bob.read(new[-2]) == b"new %d" % (MAX_SKIP // 2)
    assert skipped_count(pair.bob) == 2 * MAX_SKIP
    assert [pair.bob.read(message) for message in (old[0], new[0])] == [b"old 0", b"new 0"]
    assert skipped_count(pair.bob) == 2 * (MAX_SKIP - 2)


def test_either_suite_keeps_keys_for_equally_many_messages() -> None:
    """In the triple ratchet each message leaves two keys."""
    for suite, most in ((Suite.X3DH, MAX_SKIPPED_KEYS), (Suite.PQXDH, 2 * MAX_SKIPPED_KEYS)):
        pair = Pair(suite=suite)
        pair.introduce()
        assert live(sessions_of(pair.alice)[0].session).ratchet.max_skipped_keys == most


def test_the_total_of_skipped_keys_is_per_session(each_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = each_pair
    monkeypatch.setattr(DoubleState, "max_skipped_keys", 3)
    monkeypatch.setattr(Triple, "max_skipped_keys", 6)
    late = []
    for _ in range(2):
        pair.alice.initiate()
        messages = [pair.alice.write(b"%d" % n) for n in range(6)]
        pair.bob.read(messages[5])
        late.append(messages)
    for messages in late:
        with pytest.raises(DuplicateMessage):
            pair.bob.read(messages[1])
        assert [pair.bob.read(message) for message in messages[2:5]] == [b"2", b"3", b"4"]
    assert skipped_count(pair.bob) == 0


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
def test_all_orders_of_a_few_messages_over_two_chains(suite: Suite) -> None:
    texts = [b"a0", b"a1", b"b0", b"b1"]
    for order in itertools.permutations(range(4)):
        pair = Pair(suite=suite)
        pair.converse()
        messages = [pair.alice.write(text) for text in texts[:2]]
        pair.bob.say(b"turn")
        pair.alice.hear()
        messages += [pair.alice.write(text) for text in texts[2:]]
        for n in order:
            assert pair.bob.read(messages[n]) == texts[n]
        assert skipped_count(pair.bob) == 0
        for message in messages:
            with pytest.raises(DuplicateMessage):
                pair.bob.read(message)


# --- forged headers -----------------------------------------------------------------------------------


def with_header(message: bytes, header: Header, pq_header: PqHeader | None = None) -> bytes:
    """Return a message with another header, and another post-quantum header if one is given."""
    decoded = RatchetMessage.decode(message)
    return cbor.complete_array(header.encode_header(pq_header or decoded.pq_header), decoded.sealed)


FAR = (1, 2, MAX_SKIP, MAX_SKIP + 1, 2**31, 2**32 - 1)


@pytest.mark.parametrize("number", [0, *FAR])
@pytest.mark.parametrize("previous", [0, *FAR])
def test_a_forged_header_with_a_new_key_changes_nothing(each_pair: Pair, number: int, previous: int) -> None:
    pair = each_pair
    pair.converse()
    pair.turn()
    message = pair.alice.write(b"real")
    for speaking in (False, True):
        if speaking:
            pair.bob.write(b"lost")  # Hearing becomes Speaking
        forged = with_header(message, Header(fresh_key(), previous, number))
        with unchanged(pair.bob.store), pytest.raises(PeerError):
            pair.bob.read(forged)
    assert pair.bob.read(message) == b"real"


@pytest.mark.parametrize("number", [1, 2, MAX_SKIP])
def test_a_forged_number_in_the_known_chain_changes_nothing(each_pair: Pair, number: int) -> None:
    pair = each_pair
    pair.converse()
    message = pair.alice.write(b"real")
    header = RatchetMessage.decode(message).header
    forged = with_header(message, Header(header.ratchet_key, header.previous_length, header.number + number))
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(forged)
    assert pair.bob.read(message) == b"real"


def test_a_forged_post_quantum_header_changes_nothing(pair: Pair) -> None:
    """Each epoch near the real one is tried with every number and length at which the outcome may change."""
    pair.converse()
    for _ in range(5):
        for side in (pair.alice, pair.bob):
            side.say(bytes(2000))
            side.other.hear()
    message = pair.alice.write(b"real")
    decoded = RatchetMessage.decode(message)
    assert decoded.pq_header is not None
    assert decoded.pq_header.epoch == 2
    for epoch, number, previous in itertools.product((1, 2, 3, 4, MAX_COUNTER), (1, *FAR), (0, *FAR)):
        pq_header = replace(decoded.pq_header, epoch=epoch, number=number, previous=previous)
        for header in (decoded.header, Header(fresh_key(), 0, 0)):
            if pq_header != decoded.pq_header:
                with unchanged(pair.bob.store), pytest.raises(PeerError):
                    pair.bob.read(with_header(message, header, pq_header))
    assert pair.bob.read(message) == b"real"


def test_keys_of_the_previous_chain_are_not_derived_for_a_forgery(each_pair: Pair, trace: Trace) -> None:
    pair = each_pair
    pair.converse()
    pair.turn()
    pair.bob.write(b"lost")
    message = pair.alice.write(b"real")
    trace.clear()
    with pytest.raises(AuthenticationFailed):
        pair.bob.read(with_header(message, Header(fresh_key(), MAX_SKIP, 0)))
    assert (trace.count("dh"), trace.count("hmac"), trace.count("open")) == (1, 2, 1)


def test_a_forgery_of_a_skipped_message_does_not_use_up_its_key(each_pair: Pair) -> None:
    pair = each_pair
    pair.converse()
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    for at in range(len(late) - 56, len(late)):
        with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
            pair.bob.read(flipped(late, at))
    assert pair.bob.read(late) == b"late"


def test_a_ciphertext_moved_to_another_number_is_refused(each_pair: Pair) -> None:
    pair = each_pair
    pair.converse()
    one, two = pair.alice.write(b"one"), pair.alice.write(b"two")
    swapped = with_header(one, RatchetMessage.decode(two).header, RatchetMessage.decode(two).pq_header)
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(swapped)
    assert [pair.bob.read(two), pair.bob.read(one)] == [b"two", b"one"]


@pytest.mark.pure
def test_a_reused_ratchet_key_whose_chain_was_forgotten_is_a_duplicate(
    each_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer may use an old ratchet key again. Keys kept from its first use must not collide in the store."""
    pair = each_pair
    monkeypatch.setattr(peer_sessions, "MAX_PAST_CHAINS", 1)
    pair.converse()  # Bob spoke last, so Alice's next message has a new ratchet key
    key = RatchetKeyPair.from_private(PrivateKey(b"\x05" * 32))
    monkeypatch.setattr(RatchetKeyPair, "generate", lambda _entropy: key)
    messages = [pair.alice.write(b"%d" % n) for n in range(4)]
    monkeypatch.undo()
    monkeypatch.setattr(peer_sessions, "MAX_PAST_CHAINS", 1)
    assert pair.bob.read(messages[3]) == b"3"
    for _ in range(3):
        pair.bob.say(b"turn")
        pair.alice.hear()
        pair.alice.say(b"turn")
        pair.bob.hear()
    pair.bob.say(b"turn")
    pair.alice.hear()
    monkeypatch.setattr(RatchetKeyPair, "generate", lambda _entropy: key)
    again = [pair.alice.write(b"again %d" % n) for n in range(8)]
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(again[7])
    for n in (0, 1, 2):  # the kept keys are those of its first use
        assert pair.bob.read(messages[n]) == b"%d" % n
