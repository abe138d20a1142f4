"""What the two outputs give together: the key that opens a lock, and the keys that tell the servers so.

    login seed 1 || login seed 2 || K || commitment
            = HKDF-SHA-256(salt SHA-256(header), ikm output 1 || output 2,
                           "letterlock-v1 keys of a lock", 128)                                      [REC-2]
    sealed  = commitment || ChaCha20-Poly1305(K, 12 zero bytes, recovery key, header)                [REC-5]

K seals one recovery key: each lock has keys of its own at both servers, so its outputs never come again.

Not here: the outputs (_password.py); the keys that the recovery key gives (_device.py).
"""

import hashlib
import hmac
from typing import Final, Self

from letterlock._primitives import aead
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import RECOVERY_KEYS
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._primitives.voprf import OprfOutput

_COMMITMENT: Final = 32
_NONCE: Final = bytes(aead.NONCE_BYTES)

Outputs = tuple[OprfOutput, OprfOutput]


class RecoveryKey(Secret):
    """32 random bytes that open the recovery device of a user."""

    __slots__ = ()


class LockKey(Secret):
    """K: seals the recovery key of one lock."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, repr=False)
class LockKeys(Uncopyable):
    """The keys of one lock. `logins` are in the order of the servers; `commitment` has 32 bytes."""

    logins: tuple[Ed25519Seed, Ed25519Seed]
    key: LockKey
    commitment: bytes

    @classmethod
    def derive(cls, header: bytes, outputs: Outputs) -> Self:
        """Return the keys of the lock with this header. It takes both outputs. [REC-2]"""
        material = combine(header, outputs)
        first, second, key, commitment = (
            material[at : at + KEY_BYTES] for at in range(0, len(material), KEY_BYTES)
        )
        return cls((Ed25519Seed(first), Ed25519Seed(second)), LockKey(key), commitment)

    def login(self, server: int) -> Ed25519KeyPair:
        """Return the key pair that tells server 1 or 2 of a success."""
        return Ed25519KeyPair(self.logins[server - 1])

    def seal(self, key: RecoveryKey, header: bytes) -> bytes:
        """Return the sealed recovery key, 80 bytes."""
        return self.commitment + aead.seal(self.key.expose(), _NONCE, key.expose(), header)

    def open(self, sealed: bytes, header: bytes) -> RecoveryKey | None:
        """Return the recovery key, or None for a wrong password. [REC-5]"""
        commitment, ciphertext = sealed[:_COMMITMENT], sealed[_COMMITMENT:]
        if not hmac.compare_digest(commitment, self.commitment):
            return None
        opened = aead.open_sealed(self.key.expose(), _NONCE, ciphertext, header)
        return None if opened is None else RecoveryKey(opened)

    def __repr__(self) -> str:
        return "<LockKeys: hidden>"


def combine(header: bytes, outputs: Outputs) -> bytes:
    """Return the 128 bytes that header and both outputs give."""
    ikm = b"".join(each.expose() for each in outputs)
    return hkdf_sha256(hashlib.sha256(header).digest(), ikm, RECOVERY_KEYS, _COMMITMENT + 3 * KEY_BYTES)
