"""Meeting places: a device that is new and has no account yet meets an old one of the same user.

Strangers can put into a place what a new device puts there, so only into places that a device of an account
opened, once, and little. What is put there is sealed or checked by the two devices. [RLY-26]

Not here: what travels (user/).
"""

import asyncio
from typing import Final

from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_place import GetAnswer, GetRequest, OpenPlaceRequest, PutRequest, Step
from letterlock.relay._limits import MAX_PLACE_WAITS, PLACE_PAUSE, PLACE_SECONDS
from letterlock.relay._means import NOT_THERE, Means
from letterlock.relay._reply import Refused
from letterlock.relay._session import Session
from letterlock.relay._store import Opened
from letterlock.relay._waiting import unless
from letterlock.relay._watchers import Watchers

_IS_OPEN: Final = GetAnswer(1, b"")
_NOT_YET: Final = GetAnswer(0, None)


class Places:
    """The calls `open-place`, `put` and `get`."""

    __slots__ = ("_draining", "_means", "_waiting", "_watchers")

    def __init__(self, means: Means, draining: asyncio.Event) -> None:
        self._means = means
        self._draining = draining
        self._waiting = 0
        self._watchers = Watchers()  # by place and step

    async def open(self, request: OpenPlaceRequest, session: Session, now: int) -> DoneAnswer:
        """Open a place for the caller's account. A repeat changes nothing. [RLY-25]"""
        means = self._means
        listed = await means.check(session, now)
        means.limits.places.take(session.account, now)
        until = now + PLACE_SECONDS
        match await means.store.open_place(request.place, session.account, listed, until):
            case Opened.UNLISTED:
                raise Refused(RelayCode.UNKNOWN)  # the list changed meanwhile
            case Opened.TAKEN:
                raise Refused(RelayCode.TAKEN)
            case Opened.OPEN:
                self._watchers.wake(request.place, Step.OPEN)
                return DoneAnswer()

    async def put(self, request: PutRequest, session: Session | None, now: int) -> DoneAnswer:
        """Put a part into an open place, unless there is one already. [RLY-26]"""
        means = self._means
        if request.step.needs_token:
            if session is None:
                raise Refused(RelayCode.UNKNOWN)
            await means.check(session, now)
            if await means.store.place_owner(request.place, now) != session.account:
                raise Refused(RelayCode.UNKNOWN, NOT_THERE)
        part = request.step, request.part, request.parts, request.data
        if not await means.store.put(request.place, int(part[0]), *part[1:], now):
            raise Refused(RelayCode.UNKNOWN, NOT_THERE)
        self._watchers.wake(request.place, request.step)
        return DoneAnswer()

    async def get(self, request: GetRequest, now: int) -> GetAnswer:
        """Return a part of what is in a place, or wait for it.

        What this process stores is noticed at once, and what others store at the next look.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with self._watchers.watch(request.place, request.step) as watcher:
            while True:
                passed = loop.time() - begun
                answer = await self._look(request, now + int(passed))
                left = request.wait - passed
                full = self._waiting >= MAX_PLACE_WAITS  # RLY-28
                if answer != _NOT_YET or left <= 0 or full or self._draining.is_set():
                    return answer
                self._waiting += 1
                try:
                    await unless(self._draining, watcher.wait(min(PLACE_PAUSE, left)))
                finally:
                    self._waiting -= 1

    async def _look(self, request: GetRequest, now: int) -> GetAnswer:
        """Return what is there now. Raises Refused, UNKNOWN, for a part of a place that is not open."""
        store = self._means.store
        if request.step is Step.OPEN:
            return _NOT_YET if await store.place_owner(request.place, now) is None else _IS_OPEN
        async with self._means.reads:
            found = await store.get(request.place, int(request.step), request.part, now)
        if found is not None:
            return GetAnswer(*found)
        if await store.place_owner(request.place, now) is None:
            raise Refused(RelayCode.UNKNOWN, NOT_THERE)
        return _NOT_YET
