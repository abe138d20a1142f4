"""The calls about provisional identities, which are the same at both servers.

    make        [1, 44, kind, address, id, owner key, end]      ->  [1, public key / null, user id / null]
    release     [1, 45, X-Wing key]                             ->  [1, [[id, sealed seed] ...]]
    claimed     [1, 46, user id, [id ...]]                      ->  [1]
    withdraw    [1, 47, kind, address, id, signature]           ->  [1]

    signature   Ed25519(owner key, "letterlock-v1 withdrawal of a provisional identity" ||
                CBOR[server, id])                                                                     [PRV-6]

`kind` is the name of a check, such as `mail`, and `address` whom it would ask. Beside `release` and `claimed`
a pass shows whose address was proven. `id` names one identity of a person, and has 32 bytes.

Not here: what a server does with them (recovery/).
"""

from dataclasses import field
from typing import Self

from letterlock._primitives import hpke
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import SIGNATURE_BYTES, Ed25519PublicKey
from letterlock._primitives.labels import PROVISIONAL_RELEASE, PROVISIONAL_WITHDRAWAL
from letterlock._primitives.secret import KEY_BYTES
from letterlock._primitives.xwing import XWingPublicKey
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import DOCUMENT_KEY_BYTES, HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.identity_calls import read_kind
from letterlock._wire.identity_limits import MAX_CLAIM
from letterlock._wire.recovery_limits import MAX_PERSON_IDENTITIES, RELEASED_BODY, SMALL_RECOVERY_BODY
from letterlock._wire.relay_body import Form, RelayBody
from letterlock.limits import MAX_COUNTER

SEALED_SEED_BYTES = KEY_BYTES + hpke.OVERHEAD


@dataclass(frozen=True, slots=True)
class MakeIdentity(RelayBody):
    """Asks for a public key of somebody without an account. The same call again gives the same key.

    `address` is UTF-8, 1 to 320 bytes, and `id` has 32 bytes. After `end`, in seconds since 1970 (UTC), the
    server releases nothing.
    """

    FORM = Form("a request for a provisional key", 7, SMALL_RECOVERY_BODY, 8)
    NUMBER = 44

    kind: str
    address: bytes = field(repr=False)
    id: bytes
    owner: Ed25519PublicKey
    end: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.kind, self.address, self.id, self.owner.data, self.end]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey."""
        kind, address, id_ = _read_identity(fields)
        owner = Ed25519PublicKey(fields.blob("owner key", Ed25519PublicKey.LENGTH))
        return cls(kind, address, id_, owner, fields.uint("end", MAX_COUNTER))


@dataclass(frozen=True, slots=True)
class IdentityMade(RelayBody):
    """The server's public key; or, after the identity was claimed, the user id (32 bytes) of whoever did."""

    FORM = Form("an answer with a provisional key", 3, 2 * SMALL_RECOVERY_BODY, 4)

    key: XWingPublicKey | None
    user_id: bytes | None

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [None if self.key is None else self.key.data, self.user_id]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey."""
        key = fields.optional_blob("public key", DOCUMENT_KEY_BYTES)
        user_id = fields.optional_blob("user id", HASH_BYTES)
        if (key is None) == (user_id is None):
            raise fields.wrong("user id", "there exactly if the key is not")
        return cls(None if key is None else XWingPublicKey(key), user_id)


@dataclass(frozen=True, slots=True)
class ReleaseSeeds(RelayBody):
    """Asks for the seeds of a person, sealed to `key`."""

    FORM = Form("a request for provisional seeds", 3, 2 * SMALL_RECOVERY_BODY, 4)
    NUMBER = 45

    key: XWingPublicKey

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.key.data]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey."""
        return cls(XWingPublicKey(fields.blob("x-wing key", DOCUMENT_KEY_BYTES)))


@dataclass(frozen=True, slots=True)
class SeedsReleased(RelayBody):
    """The seeds of all identities of a person at a server: an id and a sealed seed each."""

    FORM = Form("an answer with provisional seeds", 2, RELEASED_BODY, 3 + 3 * MAX_PERSON_IDENTITIES)

    seeds: tuple[tuple[bytes, bytes], ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [[[id_, sealed] for id_, sealed in self.seeds]]

    @staticmethod
    def info(server: int, id_: bytes) -> bytes:
        """Return the HPKE info under which a server seals a seed."""
        return PROVISIONAL_RELEASE + cbor.encode([server, id_])

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        seeds = tuple(map(_read_seed, fields.array("seeds", MAX_PERSON_IDENTITIES)))
        if len({id_ for id_, _ in seeds}) != len(seeds):
            raise fields.wrong("seeds", "of different identities")
        return cls(seeds)


@dataclass(frozen=True, slots=True)
class ClaimIdentities(RelayBody):
    """Says which user a person has become. The server deletes the seeds of these identities."""

    FORM = Form("a claim of identities", 4, 2 * SMALL_RECOVERY_BODY, 5 + MAX_PERSON_IDENTITIES)
    NUMBER = 46

    user_id: bytes
    ids: tuple[bytes, ...]

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.user_id, list(self.ids)]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        user_id = fields.blob("user id", HASH_BYTES)
        ids = fields.array("ids", MAX_PERSON_IDENTITIES)
        found = tuple(each for each in ids if type(each) is bytes and len(each) == HASH_BYTES)
        if len({*found}) != len(ids):
            raise fields.wrong("ids", f"different byte strings of {HASH_BYTES} bytes")
        return cls(user_id, found)


@dataclass(frozen=True, slots=True)
class WithdrawIdentity(RelayBody):
    """Deletes the seed of an identity, by whoever asked for it."""

    FORM = Form("a withdrawal of an identity", 6, SMALL_RECOVERY_BODY, 7)
    NUMBER = 47

    kind: str
    address: bytes = field(repr=False)
    id: bytes
    signature: bytes = field(repr=False)

    @staticmethod
    def signed(server: int, id_: bytes) -> bytes:
        """Return the bytes that the owner key signs for one of the servers. [PRV-6]"""
        return PROVISIONAL_WITHDRAWAL + cbor.encode([server, id_])

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.kind, self.address, self.id, self.signature]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        kind, address, id_ = _read_identity(fields)
        return cls(kind, address, id_, fields.blob("signature", SIGNATURE_BYTES))


def _read_identity(fields: Fields) -> tuple[str, bytes, bytes]:
    kind = read_kind(fields)
    return kind, fields.blob_between("address", 1, MAX_CLAIM), fields.blob("id", HASH_BYTES)


def _read_seed(value: object) -> tuple[bytes, bytes]:
    fields = Fields(value, 2, "a released seed")
    return fields.blob("id", HASH_BYTES), fields.blob("sealed seed", SEALED_SEED_BYTES)
