"""Devices that call a relay: registered, logged in, with prekeys; their messages are random bytes.

Not here: connections (wire.py); which calls are made, and when (costs.py, arrivals.py).
"""

import asyncio
import os
import time
from dataclasses import dataclass, field, replace
from typing import Final

from letterlock import Address, MemoryStore
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.relay_lists import RegisterRequest
from letterlock._wire.relay_login import (
    AuthenticateAnswer,
    AuthenticateRequest,
    ChallengeAnswer,
    ChallengeRequest,
    login_input,
)
from letterlock._wire.relay_mail import AckRequest, FetchAnswer, FetchRequest, SendRequest
from letterlock._wire.relay_prekeys import ClaimRequest, PublishRequest
from letterlock.user import User
from letterlock.user._book import Book
from wire import Connection

PAIRS: Final = 100


@dataclass(frozen=True, slots=True)
class Caller:
    """A device with its token, and what others need to write to it. `head` is that of the list `version`."""

    name: str
    token: bytes = field(repr=False)
    head: bytes
    key: Ed25519KeyPair | None = field(default=None, repr=False)
    version: int = 1
    device: int = 1

    def send(self, to: "Caller", length: int) -> SendRequest:
        """Return a send of one message of random bytes."""
        message = to.device, os.urandom(length)
        return SendRequest(os.urandom(16), to.name, to.version, to.head, (message,))

    def claim(self, to: "Caller") -> ClaimRequest:
        """Return a claim of one bundle."""
        return ClaimRequest(os.urandom(16), to.name, to.version, to.head, (to.device,))


async def move_in(connection: Connection, name: str, relay: str, pairs: int) -> Caller:
    """Register a user, log its device in, and publish prekeys."""
    store = MemoryStore()
    user = User.create(store, name)
    lists = user.device_lists()
    await connection.ask(RegisterRequest(name, tuple(each.encode() for each in lists), None))
    with store.transaction():
        key = Ed25519KeyPair(Ed25519Seed(Book(store).own().signing.expose()[32:]))
    caller = Caller(name, b"", lists[0].hash[:8], key)
    caller = replace(caller, token=await log_in(connection, caller, relay))
    if pairs:
        await connection.ask(PublishRequest(1, user.publish(pairs).encode()), caller.token)
    return caller


async def log_in(connection: Connection, caller: Caller, relay: str) -> bytes:
    """Return a new token for a device."""
    if caller.key is None:
        raise ValueError(f"{caller.name} has a token, and no key to log in with")
    address = Address(caller.name)
    found = ChallengeAnswer.decode(await connection.ask(ChallengeRequest(address)))
    signature = caller.key.sign(login_input(relay, address, found.challenge, 1))
    login = AuthenticateRequest(address, found.challenge, 1, signature)
    return AuthenticateAnswer.decode(await connection.ask(login)).token


async def town(port: int, count: int, pairs: int = PAIRS, prefix: str = "user") -> list[Caller]:
    """Return so many devices, each of a user of its own."""
    connection = await Connection.open(port)
    made = []
    for at in range(count):
        if at and at % 50 == 0:  # a relay registers 60 users a minute at most
            await asyncio.sleep(60)
        made.append(await move_in(connection, f"{prefix}-{time.time_ns()}-{at}", f"127.0.0.1:{port}", pairs))
    connection.close()
    return made


async def exchange(
    connection: Connection, sender: Caller, receiver: Caller, length: int, most: int = 100
) -> None:
    """Send one message, fetch what is there, at most so many, and acknowledge it: three calls."""
    await connection.ask(sender.send(receiver, length), sender.token)
    body = await connection.ask(FetchRequest(most, 0), receiver.token)
    ids = tuple(each.id for each in FetchAnswer.decode(body).deliveries)
    if ids:  # else an exchange at the same time took the message with its own
        await connection.ask(AckRequest(ids), receiver.token)
