"""A prekey as others see it: kind, id, public key, and the identity key's signature over all three.

    prekey     = [kind, id, key, signature]
    signature  = XEdDSA(IK, "letterlock-v1 prekey signature" || kind || id || key)        [HAND-2]
                 kind one byte, id four bytes big-endian; the kinds' key lengths are fixed

Every prekey is signed, one-time curve keys too, and with its id: X3DH leaves the former unsigned and
neither text signs ids, so that a server could swap them unnoticed. The kind keeps a curve key from ever
being taken for a KEM key, which the analysis of PQXDH asks for.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Generic, TypeVar

from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import IdentityKey, IdentityKeyPair, OneTimePrekey, SignedPrekey
from letterlock._primitives.labels import PREKEY_SIGNATURE
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock.limits import MAX_ID


class PrekeyKind(IntEnum):
    """What a prekey is for."""

    SIGNED = 1
    """The curve key that every handshake uses."""
    ONE_TIME = 2
    """A curve key for one handshake."""
    KEM_ONE_TIME = 3
    """An ML-KEM-1024 key for one handshake."""
    KEM_LAST_RESORT = 4
    """The ML-KEM-1024 key that serves when the one-time ones have run out."""


PrekeyKey = TypeVar("PrekeyKey", bound=SignedPrekey | OneTimePrekey | MlKem1024PublicKey)

# The same, for a method that is called on the class, which has no type of key yet.
SignedKey = TypeVar("SignedKey", bound=SignedPrekey | OneTimePrekey | MlKem1024PublicKey)


@dataclass(frozen=True, slots=True)
class PublicPrekey(Generic[PrekeyKey]):
    """A prekey with its signature of 64 bytes; `id` is below 2**32."""

    kind: PrekeyKind
    id: int
    key: PrekeyKey
    signature: bytes

    @staticmethod
    def sign(
        kind: PrekeyKind, id_: int, key: SignedKey, identity: IdentityKeyPair, nonce: bytes
    ) -> "PublicPrekey[SignedKey]":
        """Sign a prekey. `nonce` is 64 fresh random bytes."""
        signature = xeddsa.sign(identity, signed_bytes(kind, id_, key.data), nonce)
        return PublicPrekey(kind, id_, key, signature)

    def verify(self, identity: IdentityKey) -> None:
        """Raise InvalidSignature unless `identity` signed this kind, id and key. [HAND-1]"""
        xeddsa.verify(identity, signed_bytes(self.kind, self.id, self.key.data), self.signature)

    def fields(self) -> cbor.Value:
        """Return the prekey as it stands inside an encoding."""
        return [int(self.kind), self.id, self.key.data, self.signature]


def signed_bytes(kind: PrekeyKind, id_: int, key: bytes) -> bytes:
    """Return what the identity key signs."""
    return b"".join((PREKEY_SIGNATURE, bytes([kind]), id_.to_bytes(4, "big"), key))


def read_prekey(
    value: object, kinds: frozenset[PrekeyKind], key_type: type[PrekeyKey]
) -> PublicPrekey[PrekeyKey]:
    """Read what `PublicPrekey.fields` gives, of one of `kinds`. Raises MalformedMessage, InvalidKey."""
    fields = Fields(value, 4, "prekey")
    kind = fields.uint("kind", max(PrekeyKind))
    if kind not in kinds:
        raise fields.wrong("kind", " or ".join(str(int(each)) for each in sorted(kinds)))
    id_ = fields.uint("id", MAX_ID)
    key = key_type(fields.blob("key", key_type.LENGTH))
    return PublicPrekey(PrekeyKind(kind), id_, key, fields.blob("signature", xeddsa.SIGNATURE_BYTES))


SIGNED: Final = frozenset({PrekeyKind.SIGNED})
ONE_TIME: Final = frozenset({PrekeyKind.ONE_TIME})
KEM_ONE_TIME: Final = frozenset({PrekeyKind.KEM_ONE_TIME})
KEM_LAST_RESORT: Final = frozenset({PrekeyKind.KEM_LAST_RESORT})
KEM: Final = KEM_ONE_TIME | KEM_LAST_RESORT
