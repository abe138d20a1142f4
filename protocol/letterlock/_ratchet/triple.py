"""The Triple Ratchet (Double Ratchet revision 4, section 6): the double ratchet beside the sparse one.

    SKec || SKscka = HKDF(bytes(32), SK, "letterlock-v1 pq split", 64)                               [PQR-6]
    message key    = hybrid(double's, sparse's): whoever lacks one of them lacks it                  [PQR-2]

Both ratchets and the braid move together, or not at all: `find_message_key` finds the key of a message and
changes nothing, `commit` returns what an authenticated message changes.                             [RAT-6]

How many codewords a message carries depends on its size: at most a quarter of what it has without them, at
least one. A short message costs no more than it must, a long one heals the session in a few turns.  [PQR-7]

Not here: sealing (_session/), keeping skipped keys and slots (stores/).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from letterlock._primitives.curve25519 import SignedPrekey, SignedPrekeyPair
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.fast_init import fast_init
from letterlock._primitives.kdf import HASH_BYTES, hkdf_sha256
from letterlock._primitives.labels import PQ_SPLIT
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._ratchet import braid, double, sparse
from letterlock._ratchet.braid_states import Braid, Read, Write
from letterlock._ratchet.chain import MessageKey
from letterlock._ratchet.pq_keys import HybridKey, PqSharedSecret, SparseMessageKey
from letterlock._ratchet.pq_profile import PqProfile
from letterlock._ratchet.root import RootKey
from letterlock._ratchet.sparse import Sparse, SparsePlace, SparseReceived
from letterlock._wire.message import Header
from letterlock._wire.pq_header import PqHeader
from letterlock.errors import AuthenticationFailed, DuplicateMessage
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORDS

_SHARE: Final = 4
"""One part in four may be added as codewords: alternating texts of 2 KiB then heal in nine messages."""

FindSparse: TypeAlias = Callable[[int, int], SparseMessageKey | None]
"""Returns the kept key of an epoch and number, or None."""


@fast_init
@dataclass(frozen=True, slots=True)
class Triple(Uncopyable):
    """The state of all three."""

    double: double.State
    sparse: Sparse
    braid: Braid


@fast_init
@dataclass(frozen=True, slots=True)
class TripleSent(Uncopyable):
    """What sending gives: the state and writes to commit, what to send, the key to seal with."""

    state: Triple
    header: Header
    pq_header: PqHeader
    key: HybridKey
    writes: tuple[Write, ...]


@fast_init
@dataclass(frozen=True, slots=True)
class FoundKey(Uncopyable):
    """The key of a message, and how far both ratchets would go for it; None where a kept key serves."""

    key: HybridKey
    double: double.Received | None
    sparse: SparseReceived | None


@fast_init
@dataclass(frozen=True, slots=True)
class Committed(Uncopyable):
    """What an authenticated message changes: the state, and what to write beside it."""

    state: Triple
    writes: tuple[Write, ...]


def split(secret: Secret) -> tuple[RootKey, PqSharedSecret]:
    """Return the two parts of a handshake's SK."""
    okm = hkdf_sha256(bytes(HASH_BYTES), secret.expose(), PQ_SPLIT, 2 * KEY_BYTES)
    return RootKey(okm[:KEY_BYTES]), PqSharedSecret(okm[KEY_BYTES:])


def initiator(profile: PqProfile, secret: Secret, signed_prekey: SignedPrekey, entropy: Entropy) -> Triple:
    """Return the initiator's first state. Draws 32 bytes."""
    root, shared = split(secret)
    return Triple(
        double.initiator(root, signed_prekey, entropy),
        sparse.start(profile, shared, is_initiator=True),
        braid.initiator(profile, shared),
    )


def recipient(profile: PqProfile, secret: Secret, signed: SignedPrekeyPair) -> Triple:
    """Return the recipient's first state."""
    root, shared = split(secret)
    return Triple(
        double.recipient(root, signed),
        sparse.start(profile, shared, is_initiator=False),
        braid.recipient(profile, shared),
    )


def room(size: int) -> int:
    """Return how many codewords a message carries at most that has `size` bytes without them."""
    return max(1, min(size // (_SHARE * CODEWORD_BYTES), MAX_CODEWORDS))


def send(profile: PqProfile, state: Triple, size: int, entropy: Entropy, read: Read) -> TripleSent:
    """Return the next message's header, part and key; it has about `size` bytes without codewords.

    Draws as `double.send`, then 64 or 32 bytes where the braid begins a text. Raises UsageError as that does.
    """
    sent = double.send(state.double, entropy)
    piece = braid.send(profile, state.braid, room(size), entropy, read)
    chains, place, key = sparse.send(profile, state.sparse, piece.epoch - 1)
    if piece.secret is not None:
        chains = sparse.add_epoch(profile, chains, piece.epoch, piece.secret)
    pq_header = PqHeader(piece.epoch, place.number, place.previous, piece.type, piece.first, piece.codewords)
    after = Triple(sent.state, chains, piece.state)
    return TripleSent(after, sent.header, pq_header, profile.hybrid(sent.key, key), piece.writes)


def steps(state: Triple, pq_header: PqHeader) -> int:
    """Return how many steps of a sparse chain a message costs before it has authenticated."""
    return sparse.steps(state.sparse, _place(pq_header))


def find_message_key(
    profile: PqProfile,
    state: Triple,
    message: tuple[Header, PqHeader],
    kept: MessageKey | None,
    find: FindSparse,
) -> FoundKey:
    """Return the key of a message, whose double-ratchet key may be a kept one. Nothing is changed.

    Raises what `double.receive` does, DuplicateMessage for a sparse key that is gone where the message is of
    this session, AuthenticationFailed where that is not known, and for an epoch that is not there.
    """
    header, pq_header = message
    braid.check_epoch(state.braid, pq_header)
    place = _place(pq_header)
    late = None
    if sparse.is_late(state.sparse, place):
        late = find(place.epoch, place.number)
        if late is None:
            # Under another ratchet key it may be a message of another session, whose numbers are like ours.
            is_ours = kept is not None or double.knows(state.double, header.ratchet_key)
            raise DuplicateMessage() if is_ours else AuthenticationFailed()
    else:
        sparse.check_jump(state.sparse, place)  # RAT-5, before the agreement
    turned = double.receive(state.double, header) if kept is None else None
    moved = sparse.receive(profile, state.sparse, place) if late is None else None
    first = kept if turned is None else turned.key
    second = late if moved is None else moved.key
    if first is None or second is None:  # pragma: no cover - each is one or the other
        raise AssertionError
    return FoundKey(profile.hybrid(first, second), turned, moved)


def commit(profile: PqProfile, state: Triple, looked: FoundKey, pq_header: PqHeader, read: Read) -> Committed:
    """Return what a message changes whose tag has verified. Raises BraidFailed, and nothing has happened."""
    received = braid.receive(profile, state.braid, pq_header, read)
    chains = state.sparse if looked.sparse is None else looked.sparse.state
    if received.secret is not None:
        chains = sparse.add_epoch(profile, chains, received.epoch, received.secret)
    turned = state.double if looked.double is None else looked.double.state
    return Committed(Triple(turned, chains, received.state), received.writes)


def _place(pq_header: PqHeader) -> SparsePlace:
    """Return where a message stands: its key is of the epoch before the one being agreed on."""
    return SparsePlace(pq_header.epoch - 1, pq_header.number, pq_header.previous)
