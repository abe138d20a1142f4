"""Clients of a relay behind nginx and haproxy, with a certificate of an authority of our own. [CLN-6]"""

import asyncio
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from letterlock import MemoryStore
from letterlock.client import Client, RelayUnavailable
from support.client_town import bodies
from support.ports import free_port
from support.relay_proxies import certify, haproxy, nginx, running
from support.relay_server import served, until

pytestmark = pytest.mark.slow

PROXIES: Final = [
    pytest.param(
        each,
        id=each.__name__,
        marks=pytest.mark.skipif(
            shutil.which(each.__name__) is None, reason=f"{each.__name__} is not installed"
        ),
    )
    for each in (nginx, haproxy)
]


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@pytest.fixture(scope="module", params=PROXIES)
def front(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, Path]]:
    """Run a relay behind a proxy. Yield the proxy's port, and a file with its certificate."""
    folder, port = tmp_path_factory.mktemp("tls"), free_port()
    make: Callable[[Path, int, int], list[str]] = request.param
    with (
        served(folder, name=f"localhost:{port}") as behind,
        running(make(folder, port, behind.address[1])),
    ):
        until(lambda: listens(port))
        yield port, folder / "relay.pem"


def test_two_people_write_through_the_proxy(front: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """By calls and by sockets, which both trust the file that the variable names."""
    port, authority = front
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    async def story() -> None:
        relay = f"https://localhost:{port}"
        async with (
            await Client.create(MemoryStore(), name="alice", relay=relay) as alice,
            await Client.create(MemoryStore(), name="bob", relay=relay) as bob,
        ):
            for _ in range(3):
                await alice.send("bob", b"there")
                assert await bodies(bob, 1) == [b"there"]
                await bob.send("alice", b"back")
                assert await bodies(alice, 1) == [b"back"]
            connection = alice._office.connection
            async with asyncio.timeout(30), connection.socket(await connection.token()):
                pass  # opened, so its certificate was verified

    asyncio.run(story())


@pytest.mark.parametrize("what", ["no authority", "another authority", "another host"])
def test_a_certificate_that_is_not_trusted_is_no_relay(
    front: tuple[int, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    port, authority = front
    host = "127.0.0.1" if what == "another host" else "localhost"
    if what == "another authority":
        authority, _ = certify(tmp_path)
    if what == "no authority":
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    else:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    async def story() -> None:
        with pytest.raises(RelayUnavailable, match="ConnectError"):
            await Client.create(MemoryStore(), name="eve", relay=f"https://{host}:{port}")

    asyncio.run(story())
