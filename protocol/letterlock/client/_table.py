"""The rows of a client: entries of the store, each in an order of its own.

    CLIENT     b""                             the client's own record
    POST       id of the send                  due: when it may be tried
    NEED       kind || device id || name       due: when it may be met
    DRAFT      message id                      due: order
    HELD       the relay's id of the mail      due: order
    ARRIVED    order || 8 random bytes         due: order
    NOTICE     order || 8 random bytes         due: order

An order is a time in microseconds since 1970 that never repeats in one process. So rows come back in the
order in which they were saved, unless the clock was put back. Every method runs inside the caller's
transaction.

Not here: what is done with the rows (_queue.py), their records (_rows.py).
"""

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from letterlock._primitives.entropy import Clock, Entropy
from letterlock.client import _rows as rows
from letterlock.client._rows import Arrived, Draft, Held, NeedRecord, Notice, OwnRecord, Post
from letterlock.limits import HOUR
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Record, Store
from letterlock.user import Need, NeedKind

T = TypeVar("T")

LATEST: Final = 2**63 - 1
MICROSECONDS: Final = 1_000_000
_ALL: Final = 2**31
_SLACK: Final = 60
"""Seconds by which a clock may be put right without a word."""
_ORDER_BYTES: Final = 8
_DEVICE_BYTES: Final = 4


class Table(Generic[T]):
    """The rows of one kind, as values."""

    __slots__ = ("_decode", "_encode", "_kind", "_store")

    def __init__(
        self, store: Store, kind: EntryKind, encode: Callable[[T], Record], decode: Callable[[Record], T]
    ) -> None:
        self._store = store
        self._kind = kind
        self._encode = encode
        self._decode = decode

    def save(self, key: bytes, value: T, due: int | None) -> None:
        """Insert or replace a row."""
        self._store.tables.entries.save(EntryRow(self._kind, key, due, DeferredRecord(value, self._encode)))

    def load(self, key: bytes) -> T | None:
        """Return the value of a row, or None."""
        row = self._store.tables.entries.load(self._kind, key)
        return None if row is None else row.record.decoded(self._decode)

    def has(self, key: bytes) -> bool:
        """Return whether there is a row."""
        return self._store.tables.entries.load(self._kind, key) is not None

    def delete(self, key: bytes) -> None:
        """Delete a row, if it exists."""
        self._store.tables.entries.delete(self._kind, key)

    def due(self, until: int = LATEST, limit: int = _ALL) -> list[tuple[bytes, T]]:
        """Return up to `limit` rows that are due at `until`, the earliest first."""
        found = self._store.tables.entries.due(self._kind, until, limit)
        return [(row.key, row.record.decoded(self._decode)) for row in found]

    def next_due(self) -> int | None:
        """Return when the earliest row is due, or None if there is none."""
        found = self._store.tables.entries.due(self._kind, LATEST, 1)
        return found[0].due if found else None

    def delete_due(self, until: int) -> int:
        """Delete the rows that are due at `until` or earlier, and return how many."""
        return self._store.tables.entries.delete_due(self._kind, until)

    def count(self) -> int:
        """Return how many rows there are."""
        return self._store.tables.entries.count(self._kind)


class Tables:
    """All rows of a client. `order` gives the next place in the order."""

    __slots__ = (
        "_entropy",
        "_last",
        "_own",
        "arrived",
        "clock",
        "drafts",
        "held",
        "needs",
        "notices",
        "posts",
    )

    def __init__(self, store: Store, clock: Clock, entropy: Entropy) -> None:
        self.clock = clock
        self._entropy = entropy
        self._last = 0
        self._own: Table[OwnRecord] = Table(store, EntryKind.CLIENT, rows.encode_own, rows.decode_own)
        self.posts: Table[Post] = Table(store, EntryKind.POST, rows.encode_post, rows.decode_post)
        self.needs: Table[NeedRecord] = Table(store, EntryKind.NEED, rows.encode_need, rows.decode_need)
        self.drafts: Table[Draft] = Table(store, EntryKind.DRAFT, rows.encode_draft, rows.decode_draft)
        self.held: Table[Held] = Table(store, EntryKind.HELD, rows.encode_held, rows.decode_held)
        self.arrived: Table[Arrived] = Table(
            store, EntryKind.ARRIVED, rows.encode_arrived, rows.decode_arrived
        )
        self.notices: Table[Notice] = Table(store, EntryKind.NOTICE, rows.encode_notice, rows.decode_notice)

    def own(self) -> OwnRecord | None:
        """Return the client's own record, or None in a store that no client has used."""
        return self._own.load(b"")

    def save_own(self, own: OwnRecord) -> None:
        """Replace the client's own record."""
        self._own.save(b"", own, None)

    def order(self, seconds: int = 0) -> int:
        """Return the next place in the order, or one that comes so many seconds later."""
        place = max(self._last + 1, self.clock() * MICROSECONDS)
        self._last = place
        return place + seconds * MICROSECONDS

    def wait(self, table: Table[Any]) -> int | None:
        """Return in how many seconds the earliest of the posts or needs is due, or None if there is none.

        If the clock was put back since they were saved, all of them are due now.                   [CLN-12]
        """
        due, now = table.next_due(), self.clock()
        if due is None:
            return None
        if self._last <= (now + _SLACK) * MICROSECONDS and due <= (now + HOUR + _SLACK) * MICROSECONDS:
            return max(due // MICROSECONDS - now, 0)
        self._last = 0
        for each in (self.posts, self.needs):
            self._hurry(each)
        return 0

    def _hurry(self, table: Table[Any]) -> None:
        for key, value in table.due():
            table.save(key, value, self.order())

    def append(self, table: Table[Any], value: object) -> bytes:
        """Insert a row at the end of the order, and return its key."""
        order = self.order()
        key = order.to_bytes(_ORDER_BYTES, "big") + self._entropy(_ORDER_BYTES)
        table.save(key, value, order)
        return key


def need_key(need: Need) -> bytes:
    """Return the key of a need: one row for the lists of a name, and one for a bundle of a device."""
    kind = b"\0" if need.kind is NeedKind.LISTS else b"\1"
    return kind + (need.device or 0).to_bytes(_DEVICE_BYTES, "big") + need.name.encode()
