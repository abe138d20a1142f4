"""Rates over the last minute and the last hour, from sums that are taken now and then.

Not here: the sums (_metrics.py); showing rates (_status_page.py).
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from letterlock.relay._server._metrics import Totals

STEP: Final = 10
"""Seconds between two samples."""

_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class _Sample:
    time: float
    totals: Totals


class Rates:
    """The samples of one hour."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=_HOUR // STEP + 1)

    def add(self, time: float, totals: Totals) -> None:
        """Note the sums of a moment; `time` is in seconds and never goes back."""
        self._samples.append(_Sample(time, totals))

    def per_second(self, call: str, seconds: int) -> float:
        """Return how many requests of a call there were each second, over so many seconds at most."""
        if len(self._samples) < 2:
            return 0.0
        last = self._samples[-1]
        first = next(each for each in self._samples if last.time - each.time <= seconds or each is last)
        if first is last:
            first = self._samples[-2]
        made = last.totals.requests.get(call, 0) - first.totals.requests.get(call, 0)
        return max(0.0, made / max(last.time - first.time, 1.0))

    def minutes(self) -> list[int]:
        """Return the requests of each of the last 60 minutes, the oldest first."""
        counts = [0] * (_HOUR // _MINUTE)
        if not self._samples:
            return counts
        now = self._samples[-1].time
        samples = list(self._samples)
        for before, after in pairwise(samples):
            age = int((now - after.time) // _MINUTE)
            if age < len(counts):
                made = sum(after.totals.requests.values()) - sum(before.totals.requests.values())
                counts[-1 - age] += max(0, made)
        return counts
