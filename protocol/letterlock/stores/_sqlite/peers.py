"""Peers in SQLite.

letterlock_peers         peer: tag of the address | sealed: the record, bound to the tag
"""

from collections.abc import Iterator
from typing import Any, Final, cast

from letterlock.stores._interface import Record
from letterlock.stores._sqlite.format import PEERS
from letterlock.stores._sqlite.table import SqliteTable

_PAGE: Final = 256
"""How many peers are read at a time."""


class SqlitePeerTable(SqliteTable):
    """Implements `PeerTable`, which documents the methods."""

    __slots__ = ()

    def load(self, address: bytes) -> Record | None:
        peer = self._cipher.peer_tag(address)
        row = self._database.row("SELECT sealed FROM letterlock_peers WHERE peer = ?", peer)
        self._digest.require_bucket(peer)
        return None if row is None else cast("Record", self._open_kept(row[0], PEERS, peer))

    def save(self, address: bytes, record: Record) -> None:
        peer = self._cipher.peer_tag(address)
        self._digest.require_bucket(peer)
        self._change(
            PEERS,
            "peer = ?",
            (peer,),
            "INSERT INTO letterlock_peers (peer, sealed) VALUES (?, ?) "
            "ON CONFLICT (peer) DO UPDATE SET sealed = excluded.sealed",
            peer,
            self._seal_kept(record, PEERS, peer),
        )

    def delete(self, address: bytes) -> None:
        peer = self._cipher.peer_tag(address)
        self._decoded.drop(PEERS, peer)
        self._digest.require_bucket(peer)
        self._remove(PEERS, "peer = ?", peer)

    def all(self) -> Iterator[Record]:
        """Read a page at a time, so that many peers need little memory."""
        self._digest.require_all()
        return self._records_from(self._page(b""))

    def _records_from(self, page: list[tuple[Any, ...]]) -> Iterator[Record]:
        while page:
            for peer, record in page:
                yield self._cipher.open(record, PEERS, peer)
            page = self._page(page[-1][0])

    def _page(self, after: bytes) -> list[tuple[Any, ...]]:
        sql = "SELECT peer, sealed FROM letterlock_peers WHERE peer > ? ORDER BY peer LIMIT ?"
        return self._database.rows(sql, after, _PAGE)
