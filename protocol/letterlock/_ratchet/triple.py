"""The Triple Ratchet (Double Ratchet revision 4, section 6): the double ratchet beside the sparse one.

    SKec || SKscka = HKDF(bytes(32), SK, "letterlock-v1 pq split", 64)                               [PQR-6]
    message key    = hybrid(double key, sparse key): an attacker needs both of them                  [PQR-2]

Both ratchets and the braid move together, or not at all. `find_message_key` finds the key of a message and
changes nothing; `commit` returns what an authenticated message changes.                             [RAT-6]

The number of codewords in a message depends on its size: at least one, at most a quarter of the size without
them. A short message costs no more than it must, and a long one heals the session in a few turns.   [PQR-7]
Computed codewords cost time, so a sender that gets no answer spares most of them.                   [PQR-9]

Not here: sealing (_session/), storing skipped keys (stores/).
"""

import hashlib
from typing import Final

from letterlock._primitives.curve25519 import PublicKey, SignedPrekey, SignedPrekeyPair
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import HASH_BYTES, hkdf_sha256
from letterlock._primitives.labels import PQ_CHAIN_NAME, PQ_SPLIT
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._ratchet import braid, double, sparse
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.keys import MessageKey, RootKey
from letterlock._ratchet.pq_keys import HybridKey, PqSharedSecret, SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK, PqProfile
from letterlock._ratchet.ratchet import NONE_SKIPPED, Committed, FindKept, Sent, Skipped, SkippedRange
from letterlock._ratchet.sparse import Sparse, SparsePlace, SparseReceived
from letterlock._wire.message import RatchetMessage
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

    def is_next(self, message: RatchetMessage) -> bool:
        """See Ratchet."""
        pq_header, chain = message.pq_header, self.sparse.receiving
        return (
            pq_header is not None
            and pq_header.epoch == chain.epoch + 1
            and pq_header.number == chain.number + 1
            and double.follows(self.double, message.header)
        )

    def next_message(self, size: int, entropy: Entropy) -> "Sent[Triple]":
        """See Ratchet."""
        return send(LETTERLOCK, self, size, entropy)

    def find_message_key(
        self,
        message: RatchetMessage,
        skipped_key: MessageKey | None,
        find: FindKept,
        associated_data: bytes,
    ) -> "TripleReceived":
        """See Ratchet."""
        return find_message_key(LETTERLOCK, self, message, skipped_key, find, associated_data)


@dataclass(frozen=True, slots=True)
class TripleReceived(Uncopyable):
    """The key of a message, and what each ratchet received; a FoundKey."""

    key: HybridKey
    before: Triple
    double: double.Received
    sparse: SparseReceived
    pq_header: PqHeader
    associated_data: bytes

    def commit(self) -> Committed:
        """See FoundKey."""
        return commit(LETTERLOCK, self)


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


def send(profile: PqProfile, state: Triple, size: int, entropy: Entropy) -> Sent[Triple]:
    """Return the next message's headers and key; it has about `size` bytes without codewords.

    Draws as `double.send`, then 64 or 32 bytes where the braid begins a text. Raises UsageError as that does.
    """
    sent = double.send(state.double, entropy)
    computed = max_computed(sent.header.number)
    agreed = braid.send(profile, state.braid, max_codewords(size), entropy, computed)
    chains, place, key = sparse.send(profile, state.sparse, agreed.epoch - 1)
    if agreed.secret is not None:
        chains = sparse.add_epoch(profile, chains, agreed.epoch, agreed.secret)
    pq_header = PqHeader(
        agreed.epoch, place.number, place.previous, agreed.type, agreed.first, agreed.codewords
    )
    after = Triple(sent.state, chains, agreed.state)
    return Sent(after, sent.header, pq_header, profile.hybrid(sent.key, key))


def steps(state: Triple, pq_header: PqHeader) -> int:
    """Return how many steps of a sparse chain it costs to find the key of a message."""
    return sparse.steps(state.sparse, _place(pq_header))


def find_message_key(
    profile: PqProfile,
    state: Triple,
    message: RatchetMessage,
    skipped_key: MessageKey | None,
    find: FindKept,
    associated_data: bytes,
) -> TripleReceived:
    """Return the key of a message and change nothing. `skipped_key` is its double-ratchet key if it is late.

    Raises what `double.receive` raises. If the sparse key is gone, raises DuplicateMessage where the message
    is known to be of this session, AuthenticationFailed where it is not. Also raises AuthenticationFailed
    for a message without a post-quantum header [PQR-8], and for an epoch whose chain we do not have.
    """
    header, pq_header = message.header, message.pq_header
    if pq_header is None:
        raise AuthenticationFailed
    braid.check_epoch(state.braid, pq_header)
    place = _place(pq_header)
    late = None
    if sparse.is_late(state.sparse, place):
        late = find(sparse_chain(associated_data, place.epoch), place.number)
        if late is None:
            # Under another ratchet key it may be a message of another session with equal numbers.
            is_ours = skipped_key is not None or double.knows(state.double, header.ratchet_key)
            raise DuplicateMessage if is_ours else AuthenticationFailed
    else:
        sparse.check_skip(state.sparse, place)  # RAT-5, before the agreement
    if skipped_key is None:
        in_double = double.receive(state.double, header)
    else:
        in_double = double.Received(state.double, skipped_key)
    if late is None:
        in_sparse = sparse.receive(profile, state.sparse, place)
    else:
        in_sparse = SparseReceived(state.sparse, SparseMessageKey(late))
    key = profile.hybrid(in_double.key, in_sparse.key)
    return TripleReceived(key, state, in_double, in_sparse, pq_header, associated_data)


def commit(profile: PqProfile, found: TripleReceived) -> Committed:
    """Return what a message changes, now that its tag verified. Raises BraidFailed."""
    before, in_double, chains = found.before, found.double, found.sparse.state
    agreed = braid.receive(profile, before.braid, found.pq_header)
    if agreed.secret is not None:
        chains = sparse.add_epoch(profile, chains, agreed.epoch, agreed.secret)
    after = before
    if (
        agreed.state is not before.braid
        or chains is not before.sparse
        or in_double.state is not before.double
    ):
        after = Triple(in_double.state, chains, agreed.state)
    return Committed(after, _skipped(profile, found), in_double.finished)


def _skipped(profile: PqProfile, found: TripleReceived) -> Skipped:
    """Return the keys of what a message skipped in both ratchets. RAT-11"""
    in_double, in_sparse = found.double, found.sparse
    # Nearly every message is the next one in both chains, so this asks for attributes and calls nothing.
    if in_double.gap is None and in_double.tail is None and in_sparse.gap is None and in_sparse.tail is None:
        return NONE_SKIPPED
    return Skipped(
        in_double.skipped(),
        tuple(
            SkippedRange(sparse_chain(found.associated_data, gap.epoch), gap.start, gap.keys(profile))
            for gap in in_sparse.gaps(profile)
        ),
    )


def _place(pq_header: PqHeader) -> SparsePlace:
    """Return where a message stands: its key belongs to the epoch before the one being agreed on."""
    return SparsePlace(pq_header.epoch - 1, pq_header.number, pq_header.previous)
