"""The reader: gives the application what arrived and what happened, one after the other.

    messages    contents, each again until the application has finished it; a new loop ends an older one
    events      events of the store likewise, and those that are kept in memory
    drained     waits until nothing is left to send

Not here: where they come from (_receiver.py, _queue.py).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Final

from letterlock.client._errors import AlreadyDone
from letterlock.client._events import RelayEvent, RelayEventKind
from letterlock.client._office import Office
from letterlock.client._pace import woken
from letterlock.client._recovery_extra import second_lock_news
from letterlock.client._rows import Notice
from letterlock.client._second_lock_values import SecondLockNews
from letterlock.client._values import Message
from letterlock.errors import StoreError, UsageError
from letterlock.groups import GroupEvent, GroupEventKind
from letterlock.user import Event, EventKind, OwnDeviceRevoked

_LOOK: Final = 15.0
"""Seconds after which the store is looked at although nobody called: another program may have received."""
FLUSH: Final = 5.0
"""Seconds for which the end of a client's block waits until what was sent has gone out."""
_KINDS: Final = {each.value: each for each in EventKind}
_GROUP_KINDS: Final = {each.value: each for each in GroupEventKind}


class Reader:
    """Gives the application what arrived and what happened."""

    __slots__ = ("_check", "_loops", "_office")

    def __init__(self, office: Office, check: Callable[[], None]) -> None:
        self._office = office
        self._check = check
        self._loops: dict[str, object] = {}

    def _enter(self, what: str, wake: asyncio.Event) -> object:
        """Return the token of a new loop, which takes over from one that was left with `break`."""
        token = self._loops[what] = object()
        wake.set()  # an older loop that waits ends now
        return token

    def _require(self, what: str, token: object) -> None:
        """Raise unless the loop may go on."""
        with suppress(OwnDeviceRevoked):  # what had arrived is given first
            self._check()
        if self._loops[what] is not token:
            raise UsageError(f"another loop reads the {what} now: one at a time")

    async def messages(self, wait: float | None) -> AsyncGenerator[Message]:
        """Yield contents, each until it was finished."""
        office, arrivals = self._office, self._office.arrivals
        token, patience = self._enter("messages", office.arrivals_wake), _Patience(wait)
        while True:
            self._require("messages", token)
            found = await office.run(arrivals.arrived, 1)
            if not found:
                self._check()
                if patience.is_over:
                    return
                await woken(office.arrivals_wake, patience.left)
                continue
            key, arrived = found[0]
            message = Message(arrived, partial(self._finish, key))
            yield message
            if not message.is_asked:
                with suppress(AlreadyDone):
                    await self._finish(key)
            patience = _Patience(wait)

    async def _finish(self, key: bytes) -> None:
        await self._office.run(self._office.arrivals.finish, key)
        self._office.room_wake.set()

    async def events(
        self, wait: float | None
    ) -> AsyncGenerator[Event | RelayEvent | GroupEvent | SecondLockNews]:
        """Yield events, those of the store until they were finished."""
        office, arrivals = self._office, self._office.arrivals
        token, patience = self._enter("events", office.news_wake), _Patience(wait)
        while True:
            self._require("events", token)
            if office.events:
                yield office.events.popleft()
                patience = _Patience(wait)
                continue
            found = await office.run(arrivals.notices, 1)
            if not found:
                self._check()
                if patience.is_over:
                    return
                await woken(office.news_wake, patience.left)
                continue
            key, notice = found[0]
            event = await office.run(self._news, notice) or _event(notice)
            if event is not None:
                yield event
            await office.run(arrivals.finish_notice, key)
            patience = _Patience(wait)

    def _news(self, notice: Notice) -> SecondLockNews | None:
        """Return news of a second lock, with who waits now; None for a notice of something else."""
        clock = self._office.queue.tables.clock
        return second_lock_news(self._office.thread.store, notice, clock())


def _event(notice: Notice) -> Event | RelayEvent | GroupEvent | None:
    """Return the event of a notice, or None for one of a later release."""
    if notice.group is None:
        kind, name = _KINDS.get(notice.kind), notice.name
        return None if kind is None or name is None else Event(kind, name, notice.device)
    group, user_id = notice.group
    if notice.kind == EventKind.GIVEN_UP.value:
        return RelayEvent(RelayEventKind.GROUP_GIVEN_UP, group=group)
    of_group = _GROUP_KINDS.get(notice.kind)
    said_by = (None, None) if notice.said_by is None else notice.said_by
    return None if of_group is None else GroupEvent(of_group, group, user_id, notice.device, *said_by)


class _Patience:
    """Until when to wait for the next thing."""

    __slots__ = ("_until",)

    def __init__(self, wait: float | None) -> None:
        self._until = None if wait is None else monotonic() + wait

    @property
    def is_over(self) -> bool:
        return self._until is not None and monotonic() >= self._until

    @property
    def left(self) -> float:
        """How long to wait before the store is looked at again, in seconds."""
        return _LOOK if self._until is None else min(_LOOK, max(self._until - monotonic(), 0.0))


async def drained(office: Office, check: Callable[[], None], seconds: float = FLUSH) -> bool:
    """Wait until nothing is left to fetch or to send; return whether that was so within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await _drained(office, check)
    except (TimeoutError, StoreError):
        return False
    return True


async def _drained(office: Office, check: Callable[[], None]) -> None:
    while True:
        check()
        left = await office.run(_left, office)
        if not left:
            return
        office.wake_all()
        office.wake_shelves()
        office.group_wake.set()
        await asyncio.sleep(min(0.05, office.pace.first))


def _left(office: Office) -> int:
    tables = office.queue.tables
    # Parcels that the relay did not take wait for others, perhaps for days.
    parcels = [each for _, each in office.documents.rows.parcels.due() if not each.failures]
    texts = [each for _, each in office.groups.rows.posts.due() if not each.failures]
    return (
        len(texts)
        + tables.posts.count()
        + tables.drafts.count()
        + len(office.queue.needs.due(1))
        + len(parcels)
    )
