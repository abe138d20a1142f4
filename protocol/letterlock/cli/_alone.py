"""One command at a time in a directory, where the system can keep others out.

Not here: what the commands do there.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from letterlock.errors import LetterlockError


@contextmanager
def alone_in(directory: Path, refusal: LetterlockError) -> Generator[None]:
    """Keep other commands out of a directory. Raises `refusal` if one is there; OSError."""
    try:
        fcntl: Any = import_module("fcntl")
    except ModuleNotFoundError:  # Windows
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise refusal from None
        yield
    finally:
        os.close(descriptor)
