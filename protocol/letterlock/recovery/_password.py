"""From a password to the two inputs that the servers evaluate without seeing them.

    salt        first 16 bytes of SHA-256("letterlock-v1 salt of a recovery" || user id || lock id)
    h           Argon2id(NFKC(password), salt, passes, memory), 32 bytes                     [REC-3] [REC-4]
    input i     "letterlock-v1 input of a recovery" || i in one byte || user id || lock id || h

Nothing derived from the password alone ever leaves the client. [REC-1]

Not here: what the outputs give (_keys.py).
"""

import hashlib

from letterlock._primitives.labels import RECOVERY_INPUT, RECOVERY_SALT
from letterlock._primitives.passphrase import SALT_BYTES, PassphraseKey, PassphraseParameters, derive
from letterlock._primitives.voprf import Blinding
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.recovery_lock import Hardness, LockName


def stretch(password: str, name: LockName, hardness: Hardness) -> PassphraseKey:
    """Return h, 32 bytes. Takes as long as `hardness` says.

    Raises UsageError for an empty password or one above 4,096 bytes, StoreError if memory is short.
    """
    salt = hashlib.sha256(RECOVERY_SALT + name.user_id + name.lock_id).digest()[:SALT_BYTES]
    return derive(password, PassphraseParameters(salt, hardness.passes, hardness.memory))


def blind_for_both(stretched: PassphraseKey, name: LockName) -> tuple[Blinding, Blinding]:
    """Return the blinded inputs, in the order of the servers. Each time they are others."""
    first, second = (Blinding(server_input(each, stretched, name)) for each in SERVERS)
    return first, second


def server_input(server: int, stretched: PassphraseKey, name: LockName) -> bytes:
    """Return what one server's function is computed of."""
    return RECOVERY_INPUT + bytes((server,)) + name.user_id + name.lock_id + stretched.expose()
