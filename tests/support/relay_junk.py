"""Requests that are nearly right: what a stranger may send a relay, from a seed.

Not here: sending them (tests/relay_server).
"""

import random
from collections.abc import Iterator
from typing import Final

from letterlock import Address
from letterlock._wire.relay_calls import CALLS, SOCKET_PATH
from letterlock._wire.relay_login import ChallengeRequest, token_text
from letterlock._wire.relay_mail import AckRequest, FetchRequest
from letterlock._wire.relay_place import GetRequest, Step
from support.relay_server import request

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


def junk(seed: int, count: int) -> Iterator[bytes]:
    """Yield so many requests."""
    draw = random.Random(seed)
    for _ in range(count):
        data = _nearly_right(draw)
        for _ in range(draw.choice((0, 0, 1, 1, 3))):
            data = _changed(draw, data)
        yield data


def _nearly_right(draw: random.Random) -> bytes:
    headers = draw.sample(HEADERS, draw.choice((0, 0, 1, 2, 5)))
    if draw.random() < 0.2:
        return upgrade(*headers) + draw.randbytes(draw.choice((0, 2, 200)))
    body = draw.choice(BODIES)
    length = draw.choice((None, None, 0, len(body) + 1, 5_000_000, 10**18))
    made = request(body, draw.choice(PATHS), length=length)
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
