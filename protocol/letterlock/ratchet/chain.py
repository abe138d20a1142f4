"""Symmetric chains: one key in, a message key and the next key out (Double Ratchet section 2.2).

    KDF_CK(ck):   mk = HMAC(ck, 0x01)     ck' = HMAC(ck, 0x02)                             [RAT-2]

A chain key is used once and dropped; who later takes the state cannot go back.

Not here: where chains come from (root.py), when a message may be skipped (double.py).
"""

from dataclasses import dataclass
from typing import Final

from letterlock.errors import TooManySkipped, UsageError
from letterlock.limits import MAX_COUNTER, MAX_SKIP
from letterlock.primitives.curve25519 import RatchetKey
from letterlock.primitives.kdf import hmac_sha256
from letterlock.primitives.secret import Guarded, Secret

_MESSAGE: Final = b"\x01"
_CHAIN: Final = b"\x02"


class ChainKey(Secret):
    """CK: 32 bytes from which one message key and the next chain key are made."""

    __slots__ = ()


class MessageKey(Secret):
    """MK: 32 bytes that seal one message."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SkippedKey(Guarded):
    """The key of a message that has not come: number `number` in the chain of `ratchet_key`."""

    ratchet_key: RatchetKey
    number: int
    key: MessageKey


def kdf_ck(key: ChainKey) -> tuple[ChainKey, MessageKey]:
    """Return the next chain key and this message's key (section 5.2, KDF_CK)."""
    ck = key.expose()
    return ChainKey(hmac_sha256(ck, _CHAIN)), MessageKey(hmac_sha256(ck, _MESSAGE))


@dataclass(frozen=True, slots=True)
class SendingChain(Guarded):
    """CKs and Ns: `number` is that of the next message, so also how many were sent."""

    key: ChainKey
    number: int = 0

    def step(self) -> tuple["SendingChain", MessageKey]:
        """Return the chain after the next message, and its key. Raises UsageError at its end. [RAT-10]"""
        if self.number >= MAX_COUNTER:
            raise UsageError(f"chain of {self.number} messages is full: initiate a new session")
        key, message_key = kdf_ck(self.key)
        return SendingChain(key, self.number + 1), message_key


@dataclass(frozen=True, slots=True)
class ReceivingChain(Guarded):
    """CKr, Nr and the peer's ratchet key: `number` is that of the next message expected in order."""

    ratchet_key: RatchetKey
    key: ChainKey
    number: int = 0

    def check_jump(self, to: int) -> None:
        """Raise TooManySkipped if more than MAX_SKIP messages lie between here and `to`. [RAT-5]"""
        if to - self.number > MAX_SKIP:
            raise TooManySkipped(to - self.number, MAX_SKIP)

    def skip(self, to: int) -> tuple["ReceivingChain", tuple[SkippedKey, ...]]:
        """Return the chain at message `to` and the keys of all before it (section 3.5)."""
        self.check_jump(to)
        key, skipped = self.key, list[SkippedKey]()
        for number in range(self.number, to):
            key, message_key = kdf_ck(key)
            skipped.append(SkippedKey(self.ratchet_key, number, message_key))
        return ReceivingChain(self.ratchet_key, key, max(self.number, to)), tuple(skipped)

    def step(self) -> tuple["ReceivingChain", MessageKey]:
        """Return the chain after the next message, and its key."""
        key, message_key = kdf_ck(self.key)
        return ReceivingChain(self.ratchet_key, key, self.number + 1), message_key
