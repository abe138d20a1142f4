"""Calls on a store of any author: through its `transaction()` and its tables, as the interface says.

Not here: the stores of the library, which have calls of their own (_memory_rows.py, _sqlite/calls.py).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar, TypeVarTuple

from letterlock.stores._calls import StoreCalls
from letterlock.stores._interface import AnyRecord, SessionRow, SkippedKey, Store

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class AnyStoreCalls:
    """Calls on a store of which nothing is known but the interface."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, call: Callable[[*Ts], T], /, *arguments: *Ts) -> T:
        """See StoreCalls."""
        with self._store.transaction():
            return call(*arguments)

    def active(self, address: bytes) -> SessionRow | None:
        """See StoreCalls."""
        rows = self._store.tables.sessions.load(address, 1)
        return rows[0] if rows else None

    def save_active(self, row: SessionRow, record: AnyRecord) -> None:
        """See StoreCalls."""
        self._store.tables.sessions.save(SessionRow(row.id, row.address, row.rank, record))

    def kept(self, row: SessionRow, places: Sequence[tuple[bytes, int]]) -> list[SkippedKey]:
        """See StoreCalls."""
        table = self._store.tables.skipped_keys
        found = [table.find(row.address, chain, number) for chain, number in places]
        own = [key for key in found if key is not None and key.session_id == row.id]
        return own if len(own) == len(found) else []

    def delete_kept(self, keys: Sequence[SkippedKey]) -> None:
        """See StoreCalls."""
        for key in keys:
            self._store.tables.skipped_keys.delete(key)


def calls_of(store: Store) -> StoreCalls:
    """Return how the library's own calls use a store."""
    # A subclass may do something in `transaction`, so it is a store of another author. The class is not
    # named here: SQLite is imported by programs that use it.
    own: Callable[[Store], StoreCalls] | None = vars(type(store)).get("_own_calls")
    return AnyStoreCalls(store) if own is None else own(store)
