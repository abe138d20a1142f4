"""SqliteStore.backup: a copy in one file, whole, private, without what was deleted. STO-13, STO-14, STO-30"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from letterlock import Account, Address, MemoryStore, NoAccount
from letterlock.errors import CorruptStore, StoreError, UsageError, WrongKey
from letterlock.stores import SqliteStore
from letterlock.stores._sqlite import backup as backup_module
from support.digest_tools import CHANGED, OTHER, attack, change, filled, put, rows
from support.store_tools import (
    CONTACT,
    ENTRY_KEYS,
    KEY,
    OTHER_KEY,
    PASSPHRASE,
    Call,
    committed,
    fill,
    fork_python,
    open_sqlite,
    output_of,
    record,
    undone,
    use_cheap_passphrases,
)


@pytest.fixture
def store(fast_path: Path) -> Iterator[SqliteStore]:
    with open_sqlite(fast_path) as made:
        with made.transaction():
            fill(made)
        yield made


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()} - {"store.db", "store.db-wal", "store.db-shm"}


def test_a_backup_holds_everything_in_one_private_file(store: SqliteStore, fast_path: Path) -> None:
    before = os.umask(0)
    try:
        store.backup(fast_path / "copy.db")
    finally:
        os.umask(before)
    assert names(fast_path) == {"copy.db"}
    assert stat.S_IMODE((fast_path / "copy.db").stat().st_mode) == 0o600
    assert (fast_path / "copy.db").stat().st_nlink == 1
    held = committed(store)
    with store.transaction():
        store.tables.account.save(record("later"))
    with SqliteStore(fast_path / "copy.db", key=KEY) as copy:
        assert committed(copy) == held
        with copy.transaction():
            assert copy.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with pytest.raises(WrongKey):
        SqliteStore(fast_path / "copy.db", key=OTHER_KEY)


def test_a_backup_opens_with_the_passphrase(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cheap_passphrases(monkeypatch)
    with SqliteStore.open(fast_path / "store.db", passphrase=PASSPHRASE) as store:
        with store.transaction():
            fill(store)
            store.connection.execute("CREATE TABLE inbox (text)")
            store.connection.execute("INSERT INTO inbox VALUES ('the application''s')")
        store.backup(fast_path / "copy.db")
        held = committed(store)
    with SqliteStore.open(fast_path / "copy.db", passphrase=PASSPHRASE) as copy, copy.transaction():
        assert copy.connection.execute("SELECT text FROM inbox").fetchone() == ("the application's",)
    with SqliteStore.open(fast_path / "copy.db", passphrase=PASSPHRASE) as copy:
        assert committed(copy) == held


def test_a_backup_holds_nothing_that_was_deleted(store: SqliteStore, fast_path: Path) -> None:
    with store.transaction():
        connection = store.connection
        deleted = connection.execute("SELECT sealed FROM letterlock_skipped WHERE session = 1").fetchall()
        connection.execute("PRAGMA secure_delete = OFF")  # as an application might
        store.tables.skipped_keys.trim(1, 0)
    store.backup(fast_path / "copy.db")
    assert len(deleted) == 2
    data = (fast_path / "copy.db").read_bytes()
    assert not any(sealed in data for (sealed,) in deleted)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_backup_replaces_nothing(store: SqliteStore, fast_path: Path, suffix: str) -> None:
    there = fast_path / f"copy.db{suffix}"
    there.write_bytes(b"something")
    with pytest.raises(UsageError, match="exists already"):
        store.backup(fast_path / "copy.db")
    assert there.read_bytes() == b"something"
    assert names(fast_path) == {there.name}
    with pytest.raises(UsageError, match="exists already"):
        store.backup(fast_path / "store.db")


def test_a_file_that_appears_during_a_backup_is_not_replaced(
    store: SqliteStore, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = backup_module._sync

    def overtaken(path: Path, mode: int) -> None:
        sync(path, mode)
        (fast_path / "copy.db").write_bytes(b"first")

    monkeypatch.setattr(backup_module, "_sync", overtaken)
    with pytest.raises(UsageError, match="exists already"):
        store.backup(fast_path / "copy.db")
    assert (fast_path / "copy.db").read_bytes() == b"first"
    assert names(fast_path) == {"copy.db"}


@pytest.mark.parametrize("where", ["missing/copy.db", "store.db/copy.db", "n" * 300, "."])
def test_a_backup_that_cannot_be_written_is_a_store_error(
    store: SqliteStore, fast_path: Path, where: str
) -> None:
    with pytest.raises(StoreError):
        store.backup(fast_path / where)
    assert names(fast_path) == set()


@pytest.mark.parametrize("where", [":memory:", "a\0b", None])
def test_a_backup_to_what_is_no_path_is_refused(store: SqliteStore, where: object) -> None:
    with pytest.raises(UsageError):
        store.backup(where)  # type: ignore[arg-type]


def test_an_open_transaction_is_not_in_the_backup(store: SqliteStore, fast_path: Path) -> None:
    held = committed(store)
    with undone(store):
        store.tables.account.save(record("not committed"))
        store.backup(fast_path / "copy.db")
    with SqliteStore(fast_path / "copy.db", key=KEY) as copy:
        assert committed(copy) == held


def test_a_closed_store_has_no_backup(store: SqliteStore, fast_path: Path) -> None:
    store.close()
    with pytest.raises(StoreError):
        store.backup(fast_path / "copy.db")
    assert names(fast_path) == set()


WRITE_UNTIL_TOLD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from support.store_tools import open_sqlite, record, ALICE, BOB
with open_sqlite(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    for number in range(3000):
        with store.transaction():
            store.tables.account.save(record(f"{number:06d}"))
            store.tables.peers.save(ALICE, record(f"{number:06d}"))
            store.tables.peers.save(BOB, record(f"{number:06d}"))
"""


@pytest.mark.slow
def test_backups_while_another_process_writes_are_consistent(store: SqliteStore, fast_path: Path) -> None:
    tests = Path(__file__).parents[1]
    writer = fork_python(WRITE_UNTIL_TOLD, fast_path, tests)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    seen = set()
    copies = 0
    while writer.poll() is None:
        path = fast_path / f"copy{copies}.db"
        store.backup(path)
        copies += 1
        with SqliteStore(path, key=KEY) as copy:
            held = committed(copy)
        assert {held["account"][-6:]} == {each[-6:] for each in held["peers"]} or b"account" in held[
            "account"
        ]
        seen.add(held["account"])
        path.unlink()
    assert output_of(writer) == ""
    assert copies > 1
    assert len(seen) > 1


# --- a new account is in the file itself ----------------------------------------------------------


def test_the_file_of_a_new_account_is_complete_without_its_log(fast_path: Path) -> None:
    with SqliteStore(fast_path / "alice.db", key=KEY) as store:
        alice = Account.create(store, Address("alice"))
        copied = output_of(
            fork_python("import sys; print(open(sys.argv[1], 'rb').read().hex())", fast_path / "alice.db")
        )
        (fast_path / "copy.db").write_bytes(bytes.fromhex(copied))
        with SqliteStore(fast_path / "copy.db", key=KEY) as copy:
            assert Account.open(copy).identity == alice.identity


def test_a_store_without_an_account_does_not_only_say_to_create_one(fast_path: Path) -> None:
    for store in (MemoryStore(), SqliteStore(fast_path / "alice.db", key=KEY)):
        with pytest.raises(NoAccount, match=r"if it held one, it may be a copy without its -wal file"):
            Account.open(store)
        store.close()


# --- rows that were put back: STO-30 ------------------------------------------------------------------


DELETED: Final[dict[str, Call]] = {
    "peers": lambda store: store.tables.peers.delete(OTHER),
    "sessions": lambda store: store.tables.sessions.delete(3),
    "entries": lambda store: store.tables.entries.delete(CONTACT, ENTRY_KEYS[1]),
}
"""Rows of the tables that no opening compares are deleted."""


def not_backed_up(folder: Path, store: SqliteStore) -> None:
    for _ in range(2):
        with pytest.raises(CorruptStore, match="an earlier one was put back"):
            store.backup(folder / "copy.db")
        assert names(folder) == set()


@pytest.mark.parametrize("table", CHANGED)
def test_a_store_whose_row_was_put_back_while_it_is_open_has_no_backup(fast_path: Path, table: str) -> None:
    filled(fast_path)
    with open_sqlite(fast_path) as store:
        before = rows(fast_path, table)
        with store.transaction():
            CHANGED[table](store)
        (old,) = set(before) - set(rows(fast_path, table))
        attack(fast_path, put(table, old))
        not_backed_up(fast_path, store)


@pytest.mark.parametrize("table", DELETED)
@pytest.mark.parametrize("calls", [CHANGED, DELETED], ids=["replaced", "deleted"])
def test_a_row_that_an_opening_does_not_compare_is_compared_by_a_backup(
    fast_path: Path, table: str, calls: dict[str, Call]
) -> None:
    filled(fast_path)
    before = rows(fast_path, table)
    change(fast_path, calls[table])
    old = sorted(set(before) - set(rows(fast_path, table)), key=repr)
    attack(fast_path, put(table, old[0]))
    with open_sqlite(fast_path) as store:
        not_backed_up(fast_path, store)


@pytest.mark.parametrize("table", DELETED)
def test_a_store_that_lost_a_row_has_no_backup(fast_path: Path, table: str) -> None:
    filled(fast_path)
    # Entries of the kinds from 16 on are in no sum.
    attack(fast_path, (f"DELETE FROM letterlock_{table}{' WHERE kind < 16' * (table == 'entries')}", ()))
    with open_sqlite(fast_path) as store:
        not_backed_up(fast_path, store)


def test_a_bucket_that_was_compared_before_is_compared_again(fast_path: Path) -> None:
    filled(fast_path)
    with open_sqlite(fast_path) as store:
        with store.transaction():
            store._database.digest.require_all()
        store.backup(fast_path / "first.db")
        attack(fast_path, ("DELETE FROM letterlock_peers", ()))
        with pytest.raises(CorruptStore):
            store.backup(fast_path / "copy.db")


def test_a_withdrawn_identity_does_not_reach_a_backup(fast_path: Path) -> None:
    """The attacker has an old file, and puts back the row of one peer: a key that is trusted no longer."""
    peer = Address("bob")
    first, second = (Account.create(MemoryStore(), peer) for _ in range(2))
    with open_sqlite(fast_path) as store:
        alice = Account.create(store, Address("alice"))
        alice.initiate(peer, first.bundle())
        old = rows(fast_path, "peers")
        alice.accept_identity(peer, second.identity.data)
    attack(fast_path, put("peers", old[0]))
    with open_sqlite(fast_path) as store:
        not_backed_up(fast_path, store)
