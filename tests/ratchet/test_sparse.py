"""PQR-1, PQR-3, PQR-4: the sparse ratchet's chains in each epoch, what may be skipped, and what is held.

Epochs are added as the braid adds them: first by the side that has the secret first, then by the other.
"""

import dataclasses
import random

import pytest

from letterlock._ratchet import sparse
from letterlock._ratchet.pq_keys import EpochSecret, SparseChainKey, SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.sparse import Sparse, SparseChain, SparsePlace
from letterlock.errors import AuthenticationFailed, TooManySkipped, UsageError
from letterlock.limits import MAX_COUNTER, MAX_SKIP
from support.braid_pair import SHARED, secrets_in
from support.pair import entropy_of, plain
from support.trace_calls import Trace
from support.triple_pair import sparse_keys


class Side:
    """One side: its state, and the skipped keys that a store would keep."""

    def __init__(self, *, is_initiator: bool) -> None:
        self.state = sparse.start(LETTERLOCK, SHARED, is_initiator=is_initiator)
        self.kept: dict[tuple[int, int], SparseMessageKey] = {}

    def add(self, number: int) -> None:
        self.state = sparse.add_epoch(LETTERLOCK, self.state, number, secret_of(number))

    def send(self, epoch: int) -> tuple[SparsePlace, SparseMessageKey]:
        self.state, place, key = sparse.send(LETTERLOCK, self.state, epoch)
        return place, key

    def receive(self, message: tuple[SparsePlace, SparseMessageKey]) -> None:
        """Take a message, with a kept key if it is late; the key must be the sender's."""
        place, key = message
        if sparse.is_late(self.state, place):
            assert self.kept.pop((place.epoch, place.number)) == key
            return
        assert (place.epoch, place.number) not in self.kept
        received = sparse.receive(LETTERLOCK, self.state, place)
        assert received.key == key
        self.state = received.state
        self.kept |= sparse_keys(LETTERLOCK, received)


def secret_of(number: int) -> EpochSecret:
    return EpochSecret(entropy_of(f"epoch {number}")(32))


def sides() -> tuple[Side, Side]:
    return Side(is_initiator=True), Side(is_initiator=False)


def turn(one: Side, other: Side, number: int) -> None:
    """Bring both into the next epoch, as a braid in which `one` sends the KEM key.

    `other` has the secret first, and goes on in its old epoch until `one` writes in the new one.
    """
    other.receive(one.send(number - 1))
    one.receive(other.send(number - 1))
    other.add(number)
    one.receive(other.send(number - 1))
    one.add(number)
    other.receive(one.send(number))
    one.receive(other.send(number))


def at(receiving: SparseChain, sending: SparseChain | None = None, latest: int = 0) -> Sparse:
    """A state with chosen chains."""
    state = Side(is_initiator=False).state
    return dataclasses.replace(
        state, receiving=receiving, sending=sending or state.sending, latest=latest or receiving.epoch
    )


CHAIN = SparseChainKey(b"\x22" * 32)
NEXT = SparseChainKey(b"\x33" * 32)


def keys_of(chain: SparseChainKey, start: int, end: int) -> dict[int, SparseMessageKey]:
    """Message keys `start` to `end`, when `chain` is the chain key before message `start`."""
    found = {}
    for number in range(start, end + 1):
        chain, found[number] = LETTERLOCK.step(chain, number)
    return found


def test_both_sides_start_with_mirrored_chains() -> None:
    alice, bob = (side.state for side in sides())
    assert (alice.sending, alice.receiving) == (bob.receiving, bob.sending)
    assert alice.root == bob.root
    assert (alice.is_initiator, bob.is_initiator) == (True, False)
    assert alice.sending.key != alice.receiving.key
    assert {chain.epoch for chain in (alice.sending, alice.receiving)} == {alice.latest} == {0}


def test_chains_stay_mirrored_whichever_side_has_the_secret_first() -> None:
    alice, bob = sides()
    for number in range(1, 6):
        turn(*((alice, bob) if number % 2 else (bob, alice)), number)
        assert plain(alice.state.sending) == plain(bob.state.receiving)
        assert plain(bob.state.sending) == plain(alice.state.receiving)
        assert alice.state.root == bob.state.root
        assert alice.state.latest == bob.state.latest == number


def test_numbers_start_at_one_in_each_epoch_with_the_length_of_the_previous_chain() -> None:
    alice, bob = sides()
    assert [alice.send(0)[0] for _ in range(3)] == [SparsePlace(0, n, 0) for n in (1, 2, 3)]
    alice.receive(bob.send(0))
    alice.add(1)
    assert alice.send(0)[0] == SparsePlace(0, 4, 0)
    assert [alice.send(1)[0] for _ in range(2)] == [SparsePlace(1, n, 4) for n in (1, 2)]
    assert alice.state.previous == 4


def test_an_epoch_gives_new_keys_that_depend_on_its_secret() -> None:
    alice = Side(is_initiator=True)
    one = sparse.add_epoch(LETTERLOCK, alice.state, 1, secret_of(1))
    other = sparse.add_epoch(LETTERLOCK, alice.state, 1, secret_of(2))
    following = [chain.following for state in (one, other) for chain in (state.sending, state.receiving)]
    exposed = {each.expose() for each in following if each is not None} | {one.root.expose()}
    exposed |= {other.root.expose(), alice.state.root.expose(), alice.state.sending.key.expose()}
    assert len(exposed) == 8
    assert one.sending.key == alice.state.sending.key
    assert one.receiving.key == alice.state.receiving.key


@pytest.mark.parametrize("seed", range(4))
def test_messages_get_their_keys_in_any_order(seed: int) -> None:
    """Loss and reordering within and across epochs."""
    rng, (alice, bob) = random.Random(seed), sides()
    wire: list[tuple[Side, tuple[SparsePlace, SparseMessageKey]]] = []
    received = late = 0

    def deliver(most: int) -> None:
        nonlocal received, late
        rng.shuffle(wire)
        while len(wire) > most:
            to, message = wire.pop()
            if rng.random() < 0.8:
                late += sparse.is_late(to.state, message[0])
                to.receive(message)
                received += 1

    for number in range(1, 9):
        for side, other in ((alice, bob), (bob, alice)):
            wire += [(other, side.send(number - 1)) for _ in range(rng.randrange(9))]
        deliver(6)
        turn(*((alice, bob) if number % 2 else (bob, alice)), number)
    deliver(0)
    assert received > 30
    assert late > 5
    assert {epoch for epoch, _ in (*alice.kept, *bob.kept)} <= set(range(9))


# --- late messages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epoch", "number", "late"),
    [(4, 1, True), (4, 900, True), (5, 6, True), (5, 7, True), (5, 8, False), (6, 1, False), (7, 1, False)],
)
def test_a_message_is_late_if_its_number_was_passed(epoch: int, number: int, late: bool) -> None:
    assert sparse.is_late(at(SparseChain(5, CHAIN, 7, NEXT)), SparsePlace(epoch, number, 0)) == late


def test_a_first_message_is_not_late() -> None:
    assert not sparse.is_late(Side(is_initiator=False).state, SparsePlace(0, 1, 0))


# --- limits ---------------------------------------------------------------------------------------------


def refused(state: Sparse, place: SparsePlace, trace: Trace) -> Exception:
    """Check that a place is refused before any derivation, and return the error."""
    before = plain(state)
    trace.clear()
    with pytest.raises((TooManySkipped, AuthenticationFailed)) as caught:
        sparse.receive(LETTERLOCK, state, place)
    assert trace.calls == []
    assert plain(state) == before
    return caught.value


@pytest.mark.parametrize("number", [0, 1, 17, MAX_COUNTER - MAX_SKIP - 1])
def test_max_skip_in_the_current_chain(trace: Trace, number: int) -> None:
    state = at(SparseChain(3, CHAIN, number))
    received = sparse.receive(LETTERLOCK, state, SparsePlace(3, number + MAX_SKIP + 1, 0))
    assert trace.count("sparse") == MAX_SKIP + 2  # keys of skipped messages are derived after authentication
    keys = keys_of(CHAIN, number + 1, number + MAX_SKIP + 1)
    assert received.key == keys.pop(number + MAX_SKIP + 1)
    assert sparse_keys(LETTERLOCK, received) == {(3, each): key for each, key in keys.items()}
    assert received.state.receiving.number == number + MAX_SKIP + 1
    error = refused(state, SparsePlace(3, number + MAX_SKIP + 2, 0), trace)
    assert isinstance(error, TooManySkipped)
    assert (error.skipped, error.limit) == (MAX_SKIP + 1, MAX_SKIP)


@pytest.mark.parametrize("number", [0, 5])
def test_max_skip_in_a_new_chain(trace: Trace, number: int) -> None:
    state = at(SparseChain(3, CHAIN, number, NEXT))
    received = sparse.receive(LETTERLOCK, state, SparsePlace(4, MAX_SKIP + 1, number))
    assert [*sparse_keys(LETTERLOCK, received)] == [(4, each) for each in range(1, MAX_SKIP + 1)]
    error = refused(state, SparsePlace(4, MAX_SKIP + 2, number), trace)
    assert isinstance(error, TooManySkipped)
    assert error.skipped == MAX_SKIP + 1


@pytest.mark.parametrize("number", [0, 5])
def test_max_skip_in_the_previous_chain(trace: Trace, number: int) -> None:
    state = at(SparseChain(3, CHAIN, number, NEXT))
    received = sparse.receive(LETTERLOCK, state, SparsePlace(4, 1, number + MAX_SKIP))
    keys = keys_of(CHAIN, number + 1, number + MAX_SKIP)
    assert sparse_keys(LETTERLOCK, received) == {(3, each): key for each, key in keys.items()}
    error = refused(state, SparsePlace(4, 1, number + MAX_SKIP + 1), trace)
    assert isinstance(error, TooManySkipped)
    assert error.skipped == MAX_SKIP + 1


def test_max_skip_in_both_at_once_the_older_first(trace: Trace) -> None:
    state = at(SparseChain(3, CHAIN, 2, NEXT))
    received = sparse.receive(LETTERLOCK, state, SparsePlace(4, MAX_SKIP + 1, MAX_SKIP + 2))
    expected = [(3, n) for n in range(3, MAX_SKIP + 3)] + [(4, n) for n in range(1, MAX_SKIP + 1)]
    assert [*sparse_keys(LETTERLOCK, received)] == expected
    for number, previous in ((MAX_SKIP + 2, MAX_SKIP + 2), (MAX_SKIP + 1, MAX_SKIP + 3)):
        error = refused(state, SparsePlace(4, number, previous), trace)
        assert isinstance(error, TooManySkipped)


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
@pytest.mark.parametrize("jumped", [0, 1, 2])
def test_as_many_keys_are_kept_as_messages_are_missing(missing: int, jumped: int) -> None:
    state = at(SparseChain(3, CHAIN, 2, NEXT))
    received = sparse.receive(LETTERLOCK, state, SparsePlace(4, 1 + jumped, 2 + missing))
    expected = {(3, number): key for number, key in keys_of(CHAIN, 3, 2 + missing).items()}
    expected |= {(4, number): key for number, key in keys_of(NEXT, 1, jumped).items()}
    assert sparse_keys(LETTERLOCK, received) == expected
    assert len(received.gaps(LETTERLOCK)) == bool(missing) + bool(jumped)


def test_keys_of_the_previous_chain_are_derived_only_when_asked_for(trace: Trace) -> None:
    """A message of a new epoch costs the steps to its own number, whatever previous length it states."""
    state = at(SparseChain(3, CHAIN, 2, NEXT))
    trace.clear()
    received = sparse.receive(LETTERLOCK, state, SparsePlace(4, 3, 2 + MAX_SKIP))
    assert trace.calls == ["sparse"] * 4
    gaps = received.gaps(LETTERLOCK)
    assert trace.count("sparse") == 4 + MAX_SKIP
    assert sum(gap.keys(LETTERLOCK).count for gap in gaps) == MAX_SKIP + 2
    assert trace.count("sparse") == 4 + MAX_SKIP + MAX_SKIP + 2


@pytest.mark.parametrize(
    ("place", "steps"),
    [
        (SparsePlace(3, 8, 0), 1),
        (SparsePlace(3, 20, 0), 13),
        (SparsePlace(4, 1, 7), 1),
        (SparsePlace(4, 9, 2000), 9),
        (SparsePlace(3, 7, 0), 0),
        (SparsePlace(2, 900, 0), 0),
    ],
    ids=str,
)
def test_the_cost_of_a_message_is_known_beforehand(trace: Trace, place: SparsePlace, steps: int) -> None:
    state = at(SparseChain(3, CHAIN, 7, NEXT))
    trace.clear()
    assert sparse.steps(state, place) == steps
    assert trace.calls == []
    if steps:
        sparse.receive(LETTERLOCK, state, place)
        assert trace.calls == ["sparse"] * (steps + 1)  # a chain step for each, and the message's own key


@pytest.mark.parametrize("previous", [0, 1, 6, 7])
def test_a_previous_length_below_what_we_received_skips_nothing(previous: int) -> None:
    """A peer restored from an older copy has sent fewer messages in that chain than we have read."""
    state = at(SparseChain(3, CHAIN, 7, NEXT))
    assert sparse_keys(LETTERLOCK, sparse.receive(LETTERLOCK, state, SparsePlace(4, 1, previous))) == {}


@pytest.mark.parametrize("previous", [0, MAX_SKIP, MAX_COUNTER])
def test_within_an_epoch_the_previous_length_is_ignored(previous: int) -> None:
    received = sparse.receive(LETTERLOCK, at(SparseChain(3, CHAIN, 7, NEXT)), SparsePlace(3, 8, previous))
    assert (sparse_keys(LETTERLOCK, received), received.tail) == ({}, None)


@pytest.mark.parametrize("following", [None, NEXT], ids=["without the next", "with the next"])
@pytest.mark.parametrize("ahead", [1, 2, 3, MAX_COUNTER - 3])
def test_an_epoch_that_was_not_added_is_refused(
    trace: Trace, following: SparseChainKey | None, ahead: int
) -> None:
    if ahead == 1 and following is not None:
        return
    state = at(SparseChain(3, CHAIN, 7, following))
    for number, previous in ((1, 7), (1, 0), (MAX_COUNTER, MAX_COUNTER)):
        error = refused(state, SparsePlace(3 + ahead, number, previous), trace)
        assert isinstance(error, AuthenticationFailed)  # PQR-4


@pytest.mark.parametrize("far", [MAX_COUNTER, MAX_COUNTER - 1, 2**31])
def test_far_numbers_are_refused_at_once(trace: Trace, far: int) -> None:
    state = at(SparseChain(3, CHAIN, 7, NEXT))
    for place in (SparsePlace(3, far, 0), SparsePlace(4, far, 7), SparsePlace(4, 1, far)):
        assert isinstance(refused(state, place, trace), TooManySkipped)


# --- at the limits of the counters --------------------------------------------------------------------


def test_a_chain_is_full_after_the_last_number_and_the_next_epoch_goes_on() -> None:
    sending = SparseChain(0, CHAIN, MAX_COUNTER - 1, NEXT)
    state, place, key = sparse.send(LETTERLOCK, at(sending, sending), 0)
    assert (place.number, key) == (MAX_COUNTER, LETTERLOCK.step(CHAIN, MAX_COUNTER)[1])
    with pytest.raises(UsageError, match=r"^chain of 4294967295 messages is full: "):
        sparse.send(LETTERLOCK, state, 0)
    after, place, _ = sparse.send(LETTERLOCK, state, 1)
    assert place == SparsePlace(1, 1, MAX_COUNTER)
    assert after.previous == MAX_COUNTER


def test_a_peer_cannot_take_a_chain_past_its_last_number() -> None:
    state = at(SparseChain(3, CHAIN, MAX_COUNTER - 1, NEXT))
    received = sparse.receive(LETTERLOCK, state, SparsePlace(3, MAX_COUNTER, 0))
    assert received.state.receiving.number == MAX_COUNTER
    assert sparse.is_late(received.state, SparsePlace(3, MAX_COUNTER, 0))
    beyond = sparse.receive(LETTERLOCK, received.state, SparsePlace(4, 1, MAX_COUNTER))
    assert sparse_keys(LETTERLOCK, beyond) == {}


# --- errors of ours -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 3, 4])
def test_adding_an_epoch_out_of_order_is_a_value_error(number: int) -> None:
    alice, bob = sides()
    turn(alice, bob, 1)
    for side in (alice, bob):
        before = plain(side.state)
        with pytest.raises(ValueError, match=rf"^epoch {number} while chains are at \["):
            side.add(number)
        assert plain(side.state) == before
        sparse.add_epoch(LETTERLOCK, side.state, 2, secret_of(2))


@pytest.mark.parametrize("behind", ["sending", "receiving"])
def test_an_epoch_cannot_be_added_while_a_chain_is_behind(behind: str) -> None:
    state = at(SparseChain(1, CHAIN), SparseChain(1, CHAIN))
    sparse.add_epoch(LETTERLOCK, state, 2, secret_of(2))
    old = SparseChain(0, CHAIN, 3, NEXT)
    later = at(old, state.sending, 1) if behind == "receiving" else at(state.receiving, old)
    with pytest.raises(ValueError, match=r"^epoch 2 while chains are at \[0, 1\]$"):
        sparse.add_epoch(LETTERLOCK, later, 2, secret_of(2))


@pytest.mark.parametrize("epoch", [-1, 0, 2, 3])
def test_sending_in_another_epoch_is_a_value_error(epoch: int) -> None:
    state = at(SparseChain(1, CHAIN), SparseChain(1, CHAIN))
    with pytest.raises(ValueError, match=rf"^epoch {epoch} is not sent in$"):
        sparse.send(LETTERLOCK, state, epoch)
    with pytest.raises(ValueError, match=r"^epoch 3 is not sent in$"):
        sparse.send(LETTERLOCK, at(SparseChain(1, CHAIN), SparseChain(1, CHAIN, 4, NEXT)), 3)


# --- which keys are held ------------------------------------------------------------------------------


def test_after_a_hundred_epochs_only_two_chains_are_held() -> None:
    """The published clean-up would leave half of all epochs on each side."""
    alice, bob = sides()
    seen: dict[bool, set[bytes]] = {True: set(), False: set()}
    for number in range(1, 101):
        for side in (alice, bob):
            seen[side.state.is_initiator] |= {each.expose() for each in secrets_in(side.state)}
        turn(*((alice, bob) if number % 2 else (bob, alice)), number)
        for side in (alice, bob):
            held = [each.expose() for each in secrets_in(side.state)]
            assert len(held) == 3  # the root, and one chain of each direction
            assert not seen[side.state.is_initiator] & set(held)
            assert (side.state.sending.epoch, side.state.receiving.epoch) == (number, number)
            assert side.kept == {}


def test_a_sent_key_cannot_be_derived_again() -> None:
    """Each message replaces the chain key, and the first message of the next chain drops the whole chain."""
    alice, _ = sides()
    before = alice.state.sending.key
    alice.send(0)
    assert alice.state.sending.key == LETTERLOCK.step(before, 1)[0] != before
    alice.add(1)
    old = alice.state.sending.key
    alice.send(1)
    assert old not in secrets_in(alice.state.sending)
    assert alice.state.sending.following is None
