"""How many files a process may have open: as many as its connections need, if the system allows it.

Not here: how many connections there may be (cli/_relay_options.py).
"""

import logging
from contextlib import suppress
from importlib.util import find_spec
from typing import Final

from letterlock.relay._server._logs import event

_SPARE: Final = 256
"""Descriptors for the store, the logs and the addresses."""


def allow_files(connections: int) -> None:
    """Raise the limit as far as this process may. Log if that is not far enough."""
    if find_spec("resource") is None:  # Windows has no such limit
        return
    import resource  # noqa: PLC0415 - it is not everywhere

    needed = connections + _SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        event(logging.WARNING, "few files allowed", allowed=allowed, needed=needed)
