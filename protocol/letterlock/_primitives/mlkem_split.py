"""Incremental ML-KEM-768: encapsulate to a 64-byte header first, and later to the rest of the key.

    ek = vector || rho        1,152 + 32 bytes, as in FIPS 203
    header = rho || H(ek)     64 bytes; H is SHA3-256 over vector || rho
    (K, r) = G(m || H(ek))    G is SHA3-512; m is 32 fresh random bytes
    ct1                       960 bytes, computed from rho and r
    ct2                       128 bytes, computed from the vector, r and m
    ct1 || ct2                the ciphertext that FIPS 203 defines; ordinary decapsulation accepts it

Between the two steps only m is kept; K and r are computed again.

Where the native module is installed, it computes both steps in constant time (native.py).

Not here: the arithmetic in Python (kpke.py), key pairs and decapsulation (mlkem.py), authentication of the
header (_ratchet/braid.py).
"""

import hashlib
import hmac
from typing import Final, Self

from letterlock._primitives import kpke
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import KemSecret, MlKem768PublicKey
from letterlock._primitives.native import NATIVE
from letterlock._primitives.secret import KEY_BYTES, Secret
from letterlock.errors import InvalidKey

HEADER_BYTES: Final = 64
VECTOR_BYTES: Final = 1152
FIRST_BYTES: Final = 960
SECOND_BYTES: Final = 128
RHO_BYTES: Final = 32


class EncapsulationRandomness(Secret):
    """m: the 32 random bytes of one encapsulation. Use it for one header only."""

    __slots__ = ()

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Return a new m. Draws 32 bytes from `entropy`."""
        return cls(entropy(KEY_BYTES))


def split(key: MlKem768PublicKey) -> tuple[bytes, bytes]:
    """Return the 64-byte header and the 1,152-byte vector of an encapsulation key."""
    vector, rho = key.data[:VECTOR_BYTES], key.data[VECTOR_BYTES:]
    return rho + _hash(key), vector


def encapsulate_header(header: bytes, m: EncapsulationRandomness) -> tuple[KemSecret, bytes]:
    """Return K, 32 bytes, and ct1, 960 bytes. K is final before the vector is known.

    Raises InvalidKey if the header is not 64 bytes. Its hash can be checked only once the vector is known.
    """
    rho, key_hash = _split_header(header)
    if NATIVE is not None:
        native_secret, first = NATIVE.encapsulate_header(header, m.expose())
        return KemSecret(native_secret), first
    secret, coins = _expand(m, key_hash)
    return KemSecret(secret), kpke.encrypt_c1(rho, coins)


def encapsulate_vector(header: bytes, vector: bytes, m: EncapsulationRandomness) -> bytes:
    """Return ct2, 128 bytes, for the m that `encapsulate_header` was given.

    Raises InvalidKey for another length, a coefficient of q or more, or a vector of another header.
    """
    rho, key_hash = _split_header(header)
    if len(vector) != VECTOR_BYTES:
        raise InvalidKey(f"kem vector of {len(vector)} bytes; expected {VECTOR_BYTES}: discard it")
    # PRIM-11: to a vector that an attacker chose, such as zero, ct2 would reveal m.
    key = MlKem768PublicKey(vector + rho)  # refuses a coefficient of q or more
    if not hmac.compare_digest(_hash(key), key_hash):
        raise InvalidKey("kem vector does not belong to this header (the key has another hash): discard it")
    if NATIVE is not None:
        return NATIVE.encapsulate_vector(header, vector, m.expose())
    return kpke.encrypt_c2(vector, _expand(m, key_hash)[1], m.expose())


def _split_header(header: bytes) -> tuple[bytes, bytes]:
    if len(header) != HEADER_BYTES:
        raise InvalidKey(f"kem header of {len(header)} bytes; expected {HEADER_BYTES}: discard it")
    return header[:RHO_BYTES], header[RHO_BYTES:]


def _hash(key: MlKem768PublicKey) -> bytes:
    # PRIM-10: the hash is over vector || rho, as in FIPS 203; otherwise decapsulation gives another secret.
    return hashlib.sha3_256(key.data).digest()


def _expand(m: EncapsulationRandomness, key_hash: bytes) -> tuple[bytes, bytes]:
    """Return K and r (FIPS 203 algorithm 17, step 1)."""
    expanded = hashlib.sha3_512(m.expose() + key_hash).digest()
    return expanded[:32], expanded[32:]
