"""When skipped keys were kept, on every store: the time comes back, and old keys can be deleted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock.errors import CorruptStore, StoreError
from letterlock.stores import MemoryStore, SqliteStore
from support.store_tools import (
    ALICE,
    BOB,
    CHAINS,
    NOON,
    STORES,
    committed,
    fill,
    new_store,
    skipped,
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
        full.tables.skipped_keys.add([skipped(1, 7, CHAINS[2], kept=time)])
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
        full.tables.skipped_keys.add([skipped(1, 7, CHAINS[2], kept=NOON - 50)])
        full.tables.skipped_keys.add([skipped(1, 8, CHAINS[2], kept=2**63 - 1)])
        full.tables.skipped_keys.add([skipped(1, 9, CHAINS[2], kept=NOON - 40)])
        assert full.tables.skipped_keys.delete_kept_before(NOON - 40) == 1
        assert full.tables.skipped_keys.delete_kept_before(NOON) == 1
    assert kept(full, ALICE, 8, CHAINS[2]) == 2**63 - 1


def test_a_deletion_is_undone(full: AnyStore) -> None:
    before = committed(full)
    with undone(full):
        assert full.tables.skipped_keys.delete_kept_before(NOON + 2) == 4
    assert committed(full) == before


def test_deleting_old_keys_needs_a_transaction(full: AnyStore) -> None:
    with pytest.raises(StoreError, match="inside its transactions"):
        full.tables.skipped_keys.delete_kept_before(NOON)


@pytest.mark.parametrize("value", ["kept + 1", "0", "NULL", "'text'", "x''", "1.5", "-1"])
def test_an_edited_time_is_refused(tmp_path: Path, value: str) -> None:
    with new_store("sqlite", tmp_path) as store:
        assert isinstance(store, SqliteStore)
        with store.transaction():
            fill(store)
            if value == "NULL":
                with pytest.raises(Exception, match="NOT NULL"):
                    store.connection.execute("UPDATE letterlock_skipped SET kept = NULL")
                return
            store.connection.execute(f"UPDATE letterlock_skipped SET kept = {value}")
        with pytest.raises(CorruptStore, match="a record of skipped is not what was saved"):
            kept(store, ALICE)
