"""The root chain: every agreement is mixed into it (Double Ratchet section 2.3).

    KDF_RK(rk, dh):   rk' || ck = HKDF(salt = rk, ikm = dh, info, 64)                      [RAT-1]

Not here: when an agreement is due (double.py).
"""

from letterlock._primitives.curve25519 import SharedPoint
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import ROOT_STEP
from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet.keys import ChainKey, RootKey


def kdf_rk(root: RootKey, agreement: SharedPoint, info: bytes = ROOT_STEP) -> tuple[RootKey, ChainKey]:
    """Return the next root key and a new chain key (section 5.2, KDF_RK)."""
    okm = hkdf_sha256(root.expose(), agreement.expose(), info, 2 * KEY_BYTES)
    return RootKey(okm[:KEY_BYTES]), ChainKey(okm[KEY_BYTES:])
