"""DocumentQueue: a user's documents and collections, and what of them is on its way, in one store.

    share, withdraw, erase, ...    a call of `Documents`, and the parcels that it makes, in ONE transaction
    take_log, accepted             a call of `Collections`, likewise

Every method runs inside a transaction of the store, which the caller began.

Not here: bodies (_body_thread.py), the relay (_librarian.py).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain

from letterlock._primitives.secret import Uncopyable
from letterlock._records.grant import GrantRecord
from letterlock._wire.grant_subject import SubjectKind
from letterlock._wire.relay_shelf import ShelfName
from letterlock.client._giving_again import give_again
from letterlock.client._parcels_back import ParcelsBack
from letterlock.client._parcels_in import ParcelsIn
from letterlock.client._parcels_out import ParcelsOut
from letterlock.client._queue import Queue
from letterlock.client._shelf_tables import ShelfTables
from letterlock.documents import (
    ChangeOutcome,
    CollectionChange,
    Collections,
    CollectionTaken,
    Documents,
    JsonDocuments,
    Sealed,
    SealedJson,
    Shared,
)
from letterlock.documents._documents import shelf_behind
from letterlock.documents._json_sealing import NewJson, keep_json
from letterlock.documents._key_finding import require_subject_id
from letterlock.documents._targets import Reader
from letterlock.errors import UsageError
from letterlock.limits import DAY
from letterlock.user._book import device_of
from letterlock.user._rules import rights
from letterlock.user._user import desk_behind

AnyReader = Reader | bytes
"""A reader, or the id of a collection, 16 bytes."""


class DocumentQueue(Uncopyable):
    """The documents of one client."""

    __slots__ = (
        "_queue",
        "collections",
        "documents",
        "json",
        "parcels_back",
        "parcels_in",
        "parcels_out",
        "rows",
        "shelf",
    )

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.documents = Documents(queue.user)
        self.json = JsonDocuments(queue.user)
        self.collections = Collections(queue.user)
        self.shelf = shelf_behind(self.documents)
        desk = desk_behind(queue.user)
        self.rows = ShelfTables(desk.book.store)
        self.parcels_back = ParcelsBack(desk, queue.tables, self.rows)
        self.parcels_out = ParcelsOut(desk, queue.tables, self.rows, self.parcels_back)
        self.parcels_in = ParcelsIn(
            desk, self.documents, queue.tables, queue.needs, self.rows, self.parcels_back
        )

    @property
    def own(self) -> ShelfName:
        """The shelf of this user."""
        return ShelfName.of_user(self._queue.user.user_id)

    def may_read(self) -> bool:
        """Return whether this device has a class that reads documents: others are shown no shelf."""
        desk = desk_behind(self._queue.user)
        own = device_of(desk.book.own().pin, desk.device_id)
        return own is not None and rights(own).reads_documents

    def readers(self, given: Iterable[AnyReader]) -> list[Reader]:
        """Return readers in which collections have their keys. Raises what `Collections.reader` does."""
        return [self.collections.reader(each) if isinstance(each, bytes) else each for each in given]

    def shared(self, make: Callable[[], Shared]) -> Shared:
        """Share something, and put the grants into parcels."""
        made = make()
        self.parcels_out.grants(made)
        self._ask(made)
        return made

    def claimed(self, made: Shared) -> Shared:
        """Put what was claimed into parcels, unless it is on this user's shelf already."""
        pairs = zip(made.wire, made.grants, strict=True)
        self.parcels_out.grants(
            wire for wire, each in pairs if not self.parcels_back.has(self.own, each.hash)
        )
        self._ask(made)
        return made

    def sealed(self, made: Sealed) -> Sealed:
        """Put the grants of a document that was sealed into parcels."""
        self.shared(lambda: made.shared)
        return made

    def sealed_json(self, new: NewJson) -> SealedJson:
        """Keep the grants of a JSON document that is in its storage, and put them into parcels."""
        made = keep_json(self.shelf, new)
        self.shared(lambda: made.shared)
        return made

    def _ask(self, made: Shared) -> None:
        for need in made.needs:
            self._queue.needs.add(need)

    def withdraw(self, grants: Sequence[bytes], reason: str) -> None:
        """Withdraw grants, and put the notes into parcels. Raises UsageError."""
        named = [self.shelf.book.load(each) for each in grants if type(each) is bytes]
        notes = self.documents.withdraw(grants, reason=reason)
        self.parcels_out.notes(notes, [each for each in named if each is not None])
        self.parcels_back.withdrawn(grants)

    def erase(self, kind: SubjectKind, document: bytes, reason: str) -> tuple[bytes, ...]:
        """Destroy the keys of a document, and put the certificate into parcels. Raises UsageError."""
        named: list[GrantRecord] = list(self.shelf.book.of_subject(kind, require_subject_id(document)))
        erase = self.json.erase if kind is SubjectKind.SECTION else self.documents.erase
        notes = erase(document, reason=reason)
        self.parcels_out.notes(notes, named)
        self.parcels_back.erased(each.grant.hash for each in named)
        return notes

    def shown_less(self, shelf: ShelfName, newest: int) -> bool:
        """Begin a shelf anew if the relay lost its database, and give it again what it lost. [CLN-21]

        Returns whether the shelf is to be read once more.
        """
        place, now = self.rows.place(shelf), self._queue.tables.clock()
        was_given = place.given_back <= now < place.given_back + DAY
        if shelf == self.own and newest < place.number and not was_given:
            give_again(desk_behind(self._queue.user), self.shelf.book, self.parcels_out)
            self.rows.save_place(shelf, replace(place, given_back=now))
        return self.parcels_in.shown_less(shelf, newest)

    # --- collections ------------------------------------------------------------------------------------

    def number(self, collection: bytes) -> int:
        """Return the number of the newest entry of a log on record, 0 if there is none."""
        return next((each.number for each in self.collections.all() if each.id == collection), 0)

    def changed(self, make: Callable[[], CollectionChange]) -> CollectionChange:
        """Make a change, and have its log read from now on."""
        change = make()
        self.rows.read_collection(change.collection)
        return change

    def take_log(self, collection: bytes, entries: Sequence[bytes]) -> CollectionTaken:
        """Take entries of a log; deliver the grants of a change of ours among them. Raises as `take` does."""
        taken = self.collections.take(collection, entries)
        if taken.outcome is ChangeOutcome.ACCEPTED and taken.change is not None:
            self._deliver(taken.change)
        if taken.missing is not None:
            self._learn(taken.missing.user_id)
        return taken

    def accepted(self, change: CollectionChange) -> CollectionTaken:
        """Note that the relay took a change, and put its grants into parcels. Raises as `take` does."""
        taken = self.collections.accepted(change)
        self._deliver(change)
        return taken

    def upkeep(self) -> tuple[CollectionChange, ...]:
        """Do what is due in collections; return changes to offer."""
        done = self.collections.upkeep()
        self.parcels_out.grants(done.grants)
        return done.changes

    def pending(self) -> tuple[CollectionChange, ...]:
        """Return changes that are not in a log yet; deliver the grants of those that are."""
        found: list[CollectionChange] = []
        for change in self.collections.pending():
            if change.number and self.number(change.collection) >= change.number:
                self._deliver(change)
            else:
                found.append(change)
        return tuple(found)

    def rest_of_log(self, collection: bytes, after: int) -> tuple[bytes, ...]:
        """Return the entries on record that a relay lacks which has lost them."""
        return self.collections.log(collection, after) if self.number(collection) > after else ()

    def forget(self, collection: bytes) -> None:
        """Delete a collection, and no longer read its log. Raises UsageError."""
        self.collections.forget(collection)
        self.rows.forget_collection(collection)

    def known(self) -> list[bytes]:
        """Return the ids of the collections whose logs are asked for."""
        return list(
            dict.fromkeys(chain((each.id for each in self.collections.all()), self.rows.collections()))
        )

    def _deliver(self, change: CollectionChange) -> None:
        self.parcels_out.grants(change.grants)
        self.collections.delivered(change)
        self.rows.read_collection(change.collection)

    def _learn(self, user_id: bytes) -> None:
        """Have the newer lists of a contact fetched."""
        for contact in self._queue.user.contacts():
            if contact.user_id == user_id:
                self.parcels_in.want(contact.name, contact.version)


def checked_readers(readers: Sequence[AnyReader] | None) -> Sequence[AnyReader] | None:
    """Return readers that were given as several. Raises UsageError for a single one."""
    if isinstance(readers, str | bytes):
        raise UsageError("readers are a list of names and collections: put the one into a list")
    return readers
