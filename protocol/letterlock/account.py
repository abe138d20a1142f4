"""Account: the one object an application holds.

It joins the pieces and decides nothing about keys itself: prekeys are `session.prekeys`, conversations
`session.book`, agreement `handshake`. Each public method is one transaction of the store: state, used-up
prekeys, replay record and identity are committed together, before a byte is handed out.      [STO-1]

Not here: files, sockets, clocks, threads. Two processes on one store, and any threads, are served in turn.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Self

from letterlock._device.account_record import Profile, decode_profile, encode_profile, new_profile
from letterlock._device.peer import Peer, check_identity, decode_peer, load_peer, save_peer
from letterlock._device.prekeys import PrekeyRing
from letterlock._handshake.agreement import (
    Encapsulate,
    encapsulate_afresh,
    initiate,
    require_allowed,
    require_peer,
    require_theirs,
    respond,
)
from letterlock._handshake.safety_number import SafetyNumber, safety_number
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.entropy import Clock, Entropy, system_clock, system_entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.session import accept, initiated
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.message import InitialMessage, decode_message
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.publication import Publication
from letterlock._wire.suite import Suite
from letterlock.errors import AccountExists, NoAccount, NoSession, UsageError
from letterlock.limits import MAX_ONE_TIME_PREKEYS, MAX_PUBLISHED_ONE_TIME
from letterlock.stores._interface import Store

DEFAULT_SUITES = frozenset({Suite.PQXDH})

_LATEST: Final = 253_402_300_799  # the end of the year 9999; above, a clock counts milliseconds or less


@dataclass(frozen=True, slots=True)
class Environment:
    """What an account takes from the world: which suites it allows, the time, random bytes, KEM secrets."""

    suites: frozenset[Suite] = DEFAULT_SUITES
    clock: Clock = system_clock
    entropy: Entropy = system_entropy
    encapsulate: Encapsulate = encapsulate_afresh

    def __post_init__(self) -> None:
        _require(self.suites, frozenset, "suites")
        for suite in self.suites:
            _require(suite, Suite, "a suite")

    def now(self) -> int:
        """Return the clock's time. Raises UsageError for one that cannot be seconds since 1970."""
        now = self.clock()
        # What goes wrong here comes out at the next start: an expiry of next century, or a record that
        # does not read. So it is said at once.
        if type(now) is not int or not 0 <= now <= _LATEST:
            raise UsageError("the clock must return whole seconds since 1970, as an int")
        return now


class Account(Uncopyable):
    """One device of one user: its identity, its prekeys and its conversations, all in one store.

    Make one with `create`, later open it with `open`. Every method may raise StoreError; one that raises has
    changed nothing. Addresses are the peers' (`Address`), messages and texts are bytes.
    """

    __slots__ = ("_environment", "_party", "_store")

    def __init__(self, store: Store, profile: Profile, environment: Environment) -> None:
        """Not for callers: `create` and `open` are."""
        self._store = store
        self._party = profile.party
        self._environment = environment

    @classmethod
    def create(
        cls,
        store: Store,
        address: Address,
        *,
        suites: frozenset[Suite] = DEFAULT_SUITES,
        clock: Clock = system_clock,
    ) -> Self:
        """Make a new identity and its first prekeys in an empty store.

        `address` is what peers call this device; every handshake binds it. `suites` are the handshakes that
        this account takes part in: adding `Suite.X3DH` allows one without post-quantum protection.
        `clock` returns seconds since 1970 (UTC). Raises AccountExists.
        """
        return cls.create_in(store, address, Environment(suites, clock))

    @classmethod
    def open(
        cls, store: Store, *, suites: frozenset[Suite] = DEFAULT_SUITES, clock: Clock = system_clock
    ) -> Self:
        """Open the account that a store holds, and delete its expired prekeys. Raises NoAccount."""
        return cls.open_in(store, Environment(suites, clock))

    @classmethod
    def create_in(cls, store: Store, address: Address, environment: Environment) -> Self:
        """`create` in a given ambience; for `letterlock.hazmat`, which can choose the random bytes."""
        _require(address, Address, "address")
        _require_store(store)
        with store.transaction():
            if store.tables.account.load() is not None:
                raise AccountExists("this store holds an account already: open it instead")
            profile = new_profile(address, environment.entropy)
            profile = PrekeyRing(store, environment.entropy).rotate(profile, environment.now())
            store.tables.account.save(encode_profile(profile))
        return cls(store, profile, environment)

    @classmethod
    def open_in(cls, store: Store, environment: Environment) -> Self:
        """`open` in a given ambience; for `letterlock.hazmat`."""
        _require_store(store)
        with store.transaction():
            profile = _load_profile(store)
            store.tables.prekeys.delete_expired(environment.now())
        return cls(store, profile, environment)

    @property
    def address(self) -> Address:
        """What peers call this device."""
        return self._party.address

    @property
    def identity(self) -> IdentityKey:
        """The public identity key, 32 bytes in `.data`."""
        return self._party.identity.public

    # --- prekeys ----------------------------------------------------------------------------------

    def bundle(self) -> PrekeyBundle:
        """Return a fresh bundle for one handshake, with one-time prekeys of both kinds.

        For use without a server: give each peer one of its own. About 1.9 KiB encoded.
        """
        return next(self.publish(one_time=1).bundles())

    def publish(self, one_time: int = 100, *, rotate: bool = False) -> Publication:
        """Return what a prekey server needs: `one_time` (0 to 1,000) prekeys of each kind, and two that stay.

        The one-time prekeys are new every time. The signed and the last-resort prekey are replaced when they
        are a week old, or now if `rotate`; retired ones open first messages for 30 days more. So publish once
        a week, whatever the server says it still has; with `one_time=0` if it has enough.
        Raises UsageError for another number, and once 10,000 unused ones are stored.
        """
        _require(one_time, int, "one_time")
        if not 0 <= one_time <= MAX_PUBLISHED_ONE_TIME:
            raise UsageError(f"{one_time} one-time prekeys; a publication has 0 to {MAX_PUBLISHED_ONE_TIME}")
        now, ring = self._environment.now(), PrekeyRing(self._store, self._environment.entropy)
        with self._store.transaction():
            self._store.tables.prekeys.delete_expired(now)
            self._check_room(one_time)
            profile = ring.rotate(_load_profile(self._store), now, force=rotate)
            profile, curve = ring.add_one_time(profile, one_time, now)
            profile, kem = ring.add_kem_one_time(profile, one_time, now)
            self._store.tables.account.save(encode_profile(profile))
            return Publication(
                self.address,
                self.identity,
                ring.signed(profile),
                ring.last_resort(profile),
                tuple(curve),
                tuple(kem),
            )

    def _check_room(self, one_time: int) -> None:
        for kind in (PrekeyKind.ONE_TIME, PrekeyKind.KEM_ONE_TIME):
            stored = self._store.tables.prekeys.count(kind)
            if stored + one_time > MAX_ONE_TIME_PREKEYS:
                raise UsageError(f"{stored} unused one-time prekeys are stored already: hand those out first")

    # --- conversations ----------------------------------------------------------------------------

    def initiate(
        self,
        address: Address,
        bundle: PrekeyBundle,
        *,
        suite: Suite = Suite.PQXDH,
        discard_earlier: bool = False,
    ) -> None:
        """Begin a session with the owner of a bundle. Nothing is sent: `encrypt` carries the handshake.

        Earlier sessions with the same peer are archived: they still decrypt, and come back if the peer goes
        on using them after it has answered. With `discard_earlier` they are deleted: for when keys may have
        been stolen, or the store was restored from a copy. Raises UsageError for our own address or a suite
        that this account does not allow, AddressMismatch if the bundle is for another address,
        InvalidSignature, InvalidKey, SuiteRefused if the bundle has no prekey for the suite, and
        UntrustedIdentity if the peer is known with another identity key. (PQXDH section 3.3.)
        """
        _require(address, Address, "address")
        self._require_peer(address)
        _require(bundle, PrekeyBundle, "bundle")
        _require(suite, Suite, "suite")
        if suite not in self._environment.suites:
            raise UsageError(f"suite {suite.name} is not among those this account was opened with")
        entropy = self._environment.entropy
        initiation = initiate(self._party, bundle, address, suite, entropy, self._environment.encapsulate)
        with self._store.transaction():
            if check_identity(self._store, address, bundle.identity):
                save_peer(self._store, Peer(address, bundle.identity))
            book = self._book(address)
            if discard_earlier:
                book.delete_all()
            book.insert(initiated(initiation, entropy), entropy)

    def encrypt(self, address: Address, plaintext: bytes) -> bytes:
        """Return the next message to a peer, for 0 to 16 MiB of plaintext.

        About 105 to 140 bytes for up to 31, then 72 to 107 more than the plaintext and its padding (12 % at
        most): the size tells the plaintext's only roughly. From 256 bytes on up to a quarter more heals the
        session, 1.2 KiB at most. Until the peer has answered, it is an initial message of 1.7 KiB
        more, so that any one of them is enough to begin. Raises NoSession, PlaintextTooLong.
        """
        _require(address, Address, "address")
        self._require_peer(address)
        _require(plaintext, bytes, "plaintext")
        with self._store.transaction():
            return self._book(address).encrypt(plaintext, self._environment.entropy)

    def decrypt(self, address: Address, message: bytes) -> bytes:
        """Return the plaintext of a message that came from a peer, building the session on first contact.

        Messages may come late, out of order, or not at all. Raises PeerError: DuplicateMessage for one that
        takes a place which was decrypted before, AuthenticationFailed for a forged or damaged one,
        BraidFailed for an authentic one whose post-quantum part contradicts what came before (initiate a new
        session), and the others that `letterlock.errors` draws; TrustError: UntrustedIdentity if a known peer
        has another key.
        """
        _require(address, Address, "address")
        _require(message, bytes, "message")
        require_peer(self._party, address)  # whoever delivers messages says from whom they are
        decoded = decode_message(message)
        if isinstance(decoded, InitialMessage):
            return self._decrypt_initial(address, decoded)
        with self._store.transaction():
            return self._book(address).decrypt(decoded)

    def _decrypt_initial(self, address: Address, initial: InitialMessage) -> bytes:
        """Route a repeat to its session; otherwise agree, open, and only then change anything. [SES-2]"""
        header, entropy = initial.header, self._environment.entropy
        require_theirs(self._party, header.identity)
        with self._store.transaction():
            is_new = check_identity(self._store, address, header.identity)
            book = self._book(address)
            entry = book.find_handshake(initial.id)
            if entry is not None:
                return book.decrypt(initial.message, only=entry)
            require_allowed(header.suite, self._environment.suites)
            ring = PrekeyRing(self._store, entropy)
            now = self._environment.now()
            self._store.tables.prekeys.delete_expired(now)  # HAND-9, for an account that never publishes
            prekeys = ring.find(header, initial.id, now)
            agreement = respond(self._party, address, header, prekeys)
            opened = accept(agreement, prekeys.signed, initial)
            # Authenticated: from here on, commit.  HAND-7
            if is_new:
                save_peer(self._store, Peer(address, header.identity))
            ring.use_up(header, initial.id)
            book.insert_opened(opened, entropy)
            return opened.plaintext

    def _require_peer(self, address: Address) -> None:
        if address == self.address:
            raise UsageError("this is the account's own address: name the peer's")

    def _book(self, address: Address) -> PeerSessions:
        return PeerSessions(self._store, address, self._environment.suites)

    def transaction(self) -> AbstractContextManager[None]:
        """Group calls into one commit: all of them, with the application's own writes, or none.

        With `SqliteStore.connection` the application's tables take part. An exception leaves everything as it
        was, and a message decrypted inside decrypts again. Hand out a ciphertext only after the block.
        """
        return self._store.transaction()

    # --- trust ------------------------------------------------------------------------------------

    def peers(self) -> list[Peer]:
        """Return every peer known, with the identity key recorded for it, in order of address."""
        with self._store.transaction():
            known = [decode_peer(record) for record in self._store.tables.peers.all()]
        return sorted(known, key=lambda peer: peer.address)

    def accept_identity(self, address: Address, identity: bytes) -> None:
        """Trust an identity key (32 bytes) for an address, as `UntrustedIdentity.identity` brings it.

        Do so after the safety numbers were compared. Sessions with another identity of this address are
        deleted: what was sent in them can no longer be read. Raises InvalidKey.
        """
        _require(address, Address, "address")
        self._require_peer(address)
        _require(identity, bytes, "identity")
        key = IdentityKey(identity)
        if key == self.identity:
            raise UsageError("this is the account's own identity key: it cannot be a peer's")
        with self._store.transaction():
            peer = load_peer(self._store, address)
            if peer is not None and peer.identity == key:
                return
            self._book(address).delete_all()
            save_peer(self._store, Peer(address, key))

    def safety_number(self, address: Address, identity: bytes | None = None) -> SafetyNumber:
        """Return the safety number shared with a peer: 60 digits, and a form to scan.

        `identity` (32 bytes) stands in for the recorded key, to compare before accepting a changed one.
        Raises NoSession if nothing is known of the address, InvalidKey.
        """
        _require(address, Address, "address")
        with self._store.transaction():
            peer = load_peer(self._store, address)
        if identity is not None:
            _require(identity, bytes, "identity")
            theirs = IdentityKey(identity)
        elif peer is not None:
            theirs = peer.identity
        else:
            raise NoSession("nothing is known of this address yet: initiate with its bundle first")
        return safety_number(self.address.encode(), self.identity, address.encode(), theirs)

    def __repr__(self) -> str:
        return f"<Account {self.address}>"


def _load_profile(store: Store) -> Profile:
    record = store.tables.account.load()
    if record is None:
        raise NoAccount("this store holds no account yet: create one")
    return decode_profile(record)


def _require_store(store: object) -> None:
    if not hasattr(store, "transaction"):
        raise UsageError(f"an account lives in a store, not in a {type(store).__name__}: see SqliteStore")


def _require(value: object, kind: type, what: str) -> None:
    # Exact types: a bytearray can change while it is used, and the number 2 is not Suite.PQXDH.
    if type(value) is not kind:
        raise UsageError(f"{what} must be {kind.__name__}, not {type(value).__name__}")
