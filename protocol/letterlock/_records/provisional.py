"""What a server keeps of a person without an account: the identities that granters asked for.

    person      [1, [identity ...]]
    identity    [id, owner key, end, end as counted, seed / null, user id / null]

The seed is gone, and the user id there, once the identity was claimed.

Not here: what changes it, and where it lies (recovery/).
"""

from typing import Final, Self

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._primitives.xwing import XWingSeed
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_limits import MAX_PERSON_IDENTITIES
from letterlock.limits import MAX_COUNTER
from letterlock.stores import Record

_WHAT: Final = "a record of a person"


@dataclass(frozen=True, slots=True)
class HeldIdentity(Uncopyable):
    """One identity. `end` is in seconds since 1970, `ends` in seconds that the server counted."""

    id: bytes
    owner: Ed25519PublicKey
    end: int
    ends: int
    seed: XWingSeed | None
    user_id: bytes | None = None

    def fields(self) -> cbor.Value:
        """Return it as it stands inside a record."""
        seed = None if self.seed is None else self.seed.expose()
        return [self.id, self.owner.data, self.end, self.ends, seed, self.user_id]

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage, InvalidKey."""
        fields = Fields(value, 6, "an identity")
        id_ = fields.blob("id", HASH_BYTES)
        owner = Ed25519PublicKey(fields.blob("owner key", Ed25519PublicKey.LENGTH))
        end, ends = fields.uint("end", MAX_COUNTER), fields.uint("end as counted", MAX_TIME)
        seed = fields.optional_blob("seed", KEY_BYTES)
        user_id = fields.optional_blob("user id", HASH_BYTES)
        return cls(id_, owner, end, ends, None if seed is None else XWingSeed(seed), user_id)


@dataclass(frozen=True, slots=True)
class PersonRecord(Uncopyable):
    """What a server keeps of one person. Without identities there is no row."""

    identities: tuple[HeldIdentity, ...] = ()

    def find(self, id_: bytes) -> HeldIdentity | None:
        """Return the identity with this id, or None."""
        return next((each for each in self.identities if each.id == id_), None)

    def encode(self) -> Record:
        """Return the bytes that are stored, about 150 for each identity."""
        return encode_entry([each.fields() for each in self.identities])


def decode_person(record: Record) -> PersonRecord:
    """Read what `PersonRecord.encode` gives. Raises CorruptStore."""
    return decode_entry(record, 1, _WHAT, _read)


def _read(fields: Fields) -> PersonRecord:
    return PersonRecord(tuple(map(HeldIdentity.read, fields.array("identities", MAX_PERSON_IDENTITIES))))
