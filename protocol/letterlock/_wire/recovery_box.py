"""A recovery card and a recovery box: what a recovered device finds again.

    card      [1, user id, X-Wing key, ML-DSA key, signature]            of the recovery device       [REC-13]
    box       HPKE(X-Wing key, "letterlock-v1 recovery box" || user id, contents)
    contents  [1, device id, ML-DSA key, signature, payload]             of the device that made it   [REC-14]

    signature of a card     Composite(CBOR[user id, X-Wing key], "letterlock-v1 recovery card")
    signature of a box      Composite(user id || payload, "letterlock-v1 recovery box")

The payload is that of a linking package: the user's name, document seeds, and contacts.

Not here: the payload (linking_payload.py); which device may sign (recovery/).
"""

from dataclasses import field
from typing import Final, Self

from letterlock._primitives.composite import SIGNATURE_BYTES as COMPOSITE_BYTES
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import RECOVERY_BOX
from letterlock._primitives.mldsa import PUBLIC_BYTES as ML_DSA_BYTES
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.xwing import XWingPublicKey
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import DOCUMENT_KEY_BYTES, HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.linking import LinkingPayload
from letterlock._wire.recovery_calls import ChangeSignature
from letterlock._wire.recovery_limits import SIGNED_RECOVERY_BODY
from letterlock._wire.relay_body import Form, RelayBody
from letterlock.limits import MAX_ID, MAX_LINKING_PACKAGE

MAX_BOX: Final = MAX_LINKING_PACKAGE + 16 * 1024
"""Bytes of a sealed box: a payload, and what surrounds it."""


@dataclass(frozen=True, slots=True)
class RecoveryCard(RelayBody):
    """The key to which boxes for a recovery device are sealed. `user_id` has 32 bytes."""

    FORM = Form("a recovery card", 5, SIGNED_RECOVERY_BODY, 6)

    user_id: bytes
    receiving: XWingPublicKey
    by: ChangeSignature

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.user_id, self.receiving.data, *self.by.fields()]

    def signed(self) -> bytes:
        """Return the bytes that the recovery device signs. [REC-13]"""
        return cbor.encode([self.user_id, self.receiving.data])

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey."""
        user_id = fields.blob("user id", HASH_BYTES)
        receiving = XWingPublicKey(fields.blob("x-wing key", DOCUMENT_KEY_BYTES))
        return cls(user_id, receiving, ChangeSignature.read(fields))


@dataclass(frozen=True, slots=True, repr=False)
class BoxContents(RelayBody, Uncopyable):
    """What a box holds: a payload, and the device that signed it."""

    FORM = Form("the contents of a recovery box", 5, MAX_BOX, 6)

    device_id: int
    ml_dsa: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    payload: LinkingPayload

    @staticmethod
    def signed(user_id: bytes, payload: bytes) -> bytes:
        """Return the bytes that the device signs. [REC-14]"""
        return user_id + payload

    @staticmethod
    def info(user_id: bytes) -> bytes:
        """Return the HPKE info under which the contents are sealed."""
        return RECOVERY_BOX + user_id

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.device_id, self.ml_dsa, self.signature, self.payload.expose()]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(
            fields.uint_between("device id", 1, MAX_ID),
            fields.blob("ml-dsa key", ML_DSA_BYTES),
            fields.blob("signature", COMPOSITE_BYTES),
            LinkingPayload(fields.blob_between("payload", 1, MAX_LINKING_PACKAGE)),
        )

    def __repr__(self) -> str:
        return f"<BoxContents: of device {self.device_id}>"
