"""`async with account.transaction():` spans awaits, holds the worker and not the loop, and is one commit."""

import asyncio
from contextlib import AsyncExitStack
from contextvars import Context
from pathlib import Path

import pytest

from letterlock import MemoryStore
from letterlock.aio import AsyncAccount
from letterlock.errors import DuplicateMessage, StoreBusy, StoreError, UsageError
from support.aio_tools import ALICE, BOB, conversation, run, settle
from support.store_tools import STORES

each_store = pytest.mark.parametrize("kind", STORES)


class Crash(Exception):
    """What the application raises."""


@each_store
@pytest.mark.parametrize("error", [Crash, KeyboardInterrupt, asyncio.CancelledError, None])
def test_all_or_nothing(kind: str, tmp_path: Path, error: type[BaseException] | None) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            messages, commits = [talk.write(b"%d" % number) for number in range(3)], talk.store.commits

            async def block() -> None:
                async with talk.bob.transaction():
                    for number, message in enumerate(messages):
                        assert await talk.read(message) == b"%d" % number
                        await asyncio.sleep(0)
                    if error is not None:
                        raise error

            if error is None:
                await block()
                assert talk.store.commits == commits + 1
            else:
                with pytest.raises(error):
                    await block()
                assert talk.store.commits == commits
                assert [await talk.read(each) for each in messages] == [b"0", b"1", b"2"]
            for message in messages:
                with pytest.raises(DuplicateMessage):
                    await talk.read(message)

    run(main())


@each_store
def test_other_tasks_wait_and_the_loop_goes_on(kind: str, tmp_path: Path) -> None:
    """The fault that this prevents: a step that is sent, and then rolled back with another task's block."""

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            inside, leave = asyncio.Event(), asyncio.Event()

            async def holder() -> None:
                with pytest.raises(Crash):
                    async with talk.bob.transaction():
                        await talk.bob.encrypt(ALICE, b"never sent")
                        inside.set()
                        await leave.wait()
                        raise Crash

            holding = asyncio.create_task(holder())
            await inside.wait()
            sending = [asyncio.create_task(talk.bob.encrypt(ALICE, b"%d" % number)) for number in range(3)]
            await settle()
            assert not any(each.done() for each in sending)
            leave.set()
            await holding
            messages = [await each for each in sending]
            assert [talk.alice.decrypt(BOB, each) for each in messages] == [b"0", b"1", b"2"]

    run(main())


@each_store
def test_transactions_of_several_tasks_follow_each_other(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            log: list[str] = []

            async def block(name: str) -> None:
                async with talk.bob.transaction():
                    for _ in range(3):
                        await talk.bob.run(log.append, name)
                        await asyncio.sleep(0)

            await asyncio.gather(*(block(name) for name in "abc"))
            assert "".join(log) == "aaabbbccc"

    run(main())


@each_store
def test_they_nest(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            first, second = talk.write(b"1"), talk.write(b"2")
            async with talk.bob.transaction():
                assert await talk.read(first) == b"1"
                for _ in range(2):
                    with pytest.raises(Crash):
                        async with talk.bob.transaction():
                            assert await talk.read(second) == b"2"
                            raise Crash
                async with talk.bob.transaction(), talk.bob.transaction():
                    assert await talk.read(second) == b"2"
                with pytest.raises(DuplicateMessage):
                    await talk.read(second)
            for each in (first, second):
                with pytest.raises(DuplicateMessage):
                    await talk.read(each)

    run(main())


def test_the_application_s_rows_join(tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation("sqlite", tmp_path) as talk:
            store = talk.store

            def save(text: bytes) -> None:
                store.connection.execute("INSERT INTO inbox VALUES (?)", (text,))

            def rows() -> list[tuple[bytes]]:
                found: list[tuple[bytes]] = store.connection.execute("SELECT text FROM inbox").fetchall()
                return found

            await talk.bob.run(lambda: store.connection.execute("CREATE TABLE inbox (text)"))
            message = talk.write(b"text")
            for crash in (True, False):
                try:
                    async with talk.bob.transaction():
                        await talk.bob.run(save, await talk.read(message))
                        assert await talk.bob.run(rows) == [(b"text",)]
                        if crash:
                            raise Crash  # noqa: TRY301
                except Crash:
                    assert await talk.bob.run(rows) == []
            assert await talk.bob.run(rows) == [(b"text",)]

            def fail(text: bytes) -> None:
                save(text)
                raise Crash

            with pytest.raises(Crash):
                await talk.bob.run(fail, b"undone")
            async with talk.bob.transaction():
                with pytest.raises(Crash):
                    await talk.bob.run(fail, b"undone")
            assert await talk.bob.run(rows) == [(b"text",)]

    run(main())


@each_store
def test_a_task_that_was_started_inside_is_refused(kind: str, tmp_path: Path) -> None:
    """The block waits for the task, so its call would wait for ever."""

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            late = asyncio.Event()

            async def later() -> bytes:
                await late.wait()
                return await talk.read(message)

            message = talk.write(b"text")
            async with talk.bob.transaction():
                for call in (talk.bob.bundle, talk.bob.peers, talk.bob.undelivered, talk.bob.close):
                    with pytest.raises(UsageError, match="started inside"):
                        await asyncio.gather(call())
                async with talk.bob.transaction():
                    with pytest.raises(UsageError, match="started inside"):
                        await asyncio.wait_for(asyncio.create_task(talk.bob.transaction().__aenter__()), 1)
                with pytest.raises(UsageError, match="started inside"):
                    await asyncio.to_thread(lambda: asyncio.run(talk.bob.peers()))
                outliving = asyncio.create_task(later())
                other = await AsyncAccount.create(MemoryStore(), BOB)
                await asyncio.gather(other.bundle())  # of another account
                await other.close()
            late.set()
            assert await outliving == b"text"

    run(main())


@each_store
def test_whoever_waits_for_ever_gets_store_busy(kind: str, tmp_path: Path) -> None:
    """The block waits for a task that waits for the block."""

    async def main() -> None:
        async with conversation(kind, tmp_path, busy_timeout=0.01) as talk:
            message = talk.write(b"text")
            waiting: asyncio.Task[bytes] | None = None
            async with talk.bob.transaction():
                waiting = asyncio.create_task(talk.read(message), context=Context())
                entering = asyncio.create_task(talk.bob.transaction().__aenter__(), context=Context())
                for each in (waiting, entering):
                    with pytest.raises(StoreBusy, match="another task stayed open"):
                        await each
                await talk.bob.bundle()
            assert await talk.read(message) == b"text"

    run(main())


@each_store
def test_closing_inside(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")
            async with talk.bob.transaction():
                with pytest.raises(StoreError, match="leave its block"):
                    await talk.bob.close()
                closing = asyncio.create_task(talk.bob.close(), context=Context())
                await settle()
                assert await talk.read(message) == b"text"
                assert not closing.done()
            with pytest.raises(StoreError, match="closed"):
                await talk.bob.peers()
            await closing

    run(main())


@each_store
def test_entered_once(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            transaction = talk.bob.transaction()
            async with transaction:
                with pytest.raises(UsageError, match="entered before"):
                    await transaction.__aenter__()
            with pytest.raises(UsageError, match="entered before"):
                await transaction.__aenter__()
            assert await talk.read(talk.write(b"text")) == b"text"

    run(main())


@each_store
def test_ended_in_the_wrong_order(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")
            outer, inner = talk.bob.transaction(), talk.bob.transaction()
            await outer.__aenter__()
            await inner.__aenter__()
            await talk.read(message)
            with pytest.raises(StoreError, match="inner transaction is still open"):
                await outer.__aexit__(None, None, None)
            with pytest.raises(StoreError, match="ended before"):
                await inner.__aexit__(None, None, None)
            assert await talk.read(message) == b"text"

    run(main())


@each_store
def test_an_exit_stack(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(talk.bob.transaction())
                assert await talk.read(message) == b"text"
            with pytest.raises(DuplicateMessage):
                await talk.read(message)

    run(main())


@each_store
def test_a_destroyed_coroutine_rolls_back(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")

            reached = asyncio.Event()

            async def block() -> None:
                async with talk.bob.transaction():
                    await talk.read(message)
                    reached.set()
                    await asyncio.get_running_loop().create_future()

            async def begin() -> None:
                task = asyncio.create_task(block())
                await reached.wait()
                task.cancel()
                await asyncio.wait([task])

            await begin()
            assert await talk.read(message) == b"text"
            coroutine = block()
            with pytest.raises(RuntimeError, match="await wasn't used"):
                for _ in range(2):
                    coroutine.send(None)  # nobody has woken it
            coroutine.close()
            assert await talk.read(talk.write(b"on")) == b"on"

    run(main())


def test_a_commit_that_fails(tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation("memory", tmp_path) as talk:
            message = talk.write(b"text")

            def fail() -> None:
                talk.store.on_commit = lambda: None
                raise StoreError("the disk is full")

            talk.store.on_commit = fail
            with pytest.raises(StoreError, match="the disk is full"):
                async with talk.bob.transaction():
                    await talk.read(message)
            assert await talk.read(message) == b"text"

    run(main())
