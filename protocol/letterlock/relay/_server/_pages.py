"""What a server shows to people and machines that watch it: /, /health, /ready and /metrics.

None of them shows an identity. /metrics is for this machine, unless it has an address of its own.

Not here: what the page at / holds (_status_page.py); the numbers (_metrics.py).
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from letterlock.errors import LetterlockError
from letterlock.relay._server._address import is_loopback
from letterlock.relay._server._metrics import CONTENT_TYPE, Metrics
from letterlock.relay._server._status_frame import POLICY

_READY_SECONDS: Final = 5.0
"""How long a store may take to answer before the relay says that it is not ready."""

_PAGE_SECONDS: Final = 2.0
"""For how long a page that was made is shown again: a flood must not make it anew each time."""

_FORWARDED: Final = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
)
"""Headers that proxies add. A request with one of them comes from elsewhere, whatever its address."""

_PLAIN_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Pages:
    """The pages for machines, as endpoints of Starlette. `answers` raises StoreError if no store answers."""

    def __init__(self, answers: Callable[[], Awaitable[None]], metrics: Metrics) -> None:
        self._answers = answers
        self._metrics = metrics
        self.draining = False

    async def health(self, _: Request) -> Response:
        """Answer 200: the process runs."""
        return _plain("ok")

    async def ready(self, _: Request) -> Response:
        """Answer 200 if calls can be answered: the store does, and the relay is not being stopped."""
        if self.draining:
            return _plain("draining", 503)
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await self._answers()
        except (LetterlockError, TimeoutError, OSError):
            return _plain("the store does not answer", 503)
        return _plain("ready")

    async def local_metrics(self, request: Request) -> Response:
        """Answer with the numbers, to a client on this machine; to others as if there were no such page."""
        host = request.client.host if request.client else None
        if not is_loopback(host) or any(name in request.headers for name in _FORWARDED):
            return not_found()
        return await self.all_metrics(request)

    async def all_metrics(self, _: Request) -> Response:
        """Answer with the numbers."""
        return Response(self._metrics.page(), headers=_PLAIN_HEADERS, media_type=CONTENT_TYPE)


class StatusPage:
    """The page for people, as an endpoint of Starlette."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._shown = b""
        self._until = 0.0

    async def index(self, _: Request) -> Response:
        """Answer with the status page."""
        if monotonic() >= self._until:
            self._shown = self._make()
            self._until = monotonic() + _PAGE_SECONDS
        headers = _PLAIN_HEADERS | {
            "content-security-policy": POLICY,
            "referrer-policy": "no-referrer",
            "x-frame-options": "DENY",
        }
        return Response(self._shown, headers=headers, media_type="text/html; charset=utf-8")


def not_found() -> Response:
    """Return what every path answers that leads nowhere."""
    return _plain("not found", 404)


def _plain(text: str, status: int = 200) -> Response:
    return Response(f"{text}\n", status, headers=_PLAIN_HEADERS, media_type="text/plain; charset=utf-8")
