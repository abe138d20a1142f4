"""SES-7: the first identity is recorded. Another one is refused in both directions until it is accepted."""

import dataclasses
from typing import Any

import pytest

from letterlock._primitives.curve25519 import LOW_ORDER
from letterlock.account import Account
from letterlock.errors import (
    AddressMismatch,
    AuthenticationFailed,
    InvalidKey,
    InvalidSignature,
    NoSession,
    PeerError,
    UnknownSession,
    UntrustedIdentity,
    UsageError,
)
from letterlock.stores._memory import MemoryStore
from support.pair import ALICE, BOB, CAROL, Clock, Pair, Side, flipped, unchanged


@pytest.fixture
def conversation(any_pair: Pair) -> Pair:
    any_pair.converse()
    return any_pair


def new_device(side: Side) -> Account:
    """Return another account with the address of one side: a new phone, or an impostor."""
    return Account.create(MemoryStore(), side.address, clock=Clock())


def first_message_of(account: Account, to: Side, text: bytes = b"it is me") -> bytes:
    account.initiate(to.address, to.account.bundle())
    return account.encrypt(to.address, text)


def test_our_own_identity_is_never_recorded_for_a_peer(pair: Pair) -> None:
    """A bundle or message with our own identity must neither be trusted nor replace what is recorded."""
    pair.converse()
    own = pair.alice.account.bundle()
    with unchanged(pair.alice.store):
        with pytest.raises(UsageError, match="own identity"):
            pair.alice.account.accept_identity(BOB, own.identity.data)
        with pytest.raises(AddressMismatch):
            pair.alice.account.initiate(BOB, dataclasses.replace(own, address=BOB))
    pair.bob.account.initiate(ALICE, own)
    message = pair.bob.write(b"mine")
    with unchanged(pair.bob.store), pytest.raises(AddressMismatch):
        pair.bob.read(message)
    pair.turn()


def test_a_changed_identity_is_not_read_and_does_not_stop_the_old_session(conversation: Pair) -> None:
    """If it stopped, anybody who delivers a first message in a peer's name could silence a conversation."""
    impostor = new_device(conversation.bob)
    for _ in range(3):
        first = first_message_of(impostor, conversation.alice)
        with unchanged(conversation.alice.store), pytest.raises(UntrustedIdentity) as caught:
            conversation.alice.read(first)
        assert (caught.value.address, caught.value.identity) == (BOB, impostor.identity.data)
        letter = conversation.alice.write(b"to the identity on record")
        with pytest.raises(PeerError):
            impostor.decrypt(ALICE, letter)
        assert conversation.bob.read(letter) == b"to the identity on record"
        conversation.turn()


@pytest.mark.parametrize("call", ["initiate", "encrypt", "accept_identity"])
def test_our_own_address_is_refused_as_a_peer(pair: Pair, call: str) -> None:
    given = {"initiate": pair.bob.account.bundle(), "encrypt": b"x", "accept_identity": b"\x09" * 32}[call]
    with unchanged(pair.alice.store), pytest.raises(UsageError, match="own address"):
        getattr(pair.alice.account, call)(ALICE, given)


def test_first_contact_records_the_identity_on_both_sides(any_pair: Pair) -> None:
    assert any_pair.alice.account.peers() == any_pair.bob.account.peers() == []
    any_pair.alice.initiate()
    (peer,) = any_pair.alice.account.peers()
    assert (peer.address, peer.identity) == (BOB, any_pair.bob.account.identity)
    any_pair.alice.say(b"x")
    any_pair.bob.hear()
    (peer,) = any_pair.bob.account.peers()
    assert (peer.address, peer.identity) == (ALICE, any_pair.alice.account.identity)


def test_peers_are_sorted_by_address(pair: Pair) -> None:
    for name in ("carol", "bob", "zoe", "anna"):
        for device in (2, 1):
            address = type(BOB)(name, device)
            pair.alice.account.initiate(
                address, Account.create(MemoryStore(), address, clock=pair.clock).bundle()
            )
    found = [peer.address for peer in pair.alice.account.peers()]
    assert found == sorted(found)
    assert len(found) == 8


# --- a changed identity -------------------------------------------------------------------------------


def test_a_new_identity_is_refused_when_we_initiate(conversation: Pair) -> None:
    bob2 = new_device(conversation.bob)
    with unchanged(conversation.alice.store), pytest.raises(UntrustedIdentity) as caught:
        conversation.alice.account.initiate(BOB, bob2.bundle())
    assert (caught.value.address, caught.value.identity) == (BOB, bob2.identity.data)
    conversation.turn()  # the old session goes on


def test_a_new_identity_is_refused_when_it_writes(conversation: Pair) -> None:
    bob2 = new_device(conversation.bob)
    message = first_message_of(bob2, conversation.alice)
    for _ in range(2):
        with unchanged(conversation.alice.store), pytest.raises(UntrustedIdentity) as caught:
            conversation.alice.read(message)
        assert (caught.value.address, caught.value.identity) == (BOB, bob2.identity.data)
        conversation.alice.reopen()
    conversation.turn()


def test_after_the_identity_is_accepted_the_same_message_decrypts(conversation: Pair) -> None:
    bob2 = new_device(conversation.bob)
    message = first_message_of(bob2, conversation.alice)
    with pytest.raises(UntrustedIdentity) as caught:
        conversation.alice.read(message)
    conversation.alice.account.accept_identity(BOB, caught.value.identity)
    conversation.alice.reopen()
    assert conversation.alice.read(message) == b"it is me"
    assert bob2.decrypt(ALICE, conversation.alice.write(b"welcome")) == b"welcome"
    (peer,) = conversation.alice.account.peers()
    assert peer.identity == bob2.identity


def test_accepting_deletes_the_sessions_of_the_old_identity(conversation: Pair) -> None:
    late = conversation.bob.write(b"late")
    bob2 = new_device(conversation.bob)
    conversation.alice.account.accept_identity(BOB, bob2.identity.data)
    with unchanged(conversation.alice.store), pytest.raises(NoSession):
        conversation.alice.write(b"to whom?")
    with unchanged(conversation.alice.store), pytest.raises(UnknownSession):
        conversation.alice.read(late)
    held = conversation.alice.dump()
    assert not held["letterlock_sessions" if "letterlock_sessions" in held else "sessions"]


def test_after_accepting_a_new_identity_the_old_one_is_untrusted(conversation: Pair) -> None:
    conversation.alice.account.accept_identity(BOB, new_device(conversation.bob).identity.data)
    with unchanged(conversation.alice.store), pytest.raises(UntrustedIdentity):
        conversation.alice.initiate()
    message = first_message_of(conversation.bob.account, conversation.alice)
    with unchanged(conversation.alice.store), pytest.raises(UntrustedIdentity):
        conversation.alice.read(message)


def test_accepting_the_known_identity_changes_nothing(conversation: Pair) -> None:
    with unchanged(conversation.alice.store):
        conversation.alice.account.accept_identity(BOB, conversation.bob.account.identity.data)
    conversation.turn()


def test_accepting_keeps_the_sessions_with_other_peers(conversation: Pair) -> None:
    carol = Account.create(MemoryStore(), CAROL, clock=conversation.clock)
    conversation.alice.account.initiate(CAROL, carol.bundle())
    conversation.alice.account.accept_identity(BOB, new_device(conversation.bob).identity.data)
    message = conversation.alice.account.encrypt(CAROL, b"still here")
    assert carol.decrypt(ALICE, message) == b"still here"


def test_an_identity_may_be_pinned_before_first_contact(pair: Pair) -> None:
    pair.alice.account.accept_identity(BOB, pair.bob.account.identity.data)
    with pytest.raises(UntrustedIdentity):
        pair.alice.account.initiate(BOB, new_device(pair.bob).bundle())
    pair.converse()


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33), b"\xff" * 32, *sorted(LOW_ORDER)])
def test_accepting_an_invalid_key_is_refused(conversation: Pair, wrong: bytes) -> None:
    with unchanged(conversation.alice.store), pytest.raises(InvalidKey):
        conversation.alice.account.accept_identity(BOB, wrong)


@pytest.mark.parametrize("wrong", [None, "x" * 32, bytearray(32), 32])
def test_accepting_another_type_is_a_usage_error(conversation: Pair, wrong: Any) -> None:
    with unchanged(conversation.alice.store), pytest.raises(UsageError):
        conversation.alice.account.accept_identity(BOB, wrong)
    with pytest.raises(UsageError):
        conversation.alice.account.accept_identity(BOB, conversation.bob.account.identity)  # type: ignore[arg-type]


# --- forged identities --------------------------------------------------------------------------------


def test_an_impostor_who_shows_the_right_identity_fails(conversation: Pair) -> None:
    """The identity key in the header is the real one, but the sender does not have its private half."""
    impostor = new_device(conversation.bob)
    message = first_message_of(impostor, conversation.alice)
    forged = message.replace(impostor.identity.data, conversation.bob.account.identity.data)
    assert forged != message
    with unchanged(conversation.alice.store), pytest.raises(AuthenticationFailed):
        conversation.alice.read(forged)


def test_an_impostors_bundle_under_the_right_identity_fails(conversation: Pair) -> None:
    bundle = new_device(conversation.bob).bundle()
    forged = dataclasses.replace(bundle, identity=conversation.bob.account.identity)
    with unchanged(conversation.alice.store), pytest.raises(InvalidSignature):
        conversation.alice.account.initiate(BOB, forged)


def test_at_first_contact_a_damaged_identity_is_recorded_nowhere(pair: Pair) -> None:
    pair.alice.initiate()
    message = pair.alice.write(b"first")
    at = message.index(pair.alice.account.identity.data)
    with unchanged(pair.bob.store), pytest.raises(PeerError):
        pair.bob.read(flipped(message, at + 5))
    assert pair.bob.account.peers() == []
    assert pair.bob.read(message) == b"first"


def test_a_message_does_not_decrypt_under_another_address(pair: Pair) -> None:
    """The caller presents Alice's message as Carol's; the transcript binds the address."""
    pair.alice.initiate()
    message = pair.alice.write(b"from alice")
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.account.decrypt(CAROL, message)
    assert pair.bob.account.peers() == []
