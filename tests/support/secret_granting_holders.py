"""One of everything of grants that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Final

from letterlock._wire.grant_recipient import LinkRecipient
from letterlock.documents import (
    BlindIndex,
    Documents,
    JsonDocuments,
    LinkSecret,
    Password,
    ProvisionalSeeds,
    Section,
)
from letterlock.documents._granted_key import WrapSecret
from letterlock.documents._item_session import ItemKey, ItemSession
from letterlock.documents._json_keys import JsonKey
from letterlock.documents._json_opening import OpenSection
from letterlock.documents._shelf import Shelf
from letterlock.documents._targets import CollectionKey, Target
from letterlock.stores import MemoryStore
from letterlock.user import User
from letterlock.user._user import desk_behind
from support.secret_pq_holders import MATERIAL

GRANTING_SECRETS: Final = [
    "GrantedKey", "ItemKey", "JsonKey", "LinkSecret", "PasswordText", "TokenKey", "WrapSecret",
]  # fmt: skip


def documents() -> Documents:
    return Documents(User.create(MemoryStore(), "alice"))


def target() -> Target:
    secret = MATERIAL[:32]
    return Target(LinkRecipient(bytes(16)), lambda terms, _: terms + secret)


def shelf() -> Shelf:
    made = documents()
    return Shelf(desk_behind(made._user), made._shelf.book)


GRANTING_TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "CollectionKey": (
        lambda: CollectionKey(bytes(16), 2, WrapSecret(MATERIAL[:32])),
        "<CollectionKey 00000000, epoch 2>",
    ),
    "Target": (target, "{OBJECT}"),
    "Shelf": (shelf, "{OBJECT}"),
    "Documents": (documents, "<Documents of alice.1>"),
    "ItemSession": (
        lambda: ItemSession(bytes(16), ItemKey(MATERIAL[:32]), bytes),
        "<ItemSession 00000000>",
    ),
    "BlindIndex": (
        lambda: BlindIndex(ItemKey(MATERIAL[:32]), "family name", 8),
        "<BlindIndex 'family name', 8 bits>",
    ),
    "JsonDocuments": (
        lambda: JsonDocuments(User.create(MemoryStore(), "alice")),
        "<JsonDocuments of alice.1>",
    ),
    "OpenSection": (
        lambda: OpenSection(3, JsonKey(MATERIAL[:32]), MATERIAL[:32]),
        "{OBJECT}",
    ),
    "Section": (
        lambda: Section("rest", ("",), (LinkSecret(MATERIAL[:32]),)),
        (
            "Section(name='rest', fields=('',), readers=(<LinkSecret: hidden>,), "
            "conditions=Conditions(purpose='', valid_until=None))"
        ),
    ),
    "Password": (lambda: Password(MATERIAL.hex()), "<Password: hidden>"),
    "ProvisionalSeeds": (
        lambda: ProvisionalSeeds(bytes(32), MATERIAL[:32], MATERIAL[32:]),
        "<ProvisionalSeeds: hidden>",
    ),
}
