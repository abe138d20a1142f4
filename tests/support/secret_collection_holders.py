"""One of everything of collections that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Any, Final

from letterlock._records.collection_change import EpochHistoryKey, EpochKey
from letterlock.documents import Collections
from letterlock.documents._collection_desk import CollectionDesk, collection_desk
from letterlock.documents._epoch_keys import EpochKeys
from letterlock.documents._keyring import StoredCollections
from letterlock.stores import MemoryStore
from letterlock.user import User
from letterlock.user._user import desk_behind
from support.secret_pq_holders import MATERIAL

COLLECTION_SECRETS: Final = ["EpochKey", "EpochHistoryKey"]

KEYS: Final = EpochKeys(3, EpochKey(MATERIAL[:32]), EpochHistoryKey(MATERIAL[32:]))


def collections() -> Collections:
    return Collections(User.create(MemoryStore(), "alice"))


def desk() -> CollectionDesk:
    user = User.create(MemoryStore(), "alice")
    with user.transaction():
        made = collection_desk(desk_behind(user))
    made.keyring._found[bytes(16), 3] = KEYS
    return made


def keyring() -> object:
    return desk().keyring


def stored() -> StoredCollections:
    made = desk()
    return StoredCollections(made.desk, made.grants)


COLLECTION_TABLE: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "EpochKeys": (
        lambda: KEYS,
        "EpochKeys(epoch=3, key=<EpochKey: hidden>, history=<EpochHistoryKey: hidden>)",
    ),
    "CollectionDesk": (desk, "{OBJECT}"),
    "Keyring": (keyring, "{OBJECT}"),
    "StoredCollections": (stored, "{OBJECT}"),
    "Collections": (collections, "<Collections of alice.1>"),
}
