"""The ASGI application: which path leads where.

Not here: the endpoints themselves; the process around them (_worker.py).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from letterlock.relay._server._calls import Calls
from letterlock.relay._server._guard import Guard
from letterlock.relay._server._logs import Faults
from letterlock.relay._server._pages import Pages, not_found

_CALLS: Final = "/v1/"

Endpoints = Mapping[str, Calls]
"""What paths begin with, and the endpoint of these calls."""


class _Application:
    """Calls go to their endpoint at once: they are nearly all of the traffic. The router has the rest."""

    def __init__(self, calls: Calls, beside: Endpoints, router: Router) -> None:
        self._calls = calls
        self._beside = tuple(beside.items())
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_CALLS):
            path = scope["path"]
            calls = next((each for prefix, each in self._beside if path.startswith(prefix)), self._calls)
            await calls(scope, receive, send)
        else:
            await self._router(scope, receive, send)


def application(
    calls: Calls, routes: Sequence[BaseRoute], pages: Pages, faults: Faults, beside: Endpoints
) -> ASGIApp:
    """Return the application on the main address. `routes` are those of the socket, of /metrics and of /.

    Paths below a prefix in `beside` go there, and all other calls to `calls`.
    """
    router = Router(
        [Route("/health", pages.health), Route("/ready", pages.ready), *routes],
        redirect_slashes=False,
        default=_nowhere,
    )
    return Guard(_Application(calls, beside, router), faults)


def metrics_application(pages: Pages, faults: Faults) -> ASGIApp:
    """Return the application on the address of the metrics."""
    return Guard(
        Router([Route("/metrics", pages.all_metrics)], redirect_slashes=False, default=_nowhere), faults
    )


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
    else:
        await _not_found(Request(scope))(scope, receive, send)


def _not_found(_: Request) -> Response:
    return not_found()
