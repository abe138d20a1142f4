"""Supply: how many single-use bundles a device keeps at its relay, by use.

    level        bundles of one publication: 8 at first, at most 100
    refill       the stock is below a quarter of the level
                 half of what was published last was used     the level doubles, and it publishes at once
                 less was used, or nothing                    it publishes as many again, once a day
    rotation     once a week everything is replaced; a week without a refill halves the level

Used is a prekey when a first message has used it. What a relay says of its stock may be a lie, and whoever
claims bundles may never write. So neither raises the level, and both cost a publication a day. [CLN-16]
Meanwhile the last-resort bundle serves.

Not here: publishing (_keeper.py).
"""

from dataclasses import dataclass, replace
from typing import Final

from letterlock.limits import DAY

LEAST: Final = 8
"""Bundles of a device that is asked rarely: people whom it hears from for the first time in a week."""
MOST: Final = 100
"""Bundles of a busy device: what a relay takes at once."""
MAX_REFILLS: Final = 255
"""Refills since the rotation are counted so far: only whether there was one matters."""


@dataclass(frozen=True, slots=True)
class Supply:
    """The level, and what is known of its use.

    `left` is how many unused pairs there were after the last publication, and `at` its time in seconds since
    1970. `refills` counts the publications since the rotation that replaced everything.
    """

    level: int = LEAST
    left: int = 0
    at: int = 0
    refills: int = 0

    def is_low(self, stock: int) -> bool:
        """Return whether a stock asks for a refill."""
        return stock < self.level // 4

    def refilled(self, unused: int, now: int) -> "Supply | None":
        """Return the supply for a refill, or None if it must wait. `unused` pairs are left now. [CLN-16]"""
        refills = min(self.refills + 1, MAX_REFILLS)
        if 2 * (self.left - unused) >= self.level:
            return replace(self, level=min(2 * self.level, MOST), left=unused, refills=refills)
        if not self.at <= now < self.at + DAY:  # or the clock was put back
            return replace(self, left=unused, at=now, refills=refills)
        return None

    def rotated(self) -> "Supply":
        """Return the supply for a publication that replaces everything."""
        return replace(self, level=self.level if self.refills else max(self.level // 2, LEAST), refills=0)

    def published(self, unused: int, now: int) -> "Supply":
        """Return the supply after a publication, with so many unused pairs."""
        return replace(self, left=unused, at=now)
