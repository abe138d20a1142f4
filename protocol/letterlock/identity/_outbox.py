"""Outbox: mails that wait to be sent. Whoever puts one in does not wait, and does not learn how it went.

So the time of an answer says nothing about an address. A full outbox takes nothing more from anybody.

Not here: what a mail says (_mail.py).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from letterlock.recovery import CheckUnavailable

WAITING: Final = 1000
"""Mails that may wait: some minutes' work of a mail server."""

SENDERS: Final = 4
"""Mails that are sent at the same time."""

SECONDS: Final = 60
"""For how long one mail may take. A server that answers a byte a minute holds nothing up."""

AGAIN: Final = (2.0, 10.0)
"""Seconds after which a mail is sent again that could not be sent."""

LOG: Final = logging.getLogger("letterlock.identity")

Mail = Callable[[], Awaitable[None]]
"""Sends one mail. Raises for a failure that may pass."""


class Outbox:
    """Sends mails one after the other, while an event loop runs. `sent` and `failed` count them."""

    def __init__(self, *, waiting: int = WAITING, again: tuple[float, ...] = AGAIN) -> None:
        self.sent = 0
        self.failed = 0
        self._left = 0
        self._again = again
        self._mails = asyncio.Queue[Mail](waiting)
        self._senders = list[asyncio.Task[None]]()

    def put(self, mail: Mail) -> None:
        """Take a mail over. Raises CheckUnavailable if too many wait."""
        try:
            self._mails.put_nowait(mail)
        except asyncio.QueueFull:
            raise CheckUnavailable("too many mails wait to be sent: try again in a minute") from None
        self._left += 1
        if not self._senders:
            self._senders = [asyncio.create_task(self._send()) for _ in range(SENDERS)]

    async def close(self, seconds: float = 10) -> None:
        """Send what waits, for so many seconds at most, and end."""
        try:
            async with asyncio.timeout(seconds):
                await self._mails.join()
        except TimeoutError:
            LOG.warning("%d mails were not sent before the end", self._left)
        senders, self._senders = self._senders, []
        for each in senders:
            each.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    async def _send(self) -> None:
        while True:
            mail = await self._mails.get()
            try:
                await self._try(mail)
                self._left -= 1
            finally:
                self._mails.task_done()

    async def _try(self, mail: Mail) -> None:
        for pause in (*self._again, None):
            try:
                async with asyncio.timeout(SECONDS):
                    await mail()
            except Exception as error:  # noqa: BLE001 - whatever happened, the next mail is sent
                # Its class alone: the text of an SMTP error holds the address.
                LOG.warning("a mail could not be sent: %s", type(error).__name__)
            else:
                self.sent += 1
                return
            if pause is not None:
                await asyncio.sleep(pause)
        self.failed += 1
