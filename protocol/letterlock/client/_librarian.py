"""The librarian: what was shared goes to the shelves of the relay, and what others shared comes from there.

    changes       of collections that are not in their logs yet are offered                        [DOC-79]
    parcels       that wait here are put on shelves; the relay takes one only once
                  where nothing holds any more, they are taken away                                  [CLN-20]
    own shelf     is read from where it was left
    collections   their logs and shelves likewise

This happens when something was shared, when the relay says that there is news, and once an hour.

Not here: what parcels and logs mean (_document_queue.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_limits import MAX_SHELVED
from letterlock._wire.relay_shelf import (
    ShelfAnswer,
    ShelfName,
    ShelfRequest,
    ShelveAnswer,
    ShelveOutcome,
    ShelveRequest,
    UnshelveRequest,
)
from letterlock.client._errors import RelayMisbehaves, RelayRefused
from letterlock.client._events import RelayEventKind
from letterlock.client._log_reader import LogReader, Taken
from letterlock.client._office import Office
from letterlock.client._pace import woken
from letterlock.client._shelf_rows import MAX_FAILURES, ParcelRecord
from letterlock.client._table import MICROSECONDS
from letterlock.documents import (
    ChangeOutcome,
    CollectionChange,
    CollectionEvent,
    CollectionTaken,
    Granted,
)
from letterlock.limits import HOUR

_MOST_SENT: Final = 3 << 20
"""Bytes of parcels in one call, of 4 MiB that it may have."""
_PAGE: Final = 100
_DOUBLINGS: Final = 12
_LEARNINGS: Final = 3
"""How often what came is judged anew at once because device lists were missing."""


class Librarian:
    """One client's task that looks after what is shared."""

    __slots__ = ("_is_new", "_learn", "_office", "_one", "_queue", "logs", "watch")

    def __init__(self, office: Office, learn: Callable[[str], Awaitable[None]]) -> None:
        self._office = office
        self._learn = learn
        self._queue = office.documents
        self._one = asyncio.Lock()
        self._is_new = True
        self.watch: Callable[[], Awaitable[bool]] = _never
        """Called after new grants came; returns whether to call it again after the next look."""
        self.logs: LogReader[CollectionChange] = LogReader(office, self._queue, self._noted)

    async def step(self) -> None:
        """Bring everything up to date, then wait."""
        office = self._office
        await self.refresh()
        await self.look()
        due = await office.run(self._next_due)
        idle = office.pace.upkeep if due is None else min(float(due), office.pace.upkeep)
        await woken(office.shelf_wake, max(office.pace.about(idle), 0.05))

    async def refresh(self) -> None:
        """Send what waits, and read what is new. Raises what calls raise.

        One at a time: what another one has begun, such as lists that are on their way, is done by then.
        """
        async with self._one:
            await self._refresh()

    async def look(self) -> None:
        """Have somebody look at the grants that came since the last time, if any did. [CLN-36]"""
        if self._is_new:
            self._is_new = False
            again = await self.watch()
            self._is_new = self._is_new or again

    async def _refresh(self) -> None:
        if not await self._office.run(self._queue.may_read):
            return
        for change in await self._office.run(self._queue.pending):
            await self.offer(change)
        await self._read(self._queue.own)  # before it grows: its numbers tell a loss [CLN-21]
        await self.send()
        for _ in range(_LEARNINGS):
            for collection in await self._office.run(self._queue.known):
                await self.read_collection(collection)
            if not await self._learned():
                break
        for change in await self._office.run(self._queue.upkeep):
            await self.offer(change)
        await self.send()

    async def _learned(self) -> bool:
        """Ask for the device lists that were missing; return whether something may be judged anew."""
        names = await self._office.run(self._queue.parcels_in.pop_wanted)
        for name in names:
            with suppress(RelayRefused, RelayMisbehaves):  # else the fetcher asks again
                await self._learn(name)
        await self._tell(await self._office.run(self._queue.parcels_in.judge_held))
        return bool(names)

    # --- parcels ----------------------------------------------------------------------------------------

    async def send(self) -> None:
        """Put the parcels that are due on their shelves, and take others away. Raises what calls raise."""
        office = self._office
        while batch := await office.run(self._due):
            request = ShelveRequest(tuple((each.shelf, each.parcel) for _, each in batch))
            answer = await office.call(request, ShelveAnswer)
            if len(answer.outcomes) != len(batch):
                raise RelayMisbehaves("does not say what became of each parcel")
            await office.run(self._sent, batch, answer.outcomes)
            if ShelveOutcome.FULL in answer.outcomes:
                office.tell(RelayEventKind.NO_ROOM)
        while (gone := await office.run(self._queue.parcels_back.due)) is not None:
            await office.call(UnshelveRequest(*gone), DoneAnswer)  # CLN-20
            await office.run(self._queue.parcels_back.done, gone[1])

    def _due(self) -> list[tuple[bytes, ParcelRecord]]:
        until = (self._office.queue.tables.clock() + 1) * MICROSECONDS
        found: list[tuple[bytes, ParcelRecord]] = []
        size = 0
        for key, each in self._queue.rows.parcels.due(until, MAX_SHELVED):
            size += len(each.parcel)
            if size > _MOST_SENT:
                break
            found.append((key, each))
        return found

    def _sent(self, batch: Sequence[tuple[bytes, ParcelRecord]], outcomes: Sequence[ShelveOutcome]) -> None:
        parcels, tables = self._queue.rows.parcels, self._office.queue.tables
        for (key, each), outcome in zip(batch, outcomes, strict=True):
            # Our other devices find nothing anywhere else, and a claim is told once nothing waits. [PRV-11]
            is_given_up = each.failures >= MAX_FAILURES and each.shelf != self._queue.own
            if outcome is ShelveOutcome.STORED or is_given_up:
                parcels.delete(key)
            elif parcels.has(key):  # else it was taken back meanwhile
                # The reader is not registered yet, or its shelf is full: as long as a message waits.
                pause = min(2 ** min(each.failures, _DOUBLINGS), HOUR)
                parcels.save(key, each.failed(), tables.order(pause))

    def _next_due(self) -> int | None:
        due = self._queue.rows.parcels.next_due()
        return None if due is None else max(due // MICROSECONDS - self._office.queue.tables.clock(), 0)

    async def _read(self, shelf: ShelfName) -> None:
        """Read a shelf to its end. Raises what calls raise."""
        office, parcels = self._office, self._queue.parcels_in
        after = await office.run(parcels.begin_reading, shelf)
        is_again = False
        while True:
            answer = await office.call(ShelfRequest(shelf, after, _PAGE), ShelfAnswer)
            if not answer.parcels:
                is_less = await office.run(self._queue.shown_less, shelf, answer.newest)
                if not is_less or is_again:  # once: a relay could say so each time
                    return
                after, is_again = 0, True
                continue
            if answer.parcels[0][0] <= after:
                raise RelayMisbehaves("shows parcels that were not asked for")
            await self._tell(await office.run(parcels.take, shelf, answer.parcels))
            after = answer.parcels[-1][0]
            office.wake_all()

    async def _tell(self, granted: Sequence[Granted]) -> None:
        self._is_new = self._is_new or bool(granted)
        for name in dict.fromkeys(each.granter for each in granted):
            self._office.tell(RelayEventKind.SHARED, name)

    # --- collections ------------------------------------------------------------------------------------

    async def read_collection(self, collection: bytes) -> None:
        """Read the log and the shelf of a collection. Raises what calls raise."""
        if await self.logs.read(collection):
            await self._read(ShelfName.of_collection(collection))

    def _noted(self, taken: Taken[CollectionChange] | None) -> None:
        """Tell what became of entries, or have the keys sent out that go with a change."""
        if taken is None:
            self._office.shelf_wake.set()
        elif isinstance(taken, CollectionTaken) and CollectionEvent.FORKED in taken.events:
            self._office.tell(RelayEventKind.FORKED)

    async def offer(self, change: CollectionChange) -> ChangeOutcome:
        """Have a change taken into its log. Raises what calls raise, and CollectionForked. [DOC-79]"""
        return await self.logs.offer(change.collection, change)


async def _never() -> bool:
    return False
