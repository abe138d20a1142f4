"""The desk of collections: what every part of them works with, inside one transaction.

    generation    under which a member would be given keys now
    target        what seals keys for a member, or None where it cannot be done yet
    states        a collection with all that are inside it

Not here: the calls themselves (_collections.py).
"""

import hashlib
from dataclasses import dataclass

from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.xwing import XWingPublicKey
from letterlock._records.collection import CollectionPhase, LogState
from letterlock._wire.collection_member import MemberKind, MemberName
from letterlock._wire.device_snapshot import DocumentKey
from letterlock._wire.grant_recipient import CollectionRecipient, UserRecipient
from letterlock.documents._collection_book import CollectionBook
from letterlock.documents._dues import DueReason, dues
from letterlock.documents._grant_book import GrantBook
from letterlock.documents._granted_key import seal_for_key, seal_under
from letterlock.documents._keyring import Keyring
from letterlock.documents._signing import ListsOnRecord
from letterlock.documents._targets import Target
from letterlock.user import ContactFrozen
from letterlock.user._desk import Desk


@dataclass(frozen=True, slots=True, repr=False)
class CollectionDesk(Uncopyable):
    """One user's collections and grants, the device lists on record, and the keys that the grants open."""

    desk: Desk
    book: CollectionBook
    grants: GrantBook
    lists: ListsOnRecord
    keyring: Keyring
    user_id: bytes

    def generation(self, name: MemberName) -> int | None:
        """Return the generation of a member that is on record, or None."""
        if name.kind is MemberKind.USER:
            key = self._document_key(name.id)
            return None if key is None else key.generation
        state = self.book.state(name.id)
        return None if state is None or state.phase is CollectionPhase.CLOSED else state.epoch

    def target(self, name: MemberName) -> Target | None:
        """Return what seals keys for a member, or None: its device lists or its epoch key are missing."""
        return self._user(name.id) if name.kind is MemberKind.USER else self._collection(name.id)

    def due(self, state: LogState) -> frozenset[DueReason]:
        """Return why a collection needs a new epoch; nothing if it needs none. [DOC-76]"""
        return dues(self.book.inside(state.log_id), self.generation)[state.log_id]

    def _user(self, user_id: bytes) -> Target | None:
        key = self._document_key(user_id)
        if key is None:
            return None
        public = XWingPublicKey(key.public)
        recipient = UserRecipient(user_id, key.generation, hashlib.sha256(key.public).digest())
        return Target(recipient, lambda terms, text: seal_for_key(public, terms, text))

    def _collection(self, collection: bytes) -> Target | None:
        state = self.book.state(collection)
        if state is None or state.phase is CollectionPhase.CLOSED or state.forked:
            return None
        secret = self.keyring.secret(collection, state.epoch)
        if secret is None:
            return None
        entropy = self.desk.environment.entropy
        recipient = CollectionRecipient(collection, state.epoch)
        return Target(recipient, lambda terms, text: seal_under(secret, terms, text, entropy))

    def _document_key(self, user_id: bytes) -> DocumentKey | None:
        try:
            snapshot = self.lists.newest(user_id)
        except ContactFrozen:
            return None
        return None if snapshot is None else snapshot.document_key


def collection_desk(desk: Desk) -> CollectionDesk:
    """Return the desk of collections of a user."""
    user_id = desk.book.own().pin.user_id
    book, grants = CollectionBook(desk.book.store), GrantBook(desk.book.store, user_id)
    lists, keyring = ListsOnRecord(desk.book), Keyring(desk, book, grants)
    return CollectionDesk(desk, book, grants, lists, keyring, user_id)
