"""MemoryGates: where a gate keeps its rows in tests."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from letterlock.recovery import GateRow, GateRows, GateStep

T = TypeVar("T")


class MemoryGates:
    """A GateStore in memory. Others run between any two calls, and `changes` counts what became durable."""

    def __init__(self) -> None:
        self.rows: dict[bytes, GateRow] = {}
        self.changes = 0

    async def load(self, keys: Sequence[bytes]) -> GateRows:
        await asyncio.sleep(0)
        return tuple(map(self.rows.get, keys))

    async def change(self, keys: Sequence[bytes], step: GateStep[T]) -> T:
        await asyncio.sleep(0)
        before = tuple(map(self.rows.get, keys))
        after, answer = step(before)
        for key, row in zip(keys, after, strict=True):
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row
        self.changes += after != before
        return answer

    async def expire(self, now: int) -> int:
        ended = [key for key, row in self.rows.items() if row.until is not None and row.until <= now]
        for key in ended:
            del self.rows[key]
        return len(ended)
