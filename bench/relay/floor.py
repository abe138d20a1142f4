"""The floor: a Starlette endpoint that reads a body and answers with bytes. It stores nothing.

A relay's send, fetch and acknowledgement are compared with three calls of it.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ANSWER = bytes(1100)


async def call(request: Request) -> Response:
    """Read the body, and answer with as many bytes as a fetch of one message has."""
    await request.body()
    return Response(ANSWER, media_type="application/cbor")


async def health(_: Request) -> Response:
    """Say that the server runs."""
    return Response(b"")


app = Starlette(routes=[Route("/v1/floor", call, methods=["POST"]), Route("/health", health)])
