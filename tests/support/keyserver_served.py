"""A town whose servers are processes: calls of recovery over HTTP.

Desk        a server over HTTP, as a town knows it
town_of     a town of such servers
key_file    a file with a server's secrets
"""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import httpx

from letterlock._keyserver._keys import ServerKeys
from letterlock._wire.recovery_frame import RecoveryCall
from letterlock._wire.relay_calls import CONTENT_TYPE
from letterlock.recovery import Hardness
from letterlock.relay._reply import Reply
from support.keyserver_town import DeskTown
from support.relay_server import Server

HEADERS = {"content-type": CONTENT_TYPE}
FREE = ("--identity", "none", "--pause", "0", "--uses-a-day", "1000")


class Desk:
    """A server over HTTP, as a town knows it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def handle(self, call: RecoveryCall, body: bytes, _: str) -> Reply:
        answer = await asyncio.to_thread(post, self.server, call.path, body)
        assert answer.headers["cache-control"] == "no-store"
        return Reply(answer.status_code, answer.content)


def post(server: Server, path: str, body: bytes) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", content=body, headers=HEADERS, timeout=30, trust_env=False)


def town_of(*servers: Server) -> DeskTown:
    town = DeskTown((SimpleNamespace(),) * len(servers))  # type: ignore[arg-type] # nobody looks at the rows
    town.desks = [Desk(each) for each in servers]  # type: ignore[misc]
    town.hardness = Hardness()  # that of the cheap tests is refused by real servers
    return town


def key_file(folder: Path, keys: ServerKeys) -> str:
    path = folder / "keys"
    path.touch(mode=0o600)
    path.write_text(keys.text(), encoding="ascii")
    return str(path)
