"""HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869) on plain bytes.

Not here: labels (labels.py), and which key goes where (handshake/, ratchet/).
"""

import hmac
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HASH_BYTES: Final = 32
MAX_HKDF_BYTES: Final = 255 * HASH_BYTES

_SHA256: Final = SHA256()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """Return the 32-byte HMAC of `data`."""
    return hmac.digest(key, data, "sha256")


def hkdf_sha256(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes (1 to 8,160). An empty salt means 32 zero bytes, as RFC 5869 section 2.2."""
    return HKDF(algorithm=_SHA256, length=length, salt=salt, info=info).derive(ikm)
