"""The authenticator of the ML-KEM Braid: what keeps a thief of one moment's message keys out of the braid.

    authenticator    root, key = HKDF(root, secret, label || epoch, 64)               epoch in eight bytes
    epoch secret     HKDF(bytes(32), K, label || epoch, 32)
    MAC              HMAC(key, label || epoch || data)

Every epoch secret goes into the root, so a thief needs every secret since the theft to make a MAC.

Not here: when a MAC is due (braid.py).
"""

from typing import Final, Protocol

from letterlock._primitives import labels
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.kdf import HASH_BYTES, hkdf_sha256, hmac_sha256
from letterlock._primitives.mlkem import KemSecret
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet.pq_keys import AuthenticatorKey, AuthenticatorRoot, EpochSecret, PqSharedSecret

_ZEROS: Final = bytes(HASH_BYTES)


@dataclass(frozen=True, slots=True)
class Authenticator(Uncopyable):
    """The root, and the key for the MACs of one epoch."""

    root: AuthenticatorRoot
    key: AuthenticatorKey


class BraidKdf(Protocol):
    """How the braid derives its keys and MACs; another implementation may use other labels and forms."""

    def authenticator(self, shared: PqSharedSecret) -> Authenticator:
        """Return the authenticator of epoch 1."""
        ...

    def update(self, authenticator: Authenticator, epoch: int, secret: EpochSecret) -> Authenticator:
        """Return the authenticator after an epoch's secret."""
        ...

    def epoch_secret(self, secret: KemSecret, epoch: int) -> EpochSecret:
        """Return the secret of an epoch, derived from its KEM secret K."""
        ...

    def header_mac(self, authenticator: Authenticator, epoch: int, header: bytes) -> bytes:
        """Return the 32-byte MAC of a header of 64 bytes."""
        ...

    def ciphertext_mac(self, authenticator: Authenticator, epoch: int, ciphertext: bytes) -> bytes:
        """Return the 32-byte MAC of ct1 || ct2."""
        ...


class LetterlockBraidKdf:
    """The derivation of this protocol, by the formulae above."""

    def authenticator(self, shared: PqSharedSecret) -> Authenticator:
        """See BraidKdf: an update of zeros by SKscka, in epoch 1."""
        return _authenticator(_ZEROS, 1, shared.expose())

    def update(self, authenticator: Authenticator, epoch: int, secret: EpochSecret) -> Authenticator:
        """See BraidKdf."""
        return _authenticator(authenticator.root.expose(), epoch, secret.expose())

    def epoch_secret(self, secret: KemSecret, epoch: int) -> EpochSecret:
        """See BraidKdf."""
        info = labels.PQ_EPOCH_SECRET + epoch_bytes(epoch)
        return EpochSecret(hkdf_sha256(_ZEROS, secret.expose(), info, KEY_BYTES))

    def header_mac(self, authenticator: Authenticator, epoch: int, header: bytes) -> bytes:
        """See BraidKdf."""
        return hmac_sha256(authenticator.key.expose(), labels.PQ_HEADER + epoch_bytes(epoch) + header)

    def ciphertext_mac(self, authenticator: Authenticator, epoch: int, ciphertext: bytes) -> bytes:
        """See BraidKdf."""
        return hmac_sha256(authenticator.key.expose(), labels.PQ_CIPHERTEXT + epoch_bytes(epoch) + ciphertext)


def epoch_bytes(epoch: int) -> bytes:
    """Return an epoch in eight bytes, big-endian."""
    return epoch.to_bytes(8, "big")


def _authenticator(root: bytes, epoch: int, secret: bytes) -> Authenticator:
    okm = hkdf_sha256(root, secret, labels.PQ_AUTHENTICATOR + epoch_bytes(epoch), 2 * KEY_BYTES)
    return Authenticator(AuthenticatorRoot(okm[:KEY_BYTES]), AuthenticatorKey(okm[KEY_BYTES:]))
