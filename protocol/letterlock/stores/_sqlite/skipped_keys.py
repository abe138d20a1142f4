"""Keys of messages that are still expected, in SQLite: rows of up to 32 keys.

letterlock_skipped       seq: order, session, chain: tag, start, count | sealed: the record, bound to all five

Only the record of a row ever changes. How many keys a row has follows from the length of its sealed record.

Not here: what is sealed (skipped_row.py), which keys are the oldest (_skipped_rows.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from letterlock._primitives.secret import KEY_BYTES
from letterlock.errors import CorruptStore
from letterlock.limits import MAX_KEYS_IN_ROW
from letterlock.stores._interface import KeyRange, SkippedKey
from letterlock.stores._skipped_rows import (
    HALVES,
    KEPT_ALREADY,
    SkippedRow,
    cut,
    drop_first,
    next_order,
    oldest,
)
from letterlock.stores._sqlite.format import SKIPPED_KEYS, Column
from letterlock.stores._sqlite.skipped_row import (
    COLUMNS,
    EDITED,
    INSERT,
    NO_KEYS_BYTES,
    opened_row,
    sealed_row,
)
from letterlock.stores._sqlite.table import SqliteTable, require_position

_PAGE: Final = 256
"""Rows that are read at once."""

_SIZE: Final = f"(length(sealed) - {NO_KEYS_BYTES}) / {KEY_BYTES}"
_IS_WHOLE: Final = (
    f"(typeof(sealed) = 'blob' AND (length(sealed) - {NO_KEYS_BYTES}) % {KEY_BYTES} = 0 "
    f"AND {_SIZE} BETWEEN 1 AND {MAX_KEYS_IN_ROW})"
)
"""How many keys a row has, by the length of its record, and whether that can be."""
_COUNT: Final = (
    f"SELECT coalesce(sum({_SIZE}), 0), count(*) - count(nullif({_IS_WHOLE}, 0)) "  # noqa: S608
    "FROM letterlock_skipped WHERE session = ?"
)
_OLDEST_FIRST: Final = "FROM letterlock_skipped WHERE session = ? ORDER BY seq LIMIT ?"
_ROWS: Final = f"SELECT {COLUMNS} FROM letterlock_skipped WHERE"  # noqa: S608

_Change: TypeAlias = tuple[tuple[Any, ...], list[tuple[Column, ...]]]
"""The columns of a row as it was, and those of what takes its place: one row or none."""


class SqliteSkippedKeyTable(SqliteTable):
    """Implements `SkippedKeyTable`, which documents the methods."""

    __slots__ = ()

    def find(self, address: bytes, chain: bytes, number: int) -> SkippedKey | None:
        peer = self._cipher.peer_tag(address)
        self._digest.require_once(peer)
        # CROSS JOIN makes SQLite read the peer's few sessions first, then look up the index once for each.
        rows = self._database.rows(
            "SELECT skipped.seq, skipped.session, skipped.chain, start, count, skipped.sealed "
            "FROM letterlock_sessions AS sessions CROSS JOIN letterlock_skipped AS skipped ON skipped.seq = "
            "(SELECT seq FROM letterlock_skipped WHERE session = sessions.id AND chain = ? AND start <= ? "
            "ORDER BY start DESC LIMIT 1) "
            "WHERE sessions.peer = ? ORDER BY sessions.rank DESC, sessions.id DESC",
            self._tag(chain),
            number,
            peer,
        )
        if rows:
            self._digest.require()
        for columns in rows:
            row = opened_row(self._cipher, columns)
            key = row.key(number)
            if key is not None:
                return SkippedKey(columns[1], chain, number, key, row.kept, (columns, row))
        return None

    def add(self, session_id: int, halves: Sequence[Sequence[KeyRange]], kept: int) -> None:
        for half in halves:
            for keys in half:
                self._require_new(session_id, keys)
        last = self._database.number("SELECT coalesce(max(seq), 0) FROM letterlock_skipped")
        require_position(last)
        with self._database.savepoint():
            self._digest.require()
            rows = self._tagged(cut(halves, next_order(last), kept))
            sealed = [sealed_row(self._cipher, session_id, row) for row in rows]
            self._database.run_many(INSERT, sealed)
            self._digest.change(SKIPPED_KEYS, (), sealed)

    def has(self, session_id: int, chain: bytes) -> bool:
        sql = "SELECT 1 FROM letterlock_skipped WHERE session = ? AND chain = ? LIMIT 1"
        return self._database.row(sql, session_id, self._tag(chain)) is not None

    def delete(self, key: SkippedKey) -> None:
        self.delete_each([key])

    def kept_in(self, session_id: int, chain: bytes, number: int) -> SkippedKey | None:
        """Return the key of a message that is kept in a session, or None."""
        columns = self._row_before(session_id, chain, number + 1)
        if columns is None:
            return None
        self._digest.require()
        row = opened_row(self._cipher, columns)
        key = row.key(number)
        return None if key is None else SkippedKey(session_id, chain, number, key, row.kept, (columns, row))

    def delete_each(self, keys: Sequence[SkippedKey]) -> None:
        """Delete keys, where they exist, in one change of the digest."""
        with self._database.savepoint():
            self._digest.require()
            changes = [each for each in map(self._take, keys) if each is not None]
            after = [row for _, rows in changes for row in rows]
            self._digest.change(SKIPPED_KEYS, [columns for columns, _ in changes], after)

    def trim(self, session_id: int, keep: int) -> int:
        sql = "SELECT count(*) FROM letterlock_skipped WHERE session = ?"
        if self._database.number(sql, session_id) * MAX_KEYS_IN_ROW <= keep:
            return 0
        beyond = self._count(session_id) - keep
        if beyond <= 0:
            return 0
        # Every row has a key, and a block has two rows.
        sizes = self._database.rows(f"SELECT seq, {_SIZE} {_OLDEST_FIRST}", session_id, beyond + HALVES)
        whole, partly, rest = oldest(sizes, beyond)
        with self._database.savepoint():
            self._delete(whole)
            block = [self._columns(seq) for seq in partly]
            rows = [opened_row(self._cipher, columns) for columns in block]
            for columns, row in zip(block, drop_first(rows, rest), strict=True):
                self._replace(columns, row)
        return beyond

    def delete_kept_before(self, time: int, session_id: int | None = None) -> int:
        deleted: list[int] = []
        count = 0
        for columns in self._pages(session_id):
            row = opened_row(self._cipher, columns)
            if row.kept < time:
                deleted.append(row.order)
                count += row.present.bit_count()
        with self._database.savepoint():
            self._delete(deleted)
        return count

    def _pages(self, session_id: int | None) -> Iterator[tuple[Any, ...]]:
        """Yield all rows, or all of a session, in ascending order."""
        where = "seq > ?" if session_id is None else "seq > ? AND session = ?"
        sql = f"{_ROWS} {where} ORDER BY seq LIMIT {_PAGE}"
        after = -1
        while rows := self._database.rows(sql, after, *(() if session_id is None else (session_id,))):
            yield from rows
            after = rows[-1][0]

    def _count(self, session_id: int) -> int:
        """Return how many keys a session has, by the lengths of its records. Raises CorruptStore."""
        keys, edited = self._database.rows(_COUNT, session_id)[0]
        if edited:
            raise CorruptStore(EDITED)
        return int(keys)

    def _require_new(self, session_id: int, keys: KeyRange) -> None:
        """Raise CorruptStore if a row is about one of these messages. [STO-22]"""
        end = keys.start + len(keys.keys.expose()) // KEY_BYTES
        before = self._row_before(session_id, keys.chain, end)
        if before is not None and opened_row(self._cipher, before).end > keys.start:
            raise CorruptStore(KEPT_ALREADY)

    def _row_before(self, session_id: int, chain: bytes, end: int) -> tuple[Any, ...] | None:
        """Return the columns of the last row of a chain that begins before this message."""
        return self._database.row(
            f"{_ROWS} session = ? AND chain = ? AND start < ? ORDER BY start DESC LIMIT 1",
            session_id,
            self._tag(chain),
            end,
        )

    def _columns(self, seq: int) -> tuple[Any, ...]:
        return self._database.rows(f"{_ROWS} seq = ?", seq)[0]

    def _tagged(self, rows: Iterable[SkippedRow]) -> Iterator[SkippedRow]:
        tags: dict[bytes, bytes] = {}
        for row in rows:
            tag = tags.get(row.chain) or tags.setdefault(row.chain, self._tag(row.chain))
            yield replace(row, chain=tag)

    def _take(self, key: SkippedKey) -> _Change | None:
        """Take a key out of its row. None if there is no such key."""
        if key.place is not None:
            columns, row = key.place
            change = self._write(columns, row.without(key.number))
            if change is not None:
                return change
        # The row has changed since, or this store did not find the key.
        columns = self._row_before(key.session_id, key.chain, key.number + 1)
        if columns is None:
            return None
        row = opened_row(self._cipher, columns)
        return self._write(columns, row.without(key.number)) if row.has(key.number) else None

    def _replace(self, columns: tuple[Any, ...], row: SkippedRow | None) -> None:
        """Replace a row or, for None, delete it, if it is still as it was read."""
        with self._database.savepoint():
            self._digest.require()
            change = self._write(columns, row)
            if change is not None:
                self._digest.change(SKIPPED_KEYS, [columns], change[1])

    def _write(self, columns: tuple[Any, ...], row: SkippedRow | None) -> _Change | None:
        """Do the same, but for the digest. None if the row is not as it was read."""
        *clear, sealed = columns
        after = [] if row is None else [sealed_row(self._cipher, clear[1], row)]
        if after:
            sql = "UPDATE letterlock_skipped SET sealed = ? WHERE seq = ? AND sealed = ?"
            changed = self._database.run(sql, after[0][-1], clear[0], sealed)
        else:
            sql = "DELETE FROM letterlock_skipped WHERE seq = ? AND sealed = ?"
            changed = self._database.run(sql, clear[0], sealed)
        return (columns, after) if changed else None

    def _delete(self, orders: Iterable[int]) -> None:
        places = [(each,) for each in orders]
        self._digest.require()
        before = [self._columns(*place) for place in places]
        self._database.run_many("DELETE FROM letterlock_skipped WHERE seq = ?", places)
        self._digest.change(SKIPPED_KEYS, before, ())

    def _tag(self, chain: bytes) -> bytes:
        return self._cipher.tag(SKIPPED_KEYS, chain)
