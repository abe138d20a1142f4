"""STO-3 against an attacker who can write to the file but has no key: edited, moved, copied, deleted rows.

The store cannot notice that rows were deleted, or that the whole file was replaced by an earlier copy. See
spec/limitations.md.
"""

import sqlite3
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import CorruptStore, StoreError, UnsupportedStore, WrongKey
from letterlock.stores import EntryKind, SqliteStore, Store
from support.store_tools import (
    ALICE,
    BOB,
    CHAINS,
    CONTACT,
    DIGESTS,
    ENTRY_KEYS,
    KEY,
    NOON,
    ONE_TIME,
    PASSPHRASE,
    SENT,
    SIGNED,
    Call,
    committed,
    everything,
    fill,
    key_range,
    open_sqlite,
    unsynced_store,
    use_cheap_passphrases,
)

KEM_ONE_TIME = PrekeyKind.KEM_ONE_TIME
RECEIVED = EntryKind.RECEIVED


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with unsynced_store(tmp_path) as made:
        with made.transaction():
            fill(made)
            made.tables.skipped_keys.add(1, [[key_range(5, 1, CHAINS[2], "alone")]], 0)
        yield made


def all_peers(store: Store) -> object:
    return list(store.tables.peers.all())


def one_skipped_key(store: Store) -> object:
    return store.tables.skipped_keys.find(ALICE, CHAINS[2], 5)


READERS: dict[str, list[Call]] = {
    "account": [lambda store: store.tables.account.load()],
    "peers": [
        lambda store: store.tables.peers.load(ALICE),
        lambda store: store.tables.peers.load(BOB),
        all_peers,
    ],
    "prekeys": [
        lambda store: store.tables.prekeys.load(SIGNED, 1),
        lambda store: store.tables.prekeys.load(ONE_TIME, 2),
    ],
    "sessions": [
        lambda store: store.tables.sessions.load(ALICE, 9),
        lambda store: store.tables.sessions.load(BOB, 9),
    ],
    "skipped": [lambda store: store.tables.skipped_keys.find(ALICE, CHAINS[0], 0), one_skipped_key],
    "entries": [
        lambda store: store.tables.entries.load(CONTACT, ENTRY_KEYS[1]),
        lambda store: store.tables.entries.load(SENT, ENTRY_KEYS[0]),
        lambda store: list(store.tables.entries.all(CONTACT)),
        lambda store: store.tables.entries.due(SENT, NOON, 9),
    ],
}
TABLES = {
    "account": 1,
    "peers": 2,
    "prekeys": 4,
    "sessions": 3,
    "skipped": 7,
    "entries": 4,
}


def edit(store: SqliteStore, statement: str, *values: object) -> None:
    with store.transaction():
        assert store.connection.execute(statement, values).rowcount > 0, "the edit did nothing"


def read(store: SqliteStore, call: Call) -> None:
    with store.transaction():
        call(store)


@pytest.mark.parametrize("table", TABLES)
def test_every_reader_reads_an_untouched_store(store: SqliteStore, table: str) -> None:
    for call in READERS[table]:
        with store.transaction():
            assert call(store)
            assert store.connection.execute(f"SELECT count(*) FROM letterlock_{table}").fetchone() == (
                TABLES[table],
            )


# --- sealed columns -------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "value",
    [
        "x''",
        "zeroblob(24)",
        "zeroblob(40)",
        "zeroblob(72)",
        "substr(sealed, 2)",
        "substr(sealed, 1, length(sealed) - 1)",
        "CAST(sealed || x'00' AS BLOB)",
        "'text'",
        "0",
        "1.5",
    ],
)
def test_a_replaced_record_is_refused(store: SqliteStore, table: str, value: str) -> None:
    edit(store, f"UPDATE letterlock_{table} SET sealed = {value}")
    for call in READERS[table]:
        with pytest.raises(CorruptStore, match=f"a record of {table} is not what was saved"):
            read(store, call)


@pytest.mark.parametrize("table", [table for table, rows in TABLES.items() if rows > 1])
def test_records_swapped_between_rows_are_refused(store: SqliteStore, table: str) -> None:
    key = {
        "peers": "peer",
        "prekeys": "kind * 10 + id",
        "sessions": "id",
        "skipped": "seq",
        "entries": "hex(entry)",
    }[table]
    with store.transaction():
        rows = store.connection.execute(f"SELECT {key}, sealed FROM letterlock_{table} ORDER BY 1").fetchall()
        records = [record for _, record in rows]
        for (row, _), moved in zip(rows, records[1:] + records[:1], strict=True):
            store.connection.execute(
                f"UPDATE letterlock_{table} SET sealed = ? WHERE {key} = ?", (moved, row)
            )
    for call in READERS[table]:
        with pytest.raises(CorruptStore):
            read(store, call)


@pytest.mark.parametrize("at", [0, 23, 24, 30, -17, -1])
def test_a_flipped_bit_is_refused(store: SqliteStore, at: int) -> None:
    statement = "SELECT sealed FROM letterlock_sessions WHERE id = 2"
    with store.transaction():
        (sealed,) = store.connection.execute(statement).fetchone()
    changed = bytearray(sealed)
    changed[at] ^= 0x10
    edit(store, "UPDATE letterlock_sessions SET sealed = ? WHERE id = 2", bytes(changed))
    with pytest.raises(CorruptStore, match="a record of sessions is not what was saved"):
        read(store, READERS["sessions"][0])


@pytest.mark.parametrize(("source", "target"), list(permutations(TABLES, 2)))
def test_a_record_of_another_table_is_refused(store: SqliteStore, source: str, target: str) -> None:
    edit(store, f"UPDATE letterlock_{target} SET sealed = (SELECT sealed FROM letterlock_{source} LIMIT 1)")
    for call in READERS[target]:
        with pytest.raises(CorruptStore):
            read(store, call)


@pytest.mark.parametrize("table", TABLES)
def test_a_record_of_another_store_is_refused(store: SqliteStore, table: str, tmp_path: Path) -> None:
    # The store key and the rows are the same, but the data key differs.
    with SqliteStore(tmp_path / "second.db", key=KEY) as second, second.transaction():
        fill(second)
        foreign = second.connection.execute(f"SELECT sealed FROM letterlock_{table}").fetchone()[0]
    edit(store, f"UPDATE letterlock_{table} SET sealed = ?", foreign)
    for call in READERS[table]:
        with pytest.raises(CorruptStore):
            read(store, call)


# --- clear columns --------------------------------------------------------------------------------


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the digest of all rows pass, to see what each row alone protects."""
    monkeypatch.setattr("letterlock.stores._sqlite.digest.Digest.require", lambda _: None)
    monkeypatch.setattr("letterlock.stores._sqlite.digest.Digest._require_at", lambda *_: None)


def edit_file(store: SqliteStore, path: Path, *statements: str) -> SqliteStore:
    """Edit the closed file without its foreign keys enforced, as an attacker can; return it opened again."""
    store.close()
    attacker = sqlite3.connect(path / "store.db", isolation_level=None)
    for statement in statements:
        assert attacker.execute(statement).rowcount != 0, "the edit did nothing"
    attacker.close()
    return open_sqlite(path)


PEER_OF_3 = "(SELECT peer FROM letterlock_sessions WHERE id = 3)"


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("edited", "call"),
    [
        ("peers SET peer = CAST(x'00' || peer AS BLOB)", all_peers),
        ("peers SET peer = zeroblob(16) WHERE peer = (SELECT min(peer) FROM letterlock_peers)", all_peers),
        ("prekeys SET expires = 99 WHERE id = 1", lambda store: store.tables.prekeys.load(SIGNED, 1)),
        ("prekeys SET expires = 0 WHERE id = 1", lambda store: store.tables.prekeys.load(SIGNED, 1)),
        ("prekeys SET expires = 51 WHERE id = 2", lambda store: store.tables.prekeys.load(ONE_TIME, 2)),
        ("prekeys SET expires = NULL WHERE id = 2", lambda store: store.tables.prekeys.load(ONE_TIME, 2)),
        ("prekeys SET expires = 50.5 WHERE id = 2", lambda store: store.tables.prekeys.load(ONE_TIME, 2)),
        ("prekeys SET expires = 'never' WHERE id = 2", lambda store: store.tables.prekeys.load(ONE_TIME, 2)),
        ("prekeys SET id = 7 WHERE id = 1", lambda store: store.tables.prekeys.load(SIGNED, 7)),
        ("prekeys SET kind = 3 WHERE kind = 2", lambda store: store.tables.prekeys.load(KEM_ONE_TIME, 1)),
        ("sessions SET rank = 9 WHERE id = 1", lambda store: store.tables.sessions.load(ALICE, 9)),
        ("sessions SET rank = 2.5 WHERE id = 2", lambda store: store.tables.sessions.load(ALICE, 1)),
        ("sessions SET rank = 'first' WHERE id = 1", lambda store: store.tables.sessions.load(ALICE, 1)),
        ("sessions SET rank = x'' WHERE id = 1", lambda store: store.tables.sessions.load(ALICE, 1)),
        ("sessions SET id = 9 WHERE id = 2", lambda store: store.tables.sessions.load(ALICE, 1)),
        (f"sessions SET peer = {PEER_OF_3} WHERE id = 1", lambda store: store.tables.sessions.load(BOB, 9)),
        (
            "skipped SET session = 2 WHERE start = 5",
            lambda store: store.tables.skipped_keys.find(ALICE, CHAINS[2], 5),
        ),
        (
            "skipped SET session = 3 WHERE start = 5",
            lambda store: store.tables.skipped_keys.find(BOB, CHAINS[2], 5),
        ),
        (
            "skipped SET start = 6 WHERE start = 5",
            lambda store: store.tables.skipped_keys.find(ALICE, CHAINS[2], 6),
        ),
        (
            "skipped SET chain = (SELECT chain FROM letterlock_skipped WHERE start = 5) WHERE seq = 2",
            lambda store: store.tables.skipped_keys.find(ALICE, CHAINS[2], 0),
        ),
        ("entries SET due = due + 1", lambda store: store.tables.entries.load(SENT, ENTRY_KEYS[1])),
        ("entries SET due = 1.5 WHERE due", lambda store: store.tables.entries.due(SENT, NOON, 9)),
        ("entries SET due = 'now'", lambda store: store.tables.entries.load(SENT, ENTRY_KEYS[1])),
        ("entries SET due = 1 WHERE due IS NULL", lambda store: store.tables.entries.due(SENT, NOON, 9)),
        ("entries SET kind = 17 WHERE kind = 16", lambda store: store.tables.entries.due(RECEIVED, NOON, 9)),
        ("entries SET kind = 17 WHERE kind = 16", lambda store: list(store.tables.entries.all(RECEIVED))),
        ("entries SET entry = 'x' || hex(entry)", lambda store: store.tables.entries.due(SENT, NOON, 9)),
        (
            "entries SET entry = x'00' WHERE kind = 16 AND due",
            lambda store: list(store.tables.entries.all(SENT)),
        ),
    ],
)
def test_an_edited_row_is_refused(store: SqliteStore, tmp_path: Path, edited: str, call: Call) -> None:
    with edit_file(store, tmp_path, f"UPDATE letterlock_{edited}") as opened, pytest.raises(CorruptStore):
        read(opened, call)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("edited", "call"),
    [
        ("peers SET peer = x'00' || peer", lambda store: store.tables.peers.load(ALICE)),
        ("peers SET peer = 'text' || peer", all_peers),
        ("prekeys SET id = 7 WHERE id = 1", lambda store: store.tables.prekeys.load(SIGNED, 1)),
        ("sessions SET peer = x'' WHERE id < 3", lambda store: store.tables.sessions.load(ALICE, 9)),
        ("skipped SET chain = zeroblob(16) WHERE start = 5", one_skipped_key),
        ("skipped SET start = 6 WHERE start = 5", one_skipped_key),
        ("skipped SET session = 3 WHERE start = 5", one_skipped_key),
        (
            "replays SET id = 2 WHERE kind = 1 AND id = 1",
            lambda store: store.tables.replays.has(SIGNED, 1, DIGESTS[0]),
        ),
        (
            "entries SET kind = 17 WHERE kind = 16",
            lambda store: store.tables.entries.load(SENT, ENTRY_KEYS[1]),
        ),
        ("entries SET entry = hex(entry)", lambda store: store.tables.entries.load(SENT, ENTRY_KEYS[1])),
        ("entries SET due = 'never'", lambda store: store.tables.entries.due(SENT, NOON, 9)),
        (
            "past_chains SET session = 9 WHERE session = 1",
            lambda store: store.tables.past_chains.has(1, CHAINS[2]),
        ),
    ],
)
def test_a_row_that_was_moved_is_missing_like_a_deleted_one(
    store: SqliteStore, tmp_path: Path, edited: str, call: Call
) -> None:
    with edit_file(store, tmp_path, f"UPDATE letterlock_{edited}") as opened, opened.transaction():
        assert not call(opened)


@pytest.mark.usefixtures("unchecked")
def test_a_tag_moved_to_another_owner_matches_nothing(store: SqliteStore, tmp_path: Path) -> None:
    moves = (
        "UPDATE letterlock_replays SET kind = 2, id = 1 WHERE id = 1",
        "DELETE FROM letterlock_past_chains WHERE session = 3",
        "UPDATE letterlock_past_chains SET session = 3 WHERE session = 1",
    )
    with edit_file(store, tmp_path, *moves) as opened, opened.transaction():
        assert opened.tables.replays.count(ONE_TIME, 1) == 1
        assert not opened.tables.replays.has(ONE_TIME, 1, DIGESTS[0])
        assert not opened.tables.past_chains.has(3, CHAINS[2])


# --- the wrapped key ------------------------------------------------------------------------------


def open_again(path: Path, kind: str) -> None:
    if kind == "key":
        open_sqlite(path).close()
    else:
        SqliteStore.open(path / "store.db", passphrase=PASSPHRASE).close()


@pytest.mark.parametrize("kind", ["key", "passphrase"])
@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("UPDATE letterlock_meta SET kind = 3 - kind", WrongKey),
        ("UPDATE letterlock_meta SET kind = 0", CorruptStore),
        ("UPDATE letterlock_meta SET kind = 3", CorruptStore),
        ("UPDATE letterlock_meta SET kind = 'key'", CorruptStore),
        ("UPDATE letterlock_meta SET salt = zeroblob(16)", WrongKey),
        ("UPDATE letterlock_meta SET salt = zeroblob(15)", CorruptStore),
        ("UPDATE letterlock_meta SET salt = 'sixteen letters.'", CorruptStore),
        ("UPDATE letterlock_meta SET opslimit = opslimit + 1", WrongKey),
        ("UPDATE letterlock_meta SET memlimit = memlimit + 1024", WrongKey),
        ("UPDATE letterlock_meta SET memlimit = 'much'", CorruptStore),
        ("UPDATE letterlock_meta SET opslimit = 1.5", CorruptStore),
        ("UPDATE letterlock_meta SET wrapped = zeroblob(72)", WrongKey),
        ("UPDATE letterlock_meta SET wrapped = zeroblob(71)", CorruptStore),
        ("UPDATE letterlock_meta SET wrapped = x''", CorruptStore),
        ("UPDATE letterlock_meta SET wrapped = 'text'", CorruptStore),
        ("DELETE FROM letterlock_meta", CorruptStore),
        ("DROP TABLE letterlock_meta", StoreError),
        ("PRAGMA application_id = 0", UnsupportedStore),
        ("PRAGMA user_version = 3", UnsupportedStore),
    ],
)
def test_an_edited_header_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, edited: str, expected: type[StoreError]
) -> None:
    use_cheap_passphrases(monkeypatch)
    open_again(tmp_path, kind)
    attacker = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    attacker.execute(edited)
    attacker.close()
    with pytest.raises(expected):
        open_again(tmp_path, kind)
    assert [each.name for each in tmp_path.iterdir()] == ["store.db"]


@pytest.mark.usefixtures("unchecked")
def test_the_wrapped_key_of_another_store_does_not_open_this_one(store: SqliteStore, tmp_path: Path) -> None:
    # The store key opens it, but it holds another data key, which opens no record.
    SqliteStore(tmp_path / "second.db", key=KEY).close()
    steps = (
        f"ATTACH '{tmp_path / 'second.db'}' AS second",
        "DELETE FROM main.letterlock_meta",
        "INSERT INTO main.letterlock_meta SELECT * FROM second.letterlock_meta",
    )
    with edit_file(store, tmp_path, *steps) as opened:
        for call in (call for table in ("account", "peers") for call in READERS[table][-1:]):
            with pytest.raises(CorruptStore):
                read(opened, call)
        with opened.transaction():
            assert opened.tables.sessions.load(ALICE, 9) == []


# --- what an attacker can do ----------------------------------------------------------------------


@pytest.mark.usefixtures("unchecked")
def test_deleted_rows_are_not_noticed_by_the_others(store: SqliteStore, tmp_path: Path) -> None:
    tables = ("account", "replays", "skipped", "past_chains", "sessions", "prekeys", "peers")
    with edit_file(store, tmp_path, *(f"DELETE FROM letterlock_{table}" for table in tables)) as opened:
        assert committed(opened)["account"] is None
        with opened.transaction():
            fill(opened)
            everything(opened)
