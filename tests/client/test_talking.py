"""Two people and their devices talk through a relay."""

import asyncio
from pathlib import Path

from letterlock.client import RelayEventKind
from letterlock.user import Attachment, EventKind
from support.client_town import Town, bodies, happens, play


def test_a_message_and_its_answer(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        await alice.send("bob", b"hello", attachments=[Attachment("a.txt", "text/plain", b"data")])
        async for message in bob.messages():
            assert (message.sender, message.device, message.to, message.body) == ("alice", 1, None, b"hello")
            assert message.attachments[0].data == b"data"
            await message.done()
            break
        await bob.send("alice", b"good day")
        assert await bodies(alice, 1) == [b"good day"]
        await happens(bob, EventKind.NEW_CONTACT, RelayEventKind.UP)

    play(tmp_path, story)


def test_two_devices_each(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        tablet, laptop = await town.second(alice, "tablet"), await town.second(bob, "laptop")
        await alice.send("bob", b"to both")
        assert await bodies(bob, 1) == [b"to both"]
        assert await bodies(laptop, 1) == [b"to both"]
        async for message in tablet.messages():
            assert (message.sender, message.to, message.body) == ("alice", "bob", b"to both")
            break
        await laptop.send("alice", b"from the laptop")
        assert await bodies(alice, 1) == [b"from the laptop"]
        assert [each.id for each in await alice.devices()] == [1, 2]

    play(tmp_path, story)


def test_what_was_sent_offline_goes_when_the_relay_is_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        await alice.meet("bob")
        town.is_down = True
        await happens(alice, RelayEventKind.DOWN)
        for number in range(20):
            await alice.send("bob", b"%d" % number)
        id_ = await alice.send("bob", b"last")
        assert (await alice.delivery(id_)) is not None
        town.is_down = False
        assert await bodies(bob, 21) == [*(b"%d" % each for each in range(20)), b"last"]
        while await alice.delivery(id_) is not None:  # noqa: ASYNC110 (until the receipt is there)
            await asyncio.sleep(0.01)

    play(tmp_path, story)
