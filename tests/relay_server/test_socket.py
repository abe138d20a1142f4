"""The socket: mail is pushed, acknowledgements come back, and it closes with a code that says why."""

import asyncio
from time import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_mail import AckRequest, FetchRequest
from letterlock.relay import open_store
from letterlock.relay._server._sockets import Sockets
from letterlock.relay._session import Seals
from letterlock.relay._store import ListedKey
from support.relay_server import ServedTown, Server, in_town, served, until
from support.relay_socket import line
from support.relay_town import Resident, some_id

KIB = 1024


async def pair(town: ServedTown, label: str) -> tuple[Resident, Resident]:
    """Return two people who may write to each other."""
    alice = await Resident(town, f"alice {label}").move_in()
    return alice, await Resident(town, f"bob {label}").move_in()


def test_mail_is_pushed_and_acknowledged(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        alice, bob = await pair(town, "push")
        await alice.sent(bob, {1: b"before"}, id_="0")
        async with line(server, bob.tokens[1]) as open_line:
            assert list((await open_line.texts(1)).values()) == [b"before"]
            await alice.sent(bob, {1: b"after"}, id_="1")
            after = await open_line.texts(1)
            assert list(after.values()) == [b"after"]
            await open_line.acknowledge(*after)
            await open_line.acknowledge(*after)
        assert [each.message for each in await bob.fetched()] == [b"before"]

    in_town(server, play)


def test_what_was_not_acknowledged_comes_again_on_the_next_socket(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        alice, bob = await pair(town, "again")
        await alice.sent(bob, {1: b"text"})
        for _ in range(3):
            async with line(server, bob.tokens[1]) as open_line:
                assert list((await open_line.texts(1)).values()) == [b"text"]
        async with line(server, bob.tokens[1]) as open_line:
            await open_line.acknowledge(*(await open_line.texts(1)))
        assert await bob.fetched() == ()

    in_town(server, play)


def test_no_more_than_256_are_in_flight(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        bob = await Resident(town, "bob flight").move_in()
        for number in range(5):  # a sender may send 60 at once to one recipient
            sender = await Resident(town, f"sender {number}").move_in()
            await asyncio.gather(*(sender.sent(bob, {1: b"text"}, id_=str(each)) for each in range(55)))
        async with line(server, bob.tokens[1]) as open_line:
            first = await open_line.texts(256)
            assert len(first) == 256
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await open_line.mail()
            ids = list(first)
            await open_line.connection.send(AckRequest(tuple(ids[:10])).encode())
            assert await open_line.next() == AckRequest(tuple(ids[:10]))
            more = await open_line.texts(10)
            assert set(more).isdisjoint(first)
            assert len(more) == 10

    in_town(server, play)


def test_a_newer_socket_displaces_the_older(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        _, bob = await pair(town, "displace")
        async with line(server, bob.tokens[1]) as older, line(server, bob.tokens[1]):
            assert await older.closed() == 4409

    in_town(server, play)
    until(lambda: server.metrics()["letterlock_relay_displaced_sockets_total"] >= 1)


def test_a_socket_displaces_those_of_the_same_device_alone() -> None:
    """A token of an earlier device, or of an earlier user of the name, is known to be good only later."""

    async def play() -> None:
        sockets = Sockets(10, 4409)
        there = sockets.enter((bytes(16), 2, 5, b"the user"))
        for other in (
            (bytes(15) + b"\1", 2, 5, b"the user"),
            (bytes(16), 3, 5, b"the user"),
            (bytes(16), 2, 4, b"the user"),
            (bytes(16), 2, 5, b"earlier!"),
        ):
            sockets.enter(other)
            assert not there.ended.is_set()
        sockets.enter((bytes(16), 2, 5, b"the user"))
        assert there.code == 4409

    asyncio.run(play())


def test_the_token_of_an_earlier_user_displaces_nobody(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        alice, bob = await pair(town, "earlier")
        store = await open_store(f"sqlite:///{server.store}").open()
        try:
            secret = await store.secret("tokens", bytes(32))
        finally:
            await store.close()
        listed = ListedKey(1, bytes(32), bytes(32), 1, 1)
        token = Seals.of(secret, system_entropy).token(bob.name, listed, b"earlier!", int(time()))
        async with line(server, bob.tokens[1]) as open_line:
            async with line(server, token) as earlier:
                assert await earlier.closed() == 4401
            await alice.sent(bob, {1: b"text"})
            assert list((await open_line.texts(1)).values()) == [b"text"]

    in_town(server, play)


def test_a_device_that_is_revoked_loses_its_socket(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        alice, _ = await pair(town, "revoke")
        bob = Resident(town, "bob revoked")
        bob.next(add=[(2, 1)])
        await bob.move_in()
        async with line(server, bob.tokens[2]) as open_line:
            await alice.sent(bob, {1: b"1", 2: b"2"}, id_="a")
            await open_line.texts(1)
            bob.next(revoke=(2,))
            await bob.append()
            await open_line.connection.send(AckRequest((some_id("x"),)).encode())
            assert await open_line.closed() == 4401

    in_town(server, play)


@pytest.mark.parametrize("token", [None, b"\x00", b"x" * 64])
def test_no_socket_without_a_token(server: Server, token: bytes | None) -> None:
    async def play(_: ServedTown) -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with line(server, token):
                pass
        assert refused.value.response.status_code == 401
        assert ErrorAnswer.decode(bytes(refused.value.response.body or b"")).code is RelayCode.UNKNOWN

    in_town(server, play)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"", 4400),
        (b"\x00", 4400),
        (FetchRequest(1, 0).encode(), 4400),
        (AckRequest((some_id("x"),)).encode() + b"\x00", 4400),
        (bytes(16 * KIB), 4400),
        (bytes(16 * KIB + 1), 1009),
        ("text", 1003),
    ],
    ids=["empty", "zero", "fetch", "junk after", "long", "longer", "text"],
)
def test_a_frame_that_is_no_acknowledgement_closes_the_socket(
    server: Server, frame: bytes | str, code: int
) -> None:
    async def play(town: ServedTown) -> None:
        person = await Resident(town, f"frame {code} {len(frame)}").move_in()
        async with line(server, person.tokens[1]) as open_line:
            await open_line.connection.send(frame)
            assert await open_line.closed() == code

    in_town(server, play)


def test_a_message_in_endless_fragments_closes_the_socket(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        person = await Resident(town, "fragments").move_in()
        async with line(server, person.tokens[1]) as open_line:
            with pytest.raises(ConnectionClosed):  # perhaps before the frame that says why was read
                await open_line.connection.send([b""] * 200)
                while True:  # news of the shelf may come first
                    await open_line.connection.recv()

    in_town(server, play)


def test_another_path_is_no_socket(server: Server) -> None:
    async def play(_: ServedTown) -> None:
        for path in ("/", "/v1/send", "/v1/socket/", "/health"):
            with pytest.raises(InvalidStatus) as refused:
                async with connect(f"ws://127.0.0.1:{server.address[1]}{path}", proxy=None):
                    pass
            assert refused.value.response.status_code == 403

    in_town(server, play)


def test_a_socket_too_many_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def play(town: ServedTown) -> None:
        alice, bob = await pair(town, "many")
        async with line(town.server, alice.tokens[1]):
            with pytest.raises(InvalidStatus) as refused:
                async with line(town.server, bob.tokens[1]):
                    pass
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["retry-after"]

    with served(tmp_path_factory.mktemp("few"), "--sockets", "1") as few:
        in_town(few, play)
