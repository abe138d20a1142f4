"""Side data that does not fit its session is CorruptStore: rows were deleted from the store or added."""

from collections.abc import Callable

import pytest

from letterlock._ratchet.side_data import Slot
from letterlock._session.peer_sessions import PeerSessions
from letterlock.errors import CorruptStore
from letterlock.stores._interface import Record
from support.pair import BOTH_SUITES, Pair, Side

LONG = bytes(5000)
"""A plaintext so long that its message carries all codewords that are due."""


def begun(pair: Pair) -> None:
    """Bob has a header, and Alice waits for his ct1."""
    pair.introduce()


def receiving_ct1(pair: Pair) -> None:
    """Alice has one codeword of ct1. Bob has a header and ct1 as side data."""
    pair.converse()


def whole_vector_received(pair: Pair) -> None:
    """Bob has the whole vector, and waits for the acknowledgement of his ct1."""
    pair.converse()
    pair.alice.say(LONG)
    pair.bob.hear()


def receiving_ct2(pair: Pair) -> None:
    """Alice has ct1 and one codeword of ct2."""
    pair.converse()
    for side, text in ((pair.alice, b"x"), (pair.bob, LONG), (pair.alice, LONG), (pair.bob, b"x")):
        side.say(text)
        side.other.hear()


def no_entries(side: Side, session: int) -> None:
    for slot in Slot:
        side.store.tables.side_data.clear(session, int(slot))


def an_extra_entry(side: Side, session: int) -> None:
    for slot in Slot:
        side.store.tables.side_data.append(session, int(slot), Record(bytes(33)))


def an_entry_of_another_length(side: Side, session: int) -> None:
    no_entries(side, session)
    an_extra_entry(side, session)


def damage(side: Side, change: Callable[[Side, int], None]) -> None:
    with side.store.transaction():
        stored = PeerSessions(side.store, side.peer, BOTH_SUITES).active()
        assert stored is not None
        change(side, stored.id)


@pytest.mark.parametrize("change", [no_entries, an_extra_entry, an_entry_of_another_length])
@pytest.mark.parametrize(
    ("conversation", "acts"),
    [
        (begun, "bob writes"),
        (begun, "alice writes"),
        (receiving_ct1, "bob writes"),
        (receiving_ct1, "bob reads"),
        (receiving_ct1, "alice reads"),
        (whole_vector_received, "bob reads"),
        (receiving_ct2, "alice reads"),
        (receiving_ct2, "bob writes"),
    ],
)
def test_side_data_that_does_not_fit_is_reported_as_a_corrupt_store(
    pair: Pair, conversation: Callable[[Pair], None], acts: str, change: Callable[[Side, int], None]
) -> None:
    conversation(pair)
    name, does = acts.split()
    side = pair.alice if name == "alice" else pair.bob
    if (conversation, acts) == (whole_vector_received, "bob reads"):  # his next message acknowledges ct1
        pair.bob.say(LONG)
        pair.alice.hear()
    message = side.other.write(LONG)
    damage(side, change)
    before = side.dump()
    with pytest.raises(CorruptStore, match="missing or damaged"):
        side.write(b"x") if does == "writes" else side.read(message)
    assert side.dump() == before
