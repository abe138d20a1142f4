"""What a group of up to 1,000 costs through a relay of its own process, in bytes and seconds of real clients.

    python bench/groups/relay_crowd.py [members]

Everybody but Alice, Bob and Erin is enrolled with prekeys, and does not come. Alice creates the group and
writes; Bob reads, and then writes; Erin is added. What each of the three sends and gets is counted as bodies
of calls.
"""

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter

import httpx

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from letterlock.client import Client
from letterlock.client._http import HttpTransport, RelayUrl
from letterlock.client._opening import World
from letterlock.client._transport import Reply
from support.client_groups import texts
from support.relay_process import RelayProcess
from support.relay_residents import KEY, REGISTRATION, enrol
from support.relay_server import ServedTown

REAL = ("alice", "bob", "erin")


class Counter(HttpTransport):
    """Connections that count."""

    __slots__ = ("calls", "down", "up")

    def __init__(self, url: RelayUrl) -> None:
        super().__init__(url)
        self.clear()

    def clear(self) -> None:
        self.calls = self.up = self.down = 0

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Reply:
        reply = await super().post(path, body, token, most, wait)
        self.calls, self.up, self.down = self.calls + 1, self.up + len(body), self.down + len(reply.body)
        return reply


class Town:
    """The clients, and what each has sent and got since the last step."""

    def __init__(self) -> None:
        self.counters: dict[str, Counter] = {}
        self.clients: dict[str, Client] = {}
        self.began = perf_counter()

    async def client(self, folder: Path, name: str, url: str) -> Client:
        def counted(to: RelayUrl) -> Counter:
            return self.counters.setdefault(name, Counter(to))

        class Counted(Client):
            __slots__ = ()
            _world = World(counted)

        place = folder / f"{name}.db"
        made = await Counted.create(place, key=bytes(32), name=name, relay=url, ticket=KEY.sign(name))
        self.clients[name] = made
        return made

    def begin(self) -> None:
        for each in self.counters.values():
            each.clear()
        self.began = perf_counter()

    def tell(self, step: str) -> None:
        print(f"{step}: {perf_counter() - self.began:.1f} s")
        for name, each in self.counters.items():
            print(f"    {name:6} {each.calls:6,} calls  up {each.up:10,} B  down {each.down:10,} B")
        self.begin()


async def story(relay: RelayProcess, folder: Path, members: int) -> None:
    town = Town()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        names = [f"member {at}" for at in range(members - len(REAL))]
        await enrol(ServedTown(relay, http), relay.url.removeprefix("http://"), names)  # type: ignore[arg-type]
        for name in REAL:
            await stack.enter_async_context(await town.client(folder, name, relay.url))
        alice, bob, erin = (town.clients[each] for each in REAL)
        town.tell(f"{members} enrolled")
        group = await alice.groups.create("crowd", ["bob", *names])
        town.tell("the entry is in the log")
        await alice.flush(300)
        town.tell("everybody has the secret")
        await alice.groups.send(group, b"hello")
        await texts(bob, 1)
        await alice.flush(300)
        town.tell("the first text of alice, which hands out her chain")
        await bob.groups.send(group, b"and from me")
        await texts(alice, 1)
        await bob.flush(300)
        town.tell("the first text of bob, who has to learn all names")
        await alice.groups.add(group, ["erin"])
        await alice.flush(300)
        await alice.groups.send(group, b"welcome")
        await texts(erin, 1)
        await alice.flush(300)
        town.tell("erin is added, and reads")
        await alice.groups.remove(group, [names[0]])
        await alice.flush(300)
        town.tell("one is removed")


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "relay").mkdir()
        with RelayProcess(Path(place) / "relay", *REGISTRATION) as running:
            asyncio.run(story(running, Path(place), size))
