"""Where the outside world enters: random bytes and the clock.

Everything above takes `Entropy` and `Clock` as arguments, so that encryption itself can have test
vectors; the public constructors in `letterlock.account` pass the two functions below.
"""

import os
import time
from collections.abc import Callable

Entropy = Callable[[int], bytes]
"""Takes a number of bytes, returns as many unpredictable ones."""

Clock = Callable[[], int]
"""Returns whole seconds since 1970-01-01 UTC."""


def system_entropy(length: int) -> bytes:
    """Return `length` bytes from the operating system's generator."""
    return os.urandom(length)


def system_clock() -> int:
    """Return the seconds since 1970-01-01 UTC."""
    return int(time.time())
