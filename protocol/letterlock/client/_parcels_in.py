"""Parcels in: what lies on a shelf, opened, verified and taken.

    opened by no key here         passed over, and read again when a newer key is here
    lists of a signer missing     the parcel is held, and the lists of the name it introduces are fetched;
                                  without room it is read again once there is room or the lists have come
    of a device revoked since     a grant is taken, and shown as such; a note is not
    name of a member of a group   the lists of the name are fetched
    anything else that is wrong   passed over: a relay, or anybody with an account, can put it there

Every grant and note is verified by itself, so a relay can withhold, repeat and mix parcels, and no more.
                                                                                                  [CLN-18]
Every method runs inside the caller's transaction. Not here: asking the relay (_librarian.py).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.grant_note import GrantNote, NoteAction
from letterlock._wire.parcel import Introduction, ItemKind, Parcel, ParcelItem
from letterlock._wire.relay_shelf import ShelfKind, ShelfName, parcel_hash
from letterlock.client._introduced import Introduced
from letterlock.client._needs import Needs
from letterlock.client._parcels_back import ParcelsBack
from letterlock.client._parcels_out import grants_alone
from letterlock.client._shelf_rows import HeldParcel
from letterlock.client._shelf_tables import ShelfTables
from letterlock.client._table import MICROSECONDS, Tables
from letterlock.documents import Documents, Granted, SubjectKind, UnknownAuthor
from letterlock.documents._collection_desk import collection_desk
from letterlock.documents._documents import shelf_behind
from letterlock.documents._parcels import open_for_collection, open_for_user
from letterlock.documents._signing import ListsOnRecord
from letterlock.errors import MalformedMessage, PeerError, TrustError, UsageError
from letterlock.limits import KEPT_LIFETIME
from letterlock.stores import Store
from letterlock.user._desk import Desk
from letterlock.user._document_seeds import document_key_pair

MAX_HELD_PARCELS: Final = 200
"""Parcels that cannot be judged yet, of 256 KiB each at most. Others stay on the shelf meanwhile."""
_MAX_AUTHORS: Final = 1000
"""Unknown signers of parcels that found no room, of which this process knows."""


class ParcelsIn(Uncopyable):
    """Takes the parcels of one client."""

    __slots__ = (
        "_back",
        "_begun",
        "_desk",
        "_documents",
        "_needs",
        "_passed",
        "_rows",
        "_store",
        "_tables",
        "awaited",
        "introduced",
        "wanted",
    )

    def __init__(
        self,
        desk: Desk,
        documents: Documents,
        tables: Tables,
        needs: Needs,
        rows: ShelfTables,
        back: ParcelsBack,
    ) -> None:
        self._back = back
        self._desk = desk
        self._documents = documents
        self._store: Store = desk.book.store
        self._tables = tables
        self._needs = needs
        self._rows = rows
        self._begun: set[ShelfName] = set()
        self._passed: dict[tuple[ShelfName, bytes], int] = {}
        self.introduced = Introduced(rows, tables)
        self.awaited: Callable[[], frozenset[bytes]] = frozenset
        """The ids of users whose names are waited for: members of groups. Set by the groups."""
        self.wanted: dict[str, None] = {}
        """Names whose device lists are needed first, for whoever can ask for them at once."""

    def take(self, shelf: ShelfName, parcels: Iterable[tuple[int, bytes]]) -> list[Granted]:
        """Take what a relay showed of a shelf; return what is new."""
        place, found = self._rows.place(shelf), list[Granted]()
        for number, data in parcels:
            items = self._opened(shelf, data)
            if items is None and not place.unopened:
                place = replace(place, unopened=number, newest_key=self._newest_key(shelf))
            taken, is_kept = self._judge(shelf, data, items or ())
            found += taken
            if not is_kept and not place.passed:
                place = replace(place, passed=number)
            place = replace(place, number=max(place.number, number))
        self._rows.save_place(shelf, place)
        return found

    def begin_reading(self, shelf: ShelfName) -> int:
        """Return the number after which a shelf is to be read.

        It is an earlier one if a newer key is here, or if what found no room may be judged.
        """
        place = self._rows.place(shelf)
        if place.passed and self._may_judge_passed(shelf):
            place = replace(place, number=min(place.number, place.passed - 1), passed=0)
            self._rows.save_place(shelf, place)
        self._begun.add(shelf)
        if place.unopened and self._newest_key(shelf) > place.newest_key:
            place = replace(place, number=min(place.number, place.unopened - 1), unopened=0)
            self._rows.save_place(shelf, place)
        return place.number

    def _may_judge_passed(self, shelf: ShelfName) -> bool:
        """Return whether there is room now, or lists that were missing have come, or the process is new."""
        if shelf not in self._begun or self._rows.held.count() < MAX_HELD_PARCELS:
            return True
        lists = ListsOnRecord(self._desk.book)
        waiting = {user: version for (of, user), version in self._passed.items() if of == shelf}
        known = [user for user, version in waiting.items() if _has_lists(lists, user, version)]
        for user in known:
            del self._passed[shelf, user]
        return bool(known)

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
        self.introduced.forget_old()
        lists = ListsOnRecord(self._desk.book)
        for key, each in held.due():
            if _has_lists(lists, each.user_id, each.version):
                held.delete(key)
                items = self._opened(each.shelf, each.parcel) or ()
                found += self._judge(each.shelf, each.parcel, items)[0]
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

    def _judge(
        self, shelf: ShelfName, data: bytes, items: tuple[ParcelItem, ...]
    ) -> tuple[list[Granted], bool]:
        """Take what is in a parcel; return what is new, and False if it should be held and finds no room."""
        found: list[Granted] = []
        missing: UnknownAuthor | None = None
        for each in items:
            try:
                found += self._item(each)
            except UnknownAuthor as unknown:
                missing = unknown
            except (PeerError, TrustError, UsageError):
                continue
        is_kept = missing is None or self._hold(shelf, data, missing)
        known = {missing.user_id} if missing is not None else set[bytes]()
        self._introduce(items, None if found else known)
        self._stands(shelf, data, items)
        return found, is_kept

    def _item(self, item: ParcelItem) -> tuple[Granted, ...]:
        """Take one thing. Raises what `Documents.take` does."""
        if item.kind == ItemKind.NOTE:
            self._take_note(item.data)
        if item.kind != ItemKind.GRANT:
            return ()
        with self._store.transaction():
            taken = self._documents.take([item.data], revoked=True)
            for each in taken.grants:
                if each.kind is SubjectKind.COLLECTION:
                    self._rows.read_collection(each.id, each.granter_id)
            return taken.grants

    def _take_note(self, data: bytes) -> None:
        """Take a note; one of this user's also takes parcels back. Raises what `Documents.take` does."""
        terms = GrantNote.decode(data).terms
        named: tuple[bytes, ...] = terms.hashes
        if terms.action is NoteAction.ERASE:
            found = shelf_behind(self._documents).book.of_subject(terms.subject_kind, terms.subject_id)
            named = tuple(each.grant.hash for each in found)
        with self._store.transaction():
            self._documents.take([data])
            if terms.signer.user_id == self._desk.book.own().pin.user_id:
                take_back = self._back.erased if terms.action is NoteAction.ERASE else self._back.withdrawn
                take_back(named)

    def _stands(self, shelf: ShelfName, data: bytes, items: tuple[ParcelItem, ...]) -> None:
        """Note which grants stand in a parcel on this user's shelf, if some of them are on record."""
        if shelf != ShelfName.of_user(self._desk.book.own().pin.user_id):
            return
        try:
            grants = grants_alone(items)
        except PeerError:
            return
        book = shelf_behind(self._documents).book
        if any(book.load(each) is not None for each in grants):
            self._back.stands(shelf, parcel_hash(data), grants)

    def _hold(self, shelf: ShelfName, data: bytes, missing: UnknownAuthor) -> bool:
        """Hold a parcel until device lists have come. Return whether there was room."""
        has_room = self._rows.held.count() < MAX_HELD_PARCELS
        if has_room:
            record = HeldParcel(shelf, data, missing.user_id, missing.version)
            self._rows.held.save(parcel_hash(data), record, self._tables.order())
        elif len(self._passed) < _MAX_AUTHORS:
            self._passed[shelf, missing.user_id] = missing.version
        contact = ListsOnRecord(self._desk.book).contact(missing.user_id)
        if contact is not None:
            self.want(contact.name, contact.pin.version)
        return has_room

    def _introduce(self, items: Iterable[ParcelItem], wanted: set[bytes] | None) -> None:
        """Have the lists of unknown names fetched: all of a good parcel, else those of its signer alone."""
        lists, own = ListsOnRecord(self._desk.book), self._desk.book.own().pin.user_id
        introduces = any(each.kind == ItemKind.INTRODUCTION for each in items)
        awaited = self.awaited() if introduces and wanted is not None else frozenset[bytes]()
        for each in items:
            if each.kind != ItemKind.INTRODUCTION:
                continue
            try:
                introduced = Introduction.decode(each.data)
            except MalformedMessage:
                continue
            user_id = introduced.user_id
            if user_id == own or lists.contact(user_id) is not None:
                continue
            if wanted is None or user_id in wanted or user_id in awaited:
                self.want(introduced.name)
            else:
                self.introduced.remember(introduced)

    def want(self, name: str, after: int = 0) -> None:
        """Have the device lists of a name after a version fetched."""
        self._needs.lists(name, after)
        self.wanted[name] = None

    def pop_wanted(self) -> list[str]:
        """Return the names whose lists were needed since the last time."""
        found = list(self.wanted)
        self.wanted.clear()
        return found


def _has_lists(lists: ListsOnRecord, user_id: bytes, version: int) -> bool:
    """Return whether the device lists of a user, up to a version, are on record."""
    contact = lists.contact(user_id)
    return contact is not None and contact.pin.version >= version
