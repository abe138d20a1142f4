"""A socket tells of texts in the groups that its client follows, and of nothing that its user may not see."""

import asyncio
import os
from collections.abc import Callable
from typing import Self

import pytest

from letterlock._wire.collection_member import MemberName
from letterlock._wire.log_entry import Action
from letterlock._wire.relay_group import FollowFrame, GroupFrame
from letterlock._wire.relay_mail import AckRequest
from letterlock.errors import StoreError
from letterlock.relay._server import _following
from letterlock.relay._server._following import Following, Room
from letterlock.relay._server._socket import MALFORMED
from support.relay_groups import append, begun, gone_on, group_log, sent, text_of
from support.relay_server import ServedTown, Server, in_town
from support.relay_socket import line


def test_a_text_is_told_of_at_once(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        log, (alice, bob) = await begun(town, "alice told", "bob told")
        await sent(alice, text_of(log, alice))
        async with line(server, bob.tokens[1]) as open_line:
            await open_line.follow(log.id)
            assert await open_line.group_news() == GroupFrame(log.id, 1)
            await sent(alice, text_of(log, alice))
            assert await open_line.group_news() == GroupFrame(log.id, 2)
            await sent(bob, text_of(log, bob))
            assert await open_line.group_news() == GroupFrame(log.id, 3)

    in_town(server, play)


def test_a_client_follows_what_it_named_last(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        log, (alice,) = await begun(town, "alice names")
        other = group_log(alice)
        await append(alice, other.entries[0])
        async with line(server, alice.tokens[1]) as open_line:
            await open_line.follow(log.id)
            assert await open_line.group_news() == GroupFrame(log.id, 0)
            await open_line.follow(other.id)
            assert await open_line.group_news() == GroupFrame(other.id, 0)
            await sent(alice, text_of(log, alice))
            await sent(alice, text_of(other, alice))
            assert await open_line.group_news() == GroupFrame(other.id, 1)
            await open_line.follow(other.id, log.id)
            assert await open_line.group_news() == GroupFrame(log.id, 1)

    in_town(server, play)


def test_a_socket_is_told_of_nothing_that_its_user_may_not_see(server: Server) -> None:
    """RLY-48, RLY-51: neither of a group of others, nor of one that it was removed from meanwhile."""

    async def play(town: ServedTown) -> None:
        log, (alice, bob) = await begun(town, "alice hides", "bob hides")
        theirs = group_log(alice)
        await append(alice, theirs.entries[0])
        async with line(server, bob.tokens[1]) as open_line:
            await open_line.follow(log.id, theirs.id, os.urandom(16))
            assert await open_line.group_news() == GroupFrame(log.id, 0)
            await gone_on(log, alice, Action.REMOVE, MemberName.user(bob.user_id))
            await sent(alice, text_of(log, alice))
            await sent(alice, text_of(theirs, alice))
            await alice.sent(bob, {1: b"mail"})
            assert list((await open_line.texts(1)).values()) == [b"mail"]
            assert open_line.groups == []

    in_town(server, play)


def test_mail_and_acknowledgements_go_on_beside_it(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        log, (alice, bob) = await begun(town, "alice mail", "bob mail")
        await alice.sent(bob, {1: b"mail"})
        async with line(server, bob.tokens[1]) as open_line:
            await open_line.follow(log.id)
            (id_,) = await open_line.texts(1)
            await open_line.connection.send(AckRequest((id_,)).encode())
            assert await open_line.next() == AckRequest((id_,))
            await sent(alice, text_of(log, alice))
            while GroupFrame(log.id, 1) not in open_line.groups:
                open_line.groups.append(await open_line.group_news())

    in_town(server, play)


@pytest.mark.parametrize(
    "frame",
    [
        FollowFrame((bytes(16),)).encode()[:-1],
        FollowFrame((bytes(16),)).encode() + b"\0",
        GroupFrame(bytes(16), 1).encode(),
        b"\x83\x01\x18\x18\x81" + b"\x4f" + bytes(15),
        b"\x83\x01\x18\x18\x82" + (b"\x50" + bytes(16)) * 2,
    ],
    ids=["cut", "longer", "of the relay", "short id", "twice"],
)
def test_a_frame_that_follows_nothing_closes_the_socket(server: Server, frame: bytes) -> None:
    async def play(town: ServedTown) -> None:
        _, (alice,) = await begun(town, f"alice {os.urandom(4).hex()}")
        async with line(server, alice.tokens[1]) as open_line:
            await open_line.connection.send(frame)
            assert await open_line.closed() == MALFORMED

    in_town(server, play)


# --- without a server -----------------------------------------------------------------------------------


class StillNews:
    """A relay whose groups have no news, and a count of the watches that are open."""

    def __init__(self, fails: Callable[[], bool] = lambda: False) -> None:
        self.fails = fails
        self.open = 0
        self.begun = 0

    def group_news(self, *_: object) -> "StillNews":
        return self

    async def __aenter__(self) -> Self:
        self.begun += 1
        if self.fails():
            raise StoreError("the store is away")
        self.open += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open -= 1

    async def next(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def nowhere(frame: bytes) -> None:
    raise AssertionError(frame)


def ids(*numbers: int) -> list[bytes]:
    return [each.to_bytes(16, "big") for each in numbers]


def test_sockets_share_so_many_groups() -> None:
    """RLY-51: and what one lets go another may follow."""

    async def play() -> None:
        relay, room = StillNews(), Room(5)
        one, two = (Following(relay, b"token", room, nowhere) for _ in range(2))  # type: ignore[arg-type]
        one.follow(ids(1, 2, 3))
        two.follow(ids(1, 2, 3))
        await asyncio.sleep(0)
        assert (relay.open, room.left) == (5, 0)
        one.follow(ids(3))
        await asyncio.sleep(0.01)
        assert (relay.open, room.left) == (3, 2)
        two.follow(ids(1, 2, 3, 4, 5, 6))
        await asyncio.sleep(0.01)
        assert (relay.open, room.left) == (5, 0)
        await one.end()
        await two.end()
        await asyncio.sleep(0)
        assert (relay.open, room.left) == (0, 5)

    asyncio.run(play())


def test_a_store_that_fails_is_asked_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_following, "_LATER", 0)

    async def play() -> None:
        failures = iter([True, True, False])
        relay, room = StillNews(lambda: next(failures)), Room()
        following = Following(relay, b"token", room, nowhere)  # type: ignore[arg-type]
        following.follow(ids(1))
        while relay.open == 0:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0)
        assert relay.begun == 3
        await following.end()

    asyncio.run(play())
