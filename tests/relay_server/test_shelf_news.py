"""A socket tells of news on the shelf of its user, and of nobody else's."""

import asyncio

from letterlock._wire.relay_shelf import ShelfName, ShelveAnswer, ShelveRequest
from support.relay_server import ServedTown, Server, in_town
from support.relay_socket import line
from support.relay_town import Resident, family


async def shelve(caller: Resident, to: Resident, parcel: bytes) -> None:
    request = ShelveRequest(((ShelfName.of_user(to.user_id), parcel),))
    await caller.town.get(ShelveAnswer, request, caller.tokens[1])


def test_a_parcel_is_told_of_at_once(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        alice = await Resident(town, "alice news").move_in()
        bob = await Resident(town, "bob news").move_in()
        await shelve(alice, bob, b"before")
        async with line(server, bob.tokens[1]) as open_line:
            assert await open_line.shelf_news() == 1
            await shelve(alice, bob, b"one")
            assert await open_line.shelf_news() == 2
            await shelve(alice, bob, b"one")  # it is there
            await shelve(alice, alice, b"two")
            await shelve(bob, bob, b"three")
            assert await open_line.shelf_news() == 3
            await alice.sent(bob, {1: b"mail"})
            assert list((await open_line.texts(1)).values()) == [b"mail"]
            assert open_line.shelf == []

    in_town(server, play)


def test_each_device_of_a_user_is_told_but_a_limited_one(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        alice = await Resident(town, "alice each").move_in()
        bob = await family(town, "bob each").move_in()
        lines = [line(server, bob.tokens[each]) for each in (1, 2, 3)]
        async with lines[0] as one, lines[1] as two, lines[2] as limited:
            assert [await each.shelf_news() for each in (one, two)] == [0, 0]
            await shelve(alice, bob, b"one")
            assert set(await asyncio.gather(one.shelf_news(), two.shelf_news())) == {1}
            await alice.sent(bob, {3: b"mail"})
            assert list((await limited.texts(1)).values()) == [b"mail"]
            assert limited.shelf == []

    in_town(server, play)
