"""SES-7: the first identity is recorded, another one is refused in both directions until it is accepted."""

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
from support.pair import ALICE, BOB, CAROL, Pair, Side, flipped, unchanged


@pytest.fixture
def talking(any_pair: Pair) -> Pair:
    any_pair.converse()
    return any_pair


def new_device(side: Side) -> Account:
    """Another account under the address of one side: a new phone, or an impostor."""
    return Account.create(MemoryStore(), side.address)


def letter_of(account: Account, to: Side, text: bytes = b"it is me") -> bytes:
    account.initiate(to.address, to.account.bundle())
    return account.encrypt(to.address, text)


def test_our_own_identity_never_becomes_a_peers(pair: Pair) -> None:
    """Whoever sends us what is our own must not make us trust it, nor lose what we know."""
    pair.converse()
    own = pair.alice.account.bundle()
    with unchanged(pair.alice.store):
        with pytest.raises(UsageError, match="own identity"):
            pair.alice.account.accept_identity(BOB, own.identity.data)
        with pytest.raises(AddressMismatch):
            pair.alice.account.initiate(BOB, dataclasses.replace(own, address=BOB))
    pair.bob.account.initiate(ALICE, own)
    letter = pair.bob.write(b"mine")
    with unchanged(pair.bob.store), pytest.raises(AddressMismatch):
        pair.bob.read(letter)
    pair.turn()


@pytest.mark.parametrize("call", ["initiate", "encrypt", "accept_identity"])
def test_our_own_address_is_no_peers(pair: Pair, call: str) -> None:
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


def test_peers_come_in_the_order_of_their_addresses(pair: Pair) -> None:
    for name in ("carol", "bob", "zoe", "anna"):
        for device in (2, 1):
            address = type(BOB)(name, device)
            pair.alice.account.initiate(address, Account.create(MemoryStore(), address).bundle())
    found = [peer.address for peer in pair.alice.account.peers()]
    assert found == sorted(found)
    assert len(found) == 8


# --- a changed identity -------------------------------------------------------------------------------


def test_a_new_identity_is_refused_when_we_initiate(talking: Pair) -> None:
    bob2 = new_device(talking.bob)
    with unchanged(talking.alice.store), pytest.raises(UntrustedIdentity) as caught:
        talking.alice.account.initiate(BOB, bob2.bundle())
    assert (caught.value.address, caught.value.identity) == (BOB, bob2.identity.data)
    talking.turn()  # the old conversation goes on


def test_a_new_identity_is_refused_when_it_writes(talking: Pair) -> None:
    bob2 = new_device(talking.bob)
    letter = letter_of(bob2, talking.alice)
    for _ in range(2):
        with unchanged(talking.alice.store), pytest.raises(UntrustedIdentity) as caught:
            talking.alice.read(letter)
        assert (caught.value.address, caught.value.identity) == (BOB, bob2.identity.data)
        talking.alice.reopen()
    talking.turn()


def test_after_it_was_accepted_the_same_letter_decrypts(talking: Pair) -> None:
    bob2 = new_device(talking.bob)
    letter = letter_of(bob2, talking.alice)
    with pytest.raises(UntrustedIdentity) as caught:
        talking.alice.read(letter)
    talking.alice.account.accept_identity(BOB, caught.value.identity)
    talking.alice.reopen()
    assert talking.alice.read(letter) == b"it is me"
    assert bob2.decrypt(ALICE, talking.alice.write(b"welcome")) == b"welcome"
    (peer,) = talking.alice.account.peers()
    assert peer.identity == bob2.identity


def test_accepting_deletes_the_sessions_of_the_old_identity(talking: Pair) -> None:
    late = talking.bob.write(b"late")
    bob2 = new_device(talking.bob)
    talking.alice.account.accept_identity(BOB, bob2.identity.data)
    with unchanged(talking.alice.store), pytest.raises(NoSession):
        talking.alice.write(b"to whom?")
    with unchanged(talking.alice.store), pytest.raises(UnknownSession):
        talking.alice.read(late)
    held = talking.alice.dump()
    assert not held["letterlock_sessions" if "letterlock_sessions" in held else "sessions"]


def test_after_that_the_old_identity_is_the_untrusted_one(talking: Pair) -> None:
    talking.alice.account.accept_identity(BOB, new_device(talking.bob).identity.data)
    with unchanged(talking.alice.store), pytest.raises(UntrustedIdentity):
        talking.alice.initiate()
    letter = letter_of(talking.bob.account, talking.alice)
    with unchanged(talking.alice.store), pytest.raises(UntrustedIdentity):
        talking.alice.read(letter)


def test_accepting_the_known_identity_changes_nothing(talking: Pair) -> None:
    with unchanged(talking.alice.store):
        talking.alice.account.accept_identity(BOB, talking.bob.account.identity.data)
    talking.turn()


def test_accepting_leaves_the_sessions_with_others_alone(talking: Pair) -> None:
    carol = Account.create(MemoryStore(), CAROL)
    talking.alice.account.initiate(CAROL, carol.bundle())
    talking.alice.account.accept_identity(BOB, new_device(talking.bob).identity.data)
    letter = talking.alice.account.encrypt(CAROL, b"still here")
    assert carol.decrypt(ALICE, letter) == b"still here"


def test_an_identity_may_be_pinned_before_first_contact(pair: Pair) -> None:
    pair.alice.account.accept_identity(BOB, pair.bob.account.identity.data)
    with pytest.raises(UntrustedIdentity):
        pair.alice.account.initiate(BOB, new_device(pair.bob).bundle())
    pair.converse()


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33), b"\xff" * 32, *sorted(LOW_ORDER)])
def test_accepting_what_is_no_key_is_refused(talking: Pair, wrong: bytes) -> None:
    with unchanged(talking.alice.store), pytest.raises(InvalidKey):
        talking.alice.account.accept_identity(BOB, wrong)


@pytest.mark.parametrize("wrong", [None, "x" * 32, bytearray(32), 32])
def test_accepting_something_else_is_a_mistake(talking: Pair, wrong: Any) -> None:
    with unchanged(talking.alice.store), pytest.raises(UsageError):
        talking.alice.account.accept_identity(BOB, wrong)
    with pytest.raises(UsageError):
        talking.alice.account.accept_identity(BOB, talking.bob.account.identity)  # type: ignore[arg-type]


# --- forged identities --------------------------------------------------------------------------------


def test_an_impostor_who_shows_the_right_identity_fails(talking: Pair) -> None:
    """The identity key in the header is the real one, but the sender does not have its private half."""
    impostor = new_device(talking.bob)
    letter = letter_of(impostor, talking.alice)
    forged = letter.replace(impostor.identity.data, talking.bob.account.identity.data)
    assert forged != letter
    with unchanged(talking.alice.store), pytest.raises(AuthenticationFailed):
        talking.alice.read(forged)


def test_an_impostors_bundle_under_the_right_identity_fails(talking: Pair) -> None:
    bundle = new_device(talking.bob).bundle()
    forged = type(bundle)(BOB, talking.bob.account.identity, bundle.signed, bundle.one_time, bundle.kem)
    with unchanged(talking.alice.store), pytest.raises(InvalidSignature):
        talking.alice.account.initiate(BOB, forged)


def test_at_first_contact_a_damaged_identity_is_recorded_nowhere(pair: Pair) -> None:
    pair.alice.initiate()
    letter = pair.alice.write(b"first")
    at = letter.index(pair.alice.account.identity.data)
    with unchanged(pair.bob.store), pytest.raises(PeerError):
        pair.bob.read(flipped(letter, at + 5))
    assert pair.bob.account.peers() == []
    assert pair.bob.read(letter) == b"first"


def test_the_address_is_the_callers_word(pair: Pair) -> None:
    """A letter of Alice's, presented as Carol's: the transcript binds the name, so it does not open."""
    pair.alice.initiate()
    letter = pair.alice.write(b"from alice")
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.account.decrypt(CAROL, letter)
    assert pair.bob.account.peers() == []
