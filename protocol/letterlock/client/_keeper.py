"""The keeper: what time asks for, and prekeys at the relay.

    when the mailbox was emptied     upkeep, after the delay in which receipts gather; prekeys that are wanted
                                     do not wait for it
    every hour                       upkeep
    prekeys are due, or few          as many as the supply says (_supply.py), after a random time, so that not
                                     all clients call at once

A publication is in the store until the relay has confirmed it, and its number tells whether it has.

Not here: what upkeep does (user/).
"""

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import Final

from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_prekeys import PublishAnswer, PublishRequest
from letterlock.client._errors import RelayMisbehaves, RelayRefused, RelayUnavailable
from letterlock.client._office import Office
from letterlock.client._pace import woken
from letterlock.client._rows import OwnRecord
from letterlock.limits import HOUR, RECEIPT_DELAY

_ATTEMPTS: Final = 3
_MOST_AN_HOUR: Final = 6
"""Publications of one client in an hour. A relay may pretend to have lost everything again and again."""


class Keeper:
    """One client's task that looks after it."""

    __slots__ = ("_is_first", "_office", "_published")

    def __init__(self, office: Office) -> None:
        self._office = office
        self._is_first = True
        self._published: deque[float] = deque(maxlen=_MOST_AN_HOUR)

    async def step(self) -> None:
        """Do what is due, then wait."""
        office = self._office
        await office.connection.token()  # the counters are compared before anything is published
        if await office.run(office.queue.upkeep):
            office.wants_prekeys = True
        office.wake_all()
        await self.publish()
        self._is_first = False
        await woken(office.keeper_wake, office.pace.about(office.pace.upkeep))
        await self._gather()

    async def _gather(self) -> None:
        """Wait, because receipts of what comes together travel together. Publish what is wanted meanwhile."""
        office = self._office
        end = monotonic() + office.pace.about(RECEIPT_DELAY + 1)
        while (left := end - monotonic()) > 0:
            try:
                await self.publish()
            except BaseException:
                office.keeper_wake.set()  # the receipts are still to go
                raise
            await woken(office.prekeys_wake, left)

    async def publish_first(self) -> None:
        """Publish the first prekeys, so that others can write at once. A failure is mended later."""
        with suppress(RelayUnavailable, RelayMisbehaves, RelayRefused):
            await self.publish()

    async def publish(self) -> None:
        """Publish what was not confirmed, or new prekeys if they are wanted. Raises what calls raise."""
        office = self._office
        own = await office.run(office.queue.own)
        office.level = own.supply.level
        if own.publication is None and not office.wants_prekeys and own.number:
            return
        if self._is_too_soon():
            return
        if own.number and not self._is_first:
            await asyncio.sleep(office.pace.spread(office.pace.refill))
            own = await office.run(office.queue.own)
        office.wants_prekeys = False  # from now on, others are wanted
        try:
            await self._publish(own)
        except BaseException:
            office.wants_prekeys = True
            raise

    async def _publish(self, own: OwnRecord) -> None:
        office, kept = self._office, own.publication
        for _ in range(_ATTEMPTS):
            if kept is None:
                number, publication = await office.run(office.queue.publish, office.prekeys)
            else:
                number, publication, kept = own.number, kept, None
            try:
                answer = await office.call(PublishRequest(number, publication), PublishAnswer)
            except RelayRefused as refused:
                await self._refused(refused)
            else:
                await office.run(office.queue.published, number)
                office.stock = answer.stock
                office.level = (await office.run(office.queue.own)).supply.level
                self._published.append(monotonic())
                return
        raise RelayMisbehaves("takes no publication")

    def _is_too_soon(self) -> bool:
        """Return whether there were six publications in an hour, whatever they were for. [CLN-16]"""
        made = self._published
        hour = self._office.pace.scale * HOUR
        return len(made) == _MOST_AN_HOUR and monotonic() < made[0] + hour

    async def _refused(self, refused: RelayRefused) -> None:
        office = self._office
        match refused.code:
            case RelayCode.CONFLICT:
                await office.run(office.queue.renumber, refused.number)
            case RelayCode.REFUSED:  # what was kept is too old by now
                await office.run(office.queue.renumber, 0)
            case _:
                raise refused
