"""A call that is cancelled has not happened, or its text is there at the next call. Nothing comes twice."""

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from letterlock.errors import AuthenticationFailed, StoreError, UsageError
from letterlock.limits import MAX_UNDELIVERED
from support.aio_tools import ALICE, cancelled, conversation, run, settle
from support.cancelling import HAPPENS, cancel_at, duplicate, each_point, each_store


@each_store
def test_before_it_starts(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message, commits = talk.write(b"text"), talk.store.commits
            task = asyncio.create_task(talk.read(message))
            task.cancel()
            assert await cancelled(task)
            await talk.bob.peers()
            assert talk.store.commits == commits + 1
            assert await talk.read(message) == b"text"
            await duplicate(talk, message)

    run(main())


@each_store
def test_while_it_waits_for_its_turn(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            first, second, third = (talk.write(text) for text in (b"1", b"2", b"3"))
            commits = talk.store.commits
            talk.gate("work").shut()
            tasks = [asyncio.create_task(talk.read(each)) for each in (first, second, third)]
            await talk.gate("work").arrived()
            await settle()
            tasks[1].cancel()
            assert await cancelled(tasks[1])
            talk.gate("work").open()
            assert [await tasks[0], await tasks[2]] == [b"1", b"3"]
            assert talk.store.commits == commits + 2
            assert await talk.read(second) == b"2"
            for message in (first, second, third):
                await duplicate(talk, message)

    run(main())


@each_point
@each_store
@pytest.mark.parametrize("answered", [False, True], ids=["first contact", "later"])
def test_a_decryption_while_it_runs(kind: str, point: str, tmp_path: Path, *, answered: bool) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path, answered=answered) as talk:
            message, commits = talk.write(b"text"), talk.store.commits
            await cancel_at(talk, point, talk.read(message))
            await talk.bob.peers()  # the worker is done with it
            assert talk.store.commits == commits + 1 + HAPPENS[point]
            assert (await talk.bob.peers() != []) == (answered or HAPPENS[point])
            assert await talk.read(message) == b"text"
            await duplicate(talk, message)
            assert await talk.bob.undelivered() == []

    run(main())


@each_point
@each_store
def test_again_and_again(kind: str, point: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")
            for _ in range(3):
                await cancel_at(talk, point, talk.read(message))
            assert await talk.read(message) == b"text"
            await duplicate(talk, message)

    run(main())


@each_store
def test_after_the_commit_and_before_the_delivery(kind: str, tmp_path: Path) -> None:
    """The worker has told the loop, and the task has not run yet."""

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")
            task = asyncio.create_task(talk.read(message))
            future: Any = None
            while future is None or not future.done():
                await asyncio.sleep(0)
                future = awaited(task)
            task.cancel()
            assert await cancelled(task)
            assert await talk.read(message) == b"text"
            await duplicate(talk, message)

    run(main())


def awaited(task: "asyncio.Task[Any]") -> Any:
    """Return the future that a task waits for."""
    return task._fut_waiter  # type: ignore[attr-defined]


@each_store
def test_a_task_that_is_destroyed(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")
            reading = talk.read(message)
            talk.gate("commit").shut()
            reading.send(None)  # as a task does, but nobody wakes it again
            await talk.gate("commit").arrived()
            reading.close()
            talk.gate("commit").open()
            assert await talk.read(message) == b"text"
            await duplicate(talk, message)

    run(main())


@each_store
def test_a_loop_that_was_closed(kind: str, tmp_path: Path) -> None:
    """A commit ends after the loop of its caller was closed."""

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")
            reading = talk.read(message)
            talk.gate("commit").shut()

            def in_another_loop() -> None:
                async def begin() -> None:
                    reading.send(None)
                    await talk.gate("commit").arrived()

                asyncio.run(begin())

            await asyncio.to_thread(in_another_loop)
            talk.gate("commit").open()
            assert await talk.read(message) == b"text"
            await duplicate(talk, message)
            reading.close()
            await duplicate(talk, message)

    run(main())


@each_store
def test_a_timeout_is_a_cancellation(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")
            talk.gate("commit").shut()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(talk.read(message), 0.01)
            talk.gate("commit").open()
            assert await talk.read(message) == b"text"
            await duplicate(talk, message)

    run(main())


@each_store
def test_two_callers_of_one_message(kind: str, tmp_path: Path) -> None:
    """The second one gets the text only if the first one was cancelled."""

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            for cancel in (False, True):
                message = talk.write(b"text")
                talk.gate("commit").shut()
                tasks = [asyncio.create_task(talk.read(message)) for _ in range(2)]
                await talk.gate("commit").arrived()
                await settle()
                if cancel:
                    tasks[0].cancel()
                    await settle()
                talk.gate("commit").open()
                await asyncio.wait(tasks)
                texts = [task.result() for task in tasks if not task.cancelled() and not task.exception()]
                assert texts == [b"text"]
                assert tasks[0].cancelled() == cancel
                await duplicate(talk, message)

    run(main())


@each_point
@each_store
def test_an_encryption(kind: str, point: str, tmp_path: Path) -> None:
    """A message that is lost on its way is ordinary: the next one is read, and no key is used twice."""

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            commits = talk.store.commits
            await cancel_at(talk, point, talk.bob.encrypt(ALICE, b"lost"))
            message = await talk.bob.encrypt(ALICE, b"next")
            assert talk.alice.decrypt(talk.bob.address, message) == b"next"
            assert talk.store.commits == commits + 1 + HAPPENS[point]

    run(main())


@each_point
@each_store
def test_initiating(kind: str, point: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path, answered=False) as talk:
            bundle = talk.alice.bundle()
            await cancel_at(talk, point, talk.bob.initiate(ALICE, bundle))
            assert (await talk.bob.peers() != []) == HAPPENS[point]

    run(main())


@each_point
def test_what_the_application_writes(point: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation("sqlite", tmp_path) as talk:
            store = talk.store
            await talk.bob.run(lambda: store.connection.execute("CREATE TABLE note (text)") and None)
            await cancel_at(
                talk, point, talk.bob.run(lambda: store.connection.execute("INSERT INTO note VALUES (1)"))
            )
            query = "SELECT count(*) FROM note"
            (number,) = await talk.bob.run(lambda: store.connection.execute(query).fetchone())
            assert number == HAPPENS[point]

    run(main())


@each_store
def test_a_commit_that_fails_after_the_caller_has_gone(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")

            def fail() -> None:
                talk.store.on_commit = lambda: None
                raise StoreError("the disk is full")

            talk.store.on_commit = fail
            await cancel_at(talk, "commit", talk.read(message))
            assert await talk.bob.undelivered() == []
            assert await talk.read(message) == b"text"
            talk.store.on_commit = fail
            with pytest.raises(StoreError, match="the disk is full"):
                await talk.read(talk.write(b"again"))

    run(main())


@each_store
def test_a_refused_message_leaves_nothing(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            message = talk.write(b"text")
            forged = message[:-1] + bytes([message[-1] ^ 1])
            await cancel_at(talk, "committed", talk.read(forged))
            assert await talk.bob.undelivered() == []
            with pytest.raises(AuthenticationFailed):
                await talk.read(forged)
            assert await talk.read(message) == b"text"

    run(main())


@each_store
def test_texts_can_be_asked_for_without_their_messages(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            messages = [talk.write(text) for text in (b"1", b"2")]
            for message in messages:
                await cancel_at(talk, "commit", talk.read(message))
            await cancel_at(talk, "commit", talk.bob.undelivered())
            await cancel_at(talk, "work", talk.bob.undelivered())
            assert await talk.bob.undelivered() == [(ALICE, b"1"), (ALICE, b"2")]
            assert await talk.bob.undelivered() == []
            for message in messages:
                await duplicate(talk, message)

    run(main())


@each_store
def test_what_is_kept_is_bounded(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_UNDELIVERED >= 16
    monkeypatch.setattr("letterlock.aio._undelivered.MAX_UNDELIVERED", 3)

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            messages = [talk.write(b"%d" % number) for number in range(4)]
            for message in messages[:3]:
                await cancel_at(talk, "commit", talk.read(message))
            with pytest.raises(UsageError, match="take them with `undelivered`"):
                await talk.read(messages[3])
            assert await talk.read(messages[1]) == b"1"
            assert await talk.read(messages[3]) == b"3"
            assert [text for _, text in await talk.bob.undelivered()] == [b"0", b"2"]

    run(main())


@each_store
def test_a_delivered_text_is_forgotten(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            text = b"a text that nobody else holds"
            await talk.read(talk.write(text))
            gc.collect()
            undelivered = talk.bob._worker.undelivered
            assert [each for each in undelivered._entries.values() if each.text is not None] == []
            for _ in range(200):
                await talk.read(talk.write(b"x"))
            assert len(undelivered._entries) < 20
            assert undelivered._journal == []

    run(main())
