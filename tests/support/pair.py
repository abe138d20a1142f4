"""Two parties, their stores, and a lossy network between them: what every test of a conversation begins with.

Pair     alice and bob; `reopen` forgets everything but the two stores
Side     one of them: `say` posts a message to the other, `hear` decrypts the oldest that came
Post     messages on their way to one side: dropped, repeated, reordered, cut, lengthened, flipped
dump     everything a store holds, in plain values, so that two dumps can be compared
kept     the sessions that a MemoryStore keeps as they are, without encoding them
"""

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from letterlock import hazmat
from letterlock._primitives.entropy import Entropy, system_entropy
from letterlock._primitives.secret import Secret, Uncopyable
from letterlock._records.session import decode_session
from letterlock._session.session import Ended, Live, Session
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.suite import Suite
from letterlock.account import DEFAULT_SUITES
from letterlock.stores._interface import DeferredRecord, Record
from letterlock.stores._memory import MemoryStore
from letterlock.stores._sqlite import SqliteStore

AnyStore: TypeAlias = MemoryStore | SqliteStore
Stores: TypeAlias = Callable[[str], AnyStore]

ALICE: Final = Address("alice", 1)
BOB: Final = Address("bob", 1)
CAROL: Final = Address("carol", 3)

STORE_KEY: Final = bytes(range(0x40, 0x60))
X3DH_ONLY: Final = frozenset({Suite.X3DH})
BOTH_SUITES: Final = frozenset(Suite)
NOON: Final = 1_700_000_000


class Clock:
    """Seconds since 1970, as a test wants them."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def live(session: Session) -> Live:
    """Return a session that has not ended."""
    assert not isinstance(session, Ended)
    return session


def entropy_of(seed: object) -> Entropy:
    """Return random bytes that are the same for the same seed, and never repeat."""
    drawn = 0

    def draw(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{seed} {drawn}".encode()).digest(length)

    return draw


def memory_stores() -> Stores:
    """Return a maker of memory stores that gives the same one again for the same name."""
    stores: dict[str, AnyStore] = {}
    return lambda name: stores.setdefault(name, MemoryStore())


def sqlite_stores(folder: Path) -> Stores:
    """Return a maker of SQLite stores that opens the same file again for the same name."""
    return lambda name: SqliteStore(folder / f"{name}.db", key=STORE_KEY)


class Post:
    """Messages on their way to one side, the oldest first, and everything a network does to them."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def drop(self, index: int = 0) -> bytes:
        return self.messages.pop(index)

    def repeat(self, index: int = 0) -> None:
        self.messages.append(self.messages[index])

    def shuffle(self, rng: random.Random) -> None:
        rng.shuffle(self.messages)

    def cut(self, index: int, length: int) -> None:
        self.messages[index] = self.messages[index][:length]

    def lengthen(self, index: int, tail: bytes) -> None:
        self.messages[index] += tail

    def flip(self, index: int, at: int, mask: int = 1) -> None:
        self.messages[index] = flipped(self.messages[index], at, mask)


class Side:
    """One party: an account in its store, the peer's address, and the messages on their way to it."""

    def __init__(self, make: Callable[[], AnyStore], address: Address, peer: Address, pair: "Pair") -> None:
        self._make = make
        self._pair = pair
        self.store = make()
        self.peer = peer
        self.post = Post()
        self.entropy = pair.entropy(address.name)
        self.account = hazmat.create_account(
            self.store, address, self.entropy, suites=pair.suites, clock=pair.clock
        )

    @property
    def address(self) -> Address:
        return self.account.address

    @property
    def other(self) -> "Side":
        return self._pair.bob if self is self._pair.alice else self._pair.alice

    def reopen(self, suites: frozenset[Suite] | None = None) -> None:
        """Forget the account and all but the bytes of its store; open both again."""
        if isinstance(self.store, SqliteStore):
            self.store.close()
            self.store = self._make()
        else:
            encode_kept_sessions(self.store)
        self.account = hazmat.open_account(
            self.store, self.entropy, suites=suites or self._pair.suites, clock=self._pair.clock
        )

    def initiate(self, bundle: PrekeyBundle | None = None, suite: Suite | None = None) -> None:
        bundle = self.other.account.bundle() if bundle is None else bundle
        suite = self._pair.suite if suite is None else suite
        self.account.initiate(self.peer, PrekeyBundle.decode(bundle.encode()), suite=suite)

    def write(self, text: bytes) -> bytes:
        """Encrypt a message and keep it in hand."""
        return self.account.encrypt(self.peer, text)

    def say(self, text: bytes) -> bytes:
        """Encrypt a message and post it."""
        message = self.write(text)
        self.other.post.messages.append(message)
        return message

    def read(self, message: bytes) -> bytes:
        """Decrypt a message that did not go through the post."""
        return self.account.decrypt(self.peer, message)

    def hear(self) -> bytes:
        """Decrypt the oldest message that came."""
        return self.read(self.post.drop())

    def hear_all(self) -> list[bytes]:
        return [self.hear() for _ in range(len(self.post.messages))]

    def dump(self) -> dict[str, Any]:
        return dump(self.store)


class Pair:
    """Alice and Bob, who know nothing of each other yet."""

    def __init__(
        self,
        stores: Stores | None = None,
        *,
        suites: frozenset[Suite] = DEFAULT_SUITES,
        suite: Suite = Suite.PQXDH,
        seed: object = None,
    ) -> None:
        """`suites` are allowed, and `suite` is used unless a test asks for another."""
        stores = memory_stores() if stores is None else stores
        self.clock = Clock()
        self.suites = suites | {suite}
        self.suite = suite
        self._seed = seed
        self.alice = Side(lambda: stores("alice"), ALICE, BOB, self)
        self.bob = Side(lambda: stores("bob"), BOB, ALICE, self)

    def entropy(self, name: str) -> Entropy:
        return system_entropy if self._seed is None else entropy_of(f"{self._seed} {name}")

    def introduce(self, suite: Suite | None = None) -> None:
        """Alice writes first, and Bob reads: Alice has a session that is not answered yet."""
        self.alice.initiate(suite=suite)
        self.alice.say(b"hello")
        assert self.bob.hear() == b"hello"

    def converse(self, suite: Suite | None = None) -> None:
        """After this both sides hold the session, and both have spoken."""
        self.introduce(suite)
        self.bob.say(b"hello yourself")
        assert self.alice.hear() == b"hello yourself"

    def turn(self) -> None:
        """One full turn of the ratchet on both sides."""
        for side in (self.alice, self.bob):
            side.say(b"your turn")
            assert side.other.hear() == b"your turn"

    def turn_after_loss(self) -> None:
        """The same, after whatever is still on its way was lost."""
        for side in (self.alice, self.bob):
            side.post.messages.clear()
        self.turn()

    def reopen(self) -> None:
        self.alice.reopen()
        self.bob.reopen()

    def close(self) -> None:
        self.alice.store.close()
        self.bob.store.close()


def flipped(data: bytes, at: int, mask: int = 1) -> bytes:
    """Return the bytes with some bits of one of them turned over."""
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def plain(value: object) -> Any:
    """Return a value with its secrets in the open, in types that compare by value."""
    match value:
        case Secret() | DeferredRecord():
            return value.expose()
        case Uncopyable():
            names = getattr(value, "__dataclass_fields__", None) or slots(value)
            return (type(value).__name__, *(plain(getattr(value, name)) for name in names))
        case dict():
            return {plain(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return tuple(plain(each) for each in value)
        case _:
            return value


def slots(value: object) -> list[str]:
    """Return the names of all slots of an object."""
    return [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]


def dump(store: AnyStore) -> dict[str, Any]:
    """Return all that a store holds: the rows of a file as they are, the tables of a memory store exposed."""
    if isinstance(store, SqliteStore):
        with store.transaction():
            cursor = store.connection.cursor()
            tables = [row[0] for row in cursor.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            return {table: cursor.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    held = {name: plain(rows) for name, rows in _memory_tables(store)}
    # Where order is part of what is kept, it is part of the dump.
    held["order of past chains"] = [tuple(chains) for chains in held["past_chains"].values()]
    return held


def snapshot(store: AnyStore) -> dict[str, Any]:
    """Return what `dump` does, in a form that is cheap to take and to compare thousands of times.

    The rows of a memory store cannot be changed, only replaced, so the tables that point to them are enough.
    """
    if isinstance(store, SqliteStore):
        return dump(store)
    return {name: _tables(rows) for name, rows in _memory_tables(store)}


def kept_sessions(store: AnyStore) -> dict[int, DeferredRecord]:
    """Return the sessions that a memory store keeps as they are, by id; none for a store in a file."""
    rows = store._rows.sessions if isinstance(store, MemoryStore) else {}
    return {id_: row.record for id_, row in rows.items() if isinstance(row.record, DeferredRecord)}


def check_kept_sessions(store: AnyStore) -> None:
    """Check that each kept session equals what its bytes decode to, as another kind of store would."""
    for kept in kept_sessions(store).values():
        decoded = decode_session(Record(kept.expose()))
        assert plain(decoded) == plain(kept.value), "a kept session is not the one in its record"


def encode_kept_sessions(store: MemoryStore) -> None:
    """Replace each kept session by its bytes, so that the next call must decode it."""
    sessions = store._rows.sessions
    for id_, kept in kept_sessions(store).items():
        sessions[id_] = replace(sessions[id_], record=Record(kept.expose()))


def _memory_tables(store: MemoryStore) -> Iterator[tuple[str, Any]]:
    rows = store._rows
    return (
        (name, getattr(rows, name)) for name in slots(rows) if name not in {"lock", "_journal", "arrivals"}
    )


def _tables(value: object) -> Any:
    if isinstance(value, dict):
        return [(key, _tables(each)) for key, each in sorted(value.items(), key=lambda item: repr(item[0]))]
    return value


@contextmanager
def unchanged(*stores: AnyStore) -> Iterator[None]:
    """Check that the block leaves the stores exactly as they were, also if it raises."""
    before = [dump(store) for store in stores]
    try:
        yield
    finally:
        assert [dump(store) for store in stores] == before, "what should change nothing changed a store"
