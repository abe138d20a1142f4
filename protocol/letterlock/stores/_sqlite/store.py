"""SqliteStore: keeps an account in one file, encrypted under the application's key and shared by processes.

migration.py     turns a store of release 0.1.0 into one of today
opening.py       opens or creates the file; its tables are in schema.py, its wrapped key in wrapped_key.py
backup.py        copies the store to another file
files.py         the path, and the files that SQLite keeps beside it
database.py      transactions and errors of the connection
cipher.py        seals records to their rows, and hides addresses and keys behind tags; labels in format.py
decoded_rows.py  keeps the rows decoded that were read or saved lately
calls.py         runs the library's own calls, and reads and saves the active session in them
account.py, peers.py, prekeys.py, replays.py, sessions.py, skipped_keys.py, past_chains.py, entries.py
one table each: its statements, and which columns are clear, tagged or sealed
"""

import os
import sqlite3
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import UsageError
from letterlock.limits import BUSY_TIMEOUT, DECODED_ROWS, DECODED_SECONDS
from letterlock.stores._interface import Tables
from letterlock.stores._sqlite.account import SqliteAccountTable
from letterlock.stores._sqlite.backup import back_up
from letterlock.stores._sqlite.calls import SqliteCalls
from letterlock.stores._sqlite.database import Database
from letterlock.stores._sqlite.decoded_rows import DecodedRows
from letterlock.stores._sqlite.entries import SqliteEntryTable
from letterlock.stores._sqlite.files import StoreFiles
from letterlock.stores._sqlite.past_chains import SqlitePastChainTable
from letterlock.stores._sqlite.peers import SqlitePeerTable
from letterlock.stores._sqlite.prekeys import SqlitePrekeyTable
from letterlock.stores._sqlite.replays import SqliteReplayTable
from letterlock.stores._sqlite.sessions import SqliteSessionTable
from letterlock.stores._sqlite.skipped_keys import SqliteSkippedKeyTable
from letterlock.stores._sqlite.wrapped_key import KeyOpener, Opener, PassphraseOpener


class SqliteStore(Uncopyable):
    """A store in an SQLite file. Opens the file at `path`, or creates it in a directory that exists.

    A leading `~` in `path` is the home directory. The path ":memory:" is refused: use `MemoryStore`.

    `key` is 32 random bytes that the application keeps elsewhere. A transaction waits up to `busy_timeout`
    seconds for another thread's transaction, and as long for another process's one, then raises StoreBusy.

    The store keeps up to `decoded_rows` records decoded in memory, so that messages cost less: those read or
    saved last, and the first of them for at most `decoded_seconds`. 0 for either keeps none. What is too old
    is dropped when the next transaction begins. A record is used only while the file holds it unchanged.

    If a file of the store is deleted, moved or replaced while it is open, transactions raise StoreError.

    Raises WrongKey, and leaves the file as it is; UnsupportedStore for a file that is no store, or a store of
    a later release; CorruptStore; StoreError if the file cannot be used, is read-only, or was moved without
    its -wal file; UsageError for a key that is not 32 bytes, for what is no path, and for other numbers that
    cannot be.
    """

    __slots__ = ("_database", "_name", "tables")

    tables: Tables
    """The account's tables, for use inside `transaction()`."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        key: bytes,
        busy_timeout: float = BUSY_TIMEOUT,
        decoded_rows: int = DECODED_ROWS,
        decoded_seconds: float = DECODED_SECONDS,
    ) -> None:
        self._attach(path, KeyOpener(key), busy_timeout, DecodedRows(decoded_rows, decoded_seconds))

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        passphrase: str,
        busy_timeout: float = BUSY_TIMEOUT,
        decoded_rows: int = DECODED_ROWS,
        decoded_seconds: float = DECODED_SECONDS,
    ) -> Self:
        """Open or create a store with a passphrase of 1 to 4,096 bytes. Raises what the constructor raises.

        Argon2id stretches the passphrase, which is slow on purpose.
        """
        store = cls.__new__(cls)
        decoded = DecodedRows(decoded_rows, decoded_seconds)
        cls._attach(store, path, PassphraseOpener(passphrase), busy_timeout, decoded)
        return store

    def _attach(
        self, path: str | os.PathLike[str], opener: Opener, busy_timeout: float, decoded: DecodedRows
    ) -> None:
        files = StoreFiles(path)
        self._name = files.name
        self._database = Database(files, opener, busy_timeout, decoded)
        self.tables = _SqliteTables(self._database)

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for the application's own tables. Raises StoreError outside `transaction()`.

        The store owns all names that begin with `letterlock_`, and user_version and application_id. Never
        commit on the connection; `with connection` and `executescript` commit too.
        """
        return self._database.connection

    def transaction(self) -> AbstractContextManager[None]:
        """Begin a transaction, or one inside the caller's own; commit on return, undo on an exception.

        Raises UsageError inside a transaction of another task of this thread, and StoreBusy.
        """
        return self._database.transaction()

    def rekey(self, *, key: bytes | None = None, passphrase: str | None = None) -> None:
        """Change what opens the store to a key of 32 bytes or to a passphrase: give one of them.

        The rows stay as they are, since they are sealed under a data key that only this key or passphrase
        wraps. Whoever has an old copy of the file and what opened it then has the data key, and reads later
        copies too: after a theft, make a new account instead.

        The change is one transaction. Raises StoreBusy if the store is open in another process or object,
        UsageError inside a transaction and for what is no key or passphrase, StoreError.
        """
        if (key is None) == (passphrase is None):
            raise UsageError("give either a key or a passphrase")
        opener = KeyOpener(key) if key is not None else PassphraseOpener(passphrase or "")
        self._database.rekey(opener)

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the store to a new file at `path`, which only its owner may read. Others may go on writing.

        The copy is what was committed at one moment, in one file. It holds live rows only, and nothing of
        what was deleted. It opens with this store's key or passphrase. A restored copy repeats keys: initiate
        new sessions afterwards, with `discard_earlier`.

        Raises UsageError if there is a file at `path` or a log beside it; CorruptStore if an old row was put
        back into the store, or one was deleted; StoreError if the copy cannot be written. Then there is no
        copy.
        """
        back_up(self._database, StoreFiles(path))

    def close(self) -> None:
        """Close the file. In a forked child this does nothing, since the parent still uses the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SqliteStore {self._name!r}>"

    def _own_calls(self) -> SqliteCalls:
        """See `calls_of`."""
        return SqliteCalls(self._database)


class _SqliteTables:
    def __init__(self, database: Database) -> None:
        self.account = SqliteAccountTable(database)
        self.peers = SqlitePeerTable(database)
        self.prekeys = SqlitePrekeyTable(database)
        self.replays = SqliteReplayTable(database)
        self.sessions = SqliteSessionTable(database)
        self.skipped_keys = SqliteSkippedKeyTable(database)
        self.past_chains = SqlitePastChainTable(database)
        self.entries = SqliteEntryTable(database)
