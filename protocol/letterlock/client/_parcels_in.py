"""Parcels in: what lies on a shelf, opened, verified and taken.

    opened by no key here         passed over, and read again when a newer key is here
    lists of a signer missing     the parcel is held, and the lists of the name that it introduces are fetched
    of a device revoked since     a grant is taken, and shown as such; a note is not
    anything else that is wrong   passed over: a relay, or anybody with an account, can put it there

Every grant and note is verified by itself, so a relay can withhold, repeat and mix parcels, and no more.
                                                                                                  [CLN-18]
Every method runs inside the caller's transaction. Not here: asking the relay (_librarian.py).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.parcel import Introduction, ItemKind, Parcel, ParcelItem
from letterlock._wire.relay_shelf import ShelfKind, ShelfName, parcel_hash
from letterlock.client._needs import Needs
from letterlock.client._shelf_rows import HeldParcel
from letterlock.client._shelf_tables import ShelfTables
from letterlock.client._table import MICROSECONDS, Tables
from letterlock.documents import Documents, Granted, SubjectKind, UnknownAuthor
from letterlock.documents._collection_desk import collection_desk
from letterlock.documents._parcels import open_for_collection, open_for_user
from letterlock.documents._signing import ListsOnRecord
from letterlock.errors import MalformedMessage, PeerError, TrustError, UsageError
from letterlock.limits import KEPT_LIFETIME
from letterlock.stores import Store
from letterlock.user._desk import Desk
from letterlock.user._document_seeds import document_key_pair

MAX_HELD_PARCELS: Final = 200
"""Parcels that cannot be judged yet, of 256 KiB each at most. Beyond them, the next one is passed over."""


class ParcelsIn(Uncopyable):
    """Takes the parcels of one client."""

    __slots__ = ("_desk", "_documents", "_needs", "_rows", "_store", "_tables", "wanted")

    def __init__(
        self, desk: Desk, documents: Documents, tables: Tables, needs: Needs, rows: ShelfTables
    ) -> None:
        self._desk = desk
        self._documents = documents
        self._store: Store = desk.book.store
        self._tables = tables
        self._needs = needs
        self._rows = rows
        self.wanted: dict[str, None] = {}
        """Names whose device lists are needed first, for whoever can ask for them at once."""

    def take(self, shelf: ShelfName, parcels: Iterable[tuple[int, bytes]]) -> list[Granted]:
        """Take what a relay showed of a shelf; return what is new."""
        place, found = self._rows.place(shelf), list[Granted]()
        for number, data in parcels:
            items = self._opened(shelf, data)
            if items is None and not place.unopened:
                place = replace(place, unopened=number, newest_key=self._newest_key(shelf))
            found += self._judge(shelf, data, items or ())
            place = replace(place, number=max(place.number, number))
        self._rows.save_place(shelf, place)
        return found

    def begin_reading(self, shelf: ShelfName) -> int:
        """Return the number after which a shelf is to be read: an earlier one if a newer key is here."""
        place = self._rows.place(shelf)
        if place.unopened and self._newest_key(shelf) > place.newest_key:
            place = replace(place, number=min(place.number, place.unopened - 1), unopened=0)
            self._rows.save_place(shelf, place)
        return place.number

    def shown_less(self, shelf: ShelfName, newest: int) -> bool:
        """Begin a shelf anew if the relay has given out fewer numbers than it had: it lost its database."""
        place = self._rows.place(shelf)
        if newest >= place.number:
            return False
        self._rows.save_place(shelf, replace(place, number=0))
        return newest > 0

    def judge_held(self) -> list[Granted]:
        """Take what was held, where the device lists have come; give up what is too old."""
        held, found = self._rows.held, list[Granted]()
        held.delete_due((self._tables.clock() - KEPT_LIFETIME) * MICROSECONDS)
        lists = ListsOnRecord(self._desk.book)
        for key, each in held.due():
            contact = lists.contact(each.user_id)
            if contact is not None and contact.pin.version >= each.version:
                held.delete(key)
                found += self._judge(each.shelf, each.parcel, self._opened(each.shelf, each.parcel) or ())
        return found

    # --- one parcel -------------------------------------------------------------------------------------

    def _opened(self, shelf: ShelfName, data: bytes) -> tuple[ParcelItem, ...] | None:
        """Return what is in a parcel: nothing if it is not one, and None if its key is not here."""
        try:
            parcel = Parcel.decode(data)
            if parcel.kind is not shelf.kind:
                return ()
            if shelf.kind is ShelfKind.COLLECTION:
                secret = collection_desk(self._desk).keyring.secret(shelf.id, parcel.number)
                return None if secret is None else open_for_collection(secret, shelf.id, parcel)
            seed = dict(self._desk.book.own().seeds).get(parcel.number)
            return None if seed is None else open_for_user(document_key_pair(seed), shelf.id, parcel)
        except PeerError:
            return ()

    def _newest_key(self, shelf: ShelfName) -> int:
        if shelf.kind is ShelfKind.USER:
            return max(dict(self._desk.book.own().seeds), default=0)
        at = collection_desk(self._desk)
        state = at.book.state(shelf.id)
        if state is None:
            return 0
        epochs = range(state.epoch, 0, -1)
        return next((each for each in epochs if at.keyring.secret(shelf.id, each) is not None), 0)

    def _judge(self, shelf: ShelfName, data: bytes, items: tuple[ParcelItem, ...]) -> list[Granted]:
        found: list[Granted] = []
        missing: UnknownAuthor | None = None
        for each in items:
            try:
                found += self._item(each)
            except UnknownAuthor as unknown:
                missing = unknown
            except (PeerError, TrustError, UsageError):
                continue
        if missing is not None:
            self._hold(shelf, data, missing)
        known = {missing.user_id} if missing is not None else set[bytes]()
        self._introduce(items, None if found else known)
        return found

    def _item(self, item: ParcelItem) -> tuple[Granted, ...]:
        """Take one thing. Raises what `Documents.take` does."""
        if item.kind not in {ItemKind.GRANT, ItemKind.NOTE}:
            return ()
        with self._store.transaction():
            taken = self._documents.take([item.data], revoked=item.kind == ItemKind.GRANT)
            for each in taken.grants:
                if each.kind is SubjectKind.COLLECTION:
                    self._rows.read_collection(each.id)
            return taken.grants

    def _hold(self, shelf: ShelfName, data: bytes, missing: UnknownAuthor) -> None:
        if self._rows.held.count() < MAX_HELD_PARCELS:
            record = HeldParcel(shelf, data, missing.user_id, missing.version)
            self._rows.held.save(parcel_hash(data), record, self._tables.order())
        contact = ListsOnRecord(self._desk.book).contact(missing.user_id)
        if contact is not None:
            self.want(contact.name, contact.pin.version)

    def _introduce(self, items: Iterable[ParcelItem], wanted: set[bytes] | None) -> None:
        """Have the lists of unknown names fetched: all of a good parcel, else those of its signer alone."""
        lists, own = ListsOnRecord(self._desk.book), self._desk.book.own().pin.user_id
        for each in items:
            if each.kind != ItemKind.INTRODUCTION:
                continue
            try:
                introduced = Introduction.decode(each.data)
            except MalformedMessage:
                continue
            is_wanted = wanted is None or introduced.user_id in wanted
            if is_wanted and introduced.user_id != own and lists.contact(introduced.user_id) is None:
                self.want(introduced.name)

    def want(self, name: str, after: int = 0) -> None:
        """Have the device lists of a name after a version fetched."""
        self._needs.lists(name, after)
        self.wanted[name] = None

    def pop_wanted(self) -> list[str]:
        """Return the names whose lists were needed since the last time."""
        found = list(self.wanted)
        self.wanted.clear()
        return found
