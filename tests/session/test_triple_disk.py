"""PQXDH sessions in files: restarts in every state, how much is stored and written, and missing rows."""

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
def sqlite_pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(sqlite_stores(tmp_path))
    yield pair
    pair.close()


@pytest.mark.slow
def test_both_sides_restart_in_every_state(sqlite_pair: Pair) -> None:
    """In every state a session's record and side data together take at most 4 KiB in the file."""
    seen = set[type]()
    sqlite_pair.alice.initiate()
    first = sqlite_pair.alice.write(bytes(LONG))
    sizes = [at_rest(sqlite_pair.alice)]
    sqlite_pair.reopen()
    sqlite_pair.bob.read(first)
    sqlite_pair.alice.read(sqlite_pair.bob.write(b"answer"))
    for side, message in chatter(sqlite_pair, 2):
        sqlite_pair.reopen()
        side.read(message)
        for each in (sqlite_pair.alice, sqlite_pair.bob):
            seen.add(type(braid_of(each)))
            sizes.append(at_rest(each))
        if seen == ALL_STATES and ratchet_of(sqlite_pair.alice).sparse.latest >= 3:
            break
    assert len(sizes) > 40
    assert 2500 < max(size for size, _ in sizes) <= max(sealed for _, sealed in sizes) <= 4096


def test_one_codeword_in_each_message_stays_within_the_size_limit(pair: Pair) -> None:
    """Each codeword is a row until its text is complete, and sealing adds 40 bytes to the 34 of each row."""
    pair.converse()
    sizes = list[tuple[int, int]]()
    while ratchet_of(pair.alice).sparse.latest < 3:
        for side in (pair.alice, pair.bob):
            side.other.read(side.write(b"short"))
            sizes.append(at_rest(side.other))
    assert 2500 < max(size for size, _ in sizes) <= 3 * 1024
    assert 3000 < max(sealed for _, sealed in sizes) <= 4096


def test_at_rest_counts_the_bytes_that_are_in_the_file(sqlite_pair: Pair) -> None:
    sqlite_pair.converse()
    turns(sqlite_pair, 1)
    (stored,) = sessions_of(sqlite_pair.alice)
    assert isinstance(sqlite_pair.alice.store, SqliteStore)
    total = 0
    with sqlite_pair.alice.store.transaction():
        for where in ("letterlock_sessions WHERE id", "letterlock_parts WHERE session"):
            statement = f"SELECT sum(length(record)) FROM {where} = ?"
            total += sqlite_pair.alice.store.connection.execute(statement, (stored.id,)).fetchone()[0]
    assert total == at_rest(sqlite_pair.alice)[1]


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


def test_a_message_within_a_text_writes_the_session_and_few_other_rows(sqlite_pair: Pair) -> None:
    """New codewords are one row more, and the end of a double-ratchet chain is another."""
    sqlite_pair.converse()
    messages = list[bytes]()
    for side in (sqlite_pair.alice, sqlite_pair.bob, sqlite_pair.alice, sqlite_pair.bob):
        side.other.read(side.write(b"so that both are within a text"))
    assert {type(braid_of(sqlite_pair.alice)), type(braid_of(sqlite_pair.bob))} == {HeaderSent, Ct1Sampled}
    for _ in range(3):
        assert (
            written(sqlite_pair.alice, lambda: messages.append(sqlite_pair.alice.write(b"short")))
            == SESSION_ONLY
        )
    turned, second, third = messages
    assert written(sqlite_pair.bob, lambda: sqlite_pair.bob.read(turned)) == (
        3,
        {"sessions", "parts", "past_chains"},
    )
    assert written(sqlite_pair.bob, lambda: sqlite_pair.bob.read(second)) == (2, {"sessions", "parts"})
    assert written(sqlite_pair.bob, lambda: sqlite_pair.bob.read(third)) == (2, {"sessions", "parts"})
    assert written(sqlite_pair.bob, lambda: messages.append(sqlite_pair.bob.write(b"answer"))) == SESSION_ONLY


def test_a_message_without_new_codewords_writes_only_the_session(sqlite_pair: Pair) -> None:
    sqlite_pair.converse()
    while not isinstance(braid_of(sqlite_pair.alice), NoHeaderReceived):
        for side in (sqlite_pair.alice, sqlite_pair.bob):
            side.other.read(side.write(bytes(LONG)))
    sqlite_pair.alice.say(b"has nothing to send until Bob's header comes")
    sqlite_pair.bob.hear()
    sqlite_pair.alice.say(b"still nothing to send")
    assert written(sqlite_pair.bob, sqlite_pair.bob.hear) == SESSION_ONLY


# --- deleted rows -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("slot", list(Slot), ids=lambda slot: slot.name)
def test_deleted_side_data_is_noticed_in_every_state_that_needs_it(pair: Pair, slot: Slot) -> None:
    """Only the store's owner can write such a row, but anyone who can write to the disk can delete it."""
    pair.converse()
    noticed = set[type]()
    for _, (side, message) in zip(range(240), chatter(pair, 5, 600), strict=False):
        for each in (pair.alice, pair.bob):
            id_ = sessions_of(each)[0].id
            with undone(each.store):
                if not each.store.tables.side_data.load(id_, slot):
                    continue
                each.store.tables.side_data.clear(id_, slot)
                calls = partial(each.write, bytes(LONG)), partial(each.read, forge(each.other)[0])
                noticed |= {type(braid_of(each)) for call in calls if raised(call) is CorruptStore}
        side.read(message)
    assert noticed == NEEDS[slot]


def raised(call: Callable[[], object]) -> type[Exception] | None:
    """Return the type of error that a call raises, if it is one that deleted side data may cause."""
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
"""For each slot, the states that need it for some message."""
