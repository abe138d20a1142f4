"""Where an account lives between calls: two stores, and what somebody needs who writes another one.

`SqliteStore` keeps an account in an encrypted file, `MemoryStore` keeps it as long as the process runs. An
application makes one and hands it to `Account`; it calls `transaction()` and `close()` on it, and nothing
else.

The rest of this page is for somebody who writes a store, for example on the database that a server has
already. No base class is needed: `Account` takes any object with the three members of `Store`.

    transaction()    a context manager; the account makes every call inside it
    tables           the eight tables below, each an attribute (`Tables`)
    close()          releases what the store holds

    table           one row for each               content                                 deleted with
    account         -                              identity key, counters                  -
    peers           address                        identity key trusted for the peer       -
    prekeys         kind, id                       private key, and when it expires        -
    replays         kind, id, digest               a handshake accepted with the prekey    its prekey
    sessions        session id                     ratchet state, and the session's rank   its peer
    skipped_keys    session id, chain, number      key of a message still expected         its session
    past_chains     session id, chain              nothing: the chain is finished          its session
    side_data       session id, slot, position     long texts of the post-quantum ratchet  its session

`AccountTable`, `PeerTable` and the other protocols document every method. A peer may have several sessions;
the one of the greatest rank is active. Secrets come as a `Record`, which prints nothing: `record.expose()`
returns the bytes to write, `Record(data)` wraps the bytes that were read. What is inside a record does not
matter to a store. Addresses, chains and digests are bytes to look rows up by; they tell who talks to whom, so
a store that is not trusted with that should index a keyed hash of them, as `SqliteStore` does.

The rules:

    STO-1    `transaction()` excludes other threads and other processes, and it nests. An inner transaction
             that raises undoes its own changes and leaves the outer one usable. The outermost one is durable
             before its block is left.
    STO-2    A table is used inside a transaction of the calling thread. Elsewhere every method raises
             `StoreError`.
    STO-3    A record comes back byte for byte from the row where it was saved, or the store raises
             `CorruptStore`.
    STO-4    A method that raises has changed nothing, also if the transaction around it goes on and commits.
    STO-5    In a forked child, a store that the parent opened raises `StoreError`.

A method raises `CorruptStore` too if a new row exists already, or if the peer, prekey or session that a row
belongs to does not exist: the account asked for what cannot be. Every other failure is a `StoreError` or a
subclass of it. Deleting a row that does not exist is no error.

`MemoryStore` is the shortest store that keeps these rules: read `_memory.py` first. The tests in
`tests/stores/test_contract.py` and `tests/stores/test_transactions.py` run against every store that
`make` in `tests/support/store_tools.py` returns, so add yours there.

Not here: what a record contains (`_records`), and when the account reads and writes it.
"""

from letterlock.stores._interface import (
    AccountTable,
    PastChainTable,
    PeerTable,
    PrekeyRow,
    PrekeyTable,
    Record,
    ReplayTable,
    SessionRow,
    SessionTable,
    SideDataTable,
    SkippedKeyTable,
    SkippedRow,
    Store,
    Tables,
)
from letterlock.stores._memory import MemoryStore
from letterlock.stores._sqlite import SqliteStore

__all__ = [
    "AccountTable",
    "MemoryStore",
    "PastChainTable",
    "PeerTable",
    "PrekeyRow",
    "PrekeyTable",
    "Record",
    "ReplayTable",
    "SessionRow",
    "SessionTable",
    "SideDataTable",
    "SkippedKeyTable",
    "SkippedRow",
    "SqliteStore",
    "Store",
    "Tables",
]
