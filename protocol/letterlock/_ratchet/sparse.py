"""The sparse post-quantum ratchet (Double Ratchet revision 4, section 5): chains by epoch and direction.

    start        root, A2B, B2A = HKDF(bytes(32), SKscka, label, 96)                                 [PQR-1]
    add epoch    root, A2B, B2A = HKDF(root, secret, label, 96)
    step         mk = HMAC(ck, n || 0x01),  ck' = HMAC(ck, n || 0x02)             n in four bytes
    hybrid       HKDF(salt = sparse mk, ikm = double mk, label, 32)                                  [PQR-2]

A2B is the chain of what the initiator sends. Epoch 0 starts from SKscka, every later epoch from the secret
that the braid agreed on (braid.py). Each direction has one chain, and the first key of the next one once its
epoch is there. Message numbers count from 1 in each chain, and a message says how many its sender's last
chain had.

    sending      in the epoch that the braid says; the chain before it is dropped at once
    receiving    in the epoch that the message says; the first message of a new epoch skips what is missing of
                 the chain before it, and that chain is dropped too                                  [PQR-3]

Both sides send in every epoch, because the braid needs that, so no epoch is left out.

Difference from the text: its clean-up (section 5.6) runs on sending alone and leaves half of all epochs
behind. It also skips up to the message and steps once more, which gives the key of the next message. Here the
last chain is ended, as in section 5.7, and messages may arrive as late as in the double ratchet.

Not here: the double ratchet beside this one (triple.py); the authenticator of the braid (authenticator.py).
"""

import struct
from dataclasses import replace
from itertools import count, repeat
from typing import Final, Protocol, TypeAlias

from letterlock._primitives import labels
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.kdf import (
    HASH_BYTES,
    hkdf_sha256,
    hmac_sha256_each,
    hmac_sha256_pair,
    hmac_sha256_walk,
)
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet.keys import MessageKey, PassedKeys, SkippedKeys
from letterlock._ratchet.pq_keys import (
    EpochSecret,
    HybridKey,
    PqSharedSecret,
    SparseChainKey,
    SparseMessageKey,
    SparseRootKey,
)
from letterlock.errors import AuthenticationFailed, Cause, TooManySkipped, UsageError
from letterlock.limits import MAX_COUNTER, MAX_SKIP

# --- key derivation ---------------------------------------------------------------------------------

Chains: TypeAlias = tuple[SparseRootKey, SparseChainKey, SparseChainKey]
"""Root, chain of what the initiator sends, chain of what the recipient sends."""


class SparseKdf(Protocol):
    """How the sparse ratchet derives its keys; another implementation may use other labels and forms."""

    def start(self, shared: PqSharedSecret) -> Chains:
        """Return the chains of epoch 0."""
        ...

    def add_epoch(self, root: SparseRootKey, secret: EpochSecret) -> Chains:
        """Return the chains of the next epoch."""
        ...

    def step(self, chain: SparseChainKey, number: int) -> tuple[SparseChainKey, SparseMessageKey]:
        """Return the chain key after message `number` (from 1) and the key of that message."""
        ...

    def walk(self, chain: SparseChainKey, numbers: range) -> tuple[SparseChainKey, PassedKeys]:
        """Return the chain key after these skipped messages, and the chain key before each of them."""
        ...

    def message_keys(self, passed: PassedKeys, start: int) -> SkippedKeys:
        """Return the keys of messages that were skipped, from number `start` on."""
        ...

    def hybrid(self, double: MessageKey, sparse: SparseMessageKey) -> HybridKey:
        """Return the key that seals a message."""
        ...


_ZEROS: Final = bytes(HASH_BYTES)
_MESSAGE: Final = 1
_CHAIN: Final = 2
_numbered = struct.Struct(">IB").pack
"""Packs what a step authenticates: the number in four bytes, and which of the two keys it gives."""


class LetterlockSparseKdf:
    """The derivation of this protocol, by the formulae above."""

    def start(self, shared: PqSharedSecret) -> Chains:
        """See SparseKdf."""
        return _chains(hkdf_sha256(_ZEROS, shared.expose(), labels.PQ_CHAIN_START, 3 * KEY_BYTES))

    def add_epoch(self, root: SparseRootKey, secret: EpochSecret) -> Chains:
        """See SparseKdf."""
        return _chains(hkdf_sha256(root.expose(), secret.expose(), labels.PQ_CHAIN_ADD_EPOCH, 3 * KEY_BYTES))

    def step(self, chain: SparseChainKey, number: int) -> tuple[SparseChainKey, SparseMessageKey]:
        """See SparseKdf."""
        next_key, message_key = hmac_sha256_pair(
            chain.expose(), _numbered(number, _CHAIN), _numbered(number, _MESSAGE)
        )
        return SparseChainKey(next_key), SparseMessageKey(message_key)

    def walk(self, chain: SparseChainKey, numbers: range) -> tuple[SparseChainKey, PassedKeys]:
        """See SparseKdf."""
        *passed, key = hmac_sha256_walk(chain.expose(), map(_numbered, numbers, repeat(_CHAIN)))
        return SparseChainKey(key), PassedKeys.join(passed)

    def message_keys(self, passed: PassedKeys, start: int) -> SkippedKeys:
        """See SparseKdf."""
        data = map(_numbered, count(start), repeat(_MESSAGE))
        return SkippedKeys.join(hmac_sha256_each(passed.expose_each(), data))

    def hybrid(self, double: MessageKey, sparse: SparseMessageKey) -> HybridKey:
        """See SparseKdf."""
        return HybridKey(hkdf_sha256(sparse.expose(), double.expose(), labels.PQ_HYBRID, KEY_BYTES))


def _chains(okm: bytes) -> Chains:
    a2b, b2a = okm[KEY_BYTES : 2 * KEY_BYTES], okm[2 * KEY_BYTES :]
    return SparseRootKey(okm[:KEY_BYTES]), SparseChainKey(a2b), SparseChainKey(b2a)


# --- states -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SparseChain(Uncopyable):
    """One direction: the chain of `epoch`, whose last message had `number` (0 before the first).

    `following` is the first key of the next epoch's chain, if that epoch is there.
    """

    epoch: int
    key: SparseChainKey
    number: int = 0
    following: SparseChainKey | None = None


@dataclass(frozen=True, slots=True)
class Sparse(Uncopyable):
    """The state: root key of the latest epoch, both chains, and the length of our previous sending chain."""

    root: SparseRootKey
    latest: int
    sending: SparseChain
    receiving: SparseChain
    previous: int
    is_initiator: bool


@dataclass(frozen=True, slots=True)
class SparsePlace:
    """Where a message stands: epoch, number in its chain, and the length of its sender's previous chain."""

    epoch: int
    number: int
    previous: int


@dataclass(frozen=True, slots=True)
class SparseGap(Uncopyable):
    """Messages that were skipped in an epoch: from `start` on, one passed chain key for each."""

    epoch: int
    start: int
    passed: PassedKeys

    def keys(self, kdf: SparseKdf) -> SkippedKeys:
        """Return the keys of the messages in the gap; call it after authentication. [RAT-11]"""
        return kdf.message_keys(self.passed, self.start)


@dataclass(frozen=True, slots=True)
class SparseReceived(Uncopyable):
    """The key of a received message, and the state to commit if the key opens it.

    If the message ended the chain of an epoch, `tail` is that chain and `tail_end` its length.
    """

    state: Sparse
    key: SparseMessageKey
    gap: SparseGap | None = None
    tail: SparseChain | None = None
    tail_end: int = 0

    def gaps(self, kdf: SparseKdf) -> tuple[SparseGap, ...]:
        """Return all gaps, the older first; call it after authentication. [RAT-11]"""
        older = None
        if self.tail is not None and self.tail_end > self.tail.number:
            _, older = _walk(kdf, self.tail, self.tail_end + 1)
        return tuple(gap for gap in (older, self.gap) if gap is not None)


def start(kdf: SparseKdf, shared: PqSharedSecret, *, is_initiator: bool) -> Sparse:
    """Return the state at the end of a handshake (section 5.3)."""
    root, a2b, b2a = kdf.start(shared)
    ours, theirs = (a2b, b2a) if is_initiator else (b2a, a2b)
    return Sparse(root, 0, SparseChain(0, ours), SparseChain(0, theirs), 0, is_initiator)


def add_epoch(kdf: SparseKdf, state: Sparse, number: int, secret: EpochSecret) -> Sparse:
    """Return the state with the keys of the next epoch."""
    at = {state.latest, state.sending.epoch, state.receiving.epoch, number - 1}
    if len(at) != 1:
        raise ValueError(f"epoch {number} while chains are at {sorted(at)}")  # our own bug, not an assertion
    root, a2b, b2a = kdf.add_epoch(state.root, secret)
    ours, theirs = (a2b, b2a) if state.is_initiator else (b2a, a2b)
    return replace(
        state,
        root=root,
        latest=number,
        sending=replace(state.sending, following=ours),
        receiving=replace(state.receiving, following=theirs),
    )


def send(kdf: SparseKdf, state: Sparse, epoch: int) -> tuple[Sparse, SparsePlace, SparseMessageKey]:
    """Return the state, place and key of the next message in an epoch. Raises UsageError at its end."""
    chain, previous = state.sending, state.previous
    if epoch == chain.epoch + 1 and chain.following is not None:
        previous, chain = chain.number, SparseChain(epoch, chain.following)
    if epoch != chain.epoch:
        raise ValueError(f"epoch {epoch} is not sent in")  # our own bug: the braid never goes back
    if chain.number >= MAX_COUNTER:
        raise UsageError(f"chain of {chain.number} messages is full: initiate a new session")
    number = chain.number + 1
    next_key, key = kdf.step(chain.key, number)
    after = SparseChain(epoch, next_key, number, chain.following)
    moved = Sparse(state.root, state.latest, after, state.receiving, previous, state.is_initiator)
    return moved, SparsePlace(epoch, number, previous), key


def is_late(state: Sparse, place: SparsePlace) -> bool:
    """Return whether the chain has passed the message, so that only a skipped key can open it."""
    chain = state.receiving
    return place.epoch < chain.epoch or (place.epoch == chain.epoch and place.number <= chain.number)


def steps(state: Sparse, place: SparsePlace) -> int:
    """Return how many chain steps it costs to derive the key of a message."""
    if is_late(state, place):
        return 0
    return place.number - (state.receiving.number if place.epoch == state.receiving.epoch else 0)


def check_skip(state: Sparse, place: SparsePlace) -> None:
    """Raise as `receive` does, before anything is derived. [PQR-4]"""
    chain = state.receiving
    if place.epoch == chain.epoch + 1 and chain.following is not None:
        _check(place.previous - chain.number)
        _check(place.number - 1)
    elif place.epoch == chain.epoch:
        _check(place.number - chain.number - 1)
    else:
        raise AuthenticationFailed(Cause.OUR_STATE_WENT_BACK_PERHAPS)


def receive(kdf: SparseKdf, state: Sparse, place: SparsePlace) -> SparseReceived:
    """Return state, key and gaps for a message that is not late.

    Raises TooManySkipped before any work, AuthenticationFailed for an epoch whose chain we do not have.
    """
    chain = state.receiving
    if place.epoch == chain.epoch and place.number == chain.number + 1:
        next_key, key = kdf.step(chain.key, place.number)
        after = SparseChain(place.epoch, next_key, place.number, chain.following)
        return SparseReceived(_received(state, after), key)
    check_skip(state, place)
    if place.epoch == chain.epoch:
        after, gap, key = _reach(kdf, chain, place.number)
        return SparseReceived(_received(state, after), key, gap)
    if chain.following is None:  # pragma: no cover - checked
        raise AuthenticationFailed
    after, gap, key = _reach(kdf, SparseChain(place.epoch, chain.following), place.number)
    return SparseReceived(_received(state, after), key, gap, chain, place.previous)


def _received(state: Sparse, receiving: SparseChain) -> Sparse:
    sending, previous = state.sending, state.previous
    return Sparse(state.root, state.latest, sending, receiving, previous, state.is_initiator)


def _reach(
    kdf: SparseKdf, chain: SparseChain, number: int
) -> tuple[SparseChain, SparseGap | None, SparseMessageKey]:
    """Return the chain after a message, the gap before it, and its key."""
    before, gap = chain.key, None
    if number > chain.number + 1:
        before, gap = _walk(kdf, chain, number)
    next_key, key = kdf.step(before, number)
    return SparseChain(chain.epoch, next_key, number, chain.following), gap, key


def _walk(kdf: SparseKdf, chain: SparseChain, to: int) -> tuple[SparseChainKey, SparseGap]:
    """Return the chain key before message `to`, and the gap up to it: one message or more."""
    start = chain.number + 1
    key, passed = kdf.walk(chain.key, range(start, to))
    return key, SparseGap(chain.epoch, start, passed)


def _check(skipped: int) -> None:
    if skipped > MAX_SKIP:  # RAT-5
        raise TooManySkipped(skipped, MAX_SKIP)
