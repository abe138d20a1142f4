"""An account in an SQLite file: one module for each table, and what they share."""

from letterlock.stores._sqlite.looking import OpenedWith, opened_with, require_place
from letterlock.stores._sqlite.store import SqliteStore

__all__ = ["OpenedWith", "SqliteStore", "opened_with", "require_place"]
