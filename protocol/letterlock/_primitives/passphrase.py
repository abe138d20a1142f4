"""Argon2id (RFC 9106) on libsodium: a 32-byte key from a passphrase.

Not here: where the salt and the parameters are stored (stores/).
"""

import unicodedata
from typing import Final

from nacl import pwhash

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import KEY_BYTES, Secret
from letterlock.errors import StoreError, UsageError
from letterlock.limits import (
    ARGON2_MAX_MEMLIMIT,
    ARGON2_MAX_OPSLIMIT,
    ARGON2_MEMLIMIT,
    ARGON2_OPSLIMIT,
    MAX_PASSPHRASE,
)

SALT_BYTES: Final = 16
_MIN_MEMLIMIT: Final = pwhash.argon2id.MEMLIMIT_MIN


class PassphraseKey(Secret):
    """32 bytes derived from a passphrase."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PassphraseParameters:
    """The inputs of Argon2id besides the passphrase: a 16-byte salt, passes, and memory in bytes; one lane.

    Raises ValueError for parameters outside the limits, before any work is done. [STO-7]
    """

    salt: bytes
    opslimit: int = ARGON2_OPSLIMIT
    memlimit: int = ARGON2_MEMLIMIT

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES:
            raise ValueError(f"salt of {len(self.salt)} bytes; expected {SALT_BYTES}")
        if not 1 <= self.opslimit <= ARGON2_MAX_OPSLIMIT:
            raise ValueError(f"{self.opslimit} passes; expected 1 to {ARGON2_MAX_OPSLIMIT}")
        if not _MIN_MEMLIMIT <= self.memlimit <= ARGON2_MAX_MEMLIMIT:
            raise ValueError(
                f"{self.memlimit} bytes of memory; expected {_MIN_MEMLIMIT} to {ARGON2_MAX_MEMLIMIT}"
            )


def derive(passphrase: str, parameters: PassphraseParameters) -> PassphraseKey:
    """Return the 32-byte key of a passphrase.

    The passphrase is normalized to NFKC first, so that the same keys pressed on another system give the same
    bytes. Raises UsageError if it is empty or longer than MAX_PASSPHRASE bytes, StoreError if there is not
    enough memory.
    """
    encoded = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    if not encoded:
        raise UsageError("passphrase is empty: choose one, or use a key file")
    if len(encoded) > MAX_PASSPHRASE:
        raise UsageError(
            f"passphrase of {len(encoded)} bytes; at most {MAX_PASSPHRASE}: choose a shorter one"
        )
    try:
        key = pwhash.argon2id.kdf(
            KEY_BYTES,
            encoded,
            parameters.salt,
            opslimit=parameters.opslimit,
            memlimit=parameters.memlimit,
        )
    except (RuntimeError, MemoryError):  # libsodium says no more than that it failed
        needed = -(-parameters.memlimit // 2**20)
        raise StoreError(
            f"a passphrase takes {needed} MiB of memory: free some, or raise the limit of the process"
        ) from None
    return PassphraseKey(key)
