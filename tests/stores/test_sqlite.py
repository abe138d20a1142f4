"""SqliteStore and its file: opening and creating it, keys, and what the file shows."""

import os
import sqlite3
import stat
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from letterlock.errors import (
    CorruptStore,
    StoreBusy,
    StoreError,
    UnsupportedStore,
    UsageError,
    WrongKey,
)
from letterlock.stores import SqliteStore
from letterlock.stores._sqlite import opening
from support.store_tools import (
    KEY,
    OTHER_KEY,
    PASSPHRASE,
    committed,
    contents,
    create_filled,
    everything,
    exposed,
    fill,
    open_sqlite,
    record,
)

pytestmark = pytest.mark.usefixtures("cheap_passphrases")


# --- keys -----------------------------------------------------------------------------------------


def test_a_store_that_is_opened_again_holds_what_was_saved(path: Path) -> None:
    for given in (path, str(path), Path(os.path.relpath(path))):
        with SqliteStore(given, key=KEY) as store:
            with store.transaction():
                if store.tables.account.load() is None:
                    fill(store)
            held = committed(store)
        assert held["account"] == exposed(record("account"))
        assert list(contents(path.parent)) == ["store.db"]


def test_a_passphrase_opens_the_store_that_it_created(path: Path) -> None:
    with SqliteStore.open(path, passphrase=PASSPHRASE) as store, store.transaction():
        fill(store)
        held = everything(store)
    with SqliteStore.open(path, passphrase=PASSPHRASE) as store:
        assert committed(store) == held
    assert repr(store) == "<SqliteStore 'store.db'>"


def wrong_ways(created_with_passphrase: bool) -> dict[str, Callable[[Path], SqliteStore]]:
    ways: dict[str, Callable[[Path], SqliteStore]] = {
        "key": lambda path: SqliteStore(path, key=OTHER_KEY),
        "passphrase": lambda path: SqliteStore.open(path, passphrase=PASSPHRASE + "!"),
    }
    if created_with_passphrase:
        return {**ways, "right bytes, as a key": lambda path: SqliteStore(path, key=KEY)}
    return {**ways, "key as text": lambda path: SqliteStore.open(path, passphrase=KEY.decode())}


@pytest.mark.parametrize("created_with_passphrase", [False, True])
def test_a_wrong_key_changes_nothing(path: Path, created_with_passphrase: bool) -> None:
    create_filled(path, **({"passphrase": PASSPHRASE} if created_with_passphrase else {}))
    before = contents(path.parent)
    stamp = path.stat().st_mtime_ns
    for name, way in wrong_ways(created_with_passphrase).items():
        expected = "passphrase" if created_with_passphrase else "key"
        with pytest.raises(WrongKey, match=f"this store is opened with a {expected}") as caught:
            way(path)
        text = "".join(traceback.format_exception(caught.value))
        assert not any(secret in text for secret in (OTHER_KEY.hex(), repr(OTHER_KEY), PASSPHRASE)), name
        assert contents(path.parent) == before, name
    assert list(before) == ["store.db"]
    assert path.stat().st_mtime_ns == stamp


def test_a_wrong_key_changes_nothing_in_a_crashed_store(tmp_path: Path) -> None:
    # A killed process leaves a write-ahead log, which the next one that opens the store copies into the file.
    original = tmp_path / "original"
    original.mkdir()
    with open_sqlite(original) as store:
        with store.transaction():
            fill(store)
        copied = {name: (original / name).read_bytes() for name in ("store.db", "store.db-wal")}
        # Reading closed the file, which dropped this process's locks on it. Nobody else uses the file.
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name, data in copied.items():
        (crashed / name).write_bytes(data)
    with pytest.raises(WrongKey):
        open_sqlite(crashed, key=OTHER_KEY)
    assert contents(crashed) == copied
    with open_sqlite(crashed) as store:
        assert committed(store)["account"] == exposed(record("account"))


def test_a_wrong_key_does_not_disturb_an_open_store(store: SqliteStore, tmp_path: Path) -> None:
    # `peek` opens the same file in the same process. When it closes the file, the store must keep its lock.
    with store.transaction():
        with pytest.raises(WrongKey):
            open_sqlite(tmp_path, key=OTHER_KEY)
        second = open_sqlite(tmp_path, busy_timeout=0)
        with second, pytest.raises(StoreBusy), second.transaction():
            pytest.fail("two transactions at once")
        store.tables.account.save(record("still locked"))


def test_a_store_that_peek_cannot_read_is_opened_nevertheless(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `peek` cannot read it while another process holds a lock, or creates the store a moment later.
    create_filled(path)
    monkeypatch.setattr(opening, "peek", lambda _: None)
    with pytest.raises(WrongKey):
        SqliteStore(path, key=OTHER_KEY)
    with SqliteStore(path, key=KEY) as store:
        assert committed(store)["account"] == exposed(record("account"))


class Overtaken:
    """A connection that another process overtakes: that process does something before we get the lock."""

    def __init__(self, connection: sqlite3.Connection, overtake: Callable[[], None]) -> None:
        self._connection = connection
        self._overtake = overtake

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def execute(self, sql: str, *rest: object) -> object:
        if sql == "BEGIN EXCLUSIVE":
            self._overtake()
        return self._connection.execute(sql, *rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
def test_a_store_that_another_process_creates_first_is_opened(
    path: Path, monkeypatch: pytest.MonkeyPatch, key: bytes
) -> None:
    # The key must fit that store, and its data key is the one that counts.
    open_file = opening.open_database
    overtaken: list[Path] = []

    def overtake() -> None:
        patched.undo()
        create_filled(path)
        overtaken.append(path)

    with monkeypatch.context() as patched:
        patched.setattr(opening, "open_database", lambda *how: Overtaken(open_file(*how), overtake))
        if key == KEY:
            with SqliteStore(path, key=key) as store:
                assert committed(store)["account"] == exposed(record("account"))
        else:
            with pytest.raises(WrongKey):
                SqliteStore(path, key=key)
    assert overtaken == [path]
    with SqliteStore(path, key=KEY) as store:
        assert committed(store)["account"] == exposed(record("account"))


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), bytearray(32), "k" * 32, None])
def test_an_invalid_key_creates_no_file(path: Path, key: object) -> None:
    with pytest.raises(UsageError):
        SqliteStore(path, key=key)  # type: ignore[arg-type]
    assert not path.exists()


@pytest.mark.parametrize("passphrase", ["", "x" * 4097, b"bytes", None])
def test_an_invalid_passphrase_creates_no_file(path: Path, passphrase: object) -> None:
    with pytest.raises(UsageError):
        SqliteStore.open(path, passphrase=passphrase)  # type: ignore[arg-type]
    assert not path.exists()


# --- files ----------------------------------------------------------------------------------------


def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    with open_sqlite(tmp_path) as store, store.transaction():
        fill(store)
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_the_mode_does_not_depend_on_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        SqliteStore(path, key=KEY).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    create_filled(path)
    with SqliteStore(path, key=KEY) as store:
        assert committed(store)["account"] is not None


def test_a_store_whose_creation_was_interrupted_is_created_again(path: Path) -> None:
    # A process killed during the commit leaves a file that looks complete, and the journal that empties it.
    path.touch(0o600)
    interrupted = sqlite3.connect(path, isolation_level=None)
    interrupted.execute("PRAGMA cache_size = 1")
    interrupted.execute("BEGIN EXCLUSIVE")
    interrupted.execute("CREATE TABLE letterlock_meta (id INTEGER PRIMARY KEY, filler BLOB)")
    interrupted.execute("INSERT INTO letterlock_meta VALUES (1, zeroblob(1000000))")
    journal = (path.parent / "store.db-journal").read_bytes()
    interrupted.execute("COMMIT")
    interrupted.close()
    assert journal.startswith(bytes.fromhex("d9d505f920a163d7"))
    assert b"letterlock_meta" in path.read_bytes()
    (path.parent / "store.db-journal").write_bytes(journal)
    create_filled(path)
    with SqliteStore(path, key=KEY) as store:
        assert committed(store)["account"] is not None
    assert list(contents(path.parent)) == ["store.db"]


@pytest.mark.parametrize(
    "content",
    [b"no database at all" * 1000, b"SQLite format 3", bytes(100), bytes(4096), b"\xff" * 5000],
)
def test_a_file_that_is_no_database_is_refused_unchanged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(UnsupportedStore):
        SqliteStore(path, key=KEY)
    assert contents(path.parent) == {"store.db": content}


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("ids", [(0, 0), (0, 2), (77, 2), (0, 7)])
def test_the_database_of_another_application_is_refused_unchanged(
    path: Path, mode: str, ids: tuple[int, int]
) -> None:
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA journal_mode = {mode}")
    other.execute(f"PRAGMA application_id = {ids[0]}")
    other.execute(f"PRAGMA user_version = {ids[1]}")
    if ids == (0, 0):
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = contents(path.parent)
    with pytest.raises(UnsupportedStore, match="not a letterlock store"):
        SqliteStore(path, key=KEY)
    assert contents(path.parent) == before


@pytest.mark.parametrize("version", [0, 3, 4, 2**31 - 1, -1])
def test_a_store_of_another_version_is_refused_unchanged(path: Path, version: int) -> None:
    create_filled(path)
    edit(path, f"PRAGMA user_version = {version}")
    before = contents(path.parent)
    with pytest.raises(UnsupportedStore, match=f"store of version {version}"):
        SqliteStore(path, key=KEY)
    assert contents(path.parent) == before


def test_todays_tables_under_the_first_version_are_refused_unchanged(path: Path) -> None:
    create_filled(path)
    edit(path, "PRAGMA user_version = 1")
    before = contents(path.parent)
    with pytest.raises(CorruptStore, match="tables were altered"):
        SqliteStore(path, key=KEY)
    assert contents(path.parent) == before


def edit(path: Path, *statements: str) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        other.execute(statement)
    other.close()


@pytest.mark.parametrize("size", [2, 50, 99, 100, 512, 4095, 4096, 8192, -8192, -4096])
def test_a_truncated_file_is_refused(path: Path, size: int) -> None:
    create_filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:size])  # to SQLite, a file of one byte is an empty one
    with pytest.raises((CorruptStore, UnsupportedStore)):
        SqliteStore(path, key=KEY)
    assert path.read_bytes() == whole[:size]


def use_everything(path: Path) -> None:
    with SqliteStore(path, key=KEY) as store, store.transaction():
        everything(store)
        for each in (1, 2, 3):
            store.tables.sessions.delete(each)
        store.tables.prekeys.delete_expired(99)


def test_a_damaged_page_raises_corrupt_store(path: Path) -> None:
    create_filled(path)
    whole = path.read_bytes()
    for page in range(1, len(whole) // 4096):
        damaged = bytearray(whole)
        damaged[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
        path.write_bytes(damaged)
        with pytest.raises(CorruptStore):
            use_everything(path)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE letterlock_replays",
        "DROP INDEX letterlock_ranks",
        "ALTER TABLE letterlock_sessions ADD COLUMN more",
        "CREATE TABLE letterlock_more (x)",
        "CREATE INDEX more ON letterlock_peers (sealed)",
        "CREATE TRIGGER more AFTER INSERT ON letterlock_peers BEGIN DELETE FROM letterlock_prekeys; END",
        "CREATE TRIGGER More AFTER INSERT ON LETTERLOCK_PEERS BEGIN DELETE FROM letterlock_prekeys; END",
    ],
)
def test_altered_tables_are_refused(path: Path, change: str) -> None:
    create_filled(path)
    edit(path, change)
    with pytest.raises(CorruptStore):
        SqliteStore(path, key=KEY)


def test_a_folder_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "store.db"):
        with pytest.raises(StoreError) as caught:
            SqliteStore(path, key=KEY)
        assert str(tmp_path.parent) not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_dangling_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").symlink_to(tmp_path / "nowhere.db")
    with pytest.raises(StoreError):
        open_sqlite(tmp_path)
    assert not (tmp_path / "nowhere.db").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    create_filled(tmp_path / "store.db")
    for folder_mode, file_mode in ((0o500, 0o600), (0o700, 0o400), (0o000, 0o600)):
        (tmp_path / "store.db").chmod(file_mode)
        tmp_path.chmod(folder_mode)
        try:
            with pytest.raises(StoreError), open_sqlite(tmp_path) as store, store.transaction():
                store.tables.account.save(record("new"))
        finally:
            tmp_path.chmod(0o700)
            (tmp_path / "store.db").chmod(0o600)


@pytest.mark.parametrize("name", ["a b.db", "a?mode=memory.db", "a#b.db", "a%41.db", "ä€.db", ":memory:"])
def test_a_path_is_never_read_as_a_uri(tmp_path: Path, name: str) -> None:
    create_filled(tmp_path / name)
    assert list(contents(tmp_path)) == [name]
