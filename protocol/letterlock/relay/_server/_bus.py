"""How workers tell each other that a device opened a socket, so that an older one closes wherever it is.

    frame = digest of the device (16 bytes) || when it was opened (8 bytes, IEEE 754)

Each worker has one end of a pair of sockets, and the supervisor the other: what comes from one worker goes
to all others. The clock is the machine's monotonic one, the same in all processes. Frames that a worker is
too slow to take are dropped. Then two sockets of a device live on and both get the mail, which is no loss.

Not here: which sockets there are (_sockets.py).
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_FRAME: Final = struct.Struct("!16sd")

STARTED: Final = bytes(_FRAME.size)
"""The frame by which a worker tells the supervisor that it serves. It goes to nobody else."""


class Bus:
    """A worker's end."""

    def __init__(
        self, end: socket.socket, hear: Callable[[bytes, float], None], gone: Callable[[], None]
    ) -> None:
        self._end = end
        self._hear = hear
        self._gone = gone
        end.setblocking(False)  # noqa: FBT003
        asyncio.get_running_loop().add_reader(end.fileno(), self._read)

    def tell(self, digest: bytes, opened: float) -> None:
        """Tell all other workers."""
        with suppress(OSError):  # the supervisor is busy or gone
            self._end.send(_FRAME.pack(digest, opened))

    def close(self) -> None:
        """Stop listening."""
        asyncio.get_running_loop().remove_reader(self._end.fileno())
        self._end.close()

    def _read(self) -> None:
        try:
            frame = self._end.recv(_FRAME.size)
        except BlockingIOError:
            return
        except OSError:
            frame = b""
        if len(frame) == _FRAME.size:
            self._hear(*_FRAME.unpack(frame))
        elif not frame:
            asyncio.get_running_loop().remove_reader(self._end.fileno())
            self._gone()  # a worker without a supervisor would be nobody's


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the supervisor's end and the worker's. Frames stay whole."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)  # noqa: FBT003
    return ours, theirs


def forward(source: socket.socket, ends: list[socket.socket]) -> bool:
    """Carry one frame from a worker to the others. Return whether it said that it started."""
    with suppress(OSError):  # the worker is gone, which its supervisor learns from the system
        frame = source.recv(_FRAME.size)
        if frame == STARTED:
            return True
        for end in ends:
            if frame and end is not source:
                with suppress(OSError):
                    end.send(frame)
    return False
