"""Ed25519 (RFC 8032) on libsodium, with exactly one encoding for each public key and signature.

    k           seed, 32 random bytes
    A           public key, 32 bytes: canonical, on the curve, in the subgroup of prime order    [PRIM-12]
    R || s      signature, 64 bytes; the same key and message always give the same one           [PRIM-5]

Not here: signatures with an X25519 key (xeddsa.py).
"""

from typing import ClassVar, Final, Self

from nacl import bindings
from nacl.exceptions import BadSignatureError

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.native import NATIVE
from letterlock._primitives.secret import KEY_BYTES, Immutable, Secret, Uncopyable
from letterlock.errors import InvalidKey, InvalidSignature

SIGNATURE_BYTES: Final = 64


class Ed25519Seed(Secret):
    """k: the 32 random bytes that give the key pair."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Ed25519PublicKey:
    """A: 32 bytes, a canonical point of prime order. Raises InvalidKey for any other bytes. [PRIM-12]"""

    LENGTH: ClassVar[int] = KEY_BYTES

    data: bytes

    def __post_init__(self) -> None:
        # PyNaCl checks the length too, but raises an error of its own.
        if len(self.data) != KEY_BYTES:
            raise InvalidKey(f"ed25519 key of {len(self.data)} bytes; expected {KEY_BYTES}: discard it")
        if not bindings.crypto_core_ed25519_is_valid_point(self.data):
            raise InvalidKey("ed25519 key is not a canonical point of prime order: discard it")

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise InvalidSignature unless the 64 bytes sign `message` (RFC 8032 section 5.1.7)."""
        verify_edwards(self.data, message, signature)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data.hex()})"


class Ed25519KeyPair(Immutable, Uncopyable):
    """A seed with its public key, kept because computing it is a scalar multiplication."""

    __slots__ = ("public", "seed")

    public: Ed25519PublicKey
    seed: Ed25519Seed

    def __init__(self, seed: Ed25519Seed) -> None:
        public, _ = bindings.crypto_sign_seed_keypair(seed.expose())
        object.__setattr__(self, "seed", seed)
        object.__setattr__(self, "public", Ed25519PublicKey(public))

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Return a new pair. Draws 32 bytes from `entropy`."""
        return cls(Ed25519Seed(entropy(KEY_BYTES)))

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of a message of any length (RFC 8032 section 5.1.6)."""
        return sign_with_pair(self.seed.expose() + self.public.data, message)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.public!r}>"


def sign_with_pair(pair: bytes, message: bytes) -> bytes:
    """Return the 64-byte signature under a seed followed by its public key, which is libsodium's private key.

    The halves must belong together: signatures with another public key would reveal the seed. Raises
    ValueError for another length than 64 bytes.
    """
    if len(pair) != 2 * KEY_BYTES:
        raise ValueError(f"pair of {len(pair)} bytes; expected {2 * KEY_BYTES}")
    return bindings.crypto_sign(message, pair)[:SIGNATURE_BYTES]


def verify_edwards(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify a 64-byte Ed25519 signature (RFC 8032 section 5.1.7) under a 32-byte Edwards key, strictly.

    Raises InvalidSignature, and ValueError for a key of another length.
    """
    # PyNaCl passes C a pointer without checking the length: C would read past the end of a short key.
    if len(public) != KEY_BYTES:
        raise ValueError(f"edwards key of {len(public)} bytes; expected {KEY_BYTES}")
    if len(signature) != SIGNATURE_BYTES:
        raise InvalidSignature(f"signature of {len(signature)} bytes; expected {SIGNATURE_BYTES}: discard it")
    # The native module is faster. libsodium has the last word on what it does not accept.
    if NATIVE is not None and NATIVE.verifies(public, message, signature):
        return
    try:
        bindings.crypto_sign_open(signature + message, public)
    except BadSignatureError as error:
        raise InvalidSignature("signature does not verify under this key: discard it") from error
