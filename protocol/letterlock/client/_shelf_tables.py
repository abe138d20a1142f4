"""The rows of what a client shares: entries of the store.

    PARCEL              SHA-256 of the parcel       due: when it may be tried
    SHELF               kind || id of the shelf     due: 0
    HELD_PARCEL         SHA-256 of the parcel       due: order
    SHELVED             SHA-256 of the parcel       due: order, once it is to be taken away
    GRANT_PARCELS       hash of the grant           due: never
    WAITING_COLLECTION  id of the collection        due: 0
    INTRODUCED          user id                     due: order

Not here: their records (_shelf_rows.py); messages (_table.py).
"""

from collections import Counter
from dataclasses import replace
from typing import Final

from letterlock._wire.relay_shelf import ShelfKind, ShelfName
from letterlock.client import _shelf_rows as rows
from letterlock.client._shelf_rows import HeldParcel, ParcelRecord, ShelfRecord, ShelvedParcel
from letterlock.client._table import Table
from letterlock.stores import EntryKind, Store

MAX_COLLECTIONS: Final = 1000
"""Collections whose logs one client asks for because it was given keys of them."""
MAX_COLLECTIONS_OF_GRANTER: Final = 250
"""Those of one granter: anybody with an account can give keys, and would else leave no room for others."""
MAX_WAITING_COLLECTIONS: Final = 1000
"""Collections that wait for room. Beyond them, a grant of the next epoch's keys has one read."""


class ShelfTables:
    """All rows about shelves of one client."""

    __slots__ = ("_shelves", "_waiting", "grant_parcels", "held", "introduced", "parcels", "shelved")

    def __init__(self, store: Store) -> None:
        self.parcels: Table[ParcelRecord] = Table(
            store, EntryKind.PARCEL, rows.encode_parcel, rows.decode_parcel
        )
        self.held: Table[HeldParcel] = Table(
            store, EntryKind.HELD_PARCEL, rows.encode_held_parcel, rows.decode_held_parcel
        )
        self.shelved: Table[ShelvedParcel] = Table(
            store, EntryKind.SHELVED, rows.encode_shelved, rows.decode_shelved
        )
        self.grant_parcels: Table[tuple[bytes, ...]] = Table(
            store, EntryKind.GRANT_PARCELS, rows.encode_grant_parcels, rows.decode_grant_parcels
        )
        self.introduced: Table[str] = Table(
            store, EntryKind.INTRODUCED, rows.encode_introduced, rows.decode_introduced
        )
        self._shelves: Table[ShelfRecord] = Table(
            store, EntryKind.SHELF, rows.encode_shelf, rows.decode_shelf
        )
        self._waiting: Table[bytes] = Table(
            store, EntryKind.WAITING_COLLECTION, rows.encode_granter, rows.decode_granter
        )

    def place(self, shelf: ShelfName) -> ShelfRecord:
        """Return how far a shelf was read."""
        return self._shelves.load(_key(shelf)) or ShelfRecord()

    def save_place(self, shelf: ShelfName, record: ShelfRecord) -> None:
        """Note how far a shelf was read."""
        self._shelves.save(_key(shelf), record, 0)

    def collections(self) -> list[bytes]:
        """Return the ids of the collections whose shelves are read."""
        return [key[1:] for key, _ in self._shelves.due() if key[0] == ShelfKind.COLLECTION]

    def forget_collection(self, collection: bytes) -> None:
        """Have the log and the shelf of a collection no longer read, and those of one that waits instead."""
        self._shelves.delete(_key(ShelfName.of_collection(collection)))
        self._waiting.delete(collection)
        self._fill()

    def read_collection(self, collection: bytes, granter: bytes = b"") -> bool:
        """Have the log and the shelf of a collection read from now on; return False if it waits for room.

        `granter` is the user who gave its keys, 32 bytes; for what this user does itself, there is always
        room.                                                                                     [CLN-19]
        """
        shelf = ShelfName.of_collection(collection)
        known = self._shelves.load(_key(shelf))
        if known is None and granter and not _has_room(self._granters(), granter):
            if self._waiting.has(collection) or self._waiting.count() < MAX_WAITING_COLLECTIONS:
                self._waiting.save(collection, granter, 0)
            return False
        if known is None or (known.granter and not granter):  # what this user uses counts for nobody
            self.save_place(shelf, replace(known or ShelfRecord(), granter=granter))
            self._waiting.delete(collection)
            if known is not None:
                self._fill()
        return True

    def _granters(self) -> Counter[bytes]:
        """Return how many collections are read for each granter; those of this user are its empty name's."""
        return Counter(each.granter for key, each in self._shelves.due() if key[0] == ShelfKind.COLLECTION)

    def _fill(self) -> None:
        """Have collections read that waited for room, as far as there is any."""
        waiting = self._waiting.due()
        granters = self._granters() if waiting else Counter[bytes]()
        for collection, granter in waiting:
            if _has_room(granters, granter):
                granters[granter] += 1
                self._waiting.delete(collection)
                self.save_place(ShelfName.of_collection(collection), ShelfRecord(granter=granter))


def _has_room(granters: Counter[bytes], granter: bytes) -> bool:
    return granters.total() < MAX_COLLECTIONS and granters[granter] < MAX_COLLECTIONS_OF_GRANTER


def _key(shelf: ShelfName) -> bytes:
    return bytes([shelf.kind]) + shelf.id
