"""STO-18: how many decoded rows a SqliteStore keeps, and for how long."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from letterlock import SqliteStore
from letterlock.errors import UsageError
from letterlock.stores._sqlite import decoded_rows
from support.decoded_rows import filled, kept, read, save, text
from support.store_tools import ALICE, BOB, KEY, record, session, undone


class Clock:
    """A monotonic clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(decoded_rows, "monotonic", clock)
    return clock


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with filled(path) as store:
        yield store


@pytest.mark.parametrize("options", [{"decoded_rows": 0}, {"decoded_seconds": 0}])
def test_none_are_kept(path: Path, opened: list[bytes], options: dict[str, Any]) -> None:
    with filled(path, **options) as store:
        assert [read(store), read(store)] == [text("session")] * 2
        assert kept(store) == 0
    assert opened == [b"sessions"] * 2


def test_the_row_that_was_kept_longest_makes_room(path: Path, opened: list[bytes]) -> None:
    with filled(path, decoded_rows=2) as store:
        assert kept(store) == 2  # bob and the session with him
        assert read(store, BOB) == text("session")
        assert opened == []
        read(store, ALICE)
        assert (kept(store), opened) == (2, [b"sessions"])
        read(store, ALICE)
        read(store, BOB)
        assert opened == [b"sessions"]
        save(store, "again")
        read(store, BOB)
        assert (kept(store), opened) == (2, [b"sessions"])


def test_an_earlier_state_of_a_row_is_not_kept(store: SqliteStore) -> None:
    before = kept(store)
    for number in range(5):
        save(store, number, rank=number + 2)
    assert kept(store) == before
    assert text(3) not in [row.record.expose() for row in store._database.decoded._rows.values()]


@pytest.mark.parametrize("seconds", [10, 0.5])
def test_rows_are_kept_for_so_long(path: Path, clock: Clock, opened: list[bytes], seconds: float) -> None:
    with filled(path, decoded_seconds=seconds) as store:
        clock.now += seconds * 0.9
        read(store)
        assert opened == []
        clock.now += seconds * 0.1
        read(store)  # reading a row does not make it younger
        assert opened == [b"sessions"]
        assert kept(store) == 1
        clock.now += seconds * 2
        with store.transaction():
            assert kept(store) == 0


def test_without_end_they_are_kept_as_long_as_there_is_room(path: Path, clock: Clock) -> None:
    with filled(path, decoded_seconds=float("inf")) as store:
        clock.now += 1e9
        read(store)
        assert kept(store) == 5


def test_a_closed_store_keeps_none(store: SqliteStore) -> None:
    assert kept(store)
    store.close()
    assert kept(store) == 0


def test_what_was_undone_is_not_kept(store: SqliteStore) -> None:
    with undone(store):
        store.tables.sessions.save(session(1, text="undone"))
        store.tables.account.save(record("undone"))
    states = [row.record.expose() for row in store._database.decoded._rows.values()]
    assert len(states) == 3
    assert text("undone") not in states


def test_what_was_deleted_is_not_kept(store: SqliteStore) -> None:
    with store.transaction():
        store.tables.sessions.delete(1)
        store.tables.peers.delete(ALICE)
    assert kept(store) == 3


@pytest.mark.parametrize("rows", [-1, 2**20 + 1, 1.0, True, None, "256"])
def test_other_numbers_of_rows_are_refused(path: Path, rows: Any) -> None:
    with pytest.raises(UsageError, match="decoded_rows must be"):
        SqliteStore(path, key=KEY, decoded_rows=rows)
    with pytest.raises(UsageError, match="decoded_rows must be"):
        SqliteStore.open(path, passphrase="some", decoded_rows=rows)
    assert not path.exists()


@pytest.mark.parametrize("seconds", [-1, float("nan"), True, None, "300"])
def test_other_times_are_refused(path: Path, seconds: Any) -> None:
    with pytest.raises(UsageError, match="decoded_seconds must be"):
        SqliteStore(path, key=KEY, decoded_seconds=seconds)
    assert not path.exists()
