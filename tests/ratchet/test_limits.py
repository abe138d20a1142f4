"""RAT-5, RAT-9, RAT-10, RAT-11: the limits of the double ratchet, exactly met and exceeded by one.

The trace of primitives shows that a refusal costs neither an agreement nor a step of a chain.
"""

import dataclasses

import pytest

from letterlock._ratchet.double import Hearing, State, receive
from letterlock._records.session import decode_session, encode_session
from letterlock._session.session import Established, Origin
from letterlock._wire.message import Header
from letterlock._wire.suite import Suite
from letterlock.errors import AuthenticationFailed, DuplicateMessage, PeerError, TooManySkipped
from letterlock.limits import MAX_COUNTER, MAX_SKIP, MAX_SKIPPED_KEYS
from support.double_pair import double_pair, fresh_key, hearing, known_key, skipped_keys, speaking, states
from support.pair import plain
from support.trace_calls import Trace

NEW = fresh_key("new")


def header_for(state: State, number: int, previous: int = 0, *, new: bool = False) -> Header:
    key = NEW if new else known_key(state)
    assert key is not None
    return Header(key, previous, number)


def refused(state: State, header: Header, trace: Trace) -> PeerError:
    """Check that a header is refused before any derivation, and return the error."""
    trace.clear()
    with pytest.raises(PeerError) as caught:
        receive(state, header)
    assert trace.calls == []
    return caught.value


# --- in the current chain ---------------------------------------------------------------------------


@pytest.mark.parametrize("make", [hearing, speaking])
@pytest.mark.parametrize("number", [0, 1, 17, MAX_COUNTER - MAX_SKIP - 2])
def test_max_skip_in_the_current_chain(trace: Trace, make: type, number: int) -> None:
    state: State = make(number)
    received = receive(state, header_for(state, number + MAX_SKIP))
    assert len(skipped_keys(received)) == MAX_SKIP
    assert trace.count("hmac") == 2 * MAX_SKIP + 2
    error = refused(state, header_for(state, number + MAX_SKIP + 1), trace)
    assert isinstance(error, TooManySkipped)
    assert (error.skipped, error.limit) == (MAX_SKIP + 1, MAX_SKIP)


@pytest.mark.parametrize("make", [hearing, speaking])
def test_a_passed_number_in_the_current_chain_is_a_duplicate(trace: Trace, make: type) -> None:
    state: State = make(5)
    for number in range(5):
        assert isinstance(refused(state, header_for(state, number), trace), DuplicateMessage)
    assert skipped_keys(receive(state, header_for(state, 5))) == {}


# --- in a new chain -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Waiting", "Unanswered", "Speaking"])
def test_max_skip_in_a_new_chain(trace: Trace, name: str) -> None:
    state = states()[name]
    trace.clear()
    previous = 1 if name == "Speaking" else 0  # as many as this state has received
    received = receive(state, header_for(state, MAX_SKIP, previous, new=True))
    assert len(skipped_keys(received)) == MAX_SKIP
    assert trace.count("dh") == 1
    error = refused(state, header_for(state, MAX_SKIP + 1, previous, new=True), trace)
    assert isinstance(error, TooManySkipped)


# --- in the rest of the previous chain ----------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 3])
def test_max_skip_in_the_previous_chain(trace: Trace, number: int) -> None:
    state = speaking(number)
    received = receive(state, header_for(state, 0, number + MAX_SKIP, new=True))
    assert len(skipped_keys(received)) == MAX_SKIP
    error = refused(state, header_for(state, 0, number + MAX_SKIP + 1, new=True), trace)
    assert isinstance(error, TooManySkipped)
    assert error.skipped == MAX_SKIP + 1


def test_max_skip_in_both_at_once(trace: Trace) -> None:
    state = speaking(3)
    received = receive(state, header_for(state, MAX_SKIP, 3 + MAX_SKIP, new=True))
    keys = skipped_keys(received)
    assert len(keys) == 2 * MAX_SKIP == MAX_SKIPPED_KEYS
    # The oldest come first, because they are deleted first if there are too many.
    old = state.receiving.ratchet_key.data
    expected = [(old, n) for n in range(3, 3 + MAX_SKIP)] + [(NEW.data, n) for n in range(MAX_SKIP)]
    assert list(keys) == expected
    for number, previous in ((MAX_SKIP + 1, 3 + MAX_SKIP), (MAX_SKIP, 4 + MAX_SKIP)):
        error = refused(state, header_for(state, number, previous, new=True), trace)
        assert isinstance(error, TooManySkipped)


def test_keys_of_the_previous_chain_are_derived_only_when_asked_for(trace: Trace) -> None:
    """A header with a new key costs one agreement and the steps to its own number, whatever its PN."""
    state = speaking(3)
    trace.clear()
    received = receive(state, header_for(state, 2, 3 + MAX_SKIP, new=True))
    assert (trace.count("dh"), trace.count("hmac")) == (1, 4)
    assert len(skipped_keys(received)) == MAX_SKIP + 2
    assert trace.count("hmac") == 4 + 2 * MAX_SKIP + 2


@pytest.mark.parametrize("previous", [0, 1, 6])
def test_a_previous_length_below_what_we_received_skips_nothing(previous: int) -> None:
    """A peer restored from an older copy has sent fewer messages in that chain than we have read."""
    state = speaking(7)
    for length in (previous, 7):
        received = receive(state, header_for(state, 0, length, new=True))
        assert (skipped_keys(received), received.finished) == ({}, state.receiving.ratchet_key)


@pytest.mark.parametrize("name", ["Waiting", "Unanswered"])
@pytest.mark.parametrize("previous", [0, 1, MAX_SKIP + 1, MAX_COUNTER])
def test_without_a_previous_chain_its_length_is_ignored(trace: Trace, name: str, previous: int) -> None:
    state = states()[name]
    trace.clear()
    received = receive(state, header_for(state, 0, previous, new=True))
    assert (skipped_keys(received), received.finished) == ({}, None)
    assert trace.count("hmac") == 2


# --- at the limits of the counters --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Waiting", "Unanswered", "Hearing", "Speaking"])
@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("far", [MAX_COUNTER, MAX_COUNTER - 1, 2**31])
def test_far_numbers_are_refused_at_once(trace: Trace, name: str, new: bool, far: int) -> None:
    state = states()[name]
    if not new and name == "Waiting":
        return  # there is no known key
    refused(state, header_for(state, far, MAX_COUNTER, new=new), trace)
    refused(state, header_for(state, far, 0, new=new), trace)
    if name == "Speaking" and new:
        refused(state, header_for(state, 0, far, new=True), trace)


@pytest.mark.parametrize("make", [hearing, speaking])
@pytest.mark.parametrize("number", [MAX_COUNTER - 2, MAX_COUNTER - 1, MAX_COUNTER])
def test_a_peer_cannot_take_a_chain_past_its_last_number(trace: Trace, make: type, number: int) -> None:
    """A sender's last number is 2^32 - 2. After one more, no record could hold the counter."""
    state: State = make(number)
    assert isinstance(refused(state, header_for(state, MAX_COUNTER), trace), AuthenticationFailed)
    if number < MAX_COUNTER:
        received = receive(state, header_for(state, MAX_COUNTER - 1))
        session = Established(Origin(Suite.X3DH, bytes(32), None), received.state)
        assert plain(decode_session(encode_session(session))) == plain(session)


def test_a_full_chain_can_still_be_finished(trace: Trace) -> None:
    state = speaking(MAX_COUNTER)
    trace.clear()
    received = receive(state, header_for(state, 0, MAX_COUNTER, new=True))
    assert skipped_keys(received) == {}
    assert isinstance(received.state, Hearing)


def test_the_limits_are_those_of_the_specification() -> None:
    """They are part of the protocol: another value would change which messages a peer can decrypt."""
    assert (MAX_SKIP, MAX_SKIPPED_KEYS, MAX_COUNTER) == (2000, 4000, 2**32 - 1)


# --- skipped keys ------------------------------------------------------------------------


def test_skipped_keys_of_two_chains_are_those_of_the_messages() -> None:
    alice, bob = double_pair()
    bob.receive(alice.send())
    alice.receive(bob.send())
    first = [alice.send() for _ in range(4)]
    bob.receive(first[1])
    alice.receive(bob.send())
    second = [alice.send() for _ in range(3)]
    received = bob.receive(second[2])
    assert received is not None
    assert received.finished == first[0].header.ratchet_key
    waiting = [first[0], first[2], first[3], second[0], second[1]]
    assert set(bob.skipped) == {(each.header.ratchet_key.data, each.header.number) for each in waiting}
    for message in reversed(waiting):
        assert bob.receive(message) is None
    assert bob.skipped == {}
    for message in (*first, *second):
        with pytest.raises(PeerError):
            receive(bob.state, dataclasses.replace(message.header))
