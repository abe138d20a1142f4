"""Waiting for work that an event may end.

Not here: what is waited for.
"""

import asyncio
from collections.abc import Coroutine


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
