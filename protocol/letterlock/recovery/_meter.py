"""The count of uses: how many are left, and when the next one is possible.

    spend       one use less, or None if none is possible now                                        [REC-9]
    refilled    all uses, after a success

A pause follows each use, a day has a limit, and a lock without uses rests. It is never destroyed: whoever
wanted to harm a user would only have to guess wrongly. A count that nobody touches for as long as resting
would take to give all uses back is full again, so the count of a user whom nobody knows need not be kept for
ever.                                                                                               [REC-50]

Not here: the transaction in which a use is counted before it is answered (_server.py).
"""

from dataclasses import replace
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._records.recovery import Meter
from letterlock._wire import recovery_limits as limits
from letterlock._wire.recovery_calls import LockStanding
from letterlock.errors import UsageError
from letterlock.limits import DAY

_LONGEST: Final = 366 * DAY
_SHORTEST_IDLE: Final = 2 * DAY
"""Seconds after which the limit of a day holds nobody any more."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How many uses a server allows. Times are in seconds. Raises UsageError for numbers out of range."""

    uses: int = limits.USES
    uses_a_day: int = limits.USES_A_DAY
    pause: int = limits.PAUSE
    rest: int = limits.REST
    uses_after_rest: int = limits.USES_AFTER_REST

    def __post_init__(self) -> None:
        counts, times = (self.uses, self.uses_a_day, self.uses_after_rest), (self.pause, self.rest)
        if not all(1 <= each <= limits.MAX_USES for each in counts):
            raise UsageError(f"a policy allows 1 to {limits.MAX_USES} uses: choose other numbers")
        if not all(0 <= each <= _LONGEST for each in times):
            raise UsageError("a policy waits at most 366 days: choose shorter times")


def idle_time(policy: Policy) -> int:
    """Return after how many seconds without a use a count is full again. [REC-50]

    Whoever guesses gains nothing by it: as many uses come back by resting in that time.
    """
    rests = -(-policy.uses // policy.uses_after_rest)
    return max(policy.rest * rests, policy.pause, _SHORTEST_IDLE)


def woken(meter: Meter, policy: Policy, now: int) -> Meter:
    """Return the count, or a full one if nobody has touched it for long. It remembers no request then."""
    is_idle = bool(meter.last) and now >= meter.last + idle_time(policy)
    return refilled(policy) if is_idle else meter


def standing(meter: Meter, policy: Policy, now: int) -> LockStanding:
    """Return what a user is told."""
    rested = _rested(meter, policy, now)
    free = _next_use(rested, policy, now)
    return LockStanding(rested.uses_left, free if free > now else 0, rested.uses_left == 0)


def spend(meter: Meter, policy: Policy, now: int, asked: bytes, nonce: bytes) -> Meter | None:
    """Return the count after one more use, or None if none is possible now. [REC-9]"""
    rested = _rested(meter, policy, now)
    if _next_use(rested, policy, now) > now:
        return None
    day, left = now // DAY, rested.uses_left - 1
    today = rested.today + 1 if rested.day == day else 1
    return Meter(left, now + policy.rest if left == 0 else 0, now, day, today, asked, nonce)


def refilled(policy: Policy) -> Meter:
    """Return a full count."""
    return Meter(policy.uses)


def _rested(meter: Meter, policy: Policy, now: int) -> Meter:
    """Return the count after a rest. A rest that a clock far ahead began is over: it might last for years."""
    meter = woken(meter, policy, now)
    if meter.uses_left == 0 and (now >= meter.rests_until or meter.last > now + DAY):
        return replace(meter, uses_left=policy.uses_after_rest, rests_until=0)
    return meter


def _next_use(meter: Meter, policy: Policy, now: int) -> int:
    """Return from when a use is possible. After a clock was set back, nobody waits for the old time."""
    if meter.uses_left == 0:
        return meter.rests_until
    free = meter.last + policy.pause if meter.last <= now else 0
    full = meter.day == now // DAY and meter.today >= policy.uses_a_day
    return max(free, (meter.day + 1) * DAY) if full else free
