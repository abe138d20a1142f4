"""What the tables of the SQLite store share: the database, and the vault that seals their records.

Replacing is UPSERT throughout: INSERT OR REPLACE deletes first, and the cascade would take a peer's
sessions along.
"""

from typing import TypeAlias

from letterlock._primitives.secret import Uncopyable
from letterlock.stores._database import Database
from letterlock.stores._vault import Vault

SealedRow: TypeAlias = tuple[bytes | int | None, ...]


class SqliteTable(Uncopyable):
    """A table of an open store file."""

    __slots__ = ("_database", "_vault")

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
