"""The keys of epochs, found each time anew: keys are not stored, grants are.

    a grant to this user              opened with the seed of the document key that it names
    a grant to a collection           opened with that collection's epoch key, found in the same way
    an older epoch                    opened by the links, from the nearest later epoch with a history key

Every key is compared with the commitment in the log before it is used. [DOC-73]

Not here: how grants are opened (_key_finding.py); whether a key may still be used to seal (_dues.py).
"""

from letterlock._primitives.secret import Uncopyable
from letterlock._records.collection_change import EpochRecord
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock.documents._collection_book import CollectionBook
from letterlock.documents._collection_errors import NoEpochKey, WrongEpochKey
from letterlock.documents._epoch_keys import EpochKeys, open_link
from letterlock.documents._grant_book import GrantBook
from letterlock.documents._granted_key import WrapSecret
from letterlock.documents._key_finding import KeyFinder
from letterlock.documents._writers import may_have_written
from letterlock.user._desk import Desk

Epoch = tuple[bytes, int]
"""A collection id and the number of an epoch."""


class Keyring(Uncopyable):
    """The epoch keys that this user's grants open. For use inside one transaction."""

    __slots__ = ("_book", "_finder", "_found", "_grants", "_under_way")

    def __init__(self, desk: Desk, book: CollectionBook, grants: GrantBook) -> None:
        self._book = book
        self._grants = grants
        self._finder = KeyFinder(desk, grants, self)
        self._found: dict[Epoch, EpochKeys] = {}
        self._under_way: set[Epoch] = set()

    def keys(self, collection: bytes, epoch: int, *, history: bool = False) -> EpochKeys:
        """Return the keys of an epoch, with its history key if `history`. Raises NoEpochKey."""
        found = self.find(collection, epoch, history=history)
        if found is None:
            raise NoEpochKey
        return found

    def find(self, collection: bytes, epoch: int, *, history: bool = False) -> EpochKeys | None:
        """Return the same, or None."""
        known = self._found.get((collection, epoch))
        if known is None or (history and known.history is None):
            known = self._search(collection, epoch) or known
        if known is None:
            return None
        self._found[collection, epoch] = known
        return None if history and known.history is None else known

    def secret(self, collection: bytes, epoch: int) -> WrapSecret | None:
        """Return the secret under which a key is sealed for an epoch, or None if this user has it not."""
        found = self.find(collection, epoch)
        return None if found is None else WrapSecret(found.key.expose())

    def may_have_written(self, collection: bytes, epoch: int, user_id: bytes) -> bool:
        """Return whether a user could write in an epoch. [DOC-81]"""
        return may_have_written(self._book, collection, epoch, user_id)

    def newest_before(self, collection: bytes, epoch: int) -> EpochKeys | None:
        """Return the keys of the newest epoch before one whose history key this user has, or None."""
        granted = self._grants.subject(SubjectKind.COLLECTION, collection).numbers
        for at in sorted({epoch - 1, *granted}, reverse=True):
            found = self.find(collection, at, history=True) if 0 < at < epoch else None
            if found is not None:
                return found
        return None

    def of_opening(self, collection: bytes, epoch: int, record: EpochRecord) -> EpochKeys | None:
        """Return the keys of an epoch that grants of it hold, with the history key if there is one."""
        subject = Subject(SubjectKind.COLLECTION, collection, epoch, record.opening.commitment)
        best: EpochKeys | None = None
        for _, key in self._finder.keys(subject):
            try:
                found = EpochKeys.from_text(epoch, key.expose()).check(record.opening)
            except WrongEpochKey:
                continue
            best = found  # DOC-73
            if found.history is not None:
                break
        return best

    def _search(self, collection: bytes, epoch: int) -> EpochKeys | None:
        place = (collection, epoch)
        if place in self._under_way:  # a grant to a collection that is inside itself
            return None
        self._under_way.add(place)
        try:
            granted = self._granted(*place)
            if granted is not None and granted.history is not None:
                return granted
            return self._linked(*place) or granted
        finally:
            self._under_way.discard(place)

    def _granted(self, collection: bytes, epoch: int) -> EpochKeys | None:
        record = self._book.epoch(collection, epoch)
        return None if record is None else self.of_opening(collection, epoch, record)

    def _linked(self, collection: bytes, epoch: int) -> EpochKeys | None:
        """Return the keys to which links lead from the nearest later epoch with a history key. [DOC-74]"""
        for later in self._grants.subject(SubjectKind.COLLECTION, collection).numbers:
            if later > epoch:
                start = self._found.get((collection, later)) or self._granted(collection, later)
                found = None if start is None else self._followed(collection, start, epoch)
                if found is not None:
                    return found
        return None

    def _followed(self, collection: bytes, keys: EpochKeys, epoch: int) -> EpochKeys | None:
        while keys.epoch > epoch and keys.history is not None:
            record = self._book.epoch(collection, keys.epoch)
            link = None if record is None else record.opening.link
            earlier = None if link is None else self._book.epoch(collection, link.epoch)
            if link is None or earlier is None or link.epoch >= keys.epoch:
                return None
            try:
                keys = open_link(keys, link, earlier.opening)
            except WrongEpochKey:  # whoever began the epoch cut its members off from what came before
                return None
            self._found.setdefault((collection, keys.epoch), keys)
        return keys if keys.epoch == epoch else None


class StoredCollections(Uncopyable):
    """The collections of a store, for what opens grants: each question is answered from the store anew."""

    __slots__ = ("_desk", "_grants")

    def __init__(self, desk: Desk, grants: GrantBook) -> None:
        self._desk = desk
        self._grants = grants

    def secret(self, collection: bytes, epoch: int) -> WrapSecret | None:
        """Return the secret under which a key is sealed for an epoch, or None if this user has it not."""
        return self._keyring().secret(collection, epoch)

    def may_have_written(self, collection: bytes, epoch: int, user_id: bytes) -> bool:
        """Return whether a user could write in an epoch. [DOC-81]"""
        return self._keyring().may_have_written(collection, epoch, user_id)

    def _keyring(self) -> Keyring:
        return Keyring(self._desk, CollectionBook(self._desk.book.store), self._grants)
