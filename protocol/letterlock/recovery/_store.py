"""Where a server keeps its records, one for each user: what it needs, and the same on a `Store`.

    entry    kind LOCK, key user id, record as in _records/recovery.py

A `SqliteStore` seals every record under the store's key, and shows user ids as tags only.

Not here: stores (stores/).
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._records.recovery import RecoveryRecord, decode_recovery
from letterlock.stores import EntryKind, EntryRow, Store

T = TypeVar("T")

Step = Callable[[RecoveryRecord | None], tuple[RecoveryRecord, T]]
"""Takes the record, or None, and returns the next one with an answer."""


class RecoveryStore(Protocol):
    """Where a server keeps its records. Methods may raise StoreError."""

    def load(self, user_id: bytes) -> RecoveryRecord | None:
        """Return the record of a user (32 bytes), or None."""
        ...

    def change(self, user_id: bytes, step: Step[T]) -> T:
        """Change the record of a user, and return the step's answer once the change is durable. [REC-9]

        Two changes of one user never see the same record: the second waits for the first. What raises inside
        `step` changes nothing.
        """
        ...


class StoredLocks(Uncopyable):
    """Keeps the records in a store: a `SqliteStore`, or a `MemoryStore` for tests."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, user_id: bytes) -> RecoveryRecord | None:
        """Return the record of a user (32 bytes), or None. Raises StoreError."""
        with self._store.transaction():
            return self._load(user_id)

    def change(self, user_id: bytes, step: Step[T]) -> T:
        """Change a user's record in one transaction. Raises StoreError, and what `step` raises. [REC-9]"""
        with self._store.transaction():
            before = self._load(user_id)
            after, answer = step(before)
            if after is not before:
                self._store.tables.entries.save(EntryRow(EntryKind.LOCK, user_id, None, after.encode()))
        return answer

    def _load(self, user_id: bytes) -> RecoveryRecord | None:
        row = self._store.tables.entries.load(EntryKind.LOCK, user_id)
        return None if row is None else row.record.decoded(decode_recovery)

    def __repr__(self) -> str:
        return "<StoredLocks>"
