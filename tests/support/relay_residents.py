"""Residents: users enrolled at a relay that runs, without a client. They wait for letters, and never come.

KEY                the application's key that signs tickets; a relay needs `REGISTRATION` to know it
enrol              register people with tickets, log them in, and publish their prekeys
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, Protocol

from letterlock import MemoryStore
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_lists import RegisterRequest
from letterlock._wire.relay_login import (
    AuthenticateAnswer,
    AuthenticateRequest,
    ChallengeAnswer,
    ChallengeRequest,
    login_input,
)
from letterlock._wire.relay_prekeys import PublishAnswer, PublishRequest
from letterlock.relay import TicketKey
from letterlock.user import User
from support.user_devices import own_record

KEY: Final = TicketKey(bytes(range(32)))
REGISTRATION: Final = ("--registration", f"ticket:{KEY.public_hex}")
_AT_ONCE: Final = 8


class Asks(Protocol):
    """What makes calls of a relay."""

    async def get(self, kind: Any, request: RelayBody, token: bytes | None = None) -> Any:
        """Make a call, and return its answer."""


class Resident:
    """A user at a relay."""

    def __init__(self, name: str) -> None:
        self.user = User.create(MemoryStore(), name)
        self.token = b""

    async def move_in(self, town: Asks, relay: str) -> None:
        """Register, log in and publish prekeys. `relay` is what a login is bound to."""
        name = self.user.name
        lists = tuple(each.encode() for each in self.user.device_lists())
        await town.get(DoneAnswer, RegisterRequest(name, lists, KEY.sign(name)))
        address = self.user.address
        challenge = (await town.get(ChallengeAnswer, ChallengeRequest(address))).challenge
        pair = Ed25519KeyPair(Ed25519Seed(own_record(self.user).signing.expose()[32:]))
        signature = pair.sign(login_input(relay, address, challenge, 1))
        answer = await town.get(AuthenticateAnswer, AuthenticateRequest(address, challenge, 1, signature))
        self.token = answer.token
        request = PublishRequest(1, self.user.publish(1).encode())
        await town.get(PublishAnswer, request, self.token)


async def enrol(town: Asks, relay: str, names: Iterable[str]) -> list[Resident]:
    """Return residents of these names."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> Resident:
        async with gate:
            found = Resident(name)
            await found.move_in(town, relay)
            return found

    return await asyncio.gather(*map(one, names))
