"""One worker of a key server: its database, its endpoint, and the upkeep.

    SIGTERM   ready answers 503, requests end, the database is closed

Not here: uvicorn (relay/_server/_process.py); several workers (relay/_server/_supervisor.py).
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, Route

from letterlock._keyserver._server._settings import KeyServerSettings
from letterlock._keyserver._server._status_page import KeyServerStatus, status_page
from letterlock._keyserver._serving import Recovery, RecoverySettings
from letterlock.relay._server._application import application, metrics_application
from letterlock.relay._server._budget import Budget
from letterlock.relay._server._bus import Bus
from letterlock.relay._server._calls import Calls
from letterlock.relay._server._logs import Faults
from letterlock.relay._server._metrics import Metrics, release
from letterlock.relay._server._pages import Pages, StatusPage
from letterlock.relay._server._process import HttpServers, Process
from letterlock.relay._server._rates import STEP, Rates
from letterlock.relay._server._upkeep import EXPIRE_SECONDS, DeletionTime, repeat

_CLOSE_SECONDS: Final = 5.0
"""How long the database may take to end its work."""


def run_worker(settings: KeyServerSettings, recovery: RecoverySettings, process: Process) -> None:
    """Serve until SIGTERM or SIGINT. Raises StoreError if the database cannot be used."""
    asyncio.run(_serve(settings, recovery, process))


async def _serve(settings: KeyServerSettings, recovery: RecoverySettings, process: Process) -> None:
    opened = await recovery.open()
    try:
        await _run(settings, opened, process)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await opened.close()


async def _run(settings: KeyServerSettings, opened: Recovery, process: Process) -> None:
    metrics, rates = Metrics("keyserver"), Rates()
    opened.counted_by(metrics.recovery)
    faults = Faults(metrics)
    _count_unhandled(faults)
    pages = Pages(opened.ready, metrics)
    budget = Budget(settings.body_memory, metrics.body)
    calls = Calls(opened.core, metrics, faults, budget, settings.body_seconds)
    routes = list[BaseRoute]()
    if settings.status_page:
        routes.append(_status_route(settings, opened, pages, metrics, rates))
    if not settings.metrics_listen:
        routes.append(Route("/metrics", pages.local_metrics))

    def drain() -> None:
        pages.draining = True

    async def sample() -> None:
        rates.add(monotonic(), metrics.totals())

    time = DeletionTime()
    upkeep = asyncio.gather(
        repeat(lambda: opened.upkeep(time.now()), EXPIRE_SECONDS, faults), repeat(sample, STEP, faults)
    )
    try:
        await HttpServers(process, settings, metrics, faults).run(
            application(calls, routes, pages, faults, {}),
            metrics_application(pages, faults),
            drain,
            _connect,
        )
    finally:
        upkeep.cancel()
        await asyncio.gather(upkeep, return_exceptions=True)


def _status_route(
    settings: KeyServerSettings, opened: Recovery, pages: Pages, metrics: Metrics, rates: Rates
) -> Route:
    begun, store = monotonic(), urlsplit(settings.store).scheme

    def shown() -> bytes:
        uptime = monotonic() - begun
        status = KeyServerStatus(
            release(), store, opened.kinds, settings.workers, uptime, draining=pages.draining
        )
        return status_page(status, metrics.totals(), rates)

    return Route("/", StatusPage(shown).index)


def _connect(end: socket.socket, gone: Callable[[], None]) -> Bus:
    """Join the bus, only to notice when the supervisor is gone: workers tell each other nothing."""
    return Bus(end, _no_news, gone)


def _no_news(digest: bytes, opened: float) -> None:
    """Take no notice: there are no sockets here."""
    del digest, opened


def _count_unhandled(faults: Faults) -> None:
    def unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        faults.note(error if isinstance(error, BaseException) else RuntimeError())

    asyncio.get_running_loop().set_exception_handler(unhandled)
