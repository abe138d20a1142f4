"""The Double Ratchet (revision 4, section 3), as pure functions over four states.

    state      holds                                  send        their key new   their key known
    --------   ------------------------------------   ---------   -------------   ---------------
    Waiting    RK, our key pair                       refused     -> Hearing      -
    Unanswered    RK, our key pair, sending chain        -> Unanswered  -> Hearing      refused
    Hearing    RK, receiving chain                    -> Speaking refused         -> Hearing
    Speaking   RK, our key pair, both chains          -> Speaking -> Hearing      -> Speaking

Waiting is the recipient before the first message, Unanswered the initiator before the first answer. Our own
key pair is renewed when we next send, not when we receive (section 8.5, deferral): receiving then needs no
randomness, the old private key is gone as soon as it has served, and in Hearing a message with yet another
key is a forgery without any arithmetic, because the peer cannot have moved on before we answer. [RAT-4]

Nothing here is committed: whoever calls drops the new state unless the tag verifies.      [RAT-6]

Not here: sealing (_session/), storing skipped keys (stores/), both by the caller.
"""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from letterlock._primitives.curve25519 import (
    PublicKey,
    RatchetKey,
    RatchetKeyPair,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.fast_init import fast_init
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet.chain import Gap, MessageKey, ReceivingChain, SendingChain
from letterlock._ratchet.root import RootKey, kdf_rk
from letterlock._wire.message import Header
from letterlock.errors import AuthenticationFailed, DuplicateMessage, TooManySkipped, UsageError
from letterlock.limits import MAX_COUNTER, MAX_SKIP


@fast_init
@dataclass(frozen=True, slots=True)
class Waiting(Uncopyable):
    """The recipient before the first message: RK is SK, the key pair is the signed prekey's."""

    root: RootKey
    ours: RatchetKeyPair


@fast_init
@dataclass(frozen=True, slots=True)
class Unanswered(Uncopyable):
    """The initiator before the first answer; `theirs` is the peer's signed prekey."""

    root: RootKey
    ours: RatchetKeyPair
    theirs: RatchetKey
    sending: SendingChain


@fast_init
@dataclass(frozen=True, slots=True)
class Hearing(Uncopyable):
    """The peer spoke last with a new key. `previous_length` is the PN of our next chain."""

    root: RootKey
    receiving: ReceivingChain
    previous_length: int


@fast_init
@dataclass(frozen=True, slots=True)
class Speaking(Uncopyable):
    """We have answered the peer's latest key."""

    root: RootKey
    ours: RatchetKeyPair
    sending: SendingChain
    receiving: ReceivingChain
    previous_length: int


State: TypeAlias = Waiting | Unanswered | Hearing | Speaking
Talking: TypeAlias = Unanswered | Hearing | Speaking


@fast_init
@dataclass(frozen=True, slots=True)
class Sent(Uncopyable):
    """What sending gives: the state to commit, the header to send, the key to seal with."""

    state: Unanswered | Speaking
    header: Header
    key: MessageKey


@fast_init
@dataclass(frozen=True, slots=True)
class Received(Uncopyable):
    """What receiving gives. `key` opens the message; only if it does, commit the rest.

    `state` is the next state, `gaps()` is what was jumped over, and `finished`, if a turn of the ratchet
    ended the peer's previous chain, is that chain's key.
    """

    state: Hearing | Speaking
    key: MessageKey
    gap: Gap | None = None
    tail: ReceivingChain | None = None
    tail_end: int = 0

    @property
    def is_next(self) -> bool:
        """Whether the message follows the last one in its chain: no gaps, then, and nothing is finished."""
        return self.gap is None and self.tail is None

    @property
    def finished(self) -> RatchetKey | None:
        """The ratchet key of the chain that this message ended."""
        return None if self.tail is None else self.tail.ratchet_key

    def gaps(self) -> tuple[Gap, ...]:
        """Return all gaps, the older first; for after authentication, as are their keys. [RAT-11]"""
        older = None if self.tail is None else self.tail.skip(self.tail_end)[1]
        return tuple(gap for gap in (older, self.gap) if gap is not None)


def initiator(root: RootKey, signed_prekey: SignedPrekey, entropy: Entropy) -> Unanswered:
    """Return the initiator's first state (section 3.3, RatchetInitAlice). Draws 32 bytes."""
    theirs = RatchetKey(signed_prekey.data)
    ours = RatchetKeyPair.generate(entropy)
    next_root, chain_key = kdf_rk(root, ours.agree(theirs))
    return Unanswered(next_root, ours, theirs, SendingChain(chain_key))


def recipient(root: RootKey, signed_prekey: SignedPrekeyPair) -> Waiting:
    """Return the recipient's first state (section 3.3, RatchetInitBob)."""
    public = RatchetKey(signed_prekey.public.data)
    return Waiting(root, RatchetKeyPair(signed_prekey.private, public))


def send(state: State, entropy: Entropy) -> Sent:
    """Return the next message's header and key (section 3.4). Draws 32 bytes to leave Hearing.

    Raises UsageError in Waiting, and when a chain is full.
    """
    match state:
        case Speaking():
            return _speak(state)
        case Hearing(root, receiving, previous_length):
            ours = RatchetKeyPair.generate(entropy)
            root, chain_key = kdf_rk(root, ours.agree(receiving.ratchet_key))
            return _speak(Speaking(root, ours, SendingChain(chain_key), receiving, previous_length))
        case Unanswered(root, ours, theirs, sending):
            chain, key = sending.step()
            return Sent(Unanswered(root, ours, theirs, chain), Header(ours.public, 0, sending.number), key)
        case Waiting():
            raise UsageError("the peer speaks first in this session: decrypt a message before encrypting")
        case _:
            assert_never(state)


def _speak(state: Speaking) -> Sent:
    """The next message of the chain that we are in."""
    ours, sending, previous_length = state.ours, state.sending, state.previous_length
    chain, key = sending.step()
    after = Speaking(state.root, ours, chain, state.receiving, previous_length)
    return Sent(after, Header(ours.public, previous_length, sending.number), key)


def receive(state: State, header: Header) -> Received:
    """Return the key for a message that is not among the skipped ones (section 3.5).

    Raises DuplicateMessage, TooManySkipped, AuthenticationFailed, InvalidKey; limits come before work.
    """
    match state:
        # Of the two that every message meets nothing is captured: that takes 0.05 us a field.
        case Hearing():
            if header.ratchet_key != state.receiving.ratchet_key:
                raise AuthenticationFailed  # RAT-4
            chain, key, gap = _follow(state.receiving, header)
            return Received(Hearing(state.root, chain, state.previous_length), key, gap)
        case Speaking():
            if header.ratchet_key != state.receiving.ratchet_key:
                return _turn(state.root, state.ours, header, state.receiving, state.sending.number)
            chain, key, gap = _follow(state.receiving, header)
            after = Speaking(state.root, state.ours, state.sending, chain, state.previous_length)
            return Received(after, key, gap)
        case Unanswered(root, ours, theirs, sending):
            if header.ratchet_key == theirs:
                # The signed prekey never heads a chain: there is none to use (CKr is None).  RAT-3
                raise AuthenticationFailed
            return _turn(root, ours, header, None, sending.number)
        case Waiting(root, ours):
            return _turn(root, ours, header, None, 0)
        case _:
            assert_never(state)


def knows(state: State, ratchet_key: PublicKey) -> bool:
    """Return whether the key heads the chain being received: no other session need then be tried."""
    match state:
        case Hearing(receiving=receiving) | Speaking(receiving=receiving):
            return receiving.ratchet_key == ratchet_key
        case Waiting() | Unanswered():
            return False
        case _:
            assert_never(state)


def _turn(
    root: RootKey, ours: RatchetKeyPair, header: Header, finished: ReceivingChain | None, sent: int
) -> Received:
    """A turn of the ratchet: the peer has a new key (section 3.5, DHRatchet, its receiving half).

    `finished` is the peer's previous chain, of which messages up to PN may still come.
    """
    if finished is not None:
        finished.check_jump(header.previous_length)
    if header.number > MAX_SKIP:  # RAT-5, before the agreement
        raise TooManySkipped(header.number, MAX_SKIP)
    next_root, chain_key = kdf_rk(root, ours.agree(header.ratchet_key))
    chain, key, gap = _follow(ReceivingChain(header.ratchet_key, chain_key), header)
    return Received(Hearing(next_root, chain, sent), key, gap, finished, header.previous_length)


def _follow(chain: ReceivingChain, header: Header) -> tuple[ReceivingChain, MessageKey, Gap | None]:
    """Walk a chain to the message's number."""
    if header.number < chain.number:  # RAT-9
        raise DuplicateMessage
    if header.number >= MAX_COUNTER:  # RAT-10: no sender gets so far, and the next number has no bytes
        raise AuthenticationFailed
    gap = None
    if header.number > chain.number:
        chain, gap = chain.skip(header.number)
    after, key = chain.step()
    return after, key, gap
