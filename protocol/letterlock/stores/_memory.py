"""MemoryStore: keeps an account as long as its process runs, for tests and for throw-away devices.

    peers         address -> record              sessions_of   address -> session ids
    prekeys       kind -> id -> row              replays       (kind, id) -> digests
    sessions      id -> row
    skipped_keys  session -> chain -> rows in ascending order of their messages
    past_chains   session -> chains, in order of arrival
    entries       kind -> key -> row

The rows and the journal are in _memory_rows.py.

Not here: durability. Nothing outlives the process, and no other process sees it.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from operator import itemgetter
from types import TracebackType
from typing import Self, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import CorruptStore
from letterlock.limits import BUSY_TIMEOUT, MAX_KEYS_IN_ROW
from letterlock.stores._entry_kind import EntryKind
from letterlock.stores._interface import (
    EntryRow,
    KeyRange,
    PrekeyRow,
    Record,
    SessionRow,
    SkippedKey,
    Tables,
)
from letterlock.stores._memory_rows import MemoryCalls, MemoryRows
from letterlock.stores._skipped_rows import SkippedRow, cut, merged, next_order, trimmed

K = TypeVar("K")
V = TypeVar("V")


class MemoryStore(Uncopyable):
    """A store that forgets everything when it is closed. A thread waits `busy_timeout` seconds at most."""

    __slots__ = ("_rows", "tables")

    tables: Tables
    """The account's tables, for use inside `transaction()`."""

    def __init__(self, *, busy_timeout: float = BUSY_TIMEOUT) -> None:
        self._rows = MemoryRows(busy_timeout)
        self.tables = _MemoryTables(self._rows)

    def transaction(self) -> AbstractContextManager[None]:
        """Begin a transaction, or nest in the caller's own. Raises StoreBusy; UsageError in another task."""
        return self._rows.transaction()

    def close(self) -> None:
        """Forget everything that was stored."""
        self._rows.lock.close(self._rows.clear)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<MemoryStore>"

    def _own_calls(self) -> MemoryCalls:
        """See `calls_of`."""
        return MemoryCalls(self._rows)


class _MemoryTables:
    def __init__(self, rows: MemoryRows) -> None:
        self.account = _AccountTable(rows)
        self.peers = _PeerTable(rows)
        self.prekeys = _PrekeyTable(rows)
        self.replays = _ReplayTable(rows)
        self.sessions = _SessionTable(rows)
        self.skipped_keys = _SkippedKeyTable(rows)
        self.past_chains = _PastChainTable(rows)
        self.entries = _EntryTable(rows)


class _Table(Uncopyable):
    __slots__ = ("_require", "_rows")

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows
        self._require = rows.lock.require


class _AccountTable(_Table):
    __slots__ = ()

    def load(self) -> Record | None:
        self._require()
        return self._rows.account.get("account")

    def save(self, record: Record) -> None:
        self._require()
        self._rows.put(self._rows.account, "account", record)


class _PeerTable(_Table):
    __slots__ = ()

    def load(self, address: bytes) -> Record | None:
        self._require()
        return self._rows.peers.get(address)

    def save(self, address: bytes, record: Record) -> None:
        self._require()
        self._rows.put(self._rows.peers, address, record)
        if address not in self._rows.sessions_of:
            self._rows.put(self._rows.sessions_of, address, {})

    def delete(self, address: bytes) -> None:
        self._require()
        self._rows.drop(self._rows.peers, address)

    def all(self) -> Iterable[Record]:
        self._require()
        return tuple(self._rows.peers.values())


class _PrekeyTable(_Table):
    __slots__ = ()

    def add(self, rows: Iterable[PrekeyRow]) -> None:
        self._require()
        prekeys, replays = self._rows.prekeys, self._rows.replays
        with self._rows.inner():
            for row in rows:
                if row.id in prekeys[row.kind]:
                    raise CorruptStore("this prekey id is taken")
                self._rows.put(prekeys[row.kind], row.id, row)
                self._rows.put(replays, (row.kind, row.id), {})

    def load(self, kind: PrekeyKind, id_: int) -> PrekeyRow | None:
        self._require()
        return self._rows.prekeys[kind].get(id_)

    def replace(self, row: PrekeyRow) -> None:
        self._require()
        table = self._rows.prekeys[row.kind]
        if row.id not in table:
            raise CorruptStore("there is no such prekey to replace")
        self._rows.put(table, row.id, row)

    def delete(self, kind: PrekeyKind, id_: int) -> None:
        self._require()
        self._drop(kind, id_)

    def delete_expired(self, now: int) -> int:
        self._require()
        rows = [row for table in self._rows.prekeys.values() for row in table.values()]
        expired = [row for row in rows if row.expires is not None and row.expires <= now]
        for row in expired:
            self._drop(row.kind, row.id)
        return len(expired)

    def count(self, kind: PrekeyKind) -> int:
        self._require()
        return len(self._rows.prekeys[kind])

    def expiries(self, kind: PrekeyKind) -> list[tuple[int, int]]:
        self._require()
        rows = self._rows.prekeys[kind].values()
        return sorted((row.expires, row.id) for row in rows if row.expires is not None)

    def _drop(self, kind: PrekeyKind, id_: int) -> None:
        self._rows.drop(self._rows.prekeys[kind], id_)
        self._rows.drop(self._rows.replays, (kind, id_))


class _ReplayTable(_Table):
    __slots__ = ()

    def has(self, kind: PrekeyKind, id_: int, digest: bytes) -> bool:
        self._require()
        return digest in self._rows.replays.get((kind, id_), ())

    def add(self, kind: PrekeyKind, id_: int, digest: bytes) -> None:
        self._require()
        digests = _owned(self._rows.replays, (kind, id_))
        if digest in digests:
            raise CorruptStore("this digest is recorded already")
        self._rows.put(digests, digest, None)

    def count(self, kind: PrekeyKind, id_: int) -> int:
        self._require()
        return len(self._rows.replays.get((kind, id_), ()))


class _SessionTable(_Table):
    __slots__ = ()

    def load(self, address: bytes, limit: int) -> list[SessionRow]:
        self._require()
        return self._rows.ranked(address)[:limit]

    def save(self, row: SessionRow) -> None:
        self._require()
        rows = self._rows
        ids = _owned(rows.sessions_of, row.address)
        if row.id not in rows.sessions:
            rows.put(ids, row.id, None)
            rows.put(rows.skipped_keys, row.id, {})
            rows.put(rows.past_chains, row.id, OrderedDict())
        elif row.id not in ids:
            raise CorruptStore("this session id belongs to another peer")
        rows.put(rows.sessions, row.id, row)

    def delete(self, id_: int) -> None:
        self._require()
        rows = self._rows
        if id_ in rows.sessions:
            rows.drop(rows.sessions_of[rows.sessions[id_].address], id_)
            rows.drop(rows.sessions, id_)
            rows.drop(rows.skipped_keys, id_)
            rows.drop(rows.past_chains, id_)


class _SkippedKeyTable(_Table):
    __slots__ = ()

    def find(self, address: bytes, chain: bytes, number: int) -> SkippedKey | None:
        self._require()
        for session in self._rows.ranked(address):
            found = self._rows.find_kept(session.id, chain, number)
            if found is not None:
                return found
        return None

    def add(self, session_id: int, halves: Sequence[Sequence[KeyRange]], kept: int) -> None:
        self._require()
        rows = self._rows
        added: dict[bytes, list[SkippedRow]] = {}
        for row in cut(halves, rows.arrivals, kept):
            rows.arrivals = next_order(row.order)
            added.setdefault(row.chain, []).append(row)
        with rows.inner():
            for chain, new in added.items():
                chains = _owned(rows.skipped_keys, session_id)
                rows.put(chains, chain, merged(chains.get(chain, ()), new))

    def has(self, session_id: int, chain: bytes) -> bool:
        self._require()
        return chain in self._rows.skipped_keys.get(session_id, ())

    def delete(self, key: SkippedKey) -> None:
        self._require()
        self._rows.delete_kept(key)

    def trim(self, session_id: int, keep: int) -> int:
        self._require()
        if sum(map(len, self._rows.skipped_keys.get(session_id, {}).values())) * MAX_KEYS_IN_ROW <= keep:
            return 0
        rows = list(self._all(session_id))
        beyond = sum(row.present.bit_count() for row in rows) - keep
        with self._rows.inner():
            for before, after in trimmed(rows, beyond):
                self._rows.replace_skipped(session_id, before, after)
        return max(beyond, 0)

    def delete_kept_before(self, time: int, session_id: int | None = None) -> int:
        self._require()
        ids = list(self._rows.skipped_keys) if session_id is None else [session_id]
        old = [(id_, row) for id_ in ids for row in self._all(id_) if row.kept < time]
        with self._rows.inner():
            for id_, row in old:
                self._rows.replace_skipped(id_, row, None)
        return sum(row.present.bit_count() for _, row in old)

    def _all(self, session_id: int) -> Iterable[SkippedRow]:
        return (row for rows in self._rows.skipped_keys.get(session_id, {}).values() for row in rows)


class _PastChainTable(_Table):
    __slots__ = ()

    def add(self, session_id: int, chain: bytes, keep: int) -> None:
        self._require()
        table = _owned(self._rows.past_chains, session_id)
        if chain not in table:
            self._rows.put(table, chain, None)
        while len(table) > keep:
            self._rows.drop_first(table)

    def has(self, session_id: int, chain: bytes) -> bool:
        self._require()
        return chain in self._rows.past_chains.get(session_id, ())


class _EntryTable(_Table):
    __slots__ = ()

    def load(self, kind: EntryKind, key: bytes) -> EntryRow | None:
        self._require()
        return self._rows.entries[kind].get(key)

    def save(self, row: EntryRow) -> None:
        self._require()
        self._rows.put(self._rows.entries[row.kind], row.key, row)

    def delete(self, kind: EntryKind, key: bytes) -> None:
        self._require()
        self._rows.drop(self._rows.entries[kind], key)

    def all(self, kind: EntryKind) -> Iterable[EntryRow]:
        self._require()
        return tuple(self._rows.entries[kind].values())

    def count(self, kind: EntryKind) -> int:
        self._require()
        return len(self._rows.entries[kind])

    def due(self, kind: EntryKind, until: int, limit: int) -> list[EntryRow]:
        self._require()
        return [row for _, row in sorted(self._due(kind, until), key=itemgetter(0))[:limit]]

    def delete_due(self, kind: EntryKind, until: int) -> int:
        self._require()
        due = self._due(kind, until)
        for _, row in due:
            self._rows.drop(self._rows.entries[kind], row.key)
        return len(due)

    def _due(self, kind: EntryKind, until: int) -> list[tuple[int, EntryRow]]:
        rows = self._rows.entries[kind].values()
        return [(row.due, row) for row in rows if row.due is not None and row.due <= until]


def _owned(table: dict[K, V], owner: K) -> V:
    """Return the rows that belong to an owner in another table. Raises CorruptStore if it does not exist."""
    try:
        return table[owner]
    except KeyError:
        raise CorruptStore("what this row belongs to does not exist") from None
