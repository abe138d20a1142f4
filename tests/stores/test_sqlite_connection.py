"""SqliteStore and its connection: pragmas, SQLite's errors, and the number of pages and statements."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from letterlock.errors import (
    CorruptStore,
    LetterlockError,
    StoreBusy,
    StoreError,
    UnsupportedStore,
)
from letterlock.limits import MAX_KEYS_IN_ROW
from letterlock.stores import SqliteStore
from letterlock.stores._sqlite import opening
from letterlock.stores._sqlite.database import store_error
from support.store_tools import (
    ALICE,
    CHAINS,
    KEY,
    committed,
    exposed,
    fill,
    key_range,
    open_sqlite,
    prekey,
    record,
    session,
)
from support.store_tools import SIGNED as KIND

# --- pragmas --------------------------------------------------------------------------------------


def test_the_connection_is_set_up_for_durability(tmp_path: Path) -> None:
    with open_sqlite(tmp_path, busy_timeout=0.05) as store, store.transaction():
        values = {
            name: store.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
        }
        others = [
            store.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version", "busy_timeout", "integrity_check")
        ]
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
    }
    assert others == [int.from_bytes(b"LtLk", "big"), 2, 50, "ok"]


def test_a_file_system_without_a_write_ahead_log_is_refused() -> None:
    # On a network file system, SQLite stays in its old mode and returns it, as it does in memory.
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(StoreError, match="local disk"):
        opening._use_write_ahead_log(connection, 0)


def test_the_default_time_out_is_the_limit(path: Path) -> None:
    with SqliteStore(path, key=KEY) as store, store.transaction():
        assert store.connection.execute("PRAGMA busy_timeout").fetchone() == (30_000,)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM letterlock_sessions WHERE peer = x'' ORDER BY rank DESC, id DESC LIMIT 1",
        "SELECT 1 FROM letterlock_skipped WHERE session = 1 AND chain = x'' AND start <= 1 ORDER BY start",
        "SELECT count(*) FROM letterlock_skipped WHERE session = 1",
        "SELECT seq, chains FROM letterlock_past_chains WHERE session = 1 ORDER BY seq",
        "DELETE FROM letterlock_prekeys WHERE expires <= 1",
        "SELECT count(*) FROM letterlock_replays WHERE kind = 1 AND id = 1",
    ],
)
def test_every_query_has_an_index(store: SqliteStore, query: str) -> None:
    with store.transaction():
        plan = [row[3] for row in store.connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert not any("SCAN" in step or "TEMP B-TREE" in step for step in plan), plan


# --- SQLite's errors ------------------------------------------------------------------------------


def test_a_transaction_waits_for_another_one_and_then_raises_busy(store: SqliteStore, tmp_path: Path) -> None:
    with open_sqlite(tmp_path, busy_timeout=0.05) as second:
        with (
            store.transaction(),
            pytest.raises(StoreBusy, match=r"0\.05 s: try again"),
            second.transaction(),
        ):
            pytest.fail("two transactions at once")
        with second.transaction():
            second.tables.account.save(record("second"))
    assert committed(store)["account"] == exposed(record("second"))


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_opening_a_store_without_a_log_waits_for_its_lock(tmp_path: Path, statement: str) -> None:
    # A process that is killed after it created the tables leaves such a store. SQLite itself refuses to
    # switch to the log while somebody writes, without waiting.
    open_sqlite(tmp_path).close()
    holder = sqlite3.connect(tmp_path / "store.db", isolation_level=None, check_same_thread=False)
    holder.execute("PRAGMA journal_mode = DELETE")
    holder.execute(statement)
    with pytest.raises(StoreBusy):
        open_sqlite(tmp_path, busy_timeout=0.05)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(open_sqlite, tmp_path)
        time.sleep(0.1)  # an opening that does not wait would fail meanwhile
        assert not waiting.done()
        holder.close()
        with waiting.result(10) as opened, opened.transaction():
            assert opened.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_full_disk_is_a_store_error_and_leaves_the_store_usable(store: SqliteStore) -> None:
    before = committed(store)
    with store.transaction():
        pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
        store.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match="full") as caught, store.transaction():
        store.tables.account.save(record("x" * 100_000))
    assert not isinstance(caught.value, StoreBusy | CorruptStore)
    assert committed(store) == before

    # An application that catches the error cannot commit the rows that fitted. STO-4
    def catch() -> None:
        with store.transaction():
            store.tables.peers.save(ALICE, record("changed"))
            with pytest.raises(StoreError):
                store.tables.prekeys.add([prekey(KIND, 7), prekey(KIND, 8, None, "x" * 100_000)])

    with suppress(StoreError):
        catch()
    with store.transaction():
        assert store.tables.prekeys.count(KIND) == 2
    with store.transaction():
        store.tables.account.save(record("small"))
    assert committed(store)["account"] == exposed(record("small"))


def test_a_commit_that_fails_is_undone(store: SqliteStore) -> None:
    with store.transaction():
        store.connection.execute("CREATE TABLE mine (id INTEGER PRIMARY KEY)")
        store.connection.execute(
            "CREATE TABLE theirs (id REFERENCES mine (id) DEFERRABLE INITIALLY DEFERRED)"
        )
    before = committed(store)

    def block() -> None:
        with store.transaction():
            store.tables.account.save(record("undone"))
            store.connection.execute("INSERT INTO theirs VALUES (1)")

    with pytest.raises(StoreError, match="deferred constraint") as caught:
        block()
    assert not isinstance(caught.value, CorruptStore)
    assert committed(store) == before
    with store.transaction():
        store.tables.account.save(record("done"))
        store.connection.execute("INSERT INTO mine VALUES (1)")
        store.connection.execute("INSERT INTO theirs VALUES (1)")
    assert committed(store)["account"] == exposed(record("done"))


class Refusing:
    """A connection on which one statement fails, as it does on a broken disk."""

    def __init__(self, connection: sqlite3.Connection, statement: str) -> None:
        self._connection = connection
        self._statement = statement

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def execute(self, sql: str, *rest: object) -> object:
        if sql.startswith(self._statement):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return self._connection.execute(sql, *rest)  # type: ignore[arg-type]


def test_a_broken_disk_at_commit_is_undone(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = committed(store)
    database = store._database
    with monkeypatch.context() as patched:
        patched.setattr(database, "_connection", Refusing(database._connection, "COMMIT"))
        with pytest.raises(StoreError, match="disk I/O error"), store.transaction():
            store.tables.account.save(record("undone"))
    assert committed(store) == before


def test_a_store_closes_though_its_checkpoint_fails(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    with store.transaction():
        fill(store)
    database = store._database
    whole = database._connection
    database._connection = Refusing(whole, "PRAGMA wal_checkpoint")  # type: ignore[assignment]
    store.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        whole.execute("SELECT 1")
    with open_sqlite(tmp_path) as store:
        assert committed(store)["account"] == exposed(record("account"))


def error(kind: type[sqlite3.Error], code: int | None) -> sqlite3.Error:
    made = kind("what sqlite says")
    if code is not None:
        made.sqlite_errorcode = code
    return made


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        (sqlite3.OperationalError, sqlite3.SQLITE_BUSY, StoreBusy),
        (sqlite3.OperationalError, sqlite3.SQLITE_BUSY_SNAPSHOT, StoreBusy),
        (sqlite3.OperationalError, sqlite3.SQLITE_BUSY_RECOVERY, StoreBusy),
        (sqlite3.OperationalError, sqlite3.SQLITE_LOCKED, StoreBusy),
        (sqlite3.DatabaseError, sqlite3.SQLITE_CORRUPT, CorruptStore),
        (sqlite3.DatabaseError, sqlite3.SQLITE_CORRUPT_VTAB, CorruptStore),
        (sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, CorruptStore),
        (sqlite3.OperationalError, None, CorruptStore),
        (sqlite3.DatabaseError, sqlite3.SQLITE_NOTADB, UnsupportedStore),
        (sqlite3.OperationalError, sqlite3.SQLITE_FULL, StoreError),
        (sqlite3.OperationalError, sqlite3.SQLITE_READONLY, StoreError),
        (sqlite3.OperationalError, sqlite3.SQLITE_IOERR_FSYNC, StoreError),
        (sqlite3.OperationalError, sqlite3.SQLITE_CANTOPEN, StoreError),
        (sqlite3.ProgrammingError, None, StoreError),
    ],
)
def test_each_error_of_sqlite_becomes_one_of_ours(
    kind: type[sqlite3.Error], code: int | None, expected: type[StoreError]
) -> None:
    assert type(store_error(error(kind, code), 1)) is expected


def test_text_that_is_not_utf_8_is_not_quoted(store: SqliteStore) -> None:
    with store.transaction():
        store.connection.execute("UPDATE letterlock_account SET sealed = CAST(x'53454352ff' AS TEXT)")
    with pytest.raises(CorruptStore) as caught, store.transaction():
        store.tables.account.load()
    assert "SECR" not in str(caught.value)


# --- cost -----------------------------------------------------------------------------------------


def test_saving_a_session_writes_one_page_however_many_keys_are_skipped(tmp_path: Path) -> None:
    texts = iter("abcd")

    def changed_pages(store: SqliteStore) -> int:
        wal = tmp_path / "store.db-wal"
        before = wal.stat().st_size
        with store.transaction():
            store.tables.sessions.save(session(1, ALICE, 1, next(texts)))
        return (wal.stat().st_size - before) // 4096

    with open_sqlite(tmp_path) as store:
        with store.transaction():
            fill(store)
            store.connection.execute("PRAGMA wal_autocheckpoint = 0")
        changed_pages(store)
        few = changed_pages(store)  # the rank stays, so not even its index is written
        with store.transaction():
            store.tables.skipped_keys.add(1, [[key_range(0, 2000, CHAINS[2])]], 0)
        assert changed_pages(store) == few == 1


def test_adding_skipped_keys_runs_one_prepared_statement(store: SqliteStore) -> None:
    statements: list[str] = []
    with store.transaction():
        store.connection.set_trace_callback(statements.append)
        store.tables.skipped_keys.add(1, [[key_range(0, 2000, CHAINS[2])]], 0)
        store.connection.set_trace_callback(None)
    looks, (begin, compare) = statements[:2], statements[2:4]
    inserts, (read, write, end) = statements[4:-3], statements[-3:]
    assert all(each.startswith("SELECT") for each in looks), looks
    assert (begin, end) == ("SAVEPOINT letterlock_1", "RELEASE letterlock_1")
    assert compare == read == "SELECT sealed FROM letterlock_digest WHERE id = 1"
    assert write.startswith("UPDATE letterlock_digest")
    assert len(inserts) == -(-2000 // MAX_KEYS_IN_ROW)
    assert all(each.startswith("INSERT INTO letterlock_skipped") for each in inserts)


def test_an_error_of_sqlite_is_the_cause_of_ours(path: Path) -> None:
    path.write_bytes(b"junk")
    with pytest.raises(LetterlockError) as caught:
        SqliteStore(path, key=KEY)
    assert isinstance(caught.value.__cause__, sqlite3.Error)
