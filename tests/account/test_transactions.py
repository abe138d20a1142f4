"""STO-1 as an application sees it: the calls of a transaction commit together or not at all."""

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
def conversation(any_pair: Pair) -> Pair:
    any_pair.converse()
    return any_pair


def test_grouped_calls_commit_together(conversation: Pair) -> None:
    messages = [conversation.alice.write(b"%d" % n) for n in range(3)]
    with conversation.bob.account.transaction():
        texts = [conversation.bob.read(message) for message in messages]
        answer = conversation.bob.write(b"got %d" % len(texts))
    conversation.reopen()
    assert texts == [b"0", b"1", b"2"]
    assert conversation.alice.read(answer) == b"got 3"
    for message in messages:
        with pytest.raises(DuplicateMessage):
            conversation.bob.read(message)


def test_an_exception_rolls_back_a_decryption(conversation: Pair) -> None:
    late, message = conversation.alice.write(b"late"), conversation.alice.write(b"text")
    for _ in range(3):
        with unchanged(conversation.bob.store), pytest.raises(Crash), conversation.bob.account.transaction():
            conversation.bob.read(message)
            conversation.bob.read(late)
            raise Crash
        conversation.bob.reopen()
    assert [conversation.bob.read(message), conversation.bob.read(late)] == [b"text", b"late"]


def test_an_exception_rolls_back_a_first_contact(any_pair: Pair) -> None:
    any_pair.alice.initiate()
    message = any_pair.alice.write(b"first")
    with unchanged(any_pair.bob.store), pytest.raises(Crash), any_pair.bob.account.transaction():
        any_pair.bob.read(message)
        any_pair.bob.write(b"answer")
        raise Crash
    any_pair.bob.reopen()
    assert any_pair.bob.account.peers() == []
    assert any_pair.bob.read(message) == b"first"


def test_an_exception_rolls_back_every_other_call(conversation: Pair) -> None:
    bundle = conversation.bob.account.bundle()
    other = Pair().bob.account.identity.data
    account = conversation.alice.account
    with unchanged(conversation.alice.store), pytest.raises(Crash), account.transaction():
        account.publish(2, rotate=True)
        account.initiate(conversation.bob.address, bundle)
        account.encrypt(conversation.bob.address, b"x")
        account.accept_identity(conversation.bob.address, other)
        raise Crash
    conversation.turn()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_rolls_back(conversation: Pair, error: type[BaseException]) -> None:
    message = conversation.alice.write(b"text")
    with unchanged(conversation.bob.store), pytest.raises(error), conversation.bob.account.transaction():
        conversation.bob.read(message)
        raise error
    assert conversation.bob.read(message) == b"text"


def test_an_error_of_the_peer_does_not_roll_back_the_transaction(conversation: Pair) -> None:
    good, bad = conversation.alice.write(b"good"), flipped(conversation.alice.write(b"bad"), -1 % 94)
    late, after = conversation.alice.write(b"late"), conversation.alice.write(b"after")
    with conversation.bob.account.transaction():
        assert conversation.bob.read(good) == b"good"
        with pytest.raises(AuthenticationFailed):
            conversation.bob.read(bad[:-1] + bytes([bad[-1] ^ 1]))
        with pytest.raises(DuplicateMessage):
            conversation.bob.read(good)
        assert conversation.bob.read(after) == b"after"
    conversation.bob.reopen()
    assert conversation.bob.read(late) == b"late"
    conversation.turn()


def test_an_inner_transaction_may_fail_alone(conversation: Pair) -> None:
    outer, inner = conversation.alice.write(b"outer"), conversation.alice.write(b"inner")
    account = conversation.bob.account
    with account.transaction():
        assert conversation.bob.read(outer) == b"outer"
        with pytest.raises(Crash), account.transaction():
            assert conversation.bob.read(inner) == b"inner"
            raise Crash
        assert conversation.bob.read(inner) == b"inner"
    with pytest.raises(DuplicateMessage):
        conversation.bob.read(inner)


def test_an_untrusted_identity_does_not_roll_back_the_transaction(conversation: Pair) -> None:
    impostor = Pair()
    impostor.alice.account.initiate(conversation.bob.address, conversation.bob.account.bundle())
    message = impostor.alice.account.encrypt(conversation.bob.address, b"x")
    with conversation.bob.account.transaction():
        with pytest.raises(UntrustedIdentity):
            conversation.bob.account.decrypt(ALICE, message)
        answer = conversation.bob.write(b"still here")
    assert conversation.alice.read(answer) == b"still here"


def test_two_first_messages_cannot_use_one_prekey_in_one_transaction(any_pair: Pair) -> None:
    bundle = any_pair.bob.account.bundle()
    other = Pair().alice.account
    any_pair.alice.initiate(bundle)
    other.initiate(any_pair.bob.address, bundle)
    messages = any_pair.alice.write(b"mine"), other.encrypt(any_pair.bob.address, b"mine too")
    with any_pair.bob.account.transaction():
        assert any_pair.bob.read(messages[0]) == b"mine"
        with pytest.raises(UnknownPrekey):
            any_pair.bob.account.decrypt(type(ALICE)("other", 1), messages[1])
    any_pair.turn()


def test_a_key_used_again_after_a_rollback_has_another_nonce(conversation: Pair) -> None:
    """An application must not send a ciphertext before the block ends. If it does, nonces still differ."""
    conversation.alice.write(b"makes the ratchet key")
    sealed = []
    for _ in range(2):
        with pytest.raises(Crash), conversation.alice.account.transaction():
            sealed.append(RatchetMessage.decode(conversation.alice.write(b"handed out too early")))
            raise Crash
    assert sealed[0].header == sealed[1].header
    assert sealed[0].sealed[:8] != sealed[1].sealed[:8]
    assert sealed[0].sealed[8:] != sealed[1].sealed[8:]


def test_the_applications_own_write_commits_or_rolls_back_with_the_calls(tmp_path: Path) -> None:
    pair = Pair(sqlite_stores(tmp_path))
    pair.converse()
    store = pair.bob.store
    assert isinstance(store, SqliteStore)
    with store.transaction():
        store.connection.execute("CREATE TABLE inbox (text BLOB UNIQUE)")
    message = pair.alice.write(b"kept once")

    def receive(*, fails: bool) -> None:
        with pair.bob.account.transaction():
            text = pair.bob.read(message)
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
def test_a_first_message_is_rolled_back_when_the_store_fails(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The store may fail at any step of a first message; then nothing of it is stored."""
    pair.alice.initiate()
    pair.alice.write(b"skipped")
    message = pair.alice.write(b"first")

    def fail(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        table, method = call.split(".")
        patched.setattr(type(getattr(pair.bob.store.tables, table)), method, fail)
        with unchanged(pair.bob.store), pytest.raises(Crash):
            pair.bob.read(message)
    assert pair.bob.read(message) == b"first"
