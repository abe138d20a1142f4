"""Waiting for work that an event may end, and for what a store has not got yet.

Not here: what is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from letterlock.relay._store import Watch

T = TypeVar("T")


async def unless(event: asyncio.Event, work: Coroutine[object, None, object]) -> None:
    """Wait until work is done, or until an event is set: then the work is cancelled.

    Raises what the work raises.
    """
    task, ended = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((task, ended), return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended.cancel()
        task.cancel()
        # `await task` would raise the same whether the task was cancelled or its caller is cancelled now.
        await asyncio.wait((task,))
    if not task.cancelled():
        task.result()


async def read_until(
    watched: AbstractAsyncContextManager[Watch],
    read: Callable[[], Awaitable[T]],
    is_enough: Callable[[T], bool],
    seconds: float,
    ended: asyncio.Event,
) -> T:
    """Read until it is enough, the time is up or an event is set, and return what was read last.

    Each time something comes to what is watched, it is read again.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    async with watched as watch:
        while True:
            found = await read()  # after the watch began, so that nothing is missed between the two
            left = end - clock()
            if is_enough(found) or left <= 0 or ended.is_set():
                return found
            await unless(ended, watch.wait(left))
