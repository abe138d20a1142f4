"""A server with FastAPI that knows its people, and signs the tickets with which they register at a relay.

The relay asks for a ticket of this server's key. So nobody takes a name that the server did not give out.

Prints:

    the relay refuses whoever has no ticket
    the server answers a stranger with status 401
    alice is registered
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import httpx
from fastapi import FastAPI, Header, HTTPException, Response

from letterlock.client import SyncClient, TicketRefused
from letterlock.relay import TicketKey

KEY = TicketKey.generate()  # keep secret_bytes() where the server keeps its passwords
SESSIONS = {"a session of this server": "alice"}  # however the server knows who somebody is

server = FastAPI()


@server.post("/ticket")
def ticket(session: Annotated[str, Header()]) -> Response:
    name = SESSIONS.get(session)
    if name is None:
        raise HTTPException(401)
    return Response(KEY.sign(name), media_type="application/octet-stream")


async def ask(session: str) -> httpx.Response:
    """Ask the server as an application would, but without a network between."""
    transport = httpx.ASGITransport(server)
    async with httpx.AsyncClient(transport=transport, base_url="https://server.example") as client:
        return await client.post("/ticket", headers={"session": session})


def main(relay: str) -> None:
    key = os.urandom(32)
    try:
        SyncClient.create("alice.db", key=key, name="alice", relay=relay)
    except TicketRefused:
        print("the relay refuses whoever has no ticket")
    stranger = asyncio.run(ask("somebody else's"))
    print("the server answers a stranger with status", stranger.status_code)
    answer = asyncio.run(ask("a session of this server"))
    with SyncClient.create("alice.db", key=key, name="alice", relay=relay, ticket=answer.content) as alice:
        print(alice.name, "is registered")


@contextmanager
def running_relay(*options: str) -> Iterator[str]:
    """Start a relay on this machine, and yield its URL."""
    command = [sys.executable, "-m", "letterlock", "relay", "serve", "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(
        [*command, "--store", "sqlite:///relay.db"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield "http://" + process.stdout.readline().split()[2]
        process.terminate()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with running_relay("--registration", f"ticket:{KEY.public_hex}") as url:
            main(url)
