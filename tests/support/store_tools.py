"""What the tests of the stores share: rows, a look at everything a store holds, and scripts of calls."""

import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

import pytest

from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import StoreError
from letterlock.stores._interface import PrekeyRow, Record, SessionRow, SkippedRow, Store
from letterlock.stores._memory import MemoryStore
from letterlock.stores._sqlite import SqliteStore
from letterlock.stores._vault import PassphraseOpener

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
SLOTS: Final = (1, 2, 3)
NUMBERS: Final = (0, 1, 2**32 - 1)

Call: TypeAlias = Callable[[Store], object]


class Boom(Exception):
    """What the tests raise inside a transaction."""


@contextmanager
def undone(store: Store) -> Generator[None]:
    """Begin a transaction that is undone at the end of the block, and check that the error comes out."""
    with pytest.raises(Boom), store.transaction():
        yield
        raise Boom


def record(text: object) -> Record:
    return Record(f"SECRET RECORD {text}".encode())


def prekey(kind: PrekeyKind, id_: int, expires: int | None = None, text: object = "prekey") -> PrekeyRow:
    return PrekeyRow(kind, id_, expires, record(text))


def session(id_: int, address: bytes = ALICE, rank: int = 1, text: object = "session") -> SessionRow:
    return SessionRow(id_, address, rank, record(text))


def skipped(id_: int, number: int, chain: bytes = CHAINS[0], text: object = "skipped") -> SkippedRow:
    return SkippedRow(id_, chain, number, record(text))


def fill(store: Store) -> None:
    """Put something into every table, inside a transaction."""
    store.save_account(record("account"))
    for address in (ALICE, BOB):
        store.save_peer(address, record(address))
    store.add_prekeys([prekey(kind, id_, expires) for kind in KINDS for id_, expires in ((1, None), (2, 50))])
    store.add_replay(SIGNED, 1, DIGESTS[0])
    store.add_replay(SIGNED, 2, DIGESTS[0])
    for row in (session(1, ALICE, 1), session(2, ALICE, 2), session(3, BOB, 7)):
        store.save_session(row)
        store.add_skipped(skipped(row.id, number, chain) for chain in CHAINS[:2] for number in (0, 1))
        store.add_past_chain(row.id, CHAINS[2], 10)
        store.append_part(row.id, 1, record(f"text of {row.id}"))
    for number in range(3):
        store.append_part(1, 2, record(f"piece {number}"))


def plain(value: object) -> Any:
    """Return a value with its secrets in the open, so that it can be compared and printed."""
    match value:
        case Record():
            return value.expose()
        case PrekeyRow():
            return ("prekey", int(value.kind), value.id, value.expires, plain(value.record))
        case SessionRow():
            return ("session", value.id, value.address, value.rank, plain(value.record))
        case SkippedRow():
            return ("skipped", value.session_id, value.chain, value.number, plain(value.record))
        case list():
            return [plain(each) for each in value]
        case _:
            return value


def everything(store: Store) -> dict[str, Any]:
    """Return all that a store holds of the names above, inside a transaction."""
    held: dict[str, Any] = {"account": plain(store.load_account())}
    held["peers"] = sorted(plain(each) for each in store.peers())
    for address in ADDRESSES:
        held[f"peer {address!r}"] = plain(store.load_peer(address))
        held[f"sessions {address!r}"] = plain(store.load_sessions(address, 100))
        for chain in CHAINS:
            for number in NUMBERS:
                name = f"skipped {address!r} {chain!r} {number}"
                held[name] = plain(store.find_skipped(address, chain, number))
    for kind in KINDS:
        held[f"prekeys {kind}"] = store.count_prekeys(kind)
        for id_ in IDS:
            held[f"prekey {kind} {id_}"] = plain(store.load_prekey(kind, id_))
            replays = [store.has_replay(kind, id_, digest) for digest in DIGESTS]
            held[f"replays {kind} {id_}"] = [store.count_replays(kind, id_), *replays]
    for id_ in (1, 2, 3):
        held[f"past {id_}"] = [store.is_past_chain(id_, chain) for chain in CHAINS]
        for slot in SLOTS:
            held[f"parts {id_} {slot}"] = plain(store.load_parts(id_, slot))
    return held


def seen(store: Store) -> dict[str, Any]:
    """Return `everything` in a transaction of its own."""
    with store.transaction():
        return everything(store)


CHANGES: Final[dict[str, Call]] = {
    "save_account": lambda store: store.save_account(record("other")),
    "save_peer": lambda store: store.save_peer(ALICE, record("other")),
    "save_peer, new": lambda store: store.save_peer(NOBODY, record("other")),
    "add_prekeys": lambda store: store.add_prekeys([prekey(SIGNED, IDS[2]), prekey(ONE_TIME, IDS[2])]),
    "replace_prekey": lambda store: store.replace_prekey(prekey(SIGNED, 1, 70, "other")),
    "delete_prekey": lambda store: store.delete_prekey(SIGNED, 1),
    "delete_expired_prekeys": lambda store: store.delete_expired_prekeys(50),
    "add_replay": lambda store: store.add_replay(SIGNED, 1, DIGESTS[1]),
    "save_session": lambda store: store.save_session(session(1, ALICE, 9, "other")),
    "save_session, new": lambda store: store.save_session(session(4, BOB, 9)),
    "delete_session": lambda store: store.delete_session(2),
    "add_skipped": lambda store: store.add_skipped([skipped(1, 2**32 - 1), skipped(3, 2**32 - 1)]),
    "delete_skipped": lambda store: store.delete_skipped(skipped(2, 1)),
    "trim_skipped": lambda store: store.trim_skipped(2, 1),
    "add_past_chain": lambda store: store.add_past_chain(1, CHAINS[0], 10),
    "add_past_chain, full": lambda store: store.add_past_chain(1, CHAINS[0], 1),
    "append_part": lambda store: store.append_part(1, 2, record("piece 3")),
    "append_part, first": lambda store: store.append_part(3, 3, record("kept")),
    "clear_parts": lambda store: store.clear_parts(1, 2),
}
"""Calls that change a store that `fill` filled."""

READS: Final[dict[str, Call]] = {
    "load_account": lambda store: store.load_account(),
    "load_peer": lambda store: store.load_peer(ALICE),
    "peers": lambda store: store.peers(),
    "load_prekey": lambda store: store.load_prekey(SIGNED, 1),
    "count_prekeys": lambda store: store.count_prekeys(SIGNED),
    "has_replay": lambda store: store.has_replay(SIGNED, 1, DIGESTS[0]),
    "count_replays": lambda store: store.count_replays(SIGNED, 1),
    "load_sessions": lambda store: store.load_sessions(ALICE, 5),
    "find_skipped": lambda store: store.find_skipped(ALICE, CHAINS[0], 0),
    "is_past_chain": lambda store: store.is_past_chain(1, CHAINS[2]),
    "load_parts": lambda store: store.load_parts(1, 2),
}

IMPOSSIBLE: Final[dict[str, Call]] = {
    "add_prekeys, taken at the end": lambda store: store.add_prekeys(
        [prekey(SIGNED, IDS[2]), prekey(SIGNED, 1)]
    ),
    "add_prekeys, twice the same": lambda store: store.add_prekeys([prekey(SIGNED, IDS[2])] * 2),
    "replace_prekey, none": lambda store: store.replace_prekey(prekey(SIGNED, IDS[2])),
    "replace_prekey, other kind": lambda store: store.replace_prekey(prekey(PrekeyKind.KEM_ONE_TIME, 1)),
    "add_replay, no prekey": lambda store: store.add_replay(SIGNED, IDS[2], DIGESTS[0]),
    "add_replay, known": lambda store: store.add_replay(SIGNED, 1, DIGESTS[0]),
    "save_session, no peer": lambda store: store.save_session(session(9, NOBODY)),
    "save_session, other peer's": lambda store: store.save_session(session(1, BOB)),
    "add_skipped, no session": lambda store: store.add_skipped([skipped(1, 2**32 - 1), skipped(9, 0)]),
    "add_skipped, known": lambda store: store.add_skipped([skipped(1, 2**32 - 1), skipped(1, 0)]),
    "add_past_chain, no session": lambda store: store.add_past_chain(9, CHAINS[0], 10),
    "append_part, no session": lambda store: store.append_part(9, 1, record("nobody's")),
}
"""Calls that such a store must refuse."""


def sqlite(path: Path, *, key: bytes = KEY, busy_timeout: float = 30) -> SqliteStore:
    return SqliteStore(path / "store.db", key=key, busy_timeout=busy_timeout)


@cache
def _fresh() -> bytes:
    with TemporaryDirectory() as folder:
        sqlite(Path(folder)).close()
        return (Path(folder) / "store.db").read_bytes()


def quick(path: Path, *, busy_timeout: float = 30) -> SqliteStore:
    """Return a new store that does not wait for the disk, which is most of what a small test would do."""
    (path / "store.db").write_bytes(_fresh())
    store = sqlite(path, busy_timeout=busy_timeout)
    store._database._connection.execute("PRAGMA synchronous = OFF")
    return store


def make(kind: str, path: Path) -> MemoryStore | SqliteStore:
    return MemoryStore() if kind == "memory" else quick(path)


def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make new stores stretch their passphrases as little as libsodium allows."""
    monkeypatch.setattr(PassphraseOpener, "OPSLIMIT", 1)
    monkeypatch.setattr(PassphraseOpener, "MEMLIMIT", 8192)


def python(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """Start another Python process on some code; `sys.argv[1:]` are the arguments."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: "subprocess.Popen[str]") -> str:
    """Return what a process printed, once it has ended well."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def outcome(call: Call, store: Store) -> object:
    """Return what a call returned, or the type of what it raised."""
    try:
        return plain(call(store))
    except StoreError as error:
        return type(error)
