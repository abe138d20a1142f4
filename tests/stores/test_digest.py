"""STO-19: the rows of a store are authenticated together, so that no single row can be put back.

The attacker of these tests writes to the file of a closed store and has no key. Buckets have a file of their
own (test_digest_buckets.py).
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from letterlock import Account, Address, MemoryStore, SqliteStore
from letterlock._wire.suite import Suite
from letterlock.errors import CorruptStore
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.digest import COVERED
from support.digest_tools import CHANGED, OTHER, attack, change, filled, put, refused, rows, whole
from support.store_tools import (
    ALICE,
    BOB,
    CHANGES,
    CONTACT,
    DIGESTS,
    ENTRY_KEYS,
    KEY,
    NOON,
    ONE_TIME,
    REFUSED,
    SENT,
    SIGNED,
    Abort,
    Call,
    committed,
    fill,
    key_range,
    open_sqlite,
    record,
    undone,
    unsynced_store,
)

Edit = Callable[[sqlite3.Connection], object]

OURS, THEIRS = b"ours".ljust(32), b"theirs".ljust(32)
TABLES: Final = {label.decode(): columns for label, columns in COVERED.items()}
KEYS: Final = {
    "account": "id", "peers": "peer", "prekeys": "kind * 10 + id", "replays": "kind * 10 + id",
    "sessions": "id", "skipped": "seq", "buckets": "id",
    "entries": "CASE WHEN kind < 16 AND due THEN hex(entry) END",
}  # fmt: skip
DELETED: Final[dict[str, Call]] = {
    "peers": lambda store: store.tables.peers.delete(OTHER),
    "prekeys": lambda store: store.tables.prekeys.delete(ONE_TIME, 1),
    "replays": lambda store: store.tables.prekeys.delete(SIGNED, 2),
    "sessions": lambda store: store.tables.sessions.delete(3),
    "skipped": lambda store: store.tables.skipped_keys.trim(1, 0),
    "entries": lambda store: store.tables.entries.delete(CONTACT, ENTRY_KEYS[1]),
}
"""Rows of a table are deleted."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return filled(tmp_path)


# --- single rows --------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", CHANGED)
def test_one_old_row_put_back_is_noticed(path: Path, table: str) -> None:
    before = rows(path, table)
    change(path, CHANGED[table])
    after = rows(path, table)
    (old,) = [row for row in before if row not in after]
    attack(path, put(table, old))
    assert sorted(rows(path, table), key=repr) == sorted(before, key=repr)
    refused(path)


@pytest.mark.parametrize("table", DELETED)
def test_a_deleted_row_put_back_is_noticed(path: Path, table: str) -> None:
    before = rows(path, table)
    change(path, DELETED[table])
    after = rows(path, table)
    old = [row for row in before if row not in after]
    assert old
    attack(path, put(table, old[0]))
    refused(path)


@pytest.mark.parametrize("table", TABLES)
def test_one_row_deleted_is_noticed(path: Path, table: str) -> None:
    row = f"SELECT max({KEYS[table]}) FROM letterlock_{table}"
    attack(path, (f"DELETE FROM letterlock_{table} WHERE {KEYS[table]} = ({row})", ()))
    refused(path)


@pytest.mark.parametrize("table", [table for table in TABLES if table != "account"])
def test_all_rows_of_a_table_deleted_are_noticed(path: Path, table: str) -> None:
    attack(path, (f"DELETE FROM letterlock_{table}", ()))
    refused(path)


@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column) for table, columns in TABLES.items() for column in columns.split(", ")],
)
@pytest.mark.parametrize("value", ["zeroblob(16)", "77", "NULL", "'text'", "1.5"])
def test_an_edited_column_is_noticed(path: Path, table: str, column: str, value: str) -> None:
    with closing(sqlite3.connect(path / "store.db")) as attacker:
        key = f"SELECT max({KEYS[table]}) FROM letterlock_{table}"
        try:
            with attacker:
                attacker.execute(
                    f"UPDATE letterlock_{table} SET {column} = {value} WHERE {KEYS[table]} = ({key})"
                )
        except sqlite3.Error:
            return  # SQLite itself refuses this value here
    refused(path)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("peers", "sealed"),
        ("prekeys", "sealed"),
        ("skipped", "sealed"),
        ("sessions", "rank"),
    ],
)
def test_two_rows_swapped_are_noticed(path: Path, table: str, column: str) -> None:
    key = KEYS[table]
    with closing(sqlite3.connect(path / "store.db")) as connection:
        found = connection.execute(f"SELECT {key}, {column} FROM letterlock_{table} ORDER BY 2").fetchall()
    (one, first), (other, last) = found[0], found[-1]
    assert first != last
    sql = f"UPDATE letterlock_{table} SET {column} = ? WHERE {key} = ?"
    attack(path, (sql, (last, one)), (sql, (first, other)))
    refused(path)


@pytest.mark.parametrize(
    "edited",
    [
        "kind = 2",
        "kind = 16",
        "kind = 15.5",
        "entry = zeroblob(16)",
        "due = due + 1",
        "due = NULL",
        "sealed = (SELECT sealed FROM letterlock_entries WHERE kind = 3 AND due IS NULL)",
    ],
)
def test_a_moved_entry_is_noticed(path: Path, edited: str) -> None:
    attack(path, (f"UPDATE letterlock_entries SET {edited} WHERE kind = 3 AND due", ()))
    refused(path)


def test_two_entries_swapped_are_noticed(path: Path) -> None:
    first, second = (row for row in rows(path, "entries") if row[0] == CONTACT)
    attack(
        path,
        ("UPDATE letterlock_entries SET sealed = ? WHERE kind = 3 AND entry = ?", (second[3], first[1])),
        ("UPDATE letterlock_entries SET sealed = ? WHERE kind = 3 AND entry = ?", (first[3], second[1])),
    )
    refused(path)


def test_an_entry_of_another_kind_moved_among_those_covered_is_noticed(path: Path) -> None:
    attack(path, ("UPDATE letterlock_entries SET kind = 1 WHERE kind = 16 AND due", ()))
    refused(path)


def test_a_missing_entry_that_changes_with_every_message_is_not_noticed(path: Path) -> None:
    """Its kind is not covered, as the limitations say. What is there is still bound to its row."""
    attack(path, ("DELETE FROM letterlock_entries WHERE kind = 16 AND due", ()))
    with open_sqlite(path) as store, store.transaction():
        assert store.tables.entries.load(SENT, ENTRY_KEYS[1]) is None
        assert store.tables.entries.count(SENT) == 1


def test_a_row_of_another_store_is_noticed(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    with unsynced_store(folder) as store, store.transaction():
        fill(store)
    attack(path, put("account", rows(folder, "account")[0]))
    refused(path)


# --- the digest itself --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM letterlock_digest",
        "UPDATE letterlock_digest SET sealed = zeroblob(72)",
        "UPDATE letterlock_digest SET sealed = x''",
        "UPDATE letterlock_digest SET sealed = 'text'",
        "UPDATE letterlock_digest SET sealed = 1.5",
        "UPDATE letterlock_digest SET sealed = (SELECT sealed FROM letterlock_account)",
    ],
)
def test_an_edited_digest_is_noticed(path: Path, sql: str) -> None:
    attack(path, (sql, ()))
    refused(path)


def test_an_old_digest_is_noticed(path: Path) -> None:
    (old,) = rows(path, "digest")
    change(path, CHANGED["account"])
    attack(path, put("digest", old))
    refused(path)


def test_the_whole_store_put_back_opens(path: Path) -> None:
    """Nothing in the file can reveal that. The limitations say so."""
    copy = path / "copy.db"
    shutil.copy(path / "store.db", copy)
    with open_sqlite(path) as store:
        before = committed(store)
        with store.transaction():
            for call in CHANGED.values():
                call(store)
    shutil.copy(copy, path / "store.db")
    with open_sqlite(path) as store:
        assert committed(store) == before


def test_an_empty_store_has_no_digest(tmp_path: Path) -> None:
    with unsynced_store(tmp_path):
        pass
    assert rows(tmp_path, "digest") == []
    open_sqlite(tmp_path).close()


def test_the_digest_says_nothing(path: Path) -> None:
    """The sum is sealed: without the key nobody can tell whether two stores hold the same rows."""
    first = rows(path, "digest")
    change(path, CHANGED["account"])
    ((_, sealed),) = rows(path, "digest")
    assert len(sealed) == 24 + 32 + 16
    assert [(1, sealed)] != first


# --- what the store itself does keeps it right --------------------------------------------------------


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_keeps_the_digest_right(path: Path, name: str) -> None:
    change(path, CHANGES[name])
    with open_sqlite(path) as store:
        with undone(store):
            CHANGES[name](store) if "add" not in name else None
        committed(store)
    whole(path)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_call_keeps_the_digest_right(path: Path, name: str) -> None:
    with open_sqlite(path) as store, store.transaction():
        with pytest.raises(CorruptStore):
            REFUSED[name](store)
        store.tables.account.save(record("goes on"))
    whole(path)


def test_savepoints_of_any_kind_keep_the_digest_right(path: Path) -> None:
    with open_sqlite(path) as store:
        with store.transaction():
            with undone(store):
                store.tables.account.save(record("undone"))
                store.tables.sessions.delete(1)
            store.tables.peers.save(BOB, record("saved"))
            store.connection.execute("SAVEPOINT theirs")
            store.tables.peers.save(ALICE, record("undone by the application"))
            store.tables.prekeys.delete_expired(50)
            store.connection.execute("ROLLBACK TO theirs")
            store.tables.skipped_keys.trim(1, 1)
        with pytest.raises(Abort), store.transaction():
            store.tables.skipped_keys.trim(2, 0)
            raise Abort
        with store.transaction():
            store.tables.replays.add(SIGNED, 1, DIGESTS[1])
    whole(path)


def test_two_open_stores_keep_it_right_together(path: Path) -> None:
    with open_sqlite(path) as one, open_sqlite(path) as other:
        for number in range(10):
            for store in (one, other):
                with store.transaction():
                    store.tables.peers.save(ALICE, record(number))
                    store.tables.skipped_keys.add(
                        1, [[key_range(number, 1, OURS if store is one else THEIRS)]], NOON
                    )
                    assert store.tables.account.load() is not None
    whole(path)


def test_a_row_put_back_while_the_store_is_open_is_noticed_with_another_s_change(path: Path) -> None:
    (old,) = rows(path, "account")
    with open_sqlite(path) as store, open_sqlite(path) as other:
        with store.transaction():
            store.tables.account.save(record("later"))
        attack(path, put("account", old))
        with pytest.raises(CorruptStore), other.transaction():
            other.tables.peers.save(ALICE, record("more"))
    refused(path)


def test_backup_and_rekey_keep_it_right(path: Path) -> None:
    with open_sqlite(path) as store:
        store.backup(path / "copy.db")
        store.rekey(key=bytes(32))
    SqliteStore(path / "store.db", key=bytes(32)).close()
    with SqliteStore(path / "copy.db", key=KEY) as copy, copy.transaction():
        assert copy.tables.account.load() == record("account")


def test_a_message_in_order_leaves_the_digest_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would cost a second row with every message: the state of a session is not covered."""
    bob, me, peer = Account.create(MemoryStore(), Address("bob")), Address("alice"), Address("bob")
    fingerprints: list[bytes] = []
    with unsynced_store(tmp_path) as store:
        alice = Account.create(store, me)
        alice.initiate(peer, bob.bundle())
        bob.decrypt(me, alice.encrypt(peer, b"text"))
        alice.decrypt(peer, bob.encrypt(me, b"text"))
        fingerprint = StoreCipher.fingerprint

        def noted(self: StoreCipher, table: bytes, *columns: object) -> int:
            fingerprints.append(table)
            return fingerprint(self, table, *columns)

        monkeypatch.setattr(StoreCipher, "fingerprint", noted)
        for _ in range(5):
            bob.decrypt(me, alice.encrypt(peer, b"text"))
            alice.decrypt(peer, bob.encrypt(me, b"text"))
        assert fingerprints == []


# --- what it prevents ---------------------------------------------------------------------------------


def test_a_withdrawn_identity_is_not_trusted_again(tmp_path: Path) -> None:
    path, peer = tmp_path / "store.db", Address("bob")
    first, second = (Account.create(MemoryStore(), peer) for _ in range(2))
    with SqliteStore(path, key=KEY) as store:
        alice = Account.create(store, Address("alice"))
        alice.initiate(peer, first.bundle())
        store.backup(tmp_path / "old.db")
        alice.accept_identity(peer, second.identity.data)
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        (row,) = old.execute("SELECT * FROM letterlock_peers").fetchall()
    attack(tmp_path, put("peers", row))
    refused(tmp_path)


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
def test_a_late_message_is_not_read_a_second_time(tmp_path: Path, suite: Suite) -> None:
    path, peer, me, both = tmp_path / "store.db", Address("bob"), Address("alice"), frozenset(Suite)
    bob = Account.create(MemoryStore(), peer, suites=both)
    with SqliteStore(path, key=KEY) as store:
        alice = Account.create(store, me, suites=both)
        alice.initiate(peer, bob.bundle(), suite=suite)
        bob.decrypt(me, alice.encrypt(peer, b"text"))
        late = bob.encrypt(me, b"late")
        alice.decrypt(peer, bob.encrypt(me, b"overtakes"))
        store.backup(tmp_path / "old.db")
        assert alice.decrypt(peer, late) == b"late"
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        kept = old.execute("SELECT * FROM letterlock_skipped").fetchall()
    assert kept
    attack(tmp_path, *(put("skipped", row) for row in kept))
    refused(tmp_path)
