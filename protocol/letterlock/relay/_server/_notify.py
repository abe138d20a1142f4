"""Telling systemd that the relay is ready or stops, as sd_notify(3) says.

Not here: when that is (_supervisor.py, _worker.py).
"""

import os
import socket
from contextlib import suppress
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"

_VARIABLE: Final = "NOTIFY_SOCKET"


def notify(state: str) -> None:
    """Send a state to the service manager, if it asked for it."""
    path = os.environ.get(_VARIABLE, "")
    if not path.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.connect(path.replace("@", "\0", 1) if path.startswith("@") else path)
        connection.sendall(state.encode())
