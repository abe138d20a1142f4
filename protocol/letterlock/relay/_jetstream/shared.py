"""Shared: the connection, the names, and the records that this process read or wrote last.

    read       a record, from the leader or, if it may be so old, from memory
    publish    store messages, and remember those that are records

A record from memory may have been changed by another process. It serves where the servers then refuse what
was built on it. After that it is forgotten, and read again.

Not here: what stands in records.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from math import inf
from typing import Final

from letterlock.relay._jetstream.connection import Message, Nats, Stored
from letterlock.relay._jetstream.subjects import Names
from letterlock.relay._watchers import Watchers

ANY_AGE: Final = inf
NEWEST: Final = 0.0
SHORTLY: Final = 1.0
"""Seconds for which a head from memory serves calls of devices and claims. The relay reads the head anew for
each call anyway."""

EMPTY_SECONDS: Final = 1
"""How long an empty message stands where one was deleted."""

_MOST: Final = 50_000
"""Records in memory; most have some hundred bytes."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the parts of a store have in common."""

    nats: Nats
    names: Names
    watchers: Watchers
    _records: OrderedDict[str, tuple[float, Stored]] = field(
        default_factory=OrderedDict[str, tuple[float, Stored]], repr=False
    )

    async def read(self, stream: str, subject: str, age: float) -> Stored:
        """Return a record that was current at most `age` seconds ago; sequence 0 if there is none."""
        now = asyncio.get_running_loop().time()
        known = self._records.get(subject)
        if known is not None and now - known[0] < age:
            self._records.move_to_end(subject)
            return known[1]
        stored = await self.nats.last(stream, subject) or Stored(subject, 0, b"")
        self._remember(now, stored)
        return stored

    async def publish(self, *messages: Message) -> None:
        """Store messages of one stream, all or none. Those with an `expected` of their own are records.

        Raises Refused, Unsettled and StoreError.
        """
        now = asyncio.get_running_loop().time()
        try:
            last = await self.nats.publish(*messages)
        except BaseException:
            for message in messages:
                self.forget(message.of or message.subject)
            raise
        for sequence, message in enumerate(messages, last - len(messages) + 1):
            if message.expected is not None and message.of is None:
                self._remember(now, Stored(message.subject, sequence, message.data))

    def forget(self, subject: str) -> None:
        """Read a record anew the next time."""
        self._records.pop(subject, None)

    def _remember(self, now: float, stored: Stored) -> None:
        self._records[stored.subject] = (now, stored)
        self._records.move_to_end(stored.subject)
        if len(self._records) > _MOST:
            self._records.popitem(last=False)
