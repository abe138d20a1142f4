"""PostgresqlRelayStore: a relay's database in PostgreSQL.

Not here: what each call does (accounts.py, prekeys.py, mail.py, shelves.py, logs.py and their neighbours).
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Self

from letterlock.relay._postgresql import (
    accounts,
    logs,
    mail,
    operations,
    places,
    prekeys,
    schema,
    shelves,
)
from letterlock.relay._postgresql.driver import Database
from letterlock.relay._postgresql.wakes import Wakes
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
)
from letterlock.relay._store import Watch as WatchProtocol
from letterlock.relay._watchers import SHELF

CONNECTIONS: Final = 8
"""Connections of one relay process. PostgreSQL works on few calls at a time, and the others wait here."""


class PostgresqlRelayStore:
    """A database that several relay processes share. `url` is `postgresql://user@host/database`."""

    __slots__ = ("_database", "_wakes")

    def __init__(self, url: str, *, connections: int = CONNECTIONS) -> None:
        self._database = Database(url, connections)
        self._wakes = Wakes(self._database.url)

    async def open(self) -> Self:
        """Create the tables if there are none, and connect. Raises StoreError."""
        await schema.prepare(self._database.url)
        await self._database.open()
        try:
            await self._wakes.start()
        except BaseException:
            await self._database.close()
            raise
        return self

    async def close(self) -> None:
        """Wait for the calls that run, and end all connections."""
        await self._database.close()
        await self._wakes.close()

    async def migrate(self) -> int:
        """Bring the tables to this release, whoever uses them. Return how many steps that took.

        Raises StoreError.
        """
        return await schema.migrate(self._database.url)

    async def secret(self, name: str, candidate: bytes) -> bytes:
        """Return the secret of this name; `candidate` becomes it if there is none yet."""
        return await places.secret(self._database, name, candidate)

    # --- accounts and their lists -------------------------------------------------------------------

    async def head(self, account: bytes) -> Head | None:
        """Return the newest list's head, or None for an account that does not exist."""
        async with self._database.connection() as connection:
            return await accounts.head(connection, account)

    async def lists(self, account: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
        """Return encoded lists after a version, in order: at most so many and so many bytes, but one."""
        return await accounts.lists(self._database, account, after, most, most_bytes)

    async def create(
        self, account: bytes, lists: Sequence[bytes], head: Head, *, replace: bool
    ) -> Head | None:
        """Store an account with its lists. Return None, or the head of the account that is there."""
        return await accounts.create(self._database, account, lists, head, replace=replace)

    async def append(self, account: bytes, before: Head, encoded: bytes, head: Head) -> Head | None:
        """Store the list after `before`. Return None, or the newest head if that is not `before`."""
        return await accounts.append(self._database, account, before, encoded, head)

    # --- prekeys ------------------------------------------------------------------------------------

    async def publish(self, account: bytes, listed: ListedKey, page: Page, most: int) -> Published:
        """Store a page if its number is the greatest; bundles beyond `most` in stock are left out."""
        return await prekeys.publish(self._database, account, listed, page, most)

    async def claim(
        self, account: bytes, devices: Sequence[int], claim: bytes, requester: bytes, now: int
    ) -> list[bytes | None]:
        """Return a bundle for each device, or None. Raises RateLimited."""
        asked = prekeys.Asked(claim, requester, now)
        return await prekeys.claim(self._database, account, devices, asked)

    async def stock(self, account: bytes, device: int) -> Stock:
        """Return what is there for a device."""
        return await prekeys.stock(self._database, account, device)

    # --- mail ---------------------------------------------------------------------------------------

    async def deliver(self, account: bytes, send: Deliver) -> Delivered:
        """Store all messages of a send, or none. A message whose id is there already is left as it is."""
        delivered = Delivered()
        try:
            delivered = await mail.deliver(self._database, account, send)
        finally:
            # Also without an answer: it may have been stored.
            for each in send.mail if delivered == Delivered() else ():
                self._wakes.wake(account, each.device)
        return delivered

    async def fetch(
        self, account: bytes, device: int, most: int, most_bytes: int, skip: frozenset[bytes]
    ) -> list[Mail]:
        """Return the oldest messages in the order in which they were stored, without those in `skip`."""
        return await mail.fetch(self._database, account, device, (most, most_bytes), skip)

    async def acknowledge(self, account: bytes, listed: ListedKey, ids: Sequence[bytes]) -> bool:
        """Delete messages. Return False, and delete nothing, if the device is not listed."""
        return await mail.acknowledge(self._database, account, listed, ids)

    def watch(self, account: bytes, device: int) -> AbstractAsyncContextManager[WatchProtocol]:
        """Watch a mailbox: messages that any process stores while the block runs wake `Watch.wait`."""
        return self._wakes.watchers.watch(account, device)

    # --- what a device showed -----------------------------------------------------------------------

    async def advance(self, account: bytes, listed: ListedKey, counter: int) -> int | None:
        """Keep the greatest counter of a device, and return the greatest before. None if it is not listed."""
        return await accounts.advance(self._database, account, listed, counter)

    async def spend(self, account: bytes, value: bytes, until: int, now: int) -> bool:  # noqa: ARG002
        """Return whether a value was never spent before; it is remembered until a time."""
        return await places.spend(self._database, account, value, until)

    # --- meeting places -----------------------------------------------------------------------------

    async def open_place(self, place: bytes, account: bytes, listed: ListedKey, until: int) -> Opened:
        """Open a place for an account, unless the device is not listed."""
        return await places.open_place(self._database, place, account, listed, until)

    async def place_owner(self, place: bytes, now: int) -> bytes | None:
        """Return the account that opened a place, or None if it is not open."""
        return await places.place_owner(self._database, place, now)

    async def put(self, place: bytes, step: int, part: int, parts: int, data: bytes, now: int) -> bool:
        """Store a part unless there is one already. Return False if the place is not open."""
        return await places.put(self._database, (place, step, part), parts, data, now)

    async def get(self, place: bytes, step: int, part: int, now: int) -> tuple[int, bytes] | None:
        """Return how many parts a step has, and one of them; None if it is not there yet."""
        return await places.get(self._database, (place, step, part), now)

    # --- users, shelves and logs --------------------------------------------------------------------

    async def user(self, user_id: bytes) -> tuple[bytes, Head] | None:
        """Return the account of a user id, with its head: that with the newest version."""
        async with self._database.connection() as connection:
            return await logs.user(connection, user_id)

    async def shelve(self, puts: Sequence[Put]) -> list[bool]:
        """Store each parcel that has room, unless it is there. Return for each whether it is there."""
        try:
            return await shelves.shelve(self._database, puts)
        finally:
            # Also without an answer: it may have been stored.
            for each in {put.shelf for put in puts}:
                self._wakes.wake(each, SHELF)

    async def shelf(self, shelf: bytes, after: int, most: int, most_bytes: int) -> ShelfPage:
        """Return parcels after a number, in order: at most so many and so many bytes, but one."""
        return await shelves.shelf(self._database, shelf, after, most, most_bytes)

    async def unshelve(self, shelf: bytes, hashes: Sequence[bytes], putter: bytes | None) -> None:
        """Delete parcels by their hashes: those that `putter` put there, or of anybody if it is None."""
        await shelves.unshelve(self._database, shelf, hashes, putter)

    async def shelved(self, shelf: bytes, hash_: bytes) -> int | None:
        """Return the number of a parcel, or None if it is not there."""
        return await shelves.shelved(self._database, shelf, hash_)

    async def post(self, put: Put, log: bytes, before: LogHead) -> Posted:
        """Store a parcel, unless it is there, if the newest entry of a log is `before`."""
        try:
            return await shelves.post(self._database, put, log, before)
        finally:
            self._wakes.wake(put.shelf, SHELF)  # also without an answer: it may have been stored

    async def log_head(self, log: bytes) -> LogHead | None:
        """Return the newest entry of a log, or None if there is no such log."""
        return await logs.head(self._database, log)

    async def log_entries(self, log: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
        """Return entries after a number, in order: at most so many and so many bytes, but one."""
        return await logs.entries(self._database, log, after, most, most_bytes)

    async def log_append(self, log: bytes, before: LogHead | None, entry: bytes, head: LogHead) -> bool:
        """Store the entry after `before`, or the first one. Return False if the newest is another one."""
        return await logs.append(self._database, log, before, entry, head)

    # --- operations ---------------------------------------------------------------------------------

    async def expire(self, now: int, mail_before: int) -> Expired:
        """Delete mail stored before a time, and what `until` ended; a bounded number of rows at a time."""
        return await operations.expire(self._database, now, mail_before)

    async def counts(self) -> Counts:
        """Return how much there is, about."""
        return await operations.counts(self._database)

    async def check(self) -> list[str]:
        """Return what contradicts itself in the database, each as a sentence without identities."""
        return await operations.check(self._database)
