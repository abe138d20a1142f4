"""SqliteTable: what the tables of the SQLite store share.

A row is replaced with UPSERT everywhere. INSERT OR REPLACE would delete the old row first, and the cascade
would delete a peer's sessions with it.
"""

from typing import Any, Final, TypeAlias, cast

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import CorruptStore
from letterlock.stores._interface import AnyRecord
from letterlock.stores._sqlite.database import Database
from letterlock.stores._sqlite.digest import COVERED
from letterlock.stores._sqlite.format import Column

SealedRow: TypeAlias = tuple[Column, ...]
"""The columns of a row as they are written, with the record sealed."""

MAX_SEQ: Final = 2**62
"""Further than any store counts. Beyond it, the next position would not fit into a column."""


class SqliteTable(Uncopyable):
    """One table of an open store file."""

    __slots__ = ("_cipher", "_database", "_decoded", "_digest")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cipher = database.cipher
        self._decoded = database.decoded
        self._digest = database.digest

    def _change(self, table: bytes, where: str, values: tuple[Column, ...], sql: str, *given: Column) -> int:
        """Run a statement that inserts or updates the rows of a covered table that `where` finds. STO-19

        Return how many rows it changed.
        """
        with self._database.savepoint():
            before = self._find(table, where, *values)
            self._digest.require_rows(table, before)
            changed = self._database.run(sql, *given)
            self._digest.change(table, before, self._find(table, where, *values))
        return changed

    def _remove(self, table: bytes, where: str, *values: Column) -> int:
        """Delete the rows of a covered table that `where` finds; return how many. STO-19"""
        with self._database.savepoint():
            before = self._find(table, where, *values)
            if before:
                self._digest.require_rows(table, before)
                sql = f"DELETE FROM letterlock_{table.decode()} WHERE {where}"  # noqa: S608
                self._database.run(sql, *values)
                self._digest.change(table, before, ())
        return len(before)

    def _find(self, table: bytes, where: str, *values: Column) -> list[tuple[Any, ...]]:
        sql = f"SELECT {COVERED[table]} FROM letterlock_{table.decode()} WHERE {where}"  # noqa: S608
        return self._database.rows(sql, *values)

    def _seal_kept(self, record: AnyRecord, table: bytes, *columns: Column) -> bytes:
        """Seal a record as `StoreCipher.seal` does, for a row that is read again soon."""
        sealed = self._cipher.seal(record, table, *columns)
        self._decoded.keep_saved(sealed, record, table, columns)
        return sealed

    def _open_kept(self, sealed: object, table: bytes, *columns: object) -> AnyRecord:
        """Open a row as `StoreCipher.open` does, unless the record as it was saved or read is still kept."""
        record = self._decoded.find(sealed, table, columns)
        if record is None:
            record = self._cipher.open(sealed, table, *columns)
            self._decoded.keep_read(cast("bytes", sealed), record, table, columns)  # nothing else opens
        return record


def require_position(last: object) -> None:
    """Raise CorruptStore unless this is the position of a row in a table, or 0 for none."""
    # SQLite enforces no type on a column, and no key protects a position of which the row tells nothing.
    if type(last) is not int or not 0 <= last < MAX_SEQ:
        raise CorruptStore("the order of a table's rows was edited: restore the file from a copy")
