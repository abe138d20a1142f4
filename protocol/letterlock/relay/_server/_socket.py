"""GET /v1/socket: a WebSocket that pushes mail and takes acknowledgements.

    relay to client     mail frames, as soon as there is mail; acknowledgements, once carried out; the newest
                        number on the user's shelf, and of each group that is followed, at first and
                        whenever something came
    client to relay     acknowledgements, and which groups to follow

A socket is a loop of fetches that skip what is in flight, beside a loop of acknowledgements. So it can do no
more and no less than the calls, and a frame that is lost with its connection comes again.

Sockets share a bounded memory for the mail that clients have not taken yet. One that finds no room forgets
what it fetched, and fetches again when it is its turn.

Not here: fetch and acknowledgement (the relay's core); one socket a device (_sockets.py).
"""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from time import time
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from letterlock._wire.relay_calls import CALL_OF_REQUEST
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_group import FollowFrame
from letterlock._wire.relay_limits import MAX_ACKNOWLEDGED, MAX_FETCH_ANSWER, MAX_FETCHED, MAX_WAIT
from letterlock._wire.relay_mail import AckRequest, FetchAnswer, FetchRequest, MailFrame, read_sent_frame
from letterlock._wire.relay_shelf import ShelfFrame
from letterlock.errors import LetterlockError, StoreError
from letterlock.relay._relay import Relay
from letterlock.relay._reply import Refused, Reply
from letterlock.relay._server._answer import SMALL_ANSWER, refuse, unavailable
from letterlock.relay._server._budget import Share
from letterlock.relay._server._calls import read_bearer
from letterlock.relay._server._following import Following, Room
from letterlock.relay._server._metrics import Metrics
from letterlock.relay._server._sockets import Place, Sockets

MALFORMED: Final = 4400
TOKEN_ENDED: Final = 4401
DISPLACED: Final = 4409
RESTART: Final = 1012

MOST_FRAME: Final = 16 * 1024
"""Bytes of a frame from a client: 256 ids take 4.5 KiB."""

_FOLLOW_SECONDS: Final = 1.0
"""Seconds between two frames of one client that say which groups to follow: each may begin 256 watches."""

_LATER: Final = 60
"""Seconds after which a shelf is watched again that could not be watched, or that the device may not see."""

_TAKEN: Final[Message] = {"type": "websocket.send"}
"""Sends nothing, and waits like every message until the client has taken nearly all before it."""

_FETCH: Final = CALL_OF_REQUEST[FetchRequest]
_ACK: Final = CALL_OF_REQUEST[AckRequest]


class SocketCalls:
    """An ASGI application for the socket."""

    def __init__(self, relay: Relay, sockets: Sockets, metrics: Metrics, memory: Share) -> None:
        self._relay = relay
        self._sockets = sockets
        self._metrics = metrics
        self._memory = memory
        self._room = Room()

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
        held = _Held(self._memory, scope)
        line = _Line(self._relay, token, (receive, send), place, held, self._room)
        try:
            await send({"type": "websocket.accept"})
            await self._serve(line, session.until - now)
        finally:
            await line.following.end()
            held.give_back()
            self._sockets.leave(place)
            self._metrics.socket(-1)
            if place.code == DISPLACED:
                self._metrics.displaced()

    async def _serve(self, line: "_Line", seconds: float) -> None:
        """Run the loops of a socket until one of them ends, or its place or its token does."""
        tasks = {
            asyncio.ensure_future(each)
            for each in (
                line.push(),
                line.take(),
                line.tell(),
                line.place.ended.wait(),
            )
        }
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks - done:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not done:
            line.place.end(TOKEN_ENDED)
        with suppress(Exception):  # the client may be faster
            await line.close()
        for task in done:
            task.result()  # raises what a loop raised


class _Held:
    """The memory that one socket has of what all share: for mail that its client has not taken yet."""

    def __init__(self, share: Share, scope: Scope) -> None:
        self._share = share
        self._scope = scope
        self._size = 0

    async def most(self) -> None:
        """Wait until there is memory for any frame."""
        await self._share.wait_for(MAX_FETCH_ANSWER)
        self._size = MAX_FETCH_ANSWER

    def fit(self, size: int) -> bool:
        """Hold so many bytes, more or less than before. Return False if there is no memory for more."""
        if size > self._size and not self._share.take(size - self._size):
            return False
        if size < self._size:
            self._share.give_back(self._size - size)
        self._size = size
        return True

    def writing(self) -> AbstractContextManager[None]:
        """Know, while the block runs, that the client is to take what is held for it."""
        return self._share.writing(self._scope)

    def give_back(self) -> None:
        """Let all of it go."""
        self._share.give_back(self._size)
        self._size = 0


class _Line:
    """One socket: what is in flight, what it follows, and the loops."""

    __slots__ = (
        "_followed", "_held", "_in_flight", "_is_open", "_receive", "_relay", "_room", "_token",
        "following", "place", "send",
    )  # fmt: skip

    def __init__(
        self,
        relay: Relay,
        token: bytes,
        ends: tuple[Receive, Send],
        place: Place,
        held: _Held,
        followed: Room,
    ) -> None:
        self._relay = relay
        self._held = held
        self._token = token
        self._receive, self.send = ends
        self._in_flight: set[bytes] = set()
        self._room = asyncio.Event()
        self.following = Following(relay, token, followed, self._tell)
        self._followed = -_FOLLOW_SECONDS
        self.place = place
        self._is_open = True

    async def _tell(self, frame: bytes) -> None:
        await self.send({"type": "websocket.send", "bytes": frame})

    async def push(self) -> None:
        """Push mail until the socket or the token ends."""
        while not self.place.ended.is_set():
            while len(self._in_flight) >= MAX_ACKNOWLEDGED:
                self._room.clear()
                await self._room.wait()
            if not await self._push(MAX_WAIT):
                await self._held.most()
                await self._push(0)
            self._held.give_back()

    async def _push(self, wait: int) -> bool:
        """Push what there is, and return when the client has taken nearly all of it.

        Return False if there is no memory for it.
        """
        ids, frame = await self._mail(wait)
        if not self._held.fit(len(frame) if len(frame) > SMALL_ANSWER else 0):
            return False
        if ids:
            self._in_flight.update(ids)
            with self._held.writing():
                await self.send({"type": "websocket.send", "bytes": frame})
                del frame  # what is not sent yet stands in a buffer of the connection
                await self.send(_TAKEN)
        return True

    async def tell(self) -> None:
        """Tell of the user's shelf until the socket ends. What fails is tried again later."""
        while True:
            with suppress(Refused, StoreError):
                async with self._relay.shelf_news(self._token, int(time())) as news:
                    while True:
                        newest = await news.next(MAX_WAIT)
                        if newest is not None:
                            await self._tell(ShelfFrame(newest).encode())
            await asyncio.sleep(_LATER)

    async def close(self) -> None:
        """Close the socket, unless the client did, and wait until it has taken what was sent to it."""
        with self._held.writing():
            if self._is_open:
                await self.send({"type": "websocket.close", "code": self.place.code})
            await self.send(_TAKEN)

    async def _mail(self, wait: int) -> tuple[list[bytes], bytes]:
        """Return the ids of the next messages, and their frame; nothing if none came in so many seconds."""
        most = min(MAX_FETCHED, MAX_ACKNOWLEDGED - len(self._in_flight))
        request = FetchRequest(most, wait, tuple(sorted(self._in_flight)))
        reply = await self._relay.handle(_FETCH, request.encode(), self._token, int(time()))
        if reply.status == 200:
            answer = FetchAnswer.decode(reply.body)
            frame = MailFrame(answer.stock, answer.deliveries).encode()
            return [each.id for each in answer.deliveries], frame
        if reply.status == RelayCode.UNKNOWN.status:
            self.place.end(TOKEN_ENDED)
        else:
            await asyncio.sleep(reply.retry_after or 1)
        return [], b""

    async def take(self) -> None:
        """Take acknowledgements, and which groups to follow, until the client closes the socket."""
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._is_open = False
                return
            match _sent(message):
                case None:
                    self.place.end(MALFORMED)
                    return
                case FollowFrame(groups):
                    await self._follow(groups)
                case AckRequest(ids):
                    reply = await self._acknowledge(message["bytes"])
                    if reply.status != 200:
                        self.place.end(TOKEN_ENDED)
                        return
                    self._in_flight.difference_update(ids)
                    self._room.set()
                    await self._tell(message["bytes"])

    async def _follow(self, groups: Iterable[bytes]) -> None:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self._followed + _FOLLOW_SECONDS - clock())
        self._followed = clock()
        self.following.follow(groups)

    async def _acknowledge(self, frame: bytes) -> Reply:
        while True:
            reply = await self._relay.handle(_ACK, frame, self._token, int(time()))
            if reply.retry_after is None:
                return reply
            await asyncio.sleep(reply.retry_after)


def _sent(message: Message) -> AckRequest | FollowFrame | None:
    """Return the frame that a client sent, or None if it is none."""
    frame = message.get("bytes")
    if not isinstance(frame, bytes) or len(frame) > MOST_FRAME:
        return None
    try:
        return read_sent_frame(frame)
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
