"""JetStreamRelayStore: a relay's database in NATS JetStream.

    nats://host:4222,host:4222?name=letterlock&streams=64&replicas=3
    tls://...                                                            the same, encrypted

Not here: what each call does (accounts.py, prekeys.py, mail.py, shelves.py, logs.py and their neighbours).
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from letterlock.errors import UsageError
from letterlock.relay._jetstream import (
    accounts,
    logs,
    mail,
    operations,
    places,
    prekeys,
    shelves,
    streams,
    wakes,
)
from letterlock.relay._jetstream.calls import Calls
from letterlock.relay._jetstream.connection import Nats
from letterlock.relay._jetstream.retries import settle
from letterlock.relay._jetstream.shared import Shared
from letterlock.relay._jetstream.subjects import Names
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
from letterlock.relay._watchers import SHELF, Watchers

REPLICAS: Final = 3


class JetStreamRelayStore:
    """A database in a cluster of NATS servers, which many relay processes share."""

    __slots__ = ("_calls", "_replicas", "_shared")

    def __init__(self, url: str) -> None:
        servers, settings = _read(url)
        self._replicas = int(settings.get("replicas", REPLICAS))
        names = Names(settings.get("name", "letterlock"), int(settings.get("streams", streams.STREAMS)))
        if not 1 <= names.streams <= streams.MOST_STREAMS or not 1 <= self._replicas <= 5:
            raise UsageError("a relay has 1 to 100 streams, with 1 to 5 replicas")
        watchers = Watchers()
        self._shared = Shared(Nats(servers, watchers.wake_all), names, watchers)
        self._calls = Calls()

    async def open(self) -> Self:
        """Connect, and create the streams if there are none. Raises StoreError."""
        shared = self._shared
        await shared.nats.open()
        try:
            await settle(partial(streams.prepare, shared.nats, shared.names, self._replicas))
        except BaseException:
            await shared.nats.close()
            raise
        self._calls.open()
        return self

    async def close(self) -> None:
        """Wait for the calls that run, and end the connection."""
        await self._calls.close()
        await self._shared.nats.close()

    async def secret(self, name: str, candidate: bytes) -> bytes:
        """Return the secret of this name; `candidate` becomes it if there is none yet."""
        return await self._calls.run(partial(places.secret, self._shared, name, candidate))

    # --- accounts and their lists -------------------------------------------------------------------

    async def head(self, account: bytes) -> Head | None:
        """Return the newest list's head, or None for an account that does not exist."""
        return await self._calls.run(partial(accounts.head, self._shared, account))

    async def lists(self, account: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
        """Return encoded lists after a version, in order: at most so many and so many bytes, but one."""
        return await self._calls.run(partial(accounts.lists, self._shared, account, after, most, most_bytes))

    async def create(
        self, account: bytes, lists: Sequence[bytes], head: Head, *, replace: bool
    ) -> Head | None:
        """Store an account with its lists. Return None, or the head of the account that is there."""
        call = partial(accounts.create, self._shared, account, lists, head, replace=replace)
        return await self._calls.run(call, account)

    async def append(self, account: bytes, before: Head, encoded: bytes, head: Head) -> Head | None:
        """Store the list after `before`. Return None, or the newest head if that is not `before`."""
        call = partial(accounts.append, self._shared, account, before, encoded, head)
        return await self._calls.run(call, account)

    # --- prekeys ------------------------------------------------------------------------------------

    async def publish(self, account: bytes, listed: ListedKey, page: Page, most: int) -> Published:
        """Store a page if its number is the greatest; bundles beyond `most` in stock are left out."""
        call = partial(prekeys.publish, self._shared, account, listed, page, most)
        return await self._calls.run(call, account)

    async def claim(
        self, account: bytes, devices: Sequence[int], claim: bytes, requester: bytes, now: int
    ) -> list[bytes | None]:
        """Return a bundle for each device, or None. Raises RateLimited."""
        asked = prekeys.Asked(claim, requester, now)
        return await self._calls.run(partial(prekeys.claim, self._shared, account, devices, asked), account)

    async def stock(self, account: bytes, device: int) -> Stock:
        """Return what is there for a device."""
        return await self._calls.run(partial(prekeys.stock, self._shared, account, device))

    # --- mail ---------------------------------------------------------------------------------------

    async def deliver(self, account: bytes, send: Deliver) -> Delivered:
        """Store all messages of a send, or none. A message whose id is there already is left as it is."""
        return await self._calls.run(partial(self._deliver, account, send), account)

    async def _deliver(self, account: bytes, send: Deliver) -> Delivered:
        delivered = Delivered()
        try:
            delivered = await mail.deliver(self._shared, account, send)
        finally:
            # Also without an answer: it may have been stored.
            for each in send.mail if delivered == Delivered() else ():
                await wakes.wake(self._shared, account, each.device)
        return delivered

    async def fetch(
        self, account: bytes, device: int, most: int, most_bytes: int, skip: frozenset[bytes]
    ) -> list[Mail]:
        """Return the oldest messages in the order in which they were stored, without those in `skip`."""
        return await self._calls.run(
            partial(mail.fetch, self._shared, account, device, (most, most_bytes), skip)
        )

    async def acknowledge(self, account: bytes, listed: ListedKey, ids: Sequence[bytes]) -> bool:
        """Delete messages. Return False, and delete nothing, if the device is not listed."""
        call = partial(mail.acknowledge, self._shared, account, listed, ids)
        return await self._calls.run(call, account)

    def watch(self, account: bytes, device: int) -> AbstractAsyncContextManager[WatchProtocol]:
        """Watch a mailbox: messages that any process stores while the block runs wake `Watch.wait`."""
        return wakes.watch(self._shared, account, device)

    # --- what a device showed -----------------------------------------------------------------------

    async def advance(self, account: bytes, listed: ListedKey, counter: int) -> int | None:
        """Keep the greatest counter of a device, and return the greatest before. None if it is not listed."""
        call = partial(accounts.advance, self._shared, account, listed, counter)
        return await self._calls.run(call, account)

    async def spend(self, account: bytes, value: bytes, until: int, now: int) -> bool:
        """Return whether a value was never spent before; it is remembered until a time."""
        return await self._calls.run(partial(places.spend, self._shared, account, value, until, now))

    # --- meeting places -----------------------------------------------------------------------------

    async def open_place(self, place: bytes, account: bytes, listed: ListedKey, until: int) -> Opened:
        """Open a place for an account, unless the device is not listed."""
        call = partial(places.open_place, self._shared, place, account, listed, until)
        return await self._calls.run(call, place)

    async def place_owner(self, place: bytes, now: int) -> bytes | None:
        """Return the account that opened a place, or None if it is not open."""
        return await self._calls.run(partial(places.place_owner, self._shared, place, now))

    async def put(self, place: bytes, step: int, part: int, parts: int, data: bytes, now: int) -> bool:
        """Store a part unless there is one already. Return False if the place is not open."""
        call = partial(places.put, self._shared, (place, step, part), parts, data, now)
        return await self._calls.run(call, place)

    async def get(self, place: bytes, step: int, part: int, now: int) -> tuple[int, bytes] | None:
        """Return how many parts a step has, and one of them; None if it is not there yet."""
        return await self._calls.run(partial(places.get, self._shared, (place, step, part), now))

    # --- users, shelves and logs --------------------------------------------------------------------

    async def user(self, user_id: bytes) -> tuple[bytes, Head] | None:
        """Return the account of a user id, with its head: that with the newest version."""
        return await self._calls.run(partial(logs.user, self._shared, user_id))

    async def shelve(self, puts: Sequence[Put]) -> list[bool]:
        """Store each parcel that has room, unless it is there. Return for each whether it is there."""
        stored = list[bool]()
        try:
            for put in puts:
                stored.append(await self._calls.run(partial(shelves.put, self._shared, put), put.shelf))
        finally:
            # Also without an answer: it may have been stored.
            for each in {put.shelf for put in puts[: len(stored) + 1]}:
                await wakes.wake(self._shared, each, SHELF)
        return stored

    async def shelf(self, shelf: bytes, after: int, most: int, most_bytes: int) -> ShelfPage:
        """Return parcels after a number, in order: at most so many and so many bytes, but one."""
        return await self._calls.run(partial(shelves.shelf, self._shared, shelf, after, most, most_bytes))

    async def unshelve(self, shelf: bytes, hashes: Sequence[bytes], putter: bytes | None) -> None:
        """Delete parcels by their hashes: those that `putter` put there, or of anybody if it is None."""
        await self._calls.run(partial(shelves.unshelve, self._shared, shelf, hashes, putter), shelf)

    async def shelved(self, shelf: bytes, hash_: bytes) -> int | None:
        """Return the number of a parcel, or None if it is not there."""
        return await self._calls.run(partial(shelves.shelved, self._shared, shelf, hash_))

    async def post(self, put: Put, log: bytes, before: LogHead) -> Posted:
        """Store a parcel, unless it is there, if the newest entry of a log is `before`."""
        try:
            return await self._calls.run(partial(shelves.post, self._shared, put, log, before), put.shelf)
        finally:
            await wakes.wake(self._shared, put.shelf, SHELF)  # also without an answer: it may be stored

    async def log_head(self, log: bytes) -> LogHead | None:
        """Return the newest entry of a log, or None if there is no such log."""
        return await self._calls.run(partial(logs.head, self._shared, log))

    async def log_entries(self, log: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
        """Return entries after a number, in order: at most so many and so many bytes, but one."""
        return await self._calls.run(partial(logs.entries, self._shared, log, after, most, most_bytes))

    async def log_append(self, log: bytes, before: LogHead | None, entry: bytes, head: LogHead) -> bool:
        """Store the entry after `before`, or the first one. Return False if the newest is another one."""
        call = partial(logs.append, self._shared, log, before, entry, head)
        return await self._calls.run(call, log)

    # --- operations ---------------------------------------------------------------------------------

    async def expire(self, now: int, mail_before: int) -> Expired:
        """Delete mail stored before a time, and what `until` ended; a bounded number at a time."""
        return await self._calls.run(partial(operations.expire, self._shared, now, mail_before))

    async def counts(self) -> Counts:
        """Return how much there is, about."""
        return await self._calls.run(partial(operations.counts, self._shared))

    async def check(self) -> list[str]:
        """Return what contradicts itself in the database, each as a sentence without identities."""
        return await self._calls.run(partial(operations.check, self._shared))


def _read(url: str) -> tuple[list[str], dict[str, str]]:
    """Return the servers and the settings in a URL."""
    parts = urlsplit(url)
    if parts.scheme not in {"nats", "tls"} or not parts.netloc:
        raise UsageError("the URL of the servers is nats://host:4222,host:4222")
    user, at, hosts = parts.netloc.rpartition("@")
    servers = [f"{parts.scheme}://{user}{at}{host}" for host in hosts.split(",")]
    settings = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if not settings.keys() <= {"name", "streams", "replicas"} or not all(
        value.isalnum() for value in settings.values()
    ):
        raise UsageError("settings in the URL are name=letterlock, streams=64 and replicas=3")
    return servers, settings
