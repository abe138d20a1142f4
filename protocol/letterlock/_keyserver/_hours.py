"""Hours: time as a server counts it, in one of its processes.                                      [REC-39]

    wall clock      tells what passed since any process looked last
    steady clock    tells what this process has lived through, and is set by nobody

A process adds what both have seen, and no other process has added meanwhile. So a clock that somebody sets
ahead, that runs too fast, or that is wrong after each start of the machine, adds nothing that no process has
lived through, however often the server begins again and however many processes it has.

Not here: what is counted from the wall clock (recovery/_hours.py).
"""

import asyncio
from collections.abc import Callable
from typing import Final

from letterlock._keyserver._rows import Changes, Found, RowKind, SealedRows, Stored
from letterlock._primitives.entropy import Clock
from letterlock._records.second_lock import decode_hours
from letterlock._wire.recovery_limits import LONGEST_LOOK
from letterlock.recovery._hours import look

Ticks = Callable[[], float]
"""Seconds since any moment, by a clock that nobody sets: `time.monotonic`."""

_OFTEN: Final = 10
"""Seconds for which a count may be used again where less is safe: all devices of all users watch."""


class Hours:
    """The count of one server, which lies in one row. Methods raise StoreError."""

    __slots__ = ("_clock", "_lived", "_lock", "_recent", "_rows", "_seen", "_ticks")

    def __init__(self, rows: SealedRows, clock: Clock, ticks: Ticks) -> None:
        self._rows = rows
        self._clock = clock
        self._ticks = ticks
        self._lock = asyncio.Lock()
        self._seen = ticks()
        self._lived = 0.0
        """Seconds that this process has lived through and nobody has added, an hour at most."""
        self._recent: tuple[float, int] | None = None

    async def count(self) -> int:
        """Count what has passed, and return the sum, in seconds. [REC-39]"""
        async with self._lock:
            ticks = self._ticks()
            lived, self._lived = self._lived + ticks - self._seen, 0.0  # also if the answer is lost
            self._seen = ticks
            counted, self._lived = await self._rows.change([(RowKind.HOURS, b"")], self._step(lived))
            self._recent = ticks, counted
        return counted

    async def recent(self) -> int:
        """Return the sum as it was some seconds ago at most: for what is not shortened by that."""
        if self._recent is not None and self._ticks() < self._recent[0] + _OFTEN:
            return self._recent[1]
        return await self.count()

    def _step(self, lived: float) -> Callable[[Found], tuple[Changes, tuple[int, float]]]:
        """Count what this process has lived through, and return the sum, and what is left of that.

        What others have added before the first look is not known. So the first look adds nothing.
        """

        def step(found: Found) -> tuple[Changes, tuple[int, float]]:
            before = 0 if found[0] is None else decode_hours(found[0]).counted
            others = lived if self._recent is None else max(before - self._recent[1], 0)
            own = min(max(lived - others, 0.0), LONGEST_LOOK)
            after, counted = look(self._clock, int(own)).step(found[0])
            changes = {} if after is None or after is found[0] else {0: Stored(after.expose())}
            return changes, (counted, own - (counted - before))

        return step

    def __repr__(self) -> str:
        return "<Hours>"
