"""The rows of what a client shares: entries of the store.

    PARCEL         SHA-256 of the parcel       due: when it may be tried
    SHELF          kind || id of the shelf     due: 0
    HELD_PARCEL    SHA-256 of the parcel       due: order

Not here: their records (_shelf_rows.py); messages (_table.py).
"""

from typing import Final

from letterlock._wire.relay_shelf import ShelfKind, ShelfName
from letterlock.client import _shelf_rows as rows
from letterlock.client._shelf_rows import HeldParcel, ParcelRecord, ShelfRecord
from letterlock.client._table import Table
from letterlock.stores import EntryKind, Store

MAX_COLLECTIONS: Final = 1000
"""Collections whose logs one client asks for."""


class ShelfTables:
    """All rows about shelves of one client."""

    __slots__ = ("_shelves", "held", "parcels")

    def __init__(self, store: Store) -> None:
        self.parcels: Table[ParcelRecord] = Table(
            store, EntryKind.PARCEL, rows.encode_parcel, rows.decode_parcel
        )
        self.held: Table[HeldParcel] = Table(
            store, EntryKind.HELD_PARCEL, rows.encode_held_parcel, rows.decode_held_parcel
        )
        self._shelves: Table[ShelfRecord] = Table(
            store, EntryKind.SHELF, rows.encode_shelf, rows.decode_shelf
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
        """Have the log and the shelf of a collection read no more."""
        self._shelves.delete(_key(ShelfName.of_collection(collection)))

    def read_collection(self, collection: bytes) -> None:
        """Have the log and the shelf of a collection read from now on."""
        shelf = ShelfName.of_collection(collection)
        if not self._shelves.has(_key(shelf)) and len(self.collections()) < MAX_COLLECTIONS:
            self.save_place(shelf, ShelfRecord())


def _key(shelf: ShelfName) -> bytes:
    return bytes([shelf.kind]) + shelf.id
