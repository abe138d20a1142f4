"""Skipped keys of a store of format 1, which had a row for each key, as rows of format 2.

    format 1     session, chain: tag, number | key       in order of arrival, both keys of a message together
    format 2     the rows of skipped_keys.py

Not here: opening and writing the rows.
"""

from collections.abc import Iterable, Iterator

from letterlock._primitives.secret import Uncopyable
from letterlock.limits import MAX_KEYS_IN_ROW
from letterlock.stores._interface import Record
from letterlock.stores._skipped_rows import SkippedRow, next_order


class _Half(Uncopyable):
    """One row that is being gathered."""

    __slots__ = ("chain", "keys", "present", "start")

    def __init__(self, chain: bytes, start: int, key: Record) -> None:
        self.chain, self.start = chain, start
        self.keys = [key.expose()]
        self.present = 1


def from_first_format(
    keys: Iterable[tuple[int, bytes, int, Record]], order: int, kept: int
) -> Iterator[tuple[int, SkippedRow]]:
    """Yield the session and the row for keys that are given as (session, tag of the chain, number, key).

    The keys of one session come together, in the order in which they were kept. `order` is even, and the
    first that is free; `kept` is the time that the rows get, which format 1 did not have.
    """
    session, block = 0, list[_Half]()
    for session_id, chain, number, key in keys:
        if session_id != session or not _take(block, chain, number, key):
            for row in _rows(block, order, kept):
                yield session, row
                order = next_order(row.order)
            session, block = session_id, [_Half(chain, number, key)]
    for row in _rows(block, order, kept):
        yield session, row


def _take(block: list[_Half], chain: bytes, number: int, key: Record) -> bool:
    """Add a key to a block, unless it would then not be the last key of the block."""
    last = max(((half.present.bit_length() - 1, place) for place, half in enumerate(block)), default=(-1, 0))
    for place, half in enumerate(block):
        if half.chain == chain:
            at = number - half.start
            if last < (at, place) and at < MAX_KEYS_IN_ROW:
                half.keys.append(key.expose())
                half.present |= 1 << at
                return True
            return False
    # The second key of the block's first message is in the other chain.
    if len(block) == 1 and last == (0, 0):
        block.append(_Half(chain, number, key))
        return True
    return False


def _rows(block: list[_Half], order: int, kept: int) -> Iterator[SkippedRow]:
    for place, half in enumerate(block):
        count, keys = half.present.bit_length(), Record(b"".join(half.keys))
        yield SkippedRow(order + place, half.chain, half.start, count, kept, half.present, keys)
