"""The parts beside a session, on every store: their order, whose they are, and what takes them along."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock.stores._interface import Record, Store
from letterlock.stores._memory import MemoryStore
from letterlock.stores._sqlite import SqliteStore
from support.store_tools import ALICE, SLOTS, fill, make, plain, record, seen, session, undone

AnyStore = MemoryStore | SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    with make(request.param, tmp_path) as store:
        with store.transaction():
            fill(store)
        yield store


def texts(store: Store, id_: int, slot: int) -> list[object]:
    return [plain(each) for each in store.tables.side_data.load(id_, slot)]


def pieces(*numbers: int) -> list[object]:
    return [plain(record(f"piece {number}")) for number in numbers]


def test_parts_come_in_the_order_in_which_they_were_added(full: AnyStore) -> None:
    with full.transaction():
        assert texts(full, 1, 2) == pieces(0, 1, 2)
        for number in (9, 4, 30, 4):
            full.tables.side_data.append(1, 2, record(f"piece {number}"))
        assert texts(full, 1, 2) == pieces(0, 1, 2, 9, 4, 30, 4)
    with full.transaction():  # and still in the next one
        assert texts(full, 1, 2) == pieces(0, 1, 2, 9, 4, 30, 4)


def test_more_parts_than_nine_keep_their_order(full: AnyStore) -> None:
    with full.transaction():
        for number in range(3, 300):
            full.tables.side_data.append(1, 2, record(f"piece {number}"))
        assert texts(full, 1, 2) == pieces(*range(300))


def test_a_slot_is_of_one_session(full: AnyStore) -> None:
    with full.transaction():
        before = {(id_, slot): texts(full, id_, slot) for id_ in (1, 2, 3) for slot in SLOTS}
        assert len({str(before[id_, 1]) for id_ in (1, 2, 3)}) == 3
        full.tables.side_data.append(2, 2, record("another's"))
        full.tables.side_data.clear(1, 1)
        after = {(id_, slot): texts(full, id_, slot) for id_ in (1, 2, 3) for slot in SLOTS}
    assert {key for key in before if before[key] != after[key]} == {(2, 2), (1, 1)}
    assert (after[2, 2], after[1, 1]) == ([plain(record("another's"))], [])
    with full.transaction():
        assert texts(full, 99, 1) == []


def test_a_slot_that_was_cleared_begins_again(full: AnyStore) -> None:
    with full.transaction():
        full.tables.side_data.clear(1, 2)
        full.tables.side_data.append(1, 2, record("piece 7"))
        assert texts(full, 1, 2) == pieces(7)
        full.tables.side_data.clear(1, 2)
        full.tables.side_data.clear(1, 2)
        assert texts(full, 1, 2) == []


def test_a_saved_session_keeps_its_parts(full: AnyStore) -> None:
    with full.transaction():
        full.tables.sessions.save(session(1, ALICE, 50, "later"))
        assert texts(full, 1, 2) == pieces(0, 1, 2)


@pytest.mark.parametrize("size", [0, 1, 34, 1152, 100_000])
def test_parts_come_back_byte_for_byte(full: AnyStore, size: int) -> None:
    with full.transaction():
        full.tables.side_data.append(1, 3, Record(bytes(size)))
        assert full.tables.side_data.load(1, 3) == [Record(bytes(size))]


def test_parts_keep_their_order_through_undone_changes(full: AnyStore) -> None:
    with full.transaction():
        with undone(full):
            full.tables.side_data.append(1, 2, record("piece 9"))
            full.tables.side_data.append(1, 2, record("piece 8"))
            full.tables.side_data.clear(1, 2)
            full.tables.side_data.append(1, 2, record("piece 7"))
            full.tables.side_data.append(1, 3, record("piece 6"))
            full.tables.sessions.delete(2)
        assert texts(full, 1, 2) == pieces(0, 1, 2)
        assert texts(full, 1, 3) == []
        assert texts(full, 2, 1) == [plain(record("text of 2"))]
        full.tables.side_data.append(1, 2, record("piece 3"))
    with full.transaction():
        assert texts(full, 1, 2) == pieces(0, 1, 2, 3)


def test_a_whole_transaction_with_parts_is_undone(full: AnyStore) -> None:
    before = seen(full)
    with undone(full):
        full.tables.side_data.append(1, 2, record("piece 9"))
        full.tables.side_data.clear(3, 1)
    assert seen(full) == before


def test_a_session_takes_its_parts_along(full: AnyStore) -> None:
    with full.transaction():
        full.tables.sessions.delete(1)
        assert [texts(full, 1, slot) for slot in SLOTS] == [[], [], []]
        full.tables.sessions.save(session(1, ALICE))
        assert [texts(full, 1, slot) for slot in SLOTS] == [[], [], []]
        assert texts(full, 2, 1) == [plain(record("text of 2"))]
        full.tables.side_data.append(1, 2, record("piece 5"))
        assert texts(full, 1, 2) == pieces(5)
