"""MemoryStore: an account that lives as long as its process, for tests and for throw-away devices.

    _peers       address -> record              _of_peer   address -> session ids
    _prekeys     kind -> id -> row              _replays   (kind, id) -> digests
    _sessions    id -> row
    _skipped     session -> (chain, number) -> (order of arrival, row)
    _skipped_of  session -> chain -> how many: every turn of a ratchet asks whether there are any
    _past        session -> chains, in order of arrival

Every change goes through `_put` and `_drop`, which write down how to undo it. So a transaction costs
what it changes, and never a copy of the tables. Cascades are those of the SQLite store: a part of a
table that hangs on a row is dropped with it, in one step.

Not here: durability. What another process did, or this one before a crash, is not seen.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from itertools import count
from types import TracebackType
from typing import Self, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import CorruptStore
from letterlock.stores._interface import PrekeyRow, Record, SessionRow, SkippedRow
from letterlock.stores._lock import StoreLock

K = TypeVar("K")
V = TypeVar("V")


class MemoryStore(Uncopyable):
    """A store that keeps nothing when it is closed."""

    __slots__ = (
        "_account",
        "_arrivals",
        "_journal",
        "_lock",
        "_of_peer",
        "_parts",
        "_past",
        "_peers",
        "_prekeys",
        "_replays",
        "_sessions",
        "_skipped",
        "_skipped_of",
    )

    def __init__(self) -> None:
        self._lock = StoreLock()
        self._journal: list[Callable[[], object]] = []
        self._arrivals = count()
        self._clear()

    def _clear(self) -> None:
        self._account: dict[str, Record] = {}
        self._peers: dict[bytes, Record] = {}
        self._prekeys: dict[PrekeyKind, dict[int, PrekeyRow]] = {kind: {} for kind in PrekeyKind}
        self._replays: dict[tuple[PrekeyKind, int], dict[bytes, None]] = {}
        self._sessions: dict[int, SessionRow] = {}
        self._of_peer: dict[bytes, dict[int, None]] = {}
        self._skipped: dict[int, dict[tuple[bytes, int], tuple[int, SkippedRow]]] = {}
        self._skipped_of: dict[int, dict[bytes, int]] = {}
        self._past: dict[int, OrderedDict[bytes, None]] = {}
        self._parts: dict[int, dict[int, tuple[Record, ...]]] = {}

    @contextmanager
    def transaction(self) -> Generator[None]:
        """See Store."""
        with self._lock.hold() as level:
            begun = len(self._journal)
            try:
                yield
                self._lock.require_innermost(level)
            except BaseException:
                self._undo(begun)
                raise
            if level == 0:
                self._journal.clear()

    def close(self) -> None:
        """See Store. What was stored is gone."""
        with self._lock.closing() as first:
            if first:
                self._clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<MemoryStore>"

    def _put(self, table: dict[K, V], key: K, value: V) -> None:
        # The way back is written down first: an interrupt between the two lines undoes nothing twice.
        undo = partial(table.__setitem__, key, table[key]) if key in table else partial(table.pop, key, None)
        self._journal.append(undo)
        table[key] = value

    def _drop(self, table: dict[K, V], key: K) -> bool:
        """Remove a key if it is there; return whether it was. It may come back at the end of the table."""
        if key not in table:
            return False
        self._journal.append(partial(table.__setitem__, key, table[key]))
        del table[key]
        return True

    def _drop_first(self, table: OrderedDict[K, V]) -> None:
        """Remove the oldest key. Undone, it is the oldest again."""
        key, value = next(iter(table.items()))

        def undo() -> None:
            table[key] = value
            table.move_to_end(key, last=False)

        self._journal.append(undo)
        del table[key]

    def _undo(self, begun: int) -> None:
        while len(self._journal) > begun:
            self._journal.pop()()

    # account

    def load_account(self) -> Record | None:
        """See Store."""
        self._lock.require()
        return self._account.get("account")

    def save_account(self, record: Record) -> None:
        """See Store."""
        self._lock.require()
        self._put(self._account, "account", record)

    # peers

    def load_peer(self, address: bytes) -> Record | None:
        """See Store."""
        self._lock.require()
        return self._peers.get(address)

    def save_peer(self, address: bytes, record: Record) -> None:
        """See Store."""
        self._lock.require()
        self._put(self._peers, address, record)
        if address not in self._of_peer:
            self._put(self._of_peer, address, {})

    def peers(self) -> Iterable[Record]:
        """See Store."""
        self._lock.require()
        return tuple(self._peers.values())

    # prekeys

    def add_prekeys(self, rows: Iterable[PrekeyRow]) -> None:
        """See Store."""
        self._lock.require()
        with self.transaction():
            for row in rows:
                if row.id in self._prekeys[row.kind]:
                    raise CorruptStore("this prekey id is taken")
                self._put(self._prekeys[row.kind], row.id, row)
                self._put(self._replays, (row.kind, row.id), {})

    def load_prekey(self, kind: PrekeyKind, id_: int) -> PrekeyRow | None:
        """See Store."""
        self._lock.require()
        return self._prekeys[kind].get(id_)

    def replace_prekey(self, row: PrekeyRow) -> None:
        """See Store."""
        self._lock.require()
        if row.id not in self._prekeys[row.kind]:
            raise CorruptStore("there is no such prekey to replace")
        self._put(self._prekeys[row.kind], row.id, row)

    def delete_prekey(self, kind: PrekeyKind, id_: int) -> None:
        """See Store."""
        self._lock.require()
        self._drop(self._prekeys[kind], id_)
        self._drop(self._replays, (kind, id_))

    def delete_expired_prekeys(self, now: int) -> int:
        """See Store."""
        self._lock.require()
        expired = [
            (kind, row.id)
            for kind, table in self._prekeys.items()
            for row in table.values()
            if row.expires is not None and row.expires <= now
        ]
        for kind, id_ in expired:
            self.delete_prekey(kind, id_)
        return len(expired)

    def count_prekeys(self, kind: PrekeyKind) -> int:
        """See Store."""
        self._lock.require()
        return len(self._prekeys[kind])

    # replays

    def has_replay(self, kind: PrekeyKind, id_: int, digest: bytes) -> bool:
        """See Store."""
        self._lock.require()
        return digest in self._replays.get((kind, id_), ())

    def add_replay(self, kind: PrekeyKind, id_: int, digest: bytes) -> None:
        """See Store."""
        self._lock.require()
        digests = _owned(self._replays, (kind, id_))
        if digest in digests:
            raise CorruptStore("this digest is recorded already")
        self._put(digests, digest, None)

    def count_replays(self, kind: PrekeyKind, id_: int) -> int:
        """See Store."""
        self._lock.require()
        return len(self._replays.get((kind, id_), ()))

    # sessions

    def load_sessions(self, address: bytes, limit: int) -> list[SessionRow]:
        """See Store."""
        self._lock.require()
        return self._ranked(address)[:limit]

    def save_session(self, row: SessionRow) -> None:
        """See Store."""
        self._lock.require()
        ids = _owned(self._of_peer, row.address)
        if row.id not in self._sessions:
            self._put(ids, row.id, None)
            self._put(self._skipped, row.id, {})
            self._put(self._skipped_of, row.id, {})
            self._put(self._past, row.id, OrderedDict())
            self._put(self._parts, row.id, {})
        elif row.id not in ids:
            raise CorruptStore("this session id belongs to another peer")
        self._put(self._sessions, row.id, row)

    def delete_session(self, id_: int) -> None:
        """See Store."""
        self._lock.require()
        if id_ in self._sessions:
            self._drop(self._of_peer[self._sessions[id_].address], id_)
            self._drop(self._sessions, id_)
            self._drop(self._skipped, id_)
            self._drop(self._skipped_of, id_)
            self._drop(self._past, id_)
            self._drop(self._parts, id_)

    def _ranked(self, address: bytes) -> list[SessionRow]:
        rows = [self._sessions[id_] for id_ in self._of_peer.get(address, ())]
        if len(rows) > 1:  # few have several
            rows.sort(key=lambda row: (row.rank, row.id), reverse=True)
        return rows

    # skipped keys

    def find_skipped(self, address: bytes, chain: bytes, number: int) -> SkippedRow | None:
        """See Store."""
        self._lock.require()
        for session in self._ranked(address):
            found = self._skipped[session.id].get((chain, number))
            if found is not None:
                return found[1]
        return None

    def add_skipped(self, rows: Iterable[SkippedRow]) -> None:
        """See Store."""
        self._lock.require()
        added: Counter[tuple[int, bytes]] = Counter()
        with self.transaction():
            for row in rows:
                table = _owned(self._skipped, row.session_id)
                if (row.chain, row.number) in table:
                    raise CorruptStore("this message's key is kept already")
                self._put(table, (row.chain, row.number), (next(self._arrivals), row))
                added[row.session_id, row.chain] += 1
            for (session_id, chain), number in added.items():
                kept = self._skipped_of[session_id]
                self._put(kept, chain, kept.get(chain, 0) + number)

    def has_skipped(self, session_id: int, chain: bytes) -> bool:
        """See Store."""
        self._lock.require()
        return chain in self._skipped_of.get(session_id, ())

    def delete_skipped(self, row: SkippedRow) -> None:
        """See Store."""
        self._lock.require()
        self._drop_skipped(row.session_id, (row.chain, row.number))

    def trim_skipped(self, session_id: int, keep: int) -> int:
        """See Store."""
        self._lock.require()
        table = self._skipped.get(session_id, {})
        beyond = max(len(table) - keep, 0)
        if beyond:
            # By number of arrival: an undone deletion has put its row at the end of the table.
            for key in sorted(table, key=lambda key: table[key][0])[:beyond]:
                self._drop_skipped(session_id, key)
        return beyond

    def _drop_skipped(self, session_id: int, key: tuple[bytes, int]) -> None:
        if self._drop(self._skipped.get(session_id, {}), key):
            kept, chain = self._skipped_of[session_id], key[0]
            if kept[chain] > 1:
                self._put(kept, chain, kept[chain] - 1)
            else:
                self._drop(kept, chain)

    # past chains

    def add_past_chain(self, session_id: int, chain: bytes, keep: int) -> None:
        """See Store."""
        self._lock.require()
        table = _owned(self._past, session_id)
        if chain not in table:
            self._put(table, chain, None)
        while len(table) > keep:
            self._drop_first(table)

    def is_past_chain(self, session_id: int, chain: bytes) -> bool:
        """See Store."""
        self._lock.require()
        return chain in self._past.get(session_id, ())

    # parts

    def append_part(self, session_id: int, slot: int, record: Record) -> None:
        """See Store."""
        self._lock.require()
        slots = _owned(self._parts, session_id)
        self._put(slots, slot, (*slots.get(slot, ()), record))

    def load_parts(self, session_id: int, slot: int) -> list[Record]:
        """See Store."""
        self._lock.require()
        return list(self._parts.get(session_id, {}).get(slot, ()))

    def clear_parts(self, session_id: int, slot: int) -> None:
        """See Store."""
        self._lock.require()
        self._drop(self._parts.get(session_id, {}), slot)


def _owned(table: dict[K, V], owner: K) -> V:
    """Return the part of a table that hangs on a row elsewhere, which must exist."""
    try:
        return table[owner]
    except KeyError:
        raise CorruptStore("what this row belongs to does not exist") from None
