"""A transaction belongs to the thread and the task that opened it, in both stores. [STO-9]

Each test ends by checking that the peer reads every message that was handed out. Then no key was used twice,
and no step was lost.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
import trio

from letterlock.account import Account
from letterlock.errors import UsageError
from support.pair import BOB, Pair
from support.task_tools import Crash, all_arrive, crash_if, refused_in_another_task


@pytest.fixture
def talking(any_pair: Pair) -> Pair:
    any_pair.converse()
    return any_pair


async def hold_and_crash(
    account: Account, inside: Callable[[], None], wait: Callable[[], Awaitable[object]]
) -> None:
    with suppress(Crash), account.transaction():
        account.encrypt(BOB, b"undone")
        inside()
        await wait()
        raise Crash


def test_an_asyncio_task_does_not_join_another_tasks_transaction(talking: Pair) -> None:
    letters: list[bytes] = []

    async def story() -> None:
        inside, done = asyncio.Event(), asyncio.Event()
        holder = asyncio.create_task(hold_and_crash(talking.alice.account, inside.set, done.wait))
        await inside.wait()
        refused_in_another_task(talking)
        done.set()
        await holder
        letters.append(talking.alice.write(b"after the crash"))

    asyncio.run(story())
    all_arrive(talking, letters)


def test_a_trio_task_does_not_join_another_tasks_transaction(talking: Pair) -> None:
    letters: list[bytes] = []

    async def story() -> None:
        inside, done = trio.Event(), trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold_and_crash, talking.alice.account, inside.set, done.wait)
            await inside.wait()
            refused_in_another_task(talking)
            done.set()
        letters.append(talking.alice.write(b"after the crash"))

    trio.run(story)
    all_arrive(talking, letters)


def test_a_task_that_inherits_the_context_is_another_task(talking: Pair) -> None:
    async def child() -> None:
        refused_in_another_task(talking)

    async def story() -> None:
        with suppress(Crash), talking.alice.account.transaction():
            talking.alice.write(b"undone")
            await asyncio.create_task(child())
            await asyncio.gather(*(child() for _ in range(5)))
            raise Crash

    asyncio.run(story())
    all_arrive(talking, [])


def test_a_callback_of_the_loop_belongs_to_no_task(talking: Pair) -> None:
    async def story() -> None:
        called = asyncio.get_running_loop().create_future()

        def callback() -> None:
            refused_in_another_task(talking)
            called.set_result(None)

        with suppress(Crash), talking.alice.account.transaction():
            talking.alice.write(b"undone")
            asyncio.get_running_loop().call_soon(callback)
            await called
            raise Crash

    asyncio.run(story())
    all_arrive(talking, [])


def test_tasks_of_a_loop_that_runs_inside_a_transaction_are_refused(talking: Pair) -> None:
    async def story() -> None:
        refused_in_another_task(talking)

    with suppress(Crash), talking.alice.account.transaction():
        talking.alice.write(b"undone")
        asyncio.run(story())
        raise Crash
    all_arrive(talking, [])


def test_many_tasks_that_do_not_await_inside_take_turns(talking: Pair) -> None:
    async def write(number: int) -> list[bytes]:
        await asyncio.sleep(0)
        with talking.alice.account.transaction():
            letters = [talking.alice.write(b"%d" % number), talking.alice.write(b"again")]
        await asyncio.sleep(0)
        return [*letters, talking.alice.write(b"alone")]

    async def story() -> list[list[bytes]]:
        return await asyncio.gather(*(write(number) for number in range(50)))

    all_arrive(talking, [letter for letters in asyncio.run(story()) for letter in letters])


def test_many_tasks_that_await_inside_lose_nothing(talking: Pair) -> None:
    """Some are refused before anything happened. Whatever was committed arrives."""
    sent: list[bytes] = []
    refusals = 0

    async def write(number: int) -> None:
        nonlocal refusals
        try:
            with talking.alice.account.transaction():
                letters = [talking.alice.write(b"%d" % number)]
                await asyncio.sleep(0)
                letters.append(talking.alice.write(b"again"))
                crash_if(number % 3 == 0)
        except Crash:
            return
        except UsageError:
            refusals += 1
            return
        sent.extend(letters)

    async def story() -> None:
        for start in (0, 1, 2):
            await asyncio.gather(*(write(number) for number in range(start, 30)))

    asyncio.run(story())
    assert refusals > 30
    assert len(sent) >= 4
    all_arrive(talking, sent)


def test_the_same_task_may_await_and_nest(talking: Pair) -> None:
    letters: list[bytes] = []

    async def helper() -> bytes:
        await asyncio.sleep(0)
        with talking.alice.account.transaction():
            return talking.alice.write(b"nested")

    async def story() -> None:
        with talking.alice.account.transaction():
            letters.append(talking.alice.write(b"first"))
            await asyncio.sleep(0)
            letters.append(await helper())
            letters.append(
                contextvars.copy_context().run(talking.alice.write, b"another context, the same task")
            )

    asyncio.run(story())
    all_arrive(talking, letters)


def test_a_cancelled_task_undoes_its_transaction(talking: Pair) -> None:
    async def story() -> None:
        inside = asyncio.Event()
        holder = asyncio.create_task(hold_and_crash(talking.alice.account, inside.set, asyncio.Event().wait))
        await inside.wait()
        holder.cancel()
        with suppress(asyncio.CancelledError):
            await holder
        talking.alice.account.peers()

    asyncio.run(story())
    all_arrive(talking, [])


def test_a_transaction_that_ends_in_another_task_is_undone(talking: Pair) -> None:
    async def story() -> None:
        block = talking.alice.account.transaction()

        async def begin() -> None:
            block.__enter__()
            talking.alice.write(b"undone")

        await asyncio.create_task(begin())
        with pytest.raises(UsageError, match="it was undone"):
            block.__exit__(None, None, None)

    asyncio.run(story())
    all_arrive(talking, [])


def test_an_async_generator_that_another_task_closes_is_undone(talking: Pair) -> None:
    async def rows() -> AsyncIterator[bytes]:
        with talking.alice.account.transaction():
            yield talking.alice.write(b"undone")
            yield talking.alice.write(b"never")

    async def story() -> None:
        generator = rows()
        await asyncio.create_task(anext(generator))  # type: ignore[arg-type]
        refused_in_another_task(talking)
        await generator.aclose()  # type: ignore[attr-defined]
        talking.alice.account.peers()

    asyncio.run(story())
    all_arrive(talking, [])
