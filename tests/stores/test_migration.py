"""STO-21: a store that release 0.1.0 wrote is migrated whole or not at all, and its conversations go on.

The files are real ones of that release (data/make_first_stores.py), with messages that had not arrived yet.
"""

import itertools
import json
import os
import signal
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock import Account, Address, SqliteStore
from letterlock._wire.suite import Suite
from letterlock.errors import CorruptStore, StoreBusy, StoreError, WrongKey
from letterlock.stores._sqlite import opening
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.schema import TABLES
from support.store_tools import fork_python, output_of

DATA: Final = Path(__file__).parent / "data" / "first_stores.zip"
KEY: Final = bytes(range(32))
PASSPHRASE: Final = "correct horse battery staple"
NOON: Final = 1_700_000_000
ALICE: Final = Address("alice")
NONCE_BYTES: Final = 24

with zipfile.ZipFile(DATA) as _archive:
    LETTERS: Final[dict[str, Any]] = json.loads(_archive.read("letters.json"))

SMALL: Final = "late"
"""A peer with skipped keys and side data, and few rows of each."""


@pytest.fixture
def folder(fast_path: Path) -> Path:
    with zipfile.ZipFile(DATA) as archive:
        archive.extractall(fast_path)
    return fast_path


def open_store(folder: Path, name: str, **options: Any) -> SqliteStore:
    path = folder / f"{name}.db"
    if name in LETTERS and LETTERS[name]["passphrase"]:
        return SqliteStore.open(path, passphrase=PASSPHRASE, **options)
    return SqliteStore(path, key=KEY, **options)


def open_account(store: SqliteStore) -> Account:
    return Account.open(store, suites=frozenset(Suite), clock=lambda: NOON)


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def version(path: Path) -> int:
    return int(rows(path, "PRAGMA user_version")[0][0])


def raw(path: Path) -> bytes:
    """Return the bytes of the database, its log and its journal."""
    names = [path, *(path.with_name(path.name + tail) for tail in ("-wal", "-journal"))]
    return b"".join(name.read_bytes() for name in names if name.exists())


# --- conversations go on ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LETTERS)
def test_a_conversation_goes_on(folder: Path, name: str) -> None:
    peer_address, letters = Address(name), LETTERS[name]
    with open_store(folder, "alice") as alice_store, open_store(folder, name) as peer_store:
        alice, peer = open_account(alice_store), open_account(peer_store)
        for text, wire in letters["from_alice"]:
            assert peer.decrypt(ALICE, bytes.fromhex(wire)) == text.encode()
        for text, wire in letters["to_alice"]:
            assert alice.decrypt(peer_address, bytes.fromhex(wire)) == text.encode()
        for number in range(40):
            text = b"text %d" % number
            assert peer.decrypt(ALICE, alice.encrypt(peer_address, text)) == text
            assert alice.decrypt(peer_address, peer.encrypt(ALICE, text)) == text


def test_only_one_side_need_be_migrated(folder: Path) -> None:
    with open_store(folder, "alice") as store:
        alice = open_account(store)
        assert {peer.address.name for peer in alice.peers()} == set(LETTERS)
        assert alice.safety_number(Address(SMALL)) is not None
        before = {name: version(folder / f"{name}.db") for name in LETTERS}
    assert set(before.values()) == {1}


def test_a_migrated_store_opens_again(folder: Path) -> None:
    for _ in range(3):
        with open_store(folder, "alice") as store:
            alice = open_account(store)
            alice.encrypt(Address(SMALL), b"text")


def test_sessions_that_were_not_used_yet_are_still_read_later(folder: Path) -> None:
    open_store(folder, "alice").close()
    with open_store(folder, "alice") as store:
        alice = open_account(store)
        for name, letters in LETTERS.items():
            for text, wire in letters["to_alice"]:
                assert alice.decrypt(Address(name), bytes.fromhex(wire)) == text.encode()


# --- what the file is afterwards ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", SMALL, "plain", "often"])
def test_the_file_is_one_of_today(folder: Path, name: str) -> None:
    path = folder / f"{name}.db"
    before = {
        table: rows(path, f"SELECT count(*) FROM letterlock_{table}")
        for table in ("account", "peers", "prekeys", "replays", "sessions")
    }
    keys = rows(path, "SELECT count(*) FROM letterlock_skipped")
    chains = rows(path, "SELECT count(*) FROM letterlock_past_chains")
    open_store(folder, name).close()
    assert version(path) == 2
    schema = rows(path, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    assert sorted(sql for (sql,) in schema) == sorted(TABLES)
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "PRAGMA foreign_key_check") == []
    assert before == {table: rows(path, f"SELECT count(*) FROM letterlock_{table}") for table in before}
    assert rows(path, "SELECT coalesce(sum((length(sealed) - 52) / 32), 0) FROM letterlock_skipped") == keys
    assert rows(path, "SELECT coalesce(sum(length(chains)) / 16, 0) FROM letterlock_past_chains") == chains


def test_skipped_keys_are_kept_from_now_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("letterlock.stores._sqlite.migration.time.time", lambda: NOON + 0.9)
    with open_store(folder, "alice") as store, store.transaction():
        assert store.tables.skipped_keys.delete_kept_before(NOON) == 0
        assert store.tables.skipped_keys.delete_kept_before(NOON + 1) > 0


def test_foreign_keys_hold_after_migration(folder: Path) -> None:
    with open_store(folder, "alice") as store, store.transaction():
        assert store.connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.parametrize("name", ["alice", SMALL, "often"])
def test_nothing_of_the_earlier_states_is_left(folder: Path, name: str) -> None:
    """STO-12: a session's record, its side data and its skipped keys are sealed anew; the old ones go."""
    path = folder / f"{name}.db"
    old = [
        record[:NONCE_BYTES]
        for table in ("sessions", "skipped", "parts")
        for (record,) in rows(path, f"SELECT record FROM letterlock_{table}")
    ]
    assert len(old) > 3
    assert all(nonce in raw(path) for nonce in old)
    with open_store(folder, name):
        assert not any(nonce in raw(path) for nonce in old)
    assert not any(nonce in raw(path) for nonce in old)


def test_a_reader_postpones_it_until_the_next_message(folder: Path) -> None:
    path = folder / "alice.db"
    old = [record[:NONCE_BYTES] for (record,) in rows(path, "SELECT record FROM letterlock_sessions")]
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM letterlock_sessions").fetchone()
        store = open_store(folder, "alice", busy_timeout=0)
        assert any(nonce in raw(path) for nonce in old)
    with store:
        open_account(store).encrypt(Address(SMALL), b"text")
        assert not any(nonce in raw(path) for nonce in old)


@pytest.mark.parametrize("name", ["alice", "plain"])
def test_backup_and_rekey_work_afterwards(folder: Path, name: str) -> None:
    with open_store(folder, name) as store:
        store.backup(folder / "copy.db")
        store.rekey(key=bytes(32))
    for path in (folder / f"{name}.db", folder / "copy.db"):
        assert version(path) == 2
    with SqliteStore(folder / f"{name}.db", key=bytes(32)) as store:
        open_account(store)


# --- all or nothing -----------------------------------------------------------------------------------


def statements(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Migrate a store, and return the statements of that in their order."""
    found, migrate = list[str](), vars(opening)["migrate"]

    def watched(connection: sqlite3.Connection, cipher: StoreCipher) -> None:
        connection.set_trace_callback(found.append)
        migrate(connection, cipher)

    with monkeypatch.context() as patch:
        patch.setattr(opening, "migrate", watched)
        SqliteStore(path, key=KEY).close()
    return found


def killed_at(path: Path, statement: int) -> bool:
    """Migrate a store in a process that is killed when it begins a statement. Return whether it was."""
    child = os.fork()
    if child == 0:
        try:
            migrate_until(path, statement)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def migrate_until(path: Path, statement: int) -> None:
    begun, migrate = itertools.count(1), vars(opening)["migrate"]

    def trace(_: str) -> None:
        if next(begun) == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(connection: sqlite3.Connection, cipher: StoreCipher) -> None:
        connection.set_trace_callback(trace)
        migrate(connection, cipher)

    vars(opening)["migrate"] = watched
    SqliteStore(path, key=KEY).close()


@pytest.mark.slow
def test_a_kill_at_any_statement_leaves_one_whole_store(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When several statements in a row read, a kill at one stands for all: the file is the same at each."""
    path = folder / f"{SMALL}.db"
    whole, letters = path.read_bytes(), LETTERS[SMALL]

    def put_back() -> None:
        for each in folder.glob(f"{SMALL}.db*"):
            each.unlink()
        path.write_bytes(whole)

    reads = [text.lstrip().startswith("SELECT") for text in statements(path, monkeypatch)]
    versions, kills = set[int](), 0
    for number, (before, now) in enumerate(itertools.pairwise([False, *reads]), 1):
        if before and now:
            continue
        put_back()
        assert killed_at(path, number)
        kills += 1
        versions.add(version(path))
        with open_store(folder, SMALL) as store:
            peer = open_account(store)
            for text, wire in letters["from_alice"]:
                assert peer.decrypt(ALICE, bytes.fromhex(wire)) == text.encode()
        assert version(path) == 2
    put_back()
    assert not killed_at(path, len(reads) + 1)
    assert kills > 30
    assert versions == {1, 2}  # the checkpoint comes after the commit


OPENER: Final = """
import sys
from letterlock import Account, Address, SqliteStore
print("ready", flush=True)
sys.stdin.readline()
with SqliteStore(sys.argv[1], key=bytes.fromhex(sys.argv[2])) as store:
    account = Account.open(store)
    for _ in range(3):
        account.encrypt(Address("late"), b"text")
"""


def test_processes_that_open_it_at_once_agree(folder: Path) -> None:
    path = folder / "alice.db"
    processes = [fork_python(OPENER, path, KEY.hex()) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        output_of(process)
    with open_store(folder, "alice") as alice_store, open_store(folder, SMALL) as peer_store:
        alice, peer = open_account(alice_store), open_account(peer_store)
        assert peer.decrypt(ALICE, alice.encrypt(Address(SMALL), b"text")) == b"text"


def test_a_writer_makes_it_wait_and_raise_busy(folder: Path) -> None:
    path = folder / "alice.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            open_store(folder, "alice", busy_timeout=0.05)
        writer.execute("ROLLBACK")
        assert version(path) == 1
    open_store(folder, "alice").close()


def test_a_process_of_the_earlier_release_cannot_go_on(folder: Path) -> None:
    """Its statements do not find their columns. Otherwise it would write sessions that nothing here reads."""
    path = folder / "alice.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as earlier:
        earlier.execute("SELECT record FROM letterlock_sessions").fetchall()
        with open_store(folder, "alice"):
            for sql in (
                "SELECT id, rank, record FROM letterlock_sessions WHERE peer = x'' LIMIT 1",
                "UPDATE letterlock_sessions SET record = x'' WHERE id = 1",
                "SELECT record FROM letterlock_account WHERE id = 1",
                "SELECT record FROM letterlock_peers WHERE peer = x''",
                "INSERT INTO letterlock_prekeys (kind, id, expires, record) VALUES (1, 1, 1, x'')",
                "INSERT INTO letterlock_past_chains (session, seq, chain) VALUES (1, 1, x'')",
            ):
                with pytest.raises(sqlite3.OperationalError, match=r"no such column|has no column"):
                    earlier.execute(sql)


@pytest.fixture
def unchanged(folder: Path) -> Iterator[Path]:
    """Give a store of the earlier release, and check that the test has left it as it is."""
    path = folder / f"{SMALL}.db"
    before = path.read_bytes()
    yield path
    assert path.read_bytes() == before
    assert version(path) == 1


def test_a_wrong_key_changes_nothing(unchanged: Path) -> None:
    with pytest.raises(WrongKey):
        SqliteStore(unchanged, key=bytes(32))
    with pytest.raises(WrongKey):
        SqliteStore.open(unchanged, passphrase=PASSPHRASE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_file_says_what_to_do(unchanged: Path) -> None:
    unchanged.chmod(0o400)
    with pytest.raises(StoreError, match="correct its owner or its mode"):
        SqliteStore(unchanged, key=KEY)


def test_a_file_that_may_not_be_written_says_what_to_do(
    unchanged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & os.W_OK)
    with pytest.raises(StoreError, match="correct its owner or its mode"):
        SqliteStore(unchanged, key=KEY)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE letterlock_sessions SET record = zeroblob(200)",
        "UPDATE letterlock_sessions SET rank = rank + 1",
        "UPDATE letterlock_skipped SET record = zeroblob(72)",
        "UPDATE letterlock_skipped SET number = number + 100",
        "UPDATE letterlock_parts SET record = zeroblob(100)",
        "UPDATE letterlock_parts SET seq = seq + 1",
        "UPDATE letterlock_parts SET slot = slot + 5",
        "UPDATE letterlock_parts SET slot = 'text' WHERE slot = 1",
        "UPDATE letterlock_past_chains SET chain = x'00'",
        "UPDATE letterlock_past_chains SET chain = 'sixteen letters.'",
        "UPDATE letterlock_past_chains SET chain = 1.5",
        "CREATE TRIGGER theirs AFTER UPDATE ON letterlock_account BEGIN SELECT 1; END",
        "CREATE TABLE letterlock_more (x)",
        "DROP TABLE letterlock_parts",
        "PRAGMA user_version = 2",
    ],
)
def test_an_edited_store_is_corrupt_and_stays_as_it_is(folder: Path, edit: str) -> None:
    path = folder / f"{SMALL}.db"
    with closing(sqlite3.connect(path)) as attacker, attacker:
        attacker.execute(edit)
    before = dump(path)
    for _ in range(2):
        with pytest.raises(CorruptStore):
            SqliteStore(path, key=KEY)
        assert dump(path) == before


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())
