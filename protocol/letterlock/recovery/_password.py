"""From a password to the two inputs that the servers evaluate without seeing them.

    salt        first 16 bytes of SHA-256("letterlock-v1 salt of a recovery" || user id || lock id)
    h           Argon2id(NFKC(password), salt, passes, memory), 32 bytes                     [REC-3] [REC-4]
    input i     "letterlock-v1 input of a recovery" || i in one byte || user id || lock id || h

Nothing derived from the password alone ever leaves the client. [REC-1]

A new password has eight characters besides the name, of any kind. Length is what makes guessing dear; rules
about kinds of characters make people choose the same few forms (NIST SP 800-63B, 3.1.1.2). A password that
is there already is never judged: it has to open its lock.                                          [REC-51]

Not here: what the outputs give (_keys.py).
"""

import hashlib
import unicodedata
from typing import Final

from letterlock._primitives.labels import RECOVERY_INPUT, RECOVERY_SALT
from letterlock._primitives.passphrase import SALT_BYTES, PassphraseKey, PassphraseParameters, derive
from letterlock._primitives.voprf import Blinding
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.recovery_lock import Hardness, LockName
from letterlock.errors import UsageError

SHORTEST_PASSWORD: Final = 8
"""Characters that a new password needs besides the name: guesses are counted, ten and then three a week."""

ADVISED_PASSWORD: Final = 15
"""Characters that a password should have where nothing else is asked for."""

_SHORTEST_NAME: Final = 3
"""Characters of a name that does not count: one or two letters occur in words by chance."""


def require_strength(password: str, name: str) -> None:
    """Raise UsageError for a new password that is too short without the user's name in it. [REC-51]"""
    rest = _folded(password)
    if len(name) >= _SHORTEST_NAME:
        rest = rest.replace(_folded(name), "")
    if len(rest) < SHORTEST_PASSWORD:
        raise UsageError(
            f"the password has fewer than {SHORTEST_PASSWORD} characters besides the name: choose a longer "
            "one, such as four or five words"
        )


def is_advised(password: str) -> bool:
    """Return whether a password is long enough to stand alone, where servers check nobody's identity."""
    return len(_folded(password)) >= ADVISED_PASSWORD


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


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
