"""SkippedRow: the keys of up to 32 consecutive messages of one chain, as a store keeps them in one row.

    order      2 * block + half: the order in which keys were kept
    block      the rows of the same messages: in half 0 one key of each message, in half 1 the other
    present    bit i is set while the key of message start + i is kept
    keys       the keys that are kept, 32 bytes each, in ascending order of their messages

The oldest keys are deleted first: block by block, in a block message by message, and of a message first the
key in half 0. So a message loses both keys together.                                                [RAT-7]

Not here: where rows are stored (_memory.py, _sqlite/skipped_keys.py).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock.errors import CorruptStore
from letterlock.limits import MAX_KEYS_IN_ROW
from letterlock.stores._interface import KeyRange, Record

HALVES: Final = 2
KEPT_ALREADY: Final = "keys of these messages are kept already"
_start: Final = attrgetter("start")


@dataclass(frozen=True, slots=True)
class SkippedRow(Uncopyable):
    """A row: keys of the messages from number `start` on, `count` messages in all.

    `kept` is when they were kept, in whole seconds since 1970 (UTC), 0 to 2**63 - 1.
    """

    order: int
    chain: bytes
    start: int
    count: int
    kept: int
    present: int
    keys: Record

    @property
    def end(self) -> int:
        """The number of the first message after the row's."""
        return self.start + self.count

    def has(self, number: int) -> bool:
        """Return whether the key of a message is kept."""
        at = number - self.start
        return 0 <= at < self.count and self.present >> at & 1 == 1

    def key(self, number: int) -> Record | None:
        """Return the key of a message, or None."""
        if not self.has(number):
            return None
        place = self._place(1 << number - self.start)
        return Record(self.keys.expose()[place : place + KEY_BYTES])

    def without(self, number: int) -> "SkippedRow | None":
        """Return the row without the key of a message that it has, or None if that was its last key."""
        bit = 1 << number - self.start
        present = self.present & ~bit
        if not present:
            return None
        place, keys = self._place(bit), self.keys.expose()
        rest = Record(keys[:place] + keys[place + KEY_BYTES :])
        return SkippedRow(self.order, self.chain, self.start, self.count, self.kept, present, rest)

    def numbers(self) -> list[int]:
        """Return the numbers of the messages whose keys are kept."""
        return [self.start + at for at in range(self.count) if self.present >> at & 1]

    def _place(self, bit: int) -> int:
        return (self.present & bit - 1).bit_count() * KEY_BYTES


def cut(halves: Sequence[Sequence[KeyRange]], order: int, kept: int) -> Iterator[SkippedRow]:
    """Yield the rows for what one message skipped, from an even `order` on.

    The n-th key of one half and the n-th key of the other belong to one message, and their rows to one block.
    Raises CorruptStore if two ranges are about one message.
    """
    _require_apart(halves)
    waiting = [[(each, 0) for each in reversed(half) if _count(each)] for half in halves]
    while any(waiting):
        size = min(MAX_KEYS_IN_ROW, *(_count(half[-1][0]) - half[-1][1] for half in waiting if half))
        for place, half in enumerate(waiting):
            if half:
                keys, at = half.pop()
                if at + size < _count(keys):
                    half.append((keys, at + size))
                part = Record(keys.keys.expose()[at * KEY_BYTES : (at + size) * KEY_BYTES])
                start, everyone = keys.start + at, (1 << size) - 1
                yield SkippedRow(order + place, keys.chain, start, size, kept, everyone, part)
        order += HALVES


def next_order(order: int) -> int:
    """Return where a block begins after a row of this order."""
    return (order // HALVES + 1) * HALVES


def oldest(sizes: Iterable[tuple[int, int]], beyond: int) -> tuple[list[int], list[int], int]:
    """Return what to delete so that `beyond` keys go, of rows that are given as (order, number of keys).

    Returns the orders of whole rows, then those of the block that loses a part, and how many keys it loses.
    """
    whole: list[int] = []
    for _, block in groupby(sorted(sizes), lambda row: row[0] // HALVES):
        rows = list(block)
        count = sum(size for _, size in rows)
        if count > beyond:
            return whole, [order for order, _ in rows] if beyond else [], beyond
        whole += [order for order, _ in rows]
        beyond -= count
    return whole, [], 0


def drop_first(block: Sequence[SkippedRow], number: int) -> list[SkippedRow | None]:
    """Return the rows of a block without its first keys, fewer than it has; None is a row that lost all."""
    order = sorted(
        (each - row.start, place, each) for place, row in enumerate(block) for each in row.numbers()
    )
    rows: list[SkippedRow | None] = list(block)
    for _, place, each in order[:number]:
        row = rows[place]
        rows[place] = None if row is None else row.without(each)
    return rows


def trimmed(rows: Sequence[SkippedRow], beyond: int) -> Iterator[tuple[SkippedRow, SkippedRow | None]]:
    """Yield each row that loses keys when the oldest `beyond` keys go, and what is left of it, or None."""
    of = {row.order: row for row in rows}
    whole, partly, rest = oldest(((row.order, row.present.bit_count()) for row in rows), max(beyond, 0))
    yield from ((of[order], None) for order in whole)
    block = [of[order] for order in partly]
    yield from zip(block, drop_first(block, rest), strict=True)


def row_at(rows: Sequence[SkippedRow], number: int) -> SkippedRow | None:
    """Return the last row of a chain that begins at this message or before."""
    at = bisect_right(rows, number, key=_start)
    return rows[at - 1] if at else None


def merged(rows: Sequence[SkippedRow], new: Iterable[SkippedRow]) -> tuple[SkippedRow, ...]:
    """Return the rows of a chain with new ones. Raises CorruptStore if two are about one message. [STO-22]"""
    all_rows = tuple(sorted((*rows, *new), key=_start))
    if any(row.end > following.start for row, following in pairwise(all_rows)):
        raise CorruptStore(KEPT_ALREADY)
    return all_rows


def replaced(
    rows: tuple[SkippedRow, ...], before: SkippedRow, after: SkippedRow | None
) -> tuple[SkippedRow, ...]:
    """Return the rows of a chain with one of them replaced or, for None, deleted."""
    at = bisect_left(rows, before.start, key=_start)
    return rows[:at] + (() if after is None else (after,)) + rows[at + 1 :]


def _require_apart(halves: Sequence[Sequence[KeyRange]]) -> None:
    ranges = sorted((each.chain, each.start, each.start + _count(each)) for half in halves for each in half)
    for (chain, _, end), (other, start, _) in pairwise(ranges):
        if chain == other and start < end:
            raise CorruptStore(KEPT_ALREADY)


def _count(keys: KeyRange) -> int:
    return len(keys.keys.expose()) // KEY_BYTES
