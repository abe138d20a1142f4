"""The files of an open SQLite store are deleted, moved, replaced, or copied inside the process. STO-16"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from letterlock import Account, Address, MemoryStore
from letterlock.errors import StoreError
from letterlock.stores import SqliteStore
from support.store_tools import KEY, committed, exposed, fill, fork_python, open_sqlite, output_of, record


@pytest.fixture
def store(fast_path: Path) -> Iterator[SqliteStore]:
    with open_sqlite(fast_path) as made:
        with made.transaction():
            fill(made)
        yield made


def delete(folder: Path, suffix: str) -> None:
    (folder / f"store.db{suffix}").unlink()


def move(folder: Path, suffix: str) -> None:
    (folder / f"store.db{suffix}").rename(folder / "moved")


def replace(folder: Path, suffix: str) -> None:
    (folder / "other").write_bytes(b"")
    (folder / "other").replace(folder / f"store.db{suffix}")


def replace_by_its_copy(folder: Path, suffix: str) -> None:
    path = folder / f"store.db{suffix}"
    output_of(fork_python("import sys, shutil; shutil.copy(*sys.argv[1:])", path, folder / "other"))
    (folder / "other").replace(path)


def replace_folder(folder: Path, suffix: str) -> None:
    del suffix
    (folder / "inner").rename(folder / "moved")
    (folder / "inner").mkdir()


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
@pytest.mark.parametrize("change", [delete, move, replace, replace_by_its_copy])
def test_a_store_whose_file_is_gone_is_refused_at_once(
    store: SqliteStore, fast_path: Path, change: Callable[[Path, str], None], suffix: str
) -> None:
    change(fast_path, suffix)
    for _ in range(2):
        with pytest.raises(StoreError, match="deleted, moved or replaced"), store.transaction():
            pytest.fail("the transaction began")


def test_a_log_that_goes_during_a_transaction_is_noticed_at_its_end(
    store: SqliteStore, fast_path: Path
) -> None:
    with pytest.raises(StoreError, match="deleted, moved or replaced"), store.transaction():
        store.tables.account.save(record("later"))
        delete(fast_path, "-wal")


def test_a_folder_that_is_replaced_is_noticed(fast_path: Path) -> None:
    (fast_path / "inner").mkdir()
    with open_sqlite(fast_path / "inner") as store:
        with store.transaction():
            fill(store)
        replace_folder(fast_path, "")
        with pytest.raises(StoreError, match="deleted, moved or replaced"), store.transaction():
            pytest.fail("the transaction began")
    assert list((fast_path / "inner").iterdir()) == []


def test_a_link_that_points_elsewhere_is_noticed(fast_path: Path) -> None:
    link = fast_path / "link.db"
    for name in ("first.db", "second.db"):
        SqliteStore(fast_path / name, key=KEY).close()
    link.symlink_to("first.db")
    with SqliteStore(link, key=KEY) as store:
        with store.transaction():
            fill(store)
        assert (fast_path / "first.db-wal").exists()
        link.unlink()
        link.symlink_to("second.db")
        with pytest.raises(StoreError, match="deleted, moved or replaced"), store.transaction():
            pytest.fail("the transaction began")


def test_no_message_leaves_an_account_whose_file_is_gone(fast_path: Path) -> None:
    bob = Account.create(MemoryStore(), Address("bob"))
    with open_sqlite(fast_path) as store:
        alice = Account.create(store, Address("alice"))
        alice.initiate(bob.address, bob.bundle())
        (fast_path / "store.db").rename(fast_path / "moved.db")
        with pytest.raises(StoreError, match="deleted, moved or replaced"):
            alice.encrypt(bob.address, b"never sent")


SAVE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from support.store_tools import open_sqlite, record
with open_sqlite(Path(sys.argv[1])) as store, store.transaction():
    store.tables.account.save(record(sys.argv[3]))
"""


def save_in_another_process(folder: Path, text: str) -> None:
    """Open, change and close the store elsewhere. As the last one to close it, SQLite deletes the log."""
    assert output_of(fork_python(SAVE, folder, Path(__file__).parents[1], text)) == ""


def test_another_process_disturbs_nothing(store: SqliteStore, fast_path: Path) -> None:
    for text in ("first", "second"):
        save_in_another_process(fast_path, text)
        assert committed(store)["account"] == exposed(record(text))
    store.backup(fast_path / "copy.db")
    (fast_path / "store.db").chmod(0o640)
    assert committed(store)["account"] == exposed(record("second"))


def test_a_copy_made_in_the_process_forks_nothing(store: SqliteStore, fast_path: Path) -> None:
    # Closing its descriptor drops the locks that SQLite holds for this process.
    shutil.copy(fast_path / "store.db", fast_path / "copy.db")
    save_in_another_process(fast_path, "elsewhere")
    with pytest.raises(StoreError, match="deleted, moved or replaced"), store.transaction():
        store.tables.account.save(record("a fork"))
    store.close()
    with open_sqlite(fast_path) as again:
        assert committed(again)["account"] == exposed(record("elsewhere"))
        with again.transaction():
            assert again.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_closing_an_outdated_store_overwrites_nothing(store: SqliteStore, fast_path: Path) -> None:
    with store.transaction():
        store.tables.account.save(record("in the outdated log"))
    os.close(os.open(fast_path / "store.db", os.O_RDONLY))  # drops the locks of this process
    for suffix in ("-wal", "-shm"):
        delete(fast_path, suffix)
    for number in range(3):
        save_in_another_process(fast_path, f"newer {number}")
    store.close()
    with open_sqlite(fast_path) as again:
        assert committed(again)["account"] == exposed(record("newer 2"))
    with closing(sqlite3.connect(fast_path / "store.db")) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
