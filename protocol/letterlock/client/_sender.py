"""The sender: brings posts to the relay, and device lists that this device has made.

    taken                       the post is deleted
    the list is stale           newer lists are fetched and learned, then it is sent for them
    a mailbox is full           its message waits in a post of its own; the other devices get theirs
    too many for this name      the posts for the name wait for as long as the relay says
    refused for good            the post is given up, and told
    no answer                   nothing is deleted, and everything is tried again

Posts for one name go one after the other, in the order in which they were made.

Not here: what a post is (_posts.py), fetching lists (_fetcher.py).
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic
from typing import Final

from letterlock._wire.device_list import DeviceList
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import AppendRequest
from letterlock._wire.relay_mail import SendRequest
from letterlock.client._errors import RelayRefused, RelayUnavailable
from letterlock.client._events import RelayEventKind
from letterlock.client._fetcher import Fetcher
from letterlock.client._office import Office
from letterlock.client._pace import together, woken
from letterlock.client._posts import Sendable
from letterlock.limits import HOUR

_BATCH: Final = 16
"""Posts that are read at once. Each may have 4 MiB."""
_AT_ONCE: Final = 4
"""Names to which posts are on their way at the same time."""
_PAUSE: Final = 60
"""Seconds until a post is tried again that the relay neither takes nor explains."""
_BEHIND: Final = 5
"""Seconds until a post is tried again for a name whose lists the relay is about to get."""
_FULL: Final = 600
"""Seconds until a message for a full mailbox is tried again."""
_MAX_IDLE: Final = 3600.0
_LEAST_IDLE: Final = 0.1


class Sender:
    """One client's task that sends."""

    __slots__ = ("_at_once", "_fetcher", "_office", "_uploads")

    def __init__(self, office: Office, fetcher: Fetcher) -> None:
        self._office = office
        self._fetcher = fetcher
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._uploads = asyncio.Lock()

    async def step(self) -> None:
        """Send what may be sent now, or wait until there is something."""
        office = self._office
        await office.connection.token()  # what is sent before the counters were compared may be lost
        await self.upload_lists()
        batch = await office.run(office.queue.posts.ready, _BATCH)
        if not batch:
            await woken(office.sender_wake, await self._idle())
            return
        names: dict[str, list[Sendable]] = {}
        for each in batch:
            names.setdefault(each.name, []).append(each)
        try:
            await together(self._send_all(name, posts) for name, posts in names.items())
        finally:
            office.group_wake.set()  # texts of groups go behind these

    async def _idle(self) -> float:
        """Return for how long there is nothing to send."""
        seconds = await self._office.run(self._office.queue.posts.next_due)
        if seconds is None:
            return _MAX_IDLE
        return min(max(self._office.pace.scale * seconds, _LEAST_IDLE), _MAX_IDLE)

    # --- own lists ------------------------------------------------------------------------------------

    async def upload_lists(self) -> None:
        """Give the relay the versions of our own list that it lacks. Raises what calls raise."""
        async with self._uploads:  # a linking uploads too
            await self._upload_lists()

    async def learn_own(self) -> None:
        """Learn what the relay has of our own list and we lack: other devices signed it, or one that is gone.

        Raises RelayMisbehaves.
        """
        with suppress(RelayRefused, RelayUnavailable):  # the next call, an hour later, learns it
            await self._fetcher.look(self._office.queue.user.name)

    async def _upload_lists(self) -> None:
        office, queue = self._office, self._office.queue
        theirs = office.relay_version
        if theirs is None:
            return
        for encoded in await office.run(queue.own_lists, theirs):
            await self._send_pinned()
            try:
                await office.call(AppendRequest(encoded), DoneAnswer)
            except RelayRefused as refused:
                if refused.code is RelayCode.REFUSED:  # it named an older version than it has: ask again
                    office.relay_version = None
                    office.connection.forget_token(None)
                if refused.code is not RelayCode.CONFLICT:
                    raise
                office.relay_version = refused.number
                await self._fetcher.refresh(queue.user.name, whole=True)
                return
            office.relay_version = DeviceList.decode(encoded).snapshot.version
            await office.run(queue.uploaded, encoded)

    async def _send_pinned(self) -> None:
        """Send what a device that revokes itself has to say, while the relay still takes it."""
        office = self._office
        for each in await office.run(office.queue.posts.ready, _BATCH):
            if each.is_pinned:
                try:
                    await self._send(each)
                except RelayRefused:
                    await office.run(office.queue.posts.done, [each.id])

    # --- posts ----------------------------------------------------------------------------------------

    async def _send_all(self, name: str, posts: list[Sendable]) -> None:
        """Send posts for one name, until one cannot be sent."""
        office, taken = self._office, list[bytes]()
        async with self._at_once:
            try:
                for at, each in enumerate(posts):
                    try:
                        await office.call(_request(each), DoneAnswer)
                    except RelayRefused as refused:
                        if not await self._handle(refused, name, posts[at:]):
                            return
                    else:
                        taken.append(each.id)
            finally:
                if taken:
                    await asyncio.shield(office.run(office.queue.posts.done, taken))

    async def _send(self, each: Sendable) -> None:
        await self._office.call(_request(each), DoneAnswer)
        await self._office.run(self._office.queue.posts.done, [each.id])

    async def _handle(self, refused: RelayRefused, name: str, left: list[Sendable]) -> bool:
        """Do what a refusal asks for. Return whether the posts after the first may be sent."""
        office, first = self._office, left[0]
        ids = [each.id for each in left]
        match refused.code:
            case RelayCode.STALE:
                await self._stale(refused.number, name, left)
                return False
            case RelayCode.FULL:
                office.tell(RelayEventKind.MAILBOX_FULL, name, refused.number)
                await office.run(office.queue.posts.split, first.id, refused.number, _FULL)
                return False
            case RelayCode.SLOW_DOWN:
                office.tell(RelayEventKind.SLOWED, name)
                await self._delay(ids, max(refused.number, 1))
                return False
            case RelayCode.UNKNOWN:
                office.tell(RelayEventKind.UNKNOWN_USER, name)
                await self._delay(ids, self._absence())
                return False
            case _:
                office.tell(RelayEventKind.NOT_TAKEN, name)
                await office.run(office.queue.posts.done, [first.id])
                return True

    def _absence(self) -> int:
        """Return how long a post waits for somebody whom the relay does not know.

        If it forgot us a while ago, others may come back as we did. They are waited for as long again.
        """
        since = self._office.forgotten_at
        return HOUR if since is None else min(max(int(monotonic() - since), _BEHIND), HOUR)

    async def _stale(self, newest: int, name: str, left: list[Sendable]) -> None:
        """Learn the newer lists, or the whole chain if the relay claims that there is another one."""
        office, known = self._office, left[0].version
        if left[0].is_pinned:  # it was for a list that is gone
            await office.run(office.queue.posts.done, [left[0].id])
            return
        if name == office.queue.user.name and newest < known:
            office.relay_version = newest  # ours is newer: it is uploaded first
            await self._delay([each.id for each in left], _BEHIND)
            return
        await self._fetcher.refresh(name, whole=newest <= known)
        if await office.run(office.queue.known_version, name) <= known:
            office.tell(RelayEventKind.MISBEHAVES, name)
            await self._delay([each.id for each in left], _PAUSE)

    async def _delay(self, ids: Iterable[bytes], seconds: int) -> None:
        await self._office.run(self._office.queue.posts.delay, tuple(ids), seconds)


def _request(each: Sendable) -> SendRequest:
    return SendRequest(each.id, each.name, each.version, each.head, each.messages)
