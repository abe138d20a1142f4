"""STO-19: the rows of a store are authenticated together, so that no single row can be put back.

The attacker of these tests writes to the file of a closed store and has no key.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock import Account, Address, MemoryStore, SqliteStore
from letterlock._wire.suite import Suite
from letterlock.errors import CorruptStore
from letterlock.stores._any_store import calls_of
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.digest import COVERED
from support.store_tools import (
    ALICE,
    BOB,
    CHAINS,
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
    entry,
    fill,
    key_range,
    open_sqlite,
    prekey,
    record,
    session,
    skipped,
    undone,
    unsynced_store,
)

Edit = Callable[[sqlite3.Connection], object]

OURS, THEIRS = b"ours".ljust(32), b"theirs".ljust(32)
OTHER: Final = b"\x82\x65other\x01"
TABLES: Final = {label.decode(): columns for label, columns in COVERED.items()}
KEYS: Final = {
    "account": "id", "peers": "peer", "prekeys": "kind * 10 + id", "replays": "kind * 10 + id",
    "sessions": "id", "skipped": "seq", "buckets": "id",
    "entries": "CASE WHEN kind < 16 AND due THEN hex(entry) END",
}  # fmt: skip
CHANGED: Final[dict[str, Call]] = {
    "account": lambda store: store.tables.account.save(record("later")),
    "peers": lambda store: store.tables.peers.save(ALICE, record("later")),
    "prekeys": lambda store: store.tables.prekeys.replace(prekey(SIGNED, 1, 70, "later")),
    "sessions": lambda store: store.tables.sessions.save(session(1, ALICE, 9, "later")),
    "skipped": lambda store: store.tables.skipped_keys.delete(skipped(1, 0)),
    "entries": lambda store: store.tables.entries.save(entry(CONTACT, ENTRY_KEYS[1], NOON, "later")),
}
"""One row of a table is replaced."""
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
    with unsynced_store(tmp_path) as store, store.transaction():
        fill(store)
        store.tables.peers.save(OTHER, record("nobody"))
    return tmp_path


def change(path: Path, call: Call) -> None:
    with open_sqlite(path) as store, store.transaction():
        call(store)


def rows(path: Path, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path / "store.db")) as connection:
        return connection.execute(f"SELECT * FROM letterlock_{table}").fetchall()


def attack(path: Path, *steps: tuple[str, tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(path / "store.db", isolation_level=None)) as attacker:
        for sql, values in steps:
            assert attacker.execute(sql, values).rowcount != 0, "the edit did nothing"


def refused(path: Path) -> None:
    """Check that the store refuses to open, or refuses to use the rows in the bucket of the edited one."""
    for _ in range(2):
        with pytest.raises(CorruptStore), open_sqlite(path) as store, store.transaction():
            store._database.digest.require_all()


def whole(path: Path) -> None:
    """Check that all sums of the store are right."""
    with open_sqlite(path) as store, store.transaction():
        store._database.digest.require_all()


def whole_bucket(path: Path, tag: bytes) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the steps that put back everything that a bucket covers now, and its own row."""
    at = tag[0] >> 2
    steps = [put("buckets", row) for row in rows(path, "buckets") if row[0] == at]
    for table, column in (("peers", 0), ("sessions", 1), ("entries", 1)):
        steps += [put(table, row) for row in rows(path, table) if row[column][0] >> 2 == at]
    return steps


def put(table: str, row: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    return f"INSERT OR REPLACE INTO letterlock_{table} VALUES ({', '.join('?' * len(row))})", row


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


# --- buckets ------------------------------------------------------------------------------------------

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


def use(path: Path, call: Call) -> None:
    with open_sqlite(path) as store, store.transaction():
        call(store)


@pytest.mark.parametrize("name", USES)
def test_a_peer_s_bucket_is_compared_before_its_first_use(path: Path, name: str) -> None:
    """The session of the peer is there, but its peer's record is an earlier one."""
    (old,) = (row for row in rows(path, "peers") if row[0] == tag_of(path, ALICE))
    change(path, CHANGED["peers"])
    attack(path, put("peers", old))
    use(path, lambda store: store.tables.account.load())
    with pytest.raises(CorruptStore, match="rows of the store are not those"):
        use(path, USES[name])


@pytest.mark.parametrize("name", ENTRY_USES)
@pytest.mark.parametrize("missing", [False, True])
def test_an_entry_s_bucket_is_compared_before_its_first_use(path: Path, name: str, missing: bool) -> None:
    (old,) = (row for row in rows(path, "entries") if row[0] == CONTACT and row[2])
    change(path, CHANGED["entries"])
    gone = "DELETE FROM letterlock_entries WHERE kind = 3 AND entry = ?", (old[1],)
    attack(path, gone if missing else put("entries", old))
    with pytest.raises(CorruptStore, match="rows of the store are not those"):
        use(path, ENTRY_USES[name])


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


def tag_of(path: Path, address: bytes) -> bytes:
    with open_sqlite(path) as store:
        return store._database.cipher.peer_tag(address)


def entry_tag(path: Path) -> bytes:
    with open_sqlite(path) as store:
        return store._database.cipher.tag(b"entries", int(CONTACT), ENTRY_KEYS[1])


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
