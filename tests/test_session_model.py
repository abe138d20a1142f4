"""Conversations as hypothesis thinks them up, against the simplest model: which letter carries which text.

Letters are lost, repeated, reordered, damaged; both sides begin new sessions, take calls back, and are
opened anew. Every letter opens exactly once and gives its text; a second time it is a duplicate; a damaged
one never opens. In the end, whatever was lost, both sides use one session.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle as Letters
from hypothesis.stateful import (
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from letterlock.errors import DuplicateMessage, NoSession, PeerError
from letterlock.session.book import Entry, SessionBook
from letterlock.wire.suite import Suite
from pair import BOTH_SUITES, Pair, Side, flipped, unchanged


class Undo(Exception):
    """Raised inside a transaction to take it back."""


SIDES = st.sampled_from(["alice", "bob"])
TEXTS = st.binary(max_size=80)


class Conversation(RuleBasedStateMachine):
    """Alice, Bob, and the letters between them."""

    on_the_way = Letters("on_the_way")
    arrived = Letters("arrived")

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair(suites=BOTH_SUITES)
        self.begun = {"alice": False, "bob": False}
        self.sessions = 0

    def side(self, name: str) -> Side:
        side: Side = getattr(self.pair, name)
        return side

    @initialize(name=SIDES)
    def somebody_begins(self, name: str) -> None:
        self.begin(name=name, suite=Suite.PQXDH, one_time=True)

    @precondition(lambda self: self.sessions < 38)
    @rule(name=SIDES, suite=st.sampled_from(list(Suite)), one_time=st.booleans())
    def begin(self, name: str, suite: Suite, one_time: bool) -> None:
        side = self.side(name)
        publication = side.other.account.publish(1 if one_time else 0)
        side.initiate(next(publication.bundles(), publication.last_resort_bundle()), suite)
        self.begun[name] = True
        self.sessions += 1

    @rule(target=on_the_way, name=SIDES, text=TEXTS, count=st.integers(1, 4))
    def write(self, name: str, text: bytes, count: int) -> Any:
        side = self.side(name)
        if not self.begun[name]:
            with pytest.raises(NoSession):
                side.write(text)
            return multiple()
        return multiple(*((name, side.write(text), text) for _ in range(count)))

    @rule(target=arrived, letter=consumes(on_the_way))
    def read(self, letter: tuple[str, bytes, bytes]) -> tuple[str, bytes, bytes]:
        name, wire, text = letter
        receiver = self.side(name).other
        assert receiver.read(wire) == text
        self.begun[receiver.address.name] = True
        return letter

    @rule(letter=arrived)
    def read_again(self, letter: tuple[str, bytes, bytes]) -> None:
        name, wire, _ = letter
        receiver = self.side(name).other
        with unchanged(receiver.store), pytest.raises(DuplicateMessage):
            receiver.read(wire)

    @rule(letter=consumes(on_the_way))
    def lose(self, letter: tuple[str, bytes, bytes]) -> None:
        pass

    @rule(letter=on_the_way, at=st.integers(0, 10**6), mask=st.integers(1, 255))
    def damage(self, letter: tuple[str, bytes, bytes], at: int, mask: int) -> None:
        name, wire, _ = letter
        # In the sealed text of the inner message, so that identity keys stay out of it.
        place = len(wire) - 1 - at % 56
        receiver = self.side(name).other
        with unchanged(receiver.store), pytest.raises(PeerError):
            receiver.read(flipped(wire, place, mask))

    @rule(letter=on_the_way)
    def send_back(self, letter: tuple[str, bytes, bytes]) -> None:
        name, wire, _ = letter
        sender = self.side(name)
        with unchanged(sender.store), pytest.raises(Exception) as caught:
            sender.read(wire)
        assert type(caught.value).__module__ == "letterlock.errors"

    @rule(letter=on_the_way, name=SIDES, text=TEXTS)
    def take_back(self, letter: tuple[str, bytes, bytes], name: str, text: bytes) -> None:
        """A transaction that fails: reading, writing and beginning in it have not happened."""
        sender, wire, expected = letter
        receiver = self.side(sender).other
        with unchanged(receiver.store), pytest.raises(Undo), receiver.account.transaction():
            assert receiver.read(wire) == expected
            receiver.write(text)
            receiver.account.publish(1)
            raise Undo

    @rule(name=SIDES)
    def open_anew(self, name: str) -> None:
        self.side(name).reopen()

    def teardown(self) -> None:
        if all(self.begun.values()):
            for _ in range(4):
                self.pair.turn()
            active = [self.entries(name)[0].session.origin.associated_data for name in self.begun]
            assert active[0] == active[1]

    def entries(self, name: str) -> list[Entry]:
        side = self.side(name)
        with side.store.transaction():
            return SessionBook(side.store, side.peer, frozenset(Suite)).entries()

    @invariant()
    def stores_are_in_order(self) -> None:
        for name in ("alice", "bob"):
            entries = self.entries(name)
            ranks = [entry.rank for entry in entries]
            assert ranks == sorted({*ranks}, reverse=True)
            assert len(entries) <= 41
            assert bool(entries) == self.begun[name]


@pytest.mark.slow
def test_conversations_as_hypothesis_thinks_them_up() -> None:
    run_state_machine_as_test(
        Conversation,
        settings=settings(
            max_examples=50,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
