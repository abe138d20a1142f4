"""One of everything of the stores that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from letterlock._wire.prekey import PrekeyKind
from letterlock.stores._any_store import calls_of
from letterlock.stores._entry_kind import EntryKind
from letterlock.stores._interface import (
    EntryRow,
    PrekeyRow,
    Record,
    SessionRow,
    SkippedKey,
)
from letterlock.stores._memory import MemoryStore
from letterlock.stores._skipped_rows import SkippedRow
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.decoded_rows import DecodedRows
from letterlock.stores._sqlite.digest import ConnectionRunner, Digest
from letterlock.stores._sqlite.first_skipped_keys import _Half
from letterlock.stores._sqlite.store import SqliteStore
from letterlock.stores._sqlite.wrapped_key import DataKey, KeyOpener, PassphraseOpener
from support.secret_pq_holders import MATERIAL

NO_CONNECTION: Final[Any] = None
PASSPHRASE: Final = MATERIAL.decode("latin-1")

record: Final = Record(MATERIAL)


def filled() -> MemoryStore:
    store = MemoryStore()
    with store.transaction():
        store.tables.account.save(record)
        store.tables.peers.save(b"peer", record)
        store.tables.sessions.save(SessionRow(1, b"peer", 0, record))
    return store


TABLES: Final = (
    "account", "entries", "past_chains", "peers", "prekeys", "replays", "sessions", "skipped_keys",
)  # fmt: skip


def memory_table(name: str) -> Callable[[], object]:
    return lambda: getattr(filled().tables, name)


def sqlite_table(name: str) -> Callable[[Path], object]:
    return lambda folder: getattr(sqlite(folder).tables, name)


def digest() -> Digest:
    return Digest(ConnectionRunner(NO_CONNECTION), StoreCipher(DataKey(MATERIAL[:32])))


def decoded_rows() -> DecodedRows:
    rows = DecodedRows(1, 60)
    rows.keep_read(b"sealed", record, b"sessions", (1,))
    return rows


def database(folder: Path) -> object:
    return sqlite(folder)._database


def sqlite(folder: Path) -> SqliteStore:
    return SqliteStore(folder / "store.db", key=MATERIAL[:32])


STORE_TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "Transaction": (lambda: filled().transaction(), "{OBJECT}"),
    "PrekeyRow": (
        lambda: PrekeyRow(PrekeyKind.SIGNED, 1, None, record),
        "PrekeyRow(kind=<PrekeyKind.SIGNED: 1>, id=1, expires=None, record=<Record: hidden>)",
    ),
    "SessionRow": (
        lambda: SessionRow(1, b"address", 2, record),
        "SessionRow(id=1, address=b'address', rank=2, record=<Record: hidden>)",
    ),
    "EntryRow": (
        lambda: EntryRow(EntryKind.CONTACT, b"key", 2, record),
        "EntryRow(kind=<EntryKind.CONTACT: 3>, key=b'key', due=2, record=<Record: hidden>)",
    ),
    "SkippedKey": (
        lambda: SkippedKey(1, b"chain", 2, record),
        "SkippedKey(session_id=1, chain=b'chain', number=2, record=<Record: hidden>, kept=0)",
    ),
    "SkippedRow": (
        lambda: SkippedRow(6, b"chain", 2, 3, 40, 5, record),
        "SkippedRow(order=6, chain=b'chain', start=2, count=3, kept=40, present=5, keys=<Record: hidden>)",
    ),
    "MemoryCalls": (lambda: calls_of(filled()), "{OBJECT}"),
    "MemoryRows": (lambda: filled()._rows, "{OBJECT}"),
    "MemoryStore": (filled, "<MemoryStore>"),
    "_Half": (lambda: _Half(b"chain", 2, Record(MATERIAL[:32])), "{OBJECT}"),
    "KeyOpener": (lambda: KeyOpener(MATERIAL[:32]), "{OBJECT}"),
    "PassphraseOpener": (lambda: PassphraseOpener(PASSPHRASE), "{OBJECT}"),
    "StoreCipher": (lambda: StoreCipher(DataKey(MATERIAL[:32])), "{OBJECT}"),
    "Digest": (digest, "{OBJECT}"),
    "DecodedRows": (decoded_rows, "{OBJECT}"),
    **{type(getattr(filled().tables, name)).__name__: (memory_table(name), "{OBJECT}") for name in TABLES},
}  # fmt: skip


ON_DISK: Final[dict[str, tuple[Callable[[Path], Any], str]]] = {
    "SqliteStore": (sqlite, "<SqliteStore 'store.db'>"),
    "Database": (database, "{OBJECT}"),
    "SqliteAccountTable": (sqlite_table("account"), "{OBJECT}"),
    "SqliteEntryTable": (sqlite_table("entries"), "{OBJECT}"),
    "SqlitePastChainTable": (sqlite_table("past_chains"), "{OBJECT}"),
    "SqlitePeerTable": (sqlite_table("peers"), "{OBJECT}"),
    "SqlitePrekeyTable": (sqlite_table("prekeys"), "{OBJECT}"),
    "SqliteReplayTable": (sqlite_table("replays"), "{OBJECT}"),
    "SqliteCalls": (lambda folder: calls_of(sqlite(folder)), "{OBJECT}"),
    "SqliteSessionTable": (sqlite_table("sessions"), "{OBJECT}"),
    "SqliteSkippedKeyTable": (sqlite_table("skipped_keys"), "{OBJECT}"),
}
