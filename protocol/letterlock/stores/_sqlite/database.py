"""Database: one SQLite connection, its transactions, and its errors translated to ours.

    level 0      BEGIN IMMEDIATE ... COMMIT: one writer at a time across processes; durable at COMMIT
    level n      SAVEPOINT ... RELEASE inside it                                                [STO-1]

    SQLITE_BUSY, _LOCKED                   -> StoreBusy
    SQLITE_CORRUPT, undecodable text       -> CorruptStore
    SQLITE_CONSTRAINT                      -> CorruptStore: a row is taken, or its owner is missing
    SQLITE_NOTADB                          -> UnsupportedStore, UsageError
    anything else                          -> StoreError

SQLite's error texts name tables and columns, never values, so ours may quote them.

Not here: the statements (schema.py, account.py and its neighbours); threads, tasks and forks (StoreLock).
"""

import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import CorruptStore, StoreBusy, StoreError, UnsupportedStore, UsageError
from letterlock.limits import MAX_LOG_PAGES
from letterlock.stores._calls import Run
from letterlock.stores._lock import StoreLock
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.decoded_rows import DecodedRows
from letterlock.stores._sqlite.digest import ConnectionRunner, Digest
from letterlock.stores._sqlite.files import StoreFiles
from letterlock.stores._sqlite.format import Column
from letterlock.stores._sqlite.opening import SQLITE_ERRORS, connect, open_database, replace_wrapped_key
from letterlock.stores._sqlite.wrapped_key import Opener, WrappedKey
from letterlock.stores._transaction import Transaction


class Database(Uncopyable):
    """An open store file, and the cipher of its rows. Opening raises what `opening.connect` raises."""

    __slots__ = (
        "_begun",
        "_connection",
        "_cursor",
        "_data_key",
        "_empty_at_commit",
        "_files",
        "_lock",
        "_timeout",
        "cipher",
        "decoded",
        "digest",
    )

    def __init__(self, files: StoreFiles, opener: Opener, timeout: float, decoded: DecodedRows) -> None:
        self._lock = StoreLock(timeout)
        self._timeout = self._lock.timeout
        self._begun = False
        self._files = files
        self._empty_at_commit = False
        try:
            self._connection, data_key = connect(files, opener, self._timeout)
        except SQLITE_ERRORS as error:
            raise store_error(error, self._timeout) from error
        self._data_key = data_key
        self._cursor = self._connection.cursor()
        self._cursor.row_factory = None  # the application may set its own on the connection
        self.cipher = StoreCipher(data_key)
        self.decoded = decoded
        self.digest = Digest(self, self.cipher)
        try:
            self.digest.require_at_opening(self._connection)
        except SQLITE_ERRORS as error:
            self._connection.close()
            raise store_error(error, self._timeout) from error
        except BaseException:
            self._connection.close()
            raise

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, inside a transaction. STO-2"""
        self._lock.require_inside(sys._getframe(1))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self._require_transaction()
        return self._connection

    def transaction(self) -> Transaction:
        """Return a transaction, which is a savepoint inside another one."""
        return Transaction(self._lock, self)

    def savepoint(self) -> Transaction:
        """Return an inner transaction, for a method whose statements may fail half-way. [STO-4]"""
        self._require_transaction()
        return Transaction(self._lock, self, nests=False)

    def begin(self, level: int) -> int:
        """Begin a transaction or a savepoint. The mark that it returns has no meaning here."""
        if level:
            self._execute(f"SAVEPOINT {_savepoint(level)}")
            return 0
        if self._connection.in_transaction:
            if not self._begun:
                raise StoreError("the connection is in a transaction that is not the store's: end it first")
            self._rollback()  # two interrupts have stopped the undoing
        self._begun = True
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except SQLITE_ERRORS as error:
            raise store_error(error, self._timeout) from error
        self._files.require_unchanged()
        self.decoded.begin()
        return 0

    def commit(self, level: int) -> None:
        """Commit a transaction, or release a savepoint. The lock has checked who asks."""
        if not self._connection.in_transaction:
            raise StoreError(_ENDED_INSIDE)
        if level:
            self._execute(f"RELEASE {_savepoint(level)}")
            return
        try:
            self._connection.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            # Our own constraints are all checked at once, before the commit.
            raise StoreError("a deferred constraint of the application's own tables fails") from error
        except SQLITE_ERRORS as error:
            raise store_error(error, self._timeout) from error
        self._begun = False
        # If the log was deleted since the transaction began, the commit went into a file without a name.
        # The log keeps every page as it was after each commit, and so the keys deleted since.  STO-12
        if self._files.log_size() > _MAX_LOG_BYTES or self._empty_at_commit:
            self._empty_at_commit = False
            self._empty_log()

    def undo(self, level: int, mark: int) -> None:  # noqa: ARG002
        """Undo what `level` did. If that fails, undo the outermost transaction: nothing may be committed."""
        if self._lock.inherited or not self._begun:
            return
        self.decoded.undo()
        if level and self._connection.in_transaction:
            with suppress(StoreError):
                self._execute(f"ROLLBACK TO {_savepoint(level)}")
                self._execute(f"RELEASE {_savepoint(level)}")
                return
        self._rollback()

    @property
    def run_call(self) -> Run:
        """What runs a call of the library in a transaction."""
        return cast("Run", partial(self._lock.run, self))

    def select(self, sql: str, *values: Column) -> list[tuple[Any, ...]]:
        """Return all rows of a query, in a call of the library.

        Nothing else uses its cursor, so no code that interrupts the call takes the rows away.
        """
        try:
            return self._cursor.execute(sql, values).fetchall()
        except SQLITE_ERRORS as error:
            raise store_error(error, self._timeout) from error

    def change(self, sql: str, *values: Column) -> int:
        """Run one statement in a call of the library; return how many rows it changed."""
        try:
            return self._cursor.execute(sql, values).rowcount
        except SQLITE_ERRORS as error:
            raise store_error(error, self._timeout) from error

    def run(self, sql: str, *values: Column) -> int:
        """Run one statement; return how many rows it changed."""
        self._require_transaction()
        return self._execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Column]]) -> None:
        """Run one statement for each row."""
        self._require_transaction()
        try:
            self._connection.cursor().executemany(sql, rows)
        except SQLITE_ERRORS as error:
            raise store_error(error, self._timeout) from error

    def rows(self, sql: str, *values: Column) -> list[tuple[Any, ...]]:
        """Return all rows of a query that limits them itself. SQLite guarantees no type for a column."""
        self._require_transaction()
        try:
            return self._execute(sql, values).fetchall()
        except SQLITE_ERRORS as error:
            raise store_error(error, self._timeout) from error

    def row(self, sql: str, *values: Column) -> tuple[Any, ...] | None:
        """Return the one row of a query, or None."""
        rows = self.rows(sql, *values)
        return rows[0] if rows else None

    def number(self, sql: str, *values: Column) -> int:
        """Return the number that a query counts."""
        number: int = self.rows(sql, *values)[0][0]
        return number

    def empty_log_at_commit(self) -> None:
        """Let the next commit copy the write-ahead log into the file."""
        self._empty_at_commit = True

    def vacuum_into(self, path: Path) -> None:
        """Write what is committed to an empty file: live rows only. Transactions may go on meanwhile.

        Raises CorruptStore if rows of the copy are not those that were saved.
        """
        if self._lock.inherited:
            raise StoreError("this store was opened before a fork: open it again in the child process")
        try:
            self._connection.total_changes  # noqa: B018 - raises if the store is closed
            with closing(open_database(self._files.path, "mode=rw", self._timeout)) as second:
                second.execute("VACUUM INTO ?", (str(path),))
            # All of one moment: a check of the store itself would see what others committed since.
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
                Digest(ConnectionRunner(copy), self.cipher).require_all()
        except SQLITE_ERRORS as error:
            raise store_error(error, self._timeout) from error

    def rekey(self, opener: Opener) -> None:
        """Wrap the data key for another opener, outside transactions. Raises UsageError, StoreBusy."""
        key = WrappedKey.seal(self._data_key, opener)
        with Transaction(self._lock, _Rekeying()):
            self._files.require_unchanged()
            try:
                replace_wrapped_key(self._connection, key, self._files, self._timeout)
            except SQLITE_ERRORS as error:
                raise store_error(error, self._timeout) from error

    def close(self) -> None:
        """Copy the write-ahead log into the file and close it."""
        self._lock.close(self._close)

    def _close(self) -> None:
        self.decoded.clear()
        # What was committed is durable in the log as well. So a checkpoint that fails, or that would wait for
        # another process, is skipped.
        try:
            self._files.require_unchanged()
            self._empty_log()
        except StoreError:
            # SQLite would copy its outdated log over what another process has written since.
            # An earlier close that was interrupted may have closed the connection already.
            with suppress(sqlite3.ProgrammingError):
                self._connection.interrupt()
        self._connection.close()

    def _require_transaction(self) -> None:
        self._lock.require()
        # Without a transaction, the next statement would be committed by itself.
        if not self._connection.in_transaction:
            raise StoreError(_ENDED_INSIDE)

    def _execute(self, sql: str, values: Sequence[Column] = ()) -> sqlite3.Cursor:
        try:
            cursor = self._connection.cursor()
            cursor.row_factory = None  # the application may have set its own on the connection
            return cursor.execute(sql, values)
        except SQLITE_ERRORS as error:
            raise store_error(error, self._timeout) from error

    def _empty_log(self) -> None:
        """Copy the log into the file and truncate it, unless another connection is using it: then later."""
        with suppress(*SQLITE_ERRORS):
            self._connection.execute("PRAGMA busy_timeout = 0")
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._connection.execute(f"PRAGMA busy_timeout = {int(self._timeout * 1000)}")

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            self._execute("ROLLBACK")
        self._begun = False


class _Rekeying:
    """A change of the key, which commits by itself: it leaves nothing for the lock to commit or undo."""

    def begin(self, level: int) -> int:
        if level:
            raise UsageError("a store's key is changed outside its transactions: leave the block first")
        return 0

    def commit(self, level: int) -> None:
        """Leave what was committed."""

    def undo(self, level: int, mark: int) -> None:
        """Leave what was undone."""


_PAGE_BYTES: Final = 4096
_FRAME_HEADER_BYTES: Final = 24
_MAX_LOG_BYTES: Final = MAX_LOG_PAGES * (_PAGE_BYTES + _FRAME_HEADER_BYTES) + 32
"""The log's header has 32 bytes; each page in it has a header of 24."""

_ENDED_INSIDE: Final = (
    "the store's transaction was ended inside its block: leave COMMIT and ROLLBACK to the store, and avoid "
    "`with connection`, `commit()` and `executescript()`, which commit too"
)


def store_error(error: sqlite3.Error | UnicodeDecodeError, timeout: float) -> StoreError:
    """Return our error for one of SQLite's. `timeout` is how long a busy one waited, in seconds."""
    code: int | None = getattr(error, "sqlite_errorcode", None)  # None if the Python module raised it itself
    match code and code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(f"another transaction kept the store locked for {timeout:g} s: try again")
        case sqlite3.SQLITE_CORRUPT:
            return CorruptStore(f"{error}: restore the file from a copy")
        case sqlite3.SQLITE_CONSTRAINT:
            return CorruptStore(f"a row exists already, or what it belongs to does not: {error}")
        case sqlite3.SQLITE_NOTADB:
            return UnsupportedStore("this file is not a letterlock store, nor any database")
        case None if isinstance(error, sqlite3.OperationalError | UnicodeDecodeError):
            # Text that is not UTF-8, in the schema or in a column where we store no text. The module's text
            # would quote it.
            return CorruptStore("the file holds text that was never stored there: restore it from a copy")
        case _:
            return StoreError(f"the store cannot be used: {error}")


def _savepoint(level: int) -> str:
    return f"letterlock_{level}"
