"""What a device waits for: secrets and chains that texts named and that have not come.

    noted       when a text is held because of it; asked for after a minute
    asked       after an hour, two, four and eight again; then it is given up                     [GRP-39]
    settled     when it comes

Whatever is noted was named by somebody on the way, perhaps, so there are at most 1,000 notes. Every method
runs inside the caller's transaction.

Not here: the letters that ask (_letters.py).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from letterlock._wire.group_bodies import Wanted
from letterlock._wire.group_limits import GROUP_ID_BYTES, MAX_GROUP_REQUESTS, MAX_GROUP_WANTS
from letterlock._wire.group_text import SenderName
from letterlock.limits import HOUR
from letterlock.stores import EntryKind, EntryRow, Record, Store

_FIRST_PAUSE: Final = 60
"""Seconds before the first request: what is on its way needs none."""
_AT_ONCE: Final = 100
_LATEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Want:
    """Something that is wanted of a sender."""

    group: bytes
    epoch: int
    sender: SenderName
    what: Wanted

    @property
    def key(self) -> bytes:
        """The key of its row."""
        device = self.sender.device.to_bytes(4, "big")
        place = self.group + self.epoch.to_bytes(4, "big") + self.sender.user_id
        return place + device + bytes([self.what])

    @classmethod
    def of(cls, key: bytes) -> "Want":
        """Return what the key of a row says."""
        group, epoch, rest = key[:GROUP_ID_BYTES], key[GROUP_ID_BYTES:-37], key[-37:]
        sender = SenderName(rest[:32], int.from_bytes(rest[32:36], "big"))
        return cls(group, int.from_bytes(epoch, "big"), sender, Wanted(rest[36]))


class Wants:
    """What is wanted, by the keys of rows of the store."""

    __slots__ = ("_entries",)

    def __init__(self, store: Store) -> None:
        self._entries = store.tables.entries

    def note(self, want: Want, now: int) -> None:
        """Note that something is wanted, if there is room."""
        if self._entries.load(EntryKind.GROUP_WANT, want.key) is not None:
            return
        if self._entries.count(EntryKind.GROUP_WANT) < MAX_GROUP_WANTS:
            self._save(want, 0, now + _FIRST_PAUSE)

    def settle(self, want: Want) -> None:
        """Forget what is wanted: it came, or is not needed."""
        self._entries.delete(EntryKind.GROUP_WANT, want.key)

    def due(self, now: int) -> list[Want]:
        """Return what is to be asked for now, and note that it was. What was asked for often is given up."""
        found: list[Want] = []
        for row in self._entries.due(EntryKind.GROUP_WANT, now, _AT_ONCE):
            want, asked = Want.of(row.key), row.record.expose()[0]
            if asked >= MAX_GROUP_REQUESTS:
                self.settle(want)
                continue
            self._save(want, asked + 1, now + (HOUR << asked))
            found.append(want)
        return found

    def hurry(self, user_ids: Collection[bytes], now: int) -> None:
        """Have what is wanted of users asked for now: nothing could be sent to them before."""
        for row in self._entries.due(EntryKind.GROUP_WANT, _LATEST, MAX_GROUP_WANTS):
            want = Want.of(row.key)
            if want.sender.user_id in user_ids:
                self._save(want, row.record.expose()[0], now)

    def answered(self, want: Want, now: int) -> bool:
        """Return whether a request of a device was answered within an hour, and note that it is now."""
        row = self._entries.load(EntryKind.GROUP_ANSWER, want.key)
        if row is not None and (row.due or 0) > now:
            return True
        record = Record(bytes([want.what]))
        self._entries.save(EntryRow(EntryKind.GROUP_ANSWER, want.key, now + HOUR, record))
        return False

    def _save(self, want: Want, asked: int, due: int) -> None:
        self._entries.save(EntryRow(EntryKind.GROUP_WANT, want.key, due, Record(bytes([asked]))))
