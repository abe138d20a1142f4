"""The sparse post-quantum ratchet (Double Ratchet revision 4, section 5): chains by epoch and direction.

    epoch 0      starts from SKscka; every later one from the secret that the braid agreed on      (braid.py)
    sending      in the epoch that the braid says; the chain before it goes at once
    receiving    in the epoch that the message says; with the first of a new one, the messages still missing
                 of the chain before it are skipped, and that chain goes too                         [PQR-3]
    numbers      count from 1 in each chain; a message says how many there were in its sender's last one

Of each direction there are one chain, and the key of the next one once its epoch is there. Both sides send in
every epoch, because the braid needs that, so no epoch is ever passed over.

The text's clean-up (section 5.6) runs on sending alone and leaves half of all epochs behind; it also skips
up to the message and steps once more, which gives the next one's key. Here the last chain is sealed, as in
section 5.7, and messages may come as late as in the double ratchet.

Not here: the double ratchet beside this one, and how the keys are joined (triple.py).
"""

from dataclasses import dataclass, replace

from letterlock._primitives.fast_init import fast_init
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet.chain import PassedKeys, SkippedKeys
from letterlock._ratchet.pq_keys import (
    EpochSecret,
    PqSharedSecret,
    SparseChainKey,
    SparseMessageKey,
    SparseRootKey,
)
from letterlock._ratchet.pq_profile import PqProfile
from letterlock.errors import AuthenticationFailed, TooManySkipped, UsageError
from letterlock.limits import MAX_COUNTER, MAX_SKIP


@fast_init
@dataclass(frozen=True, slots=True)
class SparseChain(Uncopyable):
    """One direction: the chain of `epoch`, whose last message was `number` (0 before the first).

    `following` begins the next epoch's chain, if that is there.
    """

    epoch: int
    key: SparseChainKey
    number: int = 0
    following: SparseChainKey | None = None


@fast_init
@dataclass(frozen=True, slots=True)
class Sparse(Uncopyable):
    """The state: root key of the latest epoch, both chains, how many messages our last chain had."""

    root: SparseRootKey
    latest: int
    sending: SparseChain
    receiving: SparseChain
    previous: int
    is_initiator: bool


@fast_init
@dataclass(frozen=True, slots=True)
class SparsePlace:
    """Where a message stands: epoch and number of its chain, and the length of its sender's last chain."""

    epoch: int
    number: int
    previous: int


@fast_init
@dataclass(frozen=True, slots=True)
class SparseGap(Uncopyable):
    """Messages that were jumped over in an epoch: from `start` on, one passed chain key for each."""

    epoch: int
    start: int
    passed: PassedKeys

    def keys(self, profile: PqProfile) -> SkippedKeys:
        """Return the keys of the messages in the gap; derived here, so after authentication. [RAT-11]"""
        return profile.message_keys(self.passed, self.start)


@fast_init
@dataclass(frozen=True, slots=True)
class SparseReceived(Uncopyable):
    """What receiving gives: state, key, and what was jumped over; the last chain is walked afterwards."""

    state: Sparse
    key: SparseMessageKey
    gap: SparseGap | None = None
    tail: SparseChain | None = None
    tail_end: int = 0

    @property
    def is_next(self) -> bool:
        """Whether the message follows the last one in its chain: there are no gaps then."""
        return self.gap is None and self.tail is None

    def gaps(self, profile: PqProfile) -> tuple[SparseGap, ...]:
        """Return all gaps, the older first; for after authentication. [RAT-11]"""
        older = None
        if self.tail is not None and self.tail_end > self.tail.number:
            _, older = _walk(profile, self.tail, self.tail_end + 1)
        return tuple(gap for gap in (older, self.gap) if gap is not None)


def start(profile: PqProfile, shared: PqSharedSecret, *, is_initiator: bool) -> Sparse:
    """Return the state at the end of a handshake (section 5.3)."""
    root, a2b, b2a = profile.start(shared)
    ours, theirs = (a2b, b2a) if is_initiator else (b2a, a2b)
    return Sparse(root, 0, SparseChain(0, ours), SparseChain(0, theirs), 0, is_initiator)


def add_epoch(profile: PqProfile, state: Sparse, number: int, secret: EpochSecret) -> Sparse:
    """Return the state with the keys of the next epoch."""
    at = {state.latest, state.sending.epoch, state.receiving.epoch, number - 1}
    if len(at) != 1:
        raise ValueError(f"epoch {number} while chains are at {sorted(at)}")  # our own bug, not an assertion
    root, a2b, b2a = profile.add_epoch(state.root, secret)
    ours, theirs = (a2b, b2a) if state.is_initiator else (b2a, a2b)
    return replace(
        state,
        root=root,
        latest=number,
        sending=replace(state.sending, following=ours),
        receiving=replace(state.receiving, following=theirs),
    )


def send(profile: PqProfile, state: Sparse, epoch: int) -> tuple[Sparse, SparsePlace, SparseMessageKey]:
    """Return the state, place and key of the next message in an epoch. Raises UsageError at its end."""
    chain, previous = state.sending, state.previous
    if epoch == chain.epoch + 1 and chain.following is not None:
        previous, chain = chain.number, SparseChain(epoch, chain.following)
    if epoch != chain.epoch:
        raise ValueError(f"epoch {epoch} is not sent in")  # our own bug: the braid never goes back
    if chain.number >= MAX_COUNTER:
        raise UsageError(f"chain of {chain.number} messages is full: initiate a new session")
    number = chain.number + 1
    next_key, key = profile.step(chain.key, number)
    after = SparseChain(epoch, next_key, number, chain.following)
    moved = Sparse(state.root, state.latest, after, state.receiving, previous, state.is_initiator)
    return moved, SparsePlace(epoch, number, previous), key


def is_late(state: Sparse, place: SparsePlace) -> bool:
    """Return whether a message's key was passed, so that only a kept one can open it."""
    chain = state.receiving
    return place.epoch < chain.epoch or (place.epoch == chain.epoch and place.number <= chain.number)


def steps(state: Sparse, place: SparsePlace) -> int:
    """Return how many chain steps the key of a message costs before it has authenticated."""
    if is_late(state, place):
        return 0
    return place.number - (state.receiving.number if place.epoch == state.receiving.epoch else 0)


def check_jump(state: Sparse, place: SparsePlace) -> None:
    """Raise as `receive` does, before anything is derived. [PQR-4]"""
    chain = state.receiving
    if place.epoch == chain.epoch + 1 and chain.following is not None:
        _check(place.previous - chain.number)
        _check(place.number - 1)
    elif place.epoch == chain.epoch:
        _check(place.number - chain.number - 1)
    else:
        raise AuthenticationFailed


def receive(profile: PqProfile, state: Sparse, place: SparsePlace) -> SparseReceived:
    """Return state, key and gaps for a message that is not late.

    Raises TooManySkipped before any work, AuthenticationFailed for an epoch that is not there.
    """
    check_jump(state, place)
    chain = state.receiving
    if place.epoch == chain.epoch:
        after, gap, key = _reach(profile, chain, place.number)
        return SparseReceived(_received(state, after), key, gap)
    if chain.following is None:  # pragma: no cover - checked
        raise AuthenticationFailed
    after, gap, key = _reach(profile, SparseChain(place.epoch, chain.following), place.number)
    return SparseReceived(_received(state, after), key, gap, chain, place.previous)


def _received(state: Sparse, receiving: SparseChain) -> Sparse:
    # Written out: `replace` takes 0.8 us, this 0.4.
    sending, previous = state.sending, state.previous
    return Sparse(state.root, state.latest, sending, receiving, previous, state.is_initiator)


def _reach(
    profile: PqProfile, chain: SparseChain, number: int
) -> tuple[SparseChain, SparseGap | None, SparseMessageKey]:
    """Return the chain after a message, the gap before it, and its key."""
    before, gap = chain.key, None
    if number > chain.number + 1:
        before, gap = _walk(profile, chain, number)
    next_key, key = profile.step(before, number)
    return SparseChain(chain.epoch, next_key, number, chain.following), gap, key


def _walk(profile: PqProfile, chain: SparseChain, to: int) -> tuple[SparseChainKey, SparseGap]:
    """Return the chain key before message `to`, and the gap up to it: one message or more."""
    start = chain.number + 1
    key, passed = profile.walk(chain.key, range(start, to))
    return key, SparseGap(chain.epoch, start, passed)


def _check(skipped: int) -> None:
    if skipped > MAX_SKIP:  # RAT-5
        raise TooManySkipped(skipped, MAX_SKIP)
