"""SqliteStore.rekey: what opens a store changes, and the rows stay. STO-17"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock.errors import StoreBusy, StoreError, UsageError, WrongKey
from letterlock.stores import SqliteStore
from letterlock.stores._sqlite import schema
from support.store_tools import (
    KEY,
    OTHER_KEY,
    PASSPHRASE,
    committed,
    fill,
    open_sqlite,
    record,
    use_cheap_passphrases,
)


@pytest.fixture
def store(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    use_cheap_passphrases(monkeypatch)
    with open_sqlite(fast_path, busy_timeout=0.05) as made:
        with made.transaction():
            fill(made)
        yield made


def test_another_key_opens_the_store(store: SqliteStore, fast_path: Path) -> None:
    held = committed(store)
    store.rekey(key=OTHER_KEY)
    assert committed(store) == held
    with open_sqlite(fast_path, key=OTHER_KEY) as second:
        assert committed(second) == held
    for _ in range(2):
        with pytest.raises(WrongKey):
            open_sqlite(fast_path)
        store.close()
    assert [each.name for each in fast_path.iterdir()] == ["store.db"]


def test_key_and_passphrase_replace_each_other(store: SqliteStore, fast_path: Path) -> None:
    held = committed(store)
    store.rekey(passphrase=PASSPHRASE)
    store.rekey(passphrase=PASSPHRASE + "!")
    store.close()
    path = fast_path / "store.db"
    for refused in (PASSPHRASE, KEY.decode()):
        with pytest.raises(WrongKey):
            SqliteStore.open(path, passphrase=refused)
    with SqliteStore.open(path, passphrase=PASSPHRASE + "!") as opened:
        opened.rekey(key=OTHER_KEY)
        with opened.transaction():
            opened.tables.account.save(record("after"))
    with open_sqlite(fast_path, key=OTHER_KEY) as opened:
        assert committed(opened)["peers"] == held["peers"]


def test_the_old_wrapped_key_leaves_the_files(store: SqliteStore, fast_path: Path) -> None:
    with store.transaction():
        (old,) = store.connection.execute("SELECT wrapped FROM letterlock_meta").fetchone()
    store.rekey(key=OTHER_KEY)
    data = b"".join(each.read_bytes() for each in fast_path.iterdir())
    assert old not in data


@pytest.mark.parametrize(
    "how", [{}, {"key": KEY, "passphrase": PASSPHRASE}, {"key": b"short"}, {"passphrase": ""}]
)
def test_what_is_no_key_changes_nothing(store: SqliteStore, fast_path: Path, how: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        store.rekey(**how)  # type: ignore[arg-type]
    open_sqlite(fast_path).close()


def test_a_store_is_not_rekeyed_inside_a_transaction(store: SqliteStore, fast_path: Path) -> None:
    with store.transaction(), pytest.raises(UsageError, match="outside its transactions"):
        store.rekey(key=OTHER_KEY)
    open_sqlite(fast_path).close()


def test_a_store_that_is_open_elsewhere_is_not_rekeyed(store: SqliteStore, fast_path: Path) -> None:
    with open_sqlite(fast_path) as second:
        with pytest.raises(StoreBusy, match="open elsewhere"):
            store.rekey(key=OTHER_KEY)
        assert committed(second) == committed(store)
    open_sqlite(fast_path).close()
    store.rekey(key=OTHER_KEY)


def test_a_change_that_fails_changes_nothing(
    store: SqliteStore, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = committed(store)
    write = schema.write_wrapped_key

    def fail(*arguments: object) -> None:
        write(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("letterlock.stores._sqlite.opening.write_wrapped_key", fail)
        store.rekey(key=OTHER_KEY)
    assert committed(store) == held
    open_sqlite(fast_path).close()


def test_a_closed_store_is_not_rekeyed(store: SqliteStore, fast_path: Path) -> None:
    store.close()
    with pytest.raises(StoreError):
        store.rekey(key=OTHER_KEY)
    open_sqlite(fast_path).close()
