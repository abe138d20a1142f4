"""Every domain-separation label, in one place, so that no two uses can share one.

HKDF `info` strings and signature prefixes of the protocol, version 1. A test checks that they are
distinct and that none begins another of the same use. [PRIM-9]

Not here: Signal's own labels; callers of `letterlock.hazmat` pass those.
"""

from typing import Final

# PQXDH section 3.2 asks for info_CURVE_HASH_PQKEM and at least eight bytes of info; X3DH for a string
# that names the application.
PQXDH: Final = b"letterlock-v1_PQXDH_X25519_SHA-256_ML-KEM-1024"
X3DH: Final = b"letterlock-v1_X3DH_X25519_SHA-256"

ROOT_STEP: Final = b"letterlock-v1 root step"

PREKEY_SIGNATURE: Final = b"letterlock-v1 prekey signature"

TRANSCRIPT: Final = "letterlock-v1 handshake transcript"

STORE_VALUES: Final = b"letterlock-v1 store values"
STORE_INDEX: Final = b"letterlock-v1 store index"
STORE_WRAP: Final = b"letterlock-v1 store key wrap"
