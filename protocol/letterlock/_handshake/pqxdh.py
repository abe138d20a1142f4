"""PQXDH (revision 3): X3DH's agreements and an ML-KEM-1024 secret after them.

    SK = HKDF(salt = 32 zeros, ikm = F || DH1 || DH2 || DH3 [|| DH4] || SS, info, 32)       [HAND-5]

Whoever records the handshake must break the curve and the KEM to learn SK. Authentication stays
classical: it rests on the identity keys' agreements.

Not here: the agreements (x3dh.py).
"""

from letterlock._handshake.x3dh import KeyMaterial, SharedSecret, derive
from letterlock._primitives.labels import PQXDH
from letterlock._primitives.mlkem import KemSecret
from letterlock._primitives.secret import KEY_BYTES


def join(agreements: KeyMaterial, secret: KemSecret) -> KeyMaterial:
    """Return the agreements followed by the KEM secret SS."""
    return KeyMaterial(agreements.expose() + secret.expose())


def shared_secret(agreements: KeyMaterial, secret: KemSecret) -> SharedSecret:
    """Return SK of the PQXDH suite."""
    return SharedSecret(derive(join(agreements, secret), PQXDH, KEY_BYTES))
