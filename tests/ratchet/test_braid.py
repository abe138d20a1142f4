"""PQR-4: the eleven states of the braid with every header type and epoch, against the table in its docstring.

Also: codewords in any order and over a bad network, and which random bytes are drawn.
"""

import dataclasses
import itertools
import random
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._primitives.entropy import Entropy
from letterlock._ratchet import braid
from letterlock._ratchet.braid_states import ENTRY_BYTES, Ct2Sampled
from letterlock._ratchet.erasure import codeword
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from letterlock.errors import AuthenticationFailed
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX
from support.braid_pair import (
    EPOCHS,
    RECEIVERS,
    ROWS,
    STATES,
    Side,
    Step,
    becomes,
    braid_pair,
    is_of_use,
    place,
    places,
    pq_header,
    row_for,
    share_of,
    texts_in,
    walk,
    whole,
)
from support.pair import entropy_of, plain

PLACE = pytest.mark.parametrize(
    ("epoch", "name"),
    [(epoch, name) for epoch in EPOCHS.values() for name in STATES],
    ids=[f"{name}, {role}" for role in EPOCHS for name in STATES],
)


# --- the table --------------------------------------------------------------------------------------


def test_the_table_is_complete() -> None:
    assert len(ROWS) == 13
    assert {row.state for row in ROWS} == {row.after for row in ROWS} == set(STATES)
    assert len({(row.state, row.after) for row in ROWS}) == 13
    assert len(STATES) == 11
    assert set(places(3)) == set(places(4)) == set(STATES)


def test_the_table_agrees_with_sends() -> None:
    assert {(row.state, row.sends) for row in ROWS} == {(s.__name__, t) for s, t in braid.SENDS.items()}


def test_the_table_agrees_with_receives() -> None:
    cells = {(row.state, type_) for row in ROWS for type_ in row.types}
    assert cells == {(state.__name__, type_) for state, type_ in braid.RECEIVES}


@PLACE
def test_a_state_sends_what_the_table_says(epoch: int, name: str) -> None:
    side = place(epoch, name)
    before = side.all()
    sent = side.send(64)
    rows = [row for row in ROWS if row.state == name]
    assert {row.sends for row in rows} == {sent.type}
    assert sent.epoch == epoch
    on_sending = next((row for row in rows if row.on == "sending"), None)
    assert side.name == (name if on_sending is None else on_sending.after)
    assert (len(side.secrets) > len(place(epoch, name).secrets)) == bool(on_sending and on_sending.has_secret)
    assert (sent.codewords == b"") == (sent.type in BARE)
    if sent.type in BARE:
        assert side.all() == before


@PLACE
def test_a_state_receives_what_the_table_says(epoch: int, name: str) -> None:
    for type_, all_of_it in itertools.product(PqType, (False, True)):
        side = place(epoch, name)
        before, secrets = side.all(), len(side.secrets)
        side.receive(whole(epoch, type_) if all_of_it else pq_header(epoch, type_, 100))
        assert side.name == becomes(name, type_, whole=all_of_it), type_
        assert (side.all() != before) == is_of_use(name, type_), type_
        row = row_for(name, type_, whole=all_of_it)
        with_secret = row is not None and side.name == "NoHeaderReceived" != name
        assert len(side.secrets) - secrets == with_secret
        if with_secret:
            assert side.state.epoch == epoch + 1
        else:
            assert side.state.epoch == epoch


@PLACE
@pytest.mark.parametrize("offset", [-2, -1, 1, 2])
def test_a_header_of_another_epoch_changes_only_ct2_sampled(epoch: int, name: str, offset: int) -> None:
    for type_, all_of_it in itertools.product(PqType, (False, True)):
        side, other = place(epoch, name), epoch + offset
        before = side.all()
        made = whole(other, type_, of=epoch) if all_of_it else pq_header(other, type_, 100, of=epoch)
        moves_on = name == "Ct2Sampled" and offset == 1
        assert next(row.after for row in ROWS if row.on == "the next epoch") == "KeysUnsampled"
        if offset > 0 and not moves_on:  # PQR-4
            with pytest.raises(AuthenticationFailed):
                braid.check_epoch(side.state, made)
        else:
            braid.check_epoch(side.state, made)
        got = braid.receive(side.profile, side.state, made)
        assert got.secret is None
        if moves_on:
            assert plain(got.state) == ("KeysUnsampled", other, plain(side.state.authenticator))
        else:
            assert got.state is side.state
        assert side.all() == before


@PLACE
def test_a_repeated_codeword_changes_nothing(epoch: int, name: str) -> None:
    """The first codeword with an index is taken, the second is not."""
    for type_ in PqType:
        side = place(epoch, name)
        side.receive(pq_header(epoch, type_, 100))
        before = side.all()
        if is_of_use(side.name, type_) and type_ not in BARE:
            side.receive(pq_header(epoch, type_, 100))
            assert side.all() == before, type_


# --- the transitions ----------------------------------------------------------------------------------


def test_exactly_the_transitions_of_the_table_occur() -> None:
    taken: set[Step] = set()
    for rooms in ((1, 1), (64, 1), (1, 64), (64, 64), (4, 2)):
        sides = braid_pair(rooms)
        walk(sides, 3, rooms)
        taken |= sides[0].taken | sides[1].taken
    at_once = {("KeysSampled", "Ct1Received"), ("Ct1Received", "NoHeaderReceived")}
    assert taken == {(row.state, row.after) for row in ROWS} | at_once


@pytest.mark.parametrize("rooms", [(1, 1), (64, 64), (1, 64), (64, 1), (3, 7)], ids=str)
def test_both_sides_have_the_same_secrets_and_swap_roles_each_epoch(rooms: tuple[int, int]) -> None:
    alice, bob = sides = braid_pair(rooms)
    makers: list[str] = []

    def see(side: Side) -> None:
        if side.name == "KeysSampled" and len(makers) < side.state.epoch:
            makers.append("alice" if side is alice else "bob")

    walk(sides, 4, rooms, see)
    assert plain(alice.secrets) == plain(bob.secrets)
    assert set(alice.secrets) == {1, 2, 3}
    assert len({each.expose() for each in alice.secrets.values()}) == 3
    assert makers[:3] == ["alice", "bob", "alice"]


@pytest.mark.parametrize(("room", "most"), [(1, 88), (64, 6)])
def test_an_epoch_takes_about_one_message_for_each_codeword(room: int, most: int) -> None:
    sides, sent = braid_pair(room), 0
    while min(each.state.epoch for each in sides) < 2:
        sides[1 - sent % 2].receive(sides[sent % 2].send(room))
        sent += 1
    assert sent <= most


@pytest.mark.parametrize("seed", range(2))
def test_twelve_epochs_over_a_bad_network(seed: int) -> None:
    """A third of the messages is lost. The others come late, in another order, and sometimes twice."""
    rng, sides = random.Random(seed), braid_pair(seed)
    wire: list[tuple[Side, PqHeader]] = []
    for _ in range(6000):
        if min(side.state.epoch for side in sides) > 12:
            break
        sender = rng.randrange(2)
        sent = sides[sender].send(rng.choice((1, 1, 3, 8)))
        if rng.random() < 0.7:
            wire += [(sides[1 - sender], sent)] * rng.choice((1, 1, 1, 2))
        while len(wire) > rng.randrange(12):
            to, came = wire.pop(rng.randrange(len(wire)))
            to.receive(came)
    assert all(side.state.epoch > 12 for side in sides)
    both = set(sides[0].secrets) & set(sides[1].secrets)
    assert both >= set(range(1, 13))
    assert all(sides[0].secrets[epoch] == sides[1].secrets[epoch] for epoch in both)


# --- texts ------------------------------------------------------------------------------------------

TEXT = pytest.mark.parametrize("type_", RECEIVERS, ids=lambda type_: type_.name)


def orders(share: int, seed: str) -> Iterator[list[int]]:
    """Yield orders of indices: ascending, descending, mixed, only high ones, with duplicates."""
    rng = random.Random(seed)
    yield list(range(share))
    yield list(reversed(range(share)))
    yield rng.sample(range(share), share)
    yield list(range(share, 2 * share))
    yield rng.sample(range(MAX_CODEWORD_INDEX + 1), share)
    yield [MAX_CODEWORD_INDEX - n for n in range(share)]
    yield [index for n in range(share) for index in (n, n, max(0, n - 1))]


@TEXT
def test_a_text_is_complete_after_its_codewords_in_any_order(type_: PqType) -> None:
    share, name = share_of(3, type_), RECEIVERS[type_]
    at_once = place(3, name)
    at_once.receive(whole(3, type_))
    assert at_once.name == becomes(name, type_, whole=True)
    for order in orders(share, type_.name):
        side, seen = place(3, name), set[int]()
        for index in order:
            if len(seen) == share:
                break
            assert side.name != at_once.name
            side.receive(pq_header(3, type_, index))
            seen.add(index)
            assert len(side.incoming) == ENTRY_BYTES * (len(seen) % share)
        assert plain(side.state) == plain(at_once.state)
        assert plain(side.secrets) == plain(at_once.secrets)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_overlapping_runs_of_codewords_complete_a_text(data: st.DataObject) -> None:
    type_ = data.draw(st.sampled_from([*RECEIVERS]))
    share, name = share_of(3, type_), RECEIVERS[type_]
    side, seen = place(3, name), set[int]()
    runs = data.draw(st.lists(st.tuples(st.integers(0, 3 * share), st.integers(1, share)), max_size=8))
    for start, length in [*runs, (0, share)]:
        if len(seen) < share:
            run = range(start, start + length)
            side.receive(pq_header(3, type_, *run))
            seen |= set(run)
    assert side.name == becomes(name, type_, whole=True)
    assert side.incoming == b""


@TEXT
def test_one_codeword_too_few_does_not_complete_a_text(type_: PqType) -> None:
    share, name = share_of(3, type_), RECEIVERS[type_]
    side = place(3, name)
    side.receive(pq_header(3, type_, *range(1, share)))
    assert side.name == becomes(name, type_, whole=False)


# --- what is sent -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["KeysSampled", "HeaderSent", "Ct1Received", "Ct1Sampled", "Ct2Sampled"])
@pytest.mark.parametrize("room", [1, 2, 64])
def test_indices_increase_and_wrap_after_the_last(name: str, room: int) -> None:
    side = place(3, name)
    text = side.outgoing
    share = len(text) // CODEWORD_BYTES
    count, state = min(room, share), cast("Any", side.state)
    for first in (
        0,
        7,
        MAX_CODEWORD_INDEX - count,
        MAX_CODEWORD_INDEX + 1 - count,
        MAX_CODEWORD_INDEX - 1,
        MAX_CODEWORD_INDEX,
    ):
        side.state = dataclasses.replace(state, sent=first)
        sent = side.send(room)
        here = min(count, MAX_CODEWORD_INDEX + 1 - first)
        assert sent.first == first
        assert sent.codewords == b"".join(codeword(text, first + n).data for n in range(here))
        assert getattr(side.state, "sent", None) == (first + here) % (MAX_CODEWORD_INDEX + 1)


def test_the_indices_of_a_new_text_begin_at_zero() -> None:
    for name in ("HeaderSent", "Ct2Sampled"):
        assert place(3, name).send().first == 0
    for name in ("KeysUnsampled", "HeaderReceived"):
        assert place(3, name).send(2).first == 0
        side = place(3, name)
        side.send(2)
        assert side.send().first == 2


def test_receiving_ct1_does_not_restart_the_indices_of_the_vector() -> None:
    side = place(3, "HeaderSent")
    assert [side.send().first for _ in range(5)] == [*range(5)]
    side.receive(whole(3, PqType.CT1))
    assert side.name == "Ct1Received"
    assert (side.send().type, side.send().first) == (PqType.EK_CT1_ACK, 6)


def test_only_two_states_draw_entropy() -> None:
    drawn: dict[str, list[int]] = {}
    for name in STATES:
        side, lengths = place(3, name), drawn.setdefault(name, [])
        draw = entropy_of(name)

        def record(length: int, lengths: list[int] = lengths, draw: Entropy = draw) -> bytes:
            lengths.append(length)
            return draw(length)

        side.entropy = record
        side.send()
    assert {name: lengths for name, lengths in drawn.items() if lengths} == {
        "KeysUnsampled": [64],
        "HeaderReceived": [32],
    }


def test_equal_inputs_give_equal_states() -> None:
    runs = []
    for _ in range(2):
        sides, seen = braid_pair("same"), list[object]()
        walk(sides, 3, (2, 3), lambda side, seen=seen: seen.append(side.all()))  # type: ignore[misc]
        runs.append(seen)
    assert runs[0] == runs[1]


@PLACE
def test_sending_and_receiving_leave_the_state_as_it_was(epoch: int, name: str) -> None:
    side = place(epoch, name)
    before = side.all()
    for type_ in PqType:
        made = whole(epoch, type_)
        one, two = (braid.receive(side.profile, side.state, made) for _ in range(2))
        assert plain(one) == plain(two)
    sent = [braid.send(side.profile, side.state, 3, entropy_of(1)) for _ in range(2)]
    assert plain(sent[0]) == plain(sent[1])
    assert side.all() == before


def test_a_header_of_the_next_epoch_ends_ct2_sampled() -> None:
    side = place(3, "Ct2Sampled")
    assert isinstance(side.state, Ct2Sampled)
    side.receive(PqHeader(4, 1, 0, PqType.NONE))
    assert (side.name, set(texts_in(side.state).values())) == ("KeysUnsampled", {b""})
