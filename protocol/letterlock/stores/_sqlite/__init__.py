"""An account in an SQLite file: one module for each table, and what they share."""

from letterlock.stores._sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
