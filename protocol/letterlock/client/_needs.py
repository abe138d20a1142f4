"""Needs: device lists and prekey bundles that are to be fetched, each a row until it was met.

Every method runs inside the caller's transaction. Not here: fetching (_fetcher.py).
"""

from typing import Final

from letterlock.client._rows import NeedRecord
from letterlock.client._table import MICROSECONDS, Tables, need_key
from letterlock.limits import HOUR
from letterlock.user import Need, NeedKind

_PAUSE: Final = 1
"""Seconds until a need is met again that could not be met. It doubles with each failure, up to an hour.

It begins short, because a new device of our own publishes its prekeys a moment after it was listed."""
_DOUBLINGS: Final = 12
_MOST_UNKNOWN: Final = 48
"""Failures after which a name that nobody has is not asked for any more: a day and a half.      [CLN-33]"""


class Needs:
    """What one client has to fetch."""

    __slots__ = ("_tables",)

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def add(self, need: Need) -> None:
        """Insert a need. One that is there keeps its time, so that nobody can have it met without a pause."""
        key = need_key(need)
        if not self._tables.needs.has(key):
            self._tables.needs.save(key, NeedRecord(need), self._tables.order())

    def lists(self, name: str, after: int = 0) -> None:
        """Insert a need of the lists of a name after a version."""
        self.add(Need(NeedKind.LISTS, name, after=after))

    def has_lists(self, name: str) -> bool:
        """Return whether the lists of a name are needed already."""
        return self._tables.needs.has(need_key(Need(NeedKind.LISTS, name)))

    def due(self, limit: int) -> list[Need]:
        """Return needs that may be met now, the earliest first."""
        until = (self._tables.clock() + 1) * MICROSECONDS
        return [record.need for _, record in self._tables.needs.due(until, limit)]

    def next_due(self) -> int | None:
        """Return in how many seconds the next need may be met, or None if there is none."""
        return self._tables.wait(self._tables.needs)

    def met(self, need: Need) -> None:
        """Forget a need."""
        self._tables.needs.delete(need_key(need))

    def unmet(self, need: Need, least: int = 0) -> None:
        """Meet a need later: after `least` seconds, and later each time."""
        record = self._tables.needs.load(need_key(need))
        if record is not None:
            seconds = max(least, min(_PAUSE * 2 ** min(record.failures, _DOUBLINGS), HOUR))
            self._tables.needs.save(need_key(need), record.failed(), self._tables.order(seconds))

    def unknown(self, name: str) -> None:
        """Ask later for the lists of a name that nobody has, or forget them.                       [CLN-33]

        Anybody may introduce names that do not exist. A name is asked for as long as content waits for it.
        """
        need = Need(NeedKind.LISTS, name)
        record = self._tables.needs.load(need_key(need))
        if record is not None and record.failures >= _MOST_UNKNOWN and not self._waits(name):
            self.met(need)
        else:
            self.unmet(need)

    def _waits(self, name: str) -> bool:
        """Return whether content waits for the lists of a name."""
        return any(draft.name == name for _, draft in self._tables.drafts.due())

    def hurry(self, name: str) -> None:
        """Meet what is needed of a name now, because something about the name has changed."""
        for key, record in self._tables.needs.due():
            if record.need.name == name:
                self._tables.needs.save(key, record, self._tables.order())
