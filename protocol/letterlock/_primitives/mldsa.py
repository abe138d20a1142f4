"""ML-DSA-65 (FIPS 204) on OpenSSL: pure signatures with a context.

    private key   the 32-byte seed, never the expanded form, which can be inconsistent          [PRIM-14]
    public key    1,952 bytes; every string of this length is one encoding of one key
    signature     3,309 bytes, hedged: OpenSSL draws random bytes for each

Not here: signatures that also need Ed25519 (composite.py).
"""

from typing import ClassVar, Final, Self

from cryptography.exceptions import InvalidSignature as LibraryInvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.long_key import LongPublicKey
from letterlock._primitives.secret import KEY_BYTES, Immutable, Secret, Uncopyable
from letterlock.errors import InvalidKey, InvalidSignature

PUBLIC_BYTES: Final = 1952
SIGNATURE_BYTES: Final = 3309
MAX_CONTEXT: Final = 255


class MlDsaSeed(Secret):
    """xi: the private key, 32 bytes."""

    __slots__ = ()


class MlDsa65PublicKey(LongPublicKey):
    """pk of ML-DSA-65, 1,952 bytes. Raises InvalidKey for another length."""

    __slots__ = ()
    LENGTH: ClassVar[int] = PUBLIC_BYTES

    _key: MLDSA65PublicKey

    def __init__(self, data: bytes) -> None:
        if len(data) != PUBLIC_BYTES:
            raise InvalidKey(f"ml-dsa key of {len(data)} bytes; expected {PUBLIC_BYTES}: discard it")
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "_key", MLDSA65PublicKey.from_public_bytes(data))

    def verify(self, message: bytes, signature: bytes, context: bytes = b"") -> None:
        """Raise InvalidSignature unless the 3,309 bytes sign `message` in `context` (FIPS 204 algorithm 3).

        Raises ValueError for a context of more than 255 bytes.
        """
        check_context(context)
        if len(signature) != SIGNATURE_BYTES:
            raise InvalidSignature(
                f"ml-dsa signature of {len(signature)} bytes; expected {SIGNATURE_BYTES}: discard it"
            )
        try:
            self._key.verify(signature, message, context)
        except LibraryInvalidSignature as error:
            raise InvalidSignature("ml-dsa signature does not verify under this key: discard it") from error


class MlDsa65KeyPair(Immutable, Uncopyable):
    """A private key with its public key, both computed from the seed once."""

    __slots__ = ("_key", "public", "seed")

    seed: MlDsaSeed
    public: MlDsa65PublicKey
    _key: MLDSA65PrivateKey

    def __init__(self, seed: MlDsaSeed) -> None:
        key = MLDSA65PrivateKey.from_seed_bytes(seed.expose())
        object.__setattr__(self, "seed", seed)
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "public", MlDsa65PublicKey(key.public_key().public_bytes_raw()))

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Return a new pair (FIPS 204 algorithm 1). Draws 32 bytes from `entropy`."""
        return cls(MlDsaSeed(entropy(KEY_BYTES)))

    def sign(self, message: bytes, context: bytes = b"") -> bytes:
        """Return a 3,309-byte signature of `message` in `context` (FIPS 204 algorithm 2, hedged).

        Two signatures of one message differ. Raises ValueError for a context of more than 255 bytes.
        """
        check_context(context)
        return self._key.sign(message, context)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.public!r}>"


def check_context(context: bytes) -> None:
    """Raise ValueError for a context of more than 255 bytes, whose length would not fit its prefix."""
    if len(context) > MAX_CONTEXT:
        raise ValueError(f"context of {len(context)} bytes; at most {MAX_CONTEXT}")
