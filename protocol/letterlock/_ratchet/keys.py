"""The keys of the double ratchet: one role, one type.

    RootKey       RK, which every agreement is mixed into
    ChainKey      CK, which gives one message key and the next chain key
    MessageKey    MK, which seals one message
    PassedKeys, SkippedKeys    many keys in a row: of messages that were skipped

Not here: how one key is derived from another (root.py, double.py); the sparse ratchet's keys (pq_keys.py).
"""

from collections.abc import Iterable, Sequence
from typing import Self

from letterlock._primitives.secret import KEY_BYTES, Secret


class RootKey(Secret):
    """RK: 32 bytes that all later chains depend on."""

    __slots__ = ()


class ChainKey(Secret):
    """CK: 32 bytes that give one message key and the next chain key."""

    __slots__ = ()


class MessageKey(Secret):
    """MK: 32 bytes that seal one message."""

    __slots__ = ()


class ManyKeys(Secret):
    """Keys of 32 bytes in a row. An object for each of up to 2,000 would cost as much as deriving them."""

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
        """Return the keys, for a primitive or a sealed record and for nothing else."""
        keys = self.expose()
        return [keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES)]

    @property
    def count(self) -> int:
        """How many keys there are."""
        return len(self.expose()) // KEY_BYTES


class PassedKeys(ManyKeys):
    """The chain keys of messages that were skipped."""

    __slots__ = ()


class SkippedKeys(ManyKeys):
    """The message keys of messages in a row that have not arrived."""

    __slots__ = ()
