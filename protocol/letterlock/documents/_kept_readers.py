"""Readers by what names them: collections by their ids, and those of the version before by none.

    keyed_readers     ids of collections become keys of their epochs
    kept_readers      to whom this user granted a version, for the next one

A grant that was withdrawn or has ended, or that somebody else made, gives nothing to the next version.

Every function runs inside the caller's transaction. Not here: what is sealed for a reader (_targets.py).
"""

from collections.abc import Iterable

from letterlock._records.grant import GrantRecord
from letterlock._wire.grant_recipient import CollectionRecipient, UserRecipient
from letterlock.documents._collection_desk import collection_desk
from letterlock.documents._collection_reading import collection_key
from letterlock.documents._shelf import Shelf
from letterlock.documents._signing import ListsOnRecord
from letterlock.documents._targets import Reader


def keyed_readers(shelf: Shelf, readers: Iterable[Reader | bytes]) -> list[Reader]:
    """Return readers in which ids of collections, 16 bytes, have become their keys.

    Raises EpochDue, NoEpochKey, CollectionForked, UsageError.
    """
    at = collection_desk(shelf.desk)
    return [collection_key(at, each) if isinstance(each, bytes) else each for each in readers]


def kept_readers(shelf: Shelf, records: Iterable[GrantRecord]) -> list[Reader]:
    """Return the contacts and collections to whom this user granted a version, if that still holds.

    A collection gets the next one under the key of the epoch that it has now. Raises EpochDue, NoEpochKey,
    CollectionForked.
    """
    now, own = shelf.desk.now(), shelf.desk.book.own().pin.user_id
    lists = ListsOnRecord(shelf.desk.book)
    contacts: dict[str, None] = {}
    collections: dict[bytes, None] = {}
    for record in records:
        terms = record.grant.terms
        ended = terms.valid_until is not None and terms.valid_until < now
        if record.withdrawn is not None or ended or terms.signer.user_id != own:
            continue
        if isinstance(terms.recipient, UserRecipient) and terms.recipient.user_id != own:
            contact = lists.contact(terms.recipient.user_id)
            if contact is not None:
                contacts[contact.name] = None
        if isinstance(terms.recipient, CollectionRecipient):
            collections[terms.recipient.id] = None
    return keyed_readers(shelf, [*contacts, *collections])
