"""A town: a relay in this process, and clients that talk to it through a transport that may lie.

    Town.client(name)       a client, registered and entered
    Town.gates              functions that let a call go when they return
    Town.rules              functions that see each call before the relay does, and may answer in its place
    Town.changes            functions that see each answer before the client does, and may change it

Everything happens in one event loop. Times are scaled down, and nothing measures them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final

from letterlock import MemoryStore
from letterlock._wire.relay_calls import CALL_OF_PATH
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_group import FollowFrame, GroupFrame, GroupTextsAnswer, GroupTextsRequest
from letterlock._wire.relay_mail import FetchAnswer, FetchRequest, MailFrame, read_sent_frame
from letterlock._wire.relay_shelf import ShelfFrame
from letterlock.client import Client, RelayUnavailable
from letterlock.client._http import RelayUrl
from letterlock.client._opening import World
from letterlock.client._pace import Pace
from letterlock.client._transport import Reply, Socket, SocketClosed
from letterlock.limits import MAX_COUNTER
from letterlock.relay._relay import Relay
from letterlock.relay._settings import RelaySettings
from letterlock.relay._sqlite import SqliteRelayStore
from letterlock.user import DeviceClass, LinkingCode
from support.pair import NOON

RELAY: Final = "https://relay.example"
PATIENCE: Final = 120.0
"""Seconds after which a test gives up. None waits for so long unless something is broken."""
SPEED: Final = 20
QUICK: Final = Pace(poll=1, scale=0.001)

Gate = Callable[["Asked"], Awaitable[None]]
Rule = Callable[["Asked"], Reply | None]
Change = Callable[["Asked", Reply], Reply]


@dataclass(frozen=True)
class Asked:
    """A call on its way to the relay."""

    name: str
    body: bytes
    token: bytes | None
    client: str

    @property
    def request(self) -> Any:
        """Return the decoded request."""
        return CALL_OF_PATH[f"/v1/{self.name}"].request.decode(self.body)


@dataclass
class Town:
    """A relay and what happens on the way to it."""

    relay: Relay
    now: int = NOON
    began: float = field(default_factory=monotonic)
    pace: Pace = QUICK
    gates: list[Gate] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    sockets: bool = True
    is_down: bool = False
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    shelved: int = 0
    followed: dict[str, dict[bytes, int]] = field(default_factory=dict)
    """The groups that the newest socket of each client follows, with the number that was told last."""

    def clock(self) -> int:
        """Return the time for everybody. It runs quickly, so that pauses are short."""
        return self.now + int(SPEED * (monotonic() - self.began))

    def kind(self, name: str) -> type[Client]:
        """Return a class of clients whose calls go to this town's relay, under a name for the rules."""
        town = self

        class TownClient(Client):
            __slots__ = ()
            _world = World(lambda url: TownTransport(town, url, name), town.pace, town.clock)

        return TownClient

    async def client(self, name: str, store: Any = None) -> Client:
        """Return a new client that is entered, until the town ends."""
        made = await self.kind(name).create(MemoryStore() if store is None else store, name=name, relay=RELAY)
        return await self.stack.enter_async_context(made)

    async def second(
        self,
        old: Client,
        label: str = "second",
        history: Iterable[bytes] = (),
        store: Any = None,
        device_class: DeviceClass = DeviceClass.FULL,
    ) -> Client:
        """Link one more device of a client, and return it entered. Without the link, nobody joins."""
        shown: asyncio.Future[LinkingCode] = asyncio.get_running_loop().create_future()
        digits: list[str] = []

        async def show(code: LinkingCode) -> None:
            shown.set_result(code)

        async def tell(number: str) -> None:
            digits.append(number)

        async def compare(number: str) -> bool:
            digits.append(number)
            return digits[0] == digits[1]

        kept = MemoryStore() if store is None else store
        joining = asyncio.create_task(self.kind(label).join(kept, relay=RELAY, show=show, digits=tell))
        try:
            await old.link(await shown, compare, device_class, history)
        except BaseException:
            joining.cancel()
            await asyncio.wait([joining])
            raise
        return await self.stack.enter_async_context(await joining)


class TownTransport:
    """The way of one client to the town's relay."""

    def __init__(self, town: Town, url: RelayUrl, client: str) -> None:
        del url
        self.town = town
        self.client = client

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Reply:
        del wait
        town, call = self.town, CALL_OF_PATH[path]
        town.calls[call.name] += 1
        await asyncio.sleep(0)
        asked = Asked(call.name, body, token, self.client)
        for gate in list(town.gates):
            await gate(asked)
        if town.is_down:
            raise RelayUnavailable("the town's relay is down")
        reply = next((found for rule in list(town.rules) if (found := rule(asked)) is not None), None)
        if reply is None:
            answer = await town.relay.handle(call, body, token, town.clock())
            town.shelved += call.name == "shelve"
            reply = Reply(answer.status, answer.body, answer.retry_after or 0)
        if town.is_down:
            raise RelayUnavailable("the town's relay went down")
        for change in list(town.changes):
            reply = change(asked, reply)
        assert len(reply.body) <= most or reply.status == 200
        return reply

    @asynccontextmanager
    async def socket(self, token: bytes, most: int) -> AsyncIterator[Socket]:
        del most
        if not self.town.sockets or self.town.is_down:
            raise RelayUnavailable("no sockets today")
        yield TownSocket(self, token)

    async def close(self) -> None:
        pass


class TownSocket:
    """A socket that is made of fetches."""

    def __init__(self, transport: TownTransport, token: bytes) -> None:
        self._transport = transport
        self._token = token
        self._sent: set[bytes] = set()
        self._shelved = 0
        self._followed: dict[bytes, int] = {}

    async def send(self, frame: bytes) -> None:
        sent = read_sent_frame(frame)
        if isinstance(sent, FollowFrame):
            before, self._followed = self._followed, {}
            self._transport.town.followed[self._transport.client] = self._followed
            for group in sent.groups:  # whatever the client may not see now is passed over for good
                if group in before or await self._newest(group) is not None:
                    self._followed[group] = before.get(group, -1)
            return
        reply = await self._call("ack", frame)
        self._sent -= set(sent.ids)
        assert reply.status in {200, 401}

    async def _news(self) -> bytes | None:
        """Return a frame about a group in which something is new, or None."""
        for group, told in list(self._followed.items()):
            newest = await self._newest(group)
            if newest is None:
                self._followed.pop(group, None)
            elif newest != told:
                self._followed[group] = newest
                return GroupFrame(group, newest).encode()
        return None

    async def _newest(self, group: bytes) -> int | None:
        """Return the number of the newest text, or None if the client may not see the group."""
        reply = await self._call("group-texts", GroupTextsRequest(group, MAX_COUNTER, 1, 0).encode())
        return GroupTextsAnswer.decode(reply.body).newest if reply.status == 200 else None

    async def receive(self) -> bytes:
        while True:
            if self._shelved != self._transport.town.shelved:
                self._shelved = self._transport.town.shelved
                return ShelfFrame(self._shelved).encode()
            news = await self._news()
            if news is not None:
                return news
            reply = await self._call(
                "fetch", FetchRequest(100, 0 if self._followed else 1, tuple(self._sent)[:256]).encode()
            )
            if reply.status != 200:
                raise SocketClosed(4401)
            try:
                answer = FetchAnswer.decode(reply.body)
            except Exception:  # noqa: BLE001
                return reply.body
            if not answer.deliveries and self._followed:
                await asyncio.sleep(0.01)
            if answer.deliveries:
                self._sent |= {each.id for each in answer.deliveries}
                return MailFrame(answer.stock, answer.deliveries).encode()

    async def _call(self, name: str, body: bytes) -> Reply:
        try:
            return await self._transport.post(f"/v1/{name}", body, self._token, 2**30, 1)
        except RelayUnavailable:
            raise SocketClosed(1006) from None


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    """Return a new town, whose clients end with the block."""
    store = await SqliteRelayStore(str(folder / "relay.db")).open()
    relay = Relay(store, RelaySettings("relay.example"))
    await relay.start()
    made = Town(relay)
    try:
        async with made.stack:
            yield made
    finally:
        relay.drain()
        await store.close()


def play(folder: Path, story: Callable[[Town], Awaitable[None]]) -> None:
    """Play a story in a new town. It must end by itself."""

    async def main() -> None:
        async with asyncio.timeout(PATIENCE), town(folder) as made:
            await story(made)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    asyncio.run(main())


# --- what tests wait for ----------------------------------------------------------------------------------


async def bodies(client: Client, count: int) -> list[bytes]:
    """Return the bodies of the next messages."""
    found: list[bytes] = []
    messages = client.messages()
    async for message in messages:
        found.append(message.body)
        if len(found) == count:
            await message.done()
            break
    await messages.aclose()
    return found


async def happens(client: Client, *kinds: object) -> list[Any]:
    """Wait until all these kinds of events have happened, and return all events until then."""
    missing, found = set(kinds), list[Any]()
    events = client.events()
    async for event in events:
        found.append(event)
        missing.discard(event.kind)
        if not missing:
            break
    await events.aclose()
    return found


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    while not condition():  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.005)


def refusal(code: RelayCode, number: int = 0, retry_after: int = 0) -> Reply:
    """Return the answer of a relay that refuses."""
    return Reply(code.status, ErrorAnswer(code, number).encode(), retry_after)
