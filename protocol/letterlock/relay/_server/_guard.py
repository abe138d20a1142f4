"""The outermost part of the application: no exception becomes a 500, and none a traceback in a log.

Not here: failures that are answers (the relay's own); broken HTTP (_connection.py).
"""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from letterlock.relay._server._answer import send_last_reply, unavailable
from letterlock.relay._server._logs import Faults


class Guard:
    """An ASGI application around another one."""

    def __init__(self, application: ASGIApp, faults: Faults) -> None:
        self._application = application
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application. An exception becomes a 503, unless the answer has begun."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._application(scope, receive, watched)
        except asyncio.CancelledError:  # the time to drain is over
            if not begun:
                await self._apologize(scope, send)
        except Exception as error:  # noqa: BLE001 - nothing passes
            if type(error).__name__ == "ClientDisconnected":  # uvicorn's own, from a socket that was closed
                return
            self._faults.note(error)
            if not begun:
                await self._apologize(scope, send)

    async def _apologize(self, scope: Scope, send: Send) -> None:
        with suppress(Exception):
            if scope["type"] == "http":
                await send_last_reply(send, unavailable())
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1012})
