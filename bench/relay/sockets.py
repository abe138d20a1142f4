"""Idle sockets: what each costs a relay, and how long it takes until all are back after a restart.

    python bench/relay/sockets.py --sockets 3000 --rest 90

Each socket is a WebSocket of a device of its own, on one worker with SQLite. Nothing is sent. At rest each
device is asked for a sign of life every 45 seconds and the relay looks into its mailbox every minute. Then
the relay is told to end (SIGTERM), another one is started, and all devices connect at once as soon as it
answers: clients of this project wait a random time instead.

Not here: mail in sockets (tests/relay_server).
"""

import argparse
import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import population
from callers import Caller
from process import Server, free_port, relay

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.relay_calls import SOCKET_PATH
from letterlock._wire.relay_login import token_text
from letterlock.relay._opening import open_store
from letterlock.relay._relay import _SECRET
from letterlock.relay._session import Seals

_PING: Final = 9
_CLOSE: Final = 8
_KEY: Final = "AAAAAAAAAAAAAAAAAAAAAA=="


class Socket(asyncio.Protocol):
    """A client's end of a socket: it answers pings, and keeps the code with which the relay closed it."""

    def __init__(self, token: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[int] = loop.create_future()
        self.closed: asyncio.Future[int | None] = loop.create_future()
        self.pings = 0
        self._code: int | None = None
        self._token = token
        self._seen = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a socket."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a socket needs a stream")
        self._transport = transport
        lines = (
            f"GET {SOCKET_PATH} HTTP/1.1",
            "Host: 127.0.0.1",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {_KEY}",
            f"Authorization: Bearer {token_text(self._token)}",
        )
        transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def data_received(self, data: bytes) -> None:
        """Take the answer to the handshake, then frames."""
        self._seen += data
        if not self.opened.done():
            head, end, rest = self._seen.partition(b"\r\n\r\n")
            if not end:
                return
            self._seen = rest
            self.opened.set_result(int(head[9:12]))
        while len(self._seen) >= 2 and len(self._seen) >= 2 + (size := self._seen[1] & 0x7F):
            kind, content = self._seen[0] & 0x0F, self._seen[2 : 2 + size]
            self._seen = self._seen[2 + size :]
            self._take(kind, content)

    def _take(self, kind: int, content: bytes) -> None:
        if self._transport is None:
            return
        if kind == _PING:
            self.pings += 1
            self._transport.write(bytes((0x8A, 0x80 | len(content))) + bytes(4) + content)
        elif kind == _CLOSE:
            self._code = int.from_bytes(content[:2], "big")
            self._transport.write(bytes((0x88, 0x82)) + bytes(4) + content[:2])

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep that it is over."""
        if not self.opened.done():
            self.opened.set_result(0)
        if not self.closed.done():
            self.closed.set_result(self._code)


@dataclass(frozen=True, slots=True)
class Opened:
    """Sockets that were opened together, and in how many seconds."""

    sockets: list[Socket]
    seconds: float


async def open_all(port: int, callers: Sequence[Caller], at_once: int) -> Opened:
    """Open a socket for each device. Those that the relay refuses are tried again."""
    loop, room = asyncio.get_running_loop(), asyncio.Semaphore(at_once)
    begun = time.perf_counter()

    async def one(caller: Caller) -> Socket:
        while True:
            async with room:
                try:
                    _, socket = await loop.create_connection(lambda: Socket(caller.token), "127.0.0.1", port)
                except OSError:
                    status = 0
                else:
                    status = await socket.opened
            if status == 101:
                return socket
            await asyncio.sleep(0.1)

    sockets = await asyncio.gather(*map(one, callers))
    return Opened(list(sockets), time.perf_counter() - begun)


async def people(url: str, count: int) -> list[Caller]:
    """Store so many people with one device each, and return their devices."""
    template = population.make_template("template", 1)
    store = await open_store(url).open()
    try:
        every = [(population.account(at), template) for at in range(count)]
        for first in range(0, count, 500):
            await asyncio.gather(
                *(
                    store.create(account, each.lists, each.head, replace=False)
                    for account, each in every[first : first + 500]
                )
            )
        seals = Seals.of(await store.secret(_SECRET, os.urandom(32)), system_entropy)
    finally:
        await store.close()
    return [population.caller(seals, [template], at, 0) for at in range(count)]


async def rest(server: Server, callers: Sequence[Caller], seconds: float) -> list[Socket]:
    """Print what sockets at rest cost, and return them."""
    warm = await open_all(server.port, callers[:20], 20)
    for each in warm.sockets:
        if each._transport is not None:
            each._transport.close()
    await asyncio.sleep(min(2, seconds))
    before = server.memory()
    cpu = server.cpu()
    opened = await open_all(server.port, callers, 100)
    count = len(callers)
    each_us = (server.cpu() - cpu) / count * 1e6
    print(f"{count} sockets opened in {opened.seconds:.1f} s, {each_us:.0f} us CPU each")
    await asyncio.sleep(min(5, seconds))
    grown = server.memory() - before
    print(f"memory: {before / 1e6:.1f} MB without, {grown / count / 1e3:.1f} kB more each", flush=True)
    cpu, begun = server.cpu(), time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - begun
    spent = (server.cpu() - cpu) / took
    pings = sum(each.pings for each in opened.sockets)
    print(
        f"at rest: {spent * 100:.2f} % of a core, {spent / count * 1e6:.1f} us a second each; {pings} pings; "
        f"{(server.memory() - before) / count / 1e3:.1f} kB each at the end",
        flush=True,
    )
    return opened.sockets


async def drained(server: Server, sockets: Sequence[Socket]) -> None:
    """Print how long it takes until a relay has ended all sockets."""
    early = sum(each.closed.done() for each in sockets)
    if early:
        print(f"{early} sockets were closed before")
    begun = time.perf_counter()
    server.process.terminate()
    codes = await asyncio.gather(*(each.closed for each in sockets))
    closed = time.perf_counter() - begun
    await asyncio.to_thread(server.process.wait, 60)
    ended = time.perf_counter() - begun
    counts = {code: codes.count(code) for code in sorted(set(codes), key=str)}
    print(
        f"drain: all closed after {closed:.2f} s with {counts}, the relay ended after {ended:.2f} s",
        flush=True,
    )


async def storm(server: Server, callers: Sequence[Caller]) -> None:
    """Print how long it takes until all are back."""
    cpu = server.cpu()
    opened = await open_all(server.port, callers, len(callers))
    spent = (server.cpu() - cpu) / len(callers)
    print(f"storm: all back {opened.seconds:.2f} s after the relay answers, {spent * 1e6:.0f} us CPU each")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sockets", type=int, default=3000)
    parser.add_argument("--rest", type=float, default=90, help="seconds at rest")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the relay inherits it
    room = str(arguments.sockets * 2)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        url = f"sqlite:///{folder / 'relay.db'}"
        flags = ("--sockets", room, "--connections", room)

        async def run() -> None:
            callers = await people(url, arguments.sockets)
            with relay(folder, port, url, *flags) as server:
                sockets = await rest(server, callers, arguments.rest)
                await drained(server, sockets)
            begun = time.perf_counter()
            with relay(folder, port, url, *flags) as server:
                print(f"the next relay answers after {time.perf_counter() - begun:.2f} s")
                await storm(server, callers)

        asyncio.run(run())


if __name__ == "__main__":
    main()
