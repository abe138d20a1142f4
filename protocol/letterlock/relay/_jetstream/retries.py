"""Retries: a change is tried again while others were faster or a leader is being elected, but not for ever.

    Refused      tried again at once, from what is stored now
    Unsettled    tried again after a while, if a second time does no harm; then StoreError

Not here: what a change is (mail.py and its neighbours).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from letterlock.errors import StoreBusy, StoreError
from letterlock.relay._jetstream.connection import Refused, Unsettled

T = TypeVar("T")

SECONDS: Final = 8.0
"""How long a call is tried: a few seconds longer than an election takes."""

_MOST_REFUSALS: Final = 64
"""More processes than that do not change one record at once."""


async def settle(attempt: Callable[[], Awaitable[T]], *, repeats: bool = True) -> T:
    """Make an attempt until it is settled. Without `repeats`, one that had no answer is not made again.

    Raises StoreBusy and StoreError.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS
    refusals = 0
    pause = 0.05
    while True:
        try:
            return await attempt()
        except Refused:
            refusals += 1
            if refusals >= _MOST_REFUSALS:
                raise StoreBusy("too many change one account at once: try again") from None
            await asyncio.sleep(random.uniform(0, 0.002 * refusals))  # noqa: S311 (no secret)
        except Unsettled:
            if not repeats or loop.time() >= end:
                raise StoreError("JetStream does not answer: the call may have happened; try again") from None
            await asyncio.sleep(pause)
            pause = min(1.0, pause * 2)
