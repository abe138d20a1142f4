"""Sessions on the triple ratchet on disk: restarts in every state, how much is kept, written, and missed."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from letterlock._ratchet.braid_states import (
    Ct1Acknowledged,
    Ct1Received,
    Ct1Sampled,
    Ct2Sampled,
    EkReceivedCt1Sampled,
    EkSentCt1Received,
    HeaderReceived,
    HeaderSent,
    KeysSampled,
    NoHeaderReceived,
)
from letterlock._ratchet.side_data import Slot
from letterlock.errors import BraidFailed, CorruptStore
from letterlock.stores._sqlite import SqliteStore
from support.pair import Pair, Side, sqlite_stores
from support.store_tools import undone
from support.triple_session import (
    ALL_STATES,
    LONG,
    at_rest,
    braid_of,
    chatter,
    forge,
    ratchet_of,
    sessions_of,
    turns,
)


@pytest.fixture
def filed(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(sqlite_stores(tmp_path))
    yield pair
    pair.close()


@pytest.mark.slow
def test_both_sides_restart_in_every_state(filed: Pair) -> None:
    """And in none of them have record and parts together more than 4 KiB in the file."""
    seen = set[type]()
    filed.alice.initiate()
    first = filed.alice.write(bytes(LONG))
    sizes = [at_rest(filed.alice)]
    filed.reopen()
    filed.bob.read(first)
    filed.alice.read(filed.bob.write(b"answer"))
    for side, letter in chatter(filed, 2):
        filed.reopen()
        side.read(letter)
        for each in (filed.alice, filed.bob):
            seen.add(type(braid_of(each)))
            sizes.append(at_rest(each))
        if seen == ALL_STATES and ratchet_of(filed.alice).sparse.latest >= 3:
            break
    assert len(sizes) > 40
    assert 2500 < max(size for size, _ in sizes) <= max(sealed for _, sealed in sizes) <= 4096


def test_with_one_codeword_a_message_it_takes_most_at_rest(pair: Pair) -> None:
    """Each is a row of its own until the text is whole, and each row has a seal: 40 bytes for 34."""
    pair.converse()
    sizes = list[tuple[int, int]]()
    while ratchet_of(pair.alice).sparse.latest < 3:
        for side in (pair.alice, pair.bob):
            side.other.read(side.write(b"short"))
            sizes.append(at_rest(side.other))
    assert 2500 < max(size for size, _ in sizes) <= 3 * 1024
    assert 3000 < max(sealed for _, sealed in sizes) <= 4096


def test_the_sizes_are_those_in_the_file(filed: Pair) -> None:
    filed.converse()
    turns(filed, 1)
    (entry,) = sessions_of(filed.alice)
    assert isinstance(filed.alice.store, SqliteStore)
    total = 0
    with filed.alice.store.transaction():
        for where in ("letterlock_sessions WHERE id", "letterlock_parts WHERE session"):
            statement = f"SELECT sum(length(record)) FROM {where} = ?"
            total += filed.alice.store.connection.execute(statement, (entry.id,)).fetchone()[0]
    assert total == at_rest(filed.alice)[1]


SESSION_ONLY = (1, {"sessions"})


def written(side: Side, call: Callable[[], object]) -> tuple[int, set[str]]:
    """Return how many rows a call changes, and of which tables."""
    assert isinstance(side.store, SqliteStore)
    connection = side.store._database._connection
    statements: list[str] = []
    changes = connection.total_changes
    connection.set_trace_callback(statements.append)
    call()
    connection.set_trace_callback(None)
    pattern = r"^\s*(?:INSERT|UPDATE|DELETE|REPLACE).*?letterlock_(\w+)"
    tables = {match[1] for each in statements if (match := re.match(pattern, each, re.DOTALL))}
    return connection.total_changes - changes, tables


def test_an_ordinary_message_writes_the_session_s_row_alone(filed: Pair) -> None:
    """And one row more where codewords came that are new, and where a chain of the double ratchet ended."""
    filed.converse()
    letters = list[bytes]()
    for side in (filed.alice, filed.bob, filed.alice, filed.bob):
        side.other.read(side.write(b"so that both are amidst a text"))
    assert {type(braid_of(filed.alice)), type(braid_of(filed.bob))} == {HeaderSent, Ct1Sampled}
    for _ in range(3):
        assert written(filed.alice, lambda: letters.append(filed.alice.write(b"short"))) == SESSION_ONLY
    turned, second, third = letters
    assert written(filed.bob, lambda: filed.bob.read(turned)) == (3, {"sessions", "parts", "past_chains"})
    assert written(filed.bob, lambda: filed.bob.read(second)) == (2, {"sessions", "parts"})
    assert written(filed.bob, lambda: filed.bob.read(third)) == (2, {"sessions", "parts"})
    assert written(filed.bob, lambda: letters.append(filed.bob.write(b"answer"))) == SESSION_ONLY


def test_a_message_without_anything_new_writes_the_session_s_row_alone(filed: Pair) -> None:
    filed.converse()
    while not isinstance(braid_of(filed.alice), NoHeaderReceived):
        for side in (filed.alice, filed.bob):
            side.other.read(side.write(bytes(LONG)))
    filed.alice.say(b"has nothing to send until Bob's header comes")
    filed.bob.hear()
    filed.alice.say(b"nor now")
    assert written(filed.bob, filed.bob.hear) == SESSION_ONLY


# --- rows that somebody deleted -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("slot", list(Slot), ids=lambda slot: slot.name)
def test_what_was_deleted_beside_a_session_is_noticed_in_every_state(pair: Pair, slot: Slot) -> None:
    """Nobody but the store's owner can write such a row, but whoever can write to the disk can delete it."""
    pair.converse()
    noticed = set[type]()
    for _, (side, letter) in zip(range(240), chatter(pair, 5, 600), strict=False):
        for each in (pair.alice, pair.bob):
            id_ = sessions_of(each)[0].id
            with undone(each.store):
                if not each.store.tables.side_data.load(id_, slot):
                    continue
                each.store.tables.side_data.clear(id_, slot)
                calls = partial(each.write, bytes(LONG)), partial(each.read, forge(each.other)[0])
                noticed |= {type(braid_of(each)) for call in calls if raised(call) is CorruptStore}
        side.read(letter)
    assert noticed == NEEDS[slot]


def raised(call: Callable[[], object]) -> type[Exception] | None:
    """Return what a call raises, if it is what it may be here; anything else comes out."""
    try:
        call()
    except (CorruptStore, BraidFailed) as error:
        return type(error)
    return None


NEEDS = {
    Slot.OUTGOING: {
        KeysSampled,
        HeaderSent,
        Ct1Received,
        Ct1Sampled,
        EkReceivedCt1Sampled,
        Ct2Sampled,
    },
    Slot.INCOMING: {HeaderSent, EkSentCt1Received, NoHeaderReceived, Ct1Sampled, Ct1Acknowledged},
    Slot.KEPT: {
        Ct1Received,
        EkSentCt1Received,
        HeaderReceived,
        Ct1Sampled,
        EkReceivedCt1Sampled,
        Ct1Acknowledged,
    },
}
"""The states that cannot do without what lies in a slot, each at some message."""
