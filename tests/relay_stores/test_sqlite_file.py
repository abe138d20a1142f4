"""A relay's file: how it is made, recognised, migrated, copied and checked."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from letterlock.errors import CorruptStore, StoreError, UnsupportedStore, UsageError
from letterlock.relay import SqliteRelayStore
from letterlock.relay._sqlite import schema
from support.relay_rows import NOW, Person, letter, page, sent, waiting

MORE: Final = (
    *schema.MIGRATIONS,
    ("CREATE TABLE later (value INTEGER)", "ALTER TABLE device ADD COLUMN later"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relay.db"


def content(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def modes(folder: Path) -> set[int]:
    return {each.stat().st_mode & 0o777 for each in folder.iterdir()}


async def filled(store: SqliteRelayStore) -> Person:
    person = await Person.registered(store, 1, 2)
    await sent(store, person, letter(1), letter(2))
    await store.publish(person.key, person.listed(1), page(1), 100)
    await store.open_place(bytes(16), person.key, person.listed(1), NOW + 9)
    await store.put(bytes(16), 1, 0, 1, b"data", NOW)
    return person


# --- opening --------------------------------------------------------------------------------------------


async def test_only_its_owner_may_read_a_new_file(path: Path) -> None:
    store = await SqliteRelayStore(path).open()
    assert modes(path.parent) == {0o600}
    await store.close()


async def test_a_file_is_found_again(path: Path) -> None:
    store = await SqliteRelayStore(path).open()
    person = await filled(store)
    await store.close()
    await store.open()
    assert await store.head(person.key) == person.head
    await store.close()


async def test_many_who_open_a_new_file_make_it_once(path: Path) -> None:
    for number in range(10):
        new = path.with_name(f"new{number}.db")
        stores = await asyncio.gather(*(SqliteRelayStore(new).open() for _ in range(8)))
        secrets = await asyncio.gather(*(each.secret("token", b"%d" % at) for at, each in enumerate(stores)))
        assert len(set(secrets)) == 1
        await asyncio.gather(*(each.close() for each in stores))


async def test_a_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="check its path"):
        await SqliteRelayStore(tmp_path / "missing" / "relay.db").open()
    with pytest.raises(UsageError, match="check its path"):
        await SqliteRelayStore(tmp_path).open()


async def test_a_store_is_opened_once_and_before_it_is_used(path: Path) -> None:
    store = SqliteRelayStore(path)
    for call in (store.head(bytes(16)), store.counts(), store.secret("token", b"")):
        with pytest.raises(UsageError, match="not open"):
            await call
    assert names(path.parent) == []
    await store.open()
    with pytest.raises(UsageError, match="open already"):
        await store.open()
    await store.close()
    await store.close()
    with pytest.raises(UsageError, match="not open"):
        await store.head(bytes(16))


async def test_a_file_of_something_else_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE mine (value INTEGER)")
    before = content(path)
    for call in (SqliteRelayStore(path).open, SqliteRelayStore(path).migrate):
        with pytest.raises(UnsupportedStore, match="no relay's"):
            await call()
    assert content(path) == before
    assert names(path.parent) == [path.name]


async def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    write(path, b"a letter, not a database" * 100)
    with pytest.raises(UnsupportedStore, match="no relay's"):
        await SqliteRelayStore(path).open()
    assert content(path) == b"a letter, not a database" * 100


async def test_a_damaged_file_is_told(path: Path) -> None:
    store = await SqliteRelayStore(path).open()
    person = await filled(store)
    await store.close()
    data = content(path)
    write(path, data[:4096] + bytes(len(data) - 4096))
    with pytest.raises(CorruptStore, match="backup"):
        await (await store.open()).head(person.key)
    await store.close()


async def test_places_of_an_account_end_when_it_is_replaced(path: Path) -> None:
    store = await SqliteRelayStore(path).open()
    person, other = await filled(store), Person()
    await store.create(person.key, other.lists, other.head, replace=True)
    assert await store.place_owner(bytes(16), NOW) is None
    assert await store.get(bytes(16), 1, 0, NOW) is None
    assert await store.check() == []
    await store.close()


# --- migrations -----------------------------------------------------------------------------------------


async def test_a_new_file_needs_no_migration(path: Path) -> None:
    store = await SqliteRelayStore(path).open()
    assert await store.migrate() == 0
    await store.close()


async def test_a_file_that_is_not_there_is_not_migrated(path: Path) -> None:
    with pytest.raises(StoreError, match="check its path"):
        await SqliteRelayStore(path).migrate()
    assert names(path.parent) == []


async def test_an_older_file_is_migrated_while_it_is_used(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await SqliteRelayStore(path).open()
    person = await filled(old)
    monkeypatch.setattr(schema, "MIGRATIONS", MORE)
    new = SqliteRelayStore(path)
    with pytest.raises(UnsupportedStore, match="relay migrate"):
        await new.open()
    assert await new.migrate() == 1
    assert await new.migrate() == 0
    await new.open()
    for store in (old, new):
        await sent(store, person, letter(1))
        assert await store.check() == []
    assert len(await waiting(new, person)) == 3
    await old.close()
    await new.close()


async def test_a_file_of_a_later_release_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr(schema, "MIGRATIONS", MORE)
        await (await SqliteRelayStore(path).open()).close()
    with pytest.raises(UnsupportedStore, match="upgrade letterlock"):
        await SqliteRelayStore(path).open()
    with pytest.raises(UnsupportedStore, match="upgrade letterlock"):
        await SqliteRelayStore(path).migrate()


async def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await SqliteRelayStore(path).open()
    await store.close()
    with monkeypatch.context() as later:
        later.setattr(schema, "MIGRATIONS", (*MORE, ("no such statement",)))
        with pytest.raises(StoreError):
            await store.migrate()
    await store.open()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM sqlite_master WHERE name = 'later'").fetchone() == (0,)
    await store.close()


# --- backups --------------------------------------------------------------------------------------------


async def test_a_backup_is_whole_while_others_write(path: Path, tmp_path: Path) -> None:
    store = await SqliteRelayStore(path).open()
    person = await filled(store)

    async def writes() -> None:
        for _ in range(50):
            await sent(store, person, letter(1), letter(2))

    copies = [tmp_path / f"copy-{number}.db" for number in range(5)]

    async def copy() -> None:
        for each in copies:
            await store.backup(each)

    await asyncio.gather(writes(), writes(), copy())
    await store.close()
    assert modes(tmp_path) == {0o600}
    for each in copies:
        backup = await SqliteRelayStore(each).open()
        assert await backup.check() == []
        one, two = await waiting(backup, person, 1), await waiting(backup, person, 2)
        assert len(one) == len(two) >= 1
        await backup.close()


async def test_a_backup_replaces_nothing(path: Path, tmp_path: Path) -> None:
    store = await SqliteRelayStore(path).open()
    write(tmp_path / "taken", b"mine")
    with pytest.raises(UsageError, match="exists"):
        await store.backup(tmp_path / "taken")
    assert content(tmp_path / "taken") == b"mine"
    with pytest.raises(UsageError, match="cannot be written"):
        await store.backup(tmp_path / "missing" / "copy")
    with pytest.raises(UsageError, match="exists"):
        await store.backup(path)
    assert not [name for name in names(tmp_path) if name.endswith(".part")]
    assert await store.check() == []
    await store.close()


async def test_nothing_is_left_of_a_backup_that_failed(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        await SqliteRelayStore(path).backup(tmp_path / "copy")
    assert names(tmp_path) == []


# --- consistency ----------------------------------------------------------------------------------------

DAMAGE: Final = {
    "UPDATE device SET messages = 7 WHERE id = 1": "1 mailboxes with a wrong count of messages",
    "UPDATE device SET bytes = bytes - 1": "2 mailboxes with a wrong count of messages",
    "UPDATE mail SET size = 9": "2 messages of another length than noted",
    "DELETE FROM list": "1 accounts whose newest list is not there",
    "INSERT INTO list VALUES (1, 2, x'00')": "1 lists newer than their account's newest",
    "INSERT INTO list VALUES (9, 2, x'00')": "1 lists without an account",
    "UPDATE device SET account = 9": "2 devices without an account",
    "UPDATE mail SET device = 9 WHERE device = 1": "1 messages of devices that no list names",
    "UPDATE prekeys SET device = 9": "1 prekeys of devices that no list names",
    "UPDATE page SET device = 2": "1 pages of prekeys without a count",
    "UPDATE prekeys SET stock = 2": "1 devices with a wrong count of bundles",
    "UPDATE prekeys SET number = 2": "1 devices with a wrong count of bundles",
    "UPDATE prekeys SET state = x'00'": "1 records of claims that cannot be read",
    "DELETE FROM page": "1 devices whose pages are not those of their record",
    "UPDATE page SET count = 2": "1 devices whose pages are not those of their record",
    "DELETE FROM bundle WHERE id = 2": "1 pages that lack bundles",
    "INSERT INTO bundle (bundle) VALUES (x'00')": "1 bundles without a page",
    "DELETE FROM place": "1 parts of places that nobody opened",
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_contradiction_is_found(path: Path, damage: str) -> None:
    store = await SqliteRelayStore(path).open()
    await filled(store)
    assert await store.check() == []
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute(damage)
    assert DAMAGE[damage] in await store.check()
    await store.close()


async def test_a_damaged_index_is_found(path: Path) -> None:
    store = await SqliteRelayStore(path).open()
    await filled(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA writable_schema = ON")
        change = "UPDATE sqlite_master SET sql = replace(sql, '(device)', '(size)') WHERE name = ?"
        file.execute(change, ["mail_in_order"])
    await store.close()
    await store.open()
    found = await store.check()
    assert any(text.startswith("SQLite:") for text in found)
    await store.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("synchronous", 2), ("journal_mode", "wal"), ("secure_delete", 2), ("trusted_schema", 0)],
)
async def test_both_connections_are_durable_and_careful(path: Path, pragma: str, value: object) -> None:
    """No kill of a process shows what a loss of power would: that each commit was synced to the disk."""
    store = await SqliteRelayStore(path).open()
    for lane in (store._write, store._read):
        assert await lane.call(lambda c: c.execute(f"PRAGMA {pragma}").fetchone()) == (value,)
    await store.close()
