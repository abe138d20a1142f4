"""Skipped keys of a store of format 1 become rows of format 2 and keep their order."""

from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock.limits import MAX_KEYS_IN_ROW
from letterlock.stores import Record
from letterlock.stores._skipped_rows import SkippedRow
from letterlock.stores._sqlite.first_skipped_keys import from_first_format
from letterlock.stores._sqlite.skipped_row import INSERT, sealed_row
from support.kept_keys import Halves, Key, begin, in_order, kept
from support.store_tools import (
    CHAINS,
    key_range,
    message_key,
    unsynced_store,
)

DOUBLE, SPARSE = CHAINS[:2]
COUNTS = st.sampled_from([1, 2, 31, 32, 33, 64, 70])


def first_format(keys: list[Key]) -> list[tuple[int, bytes, int, Record]]:
    return [(1, chain, number, Record(message_key(number))) for chain, number in keys]


def keys_of(rows: list[tuple[int, SkippedRow]]) -> list[tuple[int, Key, bytes]]:
    """Return session, chain, number and key in the order in which they would be trimmed."""
    listed = [
        (row.order // 2, number - row.start, row.order, id_, row.chain, number, row.key(number))
        for id_, row in rows
        for number in row.numbers()
    ]
    listed.sort(key=lambda each: each[:3])
    return [
        (id_, (chain, number), key.expose() if key else b"") for _, _, _, id_, chain, number, key in listed
    ]


def messages(halves: Halves) -> list[list[Key]]:
    """Return the keys of each message."""
    each = [[(one.chain, one.start + n) for one in half for n in range(one.keys.count)] for half in halves]
    return [[key for key in pair if key is not None] for pair in zip_longest(*each)]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(COUNTS, COUNTS, st.booleans()), max_size=4), st.randoms())
def test_keys_of_format_1_keep_their_order(skips: list[tuple[int, int, bool]], rng: Any) -> None:
    numbers, listed = [0, 1000, 0], list[Key]()
    for one, other, turns in skips:
        double = [key_range(numbers[0], one, DOUBLE)]
        if turns:
            double.append(key_range(numbers[2], other, CHAINS[2]))
        sparse = [key_range(numbers[1], one + (other if turns else 0), SPARSE)]
        # Both keys of a message that arrived late were deleted.
        for message in messages([double, sparse]):
            listed += message if rng.random() < 0.7 else []
        numbers = [numbers[0] + one + 1, numbers[1] + one + other + 1, numbers[2] + other + 1]
    rows = list(from_first_format(first_format(listed), 6, 99))
    assert keys_of(rows) == [(1, key, message_key(key[1])) for key in listed]
    assert all(row.count <= MAX_KEYS_IN_ROW and row.kept == 99 for _, row in rows)
    assert [row.order for _, row in rows] == sorted({row.order for _, row in rows})
    assert all(row.order >= 6 for _, row in rows)


def test_sessions_of_format_1_share_no_row() -> None:
    keys = [(id_, DOUBLE, number, Record(bytes(32))) for id_ in (7, 3) for number in range(40)]
    rows = list(from_first_format(keys, 0, 0))
    assert [(id_, row.order, row.start, row.count) for id_, row in rows] == [
        (7, 0, 0, 32), (7, 2, 32, 8), (3, 4, 0, 32), (3, 6, 32, 8),
    ]  # fmt: skip


def test_no_keys_of_format_1_are_no_rows() -> None:
    assert list(from_first_format([], 0, 0)) == []


def test_rows_of_format_1_work_on_in_a_store(tmp_path: Path) -> None:
    halves = [[key_range(5, 70, DOUBLE)], [key_range(900, 70, SPARSE)]]
    with unsynced_store(tmp_path) as store, store.transaction():
        begin(store)
        table: Any = store.tables.skipped_keys
        keys = [
            (id_, table._tag(chain), number, key)
            for id_, chain, number, key in first_format(in_order(halves))
        ]
        for each in from_first_format(keys, 2, 0):
            store.connection.execute(INSERT, sealed_row(table._cipher, *each))
        assert kept(store, in_order(halves)) == in_order(halves)
        assert store.tables.skipped_keys.trim(1, 30) == 110
        assert kept(store, in_order(halves)) == in_order(halves)[110:]
