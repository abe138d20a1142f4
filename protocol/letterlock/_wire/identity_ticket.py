"""An identity ticket: the application says whom one of the two servers has before it, for one challenge.

    ticket      = [1, identity, server, nonce, not after, signature]
    signature   = Ed25519(the application's key, "letterlock-v1 ticket of an identity" ||
                  CBOR[1, identity, server, nonce, not after])                                       [REC-30]

Not here: whether it is for this challenge, and has not ended (identity/_ticket.py).
"""

import hashlib
from dataclasses import field
from typing import Self

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import SIGNATURE_BYTES
from letterlock._primitives.labels import IDENTITY_NONCE, IDENTITY_TICKET
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.identity_limits import MAX_CLAIM
from letterlock._wire.recovery_limits import SERVERS, SMALL_RECOVERY_BODY
from letterlock._wire.relay_body import Form
from letterlock._wire.relay_ticket import SignedTicket
from letterlock.limits import MAX_COUNTER


def challenge_nonce(challenge: bytes) -> bytes:
    """Return the 32 bytes that a token or a ticket has to hold for a challenge. [REC-30]"""
    return hashlib.sha256(IDENTITY_NONCE + challenge).digest()


@dataclass(frozen=True, slots=True)
class IdentityTicket(SignedTicket):
    """Says that whoever got the challenge with this nonce, 32 bytes, at server 1 or 2 has this identity.

    It is good until `not_after`, in seconds since 1970. About 120 bytes encoded, and the identity.
    """

    FORM = Form("a ticket of an identity", 6, SMALL_RECOVERY_BODY, 7)
    LABEL = IDENTITY_TICKET

    identity: bytes = field(repr=False)
    server: int
    nonce: bytes = field(repr=False)
    not_after: int
    signature: bytes = field(default=b"", repr=False)

    def statement(self) -> list[cbor.Value]:
        """Return the elements between the version and the signature."""
        return [self.identity, self.server, self.nonce, self.not_after]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(
            fields.blob_between("identity", 1, MAX_CLAIM),
            fields.uint_between("server", *SERVERS),
            fields.blob("nonce", HASH_BYTES),
            fields.uint("end", MAX_COUNTER),
            fields.blob("signature", SIGNATURE_BYTES),
        )
