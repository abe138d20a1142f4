"""POST /v1/NAME: from a request to the answer of a core, which is the relay or what stands beside it.

What can be refused by its head is refused before a byte of the body is read: the call, the method, the media
type, the announced length, and the token where the call needs one. So a stranger costs little memory.

Not here: what the calls do (the cores, _core.py); the socket (_socket.py).
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from time import perf_counter, time
from typing import Final

from starlette.types import Receive, Scope, Send

from letterlock._wire.relay_calls import CONTENT_TYPE, TokenUse
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import KIB, MAX_STRANGERS_PART
from letterlock._wire.relay_login import read_token_text
from letterlock.relay._reply import Reply
from letterlock.relay._server._answer import (
    RETRY_SECONDS,
    SMALL_ANSWER,
    code_of,
    refuse,
    send_last_reply,
    send_reply,
    unavailable,
)
from letterlock.relay._server._body import (
    Body,
    BodyRefused,
    NoMemory,
    TooLarge,
    TooSlow,
    discard,
)
from letterlock.relay._server._budget import Budget
from letterlock.relay._server._core import AnyCall, Core
from letterlock.relay._server._logs import LOGGER, Faults, event
from letterlock.relay._server._metrics import Metrics
from letterlock.relay._session import Session

_WAITING: Final = frozenset({"fetch", "get", "group-texts"})
"""The calls that may wait. While one does, its client may go away."""

_AT_ONCE: Final = 0.05
"""Seconds after which a call that may wait is taken to wait."""

_MOST_WAITING: Final = 4
"""Calls of one device that wait at the same time. One is enough for any client."""

_UNKNOWN: Final = "unknown"
"""What the metrics call a path that is no call."""

_VERSION: Final = "/v1/"
"""What every path begins with. Metrics leave it out."""

_ALLOW_POST: Final = ((b"allow", b"POST"),)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the head of a request says."""

    call: AnyCall
    session: Session | None
    most: int


class _Refused(Exception):
    """The head alone is enough to refuse a request."""

    def __init__(self, reply: Reply, more: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__()
        self.reply = reply
        self.more = more


class Calls:
    """An ASGI application for all calls of a core."""

    def __init__(
        self, core: Core, metrics: Metrics, faults: Faults, budget: Budget, body_seconds: float
    ) -> None:
        self._core = core
        self._metrics = metrics
        self._faults = faults
        self._budget = budget
        self._seconds = body_seconds
        self._waiting: Counter[tuple[bytes, int]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = perf_counter()
        call = self._core.find(scope["path"])
        more: tuple[tuple[bytes, bytes], ...] = ()
        asked: _Asked | None = None
        read = False
        try:
            asked = self._head(call, scope)
            reply, read = await self._answer(asked, scope, receive)
        except _Refused as refused:
            reply, more = refused.reply, refused.more
        except Exception as error:  # noqa: BLE001 - no client learns more than that it failed
            self._faults.note(error)
            reply = unavailable()
        size = len(reply.body)
        known = asked is not None and asked.session is not None
        if size <= SMALL_ANSWER:
            size = 0
        elif not self._budget.take(size, known=known):
            reply, size = unavailable(), 0
        self._count(call, code_of(reply), perf_counter() - begun)
        try:
            if not read:
                await send_last_reply(send, reply, discard(receive), more)
            elif size:
                with self._budget.writing(scope):
                    await send_reply(send, reply, more)
            else:
                await send_reply(send, reply, more)
        finally:
            self._budget.give_back(size)

    def _count(self, call: AnyCall | None, code: str, seconds: float) -> None:
        name = call.path.removeprefix(_VERSION) if call else _UNKNOWN
        self._metrics.request(name, code, seconds)
        if LOGGER.isEnabledFor(logging.DEBUG):
            event(logging.DEBUG, "request", call=name, code=code, milliseconds=round(seconds * 1000, 1))

    def _head(self, call: AnyCall | None, scope: Scope) -> _Asked:
        """Return what the head asks for. Raises _Refused."""
        if call is None:
            raise _Refused(refuse(RelayCode.MALFORMED, status=404))
        if scope["method"] != "POST":
            raise _Refused(refuse(RelayCode.MALFORMED, status=405), _ALLOW_POST)
        token: bytes | None = None
        media = b""
        for name, value in scope["headers"]:
            if name == b"content-type":
                media = value
            elif name == b"authorization":
                token = read_bearer(value)
            elif name == b"content-encoding" and value != b"identity":
                raise _Refused(refuse(RelayCode.MALFORMED, status=415))
        if media.partition(b";")[0].strip().lower() != CONTENT_TYPE.encode():
            raise _Refused(refuse(RelayCode.MALFORMED, status=415))
        session = self._core.session(token, int(time())) if token else None
        if session is None and call.token is TokenUse.ALWAYS:
            raise _Refused(refuse(RelayCode.UNKNOWN))
        most = call.size
        if session is None and call.token is TokenUse.BY_STEP:
            most = MAX_STRANGERS_PART + KIB
        return _Asked(call, session, most)

    async def _answer(self, asked: _Asked, scope: Scope, receive: Receive) -> tuple[Reply, bool]:
        """Return the answer, and whether the whole body was read."""
        body = Body(receive, self._budget, known=asked.session is not None)
        try:
            data = await body.read(scope, asked.most, self._seconds)
            return await self._handle(asked, data, scope, receive), True
        except BodyRefused as refused:
            return _reply_to(refused, asked), False
        finally:
            body.release()

    async def _handle(self, asked: _Asked, data: bytes, scope: Scope, receive: Receive) -> Reply:
        work = self._core.answer(asked.call.path, data, asked.session, scope)
        if asked.call.name not in _WAITING:
            return await work
        who = (asked.session.account, asked.session.device) if asked.session else None
        if who and self._waiting[who] >= _MOST_WAITING:
            work.close()
            return refuse(RelayCode.SLOW_DOWN, RETRY_SECONDS)
        if who:
            self._waiting[who] += 1
        try:
            return await _unless_gone(asyncio.ensure_future(work), receive)
        finally:
            if who:
                self._waiting[who] -= 1
                if not self._waiting[who]:
                    del self._waiting[who]


async def _unless_gone(work: "asyncio.Task[Reply]", receive: Receive) -> Reply:
    """Return the answer of a call that may wait. If the client goes away, the call ends."""
    watch: asyncio.Task[object] | None = None
    try:
        done, _ = await asyncio.wait({work}, timeout=_AT_ONCE)
        if not done:
            watch = asyncio.ensure_future(_client_gone(receive))
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else unavailable()
    finally:
        for task in (work, watch):
            if task is not None and not task.done():
                task.cancel()


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] == "http.request":
        pass


def _reply_to(refused: BodyRefused, asked: _Asked) -> Reply:
    match refused:
        case TooLarge():
            return refuse(RelayCode.TOO_LARGE, asked.most)
        case TooSlow():
            return refuse(RelayCode.MALFORMED, status=408)
        case NoMemory():
            return unavailable()
        case _:
            return refuse(RelayCode.MALFORMED)


def read_bearer(value: bytes) -> bytes | None:
    """Return the token of an `Authorization` header, or None if it holds none."""
    scheme, _, text = value.partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    return read_token_text(text.strip().decode("latin-1"))
