"""The ASGI application: which path leads where.

Not here: the endpoints themselves; the process around them (_worker.py).
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from letterlock._wire.relay_calls import SOCKET_PATH
from letterlock.relay._server._calls import Calls
from letterlock.relay._server._guard import Guard
from letterlock.relay._server._logs import Faults
from letterlock.relay._server._pages import Pages, not_found
from letterlock.relay._server._socket import SocketCalls

_CALLS: Final = "/v1/"


class _Application:
    """Calls go to their endpoint at once: they are nearly all of the traffic. The router has the rest."""

    def __init__(self, calls: Calls, router: Router) -> None:
        self._calls = calls
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_CALLS):
            await self._calls(scope, receive, send)
        else:
            await self._router(scope, receive, send)


def application(
    calls: Calls, socket: SocketCalls, pages: Pages, routes: list[Route], faults: Faults
) -> ASGIApp:
    """Return the application on the main address. `routes` are those of /metrics and /, if they are there."""
    router = Router(
        [
            WebSocketRoute(SOCKET_PATH, socket),
            Route("/health", pages.health),
            Route("/ready", pages.ready),
            *routes,
        ],
        redirect_slashes=False,
        default=_nowhere,
    )
    return Guard(_Application(calls, router), faults)


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
