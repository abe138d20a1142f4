"""Reading the body of a request, within bounds of size, time and memory.

A body is never held beyond what its call may have, nor beyond what the memory of all bodies has room for.

Not here: how large a body may be (the relay's table of calls); that memory (_budget.py); slow heads and
answers (_connection.py).
"""

import asyncio
from contextlib import suppress
from typing import Final

from starlette.types import Receive, Scope

from letterlock.relay._server._budget import Budget

_LINGER_SECONDS: Final = 2.0
_LINGER_BYTES: Final = 8 * 1024 * 1024
"""How much of a refused body is read and thrown away."""


class BodyRefused(Exception):
    """The body was not read to its end, and why."""


class TooLarge(BodyRefused):
    """It has more bytes than the call may have."""


class TooSlow(BodyRefused):
    """It did not come in time."""


class NoMemory(BodyRefused):
    """Other bodies and answers use all the memory there is for them."""


class Gone(BodyRefused):
    """The client closed the connection."""


class Body:
    """The body of one request. Use it as a context: its bytes are given back to the budget at the end."""

    def __init__(self, receive: Receive, budget: Budget, *, known: bool) -> None:
        self._receive = receive
        self._budget = budget
        self._known = known
        self._held = 0

    async def read(self, scope: Scope, most: int, seconds: float) -> bytes:
        """Return the whole body. Raises BodyRefused."""
        if (announced := content_length(scope)) is not None and announced > most:
            raise TooLarge
        try:
            async with asyncio.timeout(seconds):
                return await self._read(most)
        except TimeoutError:
            raise TooSlow from None

    async def _read(self, most: int) -> bytes:
        parts: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise Gone
            part: bytes = message.get("body", b"")
            if self._held + len(part) > most:
                raise TooLarge
            if not self._budget.take(len(part), known=self._known):
                raise NoMemory
            self._held += len(part)
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self) -> None:
        """Give the bytes back to the budget."""
        self._budget.give_back(self._held)
        self._held = 0


async def discard(receive: Receive) -> None:
    """Read and throw away what a refused body still has, within bounds."""
    rest = _LINGER_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while rest > 0:
                message = await receive()
                rest -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return


def content_length(scope: Scope) -> int | None:
    """Return what the head announces, or None. The server has checked that it is a number."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)
    return None
