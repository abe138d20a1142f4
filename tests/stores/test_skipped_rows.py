"""RAT-7 on rows of many keys: which keys are found, deleted and trimmed, against a list of single keys.

A list of single keys is what the rule speaks of: both keys of a message one after the other, messages in the
order in which they were kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock.limits import MAX_KEYS_IN_ROW
from letterlock.stores import MemoryStore, SkippedKey, SqliteStore, Store
from letterlock.stores._skipped_rows import cut, drop_first, next_order, oldest
from support.kept_keys import Halves, Key, begin, in_order, kept
from support.store_tools import (
    ALICE,
    CHAINS,
    STORES,
    delete_each,
    key_range,
    new_store,
    skipped,
    undone,
)

AnyStore = MemoryStore | SqliteStore
DOUBLE, SPARSE = CHAINS[:2]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    with new_store(request.param, tmp_path) as made:
        with made.transaction():
            begin(made)
        yield made


# --- trimming -------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [0, 1, 2, 3, 63, 64, 65, 66, 127, 128, 129, 198, 199])
def test_trimming_ends_inside_a_row_at_the_very_key(store: AnyStore, keep: int) -> None:
    halves = [[key_range(5, 100, DOUBLE)], [key_range(900, 100, SPARSE)]]
    order = in_order(halves)
    with store.transaction():
        store.tables.skipped_keys.add(1, halves, 0)
        assert store.tables.skipped_keys.trim(1, keep) == 200 - keep
        assert kept(store, order) == order[200 - keep :]
        assert store.tables.skipped_keys.trim(1, keep) == 0


def test_a_message_loses_both_keys(store: AnyStore) -> None:
    """The halves are cut at different places: the double ratchet turned, the epoch did not."""
    halves = [[key_range(50, 7, DOUBLE), key_range(0, 40, CHAINS[2])], [key_range(9, 47, SPARSE)]]
    order = in_order(halves)
    with store.transaction():
        store.tables.skipped_keys.add(1, halves, 0)
        for left in range(92, -1, -2):
            assert store.tables.skipped_keys.trim(1, left) == 2
            doubles = [key for key in kept(store, order) if key[0] != SPARSE]
            assert len(doubles) == left // 2
            assert kept(store, order) == order[94 - left :]


def test_keys_that_were_used_are_not_counted(store: AnyStore) -> None:
    with store.transaction():
        store.tables.skipped_keys.add(1, [[key_range(0, 64, DOUBLE)]], 0)
        delete_each(store, 1, range(0, 64, 2), DOUBLE)
        assert store.tables.skipped_keys.trim(1, 32) == 0
        assert store.tables.skipped_keys.trim(1, 20) == 12
        assert [number for _, number in kept(store, [(DOUBLE, n) for n in range(64)])] == list(
            range(25, 64, 2)
        )


def test_a_key_that_was_found_and_then_trimmed_stays_deleted(store: AnyStore) -> None:
    """Deleting it writes its row again, which must not bring back what was deleted since."""
    every = [(DOUBLE, n) for n in range(32)]
    with store.transaction():
        store.tables.skipped_keys.add(1, [[key_range(0, 32, DOUBLE)]], 0)
        found = [store.tables.skipped_keys.find(ALICE, DOUBLE, number) for number in (3, 20)]
        assert store.tables.skipped_keys.trim(1, 20) == 12
        for key in found:
            assert key is not None
            store.tables.skipped_keys.delete(key)
        assert kept(store, every) == [(DOUBLE, n) for n in range(12, 32) if n != 20]


def test_a_key_that_was_found_before_it_was_undone_is_deleted(store: AnyStore) -> None:
    with store.transaction():
        store.tables.skipped_keys.add(1, [[key_range(0, 3, DOUBLE)]], 0)
        with undone(store):
            delete_each(store, 1, [0], DOUBLE)
            found = store.tables.skipped_keys.find(ALICE, DOUBLE, 1)
        assert found is not None
        store.tables.skipped_keys.delete(found)
        store.tables.skipped_keys.delete(found)
        assert kept(store, [(DOUBLE, n) for n in range(3)]) == [(DOUBLE, 0), (DOUBLE, 2)]


# --- against the list -----------------------------------------------------------------------------


@dataclass
class Script:
    """Random changes: what is skipped, used and trimmed."""

    steps: list[tuple[Any, ...]] = field(default_factory=list)


COUNTS = st.sampled_from([1, 2, 31, 32, 33, 64, 70])
STEP = st.one_of(
    st.tuples(st.just("skip"), COUNTS, COUNTS, st.booleans()),
    st.tuples(st.just("use"), st.integers(0, 300), st.booleans()),
    st.tuples(st.just("trim"), st.integers(0, 260)),
)


def play(store: Store, steps: list[tuple[Any, ...]]) -> None:
    listed: list[Key] = []
    ever: list[Key] = []
    numbers = [0, 1000]
    for what, *values in steps:
        if what == "skip":
            one, other, both = values
            halves: Halves = [[key_range(numbers[0], one, DOUBLE)], [key_range(numbers[1], other, SPARSE)]]
            halves = halves if both else halves[:1]
            numbers = [numbers[0] + one + 1, numbers[1] + other + 1]
            store.tables.skipped_keys.add(1, halves, 0)
            listed += in_order(halves)
            ever += in_order(halves)
        elif what == "use" and listed:
            chain, number = listed.pop(values[0] % len(listed))
            found = store.tables.skipped_keys.find(ALICE, chain, number)
            assert found is not None
            store.tables.skipped_keys.delete(found if values[1] else skipped(1, number, chain))
        elif what == "trim":
            beyond = max(len(listed) - values[0], 0)
            assert store.tables.skipped_keys.trim(1, values[0]) == beyond
            del listed[:beyond]
    assert sorted(kept(store, ever)) == sorted(listed)
    assert [store.tables.skipped_keys.has(1, chain) for chain in (DOUBLE, SPARSE)] == [
        any(chain == each for each, _ in listed) for chain in (DOUBLE, SPARSE)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", STORES)
def test_rows_hold_what_a_list_of_keys_would_hold(tmp_path: Path, kind: str) -> None:
    with new_store(kind, tmp_path) as store:

        @settings(max_examples=100, deadline=None)
        @given(st.lists(STEP, max_size=12))
        def agree(steps: list[tuple[Any, ...]]) -> None:
            with undone(store):
                begin(store)
                play(store, steps)

        agree()


# --- rows -----------------------------------------------------------------------------------------


def test_no_row_has_more_keys_than_it_may() -> None:
    rows = list(
        cut([[key_range(0, 100, DOUBLE)], [key_range(7, 3, SPARSE), key_range(0, 90, CHAINS[2])]], 8, 5)
    )
    assert max(row.count for row in rows) == MAX_KEYS_IN_ROW
    assert sum(row.count for row in rows if row.chain == DOUBLE) == 100
    assert [row.order for row in rows] == sorted({row.order for row in rows})
    assert rows[0].order == 8
    assert {row.kept for row in rows} == {5}


@pytest.mark.parametrize("halves", [[], [[]], [[], []], [[key_range(3, 0)]], [[], [key_range(3, 0)]]])
def test_nothing_skipped_is_no_row(halves: Halves) -> None:
    assert list(cut(halves, 0, 0)) == []


@pytest.mark.parametrize(("order", "following"), [(0, 2), (1, 2), (2, 4), (3, 4), (-1, 0)])
def test_a_block_begins_at_an_even_order(order: int, following: int) -> None:
    assert next_order(order) == following


def test_a_block_that_loses_nothing_stays() -> None:
    assert oldest([(0, 3), (1, 3), (4, 1)], 0) == ([], [], 0)
    assert oldest([(4, 1), (1, 3), (0, 3)], 6) == ([0, 1], [], 0)
    assert oldest([(4, 1), (1, 3), (0, 3)], 5) == ([], [0, 1], 5)
    assert oldest([], 7) == ([], [], 0)
    block = list(cut([[key_range(0, 3)]], 0, 0))
    assert drop_first(block, 0) == block
    assert drop_first(block, 3) == [None]


def test_a_key_says_nothing(store: AnyStore) -> None:
    with store.transaction():
        store.tables.skipped_keys.add(1, [[key_range(0, 3, DOUBLE)]], 0)
        found = store.tables.skipped_keys.find(ALICE, DOUBLE, 1)
    assert isinstance(found, SkippedKey)
    assert "SECRET" not in repr(found)
