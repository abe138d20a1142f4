"""Ports of loopback for servers that are told where to listen, before they listen there.

A system gives any of its own ports to whoever asks for one, and to each outgoing connection: also a port that
was chosen a moment ago for a server that has not begun yet, or that is killed and begins again. So these are
others. A process takes a block of them for as long as it runs, and gives each port of the block in turn.

Not here: servers that can be asked where they listen. They take a port of the system's.
"""

import itertools
import os
import random
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

_SYSTEM: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_END: Final = 32_768
"""Where the system's own ports begin on Linux; elsewhere they begin later."""

_FIRST: Final = 10_000
_BLOCK: Final = 200


class Block:
    """Consecutive ports of which other processes take none. Whoever has bound the first one has the block."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._lock = _any_first_port()
        first = self._lock.getsockname()[1]
        self._ports = itertools.cycle(range(first + 1, first + _BLOCK))

    def port(self) -> int:
        """Return a port that nobody uses now. It comes again after all others of the block."""
        for port in itertools.islice(self._ports, _BLOCK):
            tried = _bound(port, after_others=True)
            if tried is not None:
                tried.close()
                return port
        raise AssertionError("all ports of the block are in use")

    def close(self) -> None:
        """Let another process have the block."""
        self._lock.close()


_blocks = list[Block]()
"""The block of this process, or none."""


def free_port() -> int:
    """Return a port that nobody uses now, and that no other call returns soon, in any process."""
    if _blocks and _blocks[0].owner != os.getpid():
        _blocks.pop().close()  # this is a fork, and the block its parent's
    if not _blocks:
        _blocks.append(Block())
    return _blocks[0].port()


def free_ports(count: int) -> list[int]:
    """Return different ports, each as of `free_port`."""
    return [free_port() for _ in range(count)]


def _any_first_port() -> socket.socket:
    places = range(_FIRST, _end() - _BLOCK + 1, _BLOCK)
    for place in random.sample(places, len(places)):
        lock = _bound(place)
        if lock is not None:
            return lock
    raise AssertionError("other processes have all blocks of ports")


def _end() -> int:
    """Return the first port that the system gives to whoever asks for one."""
    with suppress(OSError, ValueError):
        first = int(_SYSTEM.read_text(encoding="ascii").split()[0])
        if first > _FIRST + _BLOCK:
            return first
    return _USUAL_END


def _bound(port: int, *, after_others: bool = False) -> socket.socket | None:
    """Return a socket at this port, or None if somebody uses it.

    With `after_others`, connections of a server that has ended are nobody.
    """
    found = socket.socket()
    try:
        # Two sockets that both have this flag may be bound to one port, so it is not for locks.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, after_others)
        found.bind(("127.0.0.1", port))
    except OSError:
        found.close()
        return None
    return found
