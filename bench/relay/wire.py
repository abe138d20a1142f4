"""One HTTP/1.1 connection that is kept open, with as little of our own CPU as possible.

Not here: what the bodies hold (callers.py).
"""

import asyncio
from collections.abc import Iterable
from typing import Final, Self

from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_calls import CALL_OF_REQUEST, CONTENT_TYPE
from letterlock._wire.relay_error import ErrorAnswer
from letterlock._wire.relay_login import token_text

_LENGTH: Final = b"content-length: "
_CHUNKED: Final = b"transfer-encoding: chunked"


class Refusal(Exception):
    """The relay refused a call."""


class Connection:
    """Calls one after the other on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect to a server on this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**20))

    def close(self) -> None:
        """End the connection."""
        self._writer.close()

    async def post(self, path: str, body: bytes, token: bytes | None = None) -> tuple[int, bytes]:
        """Send a request, and return status and body of the answer."""
        bearer = (f"authorization: Bearer {token_text(token)}",) if token else ()
        return await self.call("POST", path, (f"content-type: {CONTENT_TYPE}", *bearer), body)

    async def call(
        self, method: str, path: str, headers: Iterable[str], body: bytes = b""
    ) -> tuple[int, bytes]:
        """Send a request with these headers, and return status and body of the answer."""
        lines = (f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *headers, f"content-length: {len(body)}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        if _CHUNKED in answer.lower():
            return int(answer[9:12]), await self._chunks()
        at = answer.lower().index(_LENGTH) + len(_LENGTH)
        length = int(answer[at : answer.index(b"\r", at)])
        return int(answer[9:12]), await self._reader.readexactly(length)

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)
        return body

    async def ask(self, request: RelayBody, token: bytes | None = None) -> bytes:
        """Make a call that must succeed, and return the answer's body."""
        call = CALL_OF_REQUEST[type(request)]
        status, body = await self.post(call.path, request.encode(), token)
        if status != 200:
            raise Refusal(f"{call.name}: {status}, {ErrorAnswer.decode(body)}")
        return body
