"""SES-1: after a store is restored from an older copy no key stream repeats, and a new session heals it.

The tests also record what still works in such a session. Only errors of the library are raised.
"""

import random
from pathlib import Path

import pytest

from letterlock._wire.message import RatchetMessage
from letterlock.errors import (
    AuthenticationFailed,
    Cause,
    DuplicateMessage,
    PeerError,
    UnknownPrekey,
    UntrustedIdentity,
)
from letterlock.stores._sqlite import SqliteStore
from support.pair import STORE_KEY, Pair, Side, flipped, sqlite_stores


@pytest.fixture
def sqlite_pair(tmp_path: Path) -> Pair:
    pair = Pair(sqlite_stores(tmp_path))
    pair.converse()
    return pair


def copy_of(side: Side) -> bytes:
    """Return the whole file of a side's store."""
    assert isinstance(side.store, SqliteStore)
    path = path_of(side)
    side.store.close()
    data = path.read_bytes()
    side.store = SqliteStore(path, key=STORE_KEY)
    side.reopen()
    return data


def path_of(side: Side) -> Path:
    assert isinstance(side.store, SqliteStore)
    with side.store.transaction():
        return Path(side.store.connection.execute("PRAGMA database_list").fetchone()[2])


def restore(side: Side, data: bytes) -> None:
    path = path_of(side)
    side.store.close()
    path.write_bytes(data)
    side.store = SqliteStore(path, key=STORE_KEY)
    side.reopen()


def key_stream(message: bytes, text: bytes) -> bytes:
    """Return the beginning of the key stream that a message was sealed with."""
    sealed = RatchetMessage.decode(message).sealed[8:]
    return bytes(a ^ b for a, b in zip(sealed[: len(text)], text, strict=True))


def test_a_restored_sender_repeats_keys_but_no_key_stream(sqlite_pair: Pair) -> None:
    """The peer refuses the repeats as duplicates. The plaintexts stay secret because the nonces differ."""
    sqlite_pair.bob.read(sqlite_pair.alice.write(b"in the middle of a chain"))
    copy = copy_of(sqlite_pair.alice)
    before = [sqlite_pair.alice.write(b"transfer 100") for _ in range(3)]
    restore(sqlite_pair.alice, copy)
    after = [sqlite_pair.alice.write(b"transfer 999") for _ in range(3)]
    for one, two in zip(before, after, strict=True):
        assert RatchetMessage.decode(one).header == RatchetMessage.decode(two).header
        assert key_stream(one, b"transfer 100") != key_stream(two, b"transfer 999")
        assert sqlite_pair.bob.read(one) == b"transfer 100"
    for message in after:
        with pytest.raises(DuplicateMessage):
            sqlite_pair.bob.read(message)
    assert sqlite_pair.bob.read(sqlite_pair.alice.write(b"as many later")) == b"as many later"


def test_a_sender_restored_before_its_turn_forks_the_ratchet_until_a_new_session(sqlite_pair: Pair) -> None:
    """The sender draws another ratchet key for the same turn. The peer follows the first and refuses it."""
    copy = copy_of(sqlite_pair.alice)
    sqlite_pair.bob.read(sqlite_pair.alice.write(b"one fork"))
    restore(sqlite_pair.alice, copy)
    for _ in range(3):
        message = sqlite_pair.alice.write(b"the other")
        with pytest.raises(AuthenticationFailed):
            sqlite_pair.bob.read(message)
    message = sqlite_pair.bob.write(b"does not arrive either")
    with pytest.raises(AuthenticationFailed):
        sqlite_pair.alice.read(message)
    sqlite_pair.bob.initiate()
    sqlite_pair.bob.say(b"a new session")
    assert sqlite_pair.alice.hear() == b"a new session"
    sqlite_pair.turn()


def test_a_restored_recipient_reads_messages_a_second_time(sqlite_pair: Pair) -> None:
    copy = copy_of(sqlite_pair.bob)
    messages = [sqlite_pair.alice.write(b"%d" % n) for n in range(3)]
    for message in messages:
        sqlite_pair.bob.read(message)
    restore(sqlite_pair.bob, copy)
    assert [sqlite_pair.bob.read(message) for message in messages] == [b"0", b"1", b"2"]
    sqlite_pair.turn()


def test_a_recipient_restored_over_several_turns_cannot_follow_until_a_new_session(sqlite_pair: Pair) -> None:
    copy = copy_of(sqlite_pair.bob)
    for _ in range(3):
        sqlite_pair.turn()
    restore(sqlite_pair.bob, copy)
    for n in range(3):
        message = sqlite_pair.alice.write(b"%d" % n)
        with pytest.raises(PeerError):
            sqlite_pair.bob.read(message)
    sqlite_pair.bob.initiate()
    sqlite_pair.bob.say(b"a new session")
    assert sqlite_pair.alice.hear() == b"a new session"
    sqlite_pair.turn()


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_a_new_session_heals_from_either_side(sqlite_pair: Pair, name: str) -> None:
    restored: Side = getattr(sqlite_pair, name)
    copy = copy_of(restored)
    for _ in range(3):
        sqlite_pair.turn()
    restore(restored, copy)
    restored.other.initiate()
    restored.other.say(b"hello again")
    assert restored.hear() == b"hello again"
    sqlite_pair.turn()


def test_a_prekey_that_was_used_up_comes_back_with_the_copy(sqlite_pair: Pair) -> None:
    """The copy does not have the session, so the first message is read again: see spec/limitations.md."""
    bundle = sqlite_pair.bob.account.bundle()
    copy = copy_of(sqlite_pair.bob)
    sqlite_pair.alice.initiate(bundle)
    message = sqlite_pair.alice.write(b"first")
    assert sqlite_pair.bob.read(message) == b"first"
    restore(sqlite_pair.bob, copy)
    assert sqlite_pair.bob.read(message) == b"first"
    with pytest.raises(DuplicateMessage):
        sqlite_pair.bob.read(message)


def test_prekey_ids_issued_after_the_copy_are_not_issued_again(sqlite_pair: Pair) -> None:
    """HAND-12: a bundle that was made after the copy names prekeys that the restored store never had."""
    copy = copy_of(sqlite_pair.bob)
    lost = sqlite_pair.bob.account.bundle()
    restore(sqlite_pair.bob, copy)
    found = sqlite_pair.bob.account.bundle()
    assert found.one_time is not None
    assert lost.one_time is not None
    assert found.one_time.id != lost.one_time.id  # alike in one of 2**20 cases
    assert found.one_time.key != lost.one_time.key
    sqlite_pair.alice.initiate(lost)
    with pytest.raises(UnknownPrekey):
        sqlite_pair.bob.read(sqlite_pair.alice.write(b"for a key that is gone"))


@pytest.mark.parametrize("seed", range(12))
def test_random_restores_raise_only_errors_of_the_library_and_heal(sqlite_pair: Pair, seed: int) -> None:
    """Random messages, copies and restores raise only PeerError and TrustError, and a new session heals."""
    rng = random.Random(seed)
    copies = {side.address: [copy_of(side)] for side in (sqlite_pair.alice, sqlite_pair.bob)}
    for step in range(40):
        side = rng.choice([sqlite_pair.alice, sqlite_pair.bob])
        match rng.randrange(8):
            case 0 if step % 3 == 0:
                restore(side, rng.choice(copies[side.address]))
            case 1:
                copies[side.address].append(copy_of(side))
            case 2:
                side.initiate(side.other.account.bundle())
            case 3 | 4 | 5:
                side.say(b"%d" % step)
            case _:
                for message in side.post.messages[:4]:
                    try:
                        side.read(message)
                    except (PeerError, UntrustedIdentity):
                        continue
                del side.post.messages[:3]
    sqlite_pair.alice.initiate()
    sqlite_pair.alice.say(b"healed")
    assert sqlite_pair.bob.read(sqlite_pair.bob.post.messages[-1]) == b"healed"
    sqlite_pair.bob.say(b"indeed")
    assert sqlite_pair.alice.read(sqlite_pair.alice.post.messages[-1]) == b"indeed"
    sqlite_pair.close()


def cause_of(side: Side, letter: bytes) -> Cause:
    with pytest.raises(PeerError) as caught:
        side.read(letter)
    return caught.value.cause


@pytest.mark.parametrize("turns", [1, 2, 3, 4, 5])
def test_after_a_restore_every_failure_names_a_state_that_went_back(sqlite_pair: Pair, turns: int) -> None:
    """Both directions fail until a new session discards the earlier ones, as spec/limitations.md says."""
    copy = copy_of(sqlite_pair.alice)
    for _ in range(turns):
        sqlite_pair.turn()
    restore(sqlite_pair.alice, copy)
    causes = {cause_of(sqlite_pair.alice, sqlite_pair.bob.write(b"not read")) for _ in range(3)}
    assert causes == {Cause.OUR_STATE_WENT_BACK_PERHAPS}
    causes = {cause_of(sqlite_pair.bob, sqlite_pair.alice.write(b"not read")) for _ in range(3)}
    assert causes <= {Cause.OUR_STATE_WENT_BACK_PERHAPS, Cause.REPEATED_OR_THEIR_STATE_WENT_BACK}
    sqlite_pair.alice.account.initiate(
        sqlite_pair.bob.address, sqlite_pair.bob.account.bundle(), discard_earlier=True
    )
    sqlite_pair.turn()


def test_where_the_senders_chain_was_current_its_new_texts_are_repeats(sqlite_pair: Pair) -> None:
    sqlite_pair.bob.read(sqlite_pair.alice.write(b"in the middle of a chain"))
    copy = copy_of(sqlite_pair.alice)
    for _ in range(3):
        sqlite_pair.bob.read(sqlite_pair.alice.write(b"before the restore"))
    restore(sqlite_pair.alice, copy)
    causes = [cause_of(sqlite_pair.bob, sqlite_pair.alice.write(b"after it")) for _ in range(3)]
    assert causes == [Cause.REPEATED_OR_THEIR_STATE_WENT_BACK] * 3


def test_a_cause_depends_on_the_header_and_on_nothing_that_a_key_decides(sqlite_pair: Pair) -> None:  # PRIM-8
    """A changed tag and a changed text have one cause. Another ratchet key, in clear, has another."""
    sqlite_pair.bob.read(sqlite_pair.alice.write(b"begins the chain"))
    letter = sqlite_pair.alice.write(b"text")
    for at in range(-24, 0):
        assert cause_of(sqlite_pair.bob, flipped(letter, len(letter) + at)) is Cause.FORGED_OR_DAMAGED
    header = RatchetMessage.decode(letter).header
    key = letter.index(header.ratchet_key.data)
    other = letter[:key] + b"\x05" * 32 + letter[key + 32 :]
    assert cause_of(sqlite_pair.bob, other) is Cause.OUR_STATE_WENT_BACK_PERHAPS
    assert sqlite_pair.bob.read(letter) == b"text"
