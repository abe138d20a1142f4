"""Parcels out: grants and notes on their way to the shelves of those whom they concern.

    grant for a user             that user's shelf, and our own
    grant for a collection       the collection's shelf, and our own
    other grants                 our own shelf alone: the reader gets them in another way
    keys of a collection         the member's shelf
    note                         where the grants went that it names

What is on our own shelf is for our other devices, also for those to come.

Every method runs inside the caller's transaction. So a parcel is in the store as soon as the grants in it
are, and goes when the relay is there.                                                             [CLN-17]

Not here: sending (_librarian.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.xwing import XWingPublicKey
from letterlock._records.grant import GrantRecord
from letterlock._wire.collection_member import MemberKind
from letterlock._wire.grant import Grant
from letterlock._wire.grant_recipient import CollectionRecipient, UserRecipient
from letterlock._wire.grant_subject import SubjectKind
from letterlock._wire.parcel import Introduction, ItemKind, ParcelItem
from letterlock._wire.relay_shelf import ShelfKind, ShelfName, parcel_hash
from letterlock.client._parcels_back import ParcelsBack
from letterlock.client._shelf_rows import ParcelRecord
from letterlock.client._shelf_tables import ShelfTables
from letterlock.client._table import Tables
from letterlock.documents._collection_desk import CollectionDesk, collection_desk
from letterlock.documents._parcels import parcel_for_collection, parcel_for_user
from letterlock.user._desk import Desk

_MOST_ITEMS: Final = 64
_MOST_BYTES: Final = 200 << 10
_MOST_INTRODUCED: Final = 30
"""Members whose names go with the keys of a collection, so that others can learn who they are."""

Items = dict[ShelfName, dict[bytes, ParcelItem]]


class ParcelsOut(Uncopyable):
    """Makes the parcels of one client."""

    __slots__ = ("_back", "_desk", "_rows", "_tables")

    def __init__(self, desk: Desk, tables: Tables, rows: ShelfTables, back: ParcelsBack) -> None:
        self._back = back
        self._desk = desk
        self._tables = tables
        self._rows = rows

    def grants(self, wire: Iterable[bytes]) -> None:
        """Put grants that were made into parcels."""
        items: Items = {}
        for each in wire:
            grant = Grant.decode(each)
            for shelf in self._shelves(grant):
                items.setdefault(shelf, {})[each] = ParcelItem(ItemKind.GRANT, each)
            if grant.terms.subject.kind == SubjectKind.COLLECTION:
                for shelf in set(items):
                    items[shelf] |= self._introductions(grant.terms.subject.id)
        self._put(items)

    def notes(self, wire: Iterable[bytes], grants: Sequence[GrantRecord]) -> None:
        """Put notes into parcels for everybody who was given the grants that they are about."""
        shelves = {self._own, *(shelf for each in grants for shelf in self._shelves(each.grant))}
        notes = {each: ParcelItem(ItemKind.NOTE, each) for each in wire}
        self._put({shelf: dict(notes) for shelf in shelves})

    def introduce(self, user_id: bytes, others: Mapping[bytes, str]) -> None:
        """Tell a user the names of others, by their ids."""
        items = [Introduction(each, name).encode() for each, name in others.items()]
        found = {each: ParcelItem(ItemKind.INTRODUCTION, each) for each in items}
        if found:
            self._put({ShelfName.of_user(user_id): found})

    def show(self, users: Iterable[bytes], wire: Iterable[bytes]) -> None:
        """Show users, by their ids, grants that are for somebody else, each once. [PRV-11]"""
        items = {Grant.decode(each).hash: ParcelItem(ItemKind.GRANT, each) for each in wire}
        for shelf in map(ShelfName.of_user, users):
            new = {each.data: each for hash_, each in items.items() if not self._back.has(shelf, hash_)}
            if new and shelf != self._own:
                self._put({shelf: new})

    @property
    def _own(self) -> ShelfName:
        return ShelfName.of_user(self._desk.book.own().pin.user_id)

    def _shelves(self, grant: Grant) -> list[ShelfName]:
        is_epoch = grant.terms.subject.kind == SubjectKind.COLLECTION
        match grant.terms.recipient:
            case UserRecipient(user_id=user_id):
                found = [ShelfName.of_user(user_id)]
            case CollectionRecipient(id=id_):
                found = [ShelfName.of_collection(id_)]
            case _:
                found = []
        return found if is_epoch or self._own in found else [*found, self._own]

    def _introductions(self, collection: bytes) -> dict[bytes, ParcelItem]:
        """Return the names of members whom this user knows."""
        at = collection_desk(self._desk)
        state, found = at.book.state(collection), dict[bytes, ParcelItem]()
        for name in () if state is None else list(state.members):
            contact = at.lists.contact(name.id) if name.kind is MemberKind.USER else None
            if contact is not None and len(found) < _MOST_INTRODUCED:
                data = Introduction(name.id, contact.name).encode()
                found[data] = ParcelItem(ItemKind.INTRODUCTION, data)
        return found

    def _put(self, items: Items) -> None:
        at, own = collection_desk(self._desk), self._own
        introduction = ParcelItem(ItemKind.INTRODUCTION, Introduction(own.id, self._desk.name).encode())
        for shelf, each in items.items():
            for chunk in _chunks(list(each.values())):
                parcel = self._sealed(at, shelf, chunk if shelf == own else [introduction, *chunk])
                if parcel is not None:
                    record, hash_ = ParcelRecord(shelf, parcel), parcel_hash(parcel)
                    self._rows.parcels.save(hash_, record, self._tables.order())
                    self._back.stands(shelf, hash_, grants_alone(chunk), ours=True)

    def _sealed(self, at: CollectionDesk, shelf: ShelfName, items: list[ParcelItem]) -> bytes | None:
        """Return a parcel, or None if its reader has no key on record any more."""
        if shelf.kind is ShelfKind.COLLECTION:
            state = at.book.state(shelf.id)
            secret = None if state is None else at.keyring.secret(shelf.id, state.epoch)
            if state is None or secret is None:
                return None
            entropy = self._desk.environment.entropy
            return parcel_for_collection(secret, shelf.id, state.epoch, items, entropy)
        snapshot = at.lists.newest(shelf.id)
        key = None if snapshot is None else snapshot.document_key
        if key is None:
            return None
        return parcel_for_user(XWingPublicKey(key.public), shelf.id, key.generation, items)


def grants_alone(items: Iterable[ParcelItem]) -> tuple[bytes, ...]:
    """Return the hashes of the grants in a parcel, or none if it holds more than grants of documents.

    Introductions do not count. Raises MalformedMessage.
    """
    found: list[bytes] = []
    for each in items:
        if each.kind == ItemKind.INTRODUCTION:
            continue
        grant = Grant.decode(each.data) if each.kind == ItemKind.GRANT else None
        if grant is None or grant.terms.subject.kind == SubjectKind.COLLECTION:
            return ()
        found.append(grant.hash)
    return tuple(dict.fromkeys(found))


def _chunks(items: Sequence[ParcelItem]) -> list[list[ParcelItem]]:
    """Return items in groups that fit into a parcel beside an introduction."""
    found: list[list[ParcelItem]] = [[]]
    size = 0
    for each in items:
        if found[-1] and (size + len(each.data) > _MOST_BYTES or len(found[-1]) >= _MOST_ITEMS - 1):
            found.append([])
            size = 0
        found[-1].append(each)
        size += len(each.data) + 8
    return [each for each in found if each]
