"""Token buckets: so many at once, and one back every so many seconds.

    full at     when a bucket will be full again; one number tells all about it

Not here: buckets that a store keeps with the claims of a device (_claims.py).
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, NamedTuple

from letterlock._wire.relay_error import RelayCode
from letterlock.relay._reply import Refused

MAX_KEYS: Final = 50_000
"""Buckets of one kind in memory, some megabytes. Beyond that the one that was used least lately is forgotten,
as if it were full: a flood of strangers must not keep others out. [RLY-31]"""


_SLACK: Final = 60
"""Seconds by which the clocks of a relay's machines may differ."""


class Bucket(NamedTuple):
    """A token bucket: `size` at once, and one back every `interval` seconds."""

    size: int
    interval: int

    def take(self, full_at: int, now: int) -> int | None:
        """Return when the bucket will be full again after one more is taken; None if it is empty.

        `full_at` is when it would be full again without that.
        """
        full_at = max(self.settled(full_at, now), now) + self.interval
        return full_at if full_at <= now + self.size * self.interval else None

    def settled(self, full_at: int, now: int) -> int:
        """Return when the bucket will be full again, as if no clock had ever been far ahead. [RLY-34]

        What lies further ahead than an empty bucket was noted by such a clock: it counts as full. Taken for
        empty, it would refuse everything until the clock has come there.
        """
        latest = now + self.size * self.interval
        return min(full_at, latest) if full_at <= latest + _SLACK else now

    def seconds(self, full_at: int, now: int) -> int:
        """Return after how many seconds an empty bucket has one again."""
        return max(1, min(full_at - now, self.size * self.interval) - (self.size - 1) * self.interval)


class Buckets:
    """One bucket for each key, in memory: at most 50,000 of them."""

    __slots__ = ("_full_at", "_most", "bucket")

    def __init__(self, bucket: Bucket, most: int = MAX_KEYS) -> None:
        self.bucket = bucket
        self._most = most
        self._full_at: OrderedDict[Hashable, int] = OrderedDict()

    def take(self, key: Hashable, now: int) -> None:
        """Take one from the bucket of a key. Raises Refused, SLOW_DOWN, if it is empty."""
        before = self._full_at.get(key, now)
        full_at = self.bucket.take(before, now)
        if full_at is None:
            raise Refused(RelayCode.SLOW_DOWN, self.bucket.seconds(before, now))
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)

    def __len__(self) -> int:
        return len(self._full_at)


class Seen:
    """Keys that were seen lately, at most so many."""

    __slots__ = ("_keys", "_most")

    def __init__(self, most: int = MAX_KEYS) -> None:
        self._most = most
        self._keys: OrderedDict[Hashable, None] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._keys

    def add(self, key: Hashable) -> None:
        """Remember a key, and forget the one that was seen least lately if there are too many."""
        self._keys[key] = None
        self._keys.move_to_end(key)
        if len(self._keys) > self._most:
            self._keys.popitem(last=False)

    def __len__(self) -> int:
        return len(self._keys)
