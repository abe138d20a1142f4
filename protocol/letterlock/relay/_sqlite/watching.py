"""Watching: waking those who wait for mail, at once or, if another process stored it, within a second.

    a send of this process     wakes the watches of its devices when it was committed
    a send of another process  is found by the growth of `mail.seq`, which is read once a second

Shelves are watched like mailboxes, by `parcel.seq`.

Not here: the watches themselves (relay/_watchers.py), reading the mail (mail.py).
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

from letterlock.errors import StoreError
from letterlock.relay._watchers import SHELF, Mailbox, Watcher, Watchers

Seen = tuple[int, int]
"""The numbers of the newest message and of the newest parcel."""

POLL_SECONDS: Final = 1.0
"""How long a message that another process stored waits at most for the device that it should wake."""


class Watching:
    """The watches of one process. `newer` is the function of this module, in a transaction of its own."""

    __slots__ = ("_newer", "_open", "_polling", "_seen", "_watchers")

    def __init__(self, newer: Callable[[Seen | None], Awaitable[tuple[Seen, list[Mailbox]]]]) -> None:
        self._newer = newer
        self._open = 0
        self._seen: Seen | None = None
        self._watchers = Watchers()
        self._polling: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, mailbox: Mailbox) -> AsyncGenerator[Watcher]:
        """Watch a mailbox while the block runs."""
        if self._polling is None:
            # Read the number first: what another process stores from here on is found by the polling.
            seen, _ = await self._newer(None)
            if self._polling is None:  # another watch may have begun it meanwhile
                self._seen = seen
                self._polling = asyncio.create_task(self._poll())
        self._open += 1
        try:
            async with self._watchers.watch(*mailbox) as watcher:
                yield watcher
        finally:
            self._open -= 1

    def wake(self, mailboxes: Iterable[Mailbox]) -> None:
        """Wake the watches of mailboxes that have new mail."""
        for account, device in mailboxes:
            self._watchers.wake(account, device)

    async def close(self) -> None:
        """End the polling."""
        polling, self._polling = self._polling, None
        if polling is not None:
            polling.cancel()
            with suppress(asyncio.CancelledError):
                await polling

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if not self._open:
                continue
            with suppress(StoreError):  # tried again in a second
                self._seen, mailboxes = await self._newer(self._seen)
                self.wake(mailboxes)


def newer(connection: sqlite3.Connection, after: Seen | None) -> tuple[Seen, list[Mailbox]]:
    """Return the newest numbers, and which mailboxes and shelves got something after earlier ones."""
    numbers = dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    newest = int(numbers.get("mail", 0)), int(numbers.get("parcel", 0))
    if after is None or newest == after:
        return newest, []
    mailboxes = connection.execute(
        "SELECT DISTINCT a.account, d.device FROM mail m JOIN device d ON d.id = m.device"
        " JOIN account a ON a.id = d.account WHERE m.seq > ?",
        after[:1],
    ).fetchall()
    shelves = connection.execute("SELECT DISTINCT shelf, ? FROM parcel WHERE seq > ?", (SHELF, after[1]))
    return newest, mailboxes + shelves.fetchall()
