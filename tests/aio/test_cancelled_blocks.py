"""A block of a transaction that is cancelled commits all of it, or nothing."""

import asyncio
from contextvars import Context
from pathlib import Path

import pytest

from support.aio_tools import LONG, cancelled, conversation, run, settle
from support.cancelling import HAPPENS, cancel_at, duplicate, each_point, each_store


@each_point
@each_store
def test_a_block(kind: str, point: str, tmp_path: Path) -> None:
    """Cancelled before its commit is decided, it is rolled back; later, it is left as usual."""

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message, got = talk.write(b"text"), list[bytes]()

            async def block() -> None:
                async with talk.bob.transaction():
                    text = await talk.read(message)
                got.append(text)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                got.append(b"the cancellation is lost")

            talk.gate(point).shut()
            task = asyncio.create_task(block())
            await talk.gate(point).arrived()
            task.cancel()
            await settle()
            talk.gate(point).open()
            assert await cancelled(task)
            if HAPPENS[point]:
                assert got == [b"text"]
                await duplicate(talk, message)
            else:
                assert got == []
                assert await talk.read(message) == b"text"

    run(main())


@each_store
def test_a_block_in_a_timeout(kind: str, tmp_path: Path) -> None:
    """A timeout that is over before its cancellation could be raised cancels nothing after it."""

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            limits: list[asyncio.Timeout] = []
            for rest in (False, True):
                message, got = talk.write(b"text"), list[bytes]()
                talk.gate("commit").shut()

                async def block(message: bytes, got: list[bytes], *, rest: bool) -> None:
                    async with asyncio.timeout(LONG) as limit:
                        async with talk.bob.transaction():
                            text = await talk.read(message)
                            limits.append(limit)
                        got.append(text)
                        if rest:
                            await asyncio.sleep(0)
                            await asyncio.sleep(0)
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)

                task = asyncio.create_task(block(message, got, rest=rest))
                await talk.gate("commit").arrived()
                limits.pop().reschedule(0)
                await settle()
                talk.gate("commit").open()
                await asyncio.wait([task])
                assert got == [b"text"]
                assert type(task.exception()) is (TimeoutError if rest else type(None))
                assert task.cancelling() == 0

    run(main())


@each_store
def test_while_it_waits_to_enter(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:

            async def enter() -> None:
                async with talk.bob.transaction():
                    raise AssertionError("it was cancelled before")

            for point in ("begin", "work"):
                await cancel_at(talk, point, enter())
                assert await talk.read(talk.write(b"text")) == b"text"
            async with talk.bob.transaction():
                task = asyncio.create_task(enter(), context=fresh())
                await settle()
                task.cancel()
                assert await cancelled(task)
            assert await talk.read(talk.write(b"text")) == b"text"

    run(main())


def fresh() -> Context:
    """Return the context of a task that was not started inside the block."""
    return Context()


@each_store
@pytest.mark.parametrize("commits", [False, True])
def test_a_call_inside_a_block_that_goes_on(kind: str, tmp_path: Path, *, commits: bool) -> None:
    """The text belongs to the block: if it is rolled back, the message decrypts again."""

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            before, message = talk.write(b"before"), talk.write(b"text")
            await cancel_at(talk, "commit", talk.read(before))
            try:
                async with talk.bob.transaction():
                    assert await talk.read(before) == b"before"
                    reading = talk.read(message)
                    reading.send(None)
                    await talk.bob.run(int)  # after it
                    reading.close()
                    assert [text for _, text in await talk.bob.undelivered()] == [b"text"]
                    await duplicate(talk, message)
                    if not commits:
                        raise ValueError  # noqa: TRY301
            except ValueError:
                assert await talk.read(before) == b"before"
                assert await talk.read(message) == b"text"
            for each in (before, message):
                await duplicate(talk, each)
            assert await talk.bob.undelivered() == []

    run(main())
