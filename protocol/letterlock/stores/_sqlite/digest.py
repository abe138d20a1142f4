"""Digest: one sealed row that stands for the rows of the tables below, so that no single one can be put back.

    letterlock_digest   id = 1 | sealed: the sum
    sum                 fingerprints of all covered rows, added modulo 2**256
    fingerprint         HMAC-SHA-256(index key, join("fingerprint", table, columns))

A change subtracts the fingerprints of rows as they were and adds those of rows as they are. Without the key
nobody knows a fingerprint, so nobody can find other rows of the same sum. The sum itself is sealed. [STO-19]

The sum is compared with the rows when a store is opened, and again when another process has changed it. It
is a row like the others, so a rollback of any kind undoes it together with them.

Not here: finished chains, the state of a session, and the entries that change with every message, as states
do. To write a second row each time would cost far too much of a message (spec/limitations.md).
"""

import sqlite3
from collections.abc import Iterable
from typing import Any, Final, Protocol

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import CorruptStore
from letterlock.stores._entry_kind import COVERED_KINDS
from letterlock.stores._interface import Record
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.format import (
    ACCOUNT,
    DIGEST,
    ENTRIES,
    PEERS,
    PREKEYS,
    REPLAYS,
    SESSIONS,
    SKIPPED_KEYS,
    Column,
)

COVERED: Final = {
    ACCOUNT: "sealed",
    PEERS: "peer, sealed",
    PREKEYS: "kind, id, expires, sealed",
    REPLAYS: "kind, id, digest",
    SESSIONS: "id, peer, rank",
    SKIPPED_KEYS: "seq, session, chain, start, count, sealed",
    ENTRIES: "entry, kind, due, sealed",
}
"""The tables, by the labels of their rows, and the columns of each that a fingerprint covers."""

_COVERED_ROWS: Final = {ENTRIES: f"kind < {COVERED_KINDS}"}
"""Which rows of a table are covered, unless all of them are."""

_NOTHING: Final = object()
_SUM_BYTES: Final = 32
_MODULUS: Final = 1 << 8 * _SUM_BYTES

Row = tuple[Any, ...]
"""The columns of a row. SQLite guarantees no type for them."""


class Runner(Protocol):
    """What runs statements: a database inside its transaction, or a connection."""

    def rows(self, sql: str, *values: Column) -> list[Row]:
        """Return all rows of a query."""
        ...

    def run(self, sql: str, *values: Column) -> int:
        """Run one statement; return how many rows it changed."""
        ...


class ConnectionRunner:
    """Runs statements on a connection that no transaction of a store uses."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, *values: Column) -> list[Row]:
        """Return all rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Column) -> int:
        """Run one statement; return how many rows it changed."""
        return self._connection.execute(sql, values).rowcount


class Digest(Uncopyable):
    """The digest of one open store. Every method runs inside a transaction."""

    __slots__ = ("_cipher", "_known", "_runner")

    def __init__(self, runner: Runner, cipher: StoreCipher) -> None:
        self._runner = runner
        self._cipher = cipher
        self._known: object = _NOTHING  # the sealed sum that was compared with the rows, or written here

    def require(self) -> None:
        """Compare the sum with the rows, unless it is the one that is known. Raises CorruptStore. STO-19"""
        sealed = self._sealed()
        if sealed == self._known and type(sealed) is type(self._known):
            return
        if self._opened(sealed) != self._sum_of_all():
            raise CorruptStore(
                "rows of the store are not those that were saved: one was deleted, or an earlier one was put "
                "back; restore the whole file from a copy"
            )
        self._known = sealed

    def require_at_opening(self, connection: sqlite3.Connection) -> None:
        """Do the same in a transaction that only reads, so that no other process makes it wait."""
        runner, self._runner = self._runner, ConnectionRunner(connection)
        try:
            connection.execute("BEGIN")
            self.require()
            connection.execute("COMMIT")
        finally:
            self._runner = runner

    def change(self, table: bytes, before: Iterable[Row], after: Iterable[Row]) -> None:
        """Replace rows of a table in the sum, which was compared before they changed. Raises CorruptStore."""
        difference = self._sum_of(table, after) - self._sum_of(table, before)
        if difference:
            sealed = self._sealed()
            self._write((self._opened(sealed) + difference) % _MODULUS, is_new=sealed is None)

    def rebuild(self) -> None:
        """Write the sum of a store that had none."""
        self._write(self._sum_of_all(), is_new=True)

    def _sealed(self) -> object:
        """Return the sealed sum; None in a store that never had a row."""
        found = self._runner.rows("SELECT sealed FROM letterlock_digest WHERE id = 1")
        return found[0][0] if found else None

    def _opened(self, sealed: object) -> int:
        return 0 if sealed is None else int.from_bytes(self._cipher.open(sealed, DIGEST).expose(), "big")

    def _write(self, total: int, *, is_new: bool) -> None:
        sealed = self._cipher.seal(Record(total.to_bytes(_SUM_BYTES, "big")), DIGEST)
        insert = "INSERT INTO letterlock_digest (id, sealed) VALUES (1, ?)"
        self._runner.run(insert if is_new else "UPDATE letterlock_digest SET sealed = ? WHERE id = 1", sealed)
        self._known = sealed

    def _sum_of_all(self) -> int:
        total = 0
        for table, columns in COVERED.items():
            where = _COVERED_ROWS.get(table, "TRUE")
            sql = f"SELECT {columns} FROM letterlock_{table.decode()} WHERE {where}"  # noqa: S608 - ours
            total += self._sum_of(table, self._runner.rows(sql))
        return total % _MODULUS

    def _sum_of(self, table: bytes, rows: Iterable[Row]) -> int:
        return sum(self._cipher.fingerprint(table, *row) for row in rows)
