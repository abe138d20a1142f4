"""The path of an SQLite store, and the files beside it: what is refused and left alone. STO-15"""

import os
import resource
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock.errors import StoreError, UnsupportedStore, UsageError
from letterlock.stores import SqliteStore
from support.store_tools import KEY, committed, exposed, fill, open_sqlite, output_of, record, start_python


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder in which no store is open: reading would drop its locks."""
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


# --- paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["a\0b", "\0", b"store.db", None, 7, "\ud800.db"])
def test_what_is_no_path_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: object) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="path of a store"):
        SqliteStore(path, key=KEY)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_store_in_memory_is_another_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="MemoryStore"):
        SqliteStore(":memory:", key=KEY)
    assert list(tmp_path.iterdir()) == []
    SqliteStore("./:memory:", key=KEY).close()
    assert list(contents(tmp_path)) == [":memory:"]


def test_a_leading_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(elsewhere)
    SqliteStore("~/store.db", key=KEY).close()
    assert list(contents(home)) == ["store.db"]
    SqliteStore("./~store.db", key=KEY).close()
    SqliteStore("~backup.db", key=KEY).close()  # a name, and no directory of a user
    assert set(contents(elsewhere)) == {"~store.db", "~backup.db"}
    with pytest.raises(UsageError, match="no home directory"):
        SqliteStore("~nobody-of-this-name/store.db", key=KEY)
    with pytest.raises(StoreError, match="directory"):
        SqliteStore("~", key=KEY)
    assert {each.name for each in elsewhere.iterdir()} == {"~store.db", "~backup.db"}


@pytest.mark.parametrize("name", ["n" * 255, "n" * 300, "n/" * 3000 + "n", "ä" * 128])
def test_a_name_that_is_too_long_is_a_store_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="name too long"):
        SqliteStore(tmp_path / name, key=KEY)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "fifo", tmp_path / "loop", tmp_path / "file" / "store.db", Path("/dev/null")):
        with pytest.raises(StoreError, match=r"not a regular file|cannot be used"):
            SqliteStore(path, key=KEY)


@pytest.mark.parametrize("content", [b"x", b"\0", b"SQ", b"x" * 511, b"SQLite format 3\0" + bytes(84)])
def test_a_short_file_that_is_not_ours_is_not_overwritten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(UnsupportedStore):
        open_sqlite(tmp_path)
    assert contents(tmp_path) == {"store.db": content}


# --- rights ---------------------------------------------------------------------------------------

AS_A_USER_WITHOUT_RIGHTS = """
import os, sys, letterlock
from pathlib import Path
letterlock.MemoryStore, letterlock.SqliteStore
folder = Path(sys.argv[1])
letterlock.SqliteStore(folder / "warm.db", key=bytes(32)).close()  # import what is imported late
if os.geteuid() == 0:
    os.setuid(65534)
def attempt(path):
    try:
        with letterlock.SqliteStore(path, key=bytes(32), busy_timeout=0) as store, store.transaction():
            pass
    except letterlock.StoreError as error:
        print(type(error).__name__, error)
    else:
        print("opened")
path = folder / "store.db"
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a directory that every user may write to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def printed_by_a_user(folder: Path, code: str) -> list[str]:
    return output_of(start_python(AS_A_USER_WITHOUT_RIGHTS + code, folder)).splitlines()


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_read_only_file_is_named_and_the_remedy_works(open_folder: Path, suffix: str) -> None:
    code = f"""
letterlock.SqliteStore(path, key=bytes(32)).close()
other = Path(str(path) + {suffix!r})
other.touch()
other.chmod(0o400)
attempt(path)
print(sorted(each.name for each in folder.iterdir() if each.name.startswith("store")))
other.chmod(0o600)
attempt(path)
"""
    refused, names, again = printed_by_a_user(open_folder, code)
    assert refused.startswith(f"StoreError 'store.db{suffix}' may not be read and written")
    assert names == repr(sorted({"store.db", f"store.db{suffix}"}))  # no read-only file was put beside it
    assert again == "opened"


def test_a_moment_of_chmod_leaves_nothing_that_blocks(open_folder: Path) -> None:
    code = """
letterlock.SqliteStore(path, key=bytes(32)).close()
for mode in (0o400, 0o000, 0o200, 0o600):
    path.chmod(mode)
    attempt(path)
"""
    *refused, last = printed_by_a_user(open_folder, code)
    assert [each.split()[0] for each in refused] == ["StoreError"] * 3
    assert last == "opened"


def test_a_directory_without_rights_is_a_store_error(open_folder: Path) -> None:
    code = """
inner = folder / "inner"
inner.mkdir()
for mode in (0o600, 0o400, 0o000, 0o500):
    inner.chmod(mode)
    attempt(inner / "store.db")
inner.chmod(0o700)
print(list(inner.iterdir()))
attempt(inner / "store.db")
"""
    *refused, empty, last = printed_by_a_user(open_folder, code)
    assert len(refused) == 4
    for each in refused:
        assert each.startswith("StoreError store file 'store.db' cannot be used: permission denied")
    assert str(open_folder) not in "".join(refused)
    assert (empty, last) == ("[]", "opened")


# --- a log without its database -------------------------------------------------------------------


@pytest.fixture
def log_left_behind(tmp_path: Path) -> Path:
    """Return a folder with the log of a killed process, from which the database was moved away."""
    original, folder = tmp_path / "original", tmp_path / "left"
    original.mkdir()
    folder.mkdir()
    with open_sqlite(original) as store:
        with store.transaction():
            fill(store)
        with store.transaction():  # the commit of a new account empties the log; a later one fills it
            store.tables.account.save(record("account"))
        for name in ("store.db", "store.db-wal"):
            (folder / name).write_bytes((original / name).read_bytes())
    (folder / "store.db").rename(tmp_path / "moved.db")
    return folder


@pytest.mark.parametrize("empty", [False, True])
def test_a_log_without_its_database_is_not_deleted(
    log_left_behind: Path, tmp_path: Path, empty: bool
) -> None:
    if empty:
        (log_left_behind / "store.db").touch()
    before = contents(log_left_behind)
    with pytest.raises(StoreError, match=r"'store\.db-wal', which belongs to it, is there"):
        open_sqlite(log_left_behind)
    assert contents(log_left_behind) == before
    (tmp_path / "moved.db").rename(log_left_behind / "store.db")
    with open_sqlite(log_left_behind) as store:
        assert committed(store)["account"] == exposed(record("account"))


def test_a_journal_without_its_database_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "store.db-journal").write_bytes(b"what undoes a change in the file that was moved")
    before = contents(tmp_path)
    with pytest.raises(StoreError, match=r"'store\.db-journal', which belongs to it, is there"):
        open_sqlite(tmp_path)
    assert contents(tmp_path) == before


def test_a_database_whose_log_was_left_behind_does_not_become_a_new_store(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "other.db", isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("CREATE TABLE theirs (x)")
    (tmp_path / "store.db").write_bytes((tmp_path / "other.db").read_bytes())
    other.close()
    before = (tmp_path / "store.db").read_bytes()
    with pytest.raises(UnsupportedStore, match="-wal"):
        open_sqlite(tmp_path)
    assert (tmp_path / "store.db").read_bytes() == before


# --- memory ---------------------------------------------------------------------------------------

WITH_LITTLE_MEMORY = """
import resource, sys
from letterlock import SqliteStore, StoreError
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + (32 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    SqliteStore.open(sys.argv[1], passphrase="correct horse")
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc to read the size from")
@pytest.mark.skipif(not hasattr(resource, "RLIMIT_AS"), reason="no limit on memory")
def test_too_little_memory_for_a_passphrase_says_how_much_it_takes(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    assert "takes 64 MiB" in output_of(start_python(WITH_LITTLE_MEMORY, path))
    assert list(tmp_path.iterdir()) == []
    SqliteStore.open(path, passphrase="correct horse").close()
    before = path.read_bytes()
    assert "takes 64 MiB" in output_of(start_python(WITH_LITTLE_MEMORY, path))
    assert path.read_bytes() == before
