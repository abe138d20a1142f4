"""A lock: what a password opens with the help of two servers. Both servers hold the same bytes.

    lock      = [1, user id, lock id, passes, memory, public key 1, public key 2, sealed]
    header    = "letterlock-v1 header of a lock" || the bytes of the encoding before `sealed`
    sealed    = commitment of 32 bytes || ciphertext || tag

Everything but the sealed key is in clear, and bound to it as associated data. [REC-5]

Not here: keys, and whether the numbers are acceptable (recovery/).
"""

from dataclasses import field
from typing import Final, Self

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import RECOVERY_HEADER
from letterlock._primitives.voprf import OprfPublicKey
from letterlock._wire import cbor
from letterlock._wire.cbor_heads import BYTES, head
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_limits import (
    LOCK_ID_BYTES,
    MAX_LOCK,
    MAX_MEMORY,
    MAX_PASSES,
    MIN_MEMORY,
    MIN_PASSES,
    SEALED_KEY_BYTES,
)
from letterlock._wire.relay_body import Form, RelayBody
from letterlock.errors import UsageError

_SEALED_TO: Final = len(head(BYTES, SEALED_KEY_BYTES)) + SEALED_KEY_BYTES


@dataclass(frozen=True, slots=True)
class LockName:
    """Whose lock it is, and which of theirs. `user_id` has 32 bytes, `lock_id` 16 random ones."""

    user_id: bytes
    lock_id: bytes

    def fields(self) -> list[cbor.Value]:
        """Return the name as it stands inside an encoding."""
        return [self.user_id, self.lock_id]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read the next two elements. Raises MalformedMessage."""
        return cls(fields.blob("user id", HASH_BYTES), fields.blob("lock id", LOCK_ID_BYTES))


@dataclass(frozen=True, slots=True)
class Hardness:
    """What one guess costs: passes of Argon2id, and bytes of memory.

    Raises UsageError for numbers that no client would accept. [REC-4]
    """

    passes: int = MIN_PASSES
    memory: int = MIN_MEMORY

    def __post_init__(self) -> None:
        if not (MIN_PASSES <= self.passes <= MAX_PASSES and MIN_MEMORY <= self.memory <= MAX_MEMORY):
            raise UsageError(
                f"a lock takes {MIN_PASSES} to {MAX_PASSES} passes and {MIN_MEMORY} to {MAX_MEMORY} bytes"
                " of memory: choose other numbers"
            )


@dataclass(frozen=True, slots=True)
class Lock(RelayBody):
    """A lock as it is stored and as it travels. Nothing of it is verified until it opens."""

    FORM = Form("a lock", 8, MAX_LOCK, 9)

    name: LockName
    hardness: Hardness
    public_keys: tuple[OprfPublicKey, OprfPublicKey]
    sealed: bytes = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        keys = [each.data for each in self.public_keys]
        return [*self.name.fields(), self.hardness.passes, self.hardness.memory, *keys, self.sealed]

    @property
    def header(self) -> bytes:
        """The bytes that are authenticated with the sealed key."""
        return RECOVERY_HEADER + self.encode()[:-_SEALED_TO]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey.

        Parameters outside the limits are refused before any work is done with them. [REC-4]
        """
        name = LockName.read(fields)
        passes = fields.uint_between("passes", MIN_PASSES, MAX_PASSES)
        memory = fields.uint_between("memory", MIN_MEMORY, MAX_MEMORY)
        keys = tuple(OprfPublicKey(fields.blob(each, OprfPublicKey.LENGTH)) for each in ("key 1", "key 2"))
        first, second = keys
        return cls(
            name, Hardness(passes, memory), (first, second), fields.blob("sealed key", SEALED_KEY_BYTES)
        )
