"""The proxies and the service of the page on running a relay: right, and calls and sockets pass."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from letterlock import Address
from letterlock._wire.relay_calls import SOCKET_PATH
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_limits import MAX_FETCHED_BYTES
from letterlock._wire.relay_login import ChallengeRequest, token_text
from letterlock._wire.relay_mail import MailFrame, read_frame
from letterlock._wire.relay_shelf import ShelfFrame
from support.ports import free_port
from support.relay_proxies import block, complaints, haproxy, nginx, running
from support.relay_server import HEADERS, ServedTown, Server, served, until
from support.relay_town import Resident

Proxy = Callable[[Path, int, int], list[str]]
PROXIES = [
    pytest.param(
        each,
        id=each.__name__,
        marks=pytest.mark.skipif(
            shutil.which(each.__name__) is None, reason=f"{each.__name__} is not installed"
        ),
    )
    for each in (nginx, haproxy)
]


class Front(Server):
    """A relay as clients see it through a proxy."""

    def __init__(self, behind: Server, port: int) -> None:
        self.behind = behind
        self.address = ("localhost", port)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.address[1]}"


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@pytest.mark.parametrize("proxy", PROXIES)
def test_calls_and_sockets_get_through(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("proxy")
    with served(folder) as behind:
        port = free_port()
        command = proxy(folder, port, behind.address[1])
        assert complaints(command) == ""
        trusted = ssl.create_default_context(cafile=folder / "relay.pem")

        async def play(town: ServedTown) -> None:
            alice, bob = await Resident(town, "alice").move_in(), await Resident(town, "bob").move_in()
            headers = {"Authorization": f"Bearer {token_text(bob.tokens[1])}"}
            url = f"wss://localhost:{port}{SOCKET_PATH}"
            async with connect(url, additional_headers=headers, ssl=trusted, proxy=None) as line:
                await alice.sent(bob, {1: b"text"})
                frame = read_frame(bytes(await line.recv(decode=False)))
                if isinstance(frame, ShelfFrame):  # comes once, before or after the mail
                    frame = read_frame(bytes(await line.recv(decode=False)))
                assert isinstance(frame, MailFrame)
                assert [each.message for each in frame.deliveries] == [b"text"]
            largest = {1: bytes(700 * 1024)}
            await alice.sent(bob, largest, id_="large")
            assert sum(len(each.message) for each in await bob.fetched()) == 700 * 1024 + 4
            await too_large(town, alice)
            assert (await town.client.get(f"{town.server.url}/metrics")).status_code == 404
            assert (await town.client.get(f"{town.server.url}/")).status_code == 200
            await flood(town)

        async def run() -> None:
            async with httpx.AsyncClient(timeout=70, trust_env=False, verify=trusted) as client:
                await play(ServedTown(Front(behind, port), client))

        with running(command):
            until(lambda: listens(port))
            asyncio.run(run())
        assert behind.metrics()["letterlock_relay_faults_total"] == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_service_is_right(tmp_path: Path) -> None:
    path = tmp_path / "letterlock-relay.service"
    command = "/opt/letterlock/bin/letterlock"
    text = block("[Unit]")
    assert f"ExecStart={command} relay serve" in text
    path.write_text(text.replace(command, sys.executable), encoding="utf-8")
    found = subprocess.run(
        ["systemd-analyze", "verify", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


async def too_large(town: ServedTown, alice: Resident) -> None:
    """A body that is too long is refused, by the proxy or by the relay."""
    headers = HEADERS | {"authorization": f"Bearer {token_text(alice.tokens[1])}"}
    body = bytes(MAX_FETCHED_BYTES + 900 * 1024)
    answer = await town.client.post(f"{town.server.url}/v1/send", content=body, headers=headers)
    assert answer.status_code == 413
    if answer.headers["content-type"] == HEADERS["content-type"]:
        assert ErrorAnswer.decode(answer.content).code is RelayCode.TOO_LARGE


async def flood(town: ServedTown) -> None:
    """More than an address may ask for is answered 429 by the proxy."""
    body = ChallengeRequest(Address("x")).encode()

    async def ask() -> int:
        answer = await town.client.post(f"{town.server.url}/v1/challenge", content=body, headers=HEADERS)
        return answer.status_code

    begun, seen = time.monotonic(), set[int]()
    while 429 not in seen and time.monotonic() - begun < 60:
        seen |= set(await asyncio.gather(*(ask() for _ in range(40))))
    assert seen == {200, 429}
