"""A home: several people in one process, who write to everybody until it is killed.

Each has a store with tables of the application beside letterlock's. A text is noted in `sent` in the
transaction that sends it, and in `seen` in the transaction that finishes it. So both tables hold what an
application may rely on, whenever the process is killed.

    CITY/names       who there is, one a line; whoever writes chooses from it
    CITY/quiet       while it is there nobody writes, and CITY/NAME.quiet says so
    CITY/seen        grows with each text that somebody has seen
    CITY/claims      one line for each bundle that somebody got: claim, name, digest, single or last-resort
    CITY/wrong       what must not happen

Not here: who starts and kills homes (fault_city.py).
"""

import asyncio
import hashlib
import os
import random
from pathlib import Path
from typing import Any, Final

from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.relay_prekeys import ClaimAnswer, ClaimRequest
from letterlock.client import Client, RelayEvent, RelayEventKind, RelayUnavailable
from letterlock.client._http import HttpTransport
from letterlock.client._opening import World
from letterlock.client._pace import Pace
from letterlock.client._transport import Reply
from letterlock.errors import AccountExists, StoreBusy
from letterlock.user import Event

KEY: Final = bytes(32)
PACE: Final = Pace(first=0.1, most=2.0, refill=1.0, upkeep=30.0)
TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS sent (name TEXT, number INTEGER)",
    "CREATE TABLE IF NOT EXISTS seen (name TEXT, number INTEGER)",
)
_WRONG: Final = frozenset({RelayEventKind.FAILED, RelayEventKind.MISBEHAVES, RelayEventKind.NOT_TAKEN})
_UNDONE: Final = 0.05
"""How many transactions of the application fail at their end."""
_ANSWERED: Final = 0.1
"""How many texts are answered in the transaction that finishes them."""


class Undone(Exception):
    """The application changed its mind."""


def change_ones_mind() -> None:
    """Raise Undone now and then."""
    if random.random() < _UNDONE:
        raise Undone


class WatchedTransport(HttpTransport):
    """Notes every bundle that the relay gives."""

    __slots__ = ("claims",)

    claims: Path

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Reply:
        reply = await super().post(path, body, token, most, wait)
        if path == "/v1/claim" and reply.status == 200:
            request = ClaimRequest.decode(body)
            for bundle in ClaimAnswer.decode(reply.body).bundles:
                if bundle is not None:
                    is_single = PrekeyBundle.decode(bundle).one_time is not None
                    digest = hashlib.sha256(bundle).hexdigest()[:32]
                    note(
                        self.claims,
                        f"{request.id.hex()} {request.name} {digest} {'single' if is_single else 'last'}",
                    )
        return reply


def note(path: Path, line: str) -> None:
    """Append a line in one write, which a kill does not cut."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(file, (line + "\n").encode())
    os.close(file)


def kind_of_client(city: Path) -> type[Client]:
    """Return a class of clients that are quick to try again, and note what they claim."""

    def transport(url: Any) -> WatchedTransport:
        made = WatchedTransport(url)
        made.claims = city / "claims"
        return made

    class HomeClient(Client):
        __slots__ = ()
        _world = World(transport, PACE)

    return HomeClient


class Resident:
    """One person at home."""

    def __init__(self, city: Path, url: str, name: str, pause: float) -> None:
        self.city, self.url, self.name, self.pause = city, url, name, pause
        self.speaking = asyncio.Lock()
        """Held while something is written."""

    async def live(self) -> None:
        """Write and read for ever."""
        try:
            client = await self._client()
            async with client, asyncio.TaskGroup() as group:
                self.client = client
                await self.client.run(self._make_tables)
                for task in (self._write, self._read, self._listen):
                    group.create_task(task())
        except BaseException as error:
            note(self.city / "wrong", f"{self.name} {error!r} {getattr(error, 'exceptions', '')!r}")
            raise

    async def _client(self) -> Client:
        kind, path = kind_of_client(self.city), self.city / f"{self.name}.db"
        while True:
            try:
                return await kind.create(path, key=KEY, name=self.name, relay=self.url)
            except AccountExists:
                return await kind.open(path, key=KEY)
            except RelayUnavailable:
                await asyncio.sleep(random.random() / 4)

    def _make_tables(self) -> None:
        for table in TABLES:
            self.client.store.connection.execute(table)

    async def _write(self) -> None:
        while True:
            names = (self.city / "names").read_text(encoding="ascii").split()
            await asyncio.sleep(self.pause * len(names) * 2 * random.random())
            if await self._is_quiet():
                continue
            other = random.choice([each for each in names if each != self.name])
            try:
                async with self.speaking, self.client.transaction():
                    await self._send(other)
                    change_ones_mind()
            except (Undone, StoreBusy):  # the latter after all processes were stopped for a while
                continue

    async def _is_quiet(self) -> bool:
        """Return whether nobody is to write; say so when nothing is being written."""
        if not (self.city / "quiet").exists():
            return False
        async with self.speaking:
            (self.city / f"{self.name}.quiet").touch()
        return True

    async def _send(self, other: str) -> None:
        number = await self.client.run(self._next_number, other)
        await self.client.send(other, b"%d" % number)

    def _next_number(self, other: str) -> int:
        execute = self.client.store.connection.execute
        ((number,),) = execute("SELECT COUNT(*) FROM sent WHERE name = ?", [other]).fetchall()
        execute("INSERT INTO sent VALUES (?, ?)", [other, number])
        return int(number)

    async def _read(self) -> None:
        async for message in self.client.messages():
            sender, number = message.sender, int(message.body)
            try:
                async with self.speaking, self.client.transaction():
                    await self.client.run(self._see, sender, number)
                    await message.done()
                    if random.random() < _ANSWERED and not (self.city / "quiet").exists():
                        await self._send(sender)
                    change_ones_mind()
            except (Undone, StoreBusy):
                continue
            note(self.city / "seen", "")

    def _see(self, sender: str, number: int) -> None:
        self.client.store.connection.execute("INSERT INTO seen VALUES (?, ?)", [sender, number])

    async def _listen(self) -> None:
        async for event in self.client.events():
            if isinstance(event, RelayEvent):
                if event.kind in _WRONG:
                    note(self.city / "wrong", f"{self.name} {event}")
            elif isinstance(event, Event):
                note(self.city / "events", f"{self.name} {event.kind.name} {event.name}")


async def live(city: Path, url: str, names: list[str], pause: float) -> None:
    """Let people live in this process until it is killed."""
    await asyncio.gather(*(Resident(city, url, name, pause).live() for name in names))
    await asyncio.Event().wait()
