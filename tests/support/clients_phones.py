"""Phones of the model of clients: a device, with its store in a file, its client, and an application.

    Phone.start      opens the store, enters the client, and runs the application
    Phone.crash      the power fails: what is on disk at this moment is all that is left
    Country          a town whose transport asks a liar what to answer (clients_lies.py)

The application saves each text in the transaction that finishes it. So the table of texts in the file says
what it was given, and how often.

Not here: who does what (clients_play.py).
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from letterlock import Address
from letterlock._wire.relay_calls import CALL_OF_PATH
from letterlock._wire.relay_mail import AckRequest, FetchAnswer, FetchRequest, MailFrame
from letterlock.client import Client, Message, RelayEventKind, RelayUnavailable
from letterlock.client._http import RelayUrl
from letterlock.client._office import Office
from letterlock.client._opening import World
from letterlock.client._transport import Reply, Socket, SocketClosed
from letterlock.errors import PeerError
from letterlock.user import EventKind, OwnDeviceRevoked
from support.client_town import QUICK, Asked, Town

KEY: Final = bytes(32)
PREKEYS: Final = 12
"""One-time prekeys of a publication: making 100 takes longer than a play."""
_TABLE: Final = "CREATE TABLE IF NOT EXISTS texts (sender TEXT, device INTEGER, to_name TEXT, body BLOB)"
_BESIDE: Final = ("", "-wal")


class Liar(Protocol):
    """Answers in the place of the relay."""

    async def answer(self, asked: Asked, honest: Callable[[], Any]) -> Reply:
        """Return an answer; `honest` is a coroutine function that asks the relay."""
        ...


@dataclass
class Country(Town):
    """A relay, and phones whose calls go through a liar."""

    liar: Liar | None = None
    busy: Counter[str] = field(default_factory=Counter)
    """How many calls of the store or the relay each phone is waiting for."""
    errors: list[str] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    """The labels of phones that have no network."""

    def kind(self, name: str) -> type[Client]:
        """See `Town.kind`."""
        country = self

        class CountryClient(Client):
            __slots__ = ()
            _world = World(lambda url: LyingTransport(country, url, name), QUICK, country.clock)

            def __init__(self, office: Office) -> None:
                office.prekeys = PREKEYS
                super().__init__(office)

        return CountryClient


class LyingTransport:
    """The way of one phone to the relay."""

    def __init__(self, country: Country, url: RelayUrl, label: str) -> None:
        del url
        self._country = country
        self._label = label

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Reply:
        del most, wait
        country, call, label = self._country, CALL_OF_PATH[path], self._label
        asked = Asked(call.name, body, token, label)
        country.calls[call.name] += 1

        async def honest() -> Reply:
            answer = await country.relay.handle(call, body, token, country.clock())
            return Reply(answer.status, answer.body, answer.retry_after or 0)

        await asyncio.sleep(0)
        self._require_network()
        waits = call.name in {"fetch", "get"}
        country.busy[label] += not waits
        try:
            reply = await (honest() if country.liar is None else country.liar.answer(asked, honest))
        except (AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
            country.errors.append(f"the liar itself fails at {call.name}: {error!r}")
            raise
        finally:
            country.busy[label] -= not waits
        self._require_network()
        return reply

    def _require_network(self) -> None:
        if self._country.is_down or self._label in self._country.dead:
            raise RelayUnavailable("there is no network")

    @asynccontextmanager
    async def socket(self, token: bytes, most: int) -> AsyncIterator[Socket]:
        del most
        self._require_network()
        yield LyingSocket(self, token)

    async def close(self) -> None:
        pass


class LyingSocket:
    """A socket that is made of fetches, each of which may be a lie."""

    def __init__(self, transport: LyingTransport, token: bytes) -> None:
        self._transport = transport
        self._token = token
        self._sent: set[bytes] = set()

    async def send(self, frame: bytes) -> None:
        await self._call("ack", frame)
        self._sent -= set(AckRequest.decode(frame).ids)

    async def receive(self) -> bytes:
        while True:
            request = FetchRequest(100, 1, tuple(self._sent)[:256])
            body = await self._call("fetch", request.encode())
            try:
                answer = FetchAnswer.decode(body)
            except PeerError:
                return body
            if answer.deliveries:
                self._sent |= {each.id for each in answer.deliveries}
                return MailFrame(answer.stock, answer.deliveries).encode()
            await asyncio.sleep(0.01)

    async def _call(self, name: str, body: bytes) -> bytes:
        try:
            reply = await self._transport.post(f"/v1/{name}", body, self._token, 2**30, 1)
        except RelayUnavailable:
            raise SocketClosed(1006) from None
        if reply.status != 200:
            raise SocketClosed(4401)
        return reply.body


@dataclass
class Phone:
    """One device."""

    country: Country
    name: str
    label: str
    path: Path
    address: Address = field(init=False)
    client: Client | None = None
    events: list[tuple[Any, str | None]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    is_out: bool = False
    """Whether the client said that its device was revoked."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Run the client and the application."""
        assert self.client is None
        self.country.dead.discard(self.label)
        await self.run(await self.country.kind(self.label).open(self.path, key=KEY))

    async def run(self, client: Client) -> None:
        """Run the application over a client that was not entered yet."""
        self.client = await client.__aenter__()
        self.address = client.address
        await client.run(lambda: client.store.connection.execute(_TABLE))
        self._tasks = [asyncio.create_task(self._reads(client)), asyncio.create_task(self._hears(client))]

    async def _reads(self, client: Client) -> None:
        with suppress(OwnDeviceRevoked):
            async for message in client.messages():
                async with client.transaction():
                    await client.run(self._save, client, message)
                    await message.done()
            return
        self.is_out = True

    def _save(self, client: Client, message: Message) -> None:
        row = (message.sender, message.device, message.to, message.body)
        client.store.connection.execute("INSERT INTO texts VALUES (?, ?, ?, ?)", row)

    async def _hears(self, client: Client) -> None:
        with suppress(OwnDeviceRevoked):
            async for event in client.events():
                self.events.append((event.kind, getattr(event, "name", None)))
                if event.kind is RelayEventKind.FAILED:
                    self.faults.append(f"{self.label}: a bug")
            return
        self.is_out = True

    @property
    def has_ended(self) -> bool:
        """Whether the application ended by itself. It may, if the device was revoked. `stop` says why."""
        return not self.is_out and any(each.done() for each in self._tasks)

    async def crash(self) -> None:
        """Let the power fail. The next start finds what was committed until now."""
        client = self.client
        if client is None:
            return
        self.country.dead.add(self.label)  # nothing that is committed after this moment was ever shown
        saved = self.path.with_name(f"saved-{self.path.name}")
        await self.copy_to(saved)
        await self._end(client)
        for end in _BESIDE:
            path, copied = (each.with_name(each.name + end) for each in (self.path, saved))
            path.unlink(missing_ok=True)
            if copied.exists():
                copied.rename(path)

    async def copy_to(self, place: Path) -> None:
        """Copy the file as it is at this moment, as a power cut leaves it."""
        pairs = [[each.with_name(each.name + end) for each in (self.path, place)] for end in _BESIDE]

        def copy() -> None:
            for path, copied in pairs:
                if path.exists():
                    shutil.copy(path, copied)

        assert self.client is not None
        await self.client.run(copy)  # its transaction keeps everybody else from writing

    async def stop(self) -> None:
        """End the client as a program does that was asked to end, but for what it would still send."""
        if self.client is not None:
            await self._end(self.client)

    async def _end(self, client: Client) -> None:
        self.client = None
        for task in self._tasks:
            task.cancel()
        for found in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(found, Exception):
                self.faults.append(f"{self.label}: the application ends with {found!r}")
        self._tasks = []
        await client.close()

    async def texts(self) -> Counter[tuple[str, int, str | None, bytes]]:
        """Return what the application was given: sender, device, name to whom, body."""
        client = self.client
        assert client is not None
        statement = "SELECT sender, device, to_name, body FROM texts"
        return Counter(await client.run(lambda: client.store.connection.execute(statement).fetchall()))

    async def count(self) -> int:
        """Return how many texts the application was given."""
        return (await self.texts()).total()

    def conflicts(self) -> set[str]:
        """Return the names whose lists the application heard to contradict each other."""
        return {str(name) for kind, name in self.events if kind is EventKind.CONFLICT}

    def __repr__(self) -> str:
        return self.label


def wake(phone: Phone) -> None:
    """Let all tasks of a client look for work, as time would."""
    if phone.client is not None:
        office = phone.client._office
        office.wake_all()
        office.keeper_wake.set()


def pass_time(phones: list[Phone], country: Country, seconds: int) -> None:
    """Let time pass for everybody: a token ends by a clock that a test does not move."""
    country.now += seconds
    for phone in phones:
        if phone.client is not None:
            phone.client._office.connection._ends -= seconds
            phone.client._office.connection._since -= seconds
        wake(phone)
