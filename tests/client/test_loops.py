"""One loop at a time reads messages or events: a new loop takes over, and the older one ends."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock.client import Client
from letterlock.errors import UsageError
from support.client_town import Town, play

Loop = Callable[[Client], AsyncGenerator[Any]]
LOOPS: dict[str, Loop] = {
    "messages": lambda client: client.messages(),
    "events": lambda client: client.events(),
}


def test_a_new_loop_begins_after_a_break(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        loops = []
        for text in (b"one", b"two", b"three"):
            await alice.send("bob", text)
            loops.append(bob.messages())
            async for message in loops[-1]:
                assert message.body == text
                await message.done()
                break

    play(tmp_path, story)


@pytest.mark.parametrize("name", LOOPS)
def test_an_older_loop_ends_at_its_next_step(tmp_path: Path, name: str) -> None:
    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        await alice.send("bob", b"hello")
        older, newer = LOOPS[name](bob), LOOPS[name](bob)
        await anext(older)
        second = asyncio.create_task(anext(newer))
        await asyncio.sleep(0)
        with pytest.raises(UsageError, match="another loop reads"):
            while True:
                await anext(older)
        await alice.send("bob", b"again")
        await second
        await newer.aclose()

    play(tmp_path, story)


@pytest.mark.parametrize("name", LOOPS)
def test_an_older_loop_that_waits_ends(tmp_path: Path, name: str) -> None:
    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        older = asyncio.create_task(drain(LOOPS[name](bob)))
        await asyncio.sleep(0.05)
        newer = LOOPS[name](bob)
        second = asyncio.create_task(anext(newer))
        with pytest.raises(UsageError, match="another loop reads"):
            await older
        await alice.send("bob", b"hello")
        await second
        await newer.aclose()

    play(tmp_path, story)


async def drain(loop: AsyncGenerator[Any]) -> None:
    async for _ in loop:
        pass
