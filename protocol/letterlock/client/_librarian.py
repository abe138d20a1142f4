"""The librarian: what was shared goes to the shelves of the relay, and what others shared comes from there.

    changes       of collections that are not in their logs yet are offered                        [DOC-79]
    parcels       that wait here are put on shelves; the relay takes one only once
                  where nothing holds any more, they are taken away                                  [CLN-20]
    own shelf     is read from where it was left
    collections   their logs and shelves likewise

This happens when something was shared, when the relay says that there is news, and once an hour.

Not here: what parcels and logs mean (_document_queue.py).
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_SHELVED
from letterlock._wire.relay_log import LogAnswer, LogAppendAnswer, LogAppendRequest, LogRequest
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
from letterlock.client._office import Office
from letterlock.client._pace import woken
from letterlock.client._shelf_rows import MAX_FAILURES, ParcelRecord
from letterlock.client._table import MICROSECONDS
from letterlock.documents import (
    ChangeOutcome,
    CollectionChange,
    CollectionEvent,
    CollectionForked,
    CollectionTaken,
    Granted,
    InvalidEntry,
)
from letterlock.errors import PeerError, UsageError
from letterlock.limits import HOUR

_MOST_SENT: Final = 3 << 20
"""Bytes of parcels in one call, of 4 MiB that it may have."""
_PAGE: Final = 100
_DOUBLINGS: Final = 12
_LEARNINGS: Final = 3
"""How often what came is judged anew at once because device lists were missing."""
_ROUNDS: Final = 50
"""How often a change is made anew at once because others were faster."""


class Librarian:
    """One client's task that looks after what is shared."""

    __slots__ = ("_learn", "_office", "_queue")

    def __init__(self, office: Office, learn: Callable[[str], Awaitable[None]]) -> None:
        self._office = office
        self._learn = learn
        self._queue = office.documents

    async def step(self) -> None:
        """Bring everything up to date, then wait."""
        office = self._office
        await self.refresh()
        due = await office.run(self._next_due)
        idle = office.pace.upkeep if due is None else min(float(due), office.pace.upkeep)
        await woken(office.shelf_wake, max(office.pace.about(idle), 0.05))

    async def refresh(self) -> None:
        """Send what waits, and read what is new. Raises what calls raise."""
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
            if outcome is ShelveOutcome.STORED or each.failures >= MAX_FAILURES:
                parcels.delete(key)
            else:  # the reader is not registered yet, or its shelf is full: as long as a message waits
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
        for name in dict.fromkeys(each.granter for each in granted):
            self._office.tell(RelayEventKind.SHARED, name)

    # --- collections ------------------------------------------------------------------------------------

    async def read_collection(self, collection: bytes) -> None:
        """Read the log and the shelf of a collection. Raises what calls raise."""
        office = self._office
        after = await office.run(self._queue.number, collection)
        while True:
            try:
                answer = await office.call(LogRequest(collection, after), LogAnswer)
            except RelayRefused as refused:
                if refused.code is not RelayCode.UNKNOWN:
                    raise
                await self._restore(collection, 0)
                return
            if answer.newest < after:
                await self._restore(collection, answer.newest)
                return
            taken = await self._take(collection, answer.entries)
            number = after if taken is None else taken.number
            if number >= answer.newest or number <= after:  # all of it, or lists have to come first
                break
            after = number
        await self._read(ShelfName.of_collection(collection))

    async def _take(self, collection: bytes, entries: Sequence[bytes]) -> CollectionTaken | None:
        """Take entries; return None for those that were wrong."""
        office = self._office
        try:
            taken = await office.run(self._queue.take_log, collection, entries)
        except CollectionForked:
            return None
        except (InvalidEntry, PeerError, UsageError):
            office.tell(RelayEventKind.MISBEHAVES)
            return None
        if CollectionEvent.FORKED in taken.events:
            office.tell(RelayEventKind.FORKED)
        office.wake_all()
        return taken

    async def _restore(self, collection: bytes, after: int) -> None:
        """Give a relay that has lost entries those that this user signed; others give theirs."""
        for entry in await self._office.run(self._queue.rest_of_log, collection, after):
            try:
                answer = await self._office.call(LogAppendRequest(entry), LogAppendAnswer)
            except RelayRefused:
                return
            if not answer.is_taken:
                return

    async def offer(self, change: CollectionChange) -> ChangeOutcome:
        """Have a change taken into its log, made anew as often as others are faster.                [DOC-79]

        Returns ACCEPTED, MET, REFUSED or WAITING. Raises what calls raise, and CollectionForked.
        """
        is_restored = False
        for _ in range(_ROUNDS):
            answer = await self._office.call(LogAppendRequest(change.entry), LogAppendAnswer)
            if answer.is_taken:
                await self._office.run(self._queue.accepted, change)
                self._office.shelf_wake.set()
                return ChangeOutcome.ACCEPTED
            if answer.newest < change.number - 1 and not is_restored:
                await self._restore(change.collection, answer.newest)
                is_restored = True
                continue
            taken = await self._take(change.collection, answer.entries)
            if taken is None:
                raise RelayMisbehaves("answers with a log that is wrong")
            if taken.missing is not None:
                return ChangeOutcome.WAITING
            if taken.outcome is None:
                raise RelayMisbehaves("takes no entry, and shows none that stands in its way")
            if taken.outcome is not ChangeOutcome.MADE_AGAIN or taken.change is None:
                return taken.outcome
            change = taken.change
        raise RelayMisbehaves("lets others be faster each time")
