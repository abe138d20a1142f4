"""JoinedWrites: sends the head of an answer with the beginning of its body, in one packet.

uvicorn writes them one after the other, and each write is a call of the system, a packet, and a time that the
client is woken.

Not here: what is written (uvicorn), and for how long a client may take to read it (_connection.py).
"""

import asyncio
from typing import Any, Final, cast

_HEAD: Final = b"HTTP/1.1 "
_INTERIM: Final = b"HTTP/1.1 1"
"""How a head begins that has no body: a client waits for it before it sends its own."""


class JoinedWrites:
    """A transport that keeps the head of each answer until the next write."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    @classmethod
    def around(cls, transport: asyncio.Transport) -> asyncio.Transport:
        """Return a transport whose writes are joined."""
        return cast("asyncio.Transport", cls(transport))

    def write(self, data: bytes) -> None:
        """Write, or keep what is the head of an answer."""
        head, self._head = self._head, b""
        if not head and data.startswith(_HEAD) and not data.startswith(_INTERIM):
            self._head = data
        else:
            self._transport.write(head + data if head else data)

    def close(self) -> None:
        """Close the connection when all that was written is on its way."""
        if self._head:
            self.write(b"")
        self._transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (an attribute of the transport)
        return getattr(self._transport, name)
