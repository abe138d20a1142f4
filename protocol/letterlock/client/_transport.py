"""Transport: how calls reach a relay, as protocols, and what comes back.

Not here: HTTP (_http.py); what the bodies mean (_connection.py).
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol

MAX_SECONDS: Final = 3600
"""The longest pause that a relay may ask for. A longer one counts as this one."""
DISPLACED: Final = 4409
"""The code with which a relay closes a socket when the same device opened another one."""
TOKEN_ENDED: Final = 4401
"""The code with which it closes a socket whose token has ended."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an HTTP server answered. `retry_after` is in seconds, 0 if it did not say."""

    status: int
    body: bytes = field(repr=False)
    retry_after: int = 0


class SocketClosed(Exception):
    """The socket was closed, by whichever side. It never leaves the package."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Socket(Protocol):
    """An open WebSocket of binary frames."""

    async def send(self, frame: bytes) -> None:
        """Send a frame. Raises SocketClosed."""
        ...

    async def receive(self) -> bytes:
        """Return the next frame. Raises SocketClosed, also for one that is too long or no bytes."""
        ...


class Transport(Protocol):
    """A way to one relay. Any method may be called from many tasks at once."""

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Reply:
        """Post a body and return the answer, whose body has at most `most` bytes.

        `wait` is for how many seconds the relay may hold the request. Raises RelayUnavailable, and
        RelayMisbehaves for an answer that is longer, compressed, or leads elsewhere.
        """
        ...

    def socket(self, token: bytes, most: int) -> AbstractAsyncContextManager[Socket]:
        """Open a socket whose frames have at most `most` bytes. Raises RelayUnavailable."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
