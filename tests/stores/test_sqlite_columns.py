"""Every column of every table edited to a value of another type or size: our errors only, or a missing row.

An attacker may write to the file, but has no key. SQLite enforces no type on a column.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from letterlock.errors import CorruptStore, StoreError
from letterlock.stores import SqliteStore
from letterlock.stores._sqlite.schema import TABLES
from support.store_tools import (
    ALICE,
    CHAINS,
    CHANGES,
    READS,
    Call,
    everything,
    fill,
    open_sqlite,
    unsynced_store,
)

VALUES = (
    "'text'", "''", "CAST(x'ff' AS TEXT)", "x''", "x'00'", "zeroblob(16)", "1.5", "-0.0", "1e300", "9e999",
    "NULL", "-1", "4294967296", "4611686018427387904", "9223372036854775806", "9223372036854775807",
    "-9223372036854775808",
)  # fmt: skip

NOT_NULL = re.compile(rb"(?<!IS) NOT NULL")


def columns() -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:")) as schema:
        for statement in TABLES:
            schema.execute(statement)
        tables = [row[0] for row in schema.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [(table, row[1]) for table in tables for row in schema.execute(f"PRAGMA table_info({table})")]


@pytest.fixture
def store(fast_path: Path) -> Iterator[SqliteStore]:
    with unsynced_store(fast_path) as made:
        with made.transaction():
            fill(made)
        yield made


def edit(path: Path, table: str, column: str, value: str, where: str = "") -> bool:
    """Edit a column in all rows, or in one if they must differ. Return whether SQLite let us."""
    file = path / "store.db"
    whole = file.read_bytes()
    places = [found.start() for found in NOT_NULL.finditer(whole)] if value == "NULL" else []
    overwrite(file, places, b" " * 9)  # the schema forbids NULL only while it says so
    edited = False
    with closing(sqlite3.connect(file, isolation_level=None)) as attacker:
        attacker.execute("PRAGMA synchronous = OFF")
        attacker.execute("PRAGMA ignore_check_constraints = ON")
        one = f"WHERE {column} = (SELECT max({column}) FROM {table})"
        for condition in (where, one):
            with suppress(sqlite3.IntegrityError):
                edited |= attacker.execute(f"UPDATE {table} SET {column} = {value} {condition}").rowcount > 0
                break
    overwrite(file, places, b" NOT NULL")
    return edited


def overwrite(file: Path, places: list[int], text: bytes) -> None:
    with file.open("r+b") as opened:
        for at in places:
            opened.seek(at)
            opened.write(text)


def use(path: Path) -> None:
    """Open the store and call everything. Each call may raise a StoreError, and nothing else."""
    with suppress(StoreError), open_sqlite(path) as store:
        store._database._connection.execute("PRAGMA synchronous = OFF")
        for call in (*READS.values(), *CHANGES.values(), everything):
            with suppress(StoreError), store.transaction():
                call(store)


@pytest.mark.parametrize(("table", "column"), columns())
def test_an_edited_column_raises_our_errors_only(
    store: SqliteStore, fast_path: Path, table: str, column: str
) -> None:
    store.close()
    whole = (fast_path / "store.db").read_bytes()
    edits = 0
    for value in VALUES:
        (fast_path / "store.db").write_bytes(whole)
        edits += edit(fast_path, table, column, value)
        use(fast_path)
    # SQLite itself refuses to put anything but an integer into the first three.
    assert edits >= (3 if column in {"id", "seq"} else 10), edits


ORDERED: dict[str, Call] = {
    "past_chains": lambda store: store.tables.past_chains.add(1, CHAINS[0], 10),
    "skipped": lambda store: store.tables.skipped_keys.trim(1, 1),
}
TOO_FAR = ("4611686018427387904", "9223372036854775806", "9223372036854775807")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the digest of all rows pass, to see what the table itself notices."""
    monkeypatch.setattr("letterlock.stores._sqlite.digest.Digest.require", lambda _: None)
    monkeypatch.setattr("letterlock.stores._sqlite.digest.Digest._require_at", lambda *_: None)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("table", "value"),
    [
        (table, value)
        for table in ORDERED
        for value in (*VALUES, *TOO_FAR)
        if value in TOO_FAR
        or (table != "skipped" and value in {"'text'", "''", "x''", "x'00'", "1e300", "9e999"})
    ],
)
def test_an_edited_position_is_corrupt(store: SqliteStore, fast_path: Path, table: str, value: str) -> None:
    store.close()
    where = "WHERE session = 1"
    last = f"(SELECT max(seq) FROM letterlock_{table} {where})"
    assert edit(fast_path, f"letterlock_{table}", "seq", value, f"{where} AND seq = {last}")
    with open_sqlite(fast_path) as opened:
        for _ in range(2):  # the first attempt changed nothing
            with pytest.raises(CorruptStore), opened.transaction():
                ORDERED[table](opened)


@pytest.mark.parametrize("value", ["-1", "-9223372036854775808"])
def test_a_negative_position_is_corrupt(store: SqliteStore, fast_path: Path, value: str) -> None:
    store.close()
    assert edit(fast_path, "letterlock_past_chains", "seq", value, "WHERE session = 1")
    with open_sqlite(fast_path) as opened, pytest.raises(CorruptStore), opened.transaction():
        ORDERED["past_chains"](opened)


def test_an_untouched_store_counts_on(store: SqliteStore) -> None:
    with store.transaction():
        for call in ORDERED.values():
            call(store)
        assert store.tables.past_chains.has(1, CHAINS[0])
        assert store.tables.skipped_keys.find(ALICE, CHAINS[1], 1) is not None
