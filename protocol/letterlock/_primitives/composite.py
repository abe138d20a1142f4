"""Composite signatures: ML-DSA-65 and Ed25519 over the same bytes, and both must verify.

    seed        ML-DSA seed || Ed25519 seed                                                   64 bytes
    public key  ML-DSA public key || Ed25519 public key                                    1,984 bytes
    M'          "CompositeAlgorithmSignatures2025" || label || len(ctx) || ctx || SHA-512(M)
    signature   ML-DSA.Sign(M', ctx = label) || Ed25519.Sign(M')                           3,373 bytes

This is id-MLDSA65-Ed25519-SHA512 of draft-ietf-lamps-pq-composite-sigs, and `label` is
"COMPSIG-MLDSA65-Ed25519-SHA512". `len(ctx)` is one byte. A forger has to break both algorithms. [PRIM-13]

Not here: the X.509 forms of keys; which context each use has (labels.py).
"""

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, Self, TypeVar

from letterlock._primitives import ed25519, mldsa
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519PublicKey, Ed25519Seed
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mldsa import MlDsa65KeyPair, MlDsa65PublicKey, MlDsaSeed
from letterlock._primitives.secret import KEY_BYTES, Immutable, Secret, Uncopyable
from letterlock.errors import InvalidKey, InvalidSignature

SEED_BYTES: Final = 2 * KEY_BYTES
PUBLIC_BYTES: Final = mldsa.PUBLIC_BYTES + ed25519.Ed25519PublicKey.LENGTH
SIGNATURE_BYTES: Final = mldsa.SIGNATURE_BYTES + ed25519.SIGNATURE_BYTES

_PREFIX: Final = b"CompositeAlgorithmSignatures2025"
_LABEL: Final = b"COMPSIG-MLDSA65-Ed25519-SHA512"


class CompositeSeed(Secret):
    """The private key: the ML-DSA seed, then the Ed25519 seed, 64 bytes. [PRIM-14]"""

    __slots__ = ()
    LENGTH = SEED_BYTES


@dataclass(frozen=True, slots=True)
class CompositePublicKey:
    """An ML-DSA-65 key and an Ed25519 key that verify together. A subclass names the role of the key."""

    LENGTH: ClassVar[int] = PUBLIC_BYTES

    ml_dsa: MlDsa65PublicKey
    ed25519: Ed25519PublicKey

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the 1,984 bytes of `data`. Raises InvalidKey."""
        if len(data) != PUBLIC_BYTES:
            raise InvalidKey(f"composite key of {len(data)} bytes; expected {PUBLIC_BYTES}: discard it")
        return cls(MlDsa65PublicKey(data[: mldsa.PUBLIC_BYTES]), Ed25519PublicKey(data[mldsa.PUBLIC_BYTES :]))

    @property
    def data(self) -> bytes:
        """The key as 1,984 bytes."""
        return self.ml_dsa.data + self.ed25519.data

    def verify(self, message: bytes, signature: bytes, context: bytes) -> None:
        """Raise InvalidSignature unless both halves of the 3,373 bytes verify. [PRIM-13]

        Raises ValueError for a context of more than 255 bytes.
        """
        if len(signature) != SIGNATURE_BYTES:
            raise InvalidSignature(
                f"composite signature of {len(signature)} bytes; expected {SIGNATURE_BYTES}: discard it"
            )
        representative = _representative(message, context)
        # Ed25519 is the cheaper check, so most forgeries end here.
        self.ed25519.verify(representative, signature[mldsa.SIGNATURE_BYTES :])
        self.ml_dsa.verify(representative, signature[: mldsa.SIGNATURE_BYTES], _LABEL)


class DeviceSigningKey(CompositePublicKey):
    """Signs for one device: device lists, and proofs that the device holds its keys."""

    __slots__ = ()


Public = TypeVar("Public", bound=CompositePublicKey)


class CompositeKeyPair(Immutable, Uncopyable, Generic[Public]):
    """Both private keys with their public keys, all computed from the seed once."""

    __slots__ = ("_ed25519", "_ml_dsa", "public", "seed")
    PUBLIC: ClassVar[type[CompositePublicKey]] = CompositePublicKey

    seed: CompositeSeed
    public: Public
    _ed25519: Ed25519KeyPair
    _ml_dsa: MlDsa65KeyPair

    def __init__(self, seed: CompositeSeed) -> None:
        ml_dsa = MlDsa65KeyPair(MlDsaSeed(seed.expose()[:KEY_BYTES]))
        edwards = Ed25519KeyPair(Ed25519Seed(seed.expose()[KEY_BYTES:]))
        object.__setattr__(self, "seed", seed)
        object.__setattr__(self, "_ml_dsa", ml_dsa)
        object.__setattr__(self, "_ed25519", edwards)
        object.__setattr__(self, "public", self.PUBLIC(ml_dsa.public, edwards.public))

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Return a new pair. Draws 64 bytes from `entropy`."""
        return cls(CompositeSeed(entropy(SEED_BYTES)))

    def sign(self, message: bytes, context: bytes) -> bytes:
        """Return a 3,373-byte signature of a message of any length in `context`.

        Two signatures of one message differ. Raises ValueError for a context of more than 255 bytes.
        """
        representative = _representative(message, context)
        return self._ml_dsa.sign(representative, _LABEL) + self._ed25519.sign(representative)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.public!r}>"


class DeviceSigningKeyPair(CompositeKeyPair[DeviceSigningKey]):
    """The signing key of one device with its private half."""

    __slots__ = ()
    PUBLIC = DeviceSigningKey


def ed25519_half(seed: CompositeSeed) -> Ed25519KeyPair:
    """Return the Ed25519 half of a key pair, which alone authenticates a device to a relay."""
    return Ed25519KeyPair(Ed25519Seed(seed.expose()[KEY_BYTES:]))


def _representative(message: bytes, context: bytes) -> bytes:
    """Return M', which both algorithms sign."""
    mldsa.check_context(context)
    digest = hashlib.sha512(message).digest()
    return b"".join((_PREFIX, _LABEL, bytes([len(context)]), context, digest))
