"""Clients that read their sockets slowly or not at all: what is written to them has bounded memory."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message

from letterlock import Address
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.relay_login import ChallengeRequest, account_key, token_text
from letterlock._wire.relay_mail import AckRequest, Delivery, FetchAnswer
from letterlock.relay import open_store
from letterlock.relay._reply import Reply
from letterlock.relay._server import _budget
from letterlock.relay._server._budget import ABORT, Budget, Share
from letterlock.relay._server._socket import SocketCalls
from letterlock.relay._server._sockets import Sockets
from letterlock.relay._session import Seals
from support.relay_junk import upgrade
from support.relay_rows import Person, letter, sent
from support.relay_server import ServedTown, Server, in_town, request, served, status_of, until
from support.relay_socket import line
from support.relay_town import Resident, some_id

MIB = 1024 * 1024
PIECE = 512 * 1024
FULL = FetchAnswer(0, tuple(Delivery(os.urandom(16), 1, Address("bob"), bytes(PIECE)) for _ in range(8)))
NONE = FetchAnswer(0, ())


class Client:
    """The server's side of a socket whose client reads when it is told to."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.frames = 0
        self.reads = asyncio.Event()
        self.comes: asyncio.Queue[Message] = asyncio.Queue()
        self.comes.put_nowait({"type": "websocket.connect"})
        self.is_cut = False

    @property
    def scope(self) -> dict[str, Any]:
        text = token_text(bytes([self.number]) * 8).encode()
        headers = [(b"authorization", b"Bearer " + text)]
        return {"headers": headers, "extensions": {ABORT: self.cut}}

    def cut(self) -> None:
        self.is_cut = True
        self.reads.set()
        self.comes.put_nowait({"type": "websocket.disconnect", "code": 1006})

    def leave(self) -> None:
        """Say goodbye, without reading what is on its way."""
        self.comes.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def receive(self) -> Message:
        return await self.comes.get()

    async def send(self, message: Message) -> None:
        if message["type"] == "websocket.send" and "bytes" in message:
            self.frames += 1
        elif message["type"] != "websocket.accept":
            await self.reads.wait()


class Relay:
    """Has 4 MiB of mail for each device, once."""

    def __init__(self) -> None:
        self.fetched: dict[bytes, int] = {}
        self.taken: set[bytes] = set()

    def session(self, token: bytes, now: int) -> Any:
        return SimpleNamespace(account=token, device=1, added=1, user=bytes(8), until=now + 3600)

    async def handle(self, call: Any, body: bytes, token: bytes, now: int) -> Reply:
        del call, now
        self.fetched[token] = self.fetched.get(token, 0) + 1
        if FULL.deliveries[0].id in body:
            await asyncio.Event().wait()
        return Reply(200, FULL.encode())

    @asynccontextmanager
    async def shelf_news(self, token: bytes, now: int) -> AsyncIterator[Any]:
        """Have no news of any shelf."""
        del token, now

        async def never(seconds: float) -> None:
            await asyncio.sleep(seconds)

        yield SimpleNamespace(next=never)


@contextmanager
def sockets(count: int, memory: int) -> Iterator[tuple[list[Client], Budget, Callable[[], int], list[Any]]]:
    """Open sockets over a budget. Use it in an event loop."""
    held = list[int]()
    budget = Budget(memory, held.append)
    metrics: Any = SimpleNamespace(socket=lambda _: None, displaced=lambda: None)
    relay: Any = Relay()
    calls = SocketCalls(relay, Sockets(100, 4409), metrics, Share(budget, memory // 2))
    clients = [Client(number) for number in range(count)]
    tasks = [asyncio.ensure_future(calls(each.scope, each.receive, each.send)) for each in clients]
    yield clients, budget, lambda: sum(held), tasks


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def ended(clients: list[Client], tasks: list[Any]) -> None:
    for each in clients:
        each.reads.set()
        each.leave()
    await asyncio.gather(*tasks)


def test_mail_that_nobody_takes_shares_bounded_memory() -> None:
    """RLY-32: each of five sockets has 4 MiB to get. Two fit into the half of 20 MiB that sockets have."""

    async def play() -> None:
        with sockets(5, 20 * MIB) as (clients, budget, held, tasks):
            await settled()
            assert sorted(each.frames for each in clients) == [0, 0, 0, 1, 1]
            assert 8 * MIB < held() < 10 * MIB
            assert budget.take(10 * MIB, known=True), "the other half is not the sockets'"
            budget.give_back(10 * MIB)
            for _ in range(3):
                next(each for each in clients if each.frames and not each.reads.is_set()).reads.set()
                await settled()
            assert [each.frames for each in clients] == [1] * 5, "each gets its turn"
            await ended(clients, tasks)
            assert held() == 0

    asyncio.run(play())


def test_memory_is_held_until_the_client_took_its_mail_whoever_closes() -> None:
    """Otherwise a client could open one socket after the other, and have 4 MiB written to each."""

    async def play() -> None:
        with sockets(1, 20 * MIB) as (clients, _, held, tasks):
            await settled()
            clients[0].leave()
            await settled()
            assert held() > 4 * MIB
            assert not tasks[0].done()
            clients[0].reads.set()
            await asyncio.gather(*tasks)
            assert held() == 0

    asyncio.run(play())


def test_a_socket_that_waits_in_vain_for_memory_ends_as_others_do() -> None:
    async def play() -> None:
        with sockets(3, 20 * MIB) as (clients, _, held, tasks):
            await settled()
            waiting = next(each for each in clients if not each.frames)
            waiting.reads.set()
            waiting.leave()
            await asyncio.wait({tasks[waiting.number]}, timeout=10)
            assert tasks[waiting.number].done()
            assert held() < 9 * MIB
            await ended(clients, tasks)
            assert held() == 0

    asyncio.run(play())


def test_the_slowest_is_cut_if_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """RLY-32"""
    monkeypatch.setattr(_budget, "SLOW_SECONDS", 0.0)

    async def play() -> None:
        with sockets(3, 20 * MIB) as (clients, _, held, tasks):
            await asyncio.wait(tasks, timeout=30, return_when=asyncio.FIRST_COMPLETED)
            await settled()
            assert clients[0].is_cut, "the one that was first"
            assert [each.frames for each in clients] == [1] * 3
            await ended(clients, tasks)
            assert held() == 0

    asyncio.run(play())


def test_nobody_is_cut_while_there_is_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_budget, "SLOW_SECONDS", 0.0)

    async def play() -> None:
        with sockets(2, 20 * MIB) as (clients, budget, _, tasks):
            await settled()
            assert budget.take(MIB, known=True)
            assert not any(each.is_cut for each in clients)
            budget.give_back(MIB)
            await ended(clients, tasks)

    asyncio.run(play())


# --- a running relay ------------------------------------------------------------------------------------


async def slow_devices(server: Server, count: int) -> list[bytes]:
    """Return the tokens of devices that have 5 MiB of mail each."""
    store = await open_store(f"sqlite:///{server.store}").open()
    try:
        seals = Seals.of(await store.secret("tokens", bytes(32)), system_entropy)
        tokens = list[bytes]()
        for number in range(count):
            person = Person()
            person.key = account_key(f"slow {number}")
            await store.create(person.key, person.lists, person.head, replace=False)
            await asyncio.gather(*(sent(store, person, letter(1, bytes(PIECE))) for _ in range(10)))
            listed, now = person.listed(1), int(time.time())
            tokens.append(seals.token(f"slow {number}", listed, person.head.user_id, now))
        return tokens
    finally:
        await store.close()


def deaf(server: Server, token: bytes, data: bytes = b"") -> socket.socket:
    """Open a socket and read nothing of it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect(server.address)
    connection.sendall(upgrade(f"authorization: Bearer {token_text(token)}") + data)
    return connection


def test_a_relay_stays_small_and_serves_on(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Ten sockets are to get 50 MiB, where 8 MiB are for all of them."""
    folder = tmp_path_factory.mktemp("slow")
    with served(folder, "--body-memory", str(16 * MIB)) as small:
        tokens = asyncio.run(slow_devices(small, 10))

        async def play(town: ServedTown) -> None:
            alice, bob = await Resident(town, "alice").move_in(), await Resident(town, "bob").move_in()
            before = small.memory()
            held = [deaf(small, each) for each in tokens]
            try:
                until(lambda: small.metrics()["letterlock_relay_body_bytes"] > 4 * MIB)
                async with line(small, bob.tokens[1]) as open_line:
                    await alice.sent(bob, {1: b"text"})
                    assert list((await open_line.texts(1)).values()) == [b"text"]
                assert small.metrics()["letterlock_relay_body_bytes"] <= 8 * MIB
                assert small.memory() - before < 96 * MIB
            finally:
                for each in held:
                    each.close()
            until(lambda: small.metrics()["letterlock_relay_body_bytes"] == 0)

        in_town(small, play)


def test_pings_of_a_client_that_reads_nothing_are_not_answered(server: Server) -> None:
    """Their answers would be held for it: 125 bytes for each of a hundred thousand pings."""
    ping = b"\x89\xfd" + bytes(4) + bytes(125)

    async def play(town: ServedTown) -> None:
        before = server.memory()
        deaf_ones = [deaf(server, (await Resident(town, f"deaf {n}").move_in()).tokens[1]) for n in range(4)]
        try:
            for each in deaf_ones:
                with suppress(OSError):
                    each.sendall(ping * 60_000)
            assert server.memory() - before < 12 * MIB
        finally:
            for each in deaf_ones:
                each.close()
        assert status_of(server.talk(request(ChallengeRequest(Address("x")).encode()))) == 200
        assert server.metrics()["letterlock_relay_faults_total"] == 0

    in_town(server, play)


def test_acknowledgements_that_nobody_reads_stop_the_socket_and_nothing_else(server: Server) -> None:
    body = AckRequest((some_id("x"),) * 1).encode()
    frame = b"\x82" + bytes([0x80 | len(body)]) + bytes(4) + body

    async def play(town: ServedTown) -> None:
        person = await Resident(town, "floods").move_in()
        before = server.memory()
        with deaf(server, person.tokens[1]) as connection, suppress(OSError):
            connection.settimeout(0.5)
            connection.sendall(frame * 20_000)
        assert server.memory() - before < 12 * MIB
        assert status_of(server.talk(request(ChallengeRequest(Address("x")).encode()))) == 200

    in_town(server, play)
