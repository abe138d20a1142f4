"""SqliteStore: an account in one file, encrypted under the application's key, shared by processes.

Each table has a module of its own, which says what its columns hold. A column is either sealed or clear, and
what is sealed is bound to the clear columns of its row. A tag is a keyed hash that stands for an address or a
key in a clear column: with the store's key it is found again, without it says nothing.

Not here: the tables' statements (account.py and its neighbours), their definition (_schema.py),
transactions and errors (_database.py), keys and sealing (_vault.py).
"""

import os
import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import StoreError
from letterlock.limits import BUSY_TIMEOUT
from letterlock.stores._database import Database
from letterlock.stores._interface import Tables
from letterlock.stores._sqlite.account import SqliteAccountTable
from letterlock.stores._sqlite.past_chains import SqlitePastChainTable
from letterlock.stores._sqlite.peers import SqlitePeerTable
from letterlock.stores._sqlite.prekeys import SqlitePrekeyTable
from letterlock.stores._sqlite.replays import SqliteReplayTable
from letterlock.stores._sqlite.sessions import SqliteSessionTable
from letterlock.stores._sqlite.side_data import SqliteSideDataTable
from letterlock.stores._sqlite.skipped_keys import SqliteSkippedKeyTable
from letterlock.stores._vault import KeyOpener, Opener, PassphraseOpener


class SqliteStore(Uncopyable):
    """A store in an SQLite file. Opens the one at `path`, or makes it; the directory must exist.

    `key` is 32 random bytes that the application keeps elsewhere. Waits up to `busy_timeout` seconds for
    another process's transaction, then raises StoreBusy. Threads of one process wait for each other.

    Raises WrongKey (and leaves the file as it is), CorruptStore, UnsupportedStore for a file that is no
    store or a later one, StoreError for whatever the disk says, UsageError for a key of the wrong shape.
    """

    __slots__ = ("_database", "_name", "tables")

    tables: Tables

    def __init__(
        self, path: str | os.PathLike[str], *, key: bytes, busy_timeout: float = BUSY_TIMEOUT
    ) -> None:
        self._attach(Path(path), KeyOpener(key), busy_timeout)

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, passphrase: str, busy_timeout: float = BUSY_TIMEOUT
    ) -> Self:
        """Open or make a store with a passphrase, stretched by Argon2id: some tenths of a second."""
        store = cls.__new__(cls)
        cls._attach(store, Path(path), PassphraseOpener(passphrase), busy_timeout)
        return store

    def _attach(self, path: Path, opener: Opener, busy_timeout: float) -> None:
        if path.is_dir():
            raise StoreError(f"{path.name!r} is a directory: name a file in it")
        self._name = path.name
        self._database = Database(path, opener, busy_timeout)
        self.tables = _SqliteTables(self._database)

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for the application's own tables inside `transaction()`; elsewhere StoreError.

        Names that begin with `letterlock_` are the store's, and so are user_version and application_id.
        Never commit on it, which `with connection` and `executescript` do too.
        """
        return self._database.connection

    def transaction(self) -> AbstractContextManager[None]:
        """Begin a transaction, or join the open one; commit on return, undo on an exception."""
        return self._database.transaction()

    def close(self) -> None:
        """Close the file. Does nothing in a forked child, whose parent goes on using the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SqliteStore {self._name!r}>"


class _SqliteTables:
    def __init__(self, database: Database) -> None:
        vault = database.vault
        self.account = SqliteAccountTable(database, vault)
        self.peers = SqlitePeerTable(database, vault)
        self.prekeys = SqlitePrekeyTable(database, vault)
        self.replays = SqliteReplayTable(database, vault)
        self.sessions = SqliteSessionTable(database, vault)
        self.skipped_keys = SqliteSkippedKeyTable(database, vault)
        self.past_chains = SqlitePastChainTable(database, vault)
        self.side_data = SqliteSideDataTable(database, vault)
