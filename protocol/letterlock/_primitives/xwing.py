"""X-Wing keys (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519 together.

    seed                     32 random bytes
    d || z || k              SHAKE-256(seed), 96 bytes: the ML-KEM seed and the X25519 private key
    public key               ek || u, 1,184 and 32 bytes                                          [PRIM-15]

Not here: encapsulation, which HPKE does (hpke.py).
"""

import hashlib
from typing import ClassVar, Final, Self

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from letterlock._primitives.curve25519 import EphemeralKey
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.long_key import LongPublicKey
from letterlock._primitives.mlkem import SEED_BYTES, MlKem768PublicKey
from letterlock._primitives.secret import KEY_BYTES, Immutable, Secret, Uncopyable
from letterlock.errors import InvalidKey

PUBLIC_BYTES: Final = MlKem768PublicKey.LENGTH + KEY_BYTES
ENCAPSULATION_BYTES: Final = MlKem768PublicKey.CIPHERTEXT_BYTES + KEY_BYTES


class XWingSeed(Secret):
    """The private key, 32 bytes."""

    __slots__ = ()


class XWingPublicKey(LongPublicKey):
    """A public key of 1,216 bytes. Raises InvalidKey unless both halves are canonical. [PRIM-15]"""

    __slots__ = ()
    LENGTH: ClassVar[int] = PUBLIC_BYTES

    _key: MLKEM768X25519PublicKey

    def __init__(self, data: bytes) -> None:
        if len(data) != PUBLIC_BYTES:
            raise InvalidKey(f"x-wing key of {len(data)} bytes; expected {PUBLIC_BYTES}: discard it")
        kem = MlKem768PublicKey(data[: MlKem768PublicKey.LENGTH])
        curve = EphemeralKey(data[MlKem768PublicKey.LENGTH :])
        library = MLKEM768X25519PublicKey(kem.library, X25519PublicKey.from_public_bytes(curve.data))
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "_key", library)

    @property
    def library(self) -> MLKEM768X25519PublicKey:
        """The key as the library wants it."""
        return self._key


class XWingKeyPair(Immutable, Uncopyable):
    """A private key with its public key, both computed from the seed once."""

    __slots__ = ("_key", "public", "seed")

    seed: XWingSeed
    public: XWingPublicKey
    _key: MLKEM768X25519PrivateKey

    def __init__(self, seed: XWingSeed) -> None:
        expanded = hashlib.shake_256(seed.expose()).digest(SEED_BYTES + KEY_BYTES)
        kem = MLKEM768PrivateKey.from_seed_bytes(expanded[:SEED_BYTES])
        curve = X25519PrivateKey.from_private_bytes(expanded[SEED_BYTES:])
        public = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        object.__setattr__(self, "seed", seed)
        object.__setattr__(self, "public", XWingPublicKey(public))
        object.__setattr__(self, "_key", MLKEM768X25519PrivateKey(kem, curve))

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Return a new pair. Draws 32 bytes from `entropy`."""
        return cls(XWingSeed(entropy(KEY_BYTES)))

    @property
    def library(self) -> MLKEM768X25519PrivateKey:
        """The private key as the library wants it."""
        return self._key

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.public!r}>"
