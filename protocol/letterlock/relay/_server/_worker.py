"""One worker of a relay: its store, the relay, the sockets, and what is served beside them.

    SIGTERM   ready answers 503, waiting calls get their answer, sockets close with 1012, requests end,
              the store is closed

Not here: uvicorn (_process.py); starting and ending several workers (_supervisor.py).
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from letterlock._wire.relay_calls import SOCKET_PATH
from letterlock.relay._opening import open_store
from letterlock.relay._relay import Relay
from letterlock.relay._server._application import application, metrics_application
from letterlock.relay._server._budget import Budget, Share
from letterlock.relay._server._bus import Bus
from letterlock.relay._server._calls import Calls
from letterlock.relay._server._core import Beside, OpensBeside, RelayCore
from letterlock.relay._server._logs import Faults
from letterlock.relay._server._metrics import Metrics, release
from letterlock.relay._server._pages import Pages, StatusPage
from letterlock.relay._server._process import HttpServers, Process
from letterlock.relay._server._rates import Rates
from letterlock.relay._server._settings import Settings
from letterlock.relay._server._socket import DISPLACED, RESTART, SocketCalls
from letterlock.relay._server._sockets import Sockets
from letterlock.relay._server._status_page import Status, status_page
from letterlock.relay._server._upkeep import Upkeep
from letterlock.relay._settings import RelaySettings
from letterlock.relay._store import RelayStore

_CLOSE_SECONDS: Final = 5.0
"""How long a store may take to end its work."""

_NO_ACCOUNT: Final = bytes(16)


def run_worker(settings: Settings, process: Process, beside: OpensBeside | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises StoreError if the store cannot be used."""
    asyncio.run(_serve(settings, process, beside))


async def _serve(settings: Settings, process: Process, opens: OpensBeside | None) -> None:
    store = open_store(settings.store)
    await store.open()
    beside: Beside | None = None
    try:
        beside = None if opens is None else await opens.open(store)
        await _Serving(settings, process, store, beside).run()
    finally:
        for each in (beside, store):
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    if each is not None:
                        await each.close()


class _Serving:
    """The parts of a worker, put together."""

    def __init__(
        self, settings: Settings, process: Process, store: RelayStore, beside: Beside | None
    ) -> None:
        self._settings = settings
        self._process = process
        self._store = store
        self._beside = beside
        self._metrics = Metrics()
        self._faults = Faults(self._metrics)
        self._relay = Relay(
            store,
            RelaySettings(
                name=process.names[0],
                ticket_key=settings.ticket_key,
                mailbox_messages=settings.mailbox_messages,
                mailbox_bytes=settings.mailbox_bytes,
                mail_days=settings.mail_days,
                other_names=process.names[1:],
                shelf_parcels=settings.shelf_parcels,
                shelf_bytes=settings.shelf_bytes,
            ),
            run=asyncio.to_thread,
        )
        self._sockets = Sockets(settings.sockets, DISPLACED)
        self._rates = Rates()
        self._begun = monotonic()
        self._pages = Pages(self._ready, self._metrics)
        self._upkeep = Upkeep(self._relay, store, self._metrics, self._rates, self._faults)

    async def run(self) -> None:
        """Serve until a signal comes."""
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        await self._relay.start()
        if self._beside is not None:
            self._beside.counted_by(self._metrics.recovery)
            self._upkeep.add(self._beside.upkeep)
        upkeep = asyncio.ensure_future(self._upkeep.run(first=self._process.first))
        servers = HttpServers(self._process, self._settings, self._metrics, self._faults)
        metrics = metrics_application(self._pages, self._faults)
        try:
            await servers.run(self._application(), metrics, self._drain, self._connect)
        finally:
            upkeep.cancel()
            await asyncio.gather(upkeep, return_exceptions=True)

    def _connect(self, end: socket.socket, gone: Callable[[], None]) -> Bus:
        bus = Bus(end, self._sockets.hear, gone)
        self._sockets.tell = bus.tell
        return bus

    def _application(self) -> ASGIApp:
        settings, faults = self._settings, self._faults
        budget = Budget(settings.body_memory, self._metrics.body)
        calls = Calls(RelayCore(self._relay), self._metrics, faults, budget, settings.body_seconds)
        share = Share(budget, settings.body_memory // 2)
        socket_calls = SocketCalls(self._relay, self._sockets, self._metrics, share)
        routes: list[BaseRoute] = [WebSocketRoute(SOCKET_PATH, socket_calls)]
        if settings.status_page:
            routes.append(Route("/", StatusPage(self._page).index))
        if not settings.metrics_listen:
            routes.append(Route("/metrics", self._pages.local_metrics))
        beside: dict[str, Calls] = {}
        if self._beside is not None:
            core = self._beside.core
            beside[self._beside.prefix] = Calls(core, self._metrics, faults, budget, settings.body_seconds)
        return application(calls, routes, self._pages, faults, beside)

    async def _ready(self) -> None:
        await self._store.head(_NO_ACCOUNT)
        if self._beside is not None:
            await self._beside.ready()

    def _page(self) -> bytes:
        settings = self._settings
        status = Status(
            name=self._process.names[0],
            release=release(),
            store=urlsplit(settings.store).scheme,
            tickets=settings.ticket_key is not None,
            workers=settings.workers,
            uptime=monotonic() - self._begun,
            draining=self._pages.draining,
        )
        return status_page(status, self._metrics.totals(), self._rates)

    def _drain(self) -> None:
        self._pages.draining = True
        self._relay.drain()
        self._sockets.drain(RESTART)

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Count what asyncio would print with a traceback."""
        error = context.get("exception")
        self._faults.note(error if isinstance(error, BaseException) else RuntimeError())
