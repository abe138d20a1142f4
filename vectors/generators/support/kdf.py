"""HMAC and HKDF with Python's own hmac module, from RFC 5869, and without the library.

Not here: the families that compare the library with these.
"""

import hmac
from typing import Final

X3DH: Final = b"letterlock-v1_X3DH_X25519_SHA-256"
PQXDH: Final = b"letterlock-v1_PQXDH_X25519_SHA-256_ML-KEM-1024"
ROOT: Final = b"letterlock-v1 root step"


def mac(key: bytes, data: bytes) -> bytes:
    """Return HMAC-SHA-256 of the data, 32 bytes."""
    return hmac.digest(key, data, "sha256")


def hkdf(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes of HKDF-SHA-256. An empty salt stands for 32 zeros."""
    key, okm, block = mac(salt or bytes(32), ikm), b"", b""
    for counter in range(1, 256):
        block = mac(key, block + info + bytes([counter]))
        okm += block
    return okm[:length]
