"""HPKE (RFC 9180) with X-Wing, by the formulae, so that a label can choose the random bytes of a sealed text.

    encapsulated = Encapsulated.to(public, "a label")        m and the ephemeral key from the label
    seal(encapsulated, info, text)                           enc || ciphertext || tag

The library draws these bytes itself. The ML-KEM half is kyber-py's.

Not here: the families, which ask the library to open what is sealed here.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from kyber_py.ml_kem import ML_KEM_768

from generators.support.labels import draw

EK_BYTES: Final = 1184
ENC_BYTES: Final = 1120

_LABEL: Final = b"\\.//^\\"
_SUITE: Final = b"HPKE" + bytes.fromhex("647a 0001 0003")


@dataclass(frozen=True)
class Encapsulated:
    """What an encapsulation draws and gives: m and the ephemeral private key; enc and the shared secret."""

    m: bytes
    ephemeral: bytes
    enc: bytes
    secret: bytes

    @classmethod
    def to(cls, public: bytes, label: str) -> "Encapsulated":
        """Return the encapsulation to a key of 1,216 bytes that a label chooses."""
        m, ephemeral = draw(f"{label} m", 32), draw(f"{label} ephemeral", 32)
        kem_secret, ciphertext = ML_KEM_768._encaps_internal(public[:EK_BYTES], m)
        key = X25519PrivateKey.from_private_bytes(ephemeral)
        agreement = key.exchange(X25519PublicKey.from_public_bytes(public[EK_BYTES:]))
        enc = ciphertext + key.public_key().public_bytes_raw()
        return cls(m, ephemeral, enc, combined(kem_secret, agreement, enc, public))

    @classmethod
    def of_point(cls, public: bytes, point: bytes, agreement: bytes, label: str) -> "Encapsulated":
        """Return one with another X25519 half, and the agreement that its recipient computes from that."""
        m = draw(f"{label} m", 32)
        kem_secret, ciphertext = ML_KEM_768._encaps_internal(public[:EK_BYTES], m)
        enc = ciphertext + point
        return cls(m, b"", enc, combined(kem_secret, agreement, enc, public))


def combined(kem_secret: bytes, agreement: bytes, enc: bytes, public: bytes) -> bytes:
    """Return X-Wing's shared secret."""
    parts = (kem_secret, agreement, enc[-32:], public[EK_BYTES:], _LABEL)
    return hashlib.sha3_256(b"".join(parts)).digest()


def agreed(seed: bytes, point: bytes) -> bytes:
    """Return the X25519 agreement of the key pair of a seed with a point."""
    private = X25519PrivateKey.from_private_bytes(hashlib.shake_256(seed).digest(96)[64:])
    return private.exchange(X25519PublicKey.from_public_bytes(point))


def seal(encapsulated: Encapsulated, info: bytes, text: bytes) -> bytes:
    """Return the sealed text: HPKE's base mode, one message, no associated data."""
    key, nonce = _schedule(encapsulated.secret, info)
    return encapsulated.enc + ChaCha20Poly1305(key).encrypt(nonce, text, b"")


def seal_to(public: bytes, label: str, info: bytes, text: bytes) -> bytes:
    """Return a text sealed with the encapsulation that a label chooses."""
    return seal(Encapsulated.to(public, label), info, text)


def _schedule(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    context = b"\0" + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", info)
    secret = _extract(shared, b"secret", b"")
    return _expand(secret, b"key", context, 32), _expand(secret, b"base_nonce", context, 12)


def _extract(salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + _SUITE + label + material, "sha256")


def _expand(key: bytes, label: bytes, context: bytes, length: int) -> bytes:
    info = length.to_bytes(2, "big") + b"HPKE-v1" + _SUITE + label + context
    return hmac.digest(key, info + b"\1", "sha256")[:length]
