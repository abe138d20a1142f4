"""A ticket: the application's own server allows a name to be registered.

    ticket      = [1, name, not after, nonce, may replace, signature]
    signature   = Ed25519(the application's key, "letterlock-v1 relay ticket" ||
                  CBOR[1, name, not after, nonce, may replace])                                     [RLY-9]

Not here: whether a ticket was used before (relay/).
"""

from dataclasses import dataclass, field
from typing import Self

from letterlock._primitives.ed25519 import SIGNATURE_BYTES, Ed25519KeyPair, Ed25519PublicKey
from letterlock._primitives.labels import RELAY_TICKET
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.relay_body import RELAY_VERSION, Form, RelayBody, read_name
from letterlock._wire.relay_limits import RELAY_ID_BYTES, SMALL_BODY
from letterlock.limits import MAX_COUNTER


@dataclass(frozen=True, slots=True)
class Ticket(RelayBody):
    """Allows `name` to be registered once, until `not_after`, in seconds since 1970.

    `nonce` has 16 random bytes. `may_replace` allows the name to be given to another user id: everything of
    the account that had it is deleted. `signature` has 64 bytes. About 110 bytes encoded, and the name.
    """

    FORM = Form("a ticket", 6, SMALL_BODY, 7)

    name: str
    not_after: int
    nonce: bytes = field(repr=False)
    may_replace: bool
    signature: bytes = field(repr=False)

    @classmethod
    def sign(
        cls, key: Ed25519KeyPair, name: str, not_after: int, nonce: bytes, *, may_replace: bool = False
    ) -> Self:
        """Return a signed ticket. The caller has checked the name, and gives 16 random bytes."""
        signature = key.sign(_signed(name, not_after, nonce, may_replace))
        return cls(name, not_after, nonce, may_replace, signature)

    def verify(self, key: Ed25519PublicKey) -> None:
        """Raise InvalidSignature unless the application's key signed this ticket. [RLY-9]"""
        key.verify(_signed(self.name, self.not_after, self.nonce, self.may_replace), self.signature)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.name, self.not_after, self.nonce, int(self.may_replace), self.signature]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(
            read_name(fields),
            fields.uint("end", MAX_COUNTER),
            fields.blob("nonce", RELAY_ID_BYTES),
            fields.uint("may replace", 1) == 1,
            fields.blob("signature", SIGNATURE_BYTES),
        )


def _signed(name: str, not_after: int, nonce: bytes, may_replace: bool) -> bytes:  # noqa: FBT001 - an element
    return RELAY_TICKET + cbor.encode([RELAY_VERSION, name, not_after, nonce, int(may_replace)])
