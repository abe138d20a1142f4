"""What the tests of the stores share: rows, everything that a store holds, and tables of calls."""

import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

import pytest

from letterlock._ratchet.keys import SkippedKeys
from letterlock._ratchet.ratchet import SkippedRange
from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import StoreError
from letterlock.stores._entry_kind import EntryKind
from letterlock.stores._interface import (
    DeferredRecord,
    EntryRow,
    PrekeyRow,
    Record,
    SessionRow,
    SkippedKey,
    Store,
)
from letterlock.stores._memory import MemoryStore
from letterlock.stores._sqlite import SqliteStore
from letterlock.stores._sqlite.wrapped_key import PassphraseOpener
from support.forks import Forked, start

KEY: Final = bytes(range(0x40, 0x60))
OTHER_KEY: Final = bytes(range(0x60, 0x80))
PASSPHRASE: Final = "correct horse battery staple"

ALICE: Final = b"\x82\x69alice.net\x01"
BOB: Final = b"\x82\x67bob.net\x01"
NOBODY: Final = b"\x82\x66nobody\x01"
ADDRESSES: Final = (ALICE, BOB, NOBODY)
CHAINS: Final = tuple(f"chain {n} ".encode() * 4 for n in range(3))
DIGESTS: Final = tuple(f"digest{n} ".encode() * 4 for n in range(2))
SIGNED: Final = PrekeyKind.SIGNED
ONE_TIME: Final = PrekeyKind.ONE_TIME
KINDS: Final = (SIGNED, ONE_TIME)
IDS: Final = (1, 2, 2**32 - 1)
NUMBERS: Final = (0, 1, 40, 2**32 - 1)
NOON: Final = 1_700_000_000
CONTACT: Final = EntryKind.CONTACT
SENT: Final = EntryKind.SENT
ENTRY_KINDS: Final = (CONTACT, SENT)
"""A kind that the digest covers, and one that it does not."""
ENTRY_KEYS: Final = (b"", b"bob", bytes(range(256)) + bytes(44))

Call: TypeAlias = Callable[[Store], object]


class Abort(Exception):
    """Raised by tests inside a transaction, to undo it."""


@contextmanager
def undone(store: Store) -> Generator[None]:
    """Begin a transaction, undo it at the end of the block, and check that the error propagates."""
    with pytest.raises(Abort), store.transaction():
        yield
        raise Abort


def record(text: object) -> Record:
    return Record(f"SECRET RECORD {text}".encode())


def prekey(kind: PrekeyKind, id_: int, expires: int | None = None, text: object = "prekey") -> PrekeyRow:
    return PrekeyRow(kind, id_, expires, record(text))


def session(id_: int, address: bytes = ALICE, rank: int = 1, text: object = "session") -> SessionRow:
    return SessionRow(id_, address, rank, record(text))


def message_key(number: int, text: object = "skipped") -> bytes:
    return f"SECRET KEY {text} {number}".encode().ljust(32, b".")


def skipped(
    id_: int, number: int, chain: bytes = CHAINS[0], text: object = "skipped", kept: int = NOON
) -> SkippedKey:
    return SkippedKey(id_, chain, number, Record(message_key(number, text)), kept)


def key_range(start: int, count: int = 1, chain: bytes = CHAINS[0], text: object = "skipped") -> SkippedRange:
    keys = SkippedKeys.join(message_key(start + at, text) for at in range(count))
    return SkippedRange(chain, start, keys)


def entry(kind: EntryKind, key: bytes, due: int | None = None, text: object = "entry") -> EntryRow:
    return EntryRow(kind, key, due, record(text))


def keep_each(
    store: Store, id_: int, numbers: Iterable[int], chain: bytes = CHAINS[0], kept: int = NOON
) -> None:
    """Keep the keys of messages that were skipped one at a time."""
    for number in numbers:
        store.tables.skipped_keys.add(id_, [[key_range(number, 1, chain)]], kept)


def delete_each(store: Store, id_: int, numbers: Iterable[int], chain: bytes = CHAINS[0]) -> None:
    for number in numbers:
        store.tables.skipped_keys.delete(skipped(id_, number, chain))


def fill(store: Store) -> None:
    """Put rows into every table, inside a transaction."""
    store.tables.account.save(record("account"))
    for address in (ALICE, BOB):
        store.tables.peers.save(address, record(address))
    store.tables.prekeys.add(
        [prekey(kind, id_, expires) for kind in KINDS for id_, expires in ((1, None), (2, 50))]
    )
    store.tables.replays.add(SIGNED, 1, DIGESTS[0])
    store.tables.replays.add(SIGNED, 2, DIGESTS[0])
    for row in (session(1, ALICE, 1), session(2, ALICE, 2), session(3, BOB, 7)):
        store.tables.sessions.save(row)
        store.tables.skipped_keys.add(
            row.id, [[key_range(0, 2, chain)] for chain in CHAINS[:2]], NOON + row.id
        )
        store.tables.past_chains.add(row.id, CHAINS[2], 10)
    for kind in ENTRY_KINDS:
        store.tables.entries.save(entry(kind, ENTRY_KEYS[0], None, "without time"))
        store.tables.entries.save(entry(kind, ENTRY_KEYS[1], NOON, "due"))


def exposed(value: object) -> Any:
    """Return a value with its secrets exposed, so that it can be compared and printed."""
    match value:
        case Record() | DeferredRecord():
            return value.expose()
        case PrekeyRow():
            return ("prekey", int(value.kind), value.id, value.expires, exposed(value.record))
        case SessionRow():
            return ("session", value.id, value.address, value.rank, exposed(value.record))
        case SkippedKey():
            return ("skipped", value.session_id, value.chain, value.number, exposed(value.record), value.kept)
        case list():
            return [exposed(each) for each in value]
        case _:
            return exposed_entry(value) if isinstance(value, EntryRow) else value


def exposed_entry(row: EntryRow) -> tuple[Any, ...]:
    return ("entry", int(row.kind), row.key, row.due, exposed(row.record))


def everything(store: Store) -> dict[str, Any]:
    """Return everything that a store holds under the names above, inside a transaction."""
    held: dict[str, Any] = {"account": exposed(store.tables.account.load())}
    held["peers"] = sorted(exposed(each) for each in store.tables.peers.all())
    for address in ADDRESSES:
        held[f"peer {address!r}"] = exposed(store.tables.peers.load(address))
        held[f"sessions {address!r}"] = exposed(store.tables.sessions.load(address, 100))
        for chain in CHAINS:
            for number in NUMBERS:
                name = f"skipped {address!r} {chain!r} {number}"
                held[name] = exposed(store.tables.skipped_keys.find(address, chain, number))
    for kind in KINDS:
        held[f"prekeys {kind}"] = store.tables.prekeys.count(kind)
        held[f"expiries {kind}"] = store.tables.prekeys.expiries(kind)
        for id_ in IDS:
            held[f"prekey {kind} {id_}"] = exposed(store.tables.prekeys.load(kind, id_))
            replays = [store.tables.replays.has(kind, id_, digest) for digest in DIGESTS]
            held[f"replays {kind} {id_}"] = [store.tables.replays.count(kind, id_), *replays]
    for id_ in (1, 2, 3):
        held[f"has skipped {id_}"] = [store.tables.skipped_keys.has(id_, chain) for chain in CHAINS]
        held[f"past {id_}"] = [store.tables.past_chains.has(id_, chain) for chain in CHAINS]
    for entry_kind in ENTRY_KINDS:
        name = entry_kind.name
        held[f"count {name}"] = store.tables.entries.count(entry_kind)
        held[f"all {name}"] = sorted(exposed(each) for each in store.tables.entries.all(entry_kind))
        held[f"due {name}"] = sorted(exposed(store.tables.entries.due(entry_kind, 2**62, 100)))
        for key in ENTRY_KEYS:
            held[f"entry {name} {key!r}"] = exposed(store.tables.entries.load(entry_kind, key))
    return held


def committed(store: Store) -> dict[str, Any]:
    """Return `everything` that was committed, in a transaction of its own."""
    with store.transaction():
        return everything(store)


CHANGES: Final[dict[str, Call]] = {
    "account.save": lambda store: store.tables.account.save(record("other")),
    "peers.save": lambda store: store.tables.peers.save(ALICE, record("other")),
    "peers.save, new": lambda store: store.tables.peers.save(NOBODY, record("other")),
    "prekeys.add": lambda store: store.tables.prekeys.add([prekey(SIGNED, IDS[2]), prekey(ONE_TIME, IDS[2])]),
    "prekeys.replace": lambda store: store.tables.prekeys.replace(prekey(SIGNED, 1, 70, "other")),
    "prekeys.delete": lambda store: store.tables.prekeys.delete(SIGNED, 1),
    "prekeys.delete_expired": lambda store: store.tables.prekeys.delete_expired(50),
    "replays.add": lambda store: store.tables.replays.add(SIGNED, 1, DIGESTS[1]),
    "sessions.save": lambda store: store.tables.sessions.save(session(1, ALICE, 9, "other")),
    "sessions.save, new": lambda store: store.tables.sessions.save(session(4, BOB, 9)),
    "sessions.delete": lambda store: store.tables.sessions.delete(2),
    "skipped_keys.add": lambda store: store.tables.skipped_keys.add(
        1, [[key_range(2, 40), key_range(2**32 - 1)], [key_range(7, 3, CHAINS[2])]], NOON
    ),
    "skipped_keys.delete": lambda store: store.tables.skipped_keys.delete(skipped(2, 1)),
    "skipped_keys.delete, last": lambda store: delete_each(store, 2, (0, 1)),
    "skipped_keys.trim": lambda store: store.tables.skipped_keys.trim(2, 1),
    "skipped_keys.trim, all": lambda store: store.tables.skipped_keys.trim(3, 0),
    "skipped_keys.delete_kept_before": lambda store: store.tables.skipped_keys.delete_kept_before(NOON + 2),
    "skipped_keys.delete_kept_before, one": lambda store: store.tables.skipped_keys.delete_kept_before(
        NOON + 2, 1
    ),
    "past_chains.add": lambda store: store.tables.past_chains.add(1, CHAINS[0], 10),
    "past_chains.add, full": lambda store: store.tables.past_chains.add(1, CHAINS[0], 1),
    "entries.save": lambda store: store.tables.entries.save(entry(CONTACT, ENTRY_KEYS[1], NOON + 1, "other")),
    "entries.save, uncovered": lambda store: store.tables.entries.save(
        entry(SENT, ENTRY_KEYS[1], NOON + 1, "other")
    ),
    "entries.save, new": lambda store: store.tables.entries.save(entry(CONTACT, ENTRY_KEYS[2])),
    "entries.save, uncovered, new": lambda store: store.tables.entries.save(entry(SENT, ENTRY_KEYS[2])),
    "entries.delete": lambda store: store.tables.entries.delete(CONTACT, ENTRY_KEYS[0]),
    "entries.delete, uncovered": lambda store: store.tables.entries.delete(SENT, ENTRY_KEYS[0]),
    "entries.delete_due": lambda store: store.tables.entries.delete_due(CONTACT, NOON),
    "entries.delete_due, uncovered": lambda store: store.tables.entries.delete_due(SENT, NOON),
}
"""Calls that change a store which `fill` has filled."""

READS: Final[dict[str, Call]] = {
    "account.load": lambda store: store.tables.account.load(),
    "peers.load": lambda store: store.tables.peers.load(ALICE),
    "peers.all": lambda store: store.tables.peers.all(),
    "prekeys.load": lambda store: store.tables.prekeys.load(SIGNED, 1),
    "prekeys.count": lambda store: store.tables.prekeys.count(SIGNED),
    "prekeys.expiries": lambda store: store.tables.prekeys.expiries(SIGNED),
    "replays.has": lambda store: store.tables.replays.has(SIGNED, 1, DIGESTS[0]),
    "replays.count": lambda store: store.tables.replays.count(SIGNED, 1),
    "sessions.load": lambda store: store.tables.sessions.load(ALICE, 5),
    "skipped_keys.has": lambda store: store.tables.skipped_keys.has(1, CHAINS[0]),
    "skipped_keys.find": lambda store: store.tables.skipped_keys.find(ALICE, CHAINS[0], 0),
    "past_chains.has": lambda store: store.tables.past_chains.has(1, CHAINS[2]),
    "entries.load": lambda store: store.tables.entries.load(CONTACT, ENTRY_KEYS[1]),
    "entries.load, uncovered": lambda store: store.tables.entries.load(SENT, ENTRY_KEYS[1]),
    "entries.all": lambda store: list(store.tables.entries.all(SENT)),
    "entries.count": lambda store: store.tables.entries.count(CONTACT),
    "entries.due": lambda store: store.tables.entries.due(SENT, NOON, 9),
}

REFUSED: Final[dict[str, Call]] = {
    "prekeys.add, taken at the end": lambda store: store.tables.prekeys.add(
        [prekey(SIGNED, IDS[2]), prekey(SIGNED, 1)]
    ),
    "prekeys.add, twice the same": lambda store: store.tables.prekeys.add([prekey(SIGNED, IDS[2])] * 2),
    "prekeys.replace, none": lambda store: store.tables.prekeys.replace(prekey(SIGNED, IDS[2])),
    "prekeys.replace, other kind": lambda store: store.tables.prekeys.replace(
        prekey(PrekeyKind.KEM_ONE_TIME, 1)
    ),
    "replays.add, no prekey": lambda store: store.tables.replays.add(SIGNED, IDS[2], DIGESTS[0]),
    "replays.add, known": lambda store: store.tables.replays.add(SIGNED, 1, DIGESTS[0]),
    "sessions.save, no peer": lambda store: store.tables.sessions.save(session(9, NOBODY)),
    "sessions.save, other peer's": lambda store: store.tables.sessions.save(session(1, BOB)),
    "skipped_keys.add, no session": lambda store: store.tables.skipped_keys.add(9, [[key_range(0)]], 0),
    "skipped_keys.add, known": lambda store: store.tables.skipped_keys.add(1, [[key_range(0)]], 0),
    "skipped_keys.add, known after others": lambda store: store.tables.skipped_keys.add(
        1, [[key_range(50, 70), key_range(1, 2)], [key_range(5, 70, CHAINS[2])]], 0
    ),
    "skipped_keys.add, over known": lambda store: store.tables.skipped_keys.add(
        1, [[key_range(5, 70, CHAINS[2])], [key_range(0, 40, CHAINS[1])]], 0
    ),
    "skipped_keys.add, twice the same": lambda store: store.tables.skipped_keys.add(
        1, [[key_range(5, 3)], [key_range(5, 3)]], 0
    ),
    "skipped_keys.add, one inside another": lambda store: store.tables.skipped_keys.add(
        1, [[key_range(5, 70), key_range(60, 2)]], 0
    ),
    "past_chains.add, no session": lambda store: store.tables.past_chains.add(9, CHAINS[0], 10),
}
"""Calls that such a store must refuse with CorruptStore."""


def open_sqlite(path: Path, *, key: bytes = KEY, busy_timeout: float = 30) -> SqliteStore:
    return SqliteStore(path / "store.db", key=key, busy_timeout=busy_timeout)


@cache
def _empty_file() -> bytes:
    with TemporaryDirectory() as folder:
        open_sqlite(Path(folder)).close()
        return (Path(folder) / "store.db").read_bytes()


def unsynced_store(path: Path, *, busy_timeout: float = 30) -> SqliteStore:
    """Return a new store that does not wait for the disk, so that small tests are quick."""
    (path / "store.db").write_bytes(_empty_file())
    store = open_sqlite(path, busy_timeout=busy_timeout)
    store._database._connection.execute("PRAGMA synchronous = OFF")
    return store


STORES: Final = ("memory", "sqlite")
"""The stores on which every test of the contract runs. `new_store` makes each of them."""


def new_store(kind: str, path: Path) -> MemoryStore | SqliteStore:
    return MemoryStore() if kind == "memory" else unsynced_store(path)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder in which no store is open: reading would drop its locks."""
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def create_filled(path: Path, **how: str | bytes) -> None:
    """Create a store with rows in every table, and close it. Anything in `how` asks for a passphrase."""
    opened = SqliteStore.open(path, passphrase=PASSPHRASE) if how else SqliteStore(path, key=KEY)
    with opened as store, store.transaction():
        fill(store)


def use_cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new stores stretch passphrases as little as libsodium allows."""
    monkeypatch.setattr(PassphraseOpener, "OPSLIMIT", 1)
    monkeypatch.setattr(PassphraseOpener, "MEMLIMIT", 8192)


def start_python(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """Start another Python process that runs `code` with `sys.argv[1:]` set to the arguments."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def fork_python(code: str, *arguments: object) -> Forked:
    """Start a fork that runs `code`, as start_python does. It has imported the package already."""
    code = f"import warnings; warnings.simplefilter('error')\n{code}"
    pipe = subprocess.PIPE
    return start(["-c", code, *map(str, arguments)], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def output_of(process: "subprocess.Popen[str] | Forked") -> str:
    """Wait until a process has ended without an error; return what it printed."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return str(out)


def outcome(call: Call, store: Store) -> object:
    """Return what a call returned, or the type of the StoreError that it raised."""
    try:
        return exposed(call(store))
    except StoreError as error:
        return type(error)
