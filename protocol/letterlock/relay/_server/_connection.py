"""One connection, and what it may cost: a head in time, an answer taken in time, bounded buffers.

uvicorn bounds the size of a head and the time between requests. Its protocols have the rest of the bounds
here: a client that sends a head byte by byte, never reads an answer, or breaks HTTP in the middle of a body
loses the connection.

Not here: bodies (_body.py); what is answered (_application.py).
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final, cast

import h11
from starlette.types import Scope
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from letterlock.relay._server._budget import ABORT
from letterlock.relay._server._joined_writes import JoinedWrites
from letterlock.relay._server._logs import Faults
from letterlock.relay._server._metrics import Metrics

MOST_HEAD: Final = 16 * 1024
"""Bytes of a request line and its headers."""

_MOST_WAITING: Final = 8 * 1024 * 1024
"""Bytes that may wait until a client takes them: the largest answer, and a second one of a socket."""

_MOST_FRAGMENTS: Final = 64
"""Fragments of one WebSocket message. Empty ones would not count against its size."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection may cost, in seconds and connections, and who hears of more."""

    connections: int
    head_seconds: float
    answer_seconds: float
    metrics: Metrics
    faults: Faults


class _Watched:
    """The transport's side that both protocols share: closes a connection whose client takes nothing."""

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    bounds: ClassVar[Bounds]
    _answer_timer: asyncio.TimerHandle | None = None

    def watch_answer(self) -> None:
        """Give the client its time from now on to take what was written."""
        if self._answer_timer is None:
            self._answer_timer = self.loop.call_later(self.bounds.answer_seconds, self._too_slow)

    def answer_taken(self) -> None:
        """Stop the time."""
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    def _too_slow(self) -> None:
        self._answer_timer = None
        if self.transport.get_write_buffer_size():
            self.cut()

    def cut(self) -> None:
        """Close the connection at once, because its client is too slow."""
        self.bounds.metrics.late()
        self.transport.abort()


class HttpConnection(_Watched, H11Protocol):
    """A connection that speaks HTTP."""

    _head_timer: asyncio.TimerHandle | None = None
    _became_socket = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections:
            self.bounds.metrics.refused()
            transport.abort()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        self.answer_taken()
        self._unset_keepalive_if_required()
        with suppress(Exception):  # what uvicorn tells h11 of an end may not fit h11's state
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception as error:  # noqa: BLE001 - h11 saw a state that uvicorn did not expect
            self.bounds.faults.note(error)
            self.transport.abort()
            return
        if self._became_socket or self._is_answering():
            self._head_came()
        else:
            self._await_head()

    def send_400_response(self, msg: str) -> None:
        if self._is_answering():  # the rest of its body is no HTTP: there is no request any more
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.transport.abort()
        else:
            super().send_400_response(msg)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self.watch_answer()

    def handle_events(self) -> None:
        super().handle_events()
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and cycle.transport is self.transport:  # it has not begun to answer
            cycle.transport = JoinedWrites.around(self.transport)
        _let_abort(self)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._became_socket = True  # this object sees nothing more of the connection
        self._head_came()
        self.answer_taken()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.watch_answer()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.answer_taken()

    def _is_answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None until the first request
        return cycle is not None and not cycle.response_complete

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.bounds.head_seconds, self._no_head)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _no_head(self) -> None:
        self._head_timer = None
        if not self._is_answering():
            self.bounds.metrics.late()
            self.transport.abort()


class SocketConnection(_Watched, WebSocketsSansIOProtocol):
    """A connection that became a WebSocket."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.answer_taken()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception as error:  # noqa: BLE001 - frames that the library did not expect
            self.bounds.faults.note(error)
            self.transport.abort()
        if self.transport.get_write_buffer_size() > _MOST_WAITING:  # pings whose pongs nobody reads
            self.transport.abort()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        _let_abort(self)

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:  # the client reads nothing: its pongs would be held for it
            self.conn.data_to_send()

    def handle_text(self, event: Frame) -> None:
        del event
        self._refuse(1003, "binary frames only")

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= _MOST_FRAGMENTS:
            self._refuse(1009, "too many fragments")
        else:
            super().handle_cont(event)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.watch_answer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.watch_answer()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.answer_taken()

    async def send(self, message: ASGISendEvent) -> None:
        """Send, and know that a handshake that was refused is complete: uvicorn would log each one."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True

    def send_500_response(self) -> None:
        if not (self.initial_response or self.handshake_complete):
            self.conn.send_response(self.conn.reject(503, ""))
            self.transport.write(b"".join(self.conn.data_to_send()))

    def _refuse(self, code: int, reason: str) -> None:
        self.frames = []
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()
            self.watch_answer()


def _let_abort(connection: HttpConnection | SocketConnection) -> None:
    """Tell the application, which has not begun with a request yet, how to close its connection at once."""
    scope = cast("Scope | None", getattr(connection, "scope", None))
    if scope is not None:  # there was a request
        scope.setdefault("extensions", {})[ABORT] = connection.cut


def with_bounds(
    kind: type[HttpConnection] | type[SocketConnection], bounds: Bounds
) -> type[asyncio.Protocol]:
    """Return this class of connections with these bounds: uvicorn makes the instances by itself."""
    return cast("type[asyncio.Protocol]", type(kind.__name__, (kind,), {"bounds": bounds}))
