"""A model of cancellation: tasks are cancelled anywhere, and each text arrives once.

A task that reads a letter is cancelled after a random number of turns of the event loop. Half of the tasks
read in a transaction. A cancelled reading is repeated, as a transport repeats what nobody acknowledged.
"""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from letterlock.errors import DuplicateMessage
from support.aio_tools import conversation, run
from support.store_tools import STORES

LETTERS = 20


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", STORES)
def test_nothing_is_lost_and_nothing_comes_twice(kind: str, seed: int, tmp_path: Path) -> None:
    random, got, cancellations = Random(seed), Counter[bytes](), 0

    async def main() -> None:
        nonlocal cancellations
        async with conversation(kind, tmp_path) as talk:

            async def read(letter: bytes, *, grouped: bool) -> None:
                if grouped:
                    async with talk.bob.transaction():
                        text = await talk.read(letter)
                        await asyncio.sleep(0)
                else:
                    text = await talk.read(letter)
                got[text] += 1

            waiting = [talk.write(b"%d" % number) for number in range(LETTERS)]
            delivered: list[bytes] = []
            while waiting:
                random.shuffle(waiting)
                tasks = {
                    asyncio.create_task(read(letter, grouped=random.random() < 0.5)): letter
                    for letter in waiting
                }
                while pending := [task for task in tasks if not task.done()]:
                    if random.random() < 0.5:
                        random.choice(pending).cancel()
                    await asyncio.sleep(0 if random.random() < 0.9 else 0.001)
                waiting = [letter for task, letter in tasks.items() if task.cancelled()]
                cancellations += len(waiting)
                delivered += [letter for task, letter in tasks.items() if not task.cancelled()]
                await asyncio.gather(*(task for task in tasks if not task.cancelled()))
            assert await talk.bob.undelivered() == []
            for letter in delivered:
                with pytest.raises(DuplicateMessage):
                    await talk.read(letter)

    run(main())
    assert got == Counter(b"%d" % number for number in range(LETTERS))
    assert cancellations
