"""Answers as HTTP: status, a few headers, and a body in CBOR.

Not here: what the relay answers to a call; pages for people (_pages.py).
"""

from collections.abc import Awaitable
from typing import Final

from starlette.types import Send

from letterlock._wire.relay_calls import CONTENT_TYPE
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_limits import KIB
from letterlock.relay._reply import Reply

RETRY_SECONDS: Final = 5
"""When to come back to a relay that cannot answer now."""

SMALL_ANSWER: Final = 4 * KIB
"""Bytes of an answer that is not counted while it is written: a connection itself takes more."""

OK: Final = "OK"

Headers = tuple[tuple[bytes, bytes], ...]

_CONTENT_TYPE: Final = (b"content-type", CONTENT_TYPE.encode())
_NO_STORE: Final = (b"cache-control", b"no-store")
_CLOSE: Final = (b"connection", b"close")


def refuse(code: RelayCode, number: int = 0, *, status: int | None = None) -> Reply:
    """Return a refusal; `status` only where HTTP has a better one than the code's own."""
    waits = code in {RelayCode.SLOW_DOWN, RelayCode.UNAVAILABLE}
    body = ErrorAnswer(code, number).encode()
    return Reply(status or code.status, body, number if waits else None)


def unavailable() -> Reply:
    """Return the answer of a relay that cannot answer now."""
    return refuse(RelayCode.UNAVAILABLE, RETRY_SECONDS)


def code_of(reply: Reply) -> str:
    """Return the name of the answer's code, for the metrics."""
    return OK if reply.status == 200 else ErrorAnswer.decode(reply.body).code.name


async def send_reply(send: Send, reply: Reply, more: Headers = ()) -> None:
    """Send an answer, and return when nearly all of it was taken by the system."""
    await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply, more)})
    await send({"type": "http.response.body", "body": reply.body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})  # waits while the client is slow


async def send_last_reply(
    send: Send, reply: Reply, rest: Awaitable[None] | None = None, more: Headers = ()
) -> None:
    """Send an answer to a request whose body was not read, and close the connection after `rest`.

    A client that is cut off while it sends would see a broken connection, and not the answer.
    """
    headers = [*_headers(reply, more), _CLOSE]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": True})
    if rest is not None:
        await rest
    await send({"type": "http.response.body", "body": b""})


def _headers(reply: Reply, more: Headers) -> list[tuple[bytes, bytes]]:
    headers = [_CONTENT_TYPE, _NO_STORE, (b"content-length", b"%d" % len(reply.body)), *more]
    if reply.retry_after is not None:
        headers.append((b"retry-after", b"%d" % reply.retry_after))
    return headers
