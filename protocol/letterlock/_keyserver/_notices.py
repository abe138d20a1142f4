"""Notices of a second lock, on their way from the rows of a server to a mail server.

    a call      writes what happened into the user's row, in the same transaction                   [REC-42]
    sender      counts a mail in the row, sends it, and writes what became of it                    [REC-46]
    upkeep      finds rows with a notice that waits: after a failure, or a process that was killed  [REC-47]

Not here: what the rows say (recovery/_notice_steps.py); mail (identity/).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from letterlock._keyserver._hours import Hours
from letterlock._keyserver._rows import Changes, Found, RowKind, SealedRows, Stored
from letterlock._primitives.entropy import Clock
from letterlock._records.second_lock import SecondLockRecord, decode_second_lock
from letterlock._records.second_lock_notices import NoticesRecord, decode_notices
from letterlock.errors import CorruptStore, StoreError
from letterlock.limits import DAY
from letterlock.recovery import CheckUnavailable
from letterlock.recovery import _notice_steps as steps
from letterlock.recovery._identity_check import ReachesUsers
from letterlock.recovery._notice_steps import Mail, Outcome
from letterlock.stores import Record

_SENDERS: Final = 4
_WAITING: Final = 1000
"""Users whose notices wait in this process. The next upkeep finds those for whom there is no room."""

_SECONDS: Final = 60
"""For how long one mail may take."""

_PAGE: Final = 100
_KEPT: Final = 2 * DAY
"""Seconds for which a row is kept that only says how many mails were sent."""


class Notices:
    """The notices of one server. `reaches` sends them, by the kinds of the checks.

    `audit` is told what became of each, and not for whom.
    """

    __slots__ = ("_after", "_audit", "_clock", "_queue", "_reaches", "_senders", "_users", "hours", "rows")

    def __init__(
        self,
        rows: SealedRows,
        hours: Hours,
        clock: Clock,
        reaches: Mapping[str, ReachesUsers],
        audit: Callable[[str, int], None],
    ) -> None:
        self.rows = rows
        self.hours = hours
        self._clock = clock
        self._reaches = reaches
        self._audit = audit
        self._after = b""
        """The row at which `find` ended."""
        self._queue = asyncio.Queue[bytes](_WAITING)
        self._users = set[bytes]()
        self._senders = list[asyncio.Task[None]]()

    def reaches(self, kind: str) -> bool:
        """Return whether a check of this kind reaches users."""
        return kind in self._reaches

    def soon(self, user_id: bytes) -> bool:
        """Have a user's notices sent, and return False if there is no room. Whoever calls does not wait."""
        if user_id in self._users:
            return True
        if self._queue.full():
            return False
        self._users.add(user_id)
        self._queue.put_nowait(user_id)
        if not self._senders:
            self._senders = [asyncio.create_task(self._work()) for _ in range(_SENDERS)]
        return True

    async def find(self) -> None:
        """Have the notices that wait sent: all of them, or as many as there is room for. Raises StoreError.

        Begins where the last call ended, and goes round once. Otherwise notices that fail would take the
        room each time, and the others would never have any. [REC-47]
        """
        begin = self._after
        if await self._find(begin, None) and begin:
            await self._find(b"", begin)

    async def _find(self, after: bytes, last: bytes | None) -> bool:
        """Look at the rows after a tag, up to the last one, and return False if there was no room for all."""
        while page := await self.rows.sealed_page(RowKind.NOTICES, after, _PAGE):
            for tag, sealed in page:
                if last is not None and tag > last:
                    return True
                user_id = self._waiting(tag, sealed)
                if user_id is not None and not self.soon(user_id):
                    return False
                self._after = after = tag
        self._after = b""
        return True

    def _waiting(self, tag: bytes, sealed: bytes) -> bytes | None:
        """Return for whom a notice waits in a row. A damaged row holds up no other one."""
        try:
            found = decode_notices(self.rows.open_one(RowKind.NOTICES, tag, sealed))
        except CorruptStore:
            self._audit("notice unreadable", 0)
            return None
        return found.user_id if found.waiting else None

    async def sent(self) -> None:
        """Wait until nothing is being sent."""
        await self._queue.join()

    async def close(self) -> None:
        """End. What is being sent now is sent again by whoever looks next: it was counted."""
        senders, self._senders = self._senders, []
        for each in senders:
            each.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            user_id = await self._queue.get()
            self._users.discard(user_id)  # before its row is read: news from now on come again
            try:
                await self._send_all(user_id)
            except StoreError:
                self._audit("notice delayed", 0)
            finally:
                self._queue.task_done()

    async def _send_all(self, user_id: bytes) -> None:
        while (mail := await self._begin(user_id)) is not None:
            outcome = await self._send(mail)
            await self._end(user_id, mail, outcome)
            self._audit(_SAID[outcome], 0)

    async def _send(self, mail: Mail) -> Outcome:
        check = self._reaches.get(mail.place.kind)
        if check is None:
            return Outcome.UNSENT
        try:
            async with asyncio.timeout(_SECONDS):
                await check.notify(check.identity(mail.place.address), mail.happened.event)
        except CheckUnavailable:
            return Outcome.UNSENT
        except Exception:  # noqa: BLE001 - whatever a check raises: nobody knows whether it was sent
            return Outcome.LOST
        return Outcome.ACCEPTED

    async def _begin(self, user_id: bytes) -> Mail | None:
        counted, now = await self.hours.count(), self._clock()

        def step(found: Found) -> tuple[Changes, Mail | None]:
            notices, lock = notices_in(found[0], user_id), lock_in(found[1])
            after, mail = steps.begun(notices, lock, counted)
            return {} if after is notices else {0: stored(after, now)}, mail

        return await self.rows.change(_names(user_id), step)

    async def _end(self, user_id: bytes, mail: Mail, outcome: Outcome) -> None:
        counted, now = await self.hours.count(), self._clock()

        def step(found: Found) -> tuple[Changes, None]:
            notices, lock = notices_in(found[0], user_id), lock_in(found[1])
            left, told = steps.ended(notices, lock, mail, outcome, counted)
            changed = {} if told is lock else {1: Stored(told.encode().expose())}
            return {0: stored(left, now), **changed}, None

        await self.rows.change(_names(user_id), step)

    def __repr__(self) -> str:
        return "<Notices>"


_SAID: Final = {
    Outcome.ACCEPTED: "notice sent",
    Outcome.UNSENT: "notice not sent",
    Outcome.LOST: "notice lost",
}


def notices_in(found: Record | None, user_id: bytes) -> NoticesRecord:
    """Return what a row says of a user's notices."""
    return NoticesRecord(user_id) if found is None else decode_notices(found)


def lock_in(found: Record | None) -> SecondLockRecord:
    """Return what a row says of a user's second lock."""
    return SecondLockRecord() if found is None else decode_second_lock(found)


def stored(notices: NoticesRecord, now: int) -> Stored | None:
    """Return the row of notices: none if nothing waits and nothing was sent."""
    if not notices.waiting and not notices.sent:
        return None
    return Stored(notices.encode().expose(), None if notices.waiting else now + _KEPT)


def _names(user_id: bytes) -> list[tuple[int, bytes]]:
    return [(RowKind.NOTICES, user_id), (RowKind.SECOND_LOCKS, user_id)]
