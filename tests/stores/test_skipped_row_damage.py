"""STO-22: rows of skipped keys that say other things than the store wrote; and calls that end half-way."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from letterlock.errors import CorruptStore
from letterlock.stores import Record, SqliteStore
from letterlock.stores._skipped_rows import SkippedRow
from letterlock.stores._sqlite.database import Database
from letterlock.stores._sqlite.skipped_row import INSERT, sealed_row
from support.kept_keys import begin
from support.store_tools import (
    ALICE,
    CHAINS,
    Abort,
    Call,
    key_range,
    skipped,
    unsynced_store,
)

DOUBLE, SPARSE = CHAINS[:2]


@pytest.mark.parametrize(
    ("present", "keys", "start", "count", "time"),
    [
        (0, 0, 5, 3, 0),
        (0b111, 2, 5, 3, 0),
        (0b11, 3, 5, 3, 0),
        (0b1000, 1, 5, 3, 0),
        (0b1, 1, 5, 0, 0),
        (0b1, 1, 5, -1, 0),
        (0b1, 1, 5, 33, 0),
        (0b1, 1, -1, 3, 0),
        (0b1, 1, 2**32 - 2, 3, 0),
        (0b1, 1, 5, 3, 2**63),
        (0b1, 1, 5, 3, 2**64 - 1),
    ],
)
def test_a_row_that_contradicts_itself_is_corrupt(
    tmp_path: Path, present: int, keys: int, start: int, count: int, time: int
) -> None:
    with unsynced_store(tmp_path) as store, store.transaction():
        begin(store)
        table: Any = store.tables.skipped_keys
        row = SkippedRow(2, table._tag(DOUBLE), start, count, time, present, Record(bytes(32) * keys))
        store.connection.execute(INSERT, sealed_row(table._cipher, 1, row))
        with pytest.raises(CorruptStore):
            store.tables.skipped_keys.find(ALICE, DOUBLE, start)
        with pytest.raises(CorruptStore):
            store.tables.skipped_keys.delete(skipped(1, start, DOUBLE))
        with pytest.raises(CorruptStore):
            store.tables.skipped_keys.delete_kept_before(1)


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\0" * 11, b"\0" * 12, b"\0" * 13, b"\0" * 43, b"\0" * 45])
def test_a_record_of_another_length_is_corrupt(tmp_path: Path, data: bytes) -> None:
    with unsynced_store(tmp_path) as store, store.transaction():
        begin(store)
        table: Any = store.tables.skipped_keys
        clear = 2, 1, table._tag(DOUBLE), 5, 1
        sealed = table._cipher.seal(Record(data), b"skipped", *clear)
        store.connection.execute("INSERT INTO letterlock_skipped VALUES (?, ?, ?, ?, ?, ?)", (*clear, sealed))
        for number in range(300):
            store.connection.execute(
                "INSERT INTO letterlock_skipped VALUES (?, 1, x'', ?, 1, ?)",
                (number + 10, number, bytes(84)),
            )
        with pytest.raises(CorruptStore):
            store.tables.skipped_keys.find(ALICE, DOUBLE, 5)
        with pytest.raises(CorruptStore, match="edited"):
            store.tables.skipped_keys.trim(1, 40)


@pytest.mark.parametrize("column", ["seq = 3", "start = 4", "count = 31", "count = 33", "count = 1"])
def test_a_row_that_was_edited_is_corrupt(tmp_path: Path, column: str) -> None:
    with unsynced_store(tmp_path) as store, store.transaction():
        begin(store)
        store.tables.skipped_keys.add(1, [[key_range(5, 32, DOUBLE)]], 0)
        store.connection.execute(f"UPDATE letterlock_skipped SET {column}")
        for number in (5, 20, 36):
            with pytest.raises(CorruptStore):
                store.tables.skipped_keys.find(ALICE, DOUBLE, number)
            with pytest.raises(CorruptStore):
                store.tables.skipped_keys.delete(skipped(1, number, DOUBLE))
        with pytest.raises(CorruptStore):
            store.tables.skipped_keys.trim(1, 20)
        with pytest.raises(CorruptStore):
            store.tables.skipped_keys.add(1, [[key_range(100, 2, DOUBLE)]], 0)


def test_keys_of_messages_that_have_a_row_are_refused(
    tmp_path: Path,
) -> None:
    with unsynced_store(tmp_path) as store, store.transaction():
        begin(store)
        store.tables.skipped_keys.add(1, [[key_range(5, 32, DOUBLE)]], 0)
        with pytest.raises(CorruptStore, match="kept already"):
            store.tables.skipped_keys.add(1, [[key_range(36, 5, DOUBLE)]], 0)
        with pytest.raises(CorruptStore, match="kept already"):
            store.tables.skipped_keys.add(1, [[key_range(0, 6, DOUBLE)]], 0)
        store.tables.skipped_keys.add(1, [[key_range(37, 5, DOUBLE), key_range(0, 5, DOUBLE)]], 0)


# --- half-way -----------------------------------------------------------------------------------------


HALFWAY: dict[str, Call] = {
    "add": lambda store: store.tables.skipped_keys.add(
        1, [[key_range(100, 70, DOUBLE)], [key_range(2000, 70, SPARSE)]], 0
    ),
    "trim": lambda store: store.tables.skipped_keys.trim(1, 31),
    "trim, a part": lambda store: store.tables.skipped_keys.trim(1, 125),
    "delete": lambda store: store.tables.skipped_keys.delete(skipped(1, 3, DOUBLE)),
    "delete_kept_before": lambda store: store.tables.skipped_keys.delete_kept_before(9),
}


@pytest.mark.parametrize("name", HALFWAY)
@pytest.mark.parametrize("end", ["raises", "kills"])
def test_a_method_that_ends_between_two_statements_changed_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, end: str
) -> None:
    """STO-4: also if the transaction around it is committed. A killed process commits nothing."""
    halves = [[key_range(0, 64, DOUBLE)], [key_range(1000, 64, SPARSE)]]
    run, many = Database.run, Database.run_many
    left = 0

    def counted(statement: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Abort
            return statement(*arguments)

        return call

    monkeypatch.setattr(Database, "run", counted(run))
    monkeypatch.setattr(Database, "run_many", counted(many))
    with unsynced_store(tmp_path) as store:
        for statements in range(10):
            left = 1000
            with store.transaction():
                store.tables.sessions.delete(1)
                begin(store)
                store.tables.skipped_keys.add(1, halves, 0)
            before = rows_of(store)
            left = statements
            if end == "raises":
                with store.transaction(), suppress(Abort):
                    HALFWAY[name](store)
            else:
                with suppress(Abort), store.transaction():
                    HALFWAY[name](store)
                    raise Abort
            if end == "raises" and left >= 0:
                break
            assert rows_of(store) == before
        assert end == "kills" or 0 < statements < 9


def rows_of(store: SqliteStore) -> list[tuple[Any, ...]]:
    with store.transaction():
        return store.connection.execute("SELECT * FROM letterlock_skipped").fetchall()
