"""Account: the one object an application holds.

It joins the rooms and decides nothing about keys itself. This device and its prekeys are `_device`,
sessions `_session`, agreement `_handshake`. Each public method is one transaction of the store: state,
used-up prekeys, replay record and identity are committed together, before a byte is handed out.     [STO-1]

Not here: files, sockets, event loops. Threads, and processes with one store, take turns.
"""

from contextlib import AbstractContextManager
from typing import Self

from letterlock._device.device import Device
from letterlock._device.due import Due
from letterlock._device.environment import Environment, is_time
from letterlock._device.known_peers import (
    all_peers,
    check_identity,
    forget_peer,
    load_peer,
    save_initiated,
    save_peer,
)
from letterlock._device.peer import Peer
from letterlock._device.prekeys import PrekeyRing
from letterlock._handshake.agreement import initiate, refuse_own_identity, require_allowed, respond
from letterlock._handshake.safety_number import SafetyNumber, safety_number
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.entropy import Clock, system_clock, system_entropy
from letterlock._primitives.native import NATIVE
from letterlock._primitives.secret import Uncopyable
from letterlock._session.by_address import SessionsByAddress
from letterlock._session.lifecycle import Phase
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.sealing import decrypt
from letterlock._session.session import initiated, responded
from letterlock._session.status import SessionStatus
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.message import InitialMessage, RatchetMessage, continues_session, decode_message
from letterlock._wire.publication import Publication
from letterlock._wire.suite import Suite
from letterlock.errors import AddressMismatch, NoSession, UsageError
from letterlock.limits import MAX_PUBLISHED_ONE_TIME, UPKEEP_MESSAGES
from letterlock.stores import Store
from letterlock.stores._any_store import calls_of

DEFAULT_SUITES = frozenset({Suite.PQXDH})


class Account(Uncopyable):
    """One device of one user: its identity, its prekeys and its sessions, all in one store.

    Make one with `create`, later open it with `open`. Every method may raise StoreError; one that raises has
    changed nothing. Addresses are the peers' (`Address`); messages and plaintexts are bytes.
    """

    __slots__ = ("_device", "_encoded", "_entropy", "_peers", "_run", "_sessions", "_until_upkeep")

    def __init__(self, device: Device) -> None:
        """Not for applications, which call `create` and `open`."""
        self._device = device
        self._encoded = device.party.address.encoded
        self._entropy = device.environment.entropy
        self._run = calls_of(device.store).run
        given = device.environment
        by_address = SessionsByAddress(device.store, given.suites, given.now, given.stray)
        self._peers = by_address.held
        self._sessions = by_address.of
        self._until_upkeep = 0  # messages; HAND-14

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
        return cls(Device.create(store, address, Environment(suites, clock, system_entropy)))

    @classmethod
    def open(
        cls, store: Store, *, suites: frozenset[Suite] = DEFAULT_SUITES, clock: Clock = system_clock
    ) -> Self:
        """Open the account that a store holds, and delete its expired prekeys. Raises NoAccount."""
        return cls(Device.open_existing(store, Environment(suites, clock, system_entropy)))

    @property
    def address(self) -> Address:
        """What peers call this device."""
        return self._device.party.address

    @property
    def identity(self) -> IdentityKey:
        """The public identity key, 32 bytes in `.data`."""
        return self._device.party.identity.public

    # --- prekeys ----------------------------------------------------------------------------------

    def bundle(self, *, one_time: bool = True) -> PrekeyBundle:
        """Return a fresh bundle for one handshake, with one-time prekeys of both kinds.

        The new prekeys are stored, and current ones are replaced as in `publish`.
        Use it without a server: give each peer a bundle of its own. About 1.8 KiB encoded. With
        `one_time=False` the bundle has no one-time prekeys and may be given to many peers, for example on a
        web page. A thief of this device's keys can read their first messages until its prekeys are deleted.
        """
        _require(one_time, bool, "one_time")
        return self._device.bundle(one_time=one_time)

    def publish(self, one_time: int = 100, *, rotate: bool = False) -> Publication:
        """Return what a prekey server needs: `one_time` (0 to 1,000) prekeys of each kind, and two that stay.

        The one-time prekeys are new every time. The signed and the last-resort prekey are replaced when they
        are a week old, or now if `rotate`. A server discards everything that it holds of this account when
        the signed prekey is another one, and otherwise adds the new bundles to those that it has. So publish
        once a week with as many one-time prekeys as the server shall hold, and more when they run low. Pass
        `rotate` if the server lost its bundles, or if what it holds must not be used any more.

        All prekeys from before a rotation open first messages for another 30 days. At most 10,000 unused
        one-time prekeys of each kind are kept. Beyond that the oldest are deleted, and a first message that
        uses one of them is refused with UnknownPrekey. Raises UsageError for another number.
        """
        _require(one_time, int, "one_time")
        _require(rotate, bool, "rotate")
        if not 0 <= one_time <= MAX_PUBLISHED_ONE_TIME:
            raise UsageError(f"{one_time} one-time prekeys; a publication has 0 to {MAX_PUBLISHED_ONE_TIME}")
        with self._device.store.transaction():
            self._expire_sessions()
        return self._device.publish(one_time, rotate=rotate)

    def expire(self) -> None:
        """Delete what was kept for 30 days: expired prekeys, skipped keys and archived sessions of all peers.

        Prekeys that are due for rotation are retired. Publishing, and messages now and then, do the same.
        Call this once a day, so that a thief of the store finds nothing older.
        """
        with self._device.store.transaction():
            self._device.keep_up()
            self._expire_sessions()

    def _expire_sessions(self) -> None:
        for peer in all_peers(self._device.store.tables):
            self._sessions(peer.address).expire()

    def due(self, now: int | None = None) -> Due:
        """Return what this account waits for: a publication, and peers who need a new session.

        `now` is in seconds since 1970 (UTC), the account's clock by default. Call this once a day. It changes
        nothing. Raises UsageError for a time that cannot be.
        """
        if now is None:
            now = self._device.environment.now()
        elif not is_time(now):
            raise UsageError("now must be whole seconds since 1970, as an int")
        with self._device.store.transaction():
            addresses = [peer.address for peer in all_peers(self._device.store.tables)]
            phases = [(address, self._phase(address)) for address in addresses]
            unanswered = tuple(address for address, phase in phases if phase is Phase.INITIATED)
            ended = tuple(address for address, phase in phases if phase is Phase.ENDED)
            return self._device.due(now, unanswered, ended)

    # --- messages ---------------------------------------------------------------------------------

    def initiate(
        self,
        address: Address,
        bundle: PrekeyBundle,
        *,
        suite: Suite = Suite.PQXDH,
        discard_earlier: bool = False,
    ) -> None:
        """Begin a session with the owner of a bundle. Nothing is sent: `encrypt` carries the handshake.

        Earlier sessions with the same peer are archived: they still decrypt, and one of the same suite comes
        back if the peer writes in it before it has answered the new one. With `discard_earlier` they are
        deleted: use it when keys may have been stolen, or after the store was restored from a copy. Raises
        UsageError for our own address, a suite that this account does not allow, or one that is weaker than
        the active session's if that is not discarded, and a bundle whose one-time prekeys were used before,
        because the peer could not read a second session; AddressMismatch if the bundle is for another
        address, InvalidSignature, InvalidKey, StaleBundle if the bundle is more than 90 days old or of a time
        to come by this account's clock, SuiteRefused if the bundle has no prekey for the suite, and
        UntrustedIdentity if the peer is known with another identity key. (PQXDH section 3.3.)
        """
        self._require_peer(address)
        _require(bundle, PrekeyBundle, "bundle")
        _require(suite, Suite, "suite")
        device, environment = self._device, self._device.environment
        if suite not in environment.suites:
            raise UsageError(f"suite {suite.name} is not among those this account was opened with")
        entropy = environment.entropy
        with device.store.transaction():
            initiation = initiate(device.party, bundle, address, suite, environment.circumstances(address))
            check_identity(device.store.tables, address, bundle.identity)
            save_initiated(device.store.tables, address, bundle, suite)
            sessions = self._sessions(address)
            if discard_earlier:
                sessions.delete_all()
            sessions.require_none_stronger(suite)
            sessions.expire()
            sessions.insert(initiated(initiation, entropy), entropy)

    def encrypt(self, address: Address, plaintext: bytes) -> bytes:
        """Return the next message to a peer, for 0 to 16 MiB of plaintext.

        A plaintext of up to 31 bytes gives 105 to 140 bytes. A longer one gives its padded size plus 72 to
        107. Padding adds at most 12 %, so the message's size shows the plaintext's size only roughly. From
        256 bytes on, codewords add up to a quarter (at most 1.2 KiB) and heal the session faster. Until the
        peer has answered, each message is an initial message of 1.7 KiB more: any one of them is enough.
        Raises NoSession, SessionEnded (see `decrypt`), PlaintextTooLong.
        """
        if type(address) is not Address or address.encoded == self._encoded or type(plaintext) is not bytes:
            self._require_peer(address)
            _require(plaintext, bytes, "plaintext")
        sessions = self._peers.get(address.encoded) or self._sessions(address)
        return self._run(sessions.encrypt, plaintext, self._entropy)

    def decrypt(self, address: Address, message: bytes) -> bytes:
        """Return the plaintext of a message that came from a peer, building the session on first contact.

        An address that was not among the `peers` before is new after this: compare safety numbers.
        Messages may come late, out of order, or not at all. Raises PeerError: DuplicateMessage for one whose
        place was decrypted before, AuthenticationFailed for a forged or damaged one, and the others that
        `letterlock.errors` lists; TrustError: UntrustedIdentity if a known peer has another key.

        An authentic message whose post-quantum header contradicts earlier ones ends its session. Its text is
        returned, and the keys of the session are deleted. From then on `encrypt` raises SessionEnded, and
        `session(address).ended` and `due().ended` say so, until one side initiates a new session.
        """
        if type(address) is not Address or type(message) is not bytes:
            _require(address, Address, "address")
            _require(message, bytes, "message")
        # Whoever delivers a message names its sender, so this is a PeerError. Where the application itself
        # names a peer, `_require_peer` raises UsageError. `_handshake` checks once more for other callers.
        if address.encoded == self._encoded:
            raise AddressMismatch("this claims to come from this account itself: name the peer that sent it")
        sessions = self._peers.get(address.encoded) or self._sessions(address)
        if NATIVE is not None and continues_session(message):
            return self._run(self._decrypt_continuing, sessions, message)
        decoded = decode_message(message)
        if isinstance(decoded, InitialMessage):
            return self._run(self._decrypt_initial, address, decoded)
        return self._run(self._decrypt_decoded, sessions, decoded)

    def _decrypt_continuing(self, sessions: PeerSessions, message: bytes) -> bytes:
        plaintext = sessions.decrypt_next(message)
        if plaintext is None:
            plaintext = sessions.decrypt_late(message)
        if plaintext is None:
            plaintext = sessions.decrypt(RatchetMessage.decode(message))
        self._until_upkeep -= 1
        if self._until_upkeep < 0:
            self._keep_up(sessions)
        return plaintext

    def _decrypt_decoded(self, sessions: PeerSessions, decoded: RatchetMessage) -> bytes:
        plaintext = sessions.decrypt(decoded)
        self._until_upkeep -= 1
        if self._until_upkeep < 0:
            self._keep_up(sessions)
        return plaintext

    def _keep_up(self, sessions: PeerSessions) -> None:
        self._until_upkeep = UPKEEP_MESSAGES - 1
        self._device.keep_up()
        sessions.expire()

    def _decrypt_initial(self, address: Address, initial: InitialMessage) -> bytes:
        """Route a repeat to its session; otherwise agree, open, and only then change anything. [SES-2]"""
        device, header = self._device, initial.header
        tables, environment = device.store.tables, device.environment
        refuse_own_identity(device.party, header.identity)
        is_new = check_identity(tables, address, header.identity)
        sessions = self._sessions(address)
        stored = sessions.find_handshake(initial.id)
        if stored is not None:
            plaintext = sessions.decrypt(initial.message, only=stored)
            device.keep_up()
            return plaintext
        require_allowed(header.suite, environment.suites)
        user_ids = environment.user_ids(address, header.identity, is_ours=False)
        ring = PrekeyRing(tables, environment.entropy)
        prekeys = ring.find(header, initial.id, environment.now())  # none that has expired: HAND-9
        agreement = respond(device.party, address, header, prekeys, user_ids)
        decrypted = decrypt(responded(agreement, prekeys.signed, initial), initial.message)
        # Authenticated: from here on, commit.  HAND-7
        if is_new:
            save_peer(tables, Peer(address, header.identity))
        ring.use_up(header, initial.id)
        sessions.expire()
        sessions.insert_decrypted(decrypted, environment.entropy)
        device.keep_up()
        return decrypted.plaintext

    def _phase(self, address: Address) -> Phase | None:
        active = self._sessions(address).active()
        return None if active is None else active.phase

    def _require_peer(self, address: Address) -> None:
        _require(address, Address, "address")
        if address == self.address:
            raise UsageError("this is the account's own address: name the peer's")

    def transaction(self) -> AbstractContextManager[None]:
        """Group calls into one commit: all of them, with the application's own writes, or none.

        With `SqliteStore.connection` the application's tables take part. An exception leaves everything as it
        was, and a message decrypted inside decrypts again. Hand out a ciphertext only after the block.

        The block belongs to the thread, and the asyncio task, trio task or greenlet, that entered it. Calls
        from another task of the same thread raise UsageError. So do calls while a generator that holds the
        block is suspended, and calls from a signal handler or a `__del__` that interrupts it. A callback of
        `weakref.ref` or of `gc` cannot be told from the block's own code: do not use the account in one.
        Another thread waits for the end of the block, and raises StoreBusy after the store's timeout. Never
        wait for another task or thread inside the block.
        """
        return self._device.store.transaction()

    def session(self, address: Address) -> SessionStatus | None:
        """Return what may be known of the session in which `encrypt` writes, or None if there is none."""
        self._require_peer(address)
        with self._device.store.transaction():
            return self._sessions(address).status()

    # --- trust ------------------------------------------------------------------------------------

    def peers(self) -> list[Peer]:
        """Return every peer known, with the identity key recorded for it, in order of address."""
        with self._device.store.transaction():
            return all_peers(self._device.store.tables)

    def accept_identity(self, address: Address, identity: bytes) -> None:
        """Trust an identity key (32 bytes) for an address, as `UntrustedIdentity.identity` brings it.

        Do so after the safety numbers were compared. Sessions with another identity of this address are
        deleted: what was sent in them can no longer be read. Raises InvalidKey.
        """
        self._require_peer(address)
        _require(identity, bytes, "identity")
        key = IdentityKey(identity)
        if key == self.identity:
            raise UsageError("this is the account's own identity key: it cannot be a peer's")
        tables = self._device.store.tables
        with self._device.store.transaction():
            peer = load_peer(tables, address)
            if peer is not None and peer.identity == key:
                return
            self._sessions(address).delete_all()
            save_peer(tables, Peer(address, key))

    def forget(self, address: Address) -> None:
        """Delete everything about a peer: all sessions with it, and the identity key recorded for it.

        Its messages that are still on their way can then no longer be read. Whoever uses the address next is
        taken for a new peer, with any identity key, so compare safety numbers again. Bundles that were used
        before are forgotten too. An address that is not known changes nothing.
        """
        self._require_peer(address)
        with self._device.store.transaction():
            self._sessions(address).delete_all()
            forget_peer(self._device.store.tables, address)

    def safety_number(self, address: Address, identity: bytes | None = None) -> SafetyNumber:
        """Return the safety number shared with a peer: 60 digits, and a form to scan.

        `identity` (32 bytes) stands in for the recorded key, to compare before accepting a changed one.
        Raises NoSession if nothing is known of the address, InvalidKey.
        """
        _require(address, Address, "address")
        with self._device.store.transaction():
            peer = load_peer(self._device.store.tables, address)
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


def _require(value: object, kind: type, what: str) -> None:
    # Exact types: a bytearray can change while it is used, and the number 2 is not Suite.PQXDH.
    if type(value) is not kind:
        raise UsageError(f"{what} must be {kind.__name__}, not {type(value).__name__}")
