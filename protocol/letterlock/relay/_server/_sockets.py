"""The open sockets of this worker: at most one a device, and all of them end when the relay is drained.

A device that opens a second socket loses the first one, wherever that is: workers tell each other.

Not here: what travels in a socket (_socket.py); how workers are connected (_bus.py).
"""

import asyncio
from collections.abc import Callable
from hashlib import sha256

Owner = tuple[bytes, int, int, bytes]
"""The account key, 16 bytes; the device; the version that added it; and 8 bytes of the user id.

All that a token names, so that one of an earlier device or user closes no socket of the present one.
"""


class Place:
    """One socket's place among the others. `ended` is set when the socket must close, and `code` says why."""

    __slots__ = ("code", "ended", "opened", "owner")

    def __init__(self, owner: Owner, opened: float) -> None:
        self.owner = owner
        self.opened = opened
        self.ended = asyncio.Event()
        self.code = 1000

    def end(self, code: int) -> None:
        """Close the socket with this code, unless it closes already."""
        if not self.ended.is_set():
            self.code = code
            self.ended.set()


class Sockets:
    """All sockets of this worker: `most` at once; `displaced` is the code with which one closes for a newer.

    `tell` tells the other workers of a device's digest and of when its socket opened.
    """

    def __init__(self, most: int, displaced: int) -> None:
        self._most = most
        self._displaced = displaced
        self._open: dict[bytes, Place] = {}
        self._draining = False
        self.tell: Callable[[bytes, float], None] = lambda _digest, _opened: None

    @property
    def full(self) -> bool:
        """Whether no socket can be opened."""
        return self._draining or len(self._open) >= self._most

    def enter(self, owner: Owner) -> Place:
        """Take a place for a new socket. An older one of the device closes."""
        place = Place(owner, asyncio.get_running_loop().time())
        digest = digest_of(owner)
        self.hear(digest, place.opened)
        self._open[digest] = place
        self.tell(digest, place.opened)
        return place

    def leave(self, place: Place) -> None:
        """Give a place up."""
        digest = digest_of(place.owner)
        if self._open.get(digest) is place:
            del self._open[digest]

    def hear(self, digest: bytes, opened: float) -> None:
        """Learn that a device opened a socket: close the one that is here, if it is older."""
        place = self._open.get(digest)
        if place is not None and place.opened <= opened:
            del self._open[digest]
            place.end(self._displaced)

    def drain(self, code: int) -> None:
        """Close all sockets; there will be no more."""
        self._draining = True
        for place in self._open.values():
            place.end(code)


def digest_of(owner: Owner) -> bytes:
    """Return the 16 bytes by which workers name a device to each other."""
    account, device, added, user = owner
    return sha256(account + device.to_bytes(8, "big") + added.to_bytes(8, "big") + user).digest()[:16]
