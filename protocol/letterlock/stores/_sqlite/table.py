"""SqliteTable: what the tables of the SQLite store share.

A row is replaced with UPSERT everywhere. INSERT OR REPLACE would delete the old row first, and the cascade
would delete a peer's sessions with it.
"""

from typing import TypeAlias

from letterlock._primitives.secret import Uncopyable
from letterlock.stores._sqlite.database import Database
from letterlock.stores._sqlite.format import Column

SealedRow: TypeAlias = tuple[Column, ...]
"""The columns of a row as they are written, with the record sealed."""


class SqliteTable(Uncopyable):
    """One table of an open store file."""

    __slots__ = ("_cipher", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cipher = database.cipher
