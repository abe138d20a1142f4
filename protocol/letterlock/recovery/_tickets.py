"""Tickets: server 1 evaluates only what server 2 has let through.                                   [REC-15]

    ticket      = end in 4 bytes || Ed25519(server 2's ticket key, "letterlock-v1 ticket of a recovery" ||
                  CBOR[user id, lock id, SHA-256(blinded input for server 1), end])
    end         ten minutes after the evaluation at server 2, in seconds since 1970

So whoever fails the checks of server 2 cannot use up the guesses at server 1. A ticket is for one input.

Not here: what server 2 checks before it evaluates.
"""

import hashlib
from typing import Final

from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519PublicKey, Ed25519Seed
from letterlock._primitives.labels import RECOVERY_TICKET
from letterlock._primitives.secret import Secret
from letterlock._wire import cbor
from letterlock._wire.recovery_calls import EvaluateLock
from letterlock._wire.recovery_limits import TICKET_SECONDS, TICKET_SLACK
from letterlock._wire.recovery_lock import LockName
from letterlock.errors import InvalidSignature
from letterlock.recovery._errors import RecoveryRefused

_END: Final = 4


class LockTicketKey(Secret):
    """32 random bytes of server 2, with which it signs tickets."""

    __slots__ = ()

    @property
    def public(self) -> Ed25519PublicKey:
        """The key by which server 1 knows the tickets."""
        return _pair(self).public


def companion(blinded: bytes) -> bytes:
    """Return the 32 bytes that stand for the input of server 1 in the request to server 2."""
    return hashlib.sha256(blinded).digest()


def issue(key: LockTicketKey, request: EvaluateLock, now: int) -> bytes | None:
    """Return a ticket for the input that a request to server 2 names, or None if it names none."""
    if request.companion is None:
        return None
    end = now + TICKET_SECONDS
    return end.to_bytes(_END, "big") + _pair(key).sign(_signed(request.name, request.companion, end))


def require_ticket(public: Ed25519PublicKey, request: EvaluateLock, now: int) -> None:
    """Raise RecoveryRefused unless a request to server 1 has a ticket for its input. [REC-15]"""
    ticket = request.ticket or bytes(_END)
    end = int.from_bytes(ticket[:_END], "big")
    if not now - TICKET_SLACK <= end <= now + TICKET_SECONDS + TICKET_SLACK:
        raise RecoveryRefused("no ticket, or one of another time: ask the key server first")
    try:
        public.verify(_signed(request.name, companion(request.blinded), end), ticket[_END:])
    except InvalidSignature:
        raise RecoveryRefused("the ticket is not for this input: ask the key server first") from None


def _signed(name: LockName, hashed: bytes, end: int) -> bytes:
    return RECOVERY_TICKET + cbor.encode([*name.fields(), hashed, end])


def _pair(key: LockTicketKey) -> Ed25519KeyPair:
    return Ed25519KeyPair(Ed25519Seed(key.expose()))
