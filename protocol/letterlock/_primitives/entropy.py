"""Random bytes and the time: the two things that the core takes from the outside world.

The rest of the core takes `Entropy` and `Clock` as arguments, so that encryption itself can have test
vectors. The public constructors in `letterlock.account` pass the two functions below by default.
"""

import os
import time
from collections.abc import Callable

Entropy = Callable[[int], bytes]
"""Takes a length, and returns that many unpredictable bytes."""

Clock = Callable[[], int]
"""Returns the time in whole seconds since 1970-01-01 UTC."""


def system_entropy(length: int) -> bytes:
    """Return `length` bytes from the operating system's generator."""
    return os.urandom(length)


def system_clock() -> int:
    """Return the time in whole seconds since 1970-01-01 UTC."""
    return int(time.time())
