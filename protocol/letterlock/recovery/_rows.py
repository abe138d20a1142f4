"""Where the servers keep what is no lock: rows of bytes, one for each kind and key; and what is done to them.

    second lock         kind SECOND_LOCK, key user id
    identities          kind PERSON, key the tag of an address
    time as counted     kind HOURS, key empty

A plan reads and writes nothing by itself, so it serves a store that is called as well as one that is awaited:

    plan.answer(rows.change(plan.kind, plan.key, plan.step, plan.ends))

A `SqliteStore` seals every row under the store's key, and shows keys as tags only.

Not here: stores (stores/); the records (_records/second_lock.py, _records/provisional.py).
"""

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock.stores import EntryKind, EntryRow, Record, Store

T = TypeVar("T")
Answer = TypeVar("Answer")

RowStep = Callable[[Record | None], tuple[Record | None, T]]
"""Takes a record, or None, and returns the next one, or None for no row, with an answer."""


RowEnd = Callable[[Record], int | None]
"""Returns when something in a record ends, in seconds that the server counted; None: never."""


def never(record: Record) -> None:
    """Say of a record that nothing in it ends."""


class Rows(Protocol):
    """Where a server keeps rows. Methods may raise StoreError."""

    def change(self, kind: EntryKind, key: bytes, step: RowStep[T], ends: RowEnd = never) -> T:
        """Change a row, and return the step's answer once the change is durable.

        Two changes of one row never see the same record: the second waits for the first. What raises inside
        `step` changes nothing. Nothing is written if `step` returns the record that it was given. `ends`
        says of what is written when something in it ends.
        """
        ...

    def ended(self, kind: EntryKind, counted: int, limit: int) -> list[bytes]:
        """Return the keys of up to `limit` rows in which something has ended by then, the earliest first."""
        ...


class RowPlan(Uncopyable, Generic[Answer]):
    """What is to be done to a row, and the answer that follows from what the step returns.

    `answer` must run only when the change is durable. [REC-38] [PRV-3]
    """

    __slots__ = ("answer", "ends", "key", "kind", "step")

    def __init__(
        self,
        kind: EntryKind,
        key: bytes,
        step: RowStep[Any],
        answer: Callable[[Any], Answer],
        ends: RowEnd = never,
    ) -> None:
        self.kind = kind
        self.key = key
        self.step = step
        self.answer = answer
        self.ends = ends

    def carry_out(self, rows: Rows) -> Answer:
        """Carry the plan out on rows that are called. Raises StoreError, and what the step raises."""
        return self.answer(rows.change(self.kind, self.key, self.step, self.ends))

    def __repr__(self) -> str:
        return "<RowPlan>"


class StoredRows(Uncopyable):
    """Keeps rows in a store: a `SqliteStore`, or a `MemoryStore` for tests."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def change(self, kind: EntryKind, key: bytes, step: RowStep[T], ends: RowEnd = never) -> T:
        """Change a row in one transaction. Raises StoreError, and what `step` raises."""
        entries = self._store.tables.entries
        with self._store.transaction():
            row = entries.load(kind, key)
            before = None if row is None else Record(row.record.expose())
            after, answer = step(before)
            if after is None and before is not None:
                entries.delete(kind, key)
            elif after is not None and after is not before:
                entries.save(EntryRow(kind, key, ends(after), after))
        return answer

    def ended(self, kind: EntryKind, counted: int, limit: int) -> list[bytes]:
        """Return the keys of rows in which something has ended. Raises StoreError."""
        with self._store.transaction():
            return [each.key for each in self._store.tables.entries.due(kind, counted, limit)]

    def __repr__(self) -> str:
        return "<StoredRows>"
