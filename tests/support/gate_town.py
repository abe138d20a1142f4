"""Gates of both servers, checks that a test looks into, and users whose devices bind identities.

Letters     a CodeCheck that reaches users: what it was given to send lies in `sent` and `notices`
Stamps      a TokenCheck: a proof is the nonce and the identity
GateTown    gates 1 and 2 on stores of their own, with one clock
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from letterlock._primitives.entropy import system_entropy
from letterlock.errors import MalformedMessage
from letterlock.recovery import (
    BindIdentity,
    CheckUnavailable,
    Gate,
    GateKey,
    GateStore,
    Identify,
    IdentityRefused,
    Prove,
    Proven,
    SecondLockEvent,
    bind_identity,
    challenge_nonce,
)
from letterlock.user import ListChain
from support.gate_memory import MemoryGates
from support.pair import NOON
from support.user_tools import FULL, LIMITED, RECOVERY, Owner

T = TypeVar("T")

ANNA: Final = b"anna@example.org"
BERT: Final = b"bert@example.org"
PHONE: Final = 1
TABLET: Final = 4
SAFE: Final = 9
DEVICES: Final = ((PHONE, FULL), (TABLET, LIMITED), (SAFE, RECOVERY))


def run(played: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(played, 30))


class Letters:
    """Sends nothing. With `broken`, no code can be sent.

    With `refuses`, no notice can be sent; with `fails`, that is how one ends.
    """

    def __init__(self) -> None:
        self.notices: list[tuple[bytes, SecondLockEvent]] = []
        self.refuses = False
        self.fails: Exception | None = None
        self.sent: list[tuple[bytes, str]] = []
        self.broken = False

    def identity(self, claim: bytes) -> bytes:
        if b"@" not in claim:
            raise MalformedMessage("not an address")
        return claim.lower()

    async def deliver(self, identity: bytes, code: str) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise CheckUnavailable("nothing can be sent: try again in a minute")
        self.sent.append((identity, code))

    async def notify(self, identity: bytes, event: SecondLockEvent) -> None:
        await asyncio.sleep(0)
        if self.refuses:
            raise CheckUnavailable("the mail server is down")
        self.notices.append((identity, event))
        if self.fails is not None:
            raise self.fails


class Stamps:
    """Takes the nonce with an identity behind it."""

    async def identity(self, proof: bytes, nonce: bytes, now: int) -> bytes:
        await asyncio.sleep(0)
        if proof[:32] != nonce:
            raise IdentityRefused("another nonce")
        return proof[32:]


class GateTown:
    """`letters` and `stores` are those of server 1 and 2."""

    def __init__(self, stores: tuple[GateStore, ...] = ()) -> None:
        self.now = NOON
        self.letters = (Letters(), Letters())
        self.stores = stores or (MemoryGates(), MemoryGates())
        self.gates = tuple(self.gate(number) for number in (1, 2))
        self.owners = {name: Owner(name, DEVICES) for name in ("anna", "bert")}

    def gate(self, number: int, of: int | None = None) -> Gate:
        """Return a gate of a server, as after a start; perhaps with key and store of the other one."""
        owner = of or number
        return Gate(
            number,
            GateKey(bytes([owner]) * 32),
            self.stores[owner - 1],
            {"mail": self.letters[number - 1], "stamp": Stamps()},
            clock=lambda: self.now,
            entropy=system_entropy,
        )

    def chain(self, name: str = "anna") -> ListChain:
        """Return all device lists of a user."""
        return self.owners[name].chain

    def code(self, server: int = 2) -> bytes:
        """Return the code that was sent last."""
        return self.letters[server - 1].sent[-1][1].encode()

    async def challenge(self, claim: bytes = ANNA, server: int = 2) -> bytes:
        answer = await self.gates[server - 1].identify(Identify("mail", claim))
        assert answer.challenge is not None
        return answer.challenge

    async def stamp(self, identity: bytes = ANNA, server: int = 2) -> Prove:
        """Return a good proof of the check by tokens."""
        answer = await self.gates[server - 1].identify(Identify("stamp"))
        assert answer.challenge is not None
        return Prove(answer.challenge, challenge_nonce(answer.challenge) + identity)

    async def mailed(self, claim: bytes = ANNA, server: int = 2) -> Prove:
        """Return a good proof of the check by mail."""
        return Prove(await self.challenge(claim, server), self.code(server))

    async def proven(self, claim: bytes = ANNA, server: int = 2) -> Proven:
        """Return the answer to a proof by mail, at a time when a new code is sent."""
        self.now += 61
        return await self.gates[server - 1].prove(await self.mailed(claim, server))

    def binding(
        self, pass_: bytes | None, name: str = "anna", server: int = 2, device: int = PHONE
    ) -> BindIdentity:
        """Return the call by which a device of a user binds an identity."""
        assert pass_ is not None
        owner = self.owners[name]
        return bind_identity(server, owner.user_id, pass_, device, owner.keys(device).signing)

    async def bound(self, claim: bytes = ANNA, name: str = "anna", server: int = 2) -> BindIdentity:
        """Bind an identity by mail, and return the call that did it."""
        answer = await self.proven(claim, server)
        call = self.binding(answer.pass_, name, server)
        await self.gates[server - 1].bind(call, self.chain(name))
        return call
