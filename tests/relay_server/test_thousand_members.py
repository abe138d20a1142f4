"""A large group of a client, at a relay of its own process: a text is stored once, and members read it there.

Alice, Bob, Carol, Dave and Erin have clients. The other members are enrolled and have prekeys, and nobody
looks into their mailboxes. `LETTERLOCK_GROUP_MEMBERS=1000` makes the group as large as there can be.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from letterlock._wire.group_limits import MAX_GROUP_MEMBERS
from letterlock._wire.relay_group import GroupTextsAnswer, GroupTextsRequest
from letterlock._wire.relay_mail import FetchAnswer, FetchRequest
from letterlock._wire.relay_shelf import ShelfAnswer, ShelfName, ShelfRequest
from letterlock.client import Client
from letterlock.client._http import HttpTransport
from letterlock.client._opening import World
from letterlock.client._pace import Pace
from letterlock.groups import GroupEventKind
from support.client_groups import texts
from support.client_town import happens
from support.relay_process import RelayProcess
from support.relay_residents import KEY, REGISTRATION, Resident, enrol
from support.relay_server import ServedTown

pytestmark = pytest.mark.slow

MEMBERS: Final = min(int(os.environ.get("LETTERLOCK_GROUP_MEMBERS", "70")), MAX_GROUP_MEMBERS)
SECONDS: Final = 120 + MEMBERS // 2
REAL: Final = ("alice", "bob", "carol", "dave", "erin")


class QuietClient(Client):
    """A client that does nothing because some time is over: letters of groups need not wait for that."""

    __slots__ = ()
    _world = World(HttpTransport, Pace(refill=1e9, upkeep=1e9))


async def read(clients: list[Client], sender: str, body: bytes) -> None:
    """Require that each of some clients reads a text."""
    for each in clients:
        assert await texts(each, 1) == [(sender, body)]


class Relay:
    """What a resident sees of the relay."""

    def __init__(self, town: ServedTown, resident: Resident) -> None:
        self.town = town
        self.resident = resident

    async def _ask(self, kind: Any, request: Any) -> Any:
        return await self.town.get(kind, request, self.resident.token)

    async def texts(self, group: bytes) -> int:
        """Return how many texts are stored."""
        return len((await self._ask(GroupTextsAnswer, GroupTextsRequest(group, 0, 100, 0))).texts)

    async def letters(self) -> int:
        """Return how many letters wait for the resident."""
        return len((await self._ask(FetchAnswer, FetchRequest(100, 0))).deliveries)

    async def wait_for_letters(self, count: int) -> None:
        """Require that so many letters come. Some members read a text before others have its keys."""
        for _ in range(SECONDS * 10):
            if await self.letters() >= count:
                break
            await asyncio.sleep(0.1)
        assert await self.letters() == count

    async def parcels(self, shelf: ShelfName) -> list[int]:
        """Return the sizes of the parcels on a shelf."""
        found = (await self._ask(ShelfAnswer, ShelfRequest(shelf, 0, 100))).parcels
        return [len(parcel) for _, parcel in found]


async def story(relay: RelayProcess, folder: Path) -> None:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        town = ServedTown(relay, http)  # type: ignore[arg-type]
        names = [f"m{at}" for at in range(MEMBERS - len(REAL))]
        residents = await enrol(town, relay.url.removeprefix("http://"), names)
        clients = [
            await stack.enter_async_context(
                await QuietClient.create(
                    folder / f"{name}.db", key=bytes(32), name=name, relay=relay.url, ticket=KEY.sign(name)
                )
            )
            for name in REAL
        ]
        alice, bob, carol, dave, erin = clients
        seen = Relay(town, residents[0])

        group = await alice.groups.create("crowd", [*REAL[1:4], *names])
        assert len((await alice.groups.get(group)).members) == MEMBERS - 1
        await alice.groups.send(group, b"to all of you")
        await read([bob, carol, dave], "alice", b"to all of you")
        assert len((await bob.groups.get(group)).members) == MEMBERS - 1
        # The names stand once, and nobody was given a list of its own.  GRP-49
        named = await seen.parcels(ShelfName.of_collection(group))
        assert 1 <= len(named) <= MEMBERS // 64 + 1
        assert sum(named) < 100 * MEMBERS
        assert await seen.parcels(ShelfName.of_user(seen.resident.user.user_id)) == []
        await seen.wait_for_letters(2)  # the secret, and the chain of alice

        # Whoever writes knows all names by then, and whoever only reads those of writers.  GRP-50
        await bob.groups.send(group, b"and from me")
        await read([alice, carol, dave], "bob", b"and from me")
        assert len(await bob.contacts()) == MEMBERS - 2
        assert len(await carol.contacts()) == 2
        assert await seen.texts(group) == 2

        await alice.groups.add(group, ["erin"])
        await alice.groups.send(group, b"welcome")
        await read([bob, carol, dave, erin], "alice", b"welcome")

        await alice.groups.remove(group, ["dave"])
        await alice.groups.send(group, b"without dave")
        await read([bob, carol, erin], "alice", b"without dave")
        await dave.groups.refresh()
        await happens(dave, GroupEventKind.LEFT)
        async for message in dave.messages(wait=0):
            raise AssertionError(message.body)
        assert await seen.texts(group) == 4


def test_a_text_for_a_thousand_is_stored_once_and_read(tmp_path: Path) -> None:
    (tmp_path / "relay").mkdir()
    with RelayProcess(tmp_path / "relay", *REGISTRATION) as relay:
        asyncio.run(asyncio.wait_for(story(relay, tmp_path), SECONDS))
