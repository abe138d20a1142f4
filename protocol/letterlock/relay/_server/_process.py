"""One process of uvicorn: it serves applications on sockets until it is told to stop.

    SIGTERM   what was given to `drain` runs, requests end within `drain-seconds`

Not here: the applications; starting and ending several processes (_supervisor.py).
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import uvicorn
from starlette.types import ASGIApp

from letterlock.relay._server._address import BACKLOG
from letterlock.relay._server._bus import Bus
from letterlock.relay._server._connection import (
    MOST_HEAD,
    Bounds,
    HttpConnection,
    SocketConnection,
    with_bounds,
)
from letterlock.relay._server._logs import Faults
from letterlock.relay._server._metrics import Metrics
from letterlock.relay._server._socket import MOST_FRAME

_PING_SECONDS: Final = 45.0
"""Seconds between the pings of an idle socket: proxies close connections that are idle for a minute."""

_PONG_SECONDS: Final = 20.0

_STOPS: Final = (signal.SIGTERM, signal.SIGINT)


class Timing(Protocol):
    """The settings that bound connections."""

    @property
    def connections(self) -> int:
        """How many there may be."""
        ...

    @property
    def header_seconds(self) -> int:
        """Time for the head of a request."""
        ...

    @property
    def answer_seconds(self) -> int:
        """Time for a client to take an answer."""
        ...

    @property
    def idle_seconds(self) -> int:
        """Time between two requests."""
        ...

    @property
    def drain_seconds(self) -> int:
        """Time for requests to end after SIGTERM."""
        ...


@dataclass(frozen=True, slots=True)
class Listeners:
    """The sockets that the processes share; `metrics` has its own address or none."""

    calls: socket.socket
    metrics: socket.socket | None


@dataclass(frozen=True, slots=True)
class Process:
    """What a process is told. `names` are the server's own; `bus` leads to other ones, if there are any."""

    names: tuple[str, ...]
    listeners: Listeners
    first: bool
    bus: socket.socket | None
    started: Callable[[], None]


class HttpServers:
    """The applications of a process: the calls, and the metrics if they have an address of their own."""

    def __init__(self, process: Process, timing: Timing, metrics: Metrics, faults: Faults) -> None:
        self._process = process
        self._timing = timing
        self._bounds = Bounds(
            timing.connections, timing.header_seconds, timing.answer_seconds, metrics, faults
        )

    async def run(
        self,
        calls: ASGIApp,
        metrics: ASGIApp,
        drain: Callable[[], None],
        connect: Callable[[socket.socket, Callable[[], None]], Bus],
    ) -> None:
        """Serve until a signal comes. `drain` runs before requests end. `connect` makes the bus."""
        listeners = self._process.listeners
        servers = [_Server(self._config(calls), drain)]
        sockets = [listeners.calls]
        if listeners.metrics is not None:
            servers.append(_Server(self._config(metrics), None))
            sockets.append(listeners.metrics)
        bus = None if self._process.bus is None else connect(self._process.bus, lambda: _stop(servers))
        _stop_on_signals(servers)
        try:
            await self._serve(servers, sockets)
        finally:
            if bus:
                bus.close()

    async def _serve(self, servers: "Sequence[_Server]", sockets: Sequence[socket.socket]) -> None:
        serving = [
            asyncio.ensure_future(server.serve([each])) for server, each in zip(servers, sockets, strict=True)
        ]
        await asyncio.gather(*(server.serving.wait() for server in servers))
        self._process.started()
        await asyncio.gather(*serving)

    def _config(self, app: ASGIApp) -> uvicorn.Config:
        return uvicorn.Config(
            app,
            http=with_bounds(HttpConnection, self._bounds),
            ws=with_bounds(SocketConnection, self._bounds),
            loop="asyncio",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws_max_size=MOST_FRAME,
            ws_ping_interval=_PING_SECONDS,
            ws_ping_timeout=_PONG_SECONDS,
            ws_per_message_deflate=False,
            timeout_keep_alive=self._timing.idle_seconds,
            timeout_graceful_shutdown=self._timing.drain_seconds,
            h11_max_incomplete_event_size=MOST_HEAD,
            backlog=BACKLOG,
        )


class _Server(uvicorn.Server):
    """uvicorn's server; it leaves signals alone, and drains first."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._drain = drain
        self.serving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to the process."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections."""
        await super().startup(sockets)
        self.serving.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let waiting calls and sockets end, then all other requests."""
        if self._drain:
            self._drain()
            await asyncio.sleep(0)  # the sockets say why they close before uvicorn closes them
        await super().shutdown(sockets)


def _stop(servers: Sequence[_Server]) -> None:
    for server in servers:
        server.should_exit = True


def _stop_on_signals(servers: Sequence[_Server]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.force_exit = server.should_exit  # a second signal: do not wait
            server.should_exit = True

    def later(*_: object) -> None:
        loop.call_soon_threadsafe(stop)

    for number in _STOPS:
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # an event loop without them, on Windows
            signal.signal(number, later)
