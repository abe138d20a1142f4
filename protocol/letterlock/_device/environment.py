"""What an account takes from the world: the suites it allows, the time, random bytes, KEM secrets.

The defaults are chosen by the public constructors (account.py). `letterlock.hazmat` can choose others.
"""

from dataclasses import dataclass
from typing import Final

from letterlock._handshake.agreement import Encapsulate, encapsulate_afresh
from letterlock._primitives.entropy import Clock, Entropy
from letterlock._wire.suite import Suite
from letterlock.errors import UsageError

_LATEST: Final = 253_402_300_799
"""The end of the year 9999. A clock that shows more counts milliseconds, or something shorter."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Allowed suites, a clock in seconds since 1970 (UTC), and the sources of randomness."""

    suites: frozenset[Suite]
    clock: Clock
    entropy: Entropy
    encapsulate: Encapsulate = encapsulate_afresh

    def __post_init__(self) -> None:
        if type(self.suites) is not frozenset:
            raise UsageError(f"suites must be frozenset, not {type(self.suites).__name__}")
        for suite in self.suites:
            # The number 2 is not Suite.PQXDH.
            if type(suite) is not Suite:
                raise UsageError(f"a suite must be Suite, not {type(suite).__name__}")
        for name, source in (("clock", self.clock), ("entropy", self.entropy)):
            if not callable(source):
                raise UsageError(f"{name} must be a function, not {type(source).__name__}")

    def now(self) -> int:
        """Return the clock's time. Raises UsageError for one that cannot be seconds since 1970."""
        now = self.clock()
        # A wrong time would only show much later, as an expiry in the next century or a record that
        # cannot be read, so it is refused at once.
        if not is_time(now):
            raise UsageError("the clock must return whole seconds since 1970, as an int")
        return now


def is_time(value: object) -> bool:
    """Return whether a value can be seconds since 1970."""
    return type(value) is int and 0 <= value <= _LATEST
