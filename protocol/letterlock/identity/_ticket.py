"""TicketCheck: the application's own server says whom it has before it.                            [REC-30]

    key = TicketKey(...)                            at the application's server
    ticket = key.sign_identity("patient 4711", server=2, challenge=challenge)

A ticket is worth what the application is: whoever runs it passes this check as anybody.

Not here: the bytes of a ticket (_wire/identity_ticket.py); signing one (relay/_ticket_key.py).
"""

import hmac

from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.secret import Immutable
from letterlock._wire.identity_limits import CHALLENGE_SECONDS, MAX_CLOCK_SLACK
from letterlock._wire.identity_ticket import IdentityTicket
from letterlock._wire.recovery_limits import SERVERS
from letterlock.errors import InvalidKey, PeerError, UsageError
from letterlock.recovery import IdentityRefused


class TicketCheck(Immutable):
    """Takes tickets of one application, for server 1 or 2. A `TokenCheck`.

    `public_hex` is the `public_hex` of the application's `TicketKey`. Raises UsageError for another text.
    """

    __slots__ = ("_public", "_server")

    _public: Ed25519PublicKey
    _server: int

    def __init__(self, public_hex: str, server: int) -> None:
        if server not in SERVERS:
            raise UsageError("a recovery server is number 1, the relay, or 2, the key server")
        try:
            public = Ed25519PublicKey(bytes.fromhex(public_hex))
        except (ValueError, InvalidKey):
            raise UsageError(
                "the key of an application is 64 hexadecimal digits: TicketKey.public_hex"
            ) from None
        object.__setattr__(self, "_public", public)
        object.__setattr__(self, "_server", server)

    async def identity(self, proof: bytes, nonce: bytes, now: int) -> bytes:
        """Return the identity that a ticket names. Raises IdentityRefused."""
        try:
            ticket = IdentityTicket.decode(proof)
            ticket.verify(self._public)
        except PeerError:
            raise IdentityRefused("no ticket that the application signed") from None
        if ticket.server != self._server or not hmac.compare_digest(ticket.nonce, nonce):
            raise IdentityRefused("the ticket is for another server, or another challenge")
        if not now - MAX_CLOCK_SLACK < ticket.not_after <= now + CHALLENGE_SECONDS + MAX_CLOCK_SLACK:
            raise IdentityRefused("the ticket has ended, or ends too late")
        return ticket.identity

    def __repr__(self) -> str:
        return f"<TicketCheck: server {self._server}, {self._public!r}>"
