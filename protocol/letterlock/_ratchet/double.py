"""The Double Ratchet (revision 4, section 3), as pure functions over four states.

    state         holds                                  send          their key new   their key known
    ----------    ------------------------------------   -----------   -------------   ---------------
    Waiting       RK, our key pair                       refused       -> Hearing      -
    Unanswered    RK, our key pair, sending chain        -> Unanswered -> Hearing      refused
    Hearing       RK, receiving chain                    -> Speaking   refused         -> Hearing
    Speaking      RK, our key pair, both chains          -> Speaking   -> Hearing      -> Speaking

    KDF_CK(ck):   mk = HMAC(ck, 0x01)     ck' = HMAC(ck, 0x02)                             [RAT-2]

Waiting is the recipient before the first message. Unanswered is the initiator before the first answer. We
renew our own key pair when we next send, not when we receive (section 8.5, deferral). Receiving then needs no
randomness, and the old private key is gone as soon as it has served. In Hearing a message with yet another
ratchet key is a forgery: the peer cannot have moved on before we answer, so no arithmetic is needed. [RAT-4]

Nothing here is committed. The caller drops the new state unless the tag verifies.         [RAT-6]

Not here: sealing (_session/), storing skipped keys (stores/).
"""

from itertools import repeat
from typing import Final, TypeAlias, assert_never, cast

from letterlock._primitives.curve25519 import (
    PublicKey,
    RatchetKey,
    RatchetKeyPair,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hmac_sha256_each, hmac_sha256_pair, hmac_sha256_walk
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet.keys import ChainKey, MessageKey, PassedKeys, RootKey, SkippedKeys
from letterlock._ratchet.ratchet import Committed, FindKept, Sent, Skipped, SkippedRange
from letterlock._ratchet.root import kdf_rk
from letterlock._wire.message import Header, RatchetMessage
from letterlock.errors import AuthenticationFailed, DuplicateMessage, TooManySkipped, UsageError
from letterlock.limits import MAX_COUNTER, MAX_SKIP, MAX_SKIPPED_KEYS

_MESSAGE: Final = b"\x01"
_CHAIN: Final = b"\x02"

# --- chains -----------------------------------------------------------------------------------------


def kdf_ck(key: ChainKey) -> tuple[ChainKey, MessageKey]:
    """Return the next chain key and this message's key (section 5.2, KDF_CK)."""
    next_key, message_key = hmac_sha256_pair(key.expose(), _CHAIN, _MESSAGE)
    return ChainKey(next_key), MessageKey(message_key)


@dataclass(frozen=True, slots=True)
class Gap(Uncopyable):
    """Messages that were skipped, from number `start` of a chain on: one passed chain key for each.

    Their message keys are derived only after the message beyond the gap has authenticated, so that a forger
    cannot make us derive them.
    """

    ratchet_key: RatchetKey
    start: int
    passed: PassedKeys

    def keys(self) -> SkippedKeys:
        """Return the keys of the messages in the gap."""
        return SkippedKeys.join(hmac_sha256_each(self.passed.expose_each(), repeat(_MESSAGE)))


@dataclass(frozen=True, slots=True)
class SendingChain(Uncopyable):
    """CKs and Ns: `number` is the number of the next message, which is also how many were sent."""

    key: ChainKey
    number: int = 0

    def step(self) -> tuple["SendingChain", MessageKey]:
        """Return the chain after the next message, and its key. Raises UsageError at its end. [RAT-10]"""
        if self.number >= MAX_COUNTER:
            raise UsageError(f"chain of {self.number} messages is full: initiate a new session")
        key, message_key = kdf_ck(self.key)
        return SendingChain(key, self.number + 1), message_key


@dataclass(frozen=True, slots=True)
class ReceivingChain(Uncopyable):
    """CKr, Nr and the peer's ratchet key: `number` is the number of the next message expected in order."""

    ratchet_key: RatchetKey
    key: ChainKey
    number: int = 0

    def check_skip(self, to: int) -> None:
        """Raise TooManySkipped if more than MAX_SKIP messages lie between here and `to`. [RAT-5]"""
        if to - self.number > MAX_SKIP:
            raise TooManySkipped(to - self.number, MAX_SKIP)

    def skip(self, to: int) -> tuple["ReceivingChain", Gap | None]:
        """Return the chain at message `to` and the gap before it (section 3.5).

        A `to` that is not ahead leaves the chain as it is, without a gap.
        """
        if to <= self.number:
            return self, None
        self.check_skip(to)
        *passed, key = hmac_sha256_walk(self.key.expose(), repeat(_CHAIN, to - self.number))
        gap = Gap(self.ratchet_key, self.number, PassedKeys.join(passed))
        return ReceivingChain(self.ratchet_key, ChainKey(key), to), gap

    def step(self) -> tuple["ReceivingChain", MessageKey]:
        """Return the chain after the next message, and its key."""
        key, message_key = kdf_ck(self.key)
        return ReceivingChain(self.ratchet_key, key, self.number + 1), message_key


# --- states -----------------------------------------------------------------------------------------


class DoubleState(Uncopyable):
    """What the four states have in common: each is a Ratchet. The functions below do the work."""

    __slots__ = ()
    max_skipped_keys: Final = MAX_SKIPPED_KEYS

    @property
    def is_unanswered(self) -> bool:
        """See Ratchet."""
        return isinstance(self, Unanswered)

    @property
    def is_unsent(self) -> bool:
        """See Ratchet."""
        return isinstance(self, Unanswered) and self.sending.number == 0

    def speaks(self, message: RatchetMessage) -> bool:
        """See Ratchet: a message of the X3DH suite has no post-quantum header. [PQR-8]"""
        return message.pq_header is None

    def knows(self, ratchet_key: PublicKey) -> bool:
        """See Ratchet."""
        return knows(cast("State", self), ratchet_key)

    def trial_steps(self, message: RatchetMessage) -> int:
        """See Ratchet."""
        return 0 if self.knows(message.header.ratchet_key) else message.header.number

    def is_next(self, message: RatchetMessage) -> bool:
        """See Ratchet."""
        return message.pq_header is None and follows(cast("State", self), message.header)

    def next_message(self, _size: int, entropy: Entropy, /) -> "Sent[Talking]":
        """See Ratchet."""
        return send(cast("State", self), entropy)

    def find_message_key(
        self,
        message: RatchetMessage,
        skipped_key: MessageKey | None,
        _find: FindKept,
        _associated_data: bytes,
    ) -> "Received":
        """See Ratchet."""
        if message.pq_header is not None:  # PQR-8
            raise AuthenticationFailed
        state = cast("State", self)
        return receive(state, message.header) if skipped_key is None else Received(state, skipped_key)


@dataclass(frozen=True, slots=True)
class Waiting(DoubleState):
    """The recipient before the first message: RK is SK, the key pair is the signed prekey's."""

    root: RootKey
    ours: RatchetKeyPair


@dataclass(frozen=True, slots=True)
class Unanswered(DoubleState):
    """The initiator before the first answer; `theirs` is the peer's signed prekey."""

    root: RootKey
    ours: RatchetKeyPair
    theirs: RatchetKey
    sending: SendingChain


@dataclass(frozen=True, slots=True)
class Hearing(DoubleState):
    """The peer spoke last, with a new key. `previous_length` is the PN of our next chain."""

    root: RootKey
    receiving: ReceivingChain
    previous_length: int


@dataclass(frozen=True, slots=True)
class Speaking(DoubleState):
    """We have answered the peer's latest key."""

    root: RootKey
    ours: RatchetKeyPair
    sending: SendingChain
    receiving: ReceivingChain
    previous_length: int

    def next_message(self, _size: int, _entropy: Entropy, /) -> "Sent[Talking]":
        """See Ratchet."""
        return _send_in_chain(self)


State: TypeAlias = Waiting | Unanswered | Hearing | Speaking
Talking: TypeAlias = Unanswered | Hearing | Speaking
"""The states of a session that exists: Waiting ends with the message that begins the session."""

# --- sending and receiving --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Received(Uncopyable):
    """The key of a received message; a FoundKey. Commit the rest only if the key opens the message.

    `state` is the next state, or the same one where a kept key opens the message. If a turn of the ratchet
    ended the peer's previous chain, `tail` is that chain and `tail_end` its length.
    """

    state: "State"
    key: MessageKey
    gap: Gap | None = None
    tail: ReceivingChain | None = None
    tail_end: int = 0

    @property
    def finished(self) -> RatchetKey | None:
        """The ratchet key of the chain that this message ended."""
        return None if self.tail is None else self.tail.ratchet_key

    def gaps(self) -> tuple[Gap, ...]:
        """Return all gaps, the older first. Call it, and derive their keys, after authentication. [RAT-11]"""
        older = None if self.tail is None else self.tail.skip(self.tail_end)[1]
        return tuple(gap for gap in (older, self.gap) if gap is not None)

    def skipped(self) -> tuple[SkippedRange, ...]:
        """Return the keys of the messages in all gaps. Call it after authentication. [RAT-11]"""
        return tuple(SkippedRange(gap.ratchet_key.data, gap.start, gap.keys()) for gap in self.gaps())

    def commit(self) -> Committed:
        """See FoundKey."""
        if self.gap is None and self.tail is None:
            return Committed(self.state)
        return Committed(self.state, Skipped(self.skipped()), self.finished)


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


def send(state: State, entropy: Entropy) -> Sent[Unanswered | Speaking]:
    """Return the next message's header and key (section 3.4). Draws 32 bytes to leave Hearing.

    Raises UsageError in Waiting, and when a chain is full.
    """
    match state:
        case Speaking():
            return _send_in_chain(state)
        case Hearing(root, receiving, previous_length):
            ours = RatchetKeyPair.generate(entropy)
            root, chain_key = kdf_rk(root, ours.agree(receiving.ratchet_key))
            return _send_in_chain(Speaking(root, ours, SendingChain(chain_key), receiving, previous_length))
        case Unanswered(root, ours, theirs, sending):
            chain, key = sending.step()
            header = Header(ours.public, 0, sending.number)
            return Sent(Unanswered(root, ours, theirs, chain), header, None, key)
        case Waiting():
            raise UsageError("the peer speaks first in this session: decrypt a message before encrypting")
        case _:
            assert_never(state)


def _send_in_chain(state: Speaking) -> Sent[Unanswered | Speaking]:
    """Return the next message of the current sending chain."""
    ours, sending, previous_length = state.ours, state.sending, state.previous_length
    chain, key = sending.step()
    after = Speaking(state.root, ours, chain, state.receiving, previous_length)
    return Sent(after, Header(ours.public, previous_length, sending.number), None, key)


def receive(state: State, header: Header) -> Received:
    """Return the key for a message that is not among the skipped ones (section 3.5).

    Raises DuplicateMessage, TooManySkipped, AuthenticationFailed, InvalidKey; limits come before work.
    """
    match state:
        # The two states that nearly every message meets come first and bind no names: binding costs time.
        case Hearing():
            if header.ratchet_key.data != state.receiving.ratchet_key.data:
                raise AuthenticationFailed  # RAT-4
            chain, key, gap = _follow(state.receiving, header)
            return Received(Hearing(state.root, chain, state.previous_length), key, gap)
        case Speaking():
            if header.ratchet_key.data != state.receiving.ratchet_key.data:
                return _turn(state.root, state.ours, header, state.receiving, state.sending.number)
            chain, key, gap = _follow(state.receiving, header)
            after = Speaking(state.root, state.ours, state.sending, chain, state.previous_length)
            return Received(after, key, gap)
        case Unanswered(root, ours, theirs, sending):
            if header.ratchet_key == theirs:
                # The signed prekey heads no chain, so there is no chain key to use (CKr is None).  RAT-3
                raise AuthenticationFailed
            return _turn(root, ours, header, None, sending.number)
        case Waiting(root, ours):
            return _turn(root, ours, header, None, 0)
        case _:
            assert_never(state)


def knows(state: State, ratchet_key: PublicKey) -> bool:
    """Return whether the key heads the chain being received: then no other session need be tried."""
    match state:
        case Hearing(receiving=receiving) | Speaking(receiving=receiving):
            return receiving.ratchet_key == ratchet_key
        case Waiting() | Unanswered():
            return False
        case _:
            assert_never(state)


def follows(state: State, header: Header) -> bool:
    """Return whether a message is the next one of the chain being received."""
    if not isinstance(state, Hearing | Speaking):
        return False
    chain = state.receiving
    return chain.number == header.number and chain.ratchet_key.data == header.ratchet_key.data


def _turn(
    root: RootKey, ours: RatchetKeyPair, header: Header, finished: ReceivingChain | None, sent: int
) -> Received:
    """Turn the ratchet: the peer has a new key (section 3.5, the receiving half of DHRatchet).

    `finished` is the peer's previous chain; messages of it up to PN may still arrive.
    """
    if finished is not None:
        finished.check_skip(header.previous_length)
    if header.number > MAX_SKIP:  # RAT-5, before the agreement
        raise TooManySkipped(header.number, MAX_SKIP)
    next_root, chain_key = kdf_rk(root, ours.agree(header.ratchet_key))
    chain, key, gap = _follow(ReceivingChain(header.ratchet_key, chain_key), header)
    return Received(Hearing(next_root, chain, sent), key, gap, finished, header.previous_length)


def _follow(chain: ReceivingChain, header: Header) -> tuple[ReceivingChain, MessageKey, Gap | None]:
    """Step a chain to the message's number."""
    if header.number < chain.number:  # RAT-9
        raise DuplicateMessage
    if header.number >= MAX_COUNTER:  # RAT-10: no sender gets so far, and the next number has no bytes
        raise AuthenticationFailed
    gap = None
    if header.number > chain.number:
        chain, gap = chain.skip(header.number)
    next_key, key = kdf_ck(chain.key)
    return ReceivingChain(chain.ratchet_key, next_key, chain.number + 1), key, gap
