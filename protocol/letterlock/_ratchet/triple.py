"""The Triple Ratchet (Double Ratchet revision 4, section 6): the double ratchet beside the sparse one.

    SKec || SKscka = HKDF(bytes(32), SK, "letterlock-v1 pq split", 64)                               [PQR-6]
    message key    = hybrid(double key, sparse key): an attacker needs both of them                  [PQR-2]

Both ratchets and the braid move together, or not at all. `find_message_key` finds the key of a message and
changes nothing; `commit` returns what an authenticated message changes.                             [RAT-6]

The number of codewords in a message depends on its size: at least one, at most a quarter of the size without
them. A short message costs no more than it must, and a long one heals the session in a few turns.   [PQR-7]
Computed codewords cost time, so a sender that gets no answer spares most of them.                   [PQR-9]

Not here: sealing (_session/), storing skipped keys and side data (stores/).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from letterlock._primitives.curve25519 import PublicKey, SignedPrekey, SignedPrekeyPair
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.fast_init import fast_init
from letterlock._primitives.kdf import HASH_BYTES, hkdf_sha256
from letterlock._primitives.labels import PQ_CHAIN_NAME, PQ_SPLIT
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._ratchet import braid, double, sparse
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.keys import MessageKey, RootKey
from letterlock._ratchet.pq_keys import HybridKey, PqSharedSecret, SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK, PqProfile
from letterlock._ratchet.ratchet import NONE_SKIPPED, Committed, RatchetSent, Skipped, SkippedRange
from letterlock._ratchet.side_data import Read, SideStorage, Write
from letterlock._ratchet.sparse import Sparse, SparsePlace, SparseReceived
from letterlock._wire.message import Header, RatchetMessage
from letterlock._wire.pq_header import PqHeader
from letterlock.errors import AuthenticationFailed, DuplicateMessage
from letterlock.limits import (
    CODEWORD_BYTES,
    COMPUTED_CODEWORD_INTERVAL,
    FULL_CODEWORDS_UNTIL,
    MAX_CODEWORDS,
    MAX_SKIPPED_KEYS,
)

_SHARE: Final = 4
"""One byte in four may be added as codewords: alternating messages of 2 KiB then heal after nine messages."""

FindSparse: TypeAlias = Callable[[int, int], SparseMessageKey | None]
"""Returns the skipped key of an epoch and number, or None."""


@fast_init
@dataclass(frozen=True, slots=True)
class Triple(Uncopyable):
    """The state of both ratchets and the braid; a Ratchet."""

    double: double.State
    sparse: Sparse
    braid: Braid

    @property
    def max_skipped_keys(self) -> int:
        """See Ratchet: a message that was skipped leaves two keys."""
        return 2 * MAX_SKIPPED_KEYS

    @property
    def is_unanswered(self) -> bool:
        """See Ratchet."""
        return self.double.is_unanswered

    @property
    def is_unsent(self) -> bool:
        """See Ratchet."""
        return self.double.is_unsent

    def speaks(self, message: RatchetMessage) -> bool:
        """See Ratchet: the post-quantum header cannot be left out. [PQR-8]"""
        return message.pq_header is not None

    def knows(self, ratchet_key: PublicKey) -> bool:
        """See Ratchet."""
        return double.knows(self.double, ratchet_key)

    def trial_steps(self, message: RatchetMessage) -> int:
        """See Ratchet."""
        in_sparse = 0 if message.pq_header is None else steps(self, message.pq_header)
        return in_sparse + self.double.trial_steps(message)

    def next_message(self, size: int, entropy: Entropy, side: SideStorage) -> RatchetSent:
        """See Ratchet."""
        sent = send(LETTERLOCK, self, size, entropy, side.read)
        return RatchetSent(sent.state, sent.header, sent.pq_header, sent.key, sent.writes)

    def find_message_key(
        self,
        message: RatchetMessage,
        skipped_key: MessageKey | None,
        side: SideStorage,
        associated_data: bytes,
    ) -> "FoundTripleKey":
        """See Ratchet."""
        if message.pq_header is None:  # PQR-8
            raise AuthenticationFailed

        def find(epoch: int, number: int) -> SparseMessageKey | None:
            found = side.find(sparse_chain(associated_data, epoch), number)
            return None if found is None else SparseMessageKey(found)

        headers = message.header, message.pq_header
        found = find_message_key(LETTERLOCK, self, headers, skipped_key, find)
        return FoundTripleKey(found.key, self, found, message.pq_header, associated_data)


@fast_init
@dataclass(frozen=True, slots=True)
class TripleSent(Uncopyable):
    """The next message: the state and writes to commit, the headers to send, the key to seal with."""

    state: Triple
    header: Header
    pq_header: PqHeader
    key: HybridKey
    writes: tuple[Write, ...]


@fast_init
@dataclass(frozen=True, slots=True)
class TripleFound(Uncopyable):
    """The key of a message, and what each ratchet received: None if its key was a skipped key."""

    key: HybridKey
    double: double.Received | None
    sparse: SparseReceived | None


@fast_init
@dataclass(frozen=True, slots=True)
class TripleCommitted(Uncopyable):
    """What an authenticated message changes: the state and the writes."""

    state: Triple
    writes: tuple[Write, ...]


@fast_init
@dataclass(frozen=True, slots=True)
class FoundTripleKey(Uncopyable):
    """See ratchet.FoundKey."""

    key: HybridKey
    state: Triple
    found: TripleFound
    pq_header: PqHeader
    associated_data: bytes

    def commit(self, side: SideStorage) -> Committed:
        """See ratchet.FoundKey."""
        after = commit(LETTERLOCK, self.state, self.found, self.pq_header, side.read)
        received = self.found.double
        finished = None if received is None or received.tail is None else received.tail.ratchet_key
        return Committed(after.state, _skipped(self.associated_data, self.found), finished, after.writes)


def split(secret: Secret) -> tuple[RootKey, PqSharedSecret]:
    """Return the two halves of a handshake's SK: SKec for the double ratchet, SKscka for the sparse one."""
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


def sparse_chain(associated_data: bytes, epoch: int) -> bytes:
    """Return the 32 bytes that name an epoch's receiving chain in the store, next to ratchet keys.

    Bit 255 is set, which no ratchet key has. The rest depends on the session, so two sessions never share it.
    """
    digest = hashlib.sha256(PQ_CHAIN_NAME + associated_data + epoch.to_bytes(8, "big")).digest()
    return digest[:31] + b"\xff"


def max_codewords(size: int) -> int:
    """Return how many codewords a message may carry that has `size` bytes without them."""
    return max(1, min(size // (_SHARE * CODEWORD_BYTES), MAX_CODEWORDS))


def max_computed(number: int) -> int:
    """Return how many computed codewords a message may carry that has this number in its chain. [PQR-9]"""
    if number <= FULL_CODEWORDS_UNTIL:
        return MAX_CODEWORDS
    return 0 if number % COMPUTED_CODEWORD_INTERVAL else 1


def send(profile: PqProfile, state: Triple, size: int, entropy: Entropy, read: Read) -> TripleSent:
    """Return the next message's headers and key; it has about `size` bytes without codewords.

    Draws as `double.send`, then 64 or 32 bytes where the braid begins a text. Raises UsageError as that does.
    """
    sent = double.send(state.double, entropy)
    computed = max_computed(sent.header.number)
    agreed = braid.send(profile, state.braid, max_codewords(size), entropy, read, computed)
    chains, place, key = sparse.send(profile, state.sparse, agreed.epoch - 1)
    if agreed.secret is not None:
        chains = sparse.add_epoch(profile, chains, agreed.epoch, agreed.secret)
    pq_header = PqHeader(
        agreed.epoch, place.number, place.previous, agreed.type, agreed.first, agreed.codewords
    )
    after = Triple(sent.state, chains, agreed.state)
    return TripleSent(after, sent.header, pq_header, profile.hybrid(sent.key, key), agreed.writes)


def steps(state: Triple, pq_header: PqHeader) -> int:
    """Return how many steps of a sparse chain it costs to find the key of a message."""
    return sparse.steps(state.sparse, _place(pq_header))


def find_message_key(
    profile: PqProfile,
    state: Triple,
    headers: tuple[Header, PqHeader],
    skipped_key: MessageKey | None,
    find: FindSparse,
) -> TripleFound:
    """Return the key of a message and change nothing. `skipped_key` is its double-ratchet key if it is late.

    Raises what `double.receive` raises. If the sparse key is gone, raises DuplicateMessage where the message
    is known to be of this session, AuthenticationFailed where it is not. Also raises AuthenticationFailed
    for an epoch whose chain we do not have.
    """
    header, pq_header = headers
    braid.check_epoch(state.braid, pq_header)
    place = _place(pq_header)
    late = None
    if sparse.is_late(state.sparse, place):
        late = find(place.epoch, place.number)
        if late is None:
            # Under another ratchet key it may be a message of another session with equal numbers.
            is_ours = skipped_key is not None or double.knows(state.double, header.ratchet_key)
            raise DuplicateMessage if is_ours else AuthenticationFailed
    else:
        sparse.check_skip(state.sparse, place)  # RAT-5, before the agreement
    double_received = double.receive(state.double, header) if skipped_key is None else None
    sparse_received = sparse.receive(profile, state.sparse, place) if late is None else None
    double_key = skipped_key if double_received is None else double_received.key
    sparse_key = late if sparse_received is None else sparse_received.key
    if double_key is None or sparse_key is None:  # pragma: no cover - each is one or the other
        raise AssertionError
    return TripleFound(profile.hybrid(double_key, sparse_key), double_received, sparse_received)


def commit(
    profile: PqProfile, state: Triple, found: TripleFound, pq_header: PqHeader, read: Read
) -> TripleCommitted:
    """Return the state and the writes after a message whose tag verified. Raises BraidFailed."""
    received = braid.receive(profile, state.braid, pq_header, read)
    chains = state.sparse if found.sparse is None else found.sparse.state
    if received.secret is not None:
        chains = sparse.add_epoch(profile, chains, received.epoch, received.secret)
    double_state = state.double if found.double is None else found.double.state
    return TripleCommitted(Triple(double_state, chains, received.state), received.writes)


def _skipped(associated_data: bytes, found: TripleFound) -> Skipped:
    """Return the keys of what a message skipped in both ratchets. RAT-11"""
    double_received, sparse_received = found.double, found.sparse
    in_double: tuple[SkippedRange, ...] = ()
    in_sparse: tuple[SkippedRange, ...] = ()
    # Nearly every message is the next one in both chains, so this asks for attributes and calls nothing.
    if double_received is not None and (double_received.gap is not None or double_received.tail is not None):
        in_double = double_received.skipped()
    if sparse_received is not None and (sparse_received.gap is not None or sparse_received.tail is not None):
        in_sparse = tuple(
            SkippedRange(sparse_chain(associated_data, gap.epoch), gap.start, gap.keys(LETTERLOCK))
            for gap in sparse_received.gaps(LETTERLOCK)
        )
    return Skipped(in_double, in_sparse) if in_double or in_sparse else NONE_SKIPPED


def _place(pq_header: PqHeader) -> SparsePlace:
    """Return where a message stands: its key belongs to the epoch before the one being agreed on."""
    return SparsePlace(pq_header.epoch - 1, pq_header.number, pq_header.previous)
