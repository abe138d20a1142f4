"""What a store holds of collections: their logs, what these come to, epochs, and changes under way.

    COLLECTION         id              the state after the newest entry
    COLLECTION_ENTRY   id || number    every entry, verified before it was saved
    EPOCH              id || epoch     how each epoch began
    CHANGE             id || number    entries that this device made and that others may not have yet
    FORK               id              evidence of a fork

Every method runs inside the caller's transaction.

Not here: what entries do (_log_rules.py); grants, which hold the keys.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from letterlock._records.collection import LogState, decode_log, encode_log
from letterlock._records.collection_change import (
    ChangeRecord,
    EpochRecord,
    decode_change,
    decode_epoch,
    encode_change,
    encode_epoch,
)
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES, MAX_COLLECTIONS
from letterlock._wire.collection_member import MemberName
from letterlock._wire.log_entry import LogEntry
from letterlock.documents._collection_errors import CollectionForked
from letterlock.documents._log import Step
from letterlock.documents._nesting import reached
from letterlock.errors import CorruptStore, UsageError
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Record, Store


class CollectionBook:
    """The collections in a store."""

    __slots__ = ("_entries",)

    def __init__(self, store: Store) -> None:
        self._entries = store.tables.entries

    # --- states -----------------------------------------------------------------------------------

    def state(self, collection: bytes) -> LogState | None:
        """Return what is on record of a collection, or None."""
        row = self._entries.load(EntryKind.COLLECTION, collection)
        return None if row is None else row.record.decoded(decode_log)

    def require(self, collection: bytes) -> LogState:
        """Return the same. Raises UsageError for an id that is unknown, or that is none."""
        if type(collection) is not bytes or len(collection) != COLLECTION_ID_BYTES:
            raise UsageError(f"a collection id is {COLLECTION_ID_BYTES} bytes")
        state = self.state(collection)
        if state is None:
            raise UsageError("no collection has this id: take its log first")
        return state

    def require_sound(self, collection: bytes) -> LogState:
        """Return the same. Raises CollectionForked as well. [DOC-80]"""
        state = self.require(collection)
        if state.forked:
            raise CollectionForked
        return state

    def save_state(self, state: LogState) -> None:
        """Insert or replace a state. Raises UsageError for one collection more than a store may have."""
        known = self._entries.load(EntryKind.COLLECTION, state.log_id)
        if known is None and self._entries.count(EntryKind.COLLECTION) >= MAX_COLLECTIONS:
            raise UsageError(f"a store has at most {MAX_COLLECTIONS} collections: forget some")
        record = DeferredRecord(state, encode_log)
        self._entries.save(EntryRow(EntryKind.COLLECTION, state.log_id, None, record))

    def states(self) -> dict[bytes, LogState]:
        """Return all collections on record, by their ids."""
        found = (row.record.decoded(decode_log) for row in self._entries.all(EntryKind.COLLECTION))
        return {each.log_id: each for each in found}

    def inside(self, collection: bytes) -> dict[bytes, LogState]:
        """Return a collection and all on record that are inside it, by their ids."""
        known = _Loading(self)
        found = ((each, known.get(each)) for each in reached(known, collection))
        return {each: state for each, state in found if state is not None}

    # --- logs -------------------------------------------------------------------------------------

    def entries(self, collection: bytes, after: int, until: int) -> Iterator[LogEntry]:
        """Yield the entries on record with numbers above `after`, up to `until`. Raises CorruptStore."""
        for number in range(after + 1, until + 1):
            row = self._entries.load(EntryKind.COLLECTION_ENTRY, _key(collection, number))
            if row is None:
                raise CorruptStore("an entry of a log is missing: restore the store from a copy")
            yield LogEntry.decode(row.record.expose())

    def save_steps(self, steps: Iterable[Step]) -> None:
        """Save verified entries, the epochs that they are in, and the state after them."""
        newest = None
        for step in steps:
            newest, encoded = step.after, Record(step.entry.encode())
            key = _key(newest.log_id, newest.number)
            self._entries.save(EntryRow(EntryKind.COLLECTION_ENTRY, key, None, encoded))
            self._save_epoch(newest)
        if newest is not None:
            self.save_state(newest)

    def forget(self, state: LogState) -> None:
        """Delete a collection: log, epochs, changes and evidence."""
        for number in range(1, state.number + 1):
            self._entries.delete(EntryKind.COLLECTION_ENTRY, _key(state.log_id, number))
        for epoch in range(1, state.epoch + 1):
            self._entries.delete(EntryKind.EPOCH, _key(state.log_id, epoch))
        for number, _ in self.changes(state.log_id):
            self.delete_change(state.log_id, number)
        self._entries.delete(EntryKind.FORK, state.log_id)
        self._entries.delete(EntryKind.COLLECTION, state.log_id)

    # --- epochs -----------------------------------------------------------------------------------

    def epoch(self, collection: bytes, epoch: int) -> EpochRecord | None:
        """Return how an epoch began, or None if the log on record does not have it."""
        row = self._entries.load(EntryKind.EPOCH, _key(collection, epoch))
        return None if row is None else row.record.decoded(decode_epoch)

    def save_epoch(self, collection: bytes, epoch: int, record: EpochRecord) -> None:
        """Insert or replace what is kept of an epoch."""
        row = EntryRow(EntryKind.EPOCH, _key(collection, epoch), None, DeferredRecord(record, encode_epoch))
        self._entries.save(row)

    def _save_epoch(self, state: LogState) -> None:
        known = self.epoch(state.log_id, state.epoch)
        if known is None or known.writers != state.writers:
            owed = frozenset[MemberName]() if known is None else known.owed
            record = EpochRecord(state.opening, state.writers, owed)
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
        self._entries.save(EntryRow(EntryKind.CHANGE, _key(collection, number), None, record))

    def delete_change(self, collection: bytes, number: int) -> None:
        """Delete a change, if it exists."""
        self._entries.delete(EntryKind.CHANGE, _key(collection, number))

    # --- forks ------------------------------------------------------------------------------------

    def evidence(self, collection: bytes) -> bytes | None:
        """Return the encoded evidence of a fork, or None."""
        row = self._entries.load(EntryKind.FORK, collection)
        return None if row is None else row.record.expose()

    def settle_fork(self, state: LogState) -> None:
        """Forget evidence, and go on with the log on record."""
        self.save_evidence(state.log_id, None)
        self.save_state(replace(state, forked=False))

    def save_evidence(self, collection: bytes, evidence: bytes | None) -> None:
        """Keep evidence of a fork, or delete it."""
        if evidence is None:
            self._entries.delete(EntryKind.FORK, collection)
        else:
            self._entries.save(EntryRow(EntryKind.FORK, collection, None, Record(evidence)))


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


def _key(collection: bytes, number: int) -> bytes:
    return collection + number.to_bytes(4, "big")


def _number(key: bytes) -> int:
    return int.from_bytes(key[COLLECTION_ID_BYTES:], "big")
