"""Time as a server counts it by itself: what passed between two looks at its clock, an hour at most.

    counted     the sum of all steps; a step is the time since the last look, 0 to 3,600 seconds     [REC-39]

A clock that is set ahead by days adds an hour, and only if whoever looks has lived through one. While nobody
looks, no more than an hour passes: a server that was switched off makes a delay longer, never shorter. After
a clock went back by less than a day, nothing counts until it has caught up, because several processes with
clocks that differ would count an hour with each pair of looks. One that went back further counts on from
there.

Not here: what the count is for (_half_steps.py, _provisional_steps.py).
"""

from letterlock._primitives.entropy import Clock
from letterlock._records.second_lock import HoursRecord, decode_hours
from letterlock._wire.recovery_limits import LONGEST_LOOK
from letterlock.limits import DAY
from letterlock.recovery._rows import RowPlan
from letterlock.stores import EntryKind, Record


def look(clock: Clock, most: int = LONGEST_LOOK) -> RowPlan[int]:
    """Count what has passed since the last look, and answer with the sum, in seconds. [REC-39]

    It never falls, and grows by `most` at most: by what passed for whoever looks. Look at least once an hour,
    or less time counts than has passed.
    """

    def step(found: Record | None) -> tuple[Record | None, int]:
        now = clock()
        before = None if found is None else decode_hours(found)
        after = HoursRecord(max(now, 0)) if before is None else passed(before, now, most)
        return (found if found is not None and after == before else after.encode()), after.counted

    return RowPlan(EntryKind.HOURS, b"", step, int)


def passed(hours: HoursRecord, now: int, most: int = LONGEST_LOOK) -> HoursRecord:
    """Return the count after a look at `now`, for whoever has lived through `most` seconds. [REC-39]"""
    since = now - hours.last
    if -DAY <= since <= 0:  # of another process, whose clock is behind: no hour is counted twice
        return hours
    counted = min(max(since, 0), max(most, 0), LONGEST_LOOK)
    if 0 < since <= LONGEST_LOOK:  # what is not counted now is left for whoever has lived through it
        return HoursRecord(hours.last + counted, hours.counted + counted)
    return HoursRecord(max(now, 0), hours.counted + counted)
