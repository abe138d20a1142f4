"""XEdDSA on Curve25519 (revision 1): signatures made with an X25519 key.

    a, A = calculate_key_pair(k)      E = kB; A = E with sign bit 0; a = -k or k (mod q)
    r = hash_1(a || M || Z) mod q     hash_i(X) = SHA-512(enc(2^256 - 1 - i) || X)
    R = rB
    h = SHA-512(R || A || M) mod q
    s = r + ha mod q                  signature R || s, 64 bytes

The result is an Ed25519 signature under A, so libsodium verifies it. It is stricter than the publication: it
also refuses s >= q, and an A or R that is of low order or not canonical. [PRIM-5]

libsodium does all the arithmetic on secrets; Python only copies bytes.

Not here: Ed25519 keys and verification (ed25519.py); VXEdDSA, which letterlock does not use.
"""

import hashlib
from functools import lru_cache
from typing import Final, Self

from nacl import bindings

from letterlock._primitives.curve25519 import (
    SIGNATURE_BYTES,
    IdentityKey,
    IdentityKeyPair,
    P,
    PrivateKey,
    PublicKey,
)
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import verify_edwards
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock.errors import InvalidSignature, UsageError
from letterlock.limits import MAX_SIGNED_MESSAGE

NONCE_BYTES: Final = 64

_SIGN_BIT: Final = 0x80
_HASH_1: Final = b"\xfe" + b"\xff" * 31  # enc(2^256 - 2)


class SigningScalar(Secret):
    """a: the private key modulo q, negated if the x-coordinate of kB is odd."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SigningKey(Uncopyable):
    """a and A of an identity key, computed once for all signatures of a publication."""

    scalar: SigningScalar
    public: bytes

    @classmethod
    def of(cls, pair: IdentityKeyPair) -> Self:
        """Return the signing key of an identity key (section 2.3)."""
        return cls(*calculate_key_pair(pair.private))

    def sign(self, message: bytes, nonce: bytes) -> bytes:
        """Return the 64-byte signature of `message` (section 3.3, xeddsa_sign).

        `nonce` is Z: 64 fresh random bytes, secret and never used before. Raises UsageError for a message
        longer than MAX_SIGNED_MESSAGE bytes.
        """
        if len(message) > MAX_SIGNED_MESSAGE:
            raise UsageError(f"message of {len(message)} bytes; at most {MAX_SIGNED_MESSAGE} can be signed")
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"nonce of {len(nonce)} bytes; expected {NONCE_BYTES}")
        a = self.scalar.expose()
        r = _scalar(hashlib.sha512(_HASH_1 + a + message + nonce).digest())
        big_r = bindings.crypto_scalarmult_ed25519_base_noclamp(r)
        h = _scalar(hashlib.sha512(big_r + self.public + message).digest())
        s = bindings.crypto_core_ed25519_scalar_add(r, bindings.crypto_core_ed25519_scalar_mul(h, a))
        return big_r + s


def sign(pair: IdentityKeyPair, message: bytes, nonce: bytes) -> bytes:
    """Return the 64-byte signature of `message`, as `SigningKey.sign` makes it, for one signature alone."""
    return SigningKey.of(pair).sign(message, nonce)


def verify(public: IdentityKey, message: bytes, signature: bytes) -> None:
    """Raise InvalidSignature unless `signature`, 64 bytes, is one of `message` under `public`.

    Implements section 3.4 (xeddsa_verify), with libsodium's stricter checks. [PRIM-5]
    """
    # The publication's check that s < 2^253 is missing because libsodium checks that s < q.
    verify_edwards(convert_mont(public), message, signature)


def verify_sign_bit_form(public: PublicKey, message: bytes, signature: bytes) -> None:
    """Do as `verify` does, for the variant that carries the sign of A in the top bit of the signature."""
    if len(signature) != SIGNATURE_BYTES:
        raise InvalidSignature(f"signature of {len(signature)} bytes; expected {SIGNATURE_BYTES}: discard it")
    edwards = bytearray(convert_mont(public))
    edwards[31] |= signature[63] & _SIGN_BIT
    plain = signature[:63] + bytes([signature[63] & ~_SIGN_BIT])
    verify_edwards(bytes(edwards), message, plain)


def calculate_key_pair(private: PrivateKey) -> tuple[SigningScalar, bytes]:
    """Return the scalar a and the 32-byte Edwards point A of a private key (section 2.3)."""
    k = _scalar(_clamp(private.expose()) + bytes(32))
    point = bindings.crypto_scalarmult_ed25519_base_noclamp(k)
    sign = point[31] >> 7
    # Both are computed and one is picked by index, so that no branch depends on the sign.
    a = (k, bindings.crypto_core_ed25519_scalar_negate(k))[sign]
    return SigningScalar(a), point[:31] + bytes([point[31] & 0x7F])


def convert_mont(public: PublicKey) -> bytes:
    """Return the 32-byte Edwards point of u with sign bit 0: y = (u - 1) / (u + 1) mod p (section 2.3).

    Python's integers are safe here because the key is public. u = p - 1, which has no inverse, cannot occur:
    it is of low order, so it is not a `PublicKey`.
    """
    return _edwards(public.data)


@lru_cache(maxsize=16)
def _edwards(data: bytes) -> bytes:
    # Cached because the inverse is slow, and one key verifies up to 1,001 signatures of a publication.
    u = int.from_bytes(data, "little")
    y = (u - 1) * pow(u + 1, -1, P) % P
    return y.to_bytes(KEY_BYTES, "little")


def _clamp(k: bytes) -> bytes:
    return bytes([k[0] & 0xF8]) + k[1:31] + bytes([k[31] & 0x7F | 0x40])


def _scalar(wide: bytes) -> bytes:
    return bindings.crypto_core_ed25519_scalar_reduce(wide)
