"""How often one address may call, and which addresses are one.

A user's uses bound the guesses at one lock. These buckets bound one caller who tries many users, and the work
that anybody can cause. They are in memory, and hold for each process. [REC-24]

Not here: buckets (relay/_buckets.py); the uses of a lock (recovery/).
"""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from typing import Final

from letterlock._wire.identity_calls import Identify
from letterlock._wire.recovery_calls import EvaluateLock
from letterlock._wire.recovery_frame import RecoveryCall
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.second_lock_calls import AskForHalf, TakeHalf
from letterlock.relay._buckets import Bucket, Buckets
from letterlock.relay._limits import BUSY_SECONDS
from letterlock.relay._reply import Refused

_NETWORK: Final = 64
"""Bits of an IPv6 address that are one customer's: whoever has one address has all of them."""


_GUESSES: Final = frozenset({EvaluateLock, TakeHalf})

_AT_ONCE: Final = 16
"""Calls with device lists that an address has under way. A hospital behind one has a few in a second."""

_ASKS_AMONG: Final = 6
"""Requests for a half are so much rarer than guesses. Each may send a mail. [REC-46]"""


class AddressLimits:
    """The buckets of one process. `most` scales all of them: how many calls an address may make at once."""

    __slots__ = ("_asks", "_changes", "_codes", "_guesses", "_looks", "_under_way")

    def __init__(self, most: int) -> None:
        self._guesses = Buckets(Bucket(most, 10))
        """Evaluations, and halves. A hospital behind one address recovers some users an hour, and a
        dictionary none."""
        self._codes = Buckets(Bucket(most, 10))
        """Challenges. Each may send a mail, to anybody."""
        self._asks = Buckets(Bucket(max(1, most // _ASKS_AMONG), 3600))
        self._looks = Buckets(Bucket(4 * most, 1))
        """Calls that are answered from one row."""
        self._changes = Buckets(Bucket(2 * most, 2))
        """Calls with device lists: verifying them costs milliseconds each."""
        self._under_way = Counter[str]()

    def take(self, call: RecoveryCall, address: str, now: int) -> None:
        """Count a call of an address. Raises Refused, SLOW_DOWN."""
        key = network_of(address)
        if call.request is AskForHalf:
            self._asks.take(key, now)
        elif call.request in _GUESSES:
            self._guesses.take(key, now)
        elif call.request is Identify:
            self._codes.take(key, now)
        elif call.has_lists:
            self._changes.take(key, now)
        else:
            self._looks.take(key, now)

    @contextmanager
    def under_way(self, call: RecoveryCall, address: str) -> Generator[None]:
        """Count a call until the block ends, if it has device lists. Raises Refused, SLOW_DOWN. [REC-55]"""
        if not call.has_lists:
            yield
            return
        key = network_of(address)
        if self._under_way[key] >= _AT_ONCE:
            raise Refused(RelayCode.SLOW_DOWN, BUSY_SECONDS)
        self._under_way[key] += 1
        try:
            yield
        finally:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]  # strangers leave nothing behind


def network_of(address: str) -> str:
    """Return what stands for an address: an IPv4 address itself, of an IPv6 address the first 64 bits."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""  # a socket of this machine: all callers are one
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return found.packed[: _NETWORK // 8].hex()
