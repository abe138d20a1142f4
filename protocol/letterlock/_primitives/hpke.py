"""HPKE (RFC 9180) in base mode: bytes sealed for the holder of an X-Wing key, in one message.

    KEM 0x647A (X-Wing), KDF 0x0001 (HKDF-SHA-256), AEAD 0x0003 (ChaCha20-Poly1305)
    seal(pk, info, text)     enc || ciphertext || tag, 1,120 bytes, those of the text, and 16     [PRIM-16]

`info` is everything that the text is bound to; the associated data is empty. Nothing shows who sealed it.

Not here: keys (xwing.py); senders, which sign what they seal.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from letterlock._primitives.xwing import ENCAPSULATION_BYTES, XWingKeyPair, XWingPublicKey
from letterlock.errors import AuthenticationFailed, MalformedMessage

OVERHEAD: Final = ENCAPSULATION_BYTES + 16

_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def seal(public: XWingPublicKey, info: bytes, text: bytes) -> bytes:
    """Return `text` sealed for the holder of a key: OVERHEAD bytes longer, and different each time."""
    return _SUITE.encrypt(text, public.library, info)


def open_sealed(pair: XWingKeyPair, info: bytes, sealed: bytes) -> bytes:
    """Return the text that was sealed with the same `info`.

    Raises MalformedMessage for less than OVERHEAD bytes, AuthenticationFailed.
    """
    if len(sealed) < OVERHEAD:
        raise MalformedMessage(f"sealed text of {len(sealed)} bytes; at least {OVERHEAD}")
    text = _opened(pair, info, sealed)
    if text is None:
        raise AuthenticationFailed
    return text


def _opened(pair: XWingKeyPair, info: bytes, sealed: bytes) -> bytes | None:
    """Return the text, or None: an all-zero agreement looks like a wrong tag. [PRIM-8]"""
    try:
        return _SUITE.decrypt(sealed, pair.library, info)
    except InvalidTag:
        return None
