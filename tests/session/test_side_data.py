"""What lies beside a session's record does not fit it: rows were taken out of the store, or put into it."""

from collections.abc import Callable

import pytest

from letterlock._ratchet.side_data import Slot
from letterlock._session.peer_sessions import PeerSessions
from letterlock.errors import CorruptStore
from letterlock.stores._interface import Record
from support.pair import BOTH_SUITES, Pair, Side

LONG = bytes(5000)
"""A text with which the whole of what is due is sent."""


def begun(pair: Pair) -> None:
    """Bob has a header, and Alice waits for his ct1."""
    pair.introduce()


def hearing_ct1(pair: Pair) -> None:
    """Alice has one codeword of ct1; Bob has a header and ct1 beside his session."""
    pair.converse()


def vector_first(pair: Pair) -> None:
    """Bob has the whole vector, and waits to hear that his ct1 has come."""
    pair.converse()
    pair.alice.say(LONG)
    pair.bob.hear()


def hearing_ct2(pair: Pair) -> None:
    """Alice has ct1 and one codeword of ct2."""
    pair.converse()
    for side, text in ((pair.alice, b"x"), (pair.bob, LONG), (pair.alice, LONG), (pair.bob, b"x")):
        side.say(text)
        side.other.hear()


def nothing_at_all(side: Side, session: int) -> None:
    for slot in Slot:
        side.store.tables.side_data.clear(session, int(slot))


def one_too_many(side: Side, session: int) -> None:
    for slot in Slot:
        side.store.tables.side_data.append(session, int(slot), Record(bytes(33)))


def another_length(side: Side, session: int) -> None:
    nothing_at_all(side, session)
    one_too_many(side, session)


def spoil(side: Side, change: Callable[[Side, int], None]) -> None:
    with side.store.transaction():
        entry = PeerSessions(side.store, side.peer, BOTH_SUITES).active()
        assert entry is not None
        change(side, entry.id)


@pytest.mark.parametrize("change", [nothing_at_all, one_too_many, another_length])
@pytest.mark.parametrize(
    ("scene", "acts"),
    [
        (begun, "bob writes"),
        (begun, "alice writes"),
        (hearing_ct1, "bob writes"),
        (hearing_ct1, "bob reads"),
        (hearing_ct1, "alice reads"),
        (vector_first, "bob reads"),
        (hearing_ct2, "alice reads"),
        (hearing_ct2, "bob writes"),
    ],
)
def test_what_does_not_fit_is_damage_to_the_store(
    pair: Pair, scene: Callable[[Pair], None], acts: str, change: Callable[[Side, int], None]
) -> None:
    scene(pair)
    name, does = acts.split()
    side = pair.alice if name == "alice" else pair.bob
    if (scene, acts) == (vector_first, "bob reads"):  # what he hears next is that ct1 has come
        pair.bob.say(LONG)
        pair.alice.hear()
    letter = side.other.write(LONG)
    spoil(side, change)
    before = side.dump()
    with pytest.raises(CorruptStore, match="missing or damaged"):
        side.write(b"x") if does == "writes" else side.read(letter)
    assert side.dump() == before
