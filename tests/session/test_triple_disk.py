"""PQXDH sessions in files: restarts in every state, and how much is stored and written."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letterlock._ratchet.braid_states import (
    Ct1Sampled,
    HeaderSent,
)
from letterlock.stores._sqlite import SqliteStore
from support.pair import Pair, Side, sqlite_stores
from support.triple_session import (
    ALL_STATES,
    LONG,
    at_rest,
    braid_of,
    chatter,
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
    """In every state a session takes at most 4 KiB in the file."""
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
    pair.converse()
    sizes = list[tuple[int, int]]()
    while ratchet_of(pair.alice).sparse.latest < 3:
        for side in (pair.alice, pair.bob):
            side.other.read(side.write(b"short"))
            sizes.append(at_rest(side.other))
    assert 2500 < max(size for size, _ in sizes) <= 3 * 1024


def test_at_rest_counts_the_bytes_that_are_in_the_file(sqlite_pair: Pair) -> None:
    sqlite_pair.converse()
    turns(sqlite_pair, 1)
    (stored,) = sessions_of(sqlite_pair.alice)
    assert isinstance(sqlite_pair.alice.store, SqliteStore)
    with sqlite_pair.alice.store.transaction():
        statement = "SELECT length(sealed) FROM letterlock_sessions WHERE id = ?"
        (total,) = sqlite_pair.alice.store.connection.execute(statement, (stored.id,)).fetchone()
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


def test_a_message_writes_the_session_alone_unless_it_ends_a_chain(sqlite_pair: Pair) -> None:
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
    assert written(sqlite_pair.bob, lambda: sqlite_pair.bob.read(turned)) == (2, {"sessions", "past_chains"})
    assert written(sqlite_pair.bob, lambda: sqlite_pair.bob.read(second)) == SESSION_ONLY
    assert written(sqlite_pair.bob, lambda: sqlite_pair.bob.read(third)) == SESSION_ONLY
    assert written(sqlite_pair.bob, lambda: messages.append(sqlite_pair.bob.write(b"answer"))) == SESSION_ONLY
