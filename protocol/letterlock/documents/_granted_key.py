"""How the key in a grant is sealed: to public keys by HPKE, or under a secret that the recipient has.

    info           label || SHA-256(terms) || part                                                   [DOC-35]
    user           HPKE(document key, info 0, key)
    provisional    HPKE(pk 1, info 1, r) || HPKE(pk 2, info 2, key xor r), r random                  [DOC-39]
    others         nonce || ChaCha20-Poly1305(HKDF(bytes(0), secret, info 0), nonce, key, empty)

A key has 32 or 64 bytes. Everything that a grant says is in `info`, so a sealed key opens in its own grant
only. How long a sealed key may be is checked before it is opened. [DOC-36]

Not here: where secrets come from (_secrets.py); whether a key matches its commitment (_key_finding.py).
"""

import hashlib
from typing import Final

from letterlock._primitives import aead, hpke
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import GRANTED_KEY
from letterlock._primitives.secret import KEY_BYTES, Secret
from letterlock._primitives.xwing import XWingKeyPair, XWingPublicKey
from letterlock.errors import AuthenticationFailed, MalformedMessage

KEY_LENGTHS: Final = (KEY_BYTES, 2 * KEY_BYTES)
_WHOLE, _FIRST, _SECOND = 0, 1, 2


class GrantedKey(Secret):
    """What a grant holds: 32 bytes, or 64 for an epoch of a collection."""

    __slots__ = ()
    LENGTH = None

    def __init__(self, material: bytes) -> None:
        super().__init__(material)
        if len(material) not in KEY_LENGTHS:
            raise ValueError(f"GrantedKey needs 32 or 64 bytes, not {len(material)}")


class WrapSecret(Secret):
    """A secret of 32 bytes under which keys are sealed: an epoch key, or what a link or password gives."""

    __slots__ = ()


def key_info(terms: bytes, part: int = _WHOLE) -> bytes:
    """Return what a sealed key is bound to. [DOC-35]"""
    return GRANTED_KEY + hashlib.sha256(terms).digest() + bytes([part])


# --- for a public key -------------------------------------------------------------------------------------


def seal_for_key(public: XWingPublicKey, terms: bytes, key: GrantedKey) -> bytes:
    """Return the key sealed for the holder of an X-Wing key: 1,136 bytes more."""
    return hpke.seal(public, key_info(terms), key.expose())


def open_with_key(pair: XWingKeyPair, terms: bytes, sealed: bytes) -> GrantedKey:
    """Return the key. Raises MalformedMessage, AuthenticationFailed."""
    _check_length(sealed, hpke.OVERHEAD)
    return GrantedKey(hpke.open_sealed(pair, key_info(terms), sealed))


# --- under a secret ---------------------------------------------------------------------------------------


def seal_under(secret: WrapSecret, terms: bytes, key: GrantedKey, entropy: Entropy) -> bytes:
    """Return the key sealed under a secret: 28 bytes more. Draws 12 bytes from `entropy`."""
    nonce = entropy(aead.NONCE_BYTES)
    return nonce + aead.seal(_wrapping(secret, terms), nonce, key.expose(), b"")


def open_under(secret: WrapSecret, terms: bytes, sealed: bytes) -> GrantedKey:
    """Return the key. Raises MalformedMessage, AuthenticationFailed."""
    _check_length(sealed, aead.NONCE_BYTES + aead.TAG_BYTES)
    nonce, text = sealed[: aead.NONCE_BYTES], sealed[aead.NONCE_BYTES :]
    found = aead.open_sealed(_wrapping(secret, terms), nonce, text, b"")
    if found is None:
        raise AuthenticationFailed
    return GrantedKey(found)


def _wrapping(secret: WrapSecret, terms: bytes) -> bytes:
    return hkdf_sha256(b"", secret.expose(), key_info(terms), KEY_BYTES)


# --- for two servers --------------------------------------------------------------------------------------


def seal_in_halves(
    keys: tuple[XWingPublicKey, XWingPublicKey], terms: bytes, key: GrantedKey, entropy: Entropy
) -> bytes:
    """Return the key in two halves, each sealed for one key: neither alone says anything. [DOC-39]"""
    first = entropy(len(key.expose()))
    second = _xor(first, key.expose())
    halves = zip(keys, (first, second), (_FIRST, _SECOND), strict=True)
    return b"".join(hpke.seal(public, key_info(terms, part), half) for public, half, part in halves)


def open_halves(pairs: tuple[XWingKeyPair, XWingKeyPair], terms: bytes, sealed: bytes) -> GrantedKey:
    """Return the key. Raises MalformedMessage, AuthenticationFailed."""
    _check_length(sealed, 2 * hpke.OVERHEAD, 2)
    middle = len(sealed) // 2
    first = hpke.open_sealed(pairs[0], key_info(terms, _FIRST), sealed[:middle])
    second = hpke.open_sealed(pairs[1], key_info(terms, _SECOND), sealed[middle:])
    return GrantedKey(_xor(first, second))


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _check_length(sealed: bytes, overhead: int, copies: int = 1) -> None:
    """Raise MalformedMessage unless a key of 32 or 64 bytes is inside. [DOC-36]

    A longer text could be made to open under many keys, and so to test guesses of a secret.
    """
    if len(sealed) not in {overhead + copies * length for length in KEY_LENGTHS}:
        raise MalformedMessage(f"a sealed key of {len(sealed)} bytes is none of this kind: discard the grant")
