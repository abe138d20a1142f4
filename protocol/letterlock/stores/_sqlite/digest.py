"""Digest: one sealed row that stands for the rows of the tables below, so that no single one can be put back.

    letterlock_digest    id = 1 | sealed: the sum of all rows below but those in buckets
    letterlock_buckets   id | sealed: the sum of the rows in a bucket
    bucket               0 .. 63      peers, sessions and contacts whose tag begins with these six bits
                         64           entries of kinds that have one row at most
                         65 .. 128    device lists, by the six bits of their tag
    sum                  fingerprints of rows, added modulo 2**256
    fingerprint          HMAC-SHA-256(index key, join("fingerprint", table, columns))

A change subtracts the fingerprints of rows as they were and adds those of rows as they are. Without the key
nobody knows a fingerprint, so nobody can find other rows of the same sum. The sums are sealed. [STO-19]

The digest is compared with the rows when a store is opened, and again when another process has changed it.
The buckets are among these rows, so no bucket can be put back either. The rows in a bucket are compared
before the first of them is used. So an opening takes no longer with many peers, and none of a user with many
contacts. Device lists are long and seldom read, so messages do not wait for them. The sums are rows like the
others, so a rollback of any kind undoes them together.

Not here: finished chains, the state of a session, and the entries that change with every message, as states
do. To write a second row each time would cost far too much of a message (spec/limitations.md).
"""

import sqlite3
from collections.abc import Iterable
from typing import Any, Final, Protocol

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import CorruptStore
from letterlock.stores._entry_kind import COVERED_KINDS, EntryKind
from letterlock.stores._interface import Record
from letterlock.stores._sqlite.cipher import TAG_BYTES, StoreCipher
from letterlock.stores._sqlite.format import (
    ACCOUNT,
    BUCKETS,
    DIGEST,
    ENTRIES,
    PEERS,
    PREKEYS,
    REPLAYS,
    SESSIONS,
    SKIPPED_KEYS,
    Column,
)

WHOLE: Final = {
    ACCOUNT: "sealed",
    PREKEYS: "kind, id, expires, sealed",
    REPLAYS: "kind, id, digest",
    SKIPPED_KEYS: "seq, session, chain, start, count, sealed",
    BUCKETS: "id, sealed",
}
"""Tables that the digest itself covers, by the labels of their rows; the columns in a fingerprint."""

BUCKETED: Final = {
    PEERS: "peer, sealed",
    SESSIONS: "id, peer, rank",
    ENTRIES: "entry, kind, due, sealed",
}
"""Tables that the buckets cover."""

COVERED: Final = {**WHOLE, **BUCKETED}

_SINGLE: Final = frozenset(map(int, (EntryKind.USER, EntryKind.LINKING)))
"""The kinds of entries that have one row at most."""
_OTHERS: Final = sorted(set(range(1, COVERED_KINDS)) - _SINGLE - {int(EntryKind.LIST)})
_IN_BUCKET: Final = {
    PEERS: "peer >= ? AND peer < ?",
    SESSIONS: "peer >= ? AND peer < ?",
    # The kinds one by one, so that SQLite finds the place in each of them instead of reading all.
    ENTRIES: f"kind IN ({', '.join(map(str, _OTHERS))}) AND entry >= ? AND entry < ?",
}
"""Which rows are in a bucket. A row with another type or length of tag is in none, and is never found."""
_IS_SINGLE: Final = f"kind IN ({', '.join(map(str, sorted(_SINGLE)))})"
_IS_LIST: Final = f"kind = {int(EntryKind.LIST)} AND entry >= ? AND entry < ?"
_TAG: Final = {PEERS: 0, SESSIONS: 1}
"""Where a row's tag is among its columns above."""

_SHIFT: Final = 2
_PARTS: Final = 256 >> _SHIFT
"""Into how many buckets rows are parted. More would be smaller, but the opening reads the sum of each."""
_ALONE: Final = _PARTS
_LISTS: Final = _PARTS + 1
COUNT: Final = _LISTS + _PARTS
"""How many buckets there are."""

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

    __slots__ = ("_buckets", "_cipher", "_compared", "_known", "_runner")

    def __init__(self, runner: Runner, cipher: StoreCipher) -> None:
        self._runner = runner
        self._cipher = cipher
        self._known: object = _NOTHING  # the sealed sum that was compared with the rows, or written here
        self._buckets: dict[int, object] = {}  # the sealed sums of buckets that the known one covers
        self._compared: set[int] = set()  # the buckets whose sums were compared with their rows

    def require(self) -> None:
        """Compare the sum with the rows, unless it is the one that is known. Raises CorruptStore. STO-19"""
        sealed = self._sealed()
        if sealed == self._known and type(sealed) is type(self._known):
            return
        buckets: dict[int, object] = dict(self._runner.rows("SELECT id, sealed FROM letterlock_buckets"))
        if self._opened(sealed, DIGEST) != self._sum_of_all():
            raise CorruptStore(_OTHER_ROWS)
        # What another process or a rollback has changed is compared again.
        kept = {at for at in self._compared if buckets.get(at) == self._buckets.get(at)}
        self._known, self._buckets, self._compared = sealed, buckets, kept

    def require_bucket(self, tag: object) -> None:
        """Do the same, and compare the rows in the bucket of a peer's tag once. STO-19"""
        self._require_at(_part_of(tag))

    def require_entry(self, kind: object, tag: object) -> None:
        """Do the same for the bucket of an entry."""
        self._require_at(_bucket_of_entry(kind, tag))

    def _require_at(self, at: int) -> None:
        self.require()
        if at not in self._compared:
            if self._sum_in(at) != self._sum_of_rows_in(at):
                raise CorruptStore(_OTHER_ROWS)
            self._compared.add(at)

    def require_once(self, tag: bytes) -> None:
        """Compare the rows in the bucket of a tag, unless that was done since the store was opened."""
        if tag[0] >> _SHIFT not in self._compared:
            self.require_bucket(tag)

    def require_rows(self, table: bytes, rows: Iterable[Row]) -> None:
        """Compare what covers these rows of a table. Raises CorruptStore."""
        self.require()
        if table in BUCKETED:
            for row in rows:
                self._require_at(_bucket_of(table, row))

    def require_all(self) -> None:
        """Compare everything. Raises CorruptStore."""
        for at in range(COUNT):
            self._require_at(at)

    def require_at_opening(self, connection: sqlite3.Connection) -> None:
        """Do what `require` does in a transaction that only reads, so that no other process makes it wait."""
        runner, self._runner = self._runner, ConnectionRunner(connection)
        try:
            connection.execute("BEGIN")
            self.require()
            connection.execute("COMMIT")
        finally:
            self._runner = runner

    def change(self, table: bytes, before: Iterable[Row], after: Iterable[Row]) -> None:
        """Replace rows of a table in the sum, which was compared before they changed. Raises CorruptStore."""
        if table in BUCKETED:
            self._change_buckets(table, before, after)
            return
        difference = self._sum_of(table, after) - self._sum_of(table, before)
        if difference:
            sealed = self._sealed()
            self._write((self._opened(sealed, DIGEST) + difference) % _MODULUS, is_new=sealed is None)

    def rebuild(self) -> None:
        """Write the sums of a store that had none."""
        for at in range(COUNT):
            total = self._sum_of_rows_in(at)
            if total:
                self._write_bucket(at, total)
        self._write(self._sum_of_all(), is_new=True)

    def _change_buckets(self, table: bytes, before: Iterable[Row], after: Iterable[Row]) -> None:
        differences: dict[int, int] = {}
        for rows, sign in ((before, -1), (after, 1)):
            for row in rows:
                at = _bucket_of(table, row)
                number = self._cipher.fingerprint(table, *row)
                differences[at] = differences.get(at, 0) + sign * number
        changed = [at for at, difference in differences.items() if difference]
        old = [(at, self._buckets[at]) for at in changed if at in self._buckets]
        for at in changed:
            self._write_bucket(at, (self._sum_in(at) + differences[at]) % _MODULUS)
        self.change(BUCKETS, old, [(at, self._buckets[at]) for at in changed])

    def _sealed(self) -> object:
        """Return the sealed sum; None in a store that never had a row."""
        found = self._runner.rows("SELECT sealed FROM letterlock_digest WHERE id = 1")
        return found[0][0] if found else None

    def _opened(self, sealed: object, table: bytes, *columns: int) -> int:
        if sealed is None:
            return 0
        return int.from_bytes(self._cipher.open(sealed, table, *columns).expose(), "big")

    def _sum_in(self, at: int) -> int:
        """Return what a bucket says of its rows; 0 if it never had one."""
        return self._opened(self._buckets.get(at), BUCKETS, at)

    def _write(self, total: int, *, is_new: bool) -> None:
        sealed = self._cipher.seal(Record(total.to_bytes(_SUM_BYTES, "big")), DIGEST)
        insert = "INSERT INTO letterlock_digest (id, sealed) VALUES (1, ?)"
        self._runner.run(insert if is_new else "UPDATE letterlock_digest SET sealed = ? WHERE id = 1", sealed)
        self._known = sealed

    def _write_bucket(self, at: int, total: int) -> None:
        sealed = self._cipher.seal(Record(total.to_bytes(_SUM_BYTES, "big")), BUCKETS, at)
        sql = (
            "INSERT INTO letterlock_buckets (id, sealed) VALUES (?, ?) "
            "ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed"
        )
        self._runner.run(sql, at, sealed)
        self._buckets[at] = sealed

    def _sum_of_all(self) -> int:
        total = 0
        for table, columns in WHOLE.items():
            sql = f"SELECT {columns} FROM letterlock_{table.decode()}"  # noqa: S608 - both are ours
            total += self._sum_of(table, self._runner.rows(sql))
        return total % _MODULUS

    def _sum_of_rows_in(self, at: int) -> int:
        if at == _ALONE:
            return self._sum_where(ENTRIES, _IS_SINGLE) % _MODULUS
        if at >= _LISTS:
            return self._sum_where(ENTRIES, _IS_LIST, *_tags(at - _LISTS)) % _MODULUS
        return sum(self._sum_where(table, _IN_BUCKET[table], *_tags(at)) for table in BUCKETED) % _MODULUS

    def _sum_where(self, table: bytes, where: str, *values: bytes) -> int:
        sql = f"SELECT {BUCKETED[table]} FROM letterlock_{table.decode()} WHERE {where}"  # noqa: S608
        return self._sum_of(table, self._runner.rows(sql, *values))

    def _sum_of(self, table: bytes, rows: Iterable[Row]) -> int:
        return sum(self._cipher.fingerprint(table, *row) for row in rows)


_AFTER_ALL_TAGS: Final = b"\xff" * (TAG_BYTES + 1)
_OTHER_ROWS: Final = (
    "rows of the store are not those that were saved: one was deleted, or an earlier one was put back; "
    "restore the whole file from a copy"
)


def _tags(part: int) -> tuple[bytes, bytes]:
    """Return the first tag of a part, and the first one after it."""
    return bytes([part << _SHIFT]), bytes([part + 1 << _SHIFT]) if part + 1 < _PARTS else _AFTER_ALL_TAGS


def _bucket_of(table: bytes, row: Row) -> int:
    if table == ENTRIES:
        return _bucket_of_entry(row[1], row[0])
    return _part_of(row[_TAG[table]])


def _bucket_of_entry(kind: object, tag: object) -> int:
    if kind in _SINGLE:
        return _ALONE
    return _part_of(tag) + (_LISTS if kind == EntryKind.LIST else 0)


def _part_of(tag: object) -> int:
    if type(tag) is not bytes or not tag:
        raise CorruptStore("a row's tag was edited: restore the file from a copy")
    return tag[0] >> _SHIFT
