"""The convener: looks after the groups of one client at its relay.

    letters     about groups that came with the mail are taken; what they ask for is answered
    changes     that are not in their logs yet are offered, and made anew while others are faster   [DOC-79]
    logs        are read when a text or a letter names an entry that is not here
    names       of members are read from the group's shelf when they are needed                   [GRP-50]
    texts       are read from where they were left; what the application sent goes, oldest first

It works when a letter, a text or lists arrive, when the relay is back, and once an hour. A text is sealed
when it is about to go. If the relay calls it stale, the log is read and it is sealed anew.        [CLN-22]

Not here: what logs and texts mean (_group_queue.py).
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Final

from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_group import (
    FollowFrame,
    GroupSendAnswer,
    GroupSendRequest,
    GroupTextsAnswer,
    GroupTextsRequest,
)
from letterlock._wire.relay_limits import MAX_FETCHED, MAX_FOLLOWED
from letterlock.client._arrivals import MAX_ARRIVED
from letterlock.client._errors import RelayMisbehaves, RelayRefused
from letterlock.client._events import RelayEventKind
from letterlock.client._group_rows import MAX_FAILURES, GroupPost
from letterlock.client._log_reader import LogReader, Taken
from letterlock.client._name_reading import read_names
from letterlock.client._office import Office
from letterlock.client._pace import woken
from letterlock.errors import TrustError, UsageError
from letterlock.groups import ChangeOutcome, GroupChange, GroupEpochDue, GroupForked, GroupKeyMissing
from letterlock.limits import HOUR
from letterlock.user import ContactFrozen, OwnDeviceRevoked

_ROUNDS: Final = 20
"""How often a text is sealed anew at once because the log went on."""
_PAUSE: Final = 60
"""Seconds until a text is tried again whose keys have not come, or that the relay does not explain."""
_FULL: Final = 600
"""Seconds until a text is tried again for a group that has no room."""
_MAX_STRANGE: Final = 64
"""Groups without a log here that letters name, and whose logs are asked for at a time."""
_LEAST_IDLE: Final = 0.05
_SOON: Final = 60
"""Seconds until all groups are read again if the relay has lost one: another member gives it the log. It is
twice as long each time."""
_DOUBLINGS: Final = 10
_SHARE: Final = 4
"""After lists were learned, the next ones wait four times as long as the work took that these led to."""
_MOST_PAUSE: Final = 5.0
"""Seconds for which they wait at most."""


class Convener:
    """One client's task that looks after its groups."""

    __slots__ = (
        "_asked",
        "_is_followed",
        "_is_lost",
        "_next_learned",
        "_next_round",
        "_office",
        "_one",
        "_queue",
        "_rounds_lost",
        "_unread",
        "logs",
    )

    def __init__(self, office: Office) -> None:
        self._office = office
        self._queue = office.groups
        self.logs: LogReader[GroupChange] = LogReader(office, self._queue, self._noted)
        self._next_learned = 0.0
        self._next_round = 0.0
        self._asked: dict[bytes, None] = {}
        self._is_followed = False
        self._is_lost = False
        self._rounds_lost = 0
        self._unread: dict[bytes, None] = {}
        self._one = asyncio.Lock()

    def _noted(self, taken: Taken[GroupChange] | None) -> None:
        """Have letters sent that go with entries, and groups followed anew.

        The relay does not tell of a group that is not there yet, or whose member this user is not yet.
        """
        self._is_followed = False
        if taken is None:
            self._office.group_wake.set()
        self._office.wake_all()
        self._office.wake_shelves()

    async def step(self) -> None:
        """Bring everything up to date, then wait."""
        office = self._office
        is_round = monotonic() >= self._next_round or office.groups_due
        if is_round:
            office.groups_due = False
        await self.refresh(None if is_round else office.pop_group_news())
        if is_round:
            self._next_round = monotonic() + office.pace.about(self._until_round())
        await woken(office.group_wake, await self._idle())

    def _until_round(self) -> float:
        """Return the seconds until all groups are read again."""
        upkeep = self._office.pace.upkeep
        self._rounds_lost = self._rounds_lost + 1 if self._is_lost else 0
        return min(upkeep, _SOON * 2.0 ** min(self._rounds_lost - 1, _DOUBLINGS)) if self._is_lost else upkeep

    async def _idle(self) -> float:
        office = self._office
        due = await office.run(self._queue.next_due)
        until = min(self._next_round, self._next_learned) if office.learns_later else self._next_round
        left = max(until - monotonic(), 0.0)
        return max(min(left, left if due is None else office.pace.scale * due), _LEAST_IDLE)

    async def refresh(self, groups: Iterable[bytes] | None = None) -> None:
        """Do what is due; read these groups, or all of them. Raises what calls raise.

        One at a time: what another one has begun is done by then. What one leaves undone, the next one does:
        the relay tells of it once.
        """
        async with self._one:
            try:
                await self._refresh(groups)
            except Exception:
                self._office.groups_due |= groups is None
                self._office.has_learned = True
                raise

    async def _refresh(self, groups: Iterable[bytes] | None) -> None:
        office, queue = self._office, self._queue
        if groups is None:
            self._is_lost = False
        self._want(await office.run(queue.known) if groups is None else groups)
        done = await office.run(queue.process)
        if done.outgoing:
            office.wake_all()
        unknown, retry = await self._introduced(done.unknown), set(done.retry)
        self._want(unknown)
        if unknown:
            retry |= set((await office.run(queue.process)).retry)  # what waited for these logs
        began, is_learned = monotonic(), self._pop_learned()
        if is_learned:
            await office.run(queue.outbox.hurry)
        await self._judge(None if is_learned or groups is None else unknown | retry)
        for change in await office.run(queue.pending):
            await self._offer(change)
        await self._read_all(with_log=groups is None)
        if groups is None or is_learned or await office.run(queue.is_upkeep_due):
            for change in await office.run(queue.upkeep):
                await self._offer(change)
            office.wake_all()
        await read_names(office)
        for group in sorted(await office.run(queue.pop_suspects)):
            await self.logs.read_newest(group)
        await self._send()
        await self._tell_writers()
        await self._follow()
        if is_learned:
            office.learns_later = True
            self._next_learned = monotonic() + min(_SHARE * (monotonic() - began), _MOST_PAUSE)

    def _pop_learned(self) -> bool:
        """Return whether device lists were learned that groups are to be judged by.

        In a large group there may be hundreds, one after another, and what each leads to is the same work.
        """
        if monotonic() < self._next_learned:
            return False
        self._office.learns_later = False
        return self._office.pop_learned()

    async def _offer(self, change: GroupChange) -> None:
        with suppress(TrustError, RelayRefused):  # the log is forked, or nobody takes it any more
            await self.logs.offer(change.group, change)

    async def _introduced(self, named: Iterable[bytes]) -> set[bytes]:
        """Read the logs that letters wait for; return the ids of those that are on record by then.

        Anybody may write of groups that nobody has. Of ids without a log, a few are asked for at a time: new
        ones first, then those that were not asked for the longest.
        """
        office, queue = self._office, self._queue
        known = set(await office.run(queue.on_record))
        strange = set(named) - known
        self._asked = {each: None for each in self._asked if each in strange}
        few = [*sorted(strange - self._asked.keys()), *self._asked][:_MAX_STRANGE]
        found = set(named) & known
        for group in [*sorted(found), *few]:
            await self.logs.read(group)
            if group in strange:
                self._asked.pop(group, None)
                self._asked[group] = None  # the last from now on
                if await office.run(queue.number, group):
                    found.add(group)
        return found

    # --- reading ------------------------------------------------------------------------------------------

    async def _judge(self, groups: Iterable[bytes] | None) -> None:
        """Try what is held of these groups, or of all; read the logs that it needs, and try again."""
        office, queue = self._office, self._queue
        if groups is None:
            for group in await office.run(queue.on_record):
                await self.logs.take(group, ())  # entries and changes that waited for lists
        for group in sorted(await office.run(queue.judge_held, groups)):
            await self.logs.read(group)
            await office.run(queue.judge_held, [group])
        office.arrivals_wake.set()

    def _want(self, groups: Iterable[bytes]) -> None:
        """Have groups read, after those that were to be read before."""
        self._unread |= dict.fromkeys(sorted(each for each in groups if each not in self._unread))

    async def _read_all(self, *, with_log: bool) -> None:
        """Read the groups that are wanted. One at which a call fails is the last next time."""
        for group in list(self._unread):
            del self._unread[group]
            self._unread[group] = None
            await self._read(group, with_log=with_log)
            del self._unread[group]

    async def _read(self, group: bytes, *, with_log: bool) -> None:
        """Read the texts of a group to their end, and its log if it is asked for or needed."""
        office, queue = self._office, self._queue
        if with_log or not await office.run(queue.number, group):
            await self.logs.read(group)
            if not await office.run(queue.number, group):
                return  # nobody knows it yet
        is_again = False
        while await office.run(office.arrivals.count) < MAX_ARRIVED:  # the rest stays at the relay
            after = await office.run(queue.rows.place, group)
            answer = await self._page(group, after)
            if answer is None:  # removed meanwhile, or the relay has lost the log
                if not with_log:
                    await self.logs.read(group)
                self._is_lost |= await office.run(self._is_member, group)
                return
            if answer.texts:
                await self._take(group, answer)
            elif is_again or not await office.run(queue.begin_again, group, answer.newest):
                return
            else:
                is_again = True  # once: a relay could say so each time

    def _is_member(self, group: bytes) -> bool:
        return bool(self._queue.number(group)) and self._queue.groups.get(group).role is not None

    async def _page(self, group: bytes, after: int) -> GroupTextsAnswer | None:
        """Return texts after a number, or None if the relay shows nothing of the group."""
        request = GroupTextsRequest(group, after, MAX_FETCHED, 0)
        try:
            answer = await self._office.call(request, GroupTextsAnswer)
        except RelayRefused as refused:
            if refused.code is not RelayCode.UNKNOWN:
                raise
            return None
        if answer.texts and answer.texts[0].number <= after:
            raise RelayMisbehaves("shows texts that were not asked for")
        return answer

    async def _take(self, group: bytes, answer: GroupTextsAnswer) -> None:
        """Take texts; read the log first where they name an entry that is not here."""
        office, queue = self._office, self._queue
        if await office.run(queue.take_texts, group, answer.texts):
            await self.logs.read(group)
            await office.run(queue.judge_held, [group])
        office.arrivals_wake.set()
        office.news_wake.set()

    # --- sending ------------------------------------------------------------------------------------------

    async def _send(self) -> None:
        """Send the oldest texts of each group, until nothing may go now."""
        tried: set[bytes] = set()
        while True:
            found = await self._office.run(self._queue.outbox.due)
            due = [(id_, post) for id_, post in found if id_ not in tried]
            if not due:
                return
            for id_, post in due:
                tried.add(id_)
                await self._send_one(id_, post.group)

    async def _send_one(self, id_: bytes, group: bytes) -> None:
        """Send a text, sealed anew as often as the log goes on. [CLN-22]"""
        office, queue = self._office, self._queue
        for _ in range(_ROUNDS):
            post = await self._sealed(id_, group)
            office.fetcher_wake.set()  # it may wait for lists, and members for whom there is no session yet
            if post is None or post.text is None:
                return
            if not post.offered:
                office.sender_wake.set()  # which wakes this task when it has sent them
                return
            try:
                await office.call(GroupSendRequest(post.text), GroupSendAnswer)
            except RelayRefused as refused:
                if not await self._refused(refused, id_, post):
                    return
            else:
                await office.run(queue.outbox.sent, id_)
                office.arrivals_wake.set()
                return
        await office.run(queue.outbox.delay, group, _PAUSE)

    async def _sealed(self, id_: bytes, group: bytes) -> GroupPost | None:
        """Return a post with its text, or None if it cannot go now, or never will."""
        office, queue = self._office, self._queue
        try:
            return await office.run(queue.outbox.seal, id_)
        except GroupEpochDue:
            renew = partial(queue.groups.renew, group)
            change = await office.run(self._renewed, renew)
            if change is None or await self.logs.offer(group, change) is ChangeOutcome.WAITING:
                await office.run(queue.outbox.delay, group, _PAUSE)
            return await self._sealed_at_last(id_, group)
        except (GroupKeyMissing, ContactFrozen):
            await office.run(queue.outbox.delay, group, _PAUSE)
        except GroupForked:
            await office.run(queue.outbox.delay, group, HOUR)
        except OwnDeviceRevoked:
            raise
        except UsageError:  # this user may not write any more
            await office.run(queue.outbox.give_up, id_)
            office.news_wake.set()
        return None

    def _renewed(self, renew: Callable[[], GroupChange]) -> GroupChange | None:
        """Begin a new epoch, unless somebody does so already."""
        try:
            return self._queue.changed(renew)
        except UsageError:
            return None

    async def _sealed_at_last(self, id_: bytes, group: bytes) -> GroupPost | None:
        """Return a post after an epoch was begun, or None if it was not."""
        try:
            return await self._office.run(self._queue.outbox.seal, id_)
        except (UsageError, TrustError):
            await self._office.run(self._queue.outbox.delay, group, _PAUSE)
            return None

    async def _refused(self, refused: RelayRefused, id_: bytes, post: GroupPost) -> bool:
        """Do what a refusal asks for; return whether to seal the text anew at once."""
        office, queue, group = self._office, self._queue, post.group
        match refused.code:
            case RelayCode.STALE | RelayCode.UNKNOWN | RelayCode.REFUSED:
                before = await office.run(queue.number, group)
                await self.logs.read(group)
                if await office.run(queue.number, group) > before:
                    await office.run(queue.outbox.stale, id_)
                    return True
                if post.failures >= MAX_FAILURES:
                    await office.run(queue.outbox.give_up, id_)
                    return False
                await office.run(queue.outbox.stale, id_)
                await office.run(queue.outbox.delay, group, _PAUSE)
                if refused.code is not RelayCode.UNKNOWN:
                    office.tell(RelayEventKind.MISBEHAVES)
            case RelayCode.FULL:
                office.tell(RelayEventKind.NO_ROOM)
                await office.run(queue.outbox.delay, group, _FULL)
            case RelayCode.SLOW_DOWN:
                await office.run(queue.outbox.delay, group, refused.number)
            case _:
                raise refused
        return False

    async def _tell_writers(self) -> None:
        """Have receipts sent, after the texts: what these told needs none. [GRP-46]"""
        if await self._office.run(self._queue.receipts):
            self._office.wake_all()

    # --- news ---------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Have the relay tell of news in all groups, as many as one socket follows."""
        groups = tuple(sorted(await self._office.run(self._queue.known)))[:MAX_FOLLOWED]
        is_followed, self._is_followed = self._is_followed, True
        await self._office.follow(FollowFrame(groups) if groups else None, is_new=not is_followed)
