"""A transaction in a suspended generator, coroutine or greenlet is shared with nobody."""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress

import greenlet
import pytest

from letterlock.errors import StoreError, UsageError
from support.pair import Pair
from support.task_tools import Crash, all_arrive, refused, refused_in_another_task


@pytest.fixture
def talking(any_pair: Pair) -> Pair:
    any_pair.converse()
    return any_pair


# --- greenlets ------------------------------------------------------------------------------------


def test_a_greenlet_does_not_join_another_greenlets_transaction(talking: Pair) -> None:
    def hold() -> None:
        with suppress(Crash), talking.alice.account.transaction():
            talking.alice.write(b"undone")
            main.switch()
            raise Crash

    main = greenlet.getcurrent()
    holder = greenlet.greenlet(hold)
    holder.switch()
    refused_in_another_task(talking)
    greenlet.greenlet(lambda: refused_in_another_task(talking)).switch()
    holder.switch()
    all_arrive(talking, [])


# --- generators -----------------------------------------------------------------------------------


def rows_inside(pair: Pair) -> Generator[bytes]:
    with pair.alice.account.transaction():
        yield pair.alice.write(b"undone")
        yield pair.alice.write(b"undone too")


@pytest.mark.parametrize("end", ["close", "throw", "drop"])
def test_a_generator_that_holds_a_transaction_shares_it_with_nobody(talking: Pair, end: str) -> None:
    generator = rows_inside(talking)
    next(generator)
    refused(talking)
    next(generator)
    refused(talking)
    match end:
        case "close":
            generator.close()
        case "throw":
            with pytest.raises(Crash):
                generator.throw(Crash)
        case _:
            del generator
    all_arrive(talking, [])


def test_a_generator_that_ends_commits(talking: Pair) -> None:
    letters = list(rows_inside(talking))
    all_arrive(talking, letters)


def test_a_coroutine_that_is_driven_by_hand_shares_with_nobody(talking: Pair) -> None:
    class Pause:
        def __await__(self) -> Generator[None]:
            yield

    async def hold() -> None:
        with talking.alice.account.transaction():
            talking.alice.write(b"undone")
            await Pause()

    coroutine = hold()
    coroutine.send(None)
    refused(talking)
    coroutine.close()
    all_arrive(talking, [])


def test_a_generator_that_another_thread_ends_is_undone(talking: Pair) -> None:
    # A web framework may drive a generator in a pool of threads.
    generator = rows_inside(talking)
    thread = threading.Thread(target=next, args=(generator,))
    thread.start()
    thread.join()
    generator.close()
    all_arrive(talking, [])


def test_a_block_that_another_thread_leaves_is_refused_and_undone(talking: Pair) -> None:
    block = talking.alice.account.transaction()
    thread = threading.Thread(target=block.__enter__)
    thread.start()
    thread.join()
    with pytest.raises(UsageError, match="it was undone"):
        block.__exit__(None, None, None)
    all_arrive(talking, [])


def test_context_managers_that_wrap_a_transaction_hold_it_for_their_callers(talking: Pair) -> None:
    @contextmanager
    def wrapped() -> Generator[None]:
        with talking.alice.account.transaction():
            yield

    @contextmanager
    def twice() -> Generator[None]:
        with wrapped():
            yield

    class ByHand:
        def __enter__(self) -> None:
            self.block = talking.alice.account.transaction()
            self.block.__enter__()

        def __exit__(self, *error: object) -> None:
            self.block.__exit__(*error)  # type: ignore[arg-type]

    letters = []
    with ExitStack() as stack:
        stack.enter_context(twice())
        stack.enter_context(ByHand())
        stack.enter_context(talking.alice.account.transaction())
        letters.append(talking.alice.write(b"inside"))
    all_arrive(talking, letters)


def test_async_context_managers_that_wrap_a_transaction_do_too(talking: Pair) -> None:
    @asynccontextmanager
    async def wrapped() -> AsyncIterator[None]:
        with talking.alice.account.transaction():
            await asyncio.sleep(0)
            yield

    async def story() -> list[bytes]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(wrapped())
            await asyncio.sleep(0)
            return [talking.alice.write(b"inside")]

    all_arrive(talking, asyncio.run(story()))


def test_a_wrapped_transaction_in_a_suspended_generator_is_refused(talking: Pair) -> None:
    @contextmanager
    def wrapped() -> Generator[None]:
        with talking.alice.account.transaction():
            yield

    def rows() -> Generator[bytes]:
        with wrapped():
            yield talking.alice.write(b"undone")

    generator = rows()
    next(generator)
    refused(talking)
    generator.close()
    all_arrive(talking, [])


def test_a_transaction_is_entered_once(talking: Pair) -> None:
    block = talking.alice.account.transaction()
    with block:
        with pytest.raises(UsageError, match="entered before"):
            block.__enter__()
        letter = talking.alice.write(b"inside")
    with pytest.raises(UsageError, match="entered before"):
        block.__enter__()
    with pytest.raises(StoreError):
        block.__exit__(None, None, None)
    with pytest.raises(UsageError, match="not entered"):
        talking.alice.account.transaction().__exit__(None, None, None)
    all_arrive(talking, [letter])
