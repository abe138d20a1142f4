"""MemoryRows: the rows of a store in memory, and a journal of how to undo what a transaction did to them.

    peers         address -> record              sessions_of   address -> session ids
    prekeys       kind -> id -> row              replays       (kind, id) -> digests
    sessions      id -> row
    skipped_keys  session -> chain -> rows in ascending order of their messages
    past_chains   session -> chains, in order of arrival
    entries       kind -> key -> row

Not here: the tables, which check each call (_memory.py).
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.prekey import PrekeyKind
from letterlock.stores._calls import Run
from letterlock.stores._entry_kind import EntryKind
from letterlock.stores._interface import AnyRecord, EntryRow, PrekeyRow, Record, SessionRow, SkippedKey
from letterlock.stores._lock import StoreLock
from letterlock.stores._skipped_rows import SkippedRow, replaced, row_at
from letterlock.stores._transaction import Transaction

K = TypeVar("K")
V = TypeVar("V")


class MemoryRows(Uncopyable):
    """The rows of all tables, and a journal of how to undo what the open transaction did to them."""

    __slots__ = (
        "_journal", "account", "arrivals", "entries", "lock", "past_chains", "peers", "prekeys", "replays",
        "sessions", "sessions_of", "skipped_keys",
    )  # fmt: skip

    def __init__(self, busy_timeout: float) -> None:
        self.lock = StoreLock(busy_timeout)
        self._journal: list[tuple[Callable[[Any, Any], object], object, object]] = []
        self.arrivals = 0
        self.clear()

    def clear(self) -> None:
        self.account: dict[str, Record] = {}
        self.peers: dict[bytes, Record] = {}
        self.prekeys: dict[PrekeyKind, dict[int, PrekeyRow]] = {kind: {} for kind in PrekeyKind}
        self.replays: dict[tuple[PrekeyKind, int], dict[bytes, None]] = {}
        self.sessions: dict[int, SessionRow] = {}
        self.sessions_of: dict[bytes, dict[int, None]] = {}
        self.skipped_keys: dict[int, dict[bytes, tuple[SkippedRow, ...]]] = {}
        self.past_chains: dict[int, OrderedDict[bytes, None]] = {}
        self.entries: dict[EntryKind, dict[bytes, EntryRow]] = {kind: {} for kind in EntryKind}

    @property
    def journal(self) -> list[tuple[Callable[[Any, Any], object], object, object]]:
        """What undoes each change: a function, a key, and the value that it had. It stays the same list."""
        return self._journal

    def transaction(self) -> Transaction:
        """Return a transaction, or one inside the caller's own."""
        return Transaction(self.lock, self)

    def inner(self) -> Transaction:
        """Return a transaction for a method that may fail half-way, inside the caller's one. [STO-4]"""
        return Transaction(self.lock, self, nests=False)

    def begin(self, level: int) -> int:
        if level:
            return len(self._journal)
        if self._journal:  # two interrupts have stopped the undoing
            self.undo(0, 0)
        return 0

    def commit(self, level: int) -> None:
        if not level:
            self._journal.clear()

    def undo(self, level: int, mark: int) -> None:  # noqa: ARG002
        # An interrupt may fall between the two lines. To undo a change again changes nothing.
        while len(self._journal) > mark >= 0:
            undo, key, value = self._journal[-1]
            undo(key, value)
            del self._journal[-1]

    def put(self, table: dict[K, V], key: K, value: V) -> None:
        # The journal comes first. If an interrupt falls between the two, undoing a change that was not made
        # changes nothing.
        if key in table:
            self._journal.append((table.__setitem__, key, table[key]))
        else:
            self._journal.append((table.pop, key, None))
        table[key] = value

    def drop(self, table: dict[K, V], key: K) -> bool:
        """Remove a key if it exists; return whether it did. Undone, it may be at the end of the table."""
        if key not in table:
            return False
        self._journal.append((table.__setitem__, key, table[key]))
        del table[key]
        return True

    def drop_first(self, table: OrderedDict[K, V]) -> None:
        """Remove the oldest key. Undone, it is the oldest again."""
        key, value = next(iter(table.items()))
        self._journal.append((partial(_insert_first, table), key, value))
        del table[key]

    def ranked(self, address: bytes) -> list[SessionRow]:
        """Return the sessions with the peer at an address, greatest rank first."""
        rows = [self.sessions[id_] for id_ in self.sessions_of.get(address, ())]
        if len(rows) > 1:  # few peers have several
            rows.sort(key=lambda row: (row.rank, row.id), reverse=True)
        return rows

    def find_kept(self, session_id: int, chain: bytes, number: int) -> SkippedKey | None:
        """Return the key of a message that is kept in a session, or None."""
        rows = self.skipped_keys.get(session_id, {}).get(chain)
        row = row_at(rows, number) if rows else None
        key = row.key(number) if row else None
        return SkippedKey(session_id, chain, number, key, row.kept) if row and key else None

    def delete_kept(self, key: SkippedKey) -> None:
        """Delete a key, if it exists."""
        row = row_at(self.skipped_keys.get(key.session_id, {}).get(key.chain, ()), key.number)
        if row is not None and row.has(key.number):
            self.replace_skipped(key.session_id, row, row.without(key.number))

    def replace_skipped(self, session_id: int, before: SkippedRow, after: SkippedRow | None) -> None:
        """Replace a row of skipped keys or, for None, delete it."""
        chains = self.skipped_keys[session_id]
        rows = replaced(chains[before.chain], before, after)
        if rows:
            self.put(chains, before.chain, rows)
        else:
            self.drop(chains, before.chain)


class MemoryCalls(Uncopyable):
    """Implements `StoreCalls`, which documents the methods."""

    __slots__ = ("_journal", "_rows", "run")

    run: Run

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows
        self._journal = rows.journal
        self.run = cast("Run", partial(rows.lock.run, rows))

    def active(self, address: bytes) -> SessionRow | None:
        """See StoreCalls."""
        rows = self._rows
        ids = rows.sessions_of.get(address)
        if not ids:
            return None
        if len(ids) > 1:
            return rows.ranked(address)[0]
        (id_,) = ids
        return rows.sessions[id_]

    def save_active(self, row: SessionRow, record: AnyRecord) -> None:
        """See StoreCalls."""
        rows = self._rows
        sessions, id_ = rows.sessions, row.id
        self._journal.append((sessions.__setitem__, id_, sessions[id_]))  # first, as in `put`
        sessions[id_] = SessionRow(id_, row.address, row.rank, record)

    def kept(self, row: SessionRow, places: Sequence[tuple[bytes, int]]) -> list[SkippedKey]:
        """See StoreCalls."""
        found = [self._rows.find_kept(row.id, chain, number) for chain, number in places]
        return [] if None in found else cast("list[SkippedKey]", found)

    def delete_kept(self, keys: Sequence[SkippedKey]) -> None:
        """See StoreCalls."""
        for key in keys:
            self._rows.delete_kept(key)


def _insert_first(table: OrderedDict[K, V], key: K, value: V) -> None:
    table[key] = value
    table.move_to_end(key, last=False)
