"""GET /v1/socket: a WebSocket that pushes mail and takes acknowledgements.

    relay to client     mail frames, as soon as there is mail; acknowledgements, once carried out
    client to relay     acknowledgements

A socket is a loop of fetches that skip what is in flight, beside a loop of acknowledgements. So it can do no
more and no less than the calls, and a frame that is lost with its connection comes again.

Not here: fetch and acknowledgement (the relay's core); one socket a device (_sockets.py).
"""

import asyncio
from contextlib import suppress
from time import time
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from letterlock._wire.relay_calls import CALL_OF_REQUEST
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_ACKNOWLEDGED, MAX_FETCHED, MAX_WAIT
from letterlock._wire.relay_mail import AckRequest, FetchAnswer, FetchRequest, MailFrame
from letterlock.errors import LetterlockError
from letterlock.relay._relay import Relay
from letterlock.relay._reply import Reply
from letterlock.relay._server._answer import refuse, unavailable
from letterlock.relay._server._calls import read_bearer
from letterlock.relay._server._metrics import Metrics
from letterlock.relay._server._sockets import Place, Sockets

MALFORMED: Final = 4400
TOKEN_ENDED: Final = 4401
DISPLACED: Final = 4409
RESTART: Final = 1012

MOST_FRAME: Final = 16 * 1024
"""Bytes of a frame from a client: 256 ids take 4.5 KiB."""

_FETCH: Final = CALL_OF_REQUEST[FetchRequest]
_ACK: Final = CALL_OF_REQUEST[AckRequest]


class SocketCalls:
    """An ASGI application for the socket."""

    def __init__(self, relay: Relay, sockets: Sockets, metrics: Metrics) -> None:
        self._relay = relay
        self._sockets = sockets
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until one side closes it."""
        await receive()  # the connection: it was not accepted yet
        token = _token(scope)
        now = int(time())
        session = self._relay.session(token, now) if token else None
        if token is None or session is None:
            await _reject(send, refuse(RelayCode.UNKNOWN))
            return
        if self._sockets.full:
            await _reject(send, unavailable())
            return
        # The place has the time of the opening, so it is taken before the client knows that it is open.
        place = self._sockets.enter((session.account, session.device, session.added, session.user))
        self._metrics.socket(1)
        try:
            await send({"type": "websocket.accept"})
            await self._serve(_Line(self._relay, token, receive, send, place), session.until - now)
        finally:
            self._sockets.leave(place)
            self._metrics.socket(-1)
            if place.code == DISPLACED:
                self._metrics.displaced()

    async def _serve(self, line: "_Line", seconds: float) -> None:
        """Run the loops of a socket until one of them ends, or its place or its token does."""
        tasks = {asyncio.ensure_future(each) for each in (line.push(), line.take(), line.place.ended.wait())}
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks - done:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not done:
            line.place.end(TOKEN_ENDED)
        if line.is_open:
            with suppress(Exception):  # the client may be faster
                await line.send({"type": "websocket.close", "code": line.place.code})
        for task in done:
            task.result()  # raises what a loop raised


class _Line:
    """One socket: what is in flight, and the two loops."""

    __slots__ = ("_in_flight", "_receive", "_relay", "_room", "_token", "is_open", "place", "send")

    def __init__(self, relay: Relay, token: bytes, receive: Receive, send: Send, place: Place) -> None:
        self._relay = relay
        self._token = token
        self._receive = receive
        self._in_flight: set[bytes] = set()
        self._room = asyncio.Event()
        self.send = send
        self.place = place
        self.is_open = True

    async def push(self) -> None:
        """Push mail until the socket or the token ends."""
        while not self.place.ended.is_set():
            while (room := MAX_ACKNOWLEDGED - len(self._in_flight)) <= 0:
                self._room.clear()
                await self._room.wait()
            request = FetchRequest(min(MAX_FETCHED, room), MAX_WAIT, tuple(sorted(self._in_flight)))
            reply = await self._relay.handle(_FETCH, request.encode(), self._token, int(time()))
            if reply.status == 200:
                await self._push(FetchAnswer.decode(reply.body))
            elif reply.status == RelayCode.UNKNOWN.status:
                self.place.end(TOKEN_ENDED)
                return
            else:
                await asyncio.sleep(reply.retry_after or 1)

    async def _push(self, answer: FetchAnswer) -> None:
        if answer.deliveries:
            self._in_flight.update(each.id for each in answer.deliveries)
            frame = MailFrame(answer.stock, answer.deliveries).encode()
            await self.send({"type": "websocket.send", "bytes": frame})

    async def take(self) -> None:
        """Take acknowledgements until the client closes the socket."""
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self.is_open = False
                return
            ids = _acknowledged(message)
            if ids is None:
                self.place.end(MALFORMED)
                return
            reply = await self._acknowledge(message["bytes"])
            if reply.status != 200:
                self.place.end(TOKEN_ENDED)
                return
            self._in_flight.difference_update(ids)
            self._room.set()
            await self.send({"type": "websocket.send", "bytes": message["bytes"]})

    async def _acknowledge(self, frame: bytes) -> Reply:
        while True:
            reply = await self._relay.handle(_ACK, frame, self._token, int(time()))
            if reply.retry_after is None:
                return reply
            await asyncio.sleep(reply.retry_after)


def _acknowledged(message: Message) -> tuple[bytes, ...] | None:
    """Return the ids that a frame acknowledges, or None if it does not."""
    frame = message.get("bytes")
    if not isinstance(frame, bytes) or len(frame) > MOST_FRAME:
        return None
    try:
        return AckRequest.decode(frame).ids
    except LetterlockError:
        return None


def _token(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return read_bearer(value)
    return None


async def _reject(send: Send, reply: Reply) -> None:
    """Answer a handshake as a call is answered."""
    headers = [(b"content-type", b"application/cbor"), (b"content-length", b"%d" % len(reply.body))]
    if reply.retry_after is not None:
        headers.append((b"retry-after", b"%d" % reply.retry_after))
    await send({"type": "websocket.http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": reply.body})
