"""SignedBy: which device of which user signed something about documents, and its signature.

    signer      = [user id, device id, version, hash]    the device list that lists the device   [DOC-30]
    signed by   = [user id, device id, version, hash, ML-DSA key, signature]

It stands inside the encodings of documents, grants and collections, and has about 5,500 bytes. The ML-DSA key
is there because a device list has its hash alone.

Not here: signing and verifying (documents/_signing.py).
"""

from dataclasses import dataclass, field

from letterlock._primitives import composite, mldsa
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock.limits import MAX_COUNTER, MAX_ID

_SIGNER_ELEMENTS = 4
_ELEMENTS = 6


@dataclass(frozen=True, slots=True)
class Signer:
    """A device, and a version of its user's device list that lists it.

    `user_id` has 32 bytes, and so has `list_hash`, the hash of version `list_version`.
    """

    user_id: bytes
    device_id: int
    list_version: int
    list_hash: bytes = field(repr=False)

    def fields(self) -> list[cbor.Value]:
        """Return the signer as it stands inside an encoding."""
        return [self.user_id, self.device_id, self.list_version, self.list_hash]

    @classmethod
    def from_fields(cls, value: object) -> "Signer":
        """Read what `fields` gives. Raises MalformedMessage."""
        return _read_signer(Fields(value, _SIGNER_ELEMENTS, "a signer"))


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A signer with its ML-DSA key, 1,952 bytes, and its composite signature, 3,373 bytes."""

    signer: Signer
    ml_dsa: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def fields(self) -> cbor.Value:
        """Return it as it stands inside an encoding."""
        return [*self.signer.fields(), self.ml_dsa, self.signature]

    @classmethod
    def from_fields(cls, value: object) -> "SignedBy":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, _ELEMENTS, "who signed")
        return cls(
            _read_signer(fields),
            fields.blob("ml-dsa key", mldsa.PUBLIC_BYTES),
            fields.blob("signature", composite.SIGNATURE_BYTES),
        )


def _read_signer(fields: Fields) -> Signer:
    return Signer(
        fields.blob("user id", HASH_BYTES),
        fields.uint_between("device id", 1, MAX_ID),
        fields.uint_between("list version", 1, MAX_COUNTER),
        fields.blob("list hash", HASH_BYTES),
    )
