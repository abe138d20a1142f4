"""STO-1 as an application sees it: grouped calls commit together, and what failed has not happened."""

import sqlite3
from pathlib import Path

import pytest

from letterlock._wire.message import RatchetMessage
from letterlock.errors import (
    AuthenticationFailed,
    DuplicateMessage,
    PeerError,
    UnknownPrekey,
    UntrustedIdentity,
)
from letterlock.stores._sqlite import SqliteStore
from support.pair import ALICE, Pair, flipped, sqlite_stores, unchanged


class Crash(Exception):
    """What the application raises."""


@pytest.fixture
def talking(any_pair: Pair) -> Pair:
    any_pair.converse()
    return any_pair


def test_grouped_calls_commit_together(talking: Pair) -> None:
    letters = [talking.alice.write(b"%d" % n) for n in range(3)]
    with talking.bob.account.transaction():
        texts = [talking.bob.read(letter) for letter in letters]
        answer = talking.bob.write(b"got %d" % len(texts))
    talking.reopen()
    assert texts == [b"0", b"1", b"2"]
    assert talking.alice.read(answer) == b"got 3"
    for letter in letters:
        with pytest.raises(DuplicateMessage):
            talking.bob.read(letter)


def test_an_exception_takes_a_decryption_back(talking: Pair) -> None:
    late, letter = talking.alice.write(b"late"), talking.alice.write(b"text")
    for _ in range(3):
        with unchanged(talking.bob.store), pytest.raises(Crash), talking.bob.account.transaction():
            talking.bob.read(letter)
            talking.bob.read(late)
            raise Crash
        talking.bob.reopen()
    assert [talking.bob.read(letter), talking.bob.read(late)] == [b"text", b"late"]


def test_an_exception_takes_a_first_contact_back(any_pair: Pair) -> None:
    any_pair.alice.initiate()
    letter = any_pair.alice.write(b"first")
    with unchanged(any_pair.bob.store), pytest.raises(Crash), any_pair.bob.account.transaction():
        any_pair.bob.read(letter)
        any_pair.bob.write(b"answer")
        raise Crash
    any_pair.bob.reopen()
    assert any_pair.bob.account.peers() == []
    assert any_pair.bob.read(letter) == b"first"


def test_an_exception_takes_everything_else_back(talking: Pair) -> None:
    bundle = talking.bob.account.bundle()
    other = Pair().bob.account.identity.data
    account = talking.alice.account
    with unchanged(talking.alice.store), pytest.raises(Crash), account.transaction():
        account.publish(2, rotate=True)
        account.initiate(talking.bob.address, bundle)
        account.encrypt(talking.bob.address, b"x")
        account.accept_identity(talking.bob.address, other)
        raise Crash
    talking.turn()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_so_does_an_interrupt(talking: Pair, error: type[BaseException]) -> None:
    letter = talking.alice.write(b"text")
    with unchanged(talking.bob.store), pytest.raises(error), talking.bob.account.transaction():
        talking.bob.read(letter)
        raise error
    assert talking.bob.read(letter) == b"text"


def test_a_peers_error_inside_does_not_spoil_the_rest(talking: Pair) -> None:
    good, bad = talking.alice.write(b"good"), flipped(talking.alice.write(b"bad"), -1 % 94)
    late, after = talking.alice.write(b"late"), talking.alice.write(b"after")
    with talking.bob.account.transaction():
        assert talking.bob.read(good) == b"good"
        with pytest.raises(AuthenticationFailed):
            talking.bob.read(bad[:-1] + bytes([bad[-1] ^ 1]))
        with pytest.raises(DuplicateMessage):
            talking.bob.read(good)
        assert talking.bob.read(after) == b"after"
    talking.bob.reopen()
    assert talking.bob.read(late) == b"late"
    talking.turn()


def test_a_transaction_inside_one_may_fail_alone(talking: Pair) -> None:
    outer, inner = talking.alice.write(b"outer"), talking.alice.write(b"inner")
    account = talking.bob.account
    with account.transaction():
        assert talking.bob.read(outer) == b"outer"
        with pytest.raises(Crash), account.transaction():
            assert talking.bob.read(inner) == b"inner"
            raise Crash
        assert talking.bob.read(inner) == b"inner"
    with pytest.raises(DuplicateMessage):
        talking.bob.read(inner)


def test_a_distrusted_identity_inside_does_not_spoil_the_rest(talking: Pair) -> None:
    impostor = Pair()
    impostor.alice.account.initiate(talking.bob.address, talking.bob.account.bundle())
    letter = impostor.alice.account.encrypt(talking.bob.address, b"x")
    with talking.bob.account.transaction():
        with pytest.raises(UntrustedIdentity):
            talking.bob.account.decrypt(ALICE, letter)
        answer = talking.bob.write(b"still here")
    assert talking.alice.read(answer) == b"still here"


def test_two_first_messages_for_one_prekey_in_one_transaction(any_pair: Pair) -> None:
    bundle = any_pair.bob.account.bundle()
    other = Pair().alice.account
    any_pair.alice.initiate(bundle)
    other.initiate(any_pair.bob.address, bundle)
    letters = any_pair.alice.write(b"mine"), other.encrypt(any_pair.bob.address, b"mine too")
    with any_pair.bob.account.transaction():
        assert any_pair.bob.read(letters[0]) == b"mine"
        with pytest.raises(UnknownPrekey):
            any_pair.bob.account.decrypt(type(ALICE)("other", 1), letters[1])
    any_pair.turn()


def test_keys_of_a_transaction_that_failed_are_not_used_again_with_the_same_nonce(talking: Pair) -> None:
    """The ciphertext must not be handed out before the block ends; if it is, the nonce still differs."""
    talking.alice.write(b"so that the ratchet key is made")
    sealed = []
    for _ in range(2):
        with pytest.raises(Crash), talking.alice.account.transaction():
            sealed.append(RatchetMessage.decode(talking.alice.write(b"handed out too early")))
            raise Crash
    assert sealed[0].header == sealed[1].header
    assert sealed[0].sealed[:8] != sealed[1].sealed[:8]
    assert sealed[0].sealed[8:] != sealed[1].sealed[8:]


def test_the_applications_own_write_shares_the_fate(tmp_path: Path) -> None:
    pair = Pair(sqlite_stores(tmp_path))
    pair.converse()
    store = pair.bob.store
    assert isinstance(store, SqliteStore)
    with store.transaction():
        store.connection.execute("CREATE TABLE inbox (text BLOB UNIQUE)")
    letter = pair.alice.write(b"kept once")

    def receive(*, fails: bool) -> None:
        with pair.bob.account.transaction():
            text = pair.bob.read(letter)
            store.connection.execute("INSERT INTO inbox VALUES (?)", (text,))
            if fails:
                store.connection.execute("INSERT INTO inbox VALUES (?)", (text,))

    with unchanged(store), pytest.raises(sqlite3.IntegrityError):
        receive(fails=True)
    receive(fails=False)
    with unchanged(store), pytest.raises(PeerError):
        receive(fails=False)
    with store.transaction():
        assert store.connection.execute("SELECT text FROM inbox").fetchall() == [(b"kept once",)]
    pair.close()


@pytest.mark.parametrize("call", ["sessions.save", "skipped_keys.add", "prekeys.delete", "peers.save"])
def test_a_store_that_fails_half_way_leaves_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whatever the store raises in the middle of a first message, none of it has happened."""
    pair.alice.initiate()
    pair.alice.write(b"skipped")
    letter = pair.alice.write(b"first")

    def fail(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        table, method = call.split(".")
        patched.setattr(type(getattr(pair.bob.store.tables, table)), method, fail)
        with unchanged(pair.bob.store), pytest.raises(Crash):
            pair.bob.read(letter)
    assert pair.bob.read(letter) == b"first"
