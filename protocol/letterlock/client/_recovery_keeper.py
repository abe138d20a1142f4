"""The keeper of recovery: what is under way goes on after a crash, and the box is of today. [CLN-24] [CLN-25]

It also looks who waits for a half of the recovery key.                                         [CLN-31]

    a list that the recovery device signed     is uploaded by it
    our list                                   is learned, if the relay has a newer one
    a lock that is made                        is brought into force; nothing needs the password
    contacts, or a new document key            a new box
    halves of a second lock                    are laid, or deleted

Without the relay all of it waits.

Not here: each of them (_recovery_desk.py, _lock_change.py, _recovery_box.py, _halves_change.py,
_second_lock_watch.py).
"""

import asyncio
from contextlib import suppress
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock.client._errors import RecoveryOvertaken
from letterlock.client._halves_change import go_on
from letterlock.client._pace import woken
from letterlock.client._recovery_desk import RecoveryDesk
from letterlock.client._second_lock_watch import SecondLockWatch
from letterlock.errors import LetterlockError
from letterlock.recovery import IdentityRefused, RecoveryRefused, ServerAtFault

_GATHERS: Final = 20.0
"""Seconds in which changes gather, so that what comes together makes one box."""


class RecoveryKeeper(Uncopyable):
    """One client's task that looks after recovery."""

    __slots__ = ("_desk",)

    def __init__(self, desk: RecoveryDesk) -> None:
        self._desk = desk

    async def step(self) -> None:
        """Do what is due, then wait. Raises RelayUnavailable, RelayMisbehaves."""
        office = self._desk.office
        async with self._desk.turn:
            watch = SecondLockWatch(self._desk)
            try:
                await self.go_on()
            except LetterlockError:
                await watch.look_if_due()  # a relay that fails hides nobody who waits at the other server
                raise
            await watch.look_if_due()
        await woken(office.recovery_wake, office.pace.about(office.pace.upkeep))
        await asyncio.sleep(office.pace.about(_GATHERS))

    async def go_on(self) -> None:
        """Go on with what was interrupted, and make a box if one is due. Raises as `step` does."""
        try:
            await self._with_the_relay()
        except RecoveryOvertaken:
            return  # whoever recovers again is told
        except LetterlockError:
            with suppress(LetterlockError):  # a relay that fails keeps no halves at the other server
                await go_on(self._desk)
            raise
        with suppress(RecoveryRefused, IdentityRefused, ServerAtFault):
            await go_on(self._desk)

    async def _with_the_relay(self) -> None:
        """Upload and learn the own list, and bring box and lock up to date. Raises RecoveryOvertaken too."""
        desk, office = self._desk, self._desk.office
        change = await office.run(desk.tables.change)
        if change is not None:
            await desk.upload_as(change.key)
        await desk.learn_own()  # whoever changed it may have had no time to say so
        with suppress(RecoveryRefused, IdentityRefused, ServerAtFault):  # `status` tells what is missing
            if change is not None or await office.run(desk.box.wanted) is not None:
                calls = await desk.calls()
                await desk.box.keep(calls)
                if change is not None:
                    await desk.lock(calls).bring()
