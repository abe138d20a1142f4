"""Outbox: mails that wait to be sent. Whoever puts one in does not wait, and does not learn how it went.

So the time of an answer says nothing about an address. A full outbox takes nothing more from anybody.

Not here: what a mail says (_mail.py).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final, NamedTuple

from letterlock.recovery import CheckUnavailable

WAITING: Final = 1000
"""Mails that may wait, also to be sent again: some minutes' work of a mail server."""

SENDERS: Final = 4
"""Mails that are sent at the same time."""

SECONDS: Final = 60
"""For how long one mail may take. A server that answers a byte a minute holds nothing up."""

AGAIN: Final = (2.0, 10.0)
"""Seconds after which a mail is sent again that could not be sent."""

LOG: Final = logging.getLogger("letterlock.identity")

Mail = Callable[[], Awaitable[None]]
"""Sends one mail. Raises for a failure that may pass."""


class _Waiting(NamedTuple):
    """A mail that waits. Those that were tried less come first, then those that came first."""

    tries: int
    number: int
    mail: Mail


class Outbox:
    """Sends mails while an event loop runs. `sent` and `failed` count them.

    A mail that has to be sent again waits apart, and then behind those that were never tried: a stranger who
    asks for codes to addresses that fail holds up nobody else's. [REC-26]
    """

    def __init__(self, *, waiting: int = WAITING, again: tuple[float, ...] = AGAIN) -> None:
        self.sent = 0
        self.failed = 0
        self._left = 0
        self._most = waiting
        self._again = again
        self._numbers = count()
        self._mails = asyncio.PriorityQueue[_Waiting]()
        self._tasks = set[asyncio.Task[None]]()
        self._none_left = asyncio.Event()

    def put(self, mail: Mail) -> None:
        """Take a mail over. Raises CheckUnavailable if too many wait."""
        if self._left >= self._most:
            raise CheckUnavailable("too many mails wait to be sent: try again in a minute")
        self._left += 1
        self._none_left.clear()
        self._mails.put_nowait(_Waiting(0, next(self._numbers), mail))
        if not self._tasks:
            self._tasks = {asyncio.create_task(self._send()) for _ in range(SENDERS)}

    async def close(self, seconds: float = 10) -> None:
        """Send what waits, for so many seconds at most, and end."""
        if self._left:
            try:
                async with asyncio.timeout(seconds):
                    await self._none_left.wait()
            except TimeoutError:
                LOG.warning("%d mails were not sent before the end", self._left)
        tasks, self._tasks = self._tasks, set[asyncio.Task[None]]()
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self) -> None:
        while True:
            tries, number, mail = await self._mails.get()
            if await _is_sent(mail):
                self.sent += 1
                self._end()
            elif tries < len(self._again):
                task = asyncio.create_task(self._later(_Waiting(tries + 1, number, mail)))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self.failed += 1
                self._end()

    async def _later(self, waiting: _Waiting) -> None:
        await asyncio.sleep(self._again[waiting.tries - 1])
        self._mails.put_nowait(waiting)

    def _end(self) -> None:
        self._left -= 1
        if not self._left:
            self._none_left.set()


async def _is_sent(mail: Mail) -> bool:
    try:
        async with asyncio.timeout(SECONDS):
            await mail()
    except Exception as error:  # noqa: BLE001 - whatever happened, the next mail is sent
        # Its class alone: the text of an SMTP error holds the address.
        LOG.warning("a mail could not be sent: %s", type(error).__name__)
        return False
    return True
