"""TicketKey: with it an application's server says who people are, to a relay and to a server of recovery.

    key = TicketKey.generate()              once; keep key.secret_bytes() as you keep passwords
    letterlock relay serve --registration ticket:PUBLIC     with key.public_hex
    ticket = key.sign("alice")              for each person, after your server knows who it is [RLY-9]
    ticket = key.sign_identity("alice", server=2, challenge=challenge)      the same, for recovery  [REC-30]

Not here: the bytes of tickets (_wire/relay_ticket.py, _wire/identity_ticket.py); checking them (the relay,
identity/).
"""

from typing import Final, Self

from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.entropy import Clock, Entropy, system_clock, system_entropy
from letterlock._primitives.secret import Immutable, Uncopyable
from letterlock._wire.address import Address
from letterlock._wire.identity_limits import MAX_CLAIM
from letterlock._wire.identity_ticket import IdentityTicket, challenge_nonce
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.relay_limits import RELAY_ID_BYTES
from letterlock._wire.relay_ticket import Ticket
from letterlock.errors import UsageError

SECONDS: Final = 600
"""For how long a ticket is valid by default: a person registers at once."""

MAX_SECONDS: Final = 30 * 24 * 60 * 60
"""The longest time for which a ticket is valid: the relay remembers used tickets for as long."""

_SEED_BYTES: Final = 32


class TicketKey(Immutable, Uncopyable):
    """An Ed25519 key pair that signs tickets: for a registration, and of an identity for recovery."""

    __slots__ = ("_pair",)

    _pair: Ed25519KeyPair

    def __init__(self, secret: bytes) -> None:
        """Take a key that `secret_bytes` gave, 32 bytes. Raises UsageError for anything else."""
        if type(secret) is not bytes or len(secret) != _SEED_BYTES:
            raise UsageError(f"a ticket key has {_SEED_BYTES} bytes: pass what secret_bytes() returned")
        object.__setattr__(self, "_pair", Ed25519KeyPair(Ed25519Seed(secret)))

    @classmethod
    def generate(cls, *, entropy: Entropy = system_entropy) -> Self:
        """Return a new key."""
        return cls(entropy(_SEED_BYTES))

    @property
    def public_hex(self) -> str:
        """The public key as 64 hexadecimal digits, for `--registration ticket:KEY`."""
        return self._pair.public.data.hex()

    def secret_bytes(self) -> bytes:
        """Return the private key, 32 bytes. Whoever has them can let anybody register."""
        return self._pair.seed.expose()

    def sign(
        self,
        name: str,
        *,
        seconds: int = SECONDS,
        replace: bool = False,
        clock: Clock = system_clock,
        entropy: Entropy = system_entropy,
    ) -> bytes:
        """Return a ticket with which `name` can be registered once, within so many seconds (to 30 days).

        With `replace`, the name may belong to another user, of whom the relay then deletes everything: sign
        one only after a person who lost all devices has shown who they are. About 110 bytes and the name.
        Raises UsageError.
        """
        Address(name)
        if type(seconds) is not int or not 0 < seconds <= MAX_SECONDS:
            raise UsageError(f"a ticket is valid for 1 to {MAX_SECONDS} seconds: pass fewer")
        nonce = entropy(RELAY_ID_BYTES)
        ticket = Ticket.sign(self._pair, name, clock() + seconds, nonce, may_replace=replace)
        return ticket.encode()

    def sign_identity(
        self, identity: str, *, server: int, challenge: bytes, clock: Clock = system_clock
    ) -> bytes:
        """Return a ticket by which server 1 or 2 of recovery knows whom it has before it. [REC-30]

        `identity` is what your server knows the person by, 1 to 320 bytes of UTF-8, and never another
        person's later. `challenge` is what that recovery server gave to the person's client. The ticket
        serves once, within ten minutes. Sign one only after your server knows who it is. Raises UsageError.
        """
        encoded = identity.encode()
        if not 1 <= len(encoded) <= MAX_CLAIM or server not in SERVERS:
            raise UsageError(f"an identity has 1 to {MAX_CLAIM} bytes, and a recovery server is 1 or 2")
        ticket = IdentityTicket(encoded, server, challenge_nonce(challenge), clock() + SECONDS)
        return ticket.signed(self._pair).encode()

    def __repr__(self) -> str:
        return f"<TicketKey: {self._pair.public!r}>"
