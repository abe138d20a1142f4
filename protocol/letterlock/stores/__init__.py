"""Where an account lives between calls. Stores know records, not keys."""

from letterlock.stores._interface import (
    AccountTable,
    PastChainTable,
    PeerTable,
    PrekeyRow,
    PrekeyTable,
    Record,
    ReplayTable,
    SessionRow,
    SessionTable,
    SideDataTable,
    SkippedKeyTable,
    SkippedRow,
    Store,
    Tables,
)
from letterlock.stores._memory import MemoryStore
from letterlock.stores._sqlite import SqliteStore

__all__ = [
    "AccountTable",
    "MemoryStore",
    "PastChainTable",
    "PeerTable",
    "PrekeyRow",
    "PrekeyTable",
    "Record",
    "ReplayTable",
    "SessionRow",
    "SessionTable",
    "SideDataTable",
    "SkippedKeyTable",
    "SkippedRow",
    "SqliteStore",
    "Store",
    "Tables",
]
