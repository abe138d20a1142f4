"""PQXDH (revision 3): the agreements of X3DH, followed by an ML-KEM-1024 secret.

    SK = HKDF(salt = 32 zeros, ikm = F || DH1 || DH2 || DH3 [|| DH4] || SS, info, 32)       [HAND-5]

An attacker who records the handshake must break both the curve and the KEM to learn SK. Authentication is not
post-quantum: it depends on the agreements of the identity keys.

Not here: the agreements (x3dh.py).
"""

from letterlock._handshake.x3dh import KeyMaterial, SharedSecret, derive
from letterlock._primitives.labels import PQXDH
from letterlock._primitives.mlkem import KemSecret
from letterlock._primitives.secret import KEY_BYTES


def join(agreements: KeyMaterial, secret: KemSecret) -> KeyMaterial:
    """Return the agreements followed by the KEM secret SS: 128 or 160 bytes."""
    return KeyMaterial(agreements.expose() + secret.expose())


def shared_secret(agreements: KeyMaterial, secret: KemSecret) -> SharedSecret:
    """Return SK of the PQXDH suite, 32 bytes."""
    return SharedSecret(derive(join(agreements, secret), PQXDH, KEY_BYTES))
