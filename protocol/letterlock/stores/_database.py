"""One SQLite connection: its transactions, and its errors in our words.

    level 0      BEGIN IMMEDIATE ... COMMIT: one writer at a time across processes; durable at COMMIT
    level n      SAVEPOINT ... RELEASE inside it                                                [STO-1]

    SQLITE_BUSY, _LOCKED                   -> StoreBusy
    SQLITE_CORRUPT, undecodable text       -> CorruptStore
    SQLITE_CONSTRAINT                      -> CorruptStore: a row is taken, or its owner is missing
    SQLITE_NOTADB                          -> UnsupportedStore
    anything else                          -> StoreError

SQLite's texts name tables and columns, never values, so they may stand in ours.

Not here: what the statements say (sqlite.py, schema.py); threads and forks (turn.py).
"""

import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import CorruptStore, StoreBusy, StoreError, UnsupportedStore
from letterlock.stores import _schema as schema
from letterlock.stores._lock import StoreLock
from letterlock.stores._vault import Opener, Vault

Value: TypeAlias = bytes | int | None


class Database(Uncopyable):
    """An open store file, and the vault that goes with it. See schema.connect for what opening raises."""

    __slots__ = ("_connection", "_lock", "_timeout", "vault")

    def __init__(self, path: Path, opener: Opener, timeout: float) -> None:
        self._lock = StoreLock()
        self._timeout = timeout
        try:
            self._connection, data_key = schema.connect(path, opener, timeout)
        except sqlite3.Error as error:
            raise failure(error, timeout) from error
        self.vault = Vault(data_key)

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, inside a transaction. STO-2"""
        self._require_transaction()
        return self._connection

    @contextmanager
    def transaction(self) -> Generator[None]:
        """See Store.transaction."""
        with self._lock.hold() as level:
            if level == 0 and self._connection.in_transaction:
                raise StoreError("the connection is in a transaction that is not the store's: end it first")
            try:
                self._execute(f"SAVEPOINT {_savepoint(level)}" if level else "BEGIN IMMEDIATE")
                yield
                self._commit(level)
            except BaseException:
                self._undo(level)
                raise

    def savepoint(self) -> AbstractContextManager[None]:
        """Return an inner transaction, for a call of several statements that may fail half-way. [STO-4]"""
        self._require_transaction()
        return self.transaction()

    def run(self, sql: str, *values: Value) -> int:
        """Run one statement; return how many rows it changed."""
        self._require_transaction()
        return self._execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run one statement for each row."""
        self._require_transaction()
        try:
            self._connection.cursor().executemany(sql, rows)
        except sqlite3.Error as error:
            raise failure(error, self._timeout) from error

    def rows(self, sql: str, *values: Value) -> list[tuple[Any, ...]]:
        """Return all rows of a query, which bounds them itself. The columns' types are not to be trusted."""
        self._require_transaction()
        try:
            return self._execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise failure(error, self._timeout) from error

    def row(self, sql: str, *values: Value) -> tuple[Any, ...] | None:
        """Return the one row of a query, or None."""
        rows = self.rows(sql, *values)
        return rows[0] if rows else None

    def number(self, sql: str, *values: Value) -> int:
        """Return the one number a query counts."""
        number: int = self.rows(sql, *values)[0][0]
        return number

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it."""
        with self._lock.closing() as first:
            if not first:
                return
            # What was committed is safe in the log as well: a checkpoint that meets another process, or
            # fails, is not worth waiting for, nor an error.
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._connection.close()

    def _require_transaction(self) -> None:
        self._lock.require()
        # Without one the next statement would be on its own, and durable on its own.
        if not self._connection.in_transaction:
            raise StoreError(_ENDED)

    def _execute(self, sql: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        try:
            cursor = self._connection.cursor()
            cursor.row_factory = None  # the application may have set its own on the connection
            return cursor.execute(sql, values)
        except sqlite3.Error as error:
            raise failure(error, self._timeout) from error

    def _commit(self, level: int) -> None:
        self._lock.require_innermost(level)
        self._require_transaction()
        if level:
            self._execute(f"RELEASE {_savepoint(level)}")
            return
        try:
            self._connection.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            # None of our constraints waits for the commit.
            raise StoreError("a deferred constraint of the application's own tables fails") from error
        except sqlite3.Error as error:
            raise failure(error, self._timeout) from error

    def _undo(self, level: int) -> None:
        """Undo what `level` did. If that fails nothing may be committed any more, so all of it goes."""
        if self._lock.inherited or not self._connection.in_transaction:
            return
        if level:
            with suppress(StoreError):
                self._execute(f"ROLLBACK TO {_savepoint(level)}")
                self._execute(f"RELEASE {_savepoint(level)}")
                return
        self._execute("ROLLBACK")


_ENDED: Final = (
    "the store's transaction was ended inside its block: leave COMMIT and ROLLBACK to the store, and avoid "
    "`with connection`, `commit()` and `executescript()`, which commit too"
)


def failure(error: sqlite3.Error, timeout: float) -> StoreError:
    """Return our error for one of SQLite's. `timeout` is what a busy one waited, in seconds."""
    code: int | None = getattr(error, "sqlite_errorcode", None)  # none if the module itself complains
    match code and code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(f"another transaction kept the store locked for {timeout:g} s: try again")
        case sqlite3.SQLITE_CORRUPT:
            return CorruptStore(f"{error}: restore the file from a copy")
        case sqlite3.SQLITE_CONSTRAINT:
            return CorruptStore(f"a row exists already, or what it belongs to does not: {error}")
        case sqlite3.SQLITE_NOTADB:
            return UnsupportedStore("this file is not a letterlock store, nor any database")
        case None if isinstance(error, sqlite3.OperationalError):
            # A text that is no UTF-8, where we store none; the module's message would quote it.
            return CorruptStore("a column holds what was never stored there: restore the file from a copy")
        case _:
            return StoreError(f"the store cannot be used: {error}")


def _savepoint(level: int) -> str:
    return f"letterlock_{level}"
