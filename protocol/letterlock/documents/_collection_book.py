"""What a store holds of collections: their logs (_log_book.py), epochs, and changes under way.

    COLLECTION         id              the state after the newest entry
    COLLECTION_ENTRY   id || number    every entry, verified before it was saved
    EPOCH              id || epoch     how each epoch began
    CHANGE             id || number    entries that this device made and that others may not have yet
    FORK               id              evidence of a fork

Every method runs inside the caller's transaction.

Not here: what entries do (_log_rules.py); grants, which hold the keys.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from letterlock._records.collection import LogState
from letterlock._records.collection_change import (
    ChangeRecord,
    EpochRecord,
    decode_change,
    decode_epoch,
    encode_change,
    encode_epoch,
)
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES
from letterlock._wire.collection_member import MemberName
from letterlock._wire.log_opening import CollectionOpening, LogKind, Opening
from letterlock.documents._collection_errors import CollectionForked, InvalidEntry
from letterlock.documents._log import Step
from letterlock.documents._log_book import LogBook, LogRows, log_key
from letterlock.documents._nesting import reached
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Store

_ROWS: Final = LogRows(
    LogKind.COLLECTION,
    EntryKind.COLLECTION,
    EntryKind.COLLECTION_ENTRY,
    EntryKind.FORK,
    "collection",
    CollectionForked,
)


class CollectionBook(LogBook):
    """The collections in a store: their logs, and what else there is of them."""

    __slots__ = ()

    def __init__(self, store: Store) -> None:
        super().__init__(store, _ROWS)

    def inside(self, collection: bytes) -> dict[bytes, LogState]:
        """Return a collection and all on record that are inside it, by their ids."""
        known = _Loading(self)
        found = ((each, known.get(each)) for each in reached(known, collection))
        return {each: state for each, state in found if state is not None}

    def save_steps(self, steps: Iterable[Step]) -> None:
        """Save verified entries, the epochs that they are in, and the state after them."""
        taken = tuple(steps)
        super().save_steps(taken)
        for step in taken:
            self._save_epoch(step.after)

    def forget(self, state: LogState) -> None:
        """Delete a collection: log, epochs, changes and evidence."""
        for epoch in range(1, state.epoch + 1):
            self._entries.delete(EntryKind.EPOCH, log_key(state.log_id, epoch))
        for number, _ in self.changes(state.log_id):
            self.delete_change(state.log_id, number)
        super().forget(state)

    # --- epochs -----------------------------------------------------------------------------------

    def epoch(self, collection: bytes, epoch: int) -> EpochRecord | None:
        """Return how an epoch began, or None if the log on record does not have it."""
        row = self._entries.load(EntryKind.EPOCH, log_key(collection, epoch))
        return None if row is None else row.record.decoded(decode_epoch)

    def save_epoch(self, collection: bytes, epoch: int, record: EpochRecord) -> None:
        """Insert or replace what is kept of an epoch."""
        row = EntryRow(
            EntryKind.EPOCH, log_key(collection, epoch), None, DeferredRecord(record, encode_epoch)
        )
        self._entries.save(row)

    def _save_epoch(self, state: LogState) -> None:
        known = self.epoch(state.log_id, state.epoch)
        if known is None or known.writers != state.writers:
            owed = frozenset[MemberName]() if known is None else known.owed
            record = EpochRecord(of_collection(state.opening), state.writers, owed)
            self.save_epoch(state.log_id, state.epoch, record)

    # --- changes under way ------------------------------------------------------------------------

    def changes(self, collection: bytes | None = None) -> list[tuple[int, ChangeRecord]]:
        """Return the changes under way of a collection with the numbers of their entries, in order."""
        rows = (
            each for each in self._entries.all(EntryKind.CHANGE) if each.key.startswith(collection or b"")
        )
        found = [(_number(each.key), each.record.decoded(decode_change)) for each in rows]
        return sorted(found, key=lambda each: each[0])

    def save_change(self, collection: bytes, number: int, change: ChangeRecord) -> None:
        """Insert or replace a change under way."""
        record = DeferredRecord(change, encode_change)
        self._entries.save(EntryRow(EntryKind.CHANGE, log_key(collection, number), None, record))

    def delete_change(self, collection: bytes, number: int) -> None:
        """Delete a change, if it exists."""
        self._entries.delete(EntryKind.CHANGE, log_key(collection, number))


class _Loading(Mapping[bytes, LogState]):
    """The collections on record, each read when it is asked for."""

    def __init__(self, book: CollectionBook) -> None:
        self._book = book
        self._found: dict[bytes, LogState | None] = {}

    def __getitem__(self, collection: bytes) -> LogState:
        if collection not in self._found:
            self._found[collection] = self._book.state(collection)
        state = self._found[collection]
        if state is None:
            raise KeyError(collection)
        return state

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._book.states())

    def __len__(self) -> int:
        return len(self._book.states())


def _number(key: bytes) -> int:
    return int.from_bytes(key[COLLECTION_ID_BYTES:], "big")


def of_collection(opening: Opening) -> CollectionOpening:
    """Return an opening in a log that is known to be a collection's. Raises InvalidEntry otherwise."""
    if not isinstance(opening, CollectionOpening):
        raise InvalidEntry("an opening is that of a group: discard the entry")
    return opening
