"""Finished chains in SQLite: 64 of them share a row, and their order and number stay exact."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock.errors import CorruptStore
from letterlock.stores import SqliteStore
from support.store_tools import ALICE, record, session, undone, unsynced_store

ROW = 64


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with unsynced_store(tmp_path) as store:
        with store.transaction():
            store.tables.peers.save(ALICE, record("peer"))
            for id_ in (1, 2):
                store.tables.sessions.save(session(id_))
        yield store


def chain(number: int) -> bytes:
    return number.to_bytes(32, "big")


def add(store: SqliteStore, numbers: range, keep: int = 1000) -> None:
    with store.transaction():
        for number in numbers:
            store.tables.past_chains.add(1, chain(number), keep)


def known(store: SqliteStore, count: int) -> list[int]:
    with store.transaction():
        return [number for number in range(count) if store.tables.past_chains.has(1, chain(number))]


def rows(store: SqliteStore) -> list[int]:
    """Return how many tags each row of the first session holds."""
    with store.transaction():
        found = store.connection.execute(
            "SELECT length(chains) / 16 FROM letterlock_past_chains WHERE session = 1 ORDER BY seq"
        )
        return [row[0] for row in found]


@pytest.mark.parametrize("count", [1, ROW - 1, ROW, ROW + 1, 3 * ROW, 3 * ROW + 1])
def test_rows_are_filled_one_after_the_other(store: SqliteStore, count: int) -> None:
    add(store, range(count))
    assert known(store, count + 5) == list(range(count))
    full, rest = divmod(count, ROW)
    assert rows(store) == [ROW] * full + [rest] * bool(rest)


@pytest.mark.parametrize("keep", [0, 1, ROW - 1, ROW, ROW + 1, 2 * ROW + 7])
def test_exactly_the_oldest_are_forgotten(store: SqliteStore, keep: int) -> None:
    add(store, range(200), keep)
    assert known(store, 210) == list(range(200 - keep, 200))
    assert sum(rows(store)) == keep


def test_fewer_may_be_kept_later(store: SqliteStore) -> None:
    add(store, range(200))
    add(store, range(200, 201), 70)
    assert known(store, 210) == list(range(131, 201))
    assert sum(rows(store)) == 70


def test_a_chain_that_is_known_is_not_added_again(store: SqliteStore) -> None:
    add(store, range(130))
    before = rows(store)
    add(store, range(130))
    assert rows(store) == before


def test_sessions_do_not_share_chains(store: SqliteStore) -> None:
    add(store, range(100))
    with store.transaction():
        assert not any(store.tables.past_chains.has(2, chain(number)) for number in range(100))
        store.tables.past_chains.add(2, chain(5), 10)
        assert store.tables.past_chains.has(2, chain(5))


def test_an_undone_addition_leaves_the_row(store: SqliteStore) -> None:
    add(store, range(70))
    with undone(store):
        store.tables.past_chains.add(1, chain(70), 5)
        store.tables.past_chains.add(1, chain(71), 5)
    assert known(store, 75) == list(range(70))


@pytest.mark.parametrize(
    "value",
    ["x''", "x'00'", "zeroblob(15)", "zeroblob(17)", "zeroblob(1040)", "'sixteen letters.'", "1", "1.5"],
)
def test_an_edited_row_is_corrupt(store: SqliteStore, value: str) -> None:
    add(store, range(70))
    with store.transaction():
        store.connection.execute(f"UPDATE letterlock_past_chains SET chains = {value} WHERE seq = 1")
    for call in (
        lambda: store.tables.past_chains.has(1, chain(1)),
        lambda: store.tables.past_chains.add(1, chain(99), 1000),
    ):
        with pytest.raises(CorruptStore, match="finished chains"), store.transaction():
            call()
