"""Side data of sessions, on every store: its order, its owner, and what deletes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock.stores import MemoryStore, Record, SqliteStore, Store
from support.store_tools import (
    ALICE,
    SLOTS,
    STORES,
    committed,
    exposed,
    fill,
    new_store,
    record,
    session,
    undone,
)

AnyStore = MemoryStore | SqliteStore


@pytest.fixture(params=STORES)
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    with new_store(request.param, tmp_path) as store:
        with store.transaction():
            fill(store)
        yield store


def loaded(store: Store, id_: int, slot: int) -> list[object]:
    return [exposed(each) for each in store.tables.side_data.load(id_, slot)]


def saved(*numbers: int) -> list[object]:
    return [exposed(record(f"entry {number}")) for number in numbers]


def test_entries_are_loaded_in_the_order_in_which_they_were_appended(full: AnyStore) -> None:
    with full.transaction():
        assert loaded(full, 1, 2) == saved(0, 1, 2)
        for number in (9, 4, 30, 4):
            full.tables.side_data.append(1, 2, record(f"entry {number}"))
        assert loaded(full, 1, 2) == saved(0, 1, 2, 9, 4, 30, 4)
    with full.transaction():  # and in the next transaction too
        assert loaded(full, 1, 2) == saved(0, 1, 2, 9, 4, 30, 4)


def test_many_entries_keep_their_order(full: AnyStore) -> None:
    with full.transaction():
        for number in range(3, 300):
            full.tables.side_data.append(1, 2, record(f"entry {number}"))
        assert loaded(full, 1, 2) == saved(*range(300))


def test_a_slot_belongs_to_one_session(full: AnyStore) -> None:
    with full.transaction():
        before = {(id_, slot): loaded(full, id_, slot) for id_ in (1, 2, 3) for slot in SLOTS}
        assert len({str(before[id_, 1]) for id_ in (1, 2, 3)}) == 3
        full.tables.side_data.append(2, 2, record("another's"))
        full.tables.side_data.clear(1, 1)
        after = {(id_, slot): loaded(full, id_, slot) for id_ in (1, 2, 3) for slot in SLOTS}
    assert {key for key in before if before[key] != after[key]} == {(2, 2), (1, 1)}
    assert (after[2, 2], after[1, 1]) == ([exposed(record("another's"))], [])
    with full.transaction():
        assert loaded(full, 99, 1) == []


def test_a_slot_can_be_filled_again_after_it_was_cleared(full: AnyStore) -> None:
    with full.transaction():
        full.tables.side_data.clear(1, 2)
        full.tables.side_data.append(1, 2, record("entry 7"))
        assert loaded(full, 1, 2) == saved(7)
        full.tables.side_data.clear(1, 2)
        full.tables.side_data.clear(1, 2)
        assert loaded(full, 1, 2) == []


def test_saving_a_session_keeps_its_side_data(full: AnyStore) -> None:
    with full.transaction():
        full.tables.sessions.save(session(1, ALICE, 50, "later"))
        assert loaded(full, 1, 2) == saved(0, 1, 2)


@pytest.mark.parametrize("size", [0, 1, 34, 1152, 100_000])
def test_entries_come_back_byte_for_byte(full: AnyStore, size: int) -> None:
    with full.transaction():
        full.tables.side_data.append(1, 3, Record(bytes(size)))
        assert full.tables.side_data.load(1, 3) == [Record(bytes(size))]


def test_entries_keep_their_order_after_undone_changes(full: AnyStore) -> None:
    with full.transaction():
        with undone(full):
            full.tables.side_data.append(1, 2, record("entry 9"))
            full.tables.side_data.append(1, 2, record("entry 8"))
            full.tables.side_data.clear(1, 2)
            full.tables.side_data.append(1, 2, record("entry 7"))
            full.tables.side_data.append(1, 3, record("entry 6"))
            full.tables.sessions.delete(2)
        assert loaded(full, 1, 2) == saved(0, 1, 2)
        assert loaded(full, 1, 3) == []
        assert loaded(full, 2, 1) == [exposed(record("entry of 2"))]
        full.tables.side_data.append(1, 2, record("entry 3"))
    with full.transaction():
        assert loaded(full, 1, 2) == saved(0, 1, 2, 3)


def test_a_transaction_that_changes_side_data_is_undone(full: AnyStore) -> None:
    before = committed(full)
    with undone(full):
        full.tables.side_data.append(1, 2, record("entry 9"))
        full.tables.side_data.clear(3, 1)
    assert committed(full) == before


def test_deleting_a_session_deletes_its_side_data(full: AnyStore) -> None:
    with full.transaction():
        full.tables.sessions.delete(1)
        assert [loaded(full, 1, slot) for slot in SLOTS] == [[], [], []]
        full.tables.sessions.save(session(1, ALICE))
        assert [loaded(full, 1, slot) for slot in SLOTS] == [[], [], []]
        assert loaded(full, 2, 1) == [exposed(record("entry of 2"))]
        full.tables.side_data.append(1, 2, record("entry 5"))
        assert loaded(full, 1, 2) == saved(5)
