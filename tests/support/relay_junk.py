"""Requests that are nearly right: what a stranger may send a server, from a seed, and how they are sent.

Not here: what must come of it (tests/relay_server, tests/keyserver).
"""

import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from letterlock import Address
from letterlock._wire.relay_calls import CALLS, SOCKET_PATH
from letterlock._wire.relay_login import ChallengeRequest, token_text
from letterlock._wire.relay_mail import AckRequest, FetchRequest
from letterlock._wire.relay_place import GetRequest, Step
from support.relay_server import Server, everything, request

BODIES: Final = (
    ChallengeRequest(Address("alice", 1)).encode(),
    GetRequest(bytes(16), Step.OPEN, 0, 0).encode(),
    FetchRequest(100, 0, (bytes(16),)).encode(),
    AckRequest((bytes(16),)).encode(),
    b"",
    b"\x9f" * 50,
    b"\x83\x01\x01" + b"\x7b" + b"\xff" * 8,
)
HEADERS: Final = (
    "transfer-encoding: chunked",
    "transfer-encoding: gzip, chunked",
    "expect: 100-continue",
    "connection: upgrade, close",
    "connection: keep-alive",
    "upgrade: websocket",
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-version: 13",
    "sec-websocket-version: 99",
    "content-length: 3",
    "content-encoding: identity",
    f"authorization: Bearer {token_text(bytes(90))}",
    "authorization: Bearer %%%",
    "authorization: Basic Og==",
    "host: other",
    "x: \xff",
    "cookie: " + "a" * 3000,
)
PATHS: Final = (
    *(call.path for call in CALLS),
    SOCKET_PATH,
    "/",
    "/metrics",
    "/ready",
    "/%2e%2e/",
    "*",
    "http://x/",
)


def upgrade(*headers: str) -> bytes:
    """Return the opening of a WebSocket."""
    lines = [
        f"GET {SOCKET_PATH} HTTP/1.1",
        "host: relay",
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
        "sec-websocket-version: 13",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def junk(
    seed: int, count: int, paths: Sequence[str] = PATHS, bodies: Sequence[bytes] = BODIES
) -> Iterator[bytes]:
    """Yield so many requests."""
    draw = random.Random(seed)
    for _ in range(count):
        data = _nearly_right(draw, paths, bodies)
        for _ in range(draw.choice((0, 0, 1, 1, 3))):
            data = _changed(draw, data)
        yield data


def _nearly_right(draw: random.Random, paths: Sequence[str], bodies: Sequence[bytes]) -> bytes:
    headers = draw.sample(HEADERS, draw.choice((0, 0, 1, 2, 5)))
    if draw.random() < 0.2:
        return upgrade(*headers) + draw.randbytes(draw.choice((0, 2, 200)))
    body = draw.choice(bodies)
    length = draw.choice((None, None, 0, len(body) + 1, 5_000_000, 10**18))
    made = request(body, draw.choice(paths), length=length)
    head, end, rest = made.partition(b"\r\n\r\n")
    extra = "".join(f"\r\n{each}" for each in headers).encode("latin-1")
    if "transfer-encoding: chunked" in headers and draw.random() < 0.7:
        rest = b"%x\r\n%s\r\n" % (len(rest), rest) + draw.choice((b"0\r\n\r\n", b"zz\r\n", b"fffffffff\r\n"))
    return head + extra + end + rest


def _changed(draw: random.Random, data: bytes) -> bytes:
    place = draw.randrange(len(data) + 1)
    match draw.randrange(6):
        case 0:
            return data[:place]
        case 1:
            return data[:place] + draw.randbytes(draw.randrange(1, 9)) + data[place:]
        case 2:
            return data[:place] + data[place + draw.randrange(1, 9) :]
        case 3:
            return data + data
        case 4:
            return data.replace(b"\r\n", b"\n", draw.randrange(1, 9))
        case _:
            return data.replace(draw.choice((b"POST", b"HTTP/1.1", b": ", b"/v1")), draw.randbytes(4), 1)


# --- sending ---------------------------------------------------------------------------------------------

PATIENCE: Final = (0.1, 1.0, 10.0)
"""Seconds for an answer. The longer ones are for a machine that is busy."""


def send(server: Server, data: bytes, pieces: int = 1, patience: float = 0) -> bytes:
    """Send bytes in pieces, and return what comes.

    The connection is half closed at once, and what the server had not answered then stays unanswered, or else
    left open for so many seconds.
    """
    with server.connect() as connection, suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        size = max(1, -(-len(data) // pieces))
        for start in range(0, len(data), size):
            connection.sendall(data[start : start + size])
        if patience:
            connection.settimeout(patience)
        else:
            connection.shutdown(socket.SHUT_WR)
        return everything(connection)
    return b""


def statuses(answers: bytes) -> set[int]:
    """Return the statuses of all answers on one connection."""
    parts = answers.split(b"HTTP/1.1 ")[1:]
    return {int(each[:3]) for each in parts if each[:3].isdigit()} or {0}
