"""What a collection is to its members: whether documents may be sealed for it.

    collection_key      the key under which a document is granted to it, if that is sound           [DOC-76]
    shown_collection    what an application sees of it

Every function runs inside the caller's transaction. Not here: changing a collection (_changes.py).
"""

from letterlock._records.collection import CollectionPhase, LogState
from letterlock._wire.collection_member import Role
from letterlock.documents._collection_desk import CollectionDesk
from letterlock.documents._collection_errors import EpochDue, NoEpochKey
from letterlock.documents._collection_values import Collection
from letterlock.documents._epoch_keys import open_name
from letterlock.documents._nesting import users_of, void_edges
from letterlock.documents._targets import CollectionKey
from letterlock.errors import UsageError


def collection_key(at: CollectionDesk, collection: bytes) -> CollectionKey:
    """Return a collection as a reader. Raises EpochDue, NoEpochKey, UsageError, CollectionForked."""
    state = at.book.require_sound(collection)
    if state.phase is CollectionPhase.CLOSED:
        raise UsageError("the collection is closed: seal for another one")
    states = at.book.inside(collection)
    role = users_of(states, collection, void_edges(states)).get(at.user_id)
    if role is None or role < Role.WRITER:
        raise UsageError("this user may not write in the collection: ask an admin for another role")
    if at.due(state):  # DOC-76
        raise EpochDue
    secret = at.keyring.secret(collection, state.epoch)
    if secret is None:
        raise NoEpochKey
    return CollectionKey(collection, state.epoch, secret)


def shown_collection(at: CollectionDesk, state: LogState) -> Collection:
    """Return a collection as an application sees it."""
    keys = at.keyring.find(state.log_id, state.epoch)
    members = sorted(state.members.values(), key=lambda each: (int(each.name.kind), each.name.id))
    return Collection(
        state.log_id,
        None if keys is None else open_name(keys, state.name),
        state.phase,
        state.epoch,
        state.number,
        state.head,
        tuple(members),
        state.role_of(at.user_id),
        at.due(state),
        state.forked,
    )
