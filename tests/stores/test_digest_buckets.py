"""STO-19: the rows of a peer and its entries are compared before their bucket is first used."""

from pathlib import Path
from typing import Any, Final

import pytest

from letterlock.errors import CorruptStore
from letterlock.stores import EntryKind
from letterlock.stores._any_store import calls_of
from letterlock.stores._sqlite.cipher import StoreCipher
from support.digest_tools import CHANGED, OTHER, attack, change, filled, put, rows
from support.store_tools import (
    ALICE,
    CHAINS,
    CONTACT,
    ENTRY_KEYS,
    NOON,
    Call,
    entry,
    open_sqlite,
    record,
    session,
    undone,
    unsynced_store,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return filled(tmp_path)


def whole_bucket(path: Path, tag: bytes) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the steps that put back everything that a bucket covers now, and its own row."""
    at = tag[0] >> 2
    steps = [put("buckets", row) for row in rows(path, "buckets") if row[0] == at]
    for table, column in (("peers", 0), ("sessions", 1), ("entries", 1)):
        steps += [put(table, row) for row in rows(path, table) if row[column][0] >> 2 == at]
    return steps


USES: Final[dict[str, Call]] = {
    "peers.load": lambda store: store.tables.peers.load(ALICE),
    "peers.save": lambda store: store.tables.peers.save(ALICE, record("other")),
    "peers.delete": lambda store: store.tables.peers.delete(ALICE),
    "peers.all": lambda store: list(store.tables.peers.all()),
    "sessions.load": lambda store: store.tables.sessions.load(ALICE, 5),
    "sessions.save": lambda store: store.tables.sessions.save(session(1)),
    "sessions.save, new": lambda store: store.tables.sessions.save(session(9)),
    "sessions.delete": lambda store: store.tables.sessions.delete(1),
    "skipped_keys.find": lambda store: store.tables.skipped_keys.find(ALICE, CHAINS[0], 0),
    "active": lambda store: calls_of(store).active(ALICE),
}
ENTRY_USES: Final[dict[str, Call]] = {
    "load": lambda store: store.tables.entries.load(CONTACT, ENTRY_KEYS[1]),
    "save": lambda store: store.tables.entries.save(entry(CONTACT, ENTRY_KEYS[1], 5)),
    "delete": lambda store: store.tables.entries.delete(CONTACT, ENTRY_KEYS[1]),
    "all": lambda store: list(store.tables.entries.all(CONTACT)),
    "count": lambda store: store.tables.entries.count(CONTACT),
    "due": lambda store: store.tables.entries.due(CONTACT, NOON, 9),
    "delete_due": lambda store: store.tables.entries.delete_due(CONTACT, NOON),
}


ENTRIES_ALONE: Final = (EntryKind.USER, EntryKind.LINKING)
"""The kinds that have one row at most, and a bucket of their own."""


@pytest.mark.parametrize("name", USES)
def test_a_peer_s_bucket_is_compared_before_its_first_use(path: Path, name: str) -> None:
    """The session of the peer is there, but its peer's record is an earlier one."""
    (old,) = (row for row in rows(path, "peers") if row[0] == tag_of(path, ALICE))
    change(path, CHANGED["peers"])
    attack(path, put("peers", old))
    change(path, lambda store: store.tables.account.load())
    with pytest.raises(CorruptStore, match="rows of the store are not those"):
        change(path, USES[name])


@pytest.mark.parametrize("name", ENTRY_USES)
@pytest.mark.parametrize("missing", [False, True])
def test_an_entry_s_bucket_is_compared_before_its_first_use(path: Path, name: str, missing: bool) -> None:
    (old,) = (row for row in rows(path, "entries") if row[0] == CONTACT and row[2])
    change(path, CHANGED["entries"])
    gone = "DELETE FROM letterlock_entries WHERE kind = 3 AND entry = ?", (old[1],)
    attack(path, gone if missing else put("entries", old))
    with pytest.raises(CorruptStore, match="rows of the store are not those"):
        change(path, ENTRY_USES[name])


@pytest.mark.parametrize("table", ["peers", "sessions", "entries"])
def test_a_whole_bucket_put_back_is_noticed(path: Path, table: str) -> None:
    tag = entry_tag(path) if table == "entries" else tag_of(path, ALICE)
    steps = whole_bucket(path, tag)
    change(path, CHANGED[table])
    attack(path, *steps)
    with pytest.raises(CorruptStore):
        open_sqlite(path)


@pytest.mark.parametrize("table", ["peers", "entries"])
def test_a_whole_bucket_deleted_is_noticed(path: Path, table: str) -> None:
    tag = entry_tag(path) if table == "entries" else tag_of(path, OTHER)
    column = "entry" if table == "entries" else "peer"
    attack(
        path,
        (f"DELETE FROM letterlock_{table} WHERE {column} = ?", (tag,)),
        ("DELETE FROM letterlock_buckets WHERE id = ?", (tag[0] >> 2,)),
    )
    with pytest.raises(CorruptStore):
        open_sqlite(path)


def test_an_undone_change_of_a_bucket_is_compared_again(path: Path) -> None:
    with open_sqlite(path) as store:
        with undone(store):
            store.tables.peers.save(ALICE, record("undone"))
        with store.transaction():
            store.tables.peers.save(ALICE, record("saved"))
            with undone(store):
                store.tables.peers.save(ALICE, record("undone"))
                store.tables.entries.save(entry(CONTACT, b"undone"))
            assert store.tables.peers.load(ALICE) == record("saved")
            store.tables.sessions.save(session(1, ALICE, 9, "later"))
    with open_sqlite(path) as store, store.transaction():
        store._database.digest.require_all()


def test_rows_edited_in_a_bucket_are_noticed_with_another_s_change_of_it(path: Path) -> None:
    (old,) = (row for row in rows(path, "peers") if row[0] == tag_of(path, ALICE))
    with open_sqlite(path) as store, open_sqlite(path) as other:
        with store.transaction():
            assert store.tables.peers.load(ALICE) == record(ALICE)
        with other.transaction():
            other.tables.peers.save(ALICE, record("later"))
        attack(path, put("peers", old))
        with pytest.raises(CorruptStore), store.transaction():
            store.tables.peers.load(ALICE)


def test_opening_reads_no_more_with_many_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    fingerprint = StoreCipher.fingerprint

    def counted(self: StoreCipher, table: bytes, *columns: object) -> int:
        counts[-1] += 1
        return fingerprint(self, table, *columns)

    with unsynced_store(tmp_path) as store, store.transaction():
        for number in range(1000):
            store.tables.peers.save(f"peer {number}".encode(), record(number))
            store.tables.sessions.save(session(number + 1, f"peer {number}".encode()))
            store.tables.entries.save(entry(CONTACT, f"name {number}".encode()))
    monkeypatch.setattr(StoreCipher, "fingerprint", counted)
    counts.append(0)
    with open_sqlite(tmp_path) as store:
        counts.append(0)
        with store.transaction():
            assert store.tables.peers.load(b"peer 7") == record(7)
            assert store.tables.entries.load(CONTACT, b"name 7") is not None
    assert counts[0] == 64
    assert 2 < counts[1] < 300


@pytest.mark.parametrize("kind", ENTRIES_ALONE)
def test_a_kind_with_one_row_is_read_without_contacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: EntryKind
) -> None:
    counts: list[int] = []
    fingerprint = StoreCipher.fingerprint

    def counted(self: StoreCipher, table: bytes, *columns: object) -> int:
        counts[-1] += 1
        return fingerprint(self, table, *columns)

    with unsynced_store(tmp_path) as store, store.transaction():
        for number in range(300):
            store.tables.entries.save(entry(CONTACT, b"%d" % number))
            store.tables.entries.save(entry(EntryKind.LIST, b"%d" % number))
        store.tables.entries.save(entry(kind, b""))
    with open_sqlite(tmp_path) as store, store.transaction():
        monkeypatch.setattr(StoreCipher, "fingerprint", counted)
        counts.append(0)
        assert store.tables.entries.load(kind, b"") is not None
        counts.append(0)
        assert store.tables.entries.load(CONTACT, b"7") is not None
        counts.append(0)
        assert store.tables.entries.load(EntryKind.LIST, b"7") is not None
    assert counts[0] == 1
    assert all(1 <= count < 20 for count in counts[1:])


@pytest.mark.parametrize("kind", [*ENTRIES_ALONE, EntryKind.LIST])
@pytest.mark.parametrize("how", ["put back", "deleted", "added"])
def test_an_entry_outside_the_buckets_of_peers_is_compared_before_its_first_use(
    tmp_path: Path, kind: EntryKind, how: str
) -> None:
    path = filled(tmp_path)
    change(path, lambda store: store.tables.entries.save(entry(kind, b"")))
    (old,) = (row for row in rows(path, "entries") if row[0] == kind and row[1] == kind_tag(path, kind))
    change(path, lambda store: store.tables.entries.save(entry(kind, b"", 7)))
    attack(
        path,
        {
            "put back": put("entries", old),
            "deleted": ("DELETE FROM letterlock_entries WHERE kind = ? AND entry = ?", (kind, old[1])),
            "added": put("entries", (old[0], bytes([old[1][0] ^ 1]) + old[1][1:], *old[2:])),
        }[how],
    )
    with pytest.raises(CorruptStore, match="rows of the store are not those"):
        change(path, lambda store: store.tables.entries.load(kind, b""))


def kind_tag(path: Path, kind: EntryKind) -> bytes:
    with open_sqlite(path) as store:
        return store._database.cipher.tag(b"entries", int(kind), b"")


def tag_of(path: Path, address: bytes) -> bytes:
    with open_sqlite(path) as store:
        return store._database.cipher.peer_tag(address)


def entry_tag(path: Path) -> bytes:
    with open_sqlite(path) as store:
        return store._database.cipher.tag(b"entries", int(CONTACT), ENTRY_KEYS[1])
