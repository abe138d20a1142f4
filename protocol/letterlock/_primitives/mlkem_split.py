"""Incremental ML-KEM-768: encapsulate to a header of 64 bytes first, to the rest of the key when it is there.

    ek = vector || rho        1,152 + 32 bytes, as in FIPS 203
    header = rho || H(ek)     64 bytes; H is SHA3-256 over vector || rho
    (K, r) = G(m || H(ek))    G is SHA3-512; m are 32 fresh random bytes
    ct1    960 bytes, of rho and r;   ct2    128 bytes, of the vector, r and m
    ct1 || ct2                the ordinary ciphertext of m, for the ordinary decapsulation

Only m is kept between the two steps, never what is computed from it.

Not here: the arithmetic (kpke); key pairs and decapsulation (mlkem); who authenticates the header.
"""

import hashlib
import hmac
from typing import Final, Self

from letterlock._primitives import kpke
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import KemSecret, MlKem768PublicKey
from letterlock._primitives.secret import KEY_BYTES, Secret
from letterlock.errors import InvalidKey

HEADER_BYTES: Final = 64
VECTOR_BYTES: Final = 1152
FIRST_BYTES: Final = 960
SECOND_BYTES: Final = 128
RHO_BYTES: Final = 32


class EncapsulationRandomness(Secret):
    """m: all that one encapsulation draws, 32 bytes. For one header, once."""

    __slots__ = ()

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Draw 32 bytes."""
        return cls(entropy(KEY_BYTES))


def split(key: MlKem768PublicKey) -> tuple[bytes, bytes]:
    """Return the header, 64 bytes, and the vector, 1,152 bytes, of an encapsulation key."""
    vector, rho = key.data[:VECTOR_BYTES], key.data[VECTOR_BYTES:]
    return rho + _hash(key), vector


def encapsulate_header(header: bytes, m: EncapsulationRandomness) -> tuple[KemSecret, bytes]:
    """Return K and ct1, 960 bytes: K is final, though nobody has seen the vector yet.

    Raises InvalidKey for another length. A header cannot be checked before its vector is there.
    """
    rho, key_hash = _parts(header)
    secret, coins = _expand(m, key_hash)
    return KemSecret(secret), kpke.first_part(rho, coins)


def encapsulate_vector(header: bytes, vector: bytes, m: EncapsulationRandomness) -> bytes:
    """Return ct2, 128 bytes, with the m that was used for the header.

    Raises InvalidKey for another length, a coefficient of q or more, or a vector of another header.
    """
    rho, key_hash = _parts(header)
    if len(vector) != VECTOR_BYTES:
        raise InvalidKey(f"kem vector of {len(vector)} bytes; expected {VECTOR_BYTES}")
    # PRIM-11: ct2 to a vector of an attacker's choosing, zero for one, would be m in the clear.
    key = MlKem768PublicKey(vector + rho)  # refuses a coefficient of q or more
    if not hmac.compare_digest(_hash(key), key_hash):
        raise InvalidKey("kem vector does not belong to this header: the key hashes to another value")
    return kpke.second_part(vector, _expand(m, key_hash)[1], m.expose())


def _parts(header: bytes) -> tuple[bytes, bytes]:
    if len(header) != HEADER_BYTES:
        raise InvalidKey(f"kem header of {len(header)} bytes; expected {HEADER_BYTES}")
    return header[:RHO_BYTES], header[RHO_BYTES:]


def _hash(key: MlKem768PublicKey) -> bytes:
    # PRIM-10: over vector || rho, the key as FIPS 203 writes it, or decapsulation gives another secret.
    return hashlib.sha3_256(key.data).digest()


def _expand(m: EncapsulationRandomness, key_hash: bytes) -> tuple[bytes, bytes]:
    """Return K and r (FIPS 203 algorithm 17, step 1)."""
    expanded = hashlib.sha3_512(m.expose() + key_hash).digest()
    return expanded[:32], expanded[32:]
