"""SqliteTable: what the tables of the SQLite store share.

A row is replaced with UPSERT everywhere. INSERT OR REPLACE would delete the old row first, and the cascade
would delete a peer's sessions with it.
"""

from typing import Final, TypeAlias, cast

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import CorruptStore
from letterlock.stores._interface import AnyRecord
from letterlock.stores._sqlite.database import Database
from letterlock.stores._sqlite.format import Column

SealedRow: TypeAlias = tuple[Column, ...]
"""The columns of a row as they are written, with the record sealed."""

MAX_SEQ: Final = 2**62
"""Further than any store counts. Beyond it, the next position would not fit into a column."""


class SqliteTable(Uncopyable):
    """One table of an open store file."""

    __slots__ = ("_cipher", "_database", "_decoded")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cipher = database.cipher
        self._decoded = database.decoded

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
