"""What a store holds of logs of one kind: what they come to, their entries, and evidence of forks.

    state     id              the state after the newest entry
    entry     id || number    every entry, verified before it was saved
    fork      id              evidence of a fork

`LogRows` says which rows of the store those are. Every method runs inside the caller's transaction.

Not here: what entries do (_log_rules.py); what else there is of a collection (_collection_book.py).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from letterlock._records.collection import LogState, decode_log, encode_log
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES, MAX_COLLECTIONS
from letterlock._wire.log_entry import LogEntry
from letterlock._wire.log_opening import LogKind
from letterlock.documents._log import Step
from letterlock.errors import CorruptStore, TrustError, UsageError
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Record, Store


@dataclass(frozen=True, slots=True)
class LogRows:
    """The rows of a store that hold logs of one kind, the word for them, and the error for a forked one."""

    kind: LogKind
    state: EntryKind
    entry: EntryKind
    fork: EntryKind
    noun: str
    forked: type[TrustError]


class LogBook:
    """The logs of one kind in a store."""

    __slots__ = ("_entries", "_rows")

    def __init__(self, store: Store, rows: LogRows) -> None:
        self._entries = store.tables.entries
        self._rows = rows

    @property
    def kind(self) -> LogKind:
        """What these logs are about."""
        return self._rows.kind

    # --- states -----------------------------------------------------------------------------------

    def state(self, log_id: bytes) -> LogState | None:
        """Return what is on record of a log, or None."""
        row = self._entries.load(self._rows.state, log_id)
        return None if row is None else row.record.decoded(decode_log)

    def require(self, log_id: bytes) -> LogState:
        """Return the same. Raises UsageError for an id that is unknown, or that is none."""
        noun = self._rows.noun
        if type(log_id) is not bytes or len(log_id) != COLLECTION_ID_BYTES:
            raise UsageError(f"a {noun} id is {COLLECTION_ID_BYTES} bytes")
        state = self.state(log_id)
        if state is None:
            raise UsageError(f"no {noun} has this id: take its log first")
        return state

    def require_sound(self, log_id: bytes) -> LogState:
        """Return the same. Raises the error for a forked log as well. [DOC-80]"""
        state = self.require(log_id)
        if state.forked:
            raise self._rows.forked
        return state

    def save_state(self, state: LogState) -> None:
        """Insert or replace a state. Raises UsageError for one log more than a store may have."""
        known = self._entries.load(self._rows.state, state.log_id)
        if known is None and self._entries.count(self._rows.state) >= MAX_COLLECTIONS:
            raise UsageError(f"a store has at most {MAX_COLLECTIONS} {self._rows.noun}s: forget some")
        record = DeferredRecord(state, encode_log)
        self._entries.save(EntryRow(self._rows.state, state.log_id, None, record))

    def states(self) -> dict[bytes, LogState]:
        """Return all logs on record, by their ids."""
        found = (row.record.decoded(decode_log) for row in self._entries.all(self._rows.state))
        return {each.log_id: each for each in found}

    # --- entries ----------------------------------------------------------------------------------

    def entries(self, log_id: bytes, after: int, until: int) -> Iterator[LogEntry]:
        """Yield the entries on record with numbers above `after`, up to `until`. Raises CorruptStore."""
        for number in range(after + 1, until + 1):
            row = self._entries.load(self._rows.entry, log_key(log_id, number))
            if row is None:
                raise CorruptStore("an entry of a log is missing: restore the store from a copy")
            yield LogEntry.decode(row.record.expose())

    def save_steps(self, steps: Iterable[Step]) -> None:
        """Save verified entries, and the state after them."""
        newest = None
        for step in steps:
            newest, encoded = step.after, Record(step.entry.encode())
            key = log_key(newest.log_id, newest.number)
            self._entries.save(EntryRow(self._rows.entry, key, None, encoded))
        if newest is not None:
            self.save_state(newest)

    def forget(self, state: LogState) -> None:
        """Delete a log: state, entries and evidence."""
        for number in range(1, state.number + 1):
            self._entries.delete(self._rows.entry, log_key(state.log_id, number))
        self._entries.delete(self._rows.fork, state.log_id)
        self._entries.delete(self._rows.state, state.log_id)

    # --- forks ------------------------------------------------------------------------------------

    def evidence(self, log_id: bytes) -> bytes | None:
        """Return the encoded evidence of a fork, or None."""
        row = self._entries.load(self._rows.fork, log_id)
        return None if row is None else row.record.expose()

    def save_fork(self, state: LogState, evidence: bytes) -> None:
        """Keep evidence of a fork, and freeze the log. [DOC-80]"""
        self._entries.save(EntryRow(self._rows.fork, state.log_id, None, Record(evidence)))
        self.save_state(replace(state, forked=True))

    def settle_fork(self, state: LogState) -> None:
        """Forget evidence, and go on with the log on record."""
        self._entries.delete(self._rows.fork, state.log_id)
        self.save_state(replace(state, forked=False))


def log_key(log_id: bytes, number: int) -> bytes:
    """Return the key of a row of a log: its id, and a number in 4 bytes."""
    return log_id + number.to_bytes(4, "big")
