"""To whom the texts of a client were delivered, as far as their devices have told it. GRP-45 to GRP-47"""

import asyncio
import os
from pathlib import Path

import pytest

from letterlock.client import Client
from letterlock.client._transport import Reply
from letterlock.errors import UsageError
from letterlock.groups import GroupDelivery
from support.client_groups import all_read, founded, texts
from support.client_town import Asked, Town, play


async def delivered(client: Client, id_: bytes) -> dict[str | None, bool]:
    return {each.name: each.is_delivered for each in await client.groups.deliveries(id_)}


async def until_delivered(client: Client, id_: bytes, *names: str) -> None:
    """Wait until a text was delivered to these members, and to no other."""
    while True:
        found = await delivered(client, id_)
        if {name for name, is_there in found.items() if is_there} == set(names):
            return
        await asyncio.sleep(0.01)


def test_each_member_tells_that_a_text_arrived(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        town.rules.append(lambda asked: Reply(503, b"") if asked.client == "carol" else None)
        id_ = await alice.groups.send(group, b"one")
        assert await texts(bob, 1) == [("alice", b"one")]
        await until_delivered(alice, id_, "bob")
        town.rules.clear()
        assert await texts(carol, 1) == [("alice", b"one")]
        await until_delivered(alice, id_, "bob", "carol")

    play(tmp_path, story)


def test_a_text_that_waits_was_delivered_to_nobody(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        town.is_down = True
        id_ = await alice.groups.send(group, b"one")
        assert await alice.groups.deliveries(id_) == (GroupDelivery(bob.user_id, "bob", is_delivered=False),)
        town.is_down = False
        assert await texts(bob, 1) == [("alice", b"one")]
        await until_delivered(alice, id_, "bob")

    play(tmp_path, story)


def test_an_answer_tells_it_without_a_letter(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await all_read(group, [alice, bob], b"one")
        id_ = await alice.groups.send(group, b"two")
        assert await texts(bob, 1) == [("alice", b"two")]
        await bob.groups.send(group, b"three")
        assert await texts(alice, 1) == [("bob", b"three")]
        assert await delivered(alice, id_) == {"bob": True}

    play(tmp_path, story)


def test_a_relay_that_drops_letters_delivers_nothing(tmp_path: Path) -> None:
    """Whatever the relay says of a text, only the member's own word counts."""

    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        await all_read(group, [alice, bob], b"one")

        def drops(asked: Asked) -> Reply | None:
            return Reply(503, b"") if (asked.name, asked.client) == ("send", "bob") else None

        town.rules.append(drops)
        id_ = await alice.groups.send(group, b"two")
        assert await texts(bob, 1) == [("alice", b"two")]
        await alice.flush()
        for _ in range(3):
            await alice.groups.refresh()
        assert await delivered(alice, id_) == {"bob": False}

    play(tmp_path, story)


def test_what_is_unknown_is_refused(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        group, (alice, bob) = await founded(town, "alice", "bob")
        id_ = await alice.groups.send(group, b"one")
        for client, wrong in ((alice, os.urandom(16)), (alice, b""), (bob, id_)):
            with pytest.raises(UsageError):
                await client.groups.deliveries(wrong)

    play(tmp_path, story)
