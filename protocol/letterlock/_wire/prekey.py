"""A prekey as others see it: kind, id, public key.

    prekey     = [kind, id, key]

Not here: the signature, which covers all prekeys of a bundle together (bundle.py).
"""

from enum import IntEnum
from typing import Final, Generic, TypeVar

from letterlock._primitives.curve25519 import OneTimePrekey, SignedPrekey
from letterlock._primitives.dataclass import dataclass
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


@dataclass(frozen=True, slots=True)
class PublicPrekey(Generic[PrekeyKey]):
    """A prekey without its private half; `id` is below 2**32."""

    kind: PrekeyKind
    id: int
    key: PrekeyKey

    def fields(self) -> cbor.Value:
        """Return the prekey as it stands inside an encoding."""
        return [int(self.kind), self.id, self.key.data]


def read_prekey(
    value: object, kinds: frozenset[PrekeyKind], key_type: type[PrekeyKey]
) -> PublicPrekey[PrekeyKey]:
    """Read what `PublicPrekey.fields` gives, of one of `kinds`. Raises MalformedMessage, InvalidKey."""
    fields = Fields(value, 3, "prekey")
    kind = fields.uint("kind", max(PrekeyKind))
    if kind not in kinds:
        raise fields.wrong("kind", " or ".join(str(int(each)) for each in sorted(kinds)))
    id_ = fields.uint("id", MAX_ID)
    return PublicPrekey(PrekeyKind(kind), id_, key_type(fields.blob("key", key_type.LENGTH)))


SIGNED: Final = frozenset({PrekeyKind.SIGNED})
ONE_TIME: Final = frozenset({PrekeyKind.ONE_TIME})
KEM_ONE_TIME: Final = frozenset({PrekeyKind.KEM_ONE_TIME})
KEM_LAST_RESORT: Final = frozenset({PrekeyKind.KEM_LAST_RESORT})
KEM: Final = KEM_ONE_TIME | KEM_LAST_RESORT
