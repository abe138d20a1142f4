"""Wakes: how a process tells the others that mail was stored, by LISTEN and NOTIFY.

    wake          wakes the watchers of this process at once, and the others within a second
    payload       8 hexadecimal digits of the process, then 16 for the account of each mailbox

A commit that notifies takes a lock of the whole database. So each process notifies once a second at most, for
all mailboxes of that second. Whoever cannot listen for a while wakes all its watchers afterwards.

Not here: the watchers (relay/_watchers.py).
"""

import asyncio
from contextlib import suppress
from secrets import token_hex
from typing import Final

from letterlock.errors import StoreError
from letterlock.relay._postgresql.driver import Connection, connect, errors_as_ours
from letterlock.relay._watchers import Watchers

_CHANNEL: Final = "letterlock_mail"
_SECONDS: Final = 1.0
_ASK_SECONDS: Final = 20.0
"""After so long without news the connection is asked whether it is still there."""
_ANSWER_SECONDS: Final = 5.0

_ACCOUNT_DIGITS: Final = 16
_MOST_ACCOUNTS: Final = 400
"""Accounts in one payload, which PostgreSQL limits to 8,000 bytes."""


class Wakes:
    """Wakes watchers here and in the other processes on one database, by a connection of its own."""

    __slots__ = ("_connection", "_due", "_me", "_news", "_task", "_url", "watchers")

    def __init__(self, url: str) -> None:
        self.watchers = Watchers()
        self._url = url
        self._me = token_hex(4)
        self._due: set[bytes] = set()
        self._news = asyncio.Event()
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen and to tell. Raises StoreError."""
        self._connection = await self._listening()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Tell what is left to tell, and end the connection."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._connection is not None:
            with suppress(StoreError):
                await self._tell(self._connection)
            await self._end()

    def wake(self, account: bytes, device: int) -> None:
        """Wake the watchers of one mailbox."""
        self.watchers.wake(account, device)
        self._due.add(account[: _ACCOUNT_DIGITS // 2])
        self._news.set()

    async def _run(self) -> None:
        """Keep a connection. After it broke, take another one and wake all watchers."""
        while True:
            with suppress(StoreError):
                if self._connection is None:
                    self._connection = await self._listening()
                    self.watchers.wake_all()
                while True:
                    await self._wait_for_news()
                    await self._tell(self._connection)
                    await asyncio.sleep(_SECONDS)
            await self._end()
            await asyncio.sleep(_SECONDS)

    async def _listening(self) -> Connection:
        connection = await connect(self._url)
        async with errors_as_ours():
            connection.add_termination_listener(self._ended)
            await connection.add_listener(_CHANNEL, lambda *heard: self._heard(heard[-1]))
        return connection

    def _ended(self, *_: object) -> None:
        self._news.set()

    async def _wait_for_news(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_ASK_SECONDS):
                await self._news.wait()
        self._news.clear()

    async def _tell(self, connection: Connection) -> None:
        """Notify the others of all mailboxes that were woken since the last time. Raises StoreError."""
        due = [each.hex() for each in self._due]
        payloads = [
            self._me + "".join(due[first : first + _MOST_ACCOUNTS])
            for first in range(0, len(due), _MOST_ACCOUNTS)
        ]
        async with errors_as_ours(), asyncio.timeout(_ANSWER_SECONDS):
            # Without payloads this only asks whether the connection is still there.
            await connection.execute("SELECT pg_notify($1, unnest($2::text[]))", _CHANNEL, payloads)
        self._due.difference_update(bytes.fromhex(each) for each in due)

    async def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(StoreError):
                async with errors_as_ours():
                    await connection.close(timeout=1.0)

    def _heard(self, payload: str) -> None:
        if payload.startswith(self._me):
            return
        accounts = bytes.fromhex(payload[len(self._me) :])
        size = _ACCOUNT_DIGITS // 2
        named = {accounts[first : first + size] for first in range(0, len(accounts), size)}
        self.watchers.wake_where(lambda account: account[:size] in named)
