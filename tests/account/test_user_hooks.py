"""HAND-17, HAND-18: who gets a session, which user ids its transcript binds, which messages are strays."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from letterlock import AddressMismatch, AuthenticationFailed, DuplicateMessage, UsageError
from letterlock._device.device import Device
from letterlock._device.environment import Environment
from letterlock._device.known_peers import save_peer
from letterlock._device.peer import Peer
from letterlock._primitives.curve25519 import IdentityKey, IdentityKeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.address import Address
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import InvalidSignature, PeerError, UntrustedIdentity
from letterlock.stores import MemoryStore
from support.pair import ALICE, BOB, BOTH_SUITES, CAROL, Clock, entropy_of, unchanged

ALICES, BOBS, CAROLS = (hashlib.sha256(name).digest() for name in (b"alice", b"bob", b"carol"))


@dataclass
class User:
    """An account with the two hooks: what they were asked, and what they answer."""

    address: Address
    peer: Address
    ids: bytes | None = None
    refuse: Exception | None = None
    asked: list[tuple[Address, IdentityKey]] = field(default_factory=list)
    strays: list[Address] = field(default_factory=list)
    newer: list[int] = field(default_factory=list)
    watch: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.store = MemoryStore()
        self.account = Account(Device.create(self.store, self.address, self.environment()))

    def environment(self) -> Environment:
        return Environment(
            BOTH_SUITES,
            Clock(),
            system_entropy,
            admit=self.admit,
            stray=self.note,
        )

    def note(self, address: Address, born: int) -> None:
        self.strays.append(address)
        self.newer.append(born)

    def admit(self, address: Address, identity: IdentityKey) -> bytes | None:
        self.asked.append((address, identity))
        self.watch()
        if self.refuse is not None:
            raise self.refuse
        return self.ids

    def write(self, text: bytes) -> bytes:
        return self.account.encrypt(self.peer, text)

    def read(self, message: bytes) -> bytes:
        return self.account.decrypt(self.peer, message)


def two(alices: bytes | None = ALICES + BOBS, bobs: bytes | None = BOBS + ALICES) -> tuple[User, User]:
    return User(ALICE, BOB, alices), User(BOB, ALICE, bobs)


def converse(one: User, other: User) -> None:
    one.account.initiate(other.address, other.account.bundle())
    assert other.read(one.write(b"hello")) == b"hello"
    assert one.read(other.write(b"hello yourself")) == b"hello yourself"


def test_users_who_agree_about_both_ids_converse() -> None:
    alice, bob = two()
    converse(alice, bob)
    assert alice.asked == [(BOB, bob.account.identity)]
    assert bob.asked == [(ALICE, alice.account.identity)]


def test_the_recipient_may_be_the_one_who_begins_next() -> None:
    alice, bob = two()
    converse(alice, bob)
    converse(bob, alice)
    assert (len(alice.asked), len(bob.asked)) == (2, 2)


@pytest.mark.parametrize(
    ("alices", "bobs"),
    [
        (ALICES + BOBS, BOBS + CAROLS),
        (ALICES + BOBS, CAROLS + ALICES),
        (ALICES + CAROLS, BOBS + ALICES),
        (ALICES + BOBS, ALICES + BOBS),
        (ALICES + BOBS, None),
        (None, BOBS + ALICES),
    ],
    ids=[
        "initiator's",
        "recipient's",
        "told the initiator",
        "roles swapped",
        "one only: initiator",
        "recipient",
    ],
)
def test_users_who_disagree_read_nothing(alices: bytes | None, bobs: bytes | None) -> None:
    alice, bob = two(alices, bobs)
    alice.account.initiate(BOB, bob.account.bundle())
    message = alice.write(b"hello")
    with unchanged(bob.store), pytest.raises(AuthenticationFailed):
        bob.read(message)
    assert bob.account.peers() == []


def test_a_refused_message_can_be_read_once_the_users_agree() -> None:
    """No prekey was used up by the attempt."""
    alice, bob = two(bobs=None)
    alice.account.initiate(BOB, bob.account.bundle())
    message = alice.write(b"hello")
    with pytest.raises(AuthenticationFailed):
        bob.read(message)
    bob.ids = BOBS + ALICES
    assert bob.read(message) == b"hello"


@pytest.mark.parametrize(
    "error", [AddressMismatch("no"), UntrustedIdentity(BOB, bytes(32)), UsageError("no")]
)
def test_whom_the_initiator_does_not_admit_gets_no_session(error: Exception) -> None:
    alice, bob = two()
    alice.refuse = error
    bundle = bob.account.bundle()
    with unchanged(alice.store), pytest.raises(type(error)):
        alice.account.initiate(BOB, bundle)
    alice.refuse = None
    alice.account.initiate(BOB, bundle)  # its one-time prekeys were not used up


@pytest.mark.parametrize(
    "error", [AddressMismatch("no"), UntrustedIdentity(ALICE, bytes(32)), UsageError("no")]
)
def test_whom_the_recipient_does_not_admit_gets_no_session(error: Exception) -> None:
    alice, bob = two()
    alice.account.initiate(BOB, bob.account.bundle())
    message = alice.write(b"hello")
    bob.refuse = error
    with unchanged(bob.store), pytest.raises(type(error)):
        bob.read(message)
    assert len(bob.asked) == 1
    bob.refuse = None
    assert bob.read(message) == b"hello"


@pytest.mark.parametrize("ids", [b"", bytes(32), bytes(63), bytes(65), bytearray(64), "x" * 64, True])
def test_only_two_user_ids_are_bound(ids: bytes) -> None:
    alice, bob = two()
    bundle = bob.account.bundle()
    alice.ids = ids
    with unchanged(alice.store), pytest.raises(UsageError, match="two user ids"):
        alice.account.initiate(BOB, bundle)


def test_a_bundle_that_does_not_verify_is_not_asked_about() -> None:
    alice, bob = two()
    bundle = bob.account.bundle()
    broken = type(bundle).decode(bundle.encode()[:-1] + bytes([bundle.encode()[-1] ^ 1]))
    with unchanged(alice.store), pytest.raises(InvalidSignature):
        alice.account.initiate(BOB, broken)
    assert alice.asked == []


@pytest.mark.parametrize("side", ["initiator", "recipient"])
def test_what_the_hook_writes_is_undone_with_the_call(side: str) -> None:
    alice, bob = two()
    bundle = bob.account.bundle()
    asked = alice if side == "initiator" else bob
    asked.watch = lambda: save_peer(asked.store.tables, Peer(CAROL, alice.account.identity))
    asked.refuse = UsageError("no")
    with unchanged(asked.store), pytest.raises(UsageError):
        alice.account.initiate(BOB, bundle)
        bob.read(alice.write(b"hello"))
    asked.refuse = None
    if side == "initiator":
        alice.account.initiate(BOB, bundle)
    bob.read(alice.write(b"hello"))
    assert CAROL in {peer.address for peer in asked.account.peers()}


def test_repeats_of_a_first_message_are_not_asked_about() -> None:
    alice, bob = two()
    alice.account.initiate(BOB, bob.account.bundle())
    one, other = alice.write(b"one"), alice.write(b"other")
    assert bob.read(one) == b"one"
    bob.refuse = UsageError("asked again")
    assert bob.read(other) == b"other"
    with pytest.raises(DuplicateMessage):
        bob.read(one)
    assert len(bob.asked) == 1


@pytest.mark.parametrize("hook", ["admit", "stray"])
def test_a_hook_must_be_a_function(hook: str) -> None:
    with pytest.raises(UsageError, match=hook):
        Environment(BOTH_SUITES, Clock(), system_entropy, **{hook: None})  # type: ignore[arg-type]


# --- strays -------------------------------------------------------------------------------------------


def left(alice: User, bob: User) -> list[bytes]:
    """Return letters of Bob's in a session that both have left since."""
    converse(alice, bob)
    letters = [bob.write(b"%d" % number) for number in range(4)]
    converse(alice, bob)
    return letters


def test_a_new_message_in_a_session_that_the_peer_left_is_a_stray() -> None:
    alice, bob = two()
    first, second, *_ = left(alice, bob)
    assert alice.read(first) == b"0"
    assert alice.strays == [BOB]
    assert alice.read(second) == b"1"
    assert alice.strays == [BOB, BOB]
    assert bob.strays == []


def test_a_stray_is_noted_with_the_session_that_is_newer() -> None:
    alice, bob = two()
    first, second, *_ = left(alice, bob)
    alice.read(first)
    earlier = alice.newer[-1]
    converse(alice, bob)
    alice.read(second)
    assert alice.newer == [earlier, earlier + 1]


def test_a_late_message_in_it_is_none() -> None:
    alice, bob = two()
    first, second, third, last = left(alice, bob)
    assert alice.read(last) == b"3"
    assert alice.strays == [BOB]
    for message in (second, first, third):
        alice.read(message)
    assert alice.strays == [BOB]


def test_what_does_not_authenticate_is_none() -> None:
    alice, bob = two()
    first, *_ = left(alice, bob)
    for message in (first[:-1] + bytes([first[-1] ^ 1]), first[:-1]):
        with pytest.raises(PeerError):
            alice.read(message)
    assert alice.strays == []
    alice.read(first)
    with pytest.raises(DuplicateMessage):
        alice.read(first)
    assert alice.strays == [BOB]


def test_a_message_that_brings_its_session_back_is_none() -> None:
    """The peer has not answered in the new session, so it may not even know of it."""
    alice, bob = two()
    converse(alice, bob)
    letters = [bob.write(b"%d" % number) for number in range(3)]
    alice.account.initiate(BOB, bob.account.bundle())
    alice.read(letters[0])  # deferred: nothing was sent in the new session
    alice.write(b"lost")
    alice.read(letters[1])
    alice.read(letters[2])
    assert alice.strays == []


def test_a_message_of_a_peer_who_has_not_answered_is_none() -> None:
    """A session of a weaker suite stays archived [SES-11], but its peer may not know the stronger one."""
    alice, bob = two()
    alice.account.initiate(BOB, bob.account.bundle(), suite=Suite.X3DH)
    bob.read(alice.write(b"hello"))
    letter = bob.write(b"in the weaker suite")
    alice.read(bob.write(b"hello yourself"))
    letters = [bob.write(b"%d" % number) for number in range(2)]
    alice.account.initiate(BOB, bob.account.bundle())
    first = alice.write(b"in the stronger suite")
    for message in (*letters, letter):
        alice.read(message)
    assert alice.strays == []
    left_behind = bob.write(b"before bob has read it")
    bob.read(first)
    alice.read(bob.write(b"answer"))
    alice.read(left_behind)
    assert alice.strays == [BOB]


def test_sessions_that_cross_make_none() -> None:
    alice, bob = two()
    alice.account.initiate(BOB, bob.account.bundle())
    bob.account.initiate(ALICE, alice.account.bundle())
    for _ in range(4):
        to_bob, to_alice = alice.write(b"to bob"), bob.write(b"to alice")
        assert bob.read(to_bob) == b"to bob"
        assert alice.read(to_alice) == b"to alice"
    assert alice.strays == bob.strays == []


def test_ordinary_messages_are_none() -> None:
    alice, bob = two()
    converse(alice, bob)
    first, second = bob.write(b"first"), bob.write(b"second")
    assert alice.read(second) == b"second"
    assert alice.read(first) == b"first"
    assert alice.strays == []


# --- an identity that exists already ------------------------------------------------------------------


def test_an_account_can_be_created_with_an_identity() -> None:
    identity = IdentityKeyPair.generate(entropy_of("identity"))
    environment = Environment(BOTH_SUITES, Clock(), system_entropy)
    store = MemoryStore()
    account = Account(Device.create(store, CAROL, environment, identity=identity))
    assert account.identity == identity.public
    assert Account(Device.open_existing(store, environment)).identity == identity.public
    alice = User(ALICE, CAROL)
    alice.account.initiate(CAROL, account.bundle())
    assert account.decrypt(ALICE, alice.write(b"hello")) == b"hello"


def test_an_identity_is_drawn_only_where_none_is_given() -> None:
    drawn: list[int] = []

    def entropy(length: int) -> bytes:
        drawn.append(length)
        return system_entropy(length)

    environment = Environment(BOTH_SUITES, Clock(), entropy)
    Device.create(MemoryStore(), CAROL, environment)
    without, drawn[:] = list(drawn), []
    identity = IdentityKeyPair.generate(system_entropy)
    Device.create(MemoryStore(), CAROL, environment, identity=identity)
    assert drawn == without[1:]


@pytest.mark.parametrize("identity", [bytes(32), "key", 1])
def test_an_identity_must_be_a_key_pair(identity: IdentityKeyPair) -> None:
    store = MemoryStore()
    with unchanged(store), pytest.raises(UsageError, match="identity"):
        Device.create(store, CAROL, Environment(BOTH_SUITES, Clock(), system_entropy), identity=identity)
