"""A group of 1,000 at a relay of its own process: a text is stored once, and members read it from there.

The admin is a user without a client, who speaks to the relay directly. Bob, Carol, Dave and Erin have
clients. The others are in the log with their device lists, and never come.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from letterlock import Address, MemoryStore, PrekeyBundle
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.device_list import DeviceList
from letterlock._wire.group_limits import MAX_GROUP_MEMBERS
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_group import (
    GroupSendAnswer,
    GroupSendRequest,
    GroupTextsAnswer,
    GroupTextsRequest,
)
from letterlock._wire.relay_lists import ListsAnswer, ListsRequest, RegisterRequest
from letterlock._wire.relay_log import LogAppendAnswer, LogAppendRequest
from letterlock._wire.relay_login import (
    AuthenticateAnswer,
    AuthenticateRequest,
    ChallengeAnswer,
    ChallengeRequest,
    login_input,
)
from letterlock._wire.relay_mail import SendRequest
from letterlock._wire.relay_prekeys import ClaimAnswer, ClaimRequest
from letterlock.client import Client
from letterlock.groups import GroupChange, GroupEventKind, GroupPost, Groups, GroupTaken
from letterlock.user import NeedKind, User
from support.client_groups import texts
from support.client_town import happens
from support.relay_process import RelayProcess
from support.relay_server import ServedTown
from support.user_devices import own_record
from support.user_tools import FULL, Owner

pytestmark = pytest.mark.slow

SECONDS: Final = 120
REAL: Final = ("bob", "carol", "dave", "erin")


class Admin:
    """Alice, who makes groups."""

    def __init__(self, town: ServedTown, relay: str) -> None:
        self.town = town
        self.relay = relay
        self.user = User.create(MemoryStore(), "alice")
        self.groups = Groups(self.user)
        self.token = b""
        self.heads: dict[str, tuple[int, bytes]] = {}

    async def ask(self, kind: Any, request: Any) -> Any:
        return await self.town.get(kind, request, self.token or None)

    async def move_in(self) -> None:
        """Register, and log in."""
        lists = tuple(each.encode() for each in self.user.device_lists())
        await self.ask(DoneAnswer, RegisterRequest("alice", lists, None))
        address = self.user.address
        challenge = (await self.ask(ChallengeAnswer, ChallengeRequest(address))).challenge
        seed = own_record(self.user).signing.expose()
        signature = Ed25519KeyPair(Ed25519Seed(seed[32:])).sign(
            login_input(self.relay, address, challenge, 1)
        )
        answer = await self.ask(AuthenticateAnswer, AuthenticateRequest(address, challenge, 1, signature))
        self.token = answer.token

    async def meet(self, *names: str) -> None:
        """Learn the lists of people who have clients."""
        for name in names:
            found = (await self.ask(ListsAnswer, ListsRequest(name, 0))).lists
            lists = [DeviceList.decode(each) for each in found]
            self.user.learn(name, lists)
            self.heads[name] = lists[-1].snapshot.version, lists[-1].hash[:8]

    async def give(self, made: GroupTaken | GroupPost) -> int:
        """Deliver letters to those who have clients, and return how many that took."""
        outgoing = list(made.outgoing)
        for need in made.needs:
            if need.kind is NeedKind.BUNDLE and need.name in REAL:
                outgoing += (await self._begun(need.address)).outgoing
        for each in outgoing:
            head = self.heads[each.address.name]
            messages = ((each.address.device_id, each.message),)
            await self.ask(DoneAnswer, SendRequest(os.urandom(16), each.address.name, *head, messages))
        return len(outgoing)

    async def _begun(self, address: Address) -> Any:
        request = ClaimRequest(os.urandom(16), address.name, *self.heads[address.name], (address.device_id,))
        (bundle,) = (await self.ask(ClaimAnswer, request)).bundles
        return self.user.begin(address, PrekeyBundle.decode(bundle))

    async def change(self, change: GroupChange) -> int:
        """Put an entry into its log; return how many letters that took."""
        answer = await self.ask(LogAppendAnswer, LogAppendRequest(change.entry))
        assert answer.is_taken
        return await self.give(self.groups.accepted(change))

    async def say(self, group: bytes, text: bytes) -> int:
        """Send a text, and return its number at the relay."""
        post = self.groups.encrypt(group, text)
        await self.give(post)
        number: int = (await self.ask(GroupSendAnswer, GroupSendRequest(post.text))).number
        return number

    async def stored(self, group: bytes) -> int:
        """Return how many texts the relay has of a group."""
        return len((await self.ask(GroupTextsAnswer, GroupTextsRequest(group, 0, 100, 0))).texts)


async def read(clients: list[Client], sender: str, body: bytes) -> None:
    """Require that each of some clients reads a text."""
    for each in clients:
        assert await texts(each, 1) == [(sender, body)]


async def story(relay: RelayProcess, folder: Path) -> None:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        admin = Admin(ServedTown(relay, http), relay.url.removeprefix("http://"))  # type: ignore[arg-type]
        await admin.move_in()
        clients = [
            await stack.enter_async_context(
                await Client.create(folder / f"{name}.db", key=bytes(32), name=name, relay=relay.url)
            )
            for name in REAL
        ]
        for client in clients:
            for name in {*REAL, "alice"} - {client.name}:
                await client.meet(name)
        await admin.meet(*REAL)
        absent = [Owner(f"m{at}", [(1, FULL)]) for at in range(MAX_GROUP_MEMBERS - 1 - len(REAL))]
        for each in absent:
            admin.user.learn(each.name, each.lists)
        bob, carol, dave, erin = clients

        created = admin.groups.create("crowd", [*REAL[:3], *(each.name for each in absent)])
        group = created.group
        assert await admin.change(created) == 3
        assert len(admin.groups.get(group).members) == MAX_GROUP_MEMBERS - 1
        assert await admin.say(group, b"to all of you") == 1
        await read([bob, carol, dave], "alice", b"to all of you")
        assert await admin.stored(group) == 1
        assert len((await bob.groups.get(group)).members) == MAX_GROUP_MEMBERS - 1

        await bob.groups.send(group, b"and from me")
        await read([carol, dave], "bob", b"and from me")
        assert await admin.stored(group) == 2

        assert await admin.change(admin.groups.add(group, ["erin"])) == 1
        assert await admin.say(group, b"welcome") == 3
        await read(clients, "alice", b"welcome")

        assert await admin.change(admin.groups.remove(group, ["dave"])) == 3
        assert await admin.say(group, b"without dave") == 4
        await read([bob, carol, erin], "alice", b"without dave")
        await dave.groups.refresh()
        await happens(dave, GroupEventKind.LEFT)
        async for message in dave.messages(wait=0):
            raise AssertionError(message.body)
        assert await admin.stored(group) == 4


def test_a_text_for_a_thousand_is_stored_once_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("letterlock.client._group_outbox.MAX_WAITS", 0)  # nobody will ever know the others
    (tmp_path / "relay").mkdir()
    with RelayProcess(tmp_path / "relay") as relay:
        asyncio.run(asyncio.wait_for(story(relay, tmp_path), SECONDS))
