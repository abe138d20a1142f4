"""A ticket: the application's own server allows a name to be registered.

    ticket      = [1, name, not after, nonce, may replace, signature]
    signature   = Ed25519(the application's key, "letterlock-v1 relay ticket" ||
                  CBOR[1, name, not after, nonce, may replace])                                     [RLY-9]

Tickets of an identity are signed in the same way, under a label of their own (identity_ticket.py).

Not here: whether a ticket was used before (relay/).
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from letterlock._primitives.ed25519 import SIGNATURE_BYTES, Ed25519KeyPair, Ed25519PublicKey
from letterlock._primitives.labels import RELAY_TICKET
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.relay_body import RELAY_VERSION, Form, RelayBody, read_name
from letterlock._wire.relay_limits import RELAY_ID_BYTES, SMALL_BODY
from letterlock.limits import MAX_COUNTER


class SignedTicket(RelayBody):
    """What an application's key signs. Each kind is a dataclass with a label and a signature of 64 bytes."""

    __slots__ = ()

    LABEL: ClassVar[bytes]

    signature: bytes

    def statement(self) -> list[cbor.Value]:
        """Return the elements between the version and the signature."""
        raise NotImplementedError

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [*self.statement(), self.signature]

    def signed(self, key: Ed25519KeyPair) -> Self:
        """Return the ticket with the signature of the application's key."""
        return replace(self, signature=key.sign(self._signed_bytes()))  # type: ignore[type-var]

    def verify(self, key: Ed25519PublicKey) -> None:
        """Raise InvalidSignature unless the application's key signed this ticket. [RLY-9]"""
        key.verify(self._signed_bytes(), self.signature)

    def _signed_bytes(self) -> bytes:
        return self.LABEL + cbor.encode([RELAY_VERSION, *self.statement()])


@dataclass(frozen=True, slots=True)
class Ticket(SignedTicket):
    """Allows `name` to be registered once, until `not_after`, in seconds since 1970.

    `nonce` has 16 random bytes. `may_replace` allows the name to be given to another user id: everything of
    the account that had it is deleted. `signature` has 64 bytes. About 110 bytes encoded, and the name.
    """

    FORM = Form("a ticket", 6, SMALL_BODY, 7)
    LABEL = RELAY_TICKET

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
        return cls(name, not_after, nonce, may_replace, b"").signed(key)

    def statement(self) -> list[cbor.Value]:
        """Return the elements between the version and the signature."""
        return [self.name, self.not_after, self.nonce, int(self.may_replace)]

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
