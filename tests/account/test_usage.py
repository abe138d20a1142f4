"""Rules of an account: created once, then opened; sizes at their limits; wrong calls change nothing."""

import hashlib
import random
from collections.abc import Callable
from typing import Any

import pytest

from letterlock._handshake.bundle_signature import verify_publication
from letterlock._session.sealing import padded_length
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.message import InitialMessage
from letterlock._wire.publication import Publication
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import (
    AccountExists,
    AddressMismatch,
    NoAccount,
    NoSession,
    PeerError,
    PlaintextTooLong,
    UnknownSession,
    UsageError,
)
from letterlock.limits import MAX_PLAINTEXT
from letterlock.stores._memory import MemoryStore
from support.pair import ALICE, BOB, CAROL, Pair, unchanged


@pytest.fixture
def conversation(any_pair: Pair) -> Pair:
    any_pair.converse()
    return any_pair


# --- created and opened -------------------------------------------------------------------------------------


def test_an_account_is_created_once(any_pair: Pair) -> None:
    for address in (ALICE, BOB):
        with unchanged(any_pair.alice.store), pytest.raises(AccountExists):
            Account.create(any_pair.alice.store, address)


def test_an_empty_store_has_no_account() -> None:
    store = MemoryStore()
    with unchanged(store), pytest.raises(NoAccount):
        Account.open(store)


def test_an_opened_account_is_the_one_that_was_created(any_pair: Pair) -> None:
    before = any_pair.alice.account
    any_pair.alice.reopen()
    after = any_pair.alice.account
    assert (after.address, after.identity) == (before.address, before.identity) == (ALICE, before.identity)


def test_two_account_objects_on_one_store_share_all_state(any_pair: Pair) -> None:
    """Two processes may do so, because an account object keeps no state of its own."""
    any_pair.converse()
    again = Account.open(any_pair.alice.store, clock=any_pair.clock)
    messages = [account.encrypt(BOB, b"x") for account in (any_pair.alice.account, again) * 3]
    for message in messages:
        assert any_pair.bob.read(message) == b"x"
    assert again.bundle().signed == any_pair.alice.account.bundle().signed


def test_two_accounts_share_no_keys() -> None:
    one, two = (Account.create(MemoryStore(), ALICE) for _ in range(2))
    first, second = one.bundle(), two.bundle()
    assert first.identity != second.identity
    assert first.signed.key != second.signed.key
    assert first.signature != second.signature


def test_a_publication_and_its_bundles_survive_encoding(pair: Pair) -> None:
    publication = pair.bob.account.publish(3)
    decoded = Publication.decode(publication.encode())
    verify_publication(decoded)
    assert decoded == publication
    for bundle in [*decoded.bundles(), decoded.last_resort_bundle()]:
        pair.alice.initiate(PrekeyBundle.decode(bundle.encode()))
        assert pair.bob.read(pair.alice.write(b"x")) == b"x"


# --- sizes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 1000, 65535, 65536])
def test_plaintexts_of_every_size_decrypt(conversation: Pair, size: int) -> None:
    text = random.Random(size).randbytes(size)
    for side in (conversation.alice, conversation.bob):
        message = side.write(text)
        assert side.other.read(message) == text


def test_the_largest_plaintext_and_one_byte_more(pair: Pair) -> None:
    pair.alice.initiate()
    text = hashlib.shake_256(b"large").digest(MAX_PLAINTEXT)
    assert len(text) == 16 * 1024 * 1024
    with unchanged(pair.alice.store), pytest.raises(PlaintextTooLong) as caught:
        pair.alice.write(text + b"\0")
    assert (caught.value.size, caught.value.limit) == (MAX_PLAINTEXT + 1, MAX_PLAINTEXT)
    message = pair.alice.write(text)
    with pytest.raises(PeerError):
        pair.bob.read(message[:-1])
    assert pair.bob.read(message) == text
    pair.bob.say(text)
    assert pair.alice.hear() == text


def test_short_texts_cannot_be_told_apart_by_their_size(conversation: Pair) -> None:
    # These are few enough that the message number keeps its length.
    sizes = {len(conversation.alice.write(bytes(size))) for size in (0, 1, 2, 7, 8, 15, 16, 23, 24, 30, 31)}
    assert len(sizes) == 1


def test_a_first_message_is_about_as_long_as_documented(pair: Pair) -> None:
    pair.alice.initiate()
    first = len(pair.alice.write(b""))
    pair.bob.read(pair.alice.write(b"x"))
    pair.alice.read(pair.bob.write(b"y"))
    later = len(pair.alice.write(b""))
    assert 105 <= later <= 140
    assert 1.65 * 1024 <= first - later <= 1.75 * 1024


def test_an_x3dh_message_has_97_bytes_and_at_most_86_more_with_a_handshake(x3dh_pair: Pair) -> None:
    x3dh_pair.alice.initiate(suite=Suite.X3DH)
    first = len(x3dh_pair.alice.write(b""))
    x3dh_pair.bob.read(x3dh_pair.alice.write(b"x"))
    x3dh_pair.alice.read(x3dh_pair.bob.write(b"y"))
    assert len(x3dh_pair.alice.write(b"")) == 97
    assert 97 + 78 <= first <= 97 + 86  # ids start below 2^24, and one in 256 takes two bytes less


@pytest.mark.parametrize("size", [0, 31, 100, 200, 1000, 2048, 4096, 20_000])
def test_a_later_message_is_as_long_as_documented(pair: Pair, size: int) -> None:
    """A message adds 72 to 107 bytes to the padded plaintext, and at most a quarter more for codewords."""
    pair.converse()
    overheads = set[int]()
    for _ in range(60):
        for side in (pair.alice, pair.bob):
            message = side.say(bytes(size))
            assert side.other.hear() == bytes(size)
            overheads.add(len(message) - padded_length(size))
    assert min(overheads) == 72
    most = max(1, min(padded_length(size) // 128, 36)) * 32
    assert 100 <= max(overheads) <= 75 + most
    assert max(overheads) <= 75 + 1.25 * 1024


# --- wrong calls --------------------------------------------------------------------------------------


def test_without_a_session_nothing_can_be_encrypted_or_decrypted(any_pair: Pair) -> None:
    any_pair.introduce()
    with unchanged(any_pair.alice.store), pytest.raises(NoSession):
        any_pair.alice.account.encrypt(CAROL, b"x")
    any_pair.bob.say(b"answer")
    with unchanged(any_pair.alice.store), pytest.raises(UnknownSession):
        any_pair.alice.account.decrypt(CAROL, any_pair.alice.post.messages[0])


def test_an_account_cannot_initiate_with_itself(pair: Pair) -> None:
    for bundle in (pair.alice.account.bundle(), pair.bob.account.bundle()):
        with unchanged(pair.alice.store), pytest.raises(UsageError, match="own address"):
            pair.alice.account.initiate(ALICE, bundle)


def test_a_bundle_is_refused_for_another_address(pair: Pair) -> None:
    bundle = pair.bob.account.bundle()
    for address in (CAROL, type(BOB)("bob", 2)):
        with unchanged(pair.alice.store), pytest.raises(AddressMismatch):
            pair.alice.account.initiate(address, bundle)


NOT_BYTES = [None, "text", bytearray(b"text"), memoryview(b"text"), 5, ["b"], True]
NOT_ADDRESSES = [None, "bob", b"bob", ("bob", 1), 1, ["bob", 1]]


@pytest.mark.parametrize("wrong", NOT_BYTES, ids=lambda value: type(value).__name__)
def test_plaintexts_and_messages_must_be_bytes(conversation: Pair, wrong: Any) -> None:
    account = conversation.alice.account
    for call in (account.encrypt, account.decrypt, account.accept_identity):
        with unchanged(conversation.alice.store), pytest.raises(UsageError, match="must be bytes"):
            call(BOB, wrong)


@pytest.mark.parametrize("wrong", NOT_ADDRESSES, ids=repr)
def test_an_address_must_be_an_address(conversation: Pair, wrong: Any) -> None:
    account, bundle = conversation.alice.account, conversation.bob.account.bundle()
    message = conversation.bob.write(b"x")
    calls: list[Callable[[], object]] = [
        lambda: account.encrypt(wrong, b"x"),
        lambda: account.decrypt(wrong, message),
        lambda: account.initiate(wrong, bundle),
        lambda: account.accept_identity(wrong, conversation.bob.account.identity.data),
        lambda: account.safety_number(wrong),
        lambda: Account.create(MemoryStore(), wrong),
    ]
    with unchanged(conversation.alice.store):
        for call in calls:
            with pytest.raises(UsageError, match="address must be Address"):
                call()
    stranger = Pair()
    stranger.alice.initiate()
    first = stranger.alice.write(b"first")
    with unchanged(stranger.bob.store), pytest.raises(UsageError):
        stranger.bob.account.decrypt(wrong, first)


@pytest.mark.parametrize("wrong", [None, b"bundle", "bundle", []], ids=repr)
def test_a_bundle_must_be_a_decoded_bundle(pair: Pair, wrong: Any) -> None:
    with unchanged(pair.alice.store), pytest.raises(UsageError, match="must be PrekeyBundle"):
        pair.alice.account.initiate(BOB, wrong)


@pytest.mark.parametrize("wrong", ["x" * 32, bytearray(32), 5])
def test_an_identity_must_be_bytes(conversation: Pair, wrong: Any) -> None:
    with pytest.raises(UsageError, match="identity must be bytes"):
        conversation.alice.account.safety_number(BOB, wrong)


JUNK = [b"", b"\x00", b"\xff", b"hello", b"\x80", b"\x86", b"\xf6", b"\x9f\xff", bytes(100), b"\x8a\x01\x01"]


@pytest.mark.parametrize("junk", JUNK)
def test_arbitrary_bytes_are_a_peer_error(conversation: Pair, junk: bytes) -> None:
    with unchanged(conversation.alice.store), pytest.raises(PeerError):
        conversation.alice.read(junk)
    with pytest.raises(PeerError):
        PrekeyBundle.decode(junk)
    with pytest.raises(PeerError):
        Publication.decode(junk)


def test_a_bundle_or_a_publication_is_refused_as_a_message(conversation: Pair) -> None:
    for data in (conversation.bob.account.bundle().encode(), conversation.bob.account.publish(1).encode()):
        with unchanged(conversation.alice.store), pytest.raises(PeerError):
            conversation.alice.read(data)


def test_a_message_is_refused_as_a_bundle(pair: Pair) -> None:
    pair.alice.initiate()
    message = pair.alice.write(b"x")
    assert InitialMessage.decode(message).header.kem is not None
    with pytest.raises(PeerError):
        PrekeyBundle.decode(message)
