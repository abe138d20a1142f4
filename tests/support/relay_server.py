"""A relay in a process of its own, on this machine, as `letterlock relay serve` runs it.

    Server          the process: address, log, signals
    ServedTown      what relay_town.py asks its relay, over HTTP

Not here: the relay without HTTP (relay_town.py).
"""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx

from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_calls import CALL_OF_REQUEST, CONTENT_TYPE
from letterlock._wire.relay_login import token_text
from letterlock.relay._reply import Reply
from letterlock.relay._settings import RelaySettings
from support.cli_tools import environment
from support.forks import Forked, start
from support.relay_town import NAME, Town

START_SECONDS: Final = 30.0
HEADERS: Final = {"content-type": CONTENT_TYPE}


class Server:
    """A relay's process, or a key server's. What it writes to standard error is in the file `log`.

    It is a fork that has imported most modules already, unless it is `fresh`.
    """

    def __init__(
        self, folder: Path, *flags: str, name: str = NAME, fresh: bool = False, kind: str = "relay"
    ) -> None:
        self.folder = folder
        self.log = folder / f"{kind}.log"
        self.store = folder / f"{kind}.db"
        command = ["-m", "letterlock", kind, "serve", "--json", "--store", f"sqlite:///{self.store}"]
        names = ["--name", name] if kind == "relay" else []
        command += ["--listen", "127.0.0.1:0", *names, *flags]
        with self.log.open("ab") as log:
            self.process = _begin(command, log.fileno(), folder, fresh=fresh)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.written()
        host, _, port = json.loads(line)["listening"].rpartition(":")
        self.address = (host, int(port))

    @property
    def url(self) -> str:
        """Where the relay is."""
        return f"http://{self.address[0]}:{self.address[1]}"

    def written(self) -> str:
        """Return the log so far."""
        return self.log.read_text(encoding="utf-8")

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(self.address, timeout=10)

    def talk(self, data: bytes) -> bytes:
        """Send bytes, and return the answer, or nothing if the relay closes the connection."""
        with self.connect() as connection:
            with suppress(ConnectionError):
                connection.sendall(data)
            return answer_on(connection)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page."""
        return httpx.get(f"{self.url}{path}", headers=headers, timeout=10, trust_env=False)

    def metrics(self) -> dict[str, float]:
        """Return the numbers by name and labels."""
        lines = self.get("/metrics").text.splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}

    def memory(self) -> int:
        """Return the bytes that the process has in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def children(self) -> list[int]:
        """Return the worker processes."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(each) for each in path.read_text(encoding="ascii").split()]

    def kill(self) -> None:
        """End the process, and what it started, without a warning."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """End the process as a service manager does, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def end(self) -> None:
        """End it in any way, and close what is left."""
        if self.process.poll() is None:
            self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()


def _begin(command: list[str], log: int, folder: Path, *, fresh: bool) -> "subprocess.Popen[bytes] | Forked":
    if not fresh:
        return start([*command], stdout=subprocess.PIPE, stderr=log, cwd=folder, env=environment())
    return subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=log,
        env=environment(),
        cwd=folder,
        start_new_session=True,
    )


@contextmanager
def served(folder: Path, *flags: str, **rest: Any) -> Iterator[Server]:
    """Run a server. At the end its log must have no traceback."""
    server = Server(folder, *flags, **rest)
    try:
        yield server
    finally:
        server.end()
    assert "Traceback" not in server.written()


def until(happened: Callable[[], bool]) -> None:
    """Look again and again, 600 times at most, until something has happened."""
    for _ in range(600):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def everything(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes the connection."""
    found = b""
    with suppress(ConnectionError, TimeoutError):
        while part := connection.recv(65536):
            found += part
    return found


def answer_on(connection: socket.socket) -> bytes:
    """Return the next answer, whole, or what comes of it until the other side closes the connection."""
    found = b""
    with suppress(ConnectionError, TimeoutError):
        while part := connection.recv(65536):
            found += part
            head, end, body = found.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            if end and length and len(body) >= int(length[1]):
                break
    return found


def request(body: bytes, path: str = "/v1/challenge", *headers: str, length: int | None = None) -> bytes:
    """Return a request as bytes, for a connection that is closed afterwards."""
    head = [
        f"POST {path} HTTP/1.1",
        "host: relay",
        f"content-type: {CONTENT_TYPE}",
        f"content-length: {len(body) if length is None else length}",
        "connection: close",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def status_of(answer: bytes) -> int:
    """Return the HTTP status of an answer, 0 for none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


class ServedTown(Town):
    """Makes calls over HTTP, at the time that it is."""

    def __init__(self, server: Server, client: httpx.AsyncClient) -> None:
        self.server = server
        self.client = client
        self.settings = RelaySettings(NAME)
        self.now = int(time.time())
        self.trace: Callable[[str, Any], Awaitable[None]] | None = None
        """What httpx tells of each call."""

    async def post(self, name_or_request: RelayBody, token: bytes | None = None) -> Reply:
        """Make a call."""
        call = CALL_OF_REQUEST[type(name_or_request)]
        headers = HEADERS | ({"authorization": f"Bearer {token_text(token)}"} if token else {})
        answer = await self.client.post(
            f"{self.server.url}{call.path}",
            content=name_or_request.encode(),
            headers=headers,
            extensions={} if self.trace is None else {"trace": self.trace},
        )
        if answer.status_code == 200:
            assert answer.headers["content-type"] == CONTENT_TYPE
        wait = answer.headers.get("retry-after")
        return Reply(answer.status_code, answer.content, None if wait is None else int(wait))


def in_town(server: Server, play: Any) -> None:
    """Run a play: an async function of a ServedTown."""

    async def run() -> None:
        async with httpx.AsyncClient(timeout=70, trust_env=False) as client:
            await play(ServedTown(server, client))

    asyncio.run(run())
