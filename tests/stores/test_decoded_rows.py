"""STO-18: rows that a SqliteStore keeps decoded are used only while the file holds them unchanged."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from letterlock import Account, Address, MemoryStore, SqliteStore
from letterlock.errors import AuthenticationFailed, CorruptStore, DuplicateMessage
from letterlock.stores._interface import DeferredRecord, Record
from support.decoded_rows import filled, read, save, text
from support.store_tools import ALICE, BOB, KEY, Abort, fork_python, output_of, record, session, undone

ME, PEER = Address("alice"), Address("bob")


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with filled(path) as store:
        yield store


def edit(path: Path, sql: str, *values: object) -> None:
    """Change the file as anybody can who may write to it."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql, values)
    connection.close()


def refuse(_: Record) -> object:
    pytest.fail("decoded")


# --- a row is opened once -----------------------------------------------------------------------------


def test_a_saved_row_is_not_opened(store: SqliteStore, opened: list[bytes]) -> None:
    assert read(store) == text("session")
    with store.transaction():
        assert store.tables.account.load() == record("account")
        assert store.tables.peers.load(ALICE) == record("peer 1")
    assert opened == []


def test_a_row_that_was_read_is_opened_once(path: Path, opened: list[bytes]) -> None:
    filled(path).close()
    with SqliteStore(path, key=KEY) as store:
        assert [read(store) for _ in range(3)] == [text("session")] * 3
    assert opened == [b"sessions"]


def test_the_value_that_was_saved_comes_back_undecoded(store: SqliteStore) -> None:
    value, encodings = object(), [0]

    def encode(saved: object) -> Record:
        assert saved is value
        encodings[0] += 1
        return record("encoded")

    deferred = DeferredRecord(value, encode)
    with store.transaction():
        store.tables.sessions.save(type(session(1))(1, ALICE, 1, deferred))
    with store.transaction():
        (row,) = store.tables.sessions.load(ALICE, 1)
    assert row.record.decoded(refuse) is value
    assert row.record.expose() == text("encoded")
    assert encodings == [1]


def test_a_record_is_decoded_once() -> None:
    given, calls = record("some"), [0]

    def decode(it: Record) -> object:
        assert it is given
        calls[0] += 1
        return "decoded"

    assert [given.decoded(decode) for _ in range(3)] == ["decoded"] * 3
    assert calls == [1]


def test_a_record_that_does_not_decode_is_tried_again() -> None:
    given = record("some")

    def fail(_: Record) -> object:
        raise CorruptStore("damaged")

    for _ in range(2):
        with pytest.raises(CorruptStore):
            given.decoded(fail)


def test_a_conversation_opens_and_decodes_nothing_twice(
    path: Path, opened: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = Account.create(MemoryStore(), PEER)
    with SqliteStore(path, key=KEY) as store:
        alice = Account.create(store, ME)
        alice.initiate(PEER, bob.bundle())
        bob.decrypt(ME, alice.encrypt(PEER, b"first"))
        alice.decrypt(PEER, bob.encrypt(ME, b"back"))
        opened.clear()
        monkeypatch.setattr("letterlock._session.peer_sessions.decode_any_session", refuse)
        for _ in range(10):
            alice.encrypt(PEER, b"text")
    assert b"sessions" not in opened


# --- the file decides ---------------------------------------------------------------------------------


def test_another_connection_s_change_is_seen(store: SqliteStore, path: Path) -> None:
    assert read(store) == text("session")
    with SqliteStore(path, key=KEY) as other:
        save(other, "theirs")
    assert read(store) == text("theirs")


def test_another_process_s_change_is_seen(store: SqliteStore, path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from letterlock import SqliteStore\n"
        "from letterlock.stores import Record, SessionRow\n"
        "with SqliteStore(sys.argv[1], key=bytes.fromhex(sys.argv[2])) as store:\n"
        "    with store.transaction():\n"
        "        store.tables.sessions.save(\n"
        "            SessionRow(1, bytes.fromhex(sys.argv[3]), 1, Record(b'from afar')))\n"
    )
    for _ in range(2):
        output_of(fork_python(code, path, KEY.hex(), ALICE.hex()))
        assert read(store) == b"from afar"
        save(store, "ours")
        assert read(store) == text("ours")


def test_two_stores_in_turn_never_see_an_old_state(store: SqliteStore, path: Path) -> None:
    with SqliteStore(path, key=KEY) as other:
        for number in range(20):
            writer, reader = (store, other) if number % 3 else (other, store)
            save(writer, number)
            assert read(reader) == read(writer) == text(number)


def test_a_deletion_by_another_connection_is_seen(store: SqliteStore, path: Path) -> None:
    with SqliteStore(path, key=KEY) as other, other.transaction():
        other.tables.sessions.delete(1)
    with store.transaction():
        assert store.tables.sessions.load(ALICE, 9) == []


def test_a_rollback_brings_the_earlier_state_back(store: SqliteStore) -> None:
    with undone(store):
        store.tables.sessions.save(session(1, text="undone"))
        assert store.tables.sessions.load(ALICE, 1)[0].record.expose() == text("undone")
    assert read(store) == text("session")


def test_a_nested_rollback_brings_the_earlier_state_back(store: SqliteStore) -> None:
    with store.transaction():
        store.tables.sessions.save(session(1, text="outer"))
        with undone(store):
            store.tables.sessions.save(session(1, text="inner"))
            with undone(store):
                store.tables.sessions.save(session(1, text="innermost"))
            assert store.tables.sessions.load(ALICE, 1)[0].record.expose() == text("inner")
        assert store.tables.sessions.load(ALICE, 1)[0].record.expose() == text("outer")
    assert read(store) == text("outer")


def test_a_savepoint_of_the_application_is_undone_too(store: SqliteStore) -> None:
    with store.transaction():
        store.connection.execute("SAVEPOINT mine")
        store.tables.sessions.save(session(1, text="undone"))
        store.connection.execute("ROLLBACK TO mine")
        assert store.tables.sessions.load(ALICE, 1)[0].record.expose() == text("session")
    assert read(store) == text("session")


def test_a_row_put_back_by_the_file_s_owner_is_what_counts(store: SqliteStore, path: Path) -> None:
    """The store may refuse an old row. It never goes on with the state that it remembers."""
    with store.transaction():
        old = store.connection.execute("SELECT sealed FROM letterlock_sessions WHERE id = 1").fetchone()[0]
    save(store, "newer")
    edit(path, "UPDATE letterlock_sessions SET sealed = ? WHERE id = 1", old)
    with suppress(CorruptStore):
        assert read(store) == text("session")


@pytest.mark.parametrize("rank", [2, 0, -1, 1.5, "1x", b"\1"])
def test_a_kept_row_with_an_edited_rank_is_refused(store: SqliteStore, path: Path, rank: object) -> None:
    edit(path, "UPDATE letterlock_sessions SET rank = ? WHERE id = 1", rank)
    with pytest.raises(CorruptStore):
        read(store)


def test_a_kept_row_with_an_equal_rank_of_another_type_is_refused(store: SqliteStore) -> None:
    """SQLite would turn 1.0 into 1, but an edited page holds what its editor likes."""
    find = store._database.decoded.find
    with store.transaction():
        peer = store._database.cipher.peer_tag(ALICE)
        (sealed,) = store.connection.execute("SELECT sealed FROM letterlock_sessions WHERE id = 1").fetchone()
        assert find(sealed, b"sessions", (1, peer, 1)) is not None
        for columns in ((1, peer, 1.0), (1, peer, True), (1.0, peer, 1), (True, peer, 1)):
            assert find(sealed, b"sessions", columns) is None
        for wrong in (sealed.hex(), bytearray(sealed), memoryview(sealed), None, sealed[:-1], sealed + b"\0"):
            assert find(wrong, b"sessions", (1, peer, 1)) is None
        assert find(sealed, b"peers", (1, peer, 1)) is None
        assert find(sealed, b"sessions", (2, peer, 1)) is None


def test_a_kept_row_with_an_edited_ciphertext_is_refused(store: SqliteStore, path: Path) -> None:
    with store.transaction():
        (sealed,) = store.connection.execute("SELECT sealed FROM letterlock_sessions WHERE id = 1").fetchone()
    for at in (0, 23, 24, len(sealed) - 1):
        edited = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        edit(path, "UPDATE letterlock_sessions SET sealed = ? WHERE id = 1", edited)
        with pytest.raises(CorruptStore):
            read(store)


def test_kept_rows_that_were_swapped_are_refused(store: SqliteStore, path: Path) -> None:
    with store.transaction():
        first, second = store.connection.execute(
            "SELECT sealed FROM letterlock_sessions ORDER BY id"
        ).fetchall()
    for id_, (sealed,) in ((1, second), (2, first)):
        edit(path, "UPDATE letterlock_sessions SET sealed = ? WHERE id = ?", sealed, id_)
    for address in (ALICE, BOB):
        with pytest.raises(CorruptStore):
            read(store, address)


@pytest.mark.parametrize("table", ["account", "peers"])
def test_kept_rows_of_other_tables_are_checked_too(store: SqliteStore, path: Path, table: str) -> None:
    load = store.tables.account.load if table == "account" else lambda: store.tables.peers.load(ALICE)
    with store.transaction():
        assert load() is not None
    edit(path, f"UPDATE letterlock_{table} SET sealed = zeroblob(60)")
    with pytest.raises(CorruptStore), store.transaction():
        load()


def test_a_key_that_changes_leaves_the_rows(store: SqliteStore, path: Path) -> None:
    store.rekey(key=bytes(32))
    assert read(store) == text("session")
    save(store, "after")
    store.close()
    with SqliteStore(path, key=bytes(32)) as other:
        assert read(other) == text("after")


def test_a_message_is_read_once_whatever_is_kept(path: Path) -> None:
    """A forged message, a repeat and a transaction taken back leave no state that the file does not hold."""
    bob = Account.create(MemoryStore(), PEER)
    with SqliteStore(path, key=KEY) as store:
        alice = Account.create(store, ME)
        alice.initiate(PEER, bob.bundle())
        bob.decrypt(ME, alice.encrypt(PEER, b"first"))
        alice.decrypt(PEER, bob.encrypt(ME, b"back"))
        message = bob.encrypt(ME, b"text")
        for _ in range(2):
            with pytest.raises(Abort), alice.transaction():
                assert alice.decrypt(PEER, message) == b"text"
                raise Abort
        with pytest.raises(AuthenticationFailed):
            alice.decrypt(PEER, message[:-1] + bytes([message[-1] ^ 1]))
        assert alice.decrypt(PEER, message) == b"text"
        with pytest.raises(DuplicateMessage):
            alice.decrypt(PEER, message)
