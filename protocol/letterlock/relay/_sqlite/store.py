"""SqliteRelayStore: a relay's database in one file.

    write    one thread and connection, `BEGIN IMMEDIATE`: calls that wait share a transaction and its sync
    read     another one, on a snapshot of what was committed

Several processes may have the file open. A transaction waits for those of the others.

Not here: the tables (schema.py) and what is done with them (accounts.py, prekeys.py, mail.py, places.py,
operations.py), threads (lane.py).
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from letterlock.errors import UsageError
from letterlock.relay._sqlite import (
    accounts,
    consistency,
    database,
    devices,
    logs,
    mail,
    operations,
    places,
    prekeys,
    shelves,
)
from letterlock.relay._sqlite.lane import Lane
from letterlock.relay._sqlite.watching import Seen, Watching, newer
from letterlock.relay._store import (
    Counts,
    Deliver,
    Delivered,
    Expired,
    Head,
    ListedKey,
    LogHead,
    Mail,
    Opened,
    Page,
    Posted,
    Published,
    Put,
    ShelfPage,
    Stock,
    Watch,
)
from letterlock.relay._watchers import SHELF, Mailbox

T = TypeVar("T")


class SqliteRelayStore:
    """A relay's database in the file `path`, which is created if it is not there. See RelayStore."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._writer: Lane | None = None
        self._reader: Lane | None = None
        self._watching = Watching(self._newer)

    async def open(self) -> Self:
        """Open the file, and create it if it is not there. Raises StoreError, UsageError."""
        if self._writer is not None:
            raise UsageError("the relay's store is open already")
        await asyncio.to_thread(database.prepare, self._path)
        writer, reader = database.connect(self._path), database.connect(self._path)
        self._writer, self._reader = Lane(writer, "BEGIN IMMEDIATE"), Lane(reader, "BEGIN")
        return self

    async def close(self) -> None:
        """End the connections after the calls that run. A second time changes nothing."""
        await self._watching.close()
        lanes, self._writer, self._reader = (self._writer, self._reader), None, None
        for lane in lanes:
            if lane is not None:
                await lane.close()

    async def migrate(self) -> int:
        """Bring the file's tables to this release, whoever has it open. Return how many steps that took.

        Raises StoreError. A file that is new needs no migration.
        """
        return await asyncio.to_thread(database.migrate, self._path)

    async def backup(self, target: str | os.PathLike[str]) -> None:
        """Copy the file to a new one, while it is in use. Raises UsageError, StoreError."""
        await asyncio.to_thread(operations.back_up, self._path, Path(target))

    @property
    def path(self) -> Path:
        """Where the file is, or will be."""
        return self._path

    @property
    def _write(self) -> Lane:
        return _open(self._writer)

    @property
    def _read(self) -> Lane:
        return _open(self._reader)

    async def secret(self, name: str, candidate: bytes) -> bytes:
        """See RelayStore."""
        return await self._write.call(partial(places.secret, name=name, candidate=candidate))

    # --- accounts and their lists -------------------------------------------------------------------

    async def head(self, account: bytes) -> Head | None:
        """See RelayStore."""
        found = await self._read.call(lambda connection: devices.find(connection, account))
        return None if found is None else found.head

    async def lists(self, account: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
        """See RelayStore."""
        return await self._read.call(lambda c: accounts.lists(c, account, after, most, most_bytes))

    async def create(
        self, account: bytes, lists: Sequence[bytes], head: Head, *, replace: bool
    ) -> Head | None:
        """See RelayStore."""
        return await self._write.call(lambda c: accounts.create(c, account, lists, head, replace=replace))

    async def append(self, account: bytes, before: Head, encoded: bytes, head: Head) -> Head | None:
        """See RelayStore."""
        return await self._write.call(lambda c: accounts.append(c, account, before, encoded, head))

    # --- prekeys ------------------------------------------------------------------------------------

    async def publish(self, account: bytes, listed: ListedKey, page: Page, most: int) -> Published:
        """See RelayStore."""
        return await self._write.call(lambda c: prekeys.publish(c, account, listed, page, most))

    async def claim(
        self, account: bytes, devices: Sequence[int], claim: bytes, requester: bytes, now: int
    ) -> list[bytes | None]:
        """See RelayStore."""
        asked = prekeys.Asked(claim, requester, now)
        return await self._write.call(lambda c: prekeys.claim(c, account, devices, asked))

    async def stock(self, account: bytes, device: int) -> Stock:
        """See RelayStore."""
        return await self._read.call(lambda c: prekeys.stock(c, account, device))

    # --- mail ---------------------------------------------------------------------------------------

    async def deliver(self, account: bytes, send: Deliver) -> Delivered:
        """See RelayStore."""

        def wake(delivered: Delivered) -> None:
            if delivered == Delivered():
                self._watching.wake((account, each.device) for each in send.mail)

        return await self._write.call(lambda c: mail.deliver(c, account, send), wake)

    async def fetch(
        self, account: bytes, device: int, most: int, most_bytes: int, skip: frozenset[bytes]
    ) -> list[Mail]:
        """See RelayStore."""
        return await self._read.call(lambda c: mail.fetch(c, account, device, (most, most_bytes), skip))

    async def acknowledge(self, account: bytes, listed: ListedKey, ids: Sequence[bytes]) -> bool:
        """See RelayStore."""
        return await self._write.call(lambda c: mail.acknowledge(c, account, listed, ids))

    def watch(self, account: bytes, device: int) -> AbstractAsyncContextManager[Watch]:
        """See RelayStore."""
        return self._watching.watch((account, device))

    async def _newer(self, after: Seen | None) -> tuple[Seen, list[Mailbox]]:
        return await self._read.call(lambda c: newer(c, after))

    # --- what a device showed, and meeting places ---------------------------------------------------

    async def advance(self, account: bytes, listed: ListedKey, counter: int) -> int | None:
        """See RelayStore."""
        return await self._write.call(lambda c: accounts.advance(c, account, listed, counter))

    async def spend(self, account: bytes, value: bytes, until: int, now: int) -> bool:  # noqa: ARG002
        """See RelayStore. What is over counts as spent until `expire` deletes it."""
        return await self._write.call(lambda c: places.spend(c, account, value, until))

    async def open_place(self, place: bytes, account: bytes, listed: ListedKey, until: int) -> Opened:
        """See RelayStore."""
        return await self._write.call(lambda c: places.open_place(c, place, account, listed, until))

    async def place_owner(self, place: bytes, now: int) -> bytes | None:
        """See RelayStore."""
        return await self._read.call(lambda c: places.place_owner(c, place, now))

    async def put(self, place: bytes, step: int, part: int, parts: int, data: bytes, now: int) -> bool:
        """See RelayStore."""
        return await self._write.call(lambda c: places.put(c, (place, step, part), parts, data, now))

    async def get(self, place: bytes, step: int, part: int, now: int) -> tuple[int, bytes] | None:
        """See RelayStore."""
        return await self._read.call(lambda c: places.get(c, (place, step, part), now))

    # --- users, shelves and logs --------------------------------------------------------------------

    async def user(self, user_id: bytes) -> tuple[bytes, Head] | None:
        """See RelayStore."""
        return await self._read.call(lambda c: logs.user(c, user_id))

    async def shelve(self, puts: Sequence[Put]) -> list[bool]:
        """See RelayStore."""

        def wake(stored: list[bool]) -> None:
            its = {put.shelf for put, is_there in zip(puts, stored, strict=True) if is_there}
            self._watching.wake((each, SHELF) for each in its)

        return await self._write.call(lambda c: shelves.shelve(c, puts), wake)

    async def shelf(self, shelf: bytes, after: int, most: int, most_bytes: int) -> ShelfPage:
        """See RelayStore."""
        return await self._read.call(lambda c: shelves.shelf(c, shelf, after, most, most_bytes))

    async def unshelve(self, shelf: bytes, hashes: Sequence[bytes], putter: bytes | None) -> None:
        """See RelayStore."""
        await self._write.call(lambda c: shelves.unshelve(c, shelf, hashes, putter))

    async def shelved(self, shelf: bytes, hash_: bytes) -> int | None:
        """See RelayStore."""
        return await self._read.call(lambda c: shelves.shelved(c, shelf, hash_))

    async def post(self, put: Put, log: bytes, before: LogHead) -> Posted:
        """See RelayStore."""

        def wake(posted: Posted) -> None:
            if posted.number is not None:
                self._watching.wake(((put.shelf, SHELF),))

        return await self._write.call(lambda c: shelves.post(c, put, log, before), wake)

    async def log_head(self, log: bytes) -> LogHead | None:
        """See RelayStore."""
        return await self._read.call(lambda c: logs.head(c, log))

    async def log_entries(self, log: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
        """See RelayStore."""
        return await self._read.call(lambda c: logs.entries(c, log, after, most, most_bytes))

    async def log_append(self, log: bytes, before: LogHead | None, entry: bytes, head: LogHead) -> bool:
        """See RelayStore."""
        return await self._write.call(lambda c: logs.append(c, log, before, entry, head))

    # --- operations ---------------------------------------------------------------------------------

    async def expire(self, now: int, mail_before: int) -> Expired:
        """See RelayStore."""
        return await self._write.call(lambda c: operations.expire(c, now, mail_before))

    async def counts(self) -> Counts:
        """See RelayStore."""
        return await self._aside(operations.counts)

    async def check(self) -> list[str]:
        """See RelayStore."""
        return await self._aside(consistency.check)

    async def _aside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Read in a thread of its own, because it takes long."""
        _open(self._reader)
        return await asyncio.to_thread(database.read, self._path, work)


def _open(lane: Lane | None) -> Lane:
    if lane is None:
        raise UsageError("the relay's store is not open: await its `open` first")
    return lane
