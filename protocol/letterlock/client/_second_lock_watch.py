"""A device looks who waits for a half of its user's recovery key, and tells the application.      [CLN-31]

    every four hours          where there is a second lock
    once a day                where there was none: somebody who knows the password may turn one on
    twelve hours of silence   are told as well: a wait that nobody sees cannot be stopped

What is new is saved as a notice in one transaction with the answer in which it was.                [CLN-1]

Not here: what is new in an answer (_second_lock_view.py), stopping it (_client_second_lock.py).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.recovery_limits import MIN_DELAY, SERVERS
from letterlock._wire.second_lock_calls import SecondLockShown
from letterlock.client._errors import ServerUnavailable
from letterlock.client._halves_change import signed_calls
from letterlock.client._recovery_desk import RecoveryDesk
from letterlock.client._second_lock_calls import SecondLockCalls
from letterlock.client._second_lock_values import SecondLockNewsKind
from letterlock.client._second_lock_view import SecondLockView, changes, notice_of
from letterlock.limits import DAY, HOUR
from letterlock.recovery import IdentityRefused, RecoveryRefused, ServerAtFault
from letterlock.recovery._device import recovery_device

_WHILE_ON: Final = 4 * HOUR
_WHILE_OFF: Final = DAY
_SILENCE: Final = MIN_DELAY // 2
"""Told while the shortest delay still runs: whoever keeps a server from answering may wait there."""

Seen = dict[int, SecondLockShown]


class SecondLockWatch(Uncopyable):
    """What one device sees of its user's second lock."""

    __slots__ = ("_desk",)

    def __init__(self, desk: RecoveryDesk) -> None:
        self._desk = desk

    async def look_if_due(self) -> None:
        """Ask the servers for which it is time."""
        due = await self._desk.office.run(self._due)
        if due:
            await self.look(await signed_calls(self._desk, None), due)

    async def look(
        self, calls: SecondLockCalls, servers: Iterable[int] = SERVERS, *, is_own: bool = False
    ) -> tuple[Seen, list[Exception]]:
        """Ask servers, and tell what is new. Return what each showed, and why others did not.

        `is_own` says that this device has just turned the second lock on or off, or stopped a wait.
        """
        seen, failures = Seen(), list[Exception]()
        for server in servers:
            try:
                seen[server] = await calls.watch_once(server)
            except (ServerUnavailable, ServerAtFault, RecoveryRefused, IdentityRefused) as error:
                failures.append(error)
                await self._desk.office.run(self._silent, server)
            else:
                await self._desk.office.run(self._saw, server, seen[server], is_own=is_own)
        self._desk.office.news_wake.set()
        return seen, failures

    # --- in the store -------------------------------------------------------------------------------------

    def _due(self) -> list[int]:
        if recovery_device(self._desk.chain()) is None:
            return []
        now = self._now()
        pause = _WHILE_ON if self._is_on() else _WHILE_OFF
        views = {server: self._desk.views.load(server) for server in SERVERS}
        return [server for server, view in views.items() if view is None or not 0 <= now - view.asked < pause]

    def _is_on(self) -> bool:
        """Return whether a server has shown a half, or somebody who waits."""
        views = [self._desk.views.load(server) for server in SERVERS]
        shown = [each.shown for each in views if each is not None and each.shown is not None]
        return any(each.deposits or each.wait is not None for each in shown)

    def _saw(self, server: int, shown: SecondLockShown, *, is_own: bool) -> None:
        now, before = self._now(), self._desk.views.load(server)
        for kind in changes(None if before is None else before.shown, shown):
            if not (is_own and kind in _OWN):
                self._tell(kind, server)
        self._desk.views.save(server, SecondLockView(now, now, shown))

    def _silent(self, server: int) -> None:
        now = self._now()
        view = self._desk.views.load(server) or SecondLockView(now)
        # A clock that was put back begins the day anew.
        view = replace(view, asked=now, answered=min(view.answered, now))
        if now - view.answered >= _SILENCE and not view.is_silence_told and self._is_on():
            view = replace(view, is_silence_told=True)
            self._tell(SecondLockNewsKind.UNSEEN, server)
        self._desk.views.save(server, view)

    def _tell(self, kind: SecondLockNewsKind, server: int) -> None:
        queue = self._desk.office.queue
        queue.tell(notice_of(kind, server, queue.user.name))

    def _now(self) -> int:
        return max(self._desk.office.queue.tables.clock(), 0)


_OWN: Final = frozenset(
    {
        SecondLockNewsKind.TURNED_ON,
        SecondLockNewsKind.TURNED_OFF,
        SecondLockNewsKind.STOPPED,
        SecondLockNewsKind.ENDED,
    }
)
"""News that are none to the device which has done it."""
