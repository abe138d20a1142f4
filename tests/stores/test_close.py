"""STO-12: `close` empties the write-ahead log, also where SQLite would leave it for another connection."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from letterlock.stores._sqlite import SqliteStore
from support.pair import Pair, Side, sqlite_stores


def wal_of(side: Side, folder: Path) -> Path:
    return folder / f"{side.address.name}.db-wal"


@pytest.mark.parametrize("messages", [1, 5, 20])
def test_close_empties_the_log_while_another_connection_is_open(tmp_path: Path, messages: int) -> None:
    """SQLite checkpoints by itself only when the last connection closes."""
    pair = Pair(sqlite_stores(tmp_path))
    pair.converse()
    with closing(sqlite3.connect(tmp_path / "alice.db")) as other:
        other.execute("SELECT count(*) FROM sqlite_master").fetchall()
        for _ in range(messages):
            pair.alice.write(b"leaves a state in the log")
        wal = wal_of(pair.alice, tmp_path)
        assert isinstance(pair.alice.store, SqliteStore)
        pair.alice.store.close()
        assert wal.stat().st_size == 0
    pair.bob.store.close()


def test_a_reader_that_is_in_the_middle_keeps_close_from_waiting(tmp_path: Path) -> None:
    """The log stays for the reader. The store is closed all the same, and nothing committed is lost."""
    pair = Pair(sqlite_stores(tmp_path))
    pair.converse()
    letter = pair.alice.write(b"before")
    with closing(sqlite3.connect(tmp_path / "alice.db")) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM sqlite_master").fetchall()
        later = pair.alice.write(b"after the reader began")
        pair.alice.store.close()
        assert wal_of(pair.alice, tmp_path).stat().st_size > 0
    pair.alice.reopen()
    assert [pair.bob.read(each) for each in (letter, later)] == [b"before", b"after the reader began"]
    pair.turn()
    pair.close()
