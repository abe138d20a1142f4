"""The table of entries, on every store: what a user keeps besides the account."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest

from letterlock.errors import CorruptStore
from letterlock.stores import EntryKind, EntryRow, MemoryStore, Record, SqliteStore
from letterlock.stores._entry_kind import COVERED_KINDS
from letterlock.stores._sqlite.format import ENTRIES
from support.store_tools import (
    CONTACT,
    ENTRY_KEYS,
    NOON,
    SENT,
    STORES,
    entry,
    exposed,
    new_store,
    record,
    undone,
    unsynced_store,
)

AnyStore = MemoryStore | SqliteStore


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    with new_store(request.param, tmp_path) as made:
        yield made


def keys(store: AnyStore, kind: EntryKind) -> list[bytes]:
    return sorted(row.key for row in store.tables.entries.all(kind))


@pytest.mark.parametrize("kind", list(EntryKind))
def test_an_entry_comes_back(store: AnyStore, kind: EntryKind) -> None:
    for key, due, size in product(ENTRY_KEYS, [None, 0, 2**63 - 1], [0, 1, 400, 100_000]):
        row = EntryRow(kind, key, due, Record(bytes(size)))
        with store.transaction():
            store.tables.entries.save(row)
            assert exposed(store.tables.entries.load(kind, key)) == exposed(row)
            assert [exposed(each) for each in store.tables.entries.all(kind)] == [exposed(row)]
            (found,) = store.tables.entries.all(kind)
            assert type(found.kind) is EntryKind
            store.tables.entries.delete(kind, key)


def test_a_saved_entry_replaces_the_one_of_its_kind_and_key_only(store: AnyStore) -> None:
    with store.transaction():
        for kind in EntryKind:
            for key in (b"", b"\0", b"a", b"a\0"):
                store.tables.entries.save(entry(kind, key, 5, (kind, key)))
        store.tables.entries.save(entry(CONTACT, b"a", None, "other"))
        for kind in EntryKind:
            assert store.tables.entries.count(kind) == 4
            assert keys(store, kind) == [b"", b"\0", b"a", b"a\0"]
            for key in (b"", b"\0", b"a\0"):
                row = entry(kind, key, 5, (kind, key))
                assert exposed(store.tables.entries.load(kind, key)) == exposed(row)
        assert exposed(store.tables.entries.load(CONTACT, b"a")) == exposed(
            entry(CONTACT, b"a", None, "other")
        )


@pytest.mark.parametrize("kind", [CONTACT, SENT])
def test_due_entries_come_in_order_of_time(store: AnyStore, kind: EntryKind) -> None:
    with store.transaction():
        for number, due in enumerate((7, None, 3, 9, 5, 2**63 - 1)):
            store.tables.entries.save(entry(kind, bytes([number]), due))
        store.tables.entries.save(entry(EntryKind.RETRY, b"other", 1))

        def times(until: int, limit: int) -> list[int | None]:
            return [row.due for row in store.tables.entries.due(kind, until, limit)]

        assert times(2, 9) == []
        assert times(3, 9) == [3]
        assert times(9, 9) == [3, 5, 7, 9]
        assert times(9, 2) == [3, 5]
        assert times(9, 0) == []
        assert times(2**63 - 1, 9) == [3, 5, 7, 9, 2**63 - 1]


@pytest.mark.parametrize("kind", [CONTACT, SENT])
def test_entries_are_deleted_in_the_second_in_which_they_are_due(store: AnyStore, kind: EntryKind) -> None:
    with store.transaction():
        for number, due in enumerate((7, None, 3, 9)):
            store.tables.entries.save(entry(kind, bytes([number]), due))
        store.tables.entries.save(entry(EntryKind.RETRY, b"other", 1))
        assert store.tables.entries.delete_due(kind, 6) == 1
        assert keys(store, kind) == [b"\0", b"\1", b"\3"]
        assert store.tables.entries.delete_due(kind, 7) == 1
        assert store.tables.entries.delete_due(kind, 7) == 0
        assert store.tables.entries.delete_due(kind, 2**63 - 1) == 1
        assert keys(store, kind) == [b"\1"]
        assert store.tables.entries.count(EntryKind.RETRY) == 1


@pytest.mark.parametrize("kind", [CONTACT, SENT])
def test_a_deleted_entry_is_gone(store: AnyStore, kind: EntryKind) -> None:
    with store.transaction():
        store.tables.entries.save(entry(kind, b"a", 1))
        store.tables.entries.save(entry(kind, b"b", 1))
        store.tables.entries.delete(kind, b"a")
        store.tables.entries.delete(kind, b"a")
        store.tables.entries.delete(EntryKind.RETRY, b"b")
        assert store.tables.entries.load(kind, b"a") is None
        assert keys(store, kind) == [b"b"]
        assert [row.key for row in store.tables.entries.due(kind, 1, 9)] == [b"b"]


def test_all_returns_every_entry_of_many(store: AnyStore) -> None:
    with store.transaction():
        for number in range(600):
            store.tables.entries.save(entry(SENT, str(number).encode(), None, number))
        found = sorted(exposed(each) for each in store.tables.entries.all(SENT))
        expected = (entry(SENT, str(number).encode(), None, number) for number in range(600))
        assert found == sorted(map(exposed, expected))
        assert store.tables.entries.count(SENT) == 600


@pytest.mark.parametrize("kind", [CONTACT, SENT])
def test_what_is_undone_comes_back(store: AnyStore, kind: EntryKind) -> None:
    with store.transaction():
        store.tables.entries.save(entry(kind, b"a", 1, "before"))
        with undone(store):
            store.tables.entries.save(entry(kind, b"a", 2, "after"))
            store.tables.entries.save(entry(kind, b"b", 2, "after"))
            with store.transaction():
                assert store.tables.entries.delete_due(kind, 2) == 2
        assert [exposed(each) for each in store.tables.entries.all(kind)] == [
            exposed(entry(kind, b"a", 1, "before"))
        ]
        assert exposed(store.tables.entries.load(kind, b"a")) == exposed(entry(kind, b"a", 1, "before"))


# --- the SQLite store -----------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [b"", b"\0", b"\0\1", b"\1\0", b"\0\5only", b"\xff\xff" + bytes(400)])
@pytest.mark.parametrize("kind", [CONTACT, SENT])
def test_a_value_that_has_no_key_is_corrupt(tmp_path: Path, kind: EntryKind, whole: bytes) -> None:
    """STO-26"""
    with unsynced_store(tmp_path) as store, store.transaction():
        tag = store._database.cipher.tag(ENTRIES, int(kind), b"")
        sealed = store._database.cipher.seal(Record(whole), ENTRIES, tag, int(kind), 5)
        insert = "INSERT INTO letterlock_entries VALUES (?, ?, 5, ?)"
        store._database.run(insert, int(kind), tag, sealed)
        for call in (
            lambda: store.tables.entries.load(kind, b""),
            lambda: list(store.tables.entries.all(kind)),
            lambda: store.tables.entries.due(kind, 5, 9),
        ):
            with pytest.raises(CorruptStore):
                call()


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="counts the bytes that Linux has read")
def test_a_long_entry_is_not_read_to_find_another_one(tmp_path: Path) -> None:
    """SQLite compares keys with whole rows where a table has no rowid, so 16 MiB were read for each."""

    def bytes_read() -> int:
        return int(Path("/proc/self/io").read_text(encoding="ascii").split()[1])

    path, key = tmp_path / "store.db", bytes(32)
    with SqliteStore(path, key=key) as store, store.transaction():
        store.tables.entries.save(EntryRow(SENT, b"long", NOON, Record(bytes(2**22))))
        store.tables.entries.save(EntryRow(CONTACT, b"short", None, Record(b"short")))
    with SqliteStore(path, key=key) as store:
        before = bytes_read()
        with store.transaction():
            assert store.tables.entries.load(CONTACT, b"short") is not None
            assert len(list(store.tables.entries.all(CONTACT))) == 1
            store.tables.entries.save(EntryRow(SENT, b"another", NOON, Record(b"another")))
        assert bytes_read() - before < 2**20


@pytest.mark.parametrize("name", ["key", "record"])
def test_the_file_shows_neither_key_nor_record(tmp_path: Path, name: str) -> None:
    with unsynced_store(tmp_path) as store, store.transaction():
        for kind in EntryKind:
            store.tables.entries.save(EntryRow(kind, b"a telling key", NOON, Record(b"a telling record")))
    for file in tmp_path.iterdir():
        assert f"telling {name}".encode() not in file.read_bytes()


def test_a_saved_entry_is_not_decoded_again(tmp_path: Path) -> None:
    """STO-18: the record that was saved comes back as it is while the file holds the row unchanged."""
    with unsynced_store(tmp_path) as store:
        kept = record("kept")
        with store.transaction():
            store.tables.entries.save(EntryRow(SENT, b"a", 5, kept))
        with store.transaction():
            found = store.tables.entries.load(SENT, b"a")
            assert found is not None
            assert found.record is kept
            store.tables.entries.delete(SENT, b"a")
            store.tables.entries.save(EntryRow(SENT, b"b", 5, kept))
            store.tables.entries.delete_due(SENT, 5)
            assert not store._database.decoded._rows


def test_entries_below_16_and_no_others_are_covered(tmp_path: Path) -> None:
    """STO-19: a second row with every message would cost too much."""
    digests: set[object] = set()
    with unsynced_store(tmp_path) as store:
        for kind in EntryKind:
            with store.transaction():
                store.tables.entries.save(entry(kind, b"a"))
            with closing(sqlite3.connect(tmp_path / "store.db")) as reader:
                (digest,) = reader.execute("SELECT sealed FROM letterlock_digest").fetchone()
            assert (digest not in digests) == (kind < COVERED_KINDS)
            digests.add(digest)
