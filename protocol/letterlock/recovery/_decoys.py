"""Decoys: what a server shows of a user without a lock, so that nobody learns who has one. [REC-12]

    HKDF-SHA-256(no salt, decoy key, "letterlock-v1 decoy of a lock" || user id, 192)
            = lock id || seed 1 || seed 2 || login seed || sealed

    HKDF-SHA-256(no salt, decoy key, "letterlock-v1 user id of nobody" || name, 32)    for an unknown name

Both servers have the same decoy key, so they show the same lock. It opens with no password. Its uses are
counted like any other's.

Not here: when it is shown (_server.py).
"""

from typing import Final

from letterlock._primitives import voprf
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import RECOVERY_DECOY, RECOVERY_NOBODY
from letterlock._primitives.secret import KEY_BYTES, Secret
from letterlock._primitives.voprf import OprfSeed
from letterlock._records.recovery import HeldLock, RecoveryRecord
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.recovery_limits import LOCK_ID_BYTES, SEALED_KEY_BYTES
from letterlock._wire.recovery_lock import Hardness, Lock, LockName
from letterlock.recovery._meter import Policy, refilled

DECOY_VERSION: Final = 0
"""Stands in place of a device list's version."""

_LENGTHS: Final = (LOCK_ID_BYTES, KEY_BYTES, KEY_BYTES, KEY_BYTES, SEALED_KEY_BYTES)


class DecoyKey(Secret):
    """32 random bytes that both servers share. They protect no password."""

    __slots__ = ()


def made_up_user(key: DecoyKey, name: str) -> bytes:
    """Return 32 bytes that stand for the id of a user whom nobody knows. They are the same each time."""
    return hkdf_sha256(b"", key.expose(), RECOVERY_NOBODY + name.encode(), HASH_BYTES)


def decoy(key: DecoyKey, user_id: bytes, server: int, policy: Policy) -> RecoveryRecord:
    """Return the record of a user without a lock. It is the same each time."""
    material = hkdf_sha256(b"", key.expose(), RECOVERY_DECOY + user_id, sum(_LENGTHS))
    parts = list[bytes]()
    for length in _LENGTHS:
        parts.append(material[:length])
        material = material[length:]
    lock_id, first, second, login, sealed = parts
    seeds = OprfSeed(first), OprfSeed(second)
    keys = voprf.public_key(seeds[0]), voprf.public_key(seeds[1])
    lock = Lock(LockName(user_id, lock_id), Hardness(), keys, sealed)
    held = HeldLock(seeds[server - 1], lock, Ed25519KeyPair(Ed25519Seed(login)).public)
    return RecoveryRecord(DECOY_VERSION, (held,), None, refilled(policy))
