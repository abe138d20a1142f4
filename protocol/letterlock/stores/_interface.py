"""Store: what an account needs of its storage, as protocols, and the rows that pass through them.

The rules that every store keeps are in the docstring of `letterlock.stores`.

Not here: what a record contains (_records/), and which calls the account makes (account.py).
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from typing import Any, Protocol, TypeAlias, TypeVar

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import Secret, Uncopyable
from letterlock._wire.prekey import PrekeyKind
from letterlock.stores._entry_kind import EntryKind

T = TypeVar("T")


class Record(Secret):
    """Bytes of any length that a store saves; most contain keys."""

    __slots__ = ("_value",)
    LENGTH = None
    _value: Any

    def __init__(self, material: bytes) -> None:
        if type(material) is not bytes:
            raise TypeError("Record needs bytes")
        _set_material(self, material)

    def decoded(self, decode: Callable[["Record"], T]) -> T:
        """Return `decode(self)`, which is computed once. A record is decoded by one function only."""
        try:
            value: T = self._value
        except AttributeError:
            value = decode(self)
            _set_value(self, value)
        return value


@dataclass(frozen=True, slots=True)
class DeferredRecord(Uncopyable):
    """A record that is encoded when its bytes are first asked for, by `encode(value)`, and only once.

    A store on disk asks at once. A store in memory keeps the row as it is. Either one may give the
    same object back when the row is read. Its reader gets `value`, which is immutable, without decoding.
    """

    value: Any = field(repr=False)
    encode: Callable[[Any], Record] = field(repr=False)
    encoded: bytes | None = field(default=None, repr=False, compare=False)

    def expose(self) -> bytes:
        """Return the bytes of the record, for a store and nothing else."""
        encoded = self.encoded
        if encoded is None:
            encoded = self.encode(self.value).expose()
            _set_encoded(self, encoded)
        return encoded

    def decoded(self, decode: Callable[[Record], T]) -> T:  # noqa: ARG002
        """Return the value. It equals what `decode` makes of the bytes."""
        value: T = self.value
        return value


AnyRecord: TypeAlias = Record | DeferredRecord
"""A record as a table of sessions or entries saves and returns it."""

# As in `Secret`: an immutable object's slots are set through their descriptors.
_set_material = Secret.__dict__["_material"].__set__
_set_value = Record.__dict__["_value"].__set__
_set_encoded = DeferredRecord.__dict__["encoded"].__set__


@dataclass(frozen=True, slots=True)
class PrekeyRow(Uncopyable):
    """A prekey. `id` is 0 to 2**32 - 1; `expires` is in seconds since 1970 (UTC), or None while current."""

    kind: PrekeyKind
    id: int
    expires: int | None
    record: Record


@dataclass(frozen=True, slots=True)
class SessionRow(Uncopyable):
    """A session with the peer at `address`. The one of greatest rank, among several with a peer, is active.

    `id` is unique in the store, 1 to 2**63 - 1. `address` is the peer's encoded address.
    """

    id: int
    address: bytes
    rank: int
    record: AnyRecord


@dataclass(frozen=True, slots=True)
class EntryRow(Uncopyable):
    """An entry of a user. `key` is 0 to 300 bytes, and unique among the entries of one kind.

    `due` is in whole seconds since 1970 (UTC), 0 to 2**63 - 1; None if the entry waits for nothing.
    """

    kind: EntryKind
    key: bytes
    due: int | None
    record: AnyRecord


class KeyRange(Protocol):
    """Keys of consecutive messages in the chain that 32 bytes name; the first message has number `start`."""

    @property
    def chain(self) -> bytes:
        """The name of the chain: 32 bytes."""
        ...

    @property
    def start(self) -> int:
        """The number of the first message, 0 to 2**32 - 1."""
        ...

    @property
    def keys(self) -> Secret:
        """The keys in ascending order of their messages, 32 bytes each, joined."""
        ...


@dataclass(frozen=True, slots=True)
class SkippedKey(Uncopyable):
    """The key of message `number` (0 to 2**32 - 1) in the chain that 32 bytes name.

    `kept` is when it was kept, in whole seconds since 1970 (UTC), 0 to 2**63 - 1. `place` is for the store
    that found the key, which may note there where it was.
    """

    session_id: int
    chain: bytes
    number: int
    record: Record
    kept: int = 0
    place: Any = field(default=None, repr=False, compare=False)


class AccountTable(Protocol):
    """One row: the account's own record."""

    def load(self) -> Record | None:
        """Return the account's record, or None in a fresh store."""
        ...

    def save(self, record: Record) -> None:
        """Insert or replace the account's record."""
        ...


class PeerTable(Protocol):
    """Peers by their encoded address."""

    def load(self, address: bytes) -> Record | None:
        """Return the record of the peer at an encoded address, or None."""
        ...

    def save(self, address: bytes, record: Record) -> None:
        """Insert or replace a peer's record; its sessions stay."""
        ...

    def delete(self, address: bytes) -> None:
        """Delete a peer whose sessions are deleted already, if it exists."""
        ...

    def all(self) -> Iterable[Record]:
        """Return all peers' records, in no particular order."""
        ...


class PrekeyTable(Protocol):
    """Prekeys by kind and id."""

    def add(self, rows: Iterable[PrekeyRow]) -> None:
        """Insert prekeys. Raises CorruptStore if one of the ids is taken."""
        ...

    def load(self, kind: PrekeyKind, id_: int) -> PrekeyRow | None:
        """Return one prekey, or None."""
        ...

    def replace(self, row: PrekeyRow) -> None:
        """Replace the expiry and record of a prekey that exists; its replays stay."""
        ...

    def delete(self, kind: PrekeyKind, id_: int) -> None:
        """Delete a prekey and its replays, if it exists."""
        ...

    def delete_expired(self, now: int) -> int:
        """Delete every prekey whose expiry is `now` or earlier, with its replays; return how many."""
        ...

    def count(self, kind: PrekeyKind) -> int:
        """Return how many prekeys of one kind are stored."""
        ...

    def expiries(self, kind: PrekeyKind) -> list[tuple[int, int]]:
        """Return (expiry, id) of every prekey of one kind that has an expiry, in ascending order."""
        ...


class ReplayTable(Protocol):
    """Digests of the handshakes that were accepted with a prekey."""

    def has(self, kind: PrekeyKind, id_: int, digest: bytes) -> bool:
        """Return whether a 32-byte digest was recorded under this prekey."""
        ...

    def add(self, kind: PrekeyKind, id_: int, digest: bytes) -> None:
        """Record a digest that is new under a prekey that exists."""
        ...

    def count(self, kind: PrekeyKind, id_: int) -> int:
        """Return how many digests are recorded under this prekey."""
        ...


class SessionTable(Protocol):
    """Sessions by id, several to an address."""

    def load(self, address: bytes, limit: int) -> list[SessionRow]:
        """Return up to `limit` sessions with the peer at this address, greatest rank first."""
        ...

    def save(self, row: SessionRow) -> None:
        """Insert the session, or replace its rank and record. The peer exists and stays the same."""
        ...

    def delete(self, id_: int) -> None:
        """Delete a session with its skipped keys and past chains, if it exists."""
        ...


class SkippedKeyTable(Protocol):
    """Keys of messages that are still expected, by session, chain and message number."""

    def find(self, address: bytes, chain: bytes, number: int) -> SkippedKey | None:
        """Return the key kept for this message in any session with the peer at this address, or None.

        If several sessions keep one, the session of the greatest rank counts.
        """
        ...

    def add(self, session_id: int, halves: Sequence[Sequence[KeyRange]], kept: int) -> None:
        """Insert the keys of the messages that one message skipped, oldest first, into a session that exists.

        There are one or two halves: the n-th key of one and the n-th key of the other belong to one message.
        `kept` is the time, in whole seconds since 1970 (UTC), 0 to 2**63 - 1. Raises CorruptStore for a key
        of messages that already have a row.
        """
        ...

    def has(self, session_id: int, chain: bytes) -> bool:
        """Return whether any key of this chain is kept in this session."""
        ...

    def delete(self, key: SkippedKey) -> None:
        """Delete one key, if it exists."""
        ...

    def trim(self, session_id: int, keep: int) -> int:
        """Delete the oldest of a session's skipped keys beyond `keep`; return how many were deleted.

        Both keys of a message are equally old: the one in the first half goes first.
        """
        ...

    def delete_kept_before(self, time: int, session_id: int | None = None) -> int:
        """Delete the keys that were kept before a time, in one session or in all; return how many.

        This reads every row of those sessions.
        """
        ...


class PastChainTable(Protocol):
    """Finished receiving chains, by session."""

    def add(self, session_id: int, chain: bytes, keep: int) -> None:
        """Remember a finished 32-byte chain, once; forget the session's oldest ones beyond `keep`."""
        ...

    def has(self, session_id: int, chain: bytes) -> bool:
        """Return whether the chain was remembered for this session."""
        ...


class EntryTable(Protocol):
    """What a user keeps besides the account, by kind and key."""

    def load(self, kind: EntryKind, key: bytes) -> EntryRow | None:
        """Return one entry, or None."""
        ...

    def save(self, row: EntryRow) -> None:
        """Insert an entry, or replace its time and record."""
        ...

    def delete(self, kind: EntryKind, key: bytes) -> None:
        """Delete an entry, if it exists."""
        ...

    def all(self, kind: EntryKind) -> Iterable[EntryRow]:
        """Return all entries of one kind, in no particular order."""
        ...

    def count(self, kind: EntryKind) -> int:
        """Return how many entries of one kind are stored."""
        ...

    def due(self, kind: EntryKind, until: int, limit: int) -> list[EntryRow]:
        """Return up to `limit` entries of one kind that are due at `until` or earlier, the earliest first."""
        ...

    def delete_due(self, kind: EntryKind, until: int) -> int:
        """Delete every entry of one kind that is due at `until` or earlier; return how many."""
        ...


class Tables(Protocol):
    """The eight tables of a store. Every method of theirs is called inside a transaction of the store."""

    @property
    def account(self) -> AccountTable:
        """The account's own record."""
        ...

    @property
    def peers(self) -> PeerTable:
        """The peers that the account knows."""
        ...

    @property
    def prekeys(self) -> PrekeyTable:
        """The account's prekeys."""
        ...

    @property
    def replays(self) -> ReplayTable:
        """Which handshakes were accepted with which prekey."""
        ...

    @property
    def sessions(self) -> SessionTable:
        """The sessions with all peers."""
        ...

    @property
    def skipped_keys(self) -> SkippedKeyTable:
        """Keys of messages that are still expected."""
        ...

    @property
    def past_chains(self) -> PastChainTable:
        """Receiving chains that are finished."""
        ...

    @property
    def entries(self) -> EntryTable:
        """What a user keeps: lists of devices, contacts, messages on their way."""
        ...


class Store(Protocol):
    """What `Account` needs of a store. `MemoryStore` is the shortest one that follows all the rules."""

    @property
    def tables(self) -> Tables:
        """The tables, for use inside `transaction()`."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Begin a transaction, or one inside the caller's own; commit on return, undo on an exception.

        Raises UsageError inside a transaction of another task of this thread, and StoreBusy.
        """
        ...

    def close(self) -> None:
        """Release what is held; closing twice is allowed."""
        ...
