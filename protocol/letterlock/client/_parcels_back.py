"""Parcels back: which grants stand in which parcels, and parcels in which nothing holds any more.

    stands, has   a parcel was made for a shelf, or was read on this user's own
    withdrawn     grants that no longer hold: their parcels leave the shelves of others               [CLN-20]
    erased        grants whose keys were destroyed: their parcels leave this user's own shelf too
    due, done     parcels for the relay to take away

A parcel that holds anything else as well stays. What is only old stays too: a device to come reads this
user's shelf from its start.

Every method runs inside the caller's transaction. Not here: asking the relay (_librarian.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.relay_limits import MAX_UNSHELVED
from letterlock._wire.relay_shelf import ShelfName
from letterlock.client._shelf_rows import MAX_GRANT_PARCELS, ShelvedParcel
from letterlock.client._shelf_tables import ShelfTables
from letterlock.client._table import Tables
from letterlock.user._desk import Desk


class ParcelsBack(Uncopyable):
    """Takes back the parcels of one client."""

    __slots__ = ("_desk", "_rows", "_tables")

    def __init__(self, desk: Desk, tables: Tables, rows: ShelfTables) -> None:
        self._desk = desk
        self._tables = tables
        self._rows = rows

    def stands(self, shelf: ShelfName, parcel: bytes, grants: Sequence[bytes], *, ours: bool = False) -> None:
        """Note in which parcel grants stand, all by their hashes. It holds these and nothing else."""
        rows = self._rows
        if not grants or rows.shelved.has(parcel):
            return
        rows.shelved.save(parcel, ShelvedParcel(shelf, tuple(grants)), None)
        for each in grants:
            known = rows.grant_parcels.load(each) or ()
            if len(known) >= MAX_GRANT_PARCELS and not ours:
                continue  # copies that somebody put on our shelf drive out nothing
            rows.grant_parcels.save(each, (*known, parcel)[-MAX_GRANT_PARCELS:], None)

    def has(self, shelf: ShelfName, grant: bytes) -> bool:
        """Return whether a grant, by its hash, stands in a parcel of this shelf, or of one on its way."""
        parcels = self._rows.grant_parcels.load(grant) or ()
        known = [self._rows.shelved.load(each) for each in parcels]
        return any(each is not None and each.shelf == shelf and grant in each.grants for each in known)

    def withdrawn(self, grants: Iterable[bytes]) -> None:
        """Have the parcels of grants that no longer hold taken from the shelves of others.

        On this user's own shelf they stay: its other devices show them as withdrawn.
        """
        own = ShelfName.of_user(self._desk.book.own().pin.user_id)
        for each in grants:
            for parcel in self._rows.grant_parcels.load(each) or ():
                known = self._rows.shelved.load(parcel)
                if known is not None and known.shelf != own:
                    self._end(parcel, known, each)

    def erased(self, grants: Iterable[bytes]) -> None:
        """Have the parcels of grants whose keys were destroyed taken from every shelf."""
        for each in grants:
            for parcel in self._rows.grant_parcels.load(each) or ():
                known = self._rows.shelved.load(parcel)
                if known is not None:
                    self._end(parcel, known, each)
            self._rows.grant_parcels.delete(each)

    def _end(self, parcel: bytes, known: ShelvedParcel, grant: bytes) -> None:
        left = tuple(each for each in known.grants if each != grant)
        if left:
            self._rows.shelved.save(parcel, replace(known, grants=left), None)
        elif known.grants:
            self._rows.parcels.delete(parcel)  # it may not be on its way yet
            self._rows.shelved.save(parcel, replace(known, grants=()), self._tables.order())

    def due(self) -> tuple[ShelfName, tuple[bytes, ...]] | None:
        """Return a shelf, and parcels to be taken from it, by their hashes; None if there are none."""
        found = self._rows.shelved.due(limit=MAX_UNSHELVED)
        if not found:
            return None
        shelf = found[0][1].shelf
        return shelf, tuple(key for key, each in found if each.shelf == shelf)

    def done(self, parcels: Iterable[bytes]) -> None:
        """Forget parcels that the relay took away."""
        for each in parcels:
            self._rows.shelved.delete(each)
