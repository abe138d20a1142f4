"""When skipped keys were kept, on every store: the time comes back, and old keys can be deleted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock.errors import StoreError
from letterlock.stores import MemoryStore, SqliteStore
from support.store_tools import (
    ALICE,
    BOB,
    CHAINS,
    NOON,
    STORES,
    committed,
    delete_each,
    fill,
    keep_each,
    new_store,
    undone,
)

AnyStore = MemoryStore | SqliteStore


@pytest.fixture(params=STORES)
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    with new_store(request.param, tmp_path) as store:
        with store.transaction():
            fill(store)  # the keys of session n are kept at NOON + n
        yield store


def kept(store: AnyStore, address: bytes, number: int = 0, chain: bytes = CHAINS[0]) -> int | None:
    with store.transaction():
        row = store.tables.skipped_keys.find(address, chain, number)
        return None if row is None else row.kept


@pytest.mark.parametrize("time", [0, 1, NOON, 2**32, 2**63 - 1])
def test_the_time_comes_back(full: AnyStore, time: int) -> None:
    with full.transaction():
        keep_each(full, 1, [7], CHAINS[2], time)
    assert kept(full, ALICE, 7, CHAINS[2]) == time


def test_keys_from_before_a_time_are_deleted_in_every_session(full: AnyStore) -> None:
    with full.transaction():
        assert full.tables.skipped_keys.delete_kept_before(NOON + 1) == 0
        assert full.tables.skipped_keys.delete_kept_before(NOON + 3) == 8
        assert full.tables.skipped_keys.delete_kept_before(NOON + 3) == 0
        assert not full.tables.skipped_keys.has(1, CHAINS[0])
        assert full.tables.skipped_keys.has(3, CHAINS[0])
    assert kept(full, ALICE) is None
    assert kept(full, BOB) == NOON + 3
    with full.transaction():
        assert full.tables.skipped_keys.delete_kept_before(2**63 - 1) == 4
    assert kept(full, BOB) is None


def test_a_clock_that_went_back_does_not_shield_older_keys(full: AnyStore) -> None:
    """Keys arrive in the order of messages, and not always in the order of their times."""
    with full.transaction():
        keep_each(full, 1, [7], CHAINS[2], NOON - 50)
        keep_each(full, 1, [8], CHAINS[2], 2**63 - 1)
        keep_each(full, 1, [9], CHAINS[2], NOON - 40)
        assert full.tables.skipped_keys.delete_kept_before(NOON - 40) == 1
        assert full.tables.skipped_keys.delete_kept_before(NOON) == 1
    assert kept(full, ALICE, 8, CHAINS[2]) == 2**63 - 1


def test_one_session_can_be_chosen(full: AnyStore) -> None:
    with full.transaction():
        assert full.tables.skipped_keys.delete_kept_before(2**63 - 1, 99) == 0
        assert full.tables.skipped_keys.delete_kept_before(NOON + 2, 2) == 0
        assert full.tables.skipped_keys.delete_kept_before(NOON + 3, 2) == 4
        assert not full.tables.skipped_keys.has(2, CHAINS[0])
        assert full.tables.skipped_keys.has(1, CHAINS[0])
        assert full.tables.skipped_keys.has(3, CHAINS[0])


def test_keys_that_were_used_are_not_counted(full: AnyStore) -> None:
    with full.transaction():
        delete_each(full, 1, [0])
        assert full.tables.skipped_keys.delete_kept_before(NOON + 2) == 3


def test_very_many_rows_are_all_looked_at(full: AnyStore) -> None:
    with full.transaction():
        keep_each(full, 1, range(0, 1400, 2), CHAINS[2], NOON - 1)
        assert full.tables.skipped_keys.delete_kept_before(NOON) == 700
        assert not full.tables.skipped_keys.has(1, CHAINS[2])


def test_a_deletion_is_undone(full: AnyStore) -> None:
    before = committed(full)
    with undone(full):
        assert full.tables.skipped_keys.delete_kept_before(NOON + 2) == 4
    assert committed(full) == before


def test_deleting_old_keys_needs_a_transaction(full: AnyStore) -> None:
    with pytest.raises(StoreError, match="inside its transactions"):
        full.tables.skipped_keys.delete_kept_before(NOON)


def test_the_file_does_not_show_the_time(tmp_path: Path) -> None:
    """The file may show how many keys are kept, and not when messages were missed."""
    with new_store("sqlite", tmp_path) as store, store.transaction():
        fill(store)
        keep_each(store, 1, [7], CHAINS[2], 0x1122334455667788)
    assert (0x1122334455667788).to_bytes(8, "big") not in (tmp_path / "store.db").read_bytes()
