"""One worker: a process that serves the sockets it is given, until it is told to stop.

    SIGTERM   ready answers 503, waiting calls get their answer, sockets close with 1012, requests end,
              the store is closed

Not here: starting and ending several workers (_supervisor.py).
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import uvicorn
from starlette.routing import Route
from starlette.types import ASGIApp

from letterlock.relay._opening import open_store
from letterlock.relay._relay import Relay
from letterlock.relay._server._address import BACKLOG
from letterlock.relay._server._application import application, metrics_application
from letterlock.relay._server._budget import Budget, Share
from letterlock.relay._server._bus import Bus
from letterlock.relay._server._calls import Calls
from letterlock.relay._server._connection import (
    MOST_HEAD,
    Bounds,
    HttpConnection,
    SocketConnection,
    with_bounds,
)
from letterlock.relay._server._logs import Faults
from letterlock.relay._server._metrics import Metrics, release
from letterlock.relay._server._pages import Pages
from letterlock.relay._server._rates import Rates
from letterlock.relay._server._settings import Settings
from letterlock.relay._server._socket import DISPLACED, MOST_FRAME, RESTART, SocketCalls
from letterlock.relay._server._sockets import Sockets
from letterlock.relay._server._status_page import Status
from letterlock.relay._server._upkeep import Upkeep
from letterlock.relay._settings import RelaySettings
from letterlock.relay._store import RelayStore

_PING_SECONDS: Final = 45.0
"""Seconds between the pings of an idle socket: proxies close connections that are idle for a minute."""

_PONG_SECONDS: Final = 20.0
_CLOSE_SECONDS: Final = 5.0
"""How long the store may take to end its work."""

_STOPS: Final = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Listeners:
    """The sockets that the workers share; `metrics` has its own address or none."""

    calls: socket.socket
    metrics: socket.socket | None


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker is told. `names` are the relay's own; `bus` leads to other workers, if there are any."""

    settings: Settings
    names: tuple[str, ...]
    listeners: Listeners
    first: bool
    bus: socket.socket | None
    started: Callable[[], None]


def run_worker(worker: Worker) -> None:
    """Serve until SIGTERM or SIGINT. Raises StoreError if the store cannot be used."""
    asyncio.run(_serve(worker))


async def _serve(worker: Worker) -> None:
    store = open_store(worker.settings.store)
    await store.open()
    try:
        await _Serving(worker, store).run()
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await store.close()


class _Serving:
    """The parts of a worker, put together."""

    def __init__(self, worker: Worker, store: RelayStore) -> None:
        settings = worker.settings
        self._worker = worker
        self._store = store
        self._metrics = Metrics()
        self._faults = Faults(self._metrics)
        self._relay = Relay(
            store,
            RelaySettings(
                name=worker.names[0],
                ticket_key=settings.ticket_key,
                mailbox_messages=settings.mailbox_messages,
                mailbox_bytes=settings.mailbox_bytes,
                mail_days=settings.mail_days,
                other_names=worker.names[1:],
                shelf_parcels=settings.shelf_parcels,
                shelf_bytes=settings.shelf_bytes,
            ),
            run=asyncio.to_thread,
        )
        self._sockets = Sockets(settings.sockets, DISPLACED)
        self._rates = Rates()
        self._begun = monotonic()
        self._pages = Pages(store, self._metrics, self._rates, self._status)
        self._upkeep = Upkeep(self._relay, store, self._metrics, self._rates, self._faults)

    async def run(self) -> None:
        """Serve until a signal comes."""
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        await self._relay.start()
        servers = [_Server(self._config(self._application()), self._drain)]
        sockets = [self._worker.listeners.calls]
        if self._worker.listeners.metrics is not None:
            servers.append(_Server(self._config(metrics_application(self._pages, self._faults)), None))
            sockets.append(self._worker.listeners.metrics)
        bus = self._connect(servers)
        _stop_on_signals(servers)
        upkeep = asyncio.ensure_future(self._upkeep.run(first=self._worker.first))
        serving = [
            asyncio.ensure_future(server.serve([each])) for server, each in zip(servers, sockets, strict=True)
        ]
        try:
            await asyncio.gather(*(server.serving.wait() for server in servers))
            self._worker.started()
            await asyncio.gather(*serving)
        finally:
            upkeep.cancel()
            await asyncio.gather(upkeep, return_exceptions=True)
            if bus:
                bus.close()

    def _connect(self, servers: "list[_Server]") -> Bus | None:
        if self._worker.bus is None:
            return None

        def gone() -> None:
            for server in servers:
                server.should_exit = True

        hear = self._sockets.hear
        bus = Bus(self._worker.bus, hear, gone)
        self._sockets.tell = bus.tell
        return bus

    def _application(self) -> ASGIApp:
        settings = self._worker.settings
        budget = Budget(settings.body_memory, self._metrics.body)
        calls = Calls(self._relay, self._metrics, self._faults, budget, settings.body_seconds)
        share = Share(budget, settings.body_memory // 2)
        socket_calls = SocketCalls(self._relay, self._sockets, self._metrics, share)
        routes = [Route("/", self._pages.index)] if settings.status_page else []
        if not settings.metrics_listen:
            routes.append(Route("/metrics", self._pages.local_metrics))
        return application(calls, socket_calls, self._pages, routes, self._faults)

    def _config(self, app: ASGIApp) -> uvicorn.Config:
        settings = self._worker.settings
        bounds = Bounds(
            settings.connections,
            settings.header_seconds,
            settings.answer_seconds,
            self._metrics,
            self._faults,
        )
        return uvicorn.Config(
            app,
            http=with_bounds(HttpConnection, bounds),
            ws=with_bounds(SocketConnection, bounds),
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
            timeout_keep_alive=settings.idle_seconds,
            timeout_graceful_shutdown=settings.drain_seconds,
            h11_max_incomplete_event_size=MOST_HEAD,
            backlog=BACKLOG,
        )

    def _status(self) -> Status:
        settings = self._worker.settings
        return Status(
            name=self._worker.names[0],
            release=release(),
            store=urlsplit(settings.store).scheme,
            tickets=settings.ticket_key is not None,
            workers=settings.workers,
            uptime=monotonic() - self._begun,
            draining=self._pages.draining,
        )

    def _drain(self) -> None:
        self._pages.draining = True
        self._relay.drain()
        self._sockets.drain(RESTART)

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Count what asyncio would print with a traceback."""
        error = context.get("exception")
        self._faults.note(error if isinstance(error, BaseException) else RuntimeError())


class _Server(uvicorn.Server):
    """uvicorn's server; it leaves signals alone, and drains first."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._drain = drain
        self.serving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to the worker."""
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


def _stop_on_signals(servers: list[_Server]) -> None:
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
