"""News of groups in the socket: the relay passes over what the client may not see, and is asked anew.

Upkeep, which asks for everything, is never due here. A text that the relay does not tell of stays unread.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Final

from letterlock._wire.relay_error import RelayCode
from letterlock.client import Client
from letterlock.client._transport import Reply
from support.client_groups import all_read, founded, in_group, texts
from support.client_town import QUICK, Asked, Town, play, refusal, until

SELDOM: Final = replace(QUICK, upkeep=1e9)


async def followed(town: Town, client: Client, group: bytes) -> None:
    """Wait until the relay tells a client of a group."""
    await until(lambda: group in town.followed.get(client.name, {}))


def test_a_group_is_followed_although_its_first_entry_comes_after_the_frame(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        town.pace = SELDOM
        first, (alice, bob) = await founded(town, "alice", "bob")
        await followed(town, alice, first)
        before, is_asking, is_offering = town.followed["alice"], asyncio.Event(), asyncio.Event()

        async def gate(call: Asked) -> None:
            if call.client != "alice" or town.followed["alice"] is not before:
                return
            if call.name == "group-texts":
                is_asking.set()
                await is_offering.wait()
            elif call.name == "log-append":
                is_offering.set()
                await until(lambda: town.followed["alice"] is not before)

        town.gates.append(gate)
        reading = asyncio.create_task(alice.groups.refresh())
        await is_asking.wait()
        second = await alice.groups.create("team", ["bob"])
        await reading
        for each in (alice, bob):
            await in_group(each, second, "alice", "bob")
            await followed(town, each, second)
        await bob.groups.send(second, b"hello")
        assert await texts(alice, 1) == [("bob", b"hello")]

    play(tmp_path, story)


def test_who_was_removed_and_added_again_is_told_of_texts(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        town.pace = SELDOM
        group, (alice, bob, carol) = await founded(town, "alice", "bob", "carol")
        await followed(town, bob, group)
        assert await alice.groups.remove(group, ["bob"])
        await all_read(group, [alice, carol], b"without him")
        await until(lambda: group not in town.followed["bob"])
        assert await alice.groups.add(group, ["bob"])
        await in_group(bob, group, "alice", "bob", "carol")
        await followed(town, bob, group)
        await all_read(group, [alice, bob], b"with him")

    play(tmp_path, story)


def test_what_a_relay_told_is_read_after_a_refusal(tmp_path: Path) -> None:
    """It tells once. Whoever is asked to slow down reads it afterwards."""

    async def story(town: Town) -> None:
        town.pace = SELDOM
        group, (alice, bob) = await founded(town, "alice", "bob")
        await followed(town, bob, group)
        refused = list[Asked]()

        def refuse(asked: Asked) -> Reply | None:
            is_reading = (asked.client, asked.name) == ("bob", "group-texts") and asked.request.most > 1
            if not is_reading or refused:  # the town itself asks for one, to tell of it
                return None
            refused.append(asked)
            return refusal(RelayCode.SLOW_DOWN, 1)

        town.rules.append(refuse)
        await alice.groups.send(group, b"hello")
        assert await texts(bob, 1) == [("alice", b"hello")]
        assert refused

    play(tmp_path, story)
