"""Means: what every call of a relay works with, and whether a device may call at all.

Not here: the calls.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from letterlock._wire.device_snapshot import DeviceClass
from letterlock._wire.relay_error import RelayCode
from letterlock.relay._limits import CLOCK_SLACK, HEAD_SECONDS, MAX_HEADS, MAX_READS, Limits
from letterlock.relay._recent_logs import RecentLogs
from letterlock.relay._reply import Refused
from letterlock.relay._session import Session
from letterlock.relay._settings import RelaySettings
from letterlock.relay._store import Head, ListedKey, RelayStore
from letterlock.relay._verification import Run
from letterlock.user._rules import RIGHTS, Rights

NOT_THERE = 1
"""The number with UNKNOWN if the caller is known, and what it named is not there."""


class Heads:
    """Newest device lists that were read in the last seconds, so that each call need not read one. [RLY-8]"""

    __slots__ = ("_read", "_store")

    def __init__(self, store: RelayStore) -> None:
        self._store = store
        self._read: OrderedDict[bytes, tuple[int, Head]] = OrderedDict()

    async def newest(self, account: bytes, now: int) -> Head | None:
        """Read the newest list of an account."""
        head = await self._store.head(account)
        self._read.pop(account, None)
        if head is not None:
            self._read[account] = (now, head)
            if len(self._read) > MAX_HEADS:
                self._read.popitem(last=False)
        return head

    async def recent(self, account: bytes, now: int) -> Head | None:
        """Return a list that was read less than five seconds ago, or read it."""
        at, head = self._read.get(account, (0, None))
        return head if head is not None and 0 <= now - at < HEAD_SECONDS else await self.newest(account, now)

    def forget(self, account: bytes) -> None:
        """Read the list of an account next time: it has changed."""
        self._read.pop(account, None)

    def __len__(self) -> int:
        return len(self._read)


@dataclass(frozen=True, slots=True)
class Means:
    """What every call works with."""

    store: RelayStore
    settings: RelaySettings
    run: Run
    limits: Limits = field(default_factory=Limits)
    reads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_READS))
    heads: Heads = field(init=False)
    logs: RecentLogs = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "logs", RecentLogs(self.store, self.run))
        object.__setattr__(self, "heads", Heads(self.store))

    async def spend(self, account: bytes, value: bytes, until: int, now: int) -> bool:
        """Return whether a value was never spent before. It is good until a time, and remembered longer.

        Another machine, whose clock is ahead, may delete what has ended while this one still takes it.
        """
        return await self.store.spend(account, value, until + CLOCK_SLACK, now)

    async def check(self, session: Session, now: int) -> ListedKey:
        """Return the device as the newest list has it, which may have been read shortly before. [RLY-8]

        Raises Refused, UNKNOWN.
        """
        listed = session.listed(await self.heads.recent(session.account, now))
        if listed is None:
            raise Refused(RelayCode.UNKNOWN)
        return listed

    async def check_now(self, session: Session, now: int) -> tuple[Head, ListedKey]:
        """Return the newest list and the device in it, read from the store. Raises Refused, UNKNOWN.

        A call that waited passes the time after the wait: its token may have ended meanwhile.
        """
        head = await self.heads.newest(session.account, now)
        listed = session.listed(head)
        if head is None or listed is None or now >= session.until:
            raise Refused(RelayCode.UNKNOWN)
        return head, listed

    async def check_owner(self, session: Session, now: int) -> tuple[bytes, Head, ListedKey]:
        """Return the account with the newest list of the caller's user, that list, and the device. [RLY-37]

        Somebody may have registered the beginning of a user's chain under another name, in which a device is
        that was revoked since. So the account that the caller logged in to is not enough. Raises Refused,
        UNKNOWN, and REFUSED for a device of a class that has nothing to do with documents.
        """
        account, newest, listed = await self._check_user(session, now)
        if not _rights(listed).reads_documents:
            raise Refused(RelayCode.REFUSED)
        return account, newest, listed

    async def check_messenger(self, session: Session, now: int) -> tuple[Head, ListedKey]:
        """Return the newest list of the caller's user, and the device, as `check_owner`. [RLY-48]

        Raises Refused, UNKNOWN, and REFUSED for a device of a class that gets no messages.
        """
        _, newest, listed = await self._check_user(session, now)
        if not _rights(listed).gets_messages:
            raise Refused(RelayCode.REFUSED)
        return newest, listed

    async def _check_user(self, session: Session, now: int) -> tuple[bytes, Head, ListedKey]:
        head, listed = await self.check_now(session, now)
        account, newest = await self.store.user(head.user_id) or (session.account, head)
        if not listed.is_same(newest.device(session.device)):
            raise Refused(RelayCode.UNKNOWN)
        return account, newest, listed


def _rights(listed: ListedKey) -> Rights:
    return RIGHTS.get(listed.device_class, RIGHTS[DeviceClass.LIMITED])
