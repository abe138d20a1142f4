"""Where an account lives between calls: two stores, and the interface for writing another one.

`SqliteStore` keeps an account in an encrypted file; `MemoryStore` keeps it as long as the process runs. An
application creates a store and passes it to `Account`. It may call `transaction()` and `close()` itself, but
leaves the tables to the account.

The rest of this page is for authors of another store, for example one on the database that a server already
has. No base class is needed: `Account` takes any object with the three members of `Store`.

    transaction()    a context manager; the account makes every call inside it
    tables           the eight tables below, each an attribute (`Tables`)
    close()          releases what the store holds

    table           one row for each               content                                 deleted with
    account         -                              identity key, counters                  -
    peers           address                        identity key trusted for the peer       -
    prekeys         kind, id                       private key, and when it expires        -
    replays         kind, id, digest               a handshake accepted with the prekey    its prekey
    sessions        session id                     ratchet state, and the session's rank   -
    skipped_keys    session id, chain, start       keys of 32 messages still expected      its session
    past_chains     session id, chain              nothing: the chain is finished          its session
    entries         kind, key                      what a user keeps besides the account   -

`AccountTable`, `PeerTable` and the other protocols document every method. A peer may have several sessions;
the one of the greatest rank is active. Secrets are passed as `Record`, which never prints them:
`record.expose()` returns the bytes to write, and `Record(data)` wraps the bytes that were read. A store never
looks into a record. Addresses, chains, digests and names are the keys of rows. They tell who talks to
whom, so a store that should not reveal that indexes a keyed hash of them, as `SqliteStore` does.

The rules:

    STO-1    `transaction()` excludes other threads and other processes, and it nests. An inner transaction
             that raises undoes its own changes and leaves the outer one usable. The outermost one is durable
             before its block is left.
    STO-2    A table is used inside a transaction of the calling thread. Elsewhere every method raises
             `StoreError`.
    STO-3    A record comes back byte for byte from the row where it was saved, or the store raises
             `CorruptStore`.
    STO-4    A method that raises has changed nothing, even if the enclosing transaction commits afterwards.
    STO-5    In a forked child, a store that the parent opened raises `StoreError`.
    STO-9    A transaction belongs to the thread, and to the asyncio task, trio task or greenlet, that began
             it. In another one of the same thread, `transaction()` and the tables raise `UsageError`.
    STO-10   A thread that waits for another one raises `StoreBusy` after the store's timeout.
    STO-11   An interrupt (`KeyboardInterrupt`) at any point leaves a store that can be used and closed.

A method also raises `CorruptStore` if a new row exists already, or if the peer, prekey or session that a row
belongs to does not exist: then the stored data contradicts itself. Every other failure is a `StoreError` or a
subclass of it. Deleting a row that does not exist is not an error.

`MemoryStore` is the shortest store that keeps these rules: read `_memory.py` first. The tests of the contract
(`tests/stores/test_contract.py` and its neighbours) run on every store that is listed in `STORES` in
`tests/support/store_tools.py`, so add yours there and in `new_store`.

Not here: what a record contains (`_records`), and when the account reads and writes it.
"""

import typing

from letterlock.stores._entry_kind import EntryKind
from letterlock.stores._interface import (
    AccountTable,
    AnyRecord,
    DeferredRecord,
    EntryRow,
    EntryTable,
    KeyRange,
    PastChainTable,
    PeerTable,
    PrekeyRow,
    PrekeyTable,
    Record,
    ReplayTable,
    SessionRow,
    SessionTable,
    SkippedKey,
    SkippedKeyTable,
    Store,
    Tables,
)
from letterlock.stores._memory import MemoryStore

if typing.TYPE_CHECKING:
    from letterlock.stores._sqlite import SqliteStore

__all__ = [
    "AccountTable",
    "AnyRecord",
    "DeferredRecord",
    "EntryKind",
    "EntryRow",
    "EntryTable",
    "KeyRange",
    "MemoryStore",
    "PastChainTable",
    "PeerTable",
    "PrekeyRow",
    "PrekeyTable",
    "Record",
    "ReplayTable",
    "SessionRow",
    "SessionTable",
    "SkippedKey",
    "SkippedKeyTable",
    "SqliteStore",
    "Store",
    "Tables",
]


def __getattr__(name: str) -> object:
    """Import `SqliteStore` when it is asked for: a program that uses another store starts sooner."""
    if name != "SqliteStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from letterlock.stores._sqlite import SqliteStore  # noqa: PLC0415

    globals()[name] = SqliteStore
    return SqliteStore


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
