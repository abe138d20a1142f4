"""Turns: whose device lists are verified next, where strangers may bring as many as they like.

    cheap first      by the size of the lists, in powers of two; equal ones in the order in which they came
    a bounded queue  the most expensive call is refused when there is no room                        [REC-55]

A list costs about a millisecond, and an honest user brings the few that are new here. So a stranger who sends
hundreds at a time waits behind everybody. Whoever wants to hold others up has to send as many small calls as
two cores verify. Whose lists they are plays no part. Otherwise the wait would tell who is known, and somebody
who has a user's lists could take the places of that user.                                           [REC-19]

Not here: verifying (_lists.py); what an address may call, and how much at once (_limits.py).
"""

import asyncio
from bisect import insort
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from typing import Final, NamedTuple

from letterlock._wire.relay_error import RelayCode
from letterlock.relay._limits import BUSY_SECONDS
from letterlock.relay._reply import Refused

_AT_ONCE: Final = 2
"""Calls whose lists are verified at the same time, in one process. The other cores have calls to answer."""

_WAITING: Final = 256
"""Calls that wait. Each holds the memory of its lists, 4 MiB at most."""


class _Waiting(NamedTuple):
    """A call that waits. Cheaper and older ones come first."""

    cost: int
    number: int
    turn: asyncio.Future[None]


class Turns:
    """The turns of one process."""

    __slots__ = ("_numbers", "_running", "_waiting")

    def __init__(self) -> None:
        self._running = 0
        self._waiting = list[_Waiting]()
        self._numbers = count()

    @asynccontextmanager
    async def turn(self, size: int) -> AsyncGenerator[None]:
        """Wait for a turn, and have it until the block ends. `size` is that of the lists, in bytes.

        Raises Refused, UNAVAILABLE, if too many cheaper ones wait.
        """
        await self._begin(size.bit_length())
        try:
            yield
        finally:
            self._end()

    async def _begin(self, cost: int) -> None:
        if self._running < _AT_ONCE:
            self._running += 1
            return
        mine = _Waiting(cost, next(self._numbers), asyncio.get_running_loop().create_future())
        insort(self._waiting, mine)
        if len(self._waiting) > _WAITING:
            _tell(self._waiting.pop(), Refused(RelayCode.UNAVAILABLE, BUSY_SECONDS))
        try:
            await mine.turn
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
            elif not mine.turn.cancelled() and mine.turn.exception() is None:
                self._end()  # it was given the turn, and did not begin
            raise

    def _end(self) -> None:
        """Give the turn to the next one, or to nobody."""
        while self._waiting:
            if _tell(self._waiting.pop(0), None):
                return
        self._running -= 1

    def __repr__(self) -> str:
        return "<Turns>"


def _tell(waiting: _Waiting, refused: Refused | None) -> bool:
    """Give somebody a turn, or a refusal. Return False if the call was cancelled meanwhile."""
    if waiting.turn.done():
        return False
    if refused is None:
        waiting.turn.set_result(None)
    else:
        waiting.turn.set_exception(refused)
    return True
