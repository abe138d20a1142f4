"""One device of the model: an account, the store it lives in, and what that store must hold.

    Device     can restart, be killed, be copied and restored; `check` compares the store with the timeline
    Image      a store at rest: the files of an SqliteStore and its log, or the tables of a MemoryStore

Not here: messages, and which of them may be read (model_world.py).
"""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from letterlock import hazmat
from letterlock._primitives.curve25519 import OneTimePrekey, SignedPrekey
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._ratchet import double, sparse
from letterlock._ratchet.sparse import SparsePlace
from letterlock._ratchet.triple import Triple, sparse_chain
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.stored_session import StoredSession
from letterlock._wire.address import Address
from letterlock._wire.message import RatchetMessage
from letterlock._wire.prekey import PrekeyKind, PublicPrekey
from letterlock._wire.publication import Publication
from letterlock.account import Account
from letterlock.limits import ONE_TIME_LIFETIME, PREKEY_GRACE
from letterlock.stores._interface import Store
from letterlock.stores._memory import MemoryStore
from letterlock.stores._skipped_rows import next_order
from letterlock.stores._sqlite import SqliteStore
from support.model_ledger import Calls, Ledger, Prekey, Timeline
from support.pair import (
    BOTH_SUITES,
    STORE_KEY,
    AnyStore,
    Clock,
    check_kept_sessions,
    encode_kept_sessions,
    live,
    slots,
)
from support.prekey_tools import account_record
from support.store_tools import unsynced_store

Image: TypeAlias = dict[str, Any]
Public: TypeAlias = (
    PublicPrekey[SignedPrekey] | PublicPrekey[OneTimePrekey] | PublicPrekey[MlKem1024PublicKey]
)

_ONE_TIME: Final = (PrekeyKind.ONE_TIME, PrekeyKind.KEM_ONE_TIME)
_FILES: Final = ("store.db", "store.db-wal")
_IN_PASSING: Final = frozenset({"lock", "_journal", "arrivals"})


@dataclass
class Home:
    """Where devices keep their stores: in memory, or each in a folder of its own."""

    on_disk: bool
    folder: "tempfile.TemporaryDirectory[str] | None" = None
    _names: Iterator[int] = field(default_factory=itertools.count)

    def path(self) -> Path | None:
        if not self.on_disk:
            return None
        if self.folder is None:
            self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / str(next(self._names))
        path.mkdir()
        return path

    def close(self) -> None:
        if self.folder is not None:
            self.folder.cleanup()


class Device:
    """One device of one user."""

    def __init__(self, address: Address, home: Home, clock: Clock, entropy: Entropy, ledger: Ledger) -> None:
        self.address = address
        self.clock = clock
        self.entropy = entropy
        self.ledger = ledger
        self.path = home.path()
        self.store: AnyStore = MemoryStore() if self.path is None else unsynced_store(self.path)
        self.timeline = Timeline()
        self.others: list[Device] = []
        self.copies: list[tuple[Image, Timeline]] = []
        self.stale = False
        self.has_acted = True
        """Whether anything has touched the store since it was last checked."""
        self.account: Account = hazmat.create_account(
            self.store, address, entropy, suites=BOTH_SUITES, clock=clock
        )
        self.identity = self.account.identity

    @contextmanager
    def acts(self) -> Iterator[Calls]:
        """Surround calls of the account; if none raises, their keys are used up at the end."""
        self.has_acted = True
        with self.ledger.calls() as calls:
            yield calls
        self.timeline.commit(calls, (each.timeline for each in self.others))

    # starting and stopping

    def restart(self) -> None:
        """End the process properly, and start it again."""
        if self.path is not None:
            self.store.close()
            self._open_file()
        self._open_account()

    def image(self) -> Image:
        """Return the store as a copy taken while the process runs, between two calls, would have it."""
        if self.path is not None:
            files = [self.path / name for name in _FILES]
            return {each.name: each.read_bytes() for each in files if each.exists()}
        assert isinstance(self.store, MemoryStore)
        rows = self.store._rows
        return {name: _tables(getattr(rows, name)) for name in slots(rows) if _kept(name)}

    def put_back(self, image: Image) -> None:
        """Stop the process, put the store back to an image, start again."""
        self.store.close()
        if self.path is not None:
            for each in list(self.path.iterdir()):
                each.unlink()
            for name, data in image.items():
                (self.path / name).write_bytes(data)
            self._open_file()
        else:
            self.store = MemoryStore()
            for name, tables in image.items():
                setattr(self.store._rows, name, _tables(tables))
            self.store._rows.arrivals = next_order(max(_orders(image), default=0))
        self._open_account()

    def kill(self) -> None:
        """Kill the process; only what is on disk remains."""
        self.put_back(self.image())

    def copy(self) -> None:
        self.copies.append((self.image(), self.timeline.copy()))

    def restore(self, at: int) -> None:
        """Restore the store from an earlier copy; the device knows that its keys may repeat."""
        image, timeline = self.copies[at]
        self.put_back(image)
        self.timeline = timeline.copy()
        self.stale = True

    def _open_file(self) -> None:
        assert self.path is not None
        store = SqliteStore(self.path / "store.db", key=STORE_KEY)
        store._database._connection.execute("PRAGMA synchronous = OFF")
        self.store = store

    def _open_account(self) -> None:
        self.has_acted = True
        if isinstance(self.store, MemoryStore):
            encode_kept_sessions(self.store)
        self.account = hazmat.open_account(self.store, self.entropy, suites=BOTH_SUITES, clock=self.clock)
        assert self.account.identity == self.identity

    # what happened

    def publish(self, count: int, *, rotate: bool = False) -> Publication:
        with self.acts():
            publication = self.account.publish(count, rotate=rotate)
        prekeys, now = self.timeline.prekeys, self.clock.now
        self._has_made(publication.signed)
        self._has_made(publication.last_resort)
        one_time: list[Public] = [each.one_time for each in publication.pairs]
        for each in [*one_time, *(each.kem for each in publication.pairs)]:
            prekeys[each.kind, each.id] = Prekey(each.key.data, now + ONE_TIME_LIFETIME)
            self.timeline.one_time.add(each.key.data)
        return publication

    def may_have_retired(self) -> None:
        """Note whether a message that was read has retired the current prekeys. HAND-14"""
        if account_record(self.store).signed_id == 0:
            prekeys = self.timeline.prekeys
            for kind, id_ in self.timeline.current.items():
                prekeys[kind, id_] = Prekey(prekeys[kind, id_].key, self.clock.now + PREKEY_GRACE)
            if self.timeline.current:
                self._retire_one_time()
            self.timeline.current.clear()

    def _has_made(self, current: Public) -> None:
        """Note a prekey that stays; it may have replaced another."""
        prekeys, kind = self.timeline.prekeys, current.kind
        before = self.timeline.current.get(kind, current.id)
        if before != current.id:
            prekeys[kind, before] = Prekey(prekeys[kind, before].key, self.clock.now + PREKEY_GRACE)
            self._retire_one_time()
        self.timeline.current[kind] = current.id
        prekeys[kind, current.id] = Prekey(current.key.data)

    def _retire_one_time(self) -> None:
        """Note that one-time prekeys serve no longer than the signed prekey of their bundle. HAND-13"""
        latest = self.clock.now + PREKEY_GRACE
        for place, prekey in self.timeline.prekeys.items():
            if prekey.expires is not None and prekey.expires > latest:
                self.timeline.prekeys[place] = Prekey(prekey.key, latest)

    def held(self, peer: Address) -> set[bytes]:
        """Return the sessions with a peer; none if the peer is unknown."""
        return self.timeline.held.get(peer, set())

    # what is there

    def sessions(self, peer: Address) -> list[StoredSession]:
        with self.store.transaction():
            return PeerSessions(self.store, peer, BOTH_SUITES).all()

    def active(self, peer: Address) -> bytes | None:
        """Return the associated data of the active session."""
        with self.store.transaction():
            entry = PeerSessions(self.store, peer, BOTH_SUITES).active()
        return None if entry is None else entry.session.origin.associated_data

    def has_ended(self, peer: Address) -> bool:
        """Whether the active session ended."""
        status = self.account.session(peer)
        return status is not None and status.ended

    def keeps_key_of(self, peer: Address, message: RatchetMessage) -> bool:
        """Whether a skipped key for this message is kept."""
        header = message.header
        with self.store.transaction():
            return (
                self.store.tables.skipped_keys.find(peer.encode(), header.ratchet_key.data, header.number)
                is not None
            )

    def keeps_sparse_key_of(self, peer: Address, session: bytes, message: RatchetMessage) -> bool:
        """Whether the other half of a skipped key is kept."""
        pq_header = message.pq_header
        if pq_header is None:
            return False
        chain = sparse_chain(session, pq_header.epoch - 1)
        with self.store.transaction():
            return self.store.tables.skipped_keys.find(peer.encode(), chain, pq_header.number) is not None

    def has_passed(self, peer: Address, session: bytes, message: RatchetMessage) -> bool:
        """Whether both ratchets of a session have gone beyond a message, so that neither makes its key."""
        header, pq_header = message.header, message.pq_header
        (ratchet,) = (
            live(each.session).ratchet
            for each in self.sessions(peer)
            if each.session.origin.associated_data == session
        )
        turned = ratchet.double if isinstance(ratchet, Triple) else ratchet
        if isinstance(turned, double.Hearing | double.Speaking):
            chain = turned.receiving
            if chain.ratchet_key == header.ratchet_key and chain.number <= header.number:
                return False
        if pq_header is None or not isinstance(ratchet, Triple):
            return True
        return sparse.is_late(
            ratchet.sparse, SparsePlace(pq_header.epoch - 1, pq_header.number, pq_header.previous)
        )

    def check(self) -> None:
        """Check that the store holds what the device has lived through, and nothing else."""
        self.has_acted = False
        check_kept_sessions(self.store)
        known = {each.address: each.identity for each in self.account.peers()}
        assert known.keys() == self.timeline.held.keys(), "peers appear or vanish"
        for other in self.others:
            assert known.get(other.address, other.identity) == other.identity, "an identity changes"
        for peer, held in self.timeline.held.items():
            sessions = self.sessions(peer)
            found = {each.session.origin.associated_data for each in sessions}
            assert found == held, "sessions appear or vanish"
            ranks = [each.rank for each in sessions]
            assert ranks == sorted({*ranks}, reverse=True), "two sessions have one rank"
        with self.store.transaction():
            self._check_prekeys(self.store)

    def _check_prekeys(self, store: Store) -> None:
        for (kind, id_), prekey in self.timeline.prekeys.items():
            if prekey.usable(self.clock.now):
                assert store.tables.prekeys.load(kind, id_) is not None, "a prekey vanishes"
        for kind, id_ in self.timeline.used:
            assert store.tables.prekeys.load(kind, id_) is None, "a prekey that was used up is still there"
        for kind in _ONE_TIME:
            kept = sum(1 for each, _ in self.timeline.prekeys if each is kind)
            assert store.tables.prekeys.count(kind) <= kept, "a prekey that nobody made is there"


def _kept(name: str) -> bool:
    return name not in _IN_PASSING


def _tables(value: Any) -> Any:
    """Copy the tables of a memory store; their rows are immutable."""
    if isinstance(value, dict):
        return type(value)((key, _tables(each)) for key, each in value.items())
    return value


def _orders(image: Image) -> Iterator[int]:
    for chains in image["skipped_keys"].values():
        yield from (row.order for rows in chains.values() for row in rows)
