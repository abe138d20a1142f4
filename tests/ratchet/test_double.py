"""The four states of the double ratchet with every event, against the table in the module's docstring.

Also: functions are pure, states are immutable, every turn has a new root, and Hearing holds no private key.
"""

import dataclasses
import itertools
import random
import re
from typing import Any

import pytest

from letterlock._primitives.curve25519 import PrivateKey, RatchetKey
from letterlock._ratchet import double
from letterlock._ratchet.double import Hearing, Speaking, State, Unanswered, Waiting, receive, send
from letterlock._wire.message import Header
from letterlock.errors import AuthenticationFailed, PeerError, UsageError
from support import reference
from support.double_pair import ROOT, SIGNED, Message, double_pair, fresh_key, known_key, skipped_keys, states
from support.pair import entropy_of, plain, slots
from support.trace_calls import Trace

STATES = states()
EVENTS = ("send", "their key new", "their key known")


def documented() -> dict[tuple[str, str], str]:
    """Read the table in the docstring of _ratchet/double.py."""
    lines = [line.strip() for line in (double.__doc__ or "").splitlines()]
    start = next(index for index, line in enumerate(lines) if line.startswith("state "))
    columns = re.split(r"\s{2,}", lines[start])
    assert columns == ["state", "holds", *EVENTS]
    table = {}
    for line in lines[start + 2 : start + 6]:
        # The last columns may be one space apart where an entry is as long as its column.
        name, _, rest = re.split(r"\s{2,}", line, maxsplit=2)
        entries = re.findall(r"-> \w+|refused|-(?=\s|$)", rest)
        table.update({(name, event): entry for event, entry in zip(EVENTS, entries, strict=True)})
    return table


def happens(state: State, event: str) -> str:
    """Let an event happen and return its result in the table's words."""
    try:
        if event == "send":
            return f"-> {type(send(state, entropy_of('next')).state).__name__}"
        key = fresh_key() if event == "their key new" else known_key(state)
        if key is None:
            return "-"
        number = getattr(getattr(state, "receiving", None), "number", 0)
        return f"-> {type(receive(state, Header(key, number, number)).state).__name__}"
    except (UsageError, PeerError):
        return "refused"


def test_the_table_is_complete() -> None:
    assert set(documented()) == set(itertools.product(STATES, EVENTS))


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("name", STATES)
def test_state_and_event_do_what_the_table_says(name: str, event: str) -> None:
    assert type(STATES[name]).__name__ == name
    assert happens(STATES[name], event) == documented()[name, event]


REFUSALS = {
    ("Waiting", "send"): UsageError,
    ("Unanswered", "their key known"): AuthenticationFailed,  # RAT-3
    ("Hearing", "their key new"): AuthenticationFailed,  # RAT-4
}


@pytest.mark.parametrize(("name", "event"), REFUSALS)
def test_a_refusal_costs_no_work(trace: Trace, name: str, event: str) -> None:
    state = STATES[name]
    key = fresh_key() if event == "their key new" else known_key(state)
    header = Header(key or fresh_key(), 0, 0)
    trace.clear()
    with pytest.raises(REFUSALS[name, event]):
        send(state, entropy_of("x")) if event == "send" else receive(state, header)
    assert trace.calls == []


def test_these_are_all_refusals_of_the_table() -> None:
    assert {cell for cell, entry in documented().items() if entry == "refused"} == set(REFUSALS)


@pytest.mark.parametrize("name", STATES)
def test_a_reflected_message_gives_another_key(name: str) -> None:
    """A message reflected to its sender is a turn at best, and its key is not the one that sealed it."""
    state = STATES[name]
    if isinstance(state, Hearing):
        return  # it has no key of its own
    mine = None if isinstance(state, Waiting) else send(state, entropy_of("x"))
    header = Header(state.ours.public, 0, 0) if mine is None else mine.header
    received = receive(state, dataclasses.replace(header, previous_length=100))
    assert isinstance(received.state, Hearing)
    if mine is not None:
        assert received.key != mine.key


# --- purity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STATES)
def test_equal_inputs_give_equal_outputs(name: str) -> None:
    state = STATES[name]
    before = plain(state)
    if name != "Waiting":
        assert plain(send(state, entropy_of(1))) == plain(send(state, entropy_of(1)))
    if name != "Hearing":
        header = Header(fresh_key(), 5, 3)
        one, two = receive(state, header), receive(state, header)
        assert plain([one, skipped_keys(one)]) == plain([two, skipped_keys(two)])
    assert plain(state) == before


@pytest.mark.parametrize("name", STATES)
def test_a_state_cannot_be_changed(name: str) -> None:
    state: Any = STATES[name]
    for field in [*(each.name for each in dataclasses.fields(state)), "anything"]:
        with pytest.raises((dataclasses.FrozenInstanceError, AttributeError, TypeError)):
            setattr(state, field, None)
    assert not hasattr(state, "__dict__")


def test_sending_draws_only_to_leave_hearing() -> None:
    drawn: list[int] = []

    def draw(length: int) -> bytes:
        drawn.append(length)
        return bytes(range(length))

    for name in ("Unanswered", "Speaking"):
        send(STATES[name], draw)
    assert drawn == []
    send(STATES["Hearing"], draw)
    assert drawn == [32]


# --- what the states hold ---------------------------------------------------------------------------


def test_hearing_holds_no_private_key() -> None:
    """RAT-4: the private key is dropped once it has been used, and the next one is made when we send."""
    alice, bob = double_pair()
    bob.receive(alice.send())
    alice.receive(bob.send())
    assert isinstance(alice.state, Hearing)
    assert {each.name for each in dataclasses.fields(Hearing)} == {"root", "receiving", "previous_length"}
    assert [holds(side.state, PrivateKey) for side in (alice, bob)] == [False, True]


def holds(value: object, kind: type) -> bool:
    """Return whether a value of this kind is anywhere inside."""
    if dataclasses.is_dataclass(value):
        return any(holds(getattr(value, each.name), kind) for each in dataclasses.fields(value))
    return isinstance(value, kind) or any(holds(getattr(value, name), kind) for name in slots(value))


def test_the_first_states_are_those_of_the_specification() -> None:
    alice, bob = double_pair()
    assert isinstance(bob.state, Waiting)
    assert (bob.state.root, bob.state.ours.private.expose()) == (ROOT, SIGNED.private.expose())
    assert bob.state.ours.public.data == SIGNED.public.data
    assert isinstance(alice.state, Unanswered)
    ours = alice.state.ours.private.expose()
    root, chain = reference.kdf_rk(ROOT.expose(), reference.x25519(ours, SIGNED.public.data))
    assert (alice.state.root.expose(), alice.state.sending.key.expose()) == (root, chain)
    assert alice.state.theirs == RatchetKey(SIGNED.public.data)


def test_a_turn_is_that_of_the_specification() -> None:
    """Section 3.5, DHRatchet: one root step for the peer's key, and one for our next key when we send."""
    alice, bob = double_pair()
    first = alice.send()
    root = alice.state.root.expose()
    bob.receive(first)
    assert (type(bob.state), bob.state.root.expose()) == (Hearing, root)
    sent = send(bob.state, entropy_of("bob's turn"))
    ours, theirs = entropy_of("bob's turn")(32), first.header.ratchet_key.data
    next_root, chain = reference.kdf_rk(root, reference.x25519(ours, theirs))
    assert isinstance(sent.state, Speaking)
    assert sent.state.root.expose() == next_root
    assert (sent.state.sending.key.expose(), sent.key.expose()) == reference.kdf_ck(chain)
    assert sent.header == Header(RatchetKey(reference.public(ours)), 0, 0)


def test_roots_and_ratchet_keys_are_new_at_every_turn() -> None:
    alice, bob = double_pair()
    roots, keys = {ROOT.expose(), alice.state.root.expose()}, set()
    for turn in range(20):
        speaker, hearer = (alice, bob) if turn % 2 == 0 else (bob, alice)
        message = speaker.send()
        hearer.receive(message)
        assert speaker.state.root == hearer.state.root
        roots.add(speaker.state.root.expose())
        keys.add(message.header.ratchet_key.data)
    assert (len(roots), len(keys)) == (21, 20)


def test_previous_length_is_the_number_of_messages_in_the_previous_chain() -> None:
    alice, bob = double_pair()
    before = 0
    for count in (3, 1, 4, 2):
        messages = [alice.send() for _ in range(count)]
        assert [each.header.number for each in messages] == list(range(count))
        assert {each.header.previous_length for each in messages} == {before}
        for message in messages:
            bob.receive(message)
        alice.receive(bob.send())
        before = count


def test_all_message_keys_are_different() -> None:
    rng, (alice, bob) = random.Random(5), double_pair()
    bob.receive(alice.send())
    keys: list[bytes] = []
    inboxes: dict[bool, list[Message]] = {True: [], False: []}
    for _ in range(1500):
        from_alice = rng.random() < 0.5
        sender, receiver = (alice, bob) if from_alice else (bob, alice)
        if rng.random() < 0.55:
            message = sender.send()
            keys.append(message.key.expose())
            inboxes[from_alice].append(message)
        elif inboxes[from_alice]:
            receiver.receive(inboxes[from_alice].pop(rng.randrange(len(inboxes[from_alice]))))
    assert len(set(keys)) == len(keys) > 700


def test_knows_is_true_for_the_key_of_the_chain_being_received() -> None:
    for name, state in STATES.items():
        key = known_key(state)
        assert not double.knows(state, fresh_key("nobody's"))
        if key is not None:
            assert double.knows(state, key) == (name in {"Hearing", "Speaking"})
