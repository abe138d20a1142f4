"""Who could write in an epoch of a collection, itself or through a collection inside. [DOC-81]

A grant of a document to the collection is accepted from nobody else: readers only read. Of a collection
inside, all epochs count, because a grant does not tell in which of them its user was a writer there.

Not here: the roles themselves (_log_rules.py).
"""

from letterlock._wire.collection_member import MemberKind, MemberName
from letterlock.documents._collection_book import CollectionBook


def may_have_written(book: CollectionBook, collection: bytes, epoch: int, user_id: bytes) -> bool:
    """Return whether a user could write in an epoch, as far as the logs on record tell."""
    record = book.epoch(collection, epoch)
    if record is None:
        return False
    if MemberName.user(user_id) in record.writers:
        return True
    inner = (each.id for each in record.writers if each.kind is MemberKind.COLLECTION)
    return any(_wrote_inside(book, each, user_id, {collection}) for each in inner)


def _wrote_inside(book: CollectionBook, collection: bytes, user_id: bytes, seen: set[bytes]) -> bool:
    state = book.state(collection)
    if state is None or collection in seen:
        return False
    seen.add(collection)
    for epoch in range(state.epoch, 0, -1):
        record = book.epoch(collection, epoch)
        for each in () if record is None else record.writers:
            if each == MemberName.user(user_id):
                return True
            if each.kind is MemberKind.COLLECTION and _wrote_inside(book, each.id, user_id, seen):
                return True
    return False
