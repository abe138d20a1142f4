"""Logs that were read in the last seconds, so that each text of a group need not read one.

    recent      as it was at most five seconds ago: good for a look, and for what the store checks again
    newest      as it is now

The record of a group of a thousand people has a hundred kilobytes. Tasks that ask for one at the same time
share a reading.

Not here: who may do what by a log (_group_texts.py).
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from letterlock._records.collection import LogState, decode_log
from letterlock.relay._limits import HEAD_SECONDS
from letterlock.relay._store import LogHead, RelayStore
from letterlock.relay._verification import Run
from letterlock.stores import Record

MAX_LOGS: Final = 256
"""Logs that are remembered: with a thousand members each, some ten megabytes."""


@dataclass(frozen=True, slots=True)
class ReadLog:
    """What a log comes to, and the newest entry by its number and hash: `head` has no state of its own."""

    head: LogHead
    state: LogState = field(repr=False)


class RecentLogs:
    """The logs of one process, by their keys."""

    __slots__ = ("_read", "_reading", "_run", "_store")

    def __init__(self, store: RelayStore, run: Run) -> None:
        self._store = store
        self._run = run
        self._read: OrderedDict[bytes, tuple[int, ReadLog]] = OrderedDict()
        self._reading: dict[bytes, asyncio.Task[ReadLog | None]] = {}

    async def recent(self, log: bytes, now: int) -> ReadLog | None:
        """Return a log that was read less than five seconds ago, or read it."""
        at, known = self._read.get(log, (0, None))
        if known is not None and 0 <= now - at < HEAD_SECONDS:
            return known
        task = self._reading.get(log)
        if task is None:
            task = self._reading[log] = asyncio.create_task(self.newest(log, now))
            task.add_done_callback(lambda task: self._is_read(log, task))
        return await asyncio.shield(task)  # others wait for it too

    def _is_read(self, log: bytes, task: "asyncio.Task[ReadLog | None]") -> None:
        self._reading.pop(log, None)
        if not task.cancelled():
            task.exception()  # perhaps nobody waits for it any more

    async def newest(self, log: bytes, now: int) -> ReadLog | None:
        """Read a log."""
        found = await self._store.log_head(log)
        self.forget(log)
        if found is None:
            return None
        state = await self._run(partial(decode_log, Record(found.state)))
        read = ReadLog(LogHead(found.number, found.hash, b""), state)
        self._read[log] = (now, read)
        if len(self._read) > MAX_LOGS:
            self._read.popitem(last=False)
        return read

    def forget(self, log: bytes) -> None:
        """Read a log the next time: it has changed."""
        self._read.pop(log, None)

    def __len__(self) -> int:
        return len(self._read)
