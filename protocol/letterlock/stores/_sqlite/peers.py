"""Peers in SQLite.

letterlock_peers    peer: tag of the address    record, sealed to the tag
"""

from collections.abc import Iterator
from typing import Any, Final

from letterlock.stores._interface import Record
from letterlock.stores._sqlite.table import SqliteTable
from letterlock.stores._vault import PEERS

_PAGE: Final = 256
"""Peers read at a time."""


class SqlitePeerTable(SqliteTable):
    """See PeerTable."""

    __slots__ = ()

    def load(self, address: bytes) -> Record | None:
        """See PeerTable."""
        peer = self._vault.peer_tag(address)
        row = self._database.row("SELECT record FROM letterlock_peers WHERE peer = ?", peer)
        return None if row is None else self._vault.open(row[0], PEERS, peer)

    def save(self, address: bytes, record: Record) -> None:
        """See PeerTable."""
        peer = self._vault.peer_tag(address)
        self._database.run(
            "INSERT INTO letterlock_peers (peer, record) VALUES (?, ?) "
            "ON CONFLICT (peer) DO UPDATE SET record = excluded.record",
            peer,
            self._vault.seal(record, PEERS, peer),
        )

    def all(self) -> Iterator[Record]:
        """See PeerTable. Reads some hundreds at a time, inside the transaction."""
        return self._records_from(self._page(b""))

    def _records_from(self, page: list[tuple[Any, ...]]) -> Iterator[Record]:
        while page:
            for peer, record in page:
                yield self._vault.open(record, PEERS, peer)
            page = self._page(page[-1][0])

    def _page(self, after: bytes) -> list[tuple[Any, ...]]:
        sql = "SELECT peer, record FROM letterlock_peers WHERE peer > ? ORDER BY peer LIMIT ?"
        return self._database.rows(sql, after, _PAGE)
