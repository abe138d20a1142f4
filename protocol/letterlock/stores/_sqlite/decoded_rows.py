"""DecodedRows: rows that were read or saved lately, kept with the ciphertext that each had then.

    find     a row, if its ciphertext in the file and its clear columns are exactly those that were kept
    keep     a row as it was read or saved; the row that has been kept longest makes room
    begin    forget what is too old
    undo     forget what the transaction saved

Each sealing draws a fresh nonce, so equal ciphertexts are the same state of the same row. The file decides:
if another process, a rollback or a restored copy changed a row, it is opened anew.                  [STO-18]

Not here: which rows are kept (table.py); what keys in memory mean (spec/limitations.md).
"""

from time import monotonic
from typing import NamedTuple, TypeAlias

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import UsageError
from letterlock.limits import MAX_DECODED_ROWS
from letterlock.stores._interface import AnyRecord

Place: TypeAlias = tuple[bytes, object]
"""A table's label, and the first clear column of a row, which no other row of the table has."""


class _Kept(NamedTuple):
    sealed: bytes
    columns: tuple[object, ...]
    kinds: tuple[type, ...]
    """The columns' types. To Python, the number 1 equals 1.0 and True, but each is sealed to other bytes."""
    record: AnyRecord
    since: float


class DecodedRows(Uncopyable):
    """Up to `size` rows, each for `seconds` by the monotonic clock. Raises UsageError for other values."""

    __slots__ = ("_began", "_rows", "_saved", "_seconds", "_size")

    def __init__(self, size: int, seconds: float) -> None:
        if type(size) is not int or not 0 <= size <= MAX_DECODED_ROWS:
            raise UsageError(f"decoded_rows must be a number of rows, 0 to {MAX_DECODED_ROWS}")
        # NaN is refused too.
        if type(seconds) not in (int, float) or not seconds >= 0:
            raise UsageError("decoded_seconds must be a number of seconds, 0 or more")
        self._size = size if seconds else 0
        self._seconds = seconds
        self._rows: dict[Place, _Kept] = {}
        self._saved: list[Place] = []
        self._began = monotonic()

    def begin(self) -> None:
        """Forget rows that are too old; note from now on which rows are saved."""
        self._saved.clear()
        self._began = monotonic()  # the age of every row that the transaction keeps
        oldest = self._began - self._seconds
        # They are in order of time, since a row that is kept again moves to the end.
        while self._rows and next(iter(self._rows.values())).since <= oldest:
            self._forget_first()

    def undo(self) -> None:
        """Forget the rows that were saved since `begin`: their states are in no file."""
        for place in self._saved:
            self._rows.pop(place, None)
        self._saved.clear()

    def find(self, sealed: object, table: bytes, columns: tuple[object, ...]) -> AnyRecord | None:
        """Return the row, if it is kept and the file holds it unchanged. STO-18"""
        kept = self._rows.get((table, columns[0] if columns else None))
        if (
            kept is not None
            and type(sealed) is bytes
            and sealed == kept.sealed
            and columns == kept.columns
            and tuple(map(type, columns)) == kept.kinds
        ):
            return kept.record
        return None

    def keep_read(self, sealed: bytes, record: AnyRecord, table: bytes, columns: tuple[object, ...]) -> None:
        """Keep a row in place of an earlier state of it."""
        self._keep((table, columns[0] if columns else None), sealed, record, columns)

    def keep_saved(self, sealed: bytes, record: AnyRecord, table: bytes, columns: tuple[object, ...]) -> None:
        """Keep a row that the transaction is about to save."""
        place = table, columns[0] if columns else None
        self._saved.append(place)
        self._keep(place, sealed, record, columns)

    def _keep(self, place: Place, sealed: bytes, record: AnyRecord, columns: tuple[object, ...]) -> None:
        rows = self._rows
        rows.pop(place, None)
        if not self._size:
            return
        if len(rows) >= self._size:
            self._forget_first()
        rows[place] = _Kept(sealed, columns, tuple(map(type, columns)), record, self._began)

    def drop(self, table: bytes, column: object) -> None:
        """Forget a row that is deleted."""
        self._rows.pop((table, column), None)

    def clear(self) -> None:
        """Forget everything."""
        self._rows.clear()
        self._saved.clear()

    def _forget_first(self) -> None:
        del self._rows[next(iter(self._rows))]
