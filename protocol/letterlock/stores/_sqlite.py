"""SqliteStore: an account in one file, encrypted under the application's key, shared by processes.

    table         clear columns                    sealed, and bound to them
    account                                        record
    peers         tag of address                   record
    prekeys       kind, id, expires                record
    replays       kind, id, tag of digest
    sessions      id, tag of address, rank         record
    skipped       session, tag of chain, number    record
    past_chains   session, seq, tag of chain
    parts         session, slot, seq               record

A tag is a keyed hash: who knows the address can find its row with the key, and nobody without.

Replacing is UPSERT throughout: INSERT OR REPLACE deletes first, and the cascade would take a peer's
sessions along.

Not here: tables (schema.py), transactions and errors (database.py), keys and sealing (vault.py).
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.prekey import PrekeyKind
from letterlock.errors import CorruptStore, StoreError
from letterlock.limits import BUSY_TIMEOUT
from letterlock.stores._database import Database
from letterlock.stores._interface import PrekeyRow, Record, SessionRow, SkippedRow
from letterlock.stores._vault import KeyOpener, Opener, PassphraseOpener

ACCOUNT: Final = b"account"
PEERS: Final = b"peers"
PREKEYS: Final = b"prekeys"
REPLAYS: Final = b"replays"
SESSIONS: Final = b"sessions"
SKIPPED: Final = b"skipped"
PAST_CHAINS: Final = b"past_chains"
PARTS: Final = b"parts"

_PAGE: Final = 256
"""Peers read at a time."""

SealedRow: TypeAlias = tuple[bytes | int | None, ...]


class SqliteStore(Uncopyable):
    """A store in an SQLite file. Opens the one at `path`, or makes it; the directory must exist.

    `key` is 32 random bytes that the application keeps elsewhere. Waits up to `busy_timeout` seconds for
    another process's transaction, then raises StoreBusy. Threads of one process wait for each other.

    Raises WrongKey (and leaves the file as it is), CorruptStore, UnsupportedStore for a file that is no
    store or a later one, StoreError for whatever the disk says, UsageError for a key of the wrong shape.
    """

    __slots__ = ("_database", "_last_peer", "_name", "_vault")

    def __init__(
        self, path: str | os.PathLike[str], *, key: bytes, busy_timeout: float = BUSY_TIMEOUT
    ) -> None:
        self._attach(Path(path), KeyOpener(key), busy_timeout)

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, passphrase: str, busy_timeout: float = BUSY_TIMEOUT
    ) -> Self:
        """Open or make a store with a passphrase, stretched by Argon2id: some tenths of a second."""
        store = cls.__new__(cls)
        cls._attach(store, Path(path), PassphraseOpener(passphrase), busy_timeout)
        return store

    def _attach(self, path: Path, opener: Opener, busy_timeout: float) -> None:
        if path.is_dir():
            raise StoreError(f"{path.name!r} is a directory: name a file in it")
        self._name = path.name
        self._database = Database(path, opener, busy_timeout)
        self._vault = self._database.vault
        self._last_peer = b"", b""

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for the application's own tables inside `transaction()`; elsewhere StoreError.

        Names that begin with `letterlock_` are the store's, and so are user_version and application_id.
        Never commit on it, which `with connection` and `executescript` do too.
        """
        return self._database.connection

    def transaction(self) -> AbstractContextManager[None]:
        """See Store."""
        return self._database.transaction()

    def close(self) -> None:
        """See Store. Does nothing in a forked child, whose parent goes on using the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SqliteStore {self._name!r}>"

    # account

    def load_account(self) -> Record | None:
        """See Store."""
        row = self._database.row("SELECT record FROM letterlock_account WHERE id = 1")
        return None if row is None else self._vault.open(row[0], ACCOUNT)

    def save_account(self, record: Record) -> None:
        """See Store."""
        self._database.run(
            "INSERT INTO letterlock_account (id, record) VALUES (1, ?) "
            "ON CONFLICT (id) DO UPDATE SET record = excluded.record",
            self._vault.seal(record, ACCOUNT),
        )

    # peers

    def _peer(self, address: bytes) -> bytes:
        """Return the tag of a peer: asked for several times in a row, and 1.3 us each."""
        known, tag = self._last_peer
        if address != known:
            tag = self._vault.tag(PEERS, address)
            self._last_peer = address, tag
        return tag

    def load_peer(self, address: bytes) -> Record | None:
        """See Store."""
        peer = self._peer(address)
        row = self._database.row("SELECT record FROM letterlock_peers WHERE peer = ?", peer)
        return None if row is None else self._vault.open(row[0], PEERS, peer)

    def save_peer(self, address: bytes, record: Record) -> None:
        """See Store."""
        peer = self._peer(address)
        self._database.run(
            "INSERT INTO letterlock_peers (peer, record) VALUES (?, ?) "
            "ON CONFLICT (peer) DO UPDATE SET record = excluded.record",
            peer,
            self._vault.seal(record, PEERS, peer),
        )

    def peers(self) -> Iterator[Record]:
        """See Store. Reads some hundreds at a time, inside the transaction."""
        return self._peers_from(self._page_of_peers(b""))

    def _peers_from(self, page: list[tuple[Any, ...]]) -> Iterator[Record]:
        while page:
            for peer, record in page:
                yield self._vault.open(record, PEERS, peer)
            page = self._page_of_peers(page[-1][0])

    def _page_of_peers(self, after: bytes) -> list[tuple[Any, ...]]:
        sql = "SELECT peer, record FROM letterlock_peers WHERE peer > ? ORDER BY peer LIMIT ?"
        return self._database.rows(sql, after, _PAGE)

    # prekeys

    def add_prekeys(self, rows: Iterable[PrekeyRow]) -> None:
        """See Store."""
        with self._database.savepoint():
            self._database.run_many(
                "INSERT INTO letterlock_prekeys (kind, id, expires, record) VALUES (?, ?, ?, ?)",
                map(self._sealed_prekey, rows),
            )

    def load_prekey(self, kind: PrekeyKind, id_: int) -> PrekeyRow | None:
        """See Store."""
        row = self._database.row(
            "SELECT expires, record FROM letterlock_prekeys WHERE kind = ? AND id = ?", kind, id_
        )
        if row is None:
            return None
        expires, sealed = row
        return PrekeyRow(kind, id_, expires, self._vault.open(sealed, PREKEYS, kind, id_, expires))

    def replace_prekey(self, row: PrekeyRow) -> None:
        """See Store."""
        kind, id_, expires, sealed = self._sealed_prekey(row)
        changed = self._database.run(
            "UPDATE letterlock_prekeys SET expires = ?, record = ? WHERE kind = ? AND id = ?",
            expires,
            sealed,
            kind,
            id_,
        )
        if not changed:
            raise CorruptStore("there is no such prekey to replace")

    def delete_prekey(self, kind: PrekeyKind, id_: int) -> None:
        """See Store."""
        self._database.run("DELETE FROM letterlock_prekeys WHERE kind = ? AND id = ?", kind, id_)

    def delete_expired_prekeys(self, now: int) -> int:
        """See Store."""
        return self._database.run("DELETE FROM letterlock_prekeys WHERE expires <= ?", now)

    def count_prekeys(self, kind: PrekeyKind) -> int:
        """See Store."""
        return self._database.number("SELECT count(*) FROM letterlock_prekeys WHERE kind = ?", kind)

    def _sealed_prekey(self, row: PrekeyRow) -> SealedRow:
        identity = int(row.kind), row.id, row.expires
        return (*identity, self._vault.seal(row.record, PREKEYS, *identity))

    # replays

    def has_replay(self, kind: PrekeyKind, id_: int, digest: bytes) -> bool:
        """See Store."""
        sql = "SELECT 1 FROM letterlock_replays WHERE kind = ? AND id = ? AND digest = ?"
        return self._database.row(sql, *self._replay(kind, id_, digest)) is not None

    def add_replay(self, kind: PrekeyKind, id_: int, digest: bytes) -> None:
        """See Store."""
        self._database.run(
            "INSERT INTO letterlock_replays (kind, id, digest) VALUES (?, ?, ?)",
            *self._replay(kind, id_, digest),
        )

    def count_replays(self, kind: PrekeyKind, id_: int) -> int:
        """See Store."""
        sql = "SELECT count(*) FROM letterlock_replays WHERE kind = ? AND id = ?"
        return self._database.number(sql, kind, id_)

    def _replay(self, kind: PrekeyKind, id_: int, digest: bytes) -> tuple[int, int, bytes]:
        # The tag covers the prekey, so that a row moved to another prekey means nothing there.
        return int(kind), id_, self._vault.tag(REPLAYS, int(kind), id_, digest)

    # sessions

    def load_sessions(self, address: bytes, limit: int) -> list[SessionRow]:
        """See Store."""
        peer = self._peer(address)
        rows = self._database.rows(
            "SELECT id, rank, record FROM letterlock_sessions WHERE peer = ? "
            "ORDER BY rank DESC, id DESC LIMIT ?",
            peer,
            limit,
        )
        return [
            SessionRow(id_, address, rank, self._vault.open(sealed, SESSIONS, id_, peer, rank))
            for id_, rank, sealed in rows
        ]

    def save_session(self, row: SessionRow) -> None:
        """See Store."""
        peer = self._peer(row.address)
        sealed = self._vault.seal(row.record, SESSIONS, row.id, peer, row.rank)
        # Nearly every message leaves the rank as it is. If it were set again, its index would be written too:
        # two pages a commit instead of one.
        if self._database.run(
            "UPDATE letterlock_sessions SET record = ? WHERE id = ? AND peer = ? AND rank = ?",
            sealed,
            row.id,
            peer,
            row.rank,
        ):
            return
        changed = self._database.run(
            "INSERT INTO letterlock_sessions (id, peer, rank, record) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET rank = excluded.rank, record = excluded.record "
            "WHERE peer = excluded.peer",
            row.id,
            peer,
            row.rank,
            sealed,
        )
        if not changed:
            raise CorruptStore("this session id belongs to another peer")

    def delete_session(self, id_: int) -> None:
        """See Store."""
        self._database.run("DELETE FROM letterlock_sessions WHERE id = ?", id_)

    # skipped keys

    def find_skipped(self, address: bytes, chain: bytes, number: int) -> SkippedRow | None:
        """See Store."""
        tag = self._vault.tag(SKIPPED, chain)
        # CROSS JOIN fixes the order: the peer's few sessions, then one index lookup in each.
        row = self._database.row(
            "SELECT skipped.session, skipped.record FROM letterlock_sessions AS sessions "
            "CROSS JOIN letterlock_skipped AS skipped ON skipped.session = sessions.id "
            "WHERE sessions.peer = ? AND skipped.chain = ? AND skipped.number = ? "
            "ORDER BY sessions.rank DESC, sessions.id DESC LIMIT 1",
            self._peer(address),
            tag,
            number,
        )
        if row is None:
            return None
        session, sealed = row
        return SkippedRow(session, chain, number, self._vault.open(sealed, SKIPPED, session, tag, number))

    def add_skipped(self, rows: Iterable[SkippedRow]) -> None:
        """See Store."""
        with self._database.savepoint():
            self._database.run_many(
                "INSERT INTO letterlock_skipped (session, chain, number, record) VALUES (?, ?, ?, ?)",
                self._sealed_skipped(rows),
            )

    def has_skipped(self, session_id: int, chain: bytes) -> bool:
        """See Store."""
        sql = "SELECT 1 FROM letterlock_skipped WHERE session = ? AND chain = ? LIMIT 1"
        return self._database.row(sql, session_id, self._vault.tag(SKIPPED, chain)) is not None

    def delete_skipped(self, row: SkippedRow) -> None:
        """See Store."""
        self._database.run(
            "DELETE FROM letterlock_skipped WHERE session = ? AND chain = ? AND number = ?",
            row.session_id,
            self._vault.tag(SKIPPED, row.chain),
            row.number,
        )

    def trim_skipped(self, session_id: int, keep: int) -> int:
        """See Store."""
        sql = "SELECT count(*) FROM letterlock_skipped WHERE session = ?"
        beyond = self._database.number(sql, session_id) - keep
        if beyond <= 0:
            return 0
        return self._database.run(
            "DELETE FROM letterlock_skipped WHERE seq IN "
            "(SELECT seq FROM letterlock_skipped WHERE session = ? ORDER BY seq LIMIT ?)",
            session_id,
            beyond,
        )

    def _sealed_skipped(self, rows: Iterable[SkippedRow]) -> Iterator[SealedRow]:
        chain, tag = None, b""
        for row in rows:
            if row.chain != chain:  # they come in runs
                chain, tag = row.chain, self._vault.tag(SKIPPED, row.chain)
            sealed = self._vault.seal(row.record, SKIPPED, row.session_id, tag, row.number)
            yield row.session_id, tag, row.number, sealed

    # past chains

    def add_past_chain(self, session_id: int, chain: bytes, keep: int) -> None:
        """See Store."""
        with self._database.savepoint():
            last = self._database.number(
                "SELECT coalesce(max(seq), 0) FROM letterlock_past_chains WHERE session = ?", session_id
            )
            last += self._database.run(
                "INSERT INTO letterlock_past_chains (session, seq, chain) VALUES (?, ?, ?) "
                "ON CONFLICT (session, chain) DO NOTHING",
                session_id,
                last + 1,
                self._past_chain(session_id, chain),
            )
            self._database.run(
                "DELETE FROM letterlock_past_chains WHERE session = ? AND seq <= ?", session_id, last - keep
            )

    def is_past_chain(self, session_id: int, chain: bytes) -> bool:
        """See Store."""
        sql = "SELECT 1 FROM letterlock_past_chains WHERE session = ? AND chain = ?"
        return self._database.row(sql, session_id, self._past_chain(session_id, chain)) is not None

    def _past_chain(self, session_id: int, chain: bytes) -> bytes:
        return self._vault.tag(PAST_CHAINS, session_id, chain)

    # parts

    def append_part(self, session_id: int, slot: int, record: Record) -> None:
        """See Store."""
        sql = "SELECT coalesce(max(seq), 0) + 1 FROM letterlock_parts WHERE session = ? AND slot = ?"
        seq = self._database.number(sql, session_id, slot)
        self._database.run(
            "INSERT INTO letterlock_parts (session, slot, seq, record) VALUES (?, ?, ?, ?)",
            session_id,
            slot,
            seq,
            self._vault.seal(record, PARTS, session_id, slot, seq),
        )

    def load_parts(self, session_id: int, slot: int) -> list[Record]:
        """See Store."""
        sql = "SELECT seq, record FROM letterlock_parts WHERE session = ? AND slot = ? ORDER BY seq"
        rows = self._database.rows(sql, session_id, slot)
        return [self._vault.open(sealed, PARTS, session_id, slot, seq) for seq, sealed in rows]

    def clear_parts(self, session_id: int, slot: int) -> None:
        """See Store."""
        self._database.run("DELETE FROM letterlock_parts WHERE session = ? AND slot = ?", session_id, slot)
