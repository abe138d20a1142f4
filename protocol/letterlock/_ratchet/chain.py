"""Symmetric chains: one key in, a message key and the next key out (Double Ratchet section 2.2).

    KDF_CK(ck):   mk = HMAC(ck, 0x01)     ck' = HMAC(ck, 0x02)                             [RAT-2]

A chain key is used once and dropped; who later takes the state cannot go back.

Not here: where chains come from (root.py), when a message may be skipped (double.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final, Self

from letterlock._primitives.curve25519 import RatchetKey
from letterlock._primitives.fast_init import fast_init
from letterlock._primitives.kdf import hmac_sha256_each, hmac_sha256_pair, hmac_sha256_walk
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock.errors import TooManySkipped, UsageError
from letterlock.limits import MAX_COUNTER, MAX_SKIP

_MESSAGE: Final = b"\x01"
_CHAIN: Final = b"\x02"


class ChainKey(Secret):
    """CK: 32 bytes from which one message key and the next chain key are made."""

    __slots__ = ()


class MessageKey(Secret):
    """MK: 32 bytes that seal one message."""

    __slots__ = ()


class ManyKeys(Secret):
    """Keys of 32 bytes in a row. There may be 2,000: one object each would cost as much as deriving them."""

    __slots__ = ()
    LENGTH = None

    def __init__(self, material: bytes) -> None:
        super().__init__(material)
        if len(material) % KEY_BYTES:
            raise ValueError(f"{type(self).__name__} needs keys of {KEY_BYTES} bytes, not {len(material)}")

    @classmethod
    def join(cls, keys: Iterable[bytes]) -> Self:
        """Return these keys of 32 bytes as one secret."""
        return cls(b"".join(keys))

    def expose_each(self) -> Sequence[bytes]:
        """Return the keys, for a primitive or a sealed record, and for nothing else."""
        keys = self.expose()
        return [keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES)]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.expose()) // KEY_BYTES


class PassedKeys(ManyKeys):
    """The chain keys of messages that were jumped over."""

    __slots__ = ()


class SkippedKeys(ManyKeys):
    """The keys of messages in a row that have not come."""

    __slots__ = ()


def kdf_ck(key: ChainKey) -> tuple[ChainKey, MessageKey]:
    """Return the next chain key and this message's key (section 5.2, KDF_CK)."""
    next_key, message_key = hmac_sha256_pair(key.expose(), _CHAIN, _MESSAGE)
    return ChainKey(next_key), MessageKey(message_key)


@fast_init
@dataclass(frozen=True, slots=True)
class Gap(Uncopyable):
    """Messages that were jumped over: from number `start` of a chain on, one passed chain key for each.

    Their message keys are derived only when the message beyond the gap has authenticated: a forger is not
    worth the work.
    """

    ratchet_key: RatchetKey
    start: int
    passed: PassedKeys

    def keys(self) -> SkippedKeys:
        """Return the keys of the messages in the gap."""
        return SkippedKeys.join(hmac_sha256_each(self.passed.expose_each(), repeat(_MESSAGE)))


@fast_init
@dataclass(frozen=True, slots=True)
class SendingChain(Uncopyable):
    """CKs and Ns: `number` is that of the next message, so also how many were sent."""

    key: ChainKey
    number: int = 0

    def step(self) -> tuple["SendingChain", MessageKey]:
        """Return the chain after the next message, and its key. Raises UsageError at its end. [RAT-10]"""
        if self.number >= MAX_COUNTER:
            raise UsageError(f"chain of {self.number} messages is full: initiate a new session")
        key, message_key = kdf_ck(self.key)
        return SendingChain(key, self.number + 1), message_key


@fast_init
@dataclass(frozen=True, slots=True)
class ReceivingChain(Uncopyable):
    """CKr, Nr and the peer's ratchet key: `number` is that of the next message expected in order."""

    ratchet_key: RatchetKey
    key: ChainKey
    number: int = 0

    def check_jump(self, to: int) -> None:
        """Raise TooManySkipped if more than MAX_SKIP messages lie between here and `to`. [RAT-5]"""
        if to - self.number > MAX_SKIP:
            raise TooManySkipped(to - self.number, MAX_SKIP)

    def skip(self, to: int) -> tuple["ReceivingChain", Gap | None]:
        """Return the chain at message `to`, or here if that is behind, and the gap between (section 3.5)."""
        if to <= self.number:
            return self, None
        self.check_jump(to)
        *passed, key = hmac_sha256_walk(self.key.expose(), repeat(_CHAIN, to - self.number))
        gap = Gap(self.ratchet_key, self.number, PassedKeys.join(passed))
        return ReceivingChain(self.ratchet_key, ChainKey(key), to), gap

    def step(self) -> tuple["ReceivingChain", MessageKey]:
        """Return the chain after the next message, and its key."""
        key, message_key = kdf_ck(self.key)
        return ReceivingChain(self.ratchet_key, key, self.number + 1), message_key
