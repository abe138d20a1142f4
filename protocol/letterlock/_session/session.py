"""A session: what is kept for one conversation, and how it seals and opens messages.

    Initiated      the initial message's header is repeated until the peer answers
    Established    the peer has answered, or began
    ratchet        the double ratchet in the X3DH suite, the triple ratchet in PQXDH              [PQR-8]

Pure functions: each returns the session to commit, or raises and nothing has happened.      [RAT-6]

Not here: which of several sessions a message belongs to (book.py); the phases' table (lifecycle.py).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Final, Protocol, TypeAlias

from letterlock._handshake.agreement import Agreement, Initiation
from letterlock._primitives.curve25519 import PublicKey, RatchetKey, SignedPrekeyPair
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.fast_init import fast_init
from letterlock._primitives.labels import PQ_CHAIN_NAME
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet import double, triple
from letterlock._ratchet.braid_states import Slot, Write
from letterlock._ratchet.chain import MessageKey, SkippedKeys
from letterlock._ratchet.pq_keys import SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.root import RootKey
from letterlock._ratchet.sparse import SparseReceived
from letterlock._ratchet.triple import FoundKey, Triple
from letterlock._session.sealing import open_message, seal_message
from letterlock._wire import cbor
from letterlock._wire.message import SENT_NONCE_BYTES, InitialMessage, RatchetMessage
from letterlock._wire.padding import padded_length
from letterlock._wire.suite import Suite
from letterlock.errors import AuthenticationFailed, PlaintextTooLong
from letterlock.limits import MAX_PLAINTEXT
from letterlock.stores._interface import Record


@fast_init
@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session comes from, for as long as it lives.

    `associated_data` are the 32 bytes of the transcript. `handshake` names the peer's initial message (32
    bytes), so that its repeats find their session; None if we initiated.
    """

    suite: Suite
    associated_data: bytes
    handshake: bytes | None


@fast_init
@dataclass(frozen=True, slots=True)
class Initiated(Uncopyable):
    """A session that the peer has not answered; `header` is the initial message up to its last element."""

    origin: Origin
    header: bytes
    ratchet: double.State | Triple


@fast_init
@dataclass(frozen=True, slots=True)
class Established(Uncopyable):
    """A session that both sides hold.

    `promote_next`: the peer used it while another session stayed active; its next message makes it active.
    """

    origin: Origin
    ratchet: double.State | Triple
    promote_next: bool = False


Session: TypeAlias = Initiated | Established

KeptRow: TypeAlias = tuple[bytes, int, Record]
"""The name of a chain in the store, a number in it, and the key of that message."""


@fast_init
@dataclass(frozen=True, slots=True)
class KeptKeys(Uncopyable):
    """The keys of messages in a row that were jumped over, the first of them number `start`.

    `chain` are 32 bytes that name their chain in the store.
    """

    chain: bytes
    start: int
    keys: SkippedKeys

    def rows(self) -> Iterator[KeptRow]:
        """Yield name, number and key of each, as a store keeps them."""
        for number, key in enumerate(map(Record, self.keys.expose_each()), self.start):
            yield self.chain, number, key


@fast_init
@dataclass(frozen=True, slots=True)
class Skipped(Uncopyable):
    """All that a message jumped over, in the chains of either ratchet: in each, the older first."""

    double: tuple[KeptKeys, ...] = ()
    sparse: tuple[KeptKeys, ...] = ()

    @property
    def count(self) -> int:
        """How many keys there are."""
        return sum(each.keys.count for each in self.double + self.sparse)

    def rows(self) -> Iterator[KeptRow]:
        """Yield both keys of each message, one message after the other.

        So of keys that are too many the oldest messages go, and not one half of twice as many.     [RAT-7]
        """
        halves = [chain.from_iterable(each.rows() for each in half) for half in (self.double, self.sparse)]
        return (row for both in zip_longest(*halves) for row in both if row is not None)


NONE_SKIPPED: Final = Skipped()


@fast_init
@dataclass(frozen=True, slots=True)
class Sealed(Uncopyable):
    """A message to send, the session after it, and what to write beside that."""

    session: Session
    message: bytes
    writes: tuple[Write, ...] = ()

    def __repr__(self) -> str:
        return f"<Sealed: {len(self.message)} bytes>"


@fast_init
@dataclass(frozen=True, slots=True)
class Decrypted(Uncopyable):
    """An authenticated message: its plaintext, and all that is now to be committed."""

    session: Established
    plaintext: bytes
    skipped: Skipped
    finished: RatchetKey | None
    writes: tuple[Write, ...] = ()

    def __repr__(self) -> str:
        return f"<Decrypted: {len(self.plaintext)} bytes, {self.skipped.count} skipped keys>"


class SideStorage(Protocol):
    """What a store keeps beside a session's record, and a message may need."""

    def read(self, slot: Slot, /) -> Sequence[bytes]:
        """Return a slot's entries, in order."""
        ...

    def find(self, chain: bytes, number: int, /) -> bytes | None:
        """Return a kept key, or None."""
        ...


class EmptySideStorage:
    """SideStorage a new session there is nothing."""

    def read(self, _slot: Slot, /) -> Sequence[bytes]:
        """See SideStorage."""
        return ()

    def find(self, _chain: bytes, _number: int, /) -> bytes | None:
        """See SideStorage."""
        return None


EMPTY: Final = EmptySideStorage()


def initiated(initiation: Initiation, entropy: Entropy) -> Initiated:
    """Return the initiator's new session. Draws 32 bytes."""
    agreement, header = initiation.agreement, initiation.header
    origin = Origin(header.suite, agreement.associated_data, None)
    ratchet: double.State | Triple
    if header.suite is Suite.X3DH:
        root = RootKey(agreement.secret.expose())
        ratchet = double.initiator(root, initiation.signed_prekey, entropy)
    else:
        ratchet = triple.initiator(LETTERLOCK, agreement.secret, initiation.signed_prekey, entropy)
    return Initiated(origin, header.encode_header(), ratchet)


def accept(agreement: Agreement, signed: SignedPrekeyPair, initial: InitialMessage) -> Decrypted:
    """Open the first message of a handshake and return the recipient's new session with it.

    Raises AuthenticationFailed, TooManySkipped, InvalidKey, MalformedMessage; there is no session then.
    """
    origin = Origin(initial.header.suite, agreement.associated_data, initial.id)
    waiting: double.State | Triple
    if origin.suite is Suite.X3DH:
        waiting = double.recipient(RootKey(agreement.secret.expose()), signed)
    else:
        waiting = triple.recipient(LETTERLOCK, agreement.secret, signed)
    return decrypt_first(origin, waiting, initial.message)


def decrypt_first(origin: Origin, waiting: double.State | Triple, message: RatchetMessage) -> Decrypted:
    """Open the recipient's first message, whichever of the initiator's it is. Raises as `accept`."""
    return _open(Established(origin, waiting), message, EMPTY, None)


def encrypt(session: Session, plaintext: bytes, entropy: Entropy, beside: SideStorage = EMPTY) -> Sealed:
    """Return one more message. Draws 8 bytes, 32 more at a turn, 64 or 32 more where the braid begins a text.

    Raises PlaintextTooLong above 16 MiB, UsageError when a chain is full.
    """
    if len(plaintext) > MAX_PLAINTEXT:
        raise PlaintextTooLong(len(plaintext), MAX_PLAINTEXT)
    ratchet, name = session.ratchet, session.origin.associated_data
    if isinstance(ratchet, Triple):
        head = len(session.header) if isinstance(session, Initiated) else 0
        size = head + padded_length(len(plaintext))
        both = triple.send(LETTERLOCK, ratchet, size, entropy, beside.read)
        nonce = entropy(SENT_NONCE_BYTES)
        message = seal_message(both.key, name, both.header, plaintext, nonce, both.pq_header)
        return _sealed(session, both.state, message, both.writes)
    sent = double.send(ratchet, entropy)
    message = seal_message(sent.key, name, sent.header, plaintext, entropy(SENT_NONCE_BYTES))
    return _sealed(session, sent.state, message, ())


def _sealed(
    session: Session, ratchet: double.State | Triple, message: bytes, writes: tuple[Write, ...]
) -> Sealed:
    """Return a message with what its session repeats around it, and the session after it."""
    if isinstance(session, Initiated):
        after = Initiated(session.origin, session.header, ratchet)
        return Sealed(after, cbor.complete_array(session.header, message), writes)
    return Sealed(Established(session.origin, ratchet, session.promote_next), message, writes)


def decrypt(session: Session, message: RatchetMessage, beside: SideStorage = EMPTY) -> Decrypted:
    """Open a message whose double-ratchet key is not among the kept ones.

    Raises AuthenticationFailed, DuplicateMessage, TooManySkipped, InvalidKey, MalformedMessage, BraidFailed.
    """
    return _open(session, message, beside, None)


def decrypt_late(
    session: Session, message: RatchetMessage, key: MessageKey, beside: SideStorage = EMPTY
) -> Decrypted:
    """Open a message whose double-ratchet key was kept when it was skipped. Raises as `decrypt`."""
    return _open(session, message, beside, key)


def sparse_chain(associated_data: bytes, epoch: int) -> bytes:
    """Return the 32 bytes that name an epoch's receiving chain in the store, beside all ratchet keys.

    Bit 255 is set, which no ratchet key has, and the rest is of this session alone.
    """
    digest = hashlib.sha256(PQ_CHAIN_NAME + associated_data + epoch.to_bytes(8, "big")).digest()
    return digest[:31] + b"\xff"


def fits(session: Session, message: RatchetMessage) -> bool:
    """Return whether a message is of the kind this session speaks: the sparse half cannot go. [PQR-8]"""
    return (session.origin.suite is Suite.X3DH) == (message.pq_header is None)


def steps(session: Session, message: RatchetMessage) -> int:
    """Return how many chain steps a trial of a message in this session may cost."""
    header, pq_header, ratchet = message.header, message.pq_header, session.ratchet
    of_part = 0 if pq_header is None or not isinstance(ratchet, Triple) else triple.steps(ratchet, pq_header)
    return of_part + (0 if knows(session, header.ratchet_key) else header.number)


def knows(session: Session, ratchet_key: PublicKey) -> bool:
    """Return whether the key heads the chain being received: no other session need then be tried."""
    ratchet = session.ratchet
    return double.knows(ratchet.double if isinstance(ratchet, Triple) else ratchet, ratchet_key)


def _open(
    session: Session, message: RatchetMessage, beside: SideStorage, kept: MessageKey | None
) -> Decrypted:
    origin, ratchet = session.origin, session.ratchet
    if isinstance(ratchet, Triple):
        return _open_triple(session, ratchet, message, beside, kept)
    if message.pq_header is not None:  # PQR-8
        raise AuthenticationFailed
    if kept is not None:
        plaintext = open_message(kept, origin.associated_data, message)
        return Decrypted(_established(session, ratchet), plaintext, NONE_SKIPPED, None)
    received = double.receive(ratchet, message.header)
    plaintext = open_message(received.key, origin.associated_data, message)
    # The tag has verified: from here on the message is the peer's.  RAT-6
    skipped = NONE_SKIPPED if received.is_next else Skipped(_kept(received))
    return Decrypted(Established(origin, received.state), plaintext, skipped, received.finished)


def _open_triple(
    session: Session,
    ratchet: Triple,
    message: RatchetMessage,
    beside: SideStorage,
    kept: MessageKey | None,
) -> Decrypted:
    origin, pq_header = session.origin, message.pq_header
    name = origin.associated_data
    if pq_header is None:
        raise AuthenticationFailed

    def find(epoch: int, number: int) -> SparseMessageKey | None:
        found = beside.find(sparse_chain(name, epoch), number)
        return None if found is None else SparseMessageKey(found)

    looked = triple.find_message_key(LETTERLOCK, ratchet, (message.header, pq_header), kept, find)
    plaintext = open_message(looked.key, name, message)
    # The tag has verified: from here on the message is the peer's.  RAT-6
    settled = triple.commit(LETTERLOCK, ratchet, looked, pq_header, beside.read)
    skipped = _skipped(name, looked)
    finished = None if looked.double is None else looked.double.finished
    after = _established(session, settled.state) if kept is not None else Established(origin, settled.state)
    return Decrypted(after, plaintext, skipped, finished, settled.writes)


def _established(session: Session, ratchet: double.State | Triple) -> Established:
    """Return the session after a late message: of what it says about the others, nothing changes."""
    promote_next = isinstance(session, Established) and session.promote_next
    return Established(session.origin, ratchet, promote_next)


def _skipped(name: bytes, looked: FoundKey) -> Skipped:
    """Return what a message jumped over in both ratchets; nearly always nothing."""
    first, second = looked.double, looked.sparse
    double_keys = () if first is None or first.is_next else _kept(first)
    sparse_keys = () if second is None or second.is_next else _kept_sparse(name, second)
    return Skipped(double_keys, sparse_keys) if double_keys or sparse_keys else NONE_SKIPPED


def _kept(received: double.Received) -> tuple[KeptKeys, ...]:
    return tuple(KeptKeys(gap.ratchet_key.data, gap.start, gap.keys()) for gap in received.gaps())


def _kept_sparse(name: bytes, received: SparseReceived) -> tuple[KeptKeys, ...]:
    gaps = received.gaps(LETTERLOCK)
    return tuple(KeptKeys(sparse_chain(name, gap.epoch), gap.start, gap.keys(LETTERLOCK)) for gap in gaps)


def defers_promotion(archived: Session, active: Session) -> bool:
    """Return whether a message in an archived session leaves the active one in place. [SES-4]

    It does if the active one is ours and not answered yet: we began anew on purpose, and a letter of the old
    session, late or held back by the network, must not undo that.

    And when both sides initiated at once there are two sessions that both hold. Each message would make the
    other side change to the one it came in, for ever if they keep writing at the same time. So of such a pair
    the one with the lower associated data stays active, until a second message in the other shows that the
    peer keeps to it: it may have lost this one.
    """
    if isinstance(active, Initiated):
        return True
    crossed = (active.origin.handshake is None) != (archived.origin.handshake is None)
    promote_next = isinstance(archived, Established) and archived.promote_next
    return crossed and active.origin.associated_data < archived.origin.associated_data and not promote_next
