"""A store put back to an older copy: no key stream repeats, nothing but LetterlockError comes out, and a new
session heals it. What still works is written down here. SES-1.
"""

import random
from pathlib import Path

import pytest

from letterlock._wire.message import RatchetMessage
from letterlock.errors import AuthenticationFailed, DuplicateMessage, PeerError, UntrustedIdentity
from letterlock.stores._sqlite import SqliteStore
from support.pair import STORE_KEY, Pair, Side, sqlite_stores


@pytest.fixture
def filed(tmp_path: Path) -> Pair:
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


def key_stream(letter: bytes, text: bytes) -> bytes:
    """Return the beginning of the key stream that a letter's text was sealed with."""
    sealed = RatchetMessage.decode(letter).sealed[8:]
    return bytes(a ^ b for a, b in zip(sealed[: len(text)], text, strict=True))


def test_a_restored_sender_repeats_keys_but_no_key_stream(filed: Pair) -> None:
    """The peer calls the repeats duplicates; the texts stay secret because the nonces differ."""
    filed.bob.read(filed.alice.write(b"in the middle of a chain"))
    copy = copy_of(filed.alice)
    before = [filed.alice.write(b"transfer 100") for _ in range(3)]
    restore(filed.alice, copy)
    after = [filed.alice.write(b"transfer 999") for _ in range(3)]
    for one, two in zip(before, after, strict=True):
        assert RatchetMessage.decode(one).header == RatchetMessage.decode(two).header
        assert key_stream(one, b"transfer 100") != key_stream(two, b"transfer 999")
        assert filed.bob.read(one) == b"transfer 100"
    for letter in after:
        with pytest.raises(DuplicateMessage):
            filed.bob.read(letter)
    assert filed.bob.read(filed.alice.write(b"as many later")) == b"as many later"


def test_a_sender_restored_before_its_turn_forks_the_ratchet_until_a_new_session(filed: Pair) -> None:
    """It draws another ratchet key for the same turn; the peer, who follows the first, calls it forged."""
    copy = copy_of(filed.alice)
    filed.bob.read(filed.alice.write(b"one fork"))
    restore(filed.alice, copy)
    for _ in range(3):
        letter = filed.alice.write(b"the other")
        with pytest.raises(AuthenticationFailed):
            filed.bob.read(letter)
    letter = filed.bob.write(b"does not arrive either")
    with pytest.raises(AuthenticationFailed):
        filed.alice.read(letter)
    filed.bob.initiate()
    filed.bob.say(b"a new session")
    assert filed.alice.hear() == b"a new session"
    filed.turn()


def test_a_restored_recipient_reads_again_what_it_had_read(filed: Pair) -> None:
    copy = copy_of(filed.bob)
    letters = [filed.alice.write(b"%d" % n) for n in range(3)]
    for letter in letters:
        filed.bob.read(letter)
    restore(filed.bob, copy)
    assert [filed.bob.read(letter) for letter in letters] == [b"0", b"1", b"2"]
    filed.turn()


def test_a_recipient_restored_over_several_turns_cannot_follow_until_a_new_session(filed: Pair) -> None:
    copy = copy_of(filed.bob)
    for _ in range(3):
        filed.turn()
    restore(filed.bob, copy)
    for n in range(3):
        letter = filed.alice.write(b"%d" % n)
        with pytest.raises(PeerError):
            filed.bob.read(letter)
    filed.bob.initiate()
    filed.bob.say(b"a new session")
    assert filed.alice.hear() == b"a new session"
    filed.turn()


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_new_session_heals_from_either_side(filed: Pair, who: str) -> None:
    restored: Side = getattr(filed, who)
    copy = copy_of(restored)
    for _ in range(3):
        filed.turn()
    restore(restored, copy)
    restored.other.initiate()
    restored.other.say(b"hello again")
    assert restored.hear() == b"hello again"
    filed.turn()


def test_a_prekey_that_was_used_up_comes_back_with_the_copy(filed: Pair) -> None:
    """The copy knows nothing of the session, so the first message is read again: see spec/limitations.md."""
    bundle = filed.bob.account.bundle()
    copy = copy_of(filed.bob)
    filed.alice.initiate(bundle)
    letter = filed.alice.write(b"first")
    assert filed.bob.read(letter) == b"first"
    restore(filed.bob, copy)
    assert filed.bob.read(letter) == b"first"
    with pytest.raises(DuplicateMessage):
        filed.bob.read(letter)


def test_ids_given_out_after_the_copy_are_given_out_again_but_to_other_keys(filed: Pair) -> None:
    """A bundle from after the copy names prekeys that are not there; it fails, and no plaintext is wrong."""
    copy = copy_of(filed.bob)
    lost = filed.bob.account.bundle()
    restore(filed.bob, copy)
    found = filed.bob.account.bundle()
    assert found.one_time is not None
    assert lost.one_time is not None
    assert found.one_time.id == lost.one_time.id
    assert found.one_time.key != lost.one_time.key
    filed.alice.initiate(lost)
    with pytest.raises(PeerError):
        filed.bob.read(filed.alice.write(b"for a key that is gone"))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_restored_when_nothing_else_escapes(filed: Pair, seed: int) -> None:
    """Random talk, copies and restores: only PeerError and TrustError come out, and it heals in the end."""
    rng = random.Random(seed)
    copies = {side.address: [copy_of(side)] for side in (filed.alice, filed.bob)}
    for step in range(40):
        side = rng.choice([filed.alice, filed.bob])
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
                for letter in side.post.messages[:4]:
                    try:
                        side.read(letter)
                    except (PeerError, UntrustedIdentity):
                        continue
                del side.post.messages[:3]
    filed.alice.initiate()
    filed.alice.say(b"healed")
    assert filed.bob.read(filed.bob.post.messages[-1]) == b"healed"
    filed.bob.say(b"indeed")
    assert filed.alice.read(filed.alice.post.messages[-1]) == b"indeed"
    filed.close()
