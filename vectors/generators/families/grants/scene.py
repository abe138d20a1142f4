"""Who grants what to whom, and what an operation is told about it."""

import hashlib
from typing import Any, Final

from generators.support.document_signers import ALICE, BOB
from generators.support.encoding import Value
from generators.support.family import Json
from generators.support.labels import draw
from generators.support.made_grants import (
    Making,
    epoch_commitment,
    fragment,
    from_password,
    in_halves,
    link_id,
    recipient,
    session_commitment,
    to_key,
    under,
)
from generators.support.owner import document_key
from generators.support.sealed_documents import ISSUED, Document

NOW: Final = ISSUED + 100
DOCUMENT: Final = Document("a granted document")
FRONT: Final = DOCUMENT.body[: DOCUMENT.start].hex()
KEY: Final = DOCUMENT.key
SUBJECT: Final[list[Value]] = [1, DOCUMENT.id, 1, DOCUMENT.commitment]

SECRET: Final = draw("a link's secret", 32)
SALT: Final = draw("a password's salt", 16)
PASSES, MEMORY = 3, 67_108_864
PASSWORD: Final = "correct horse"
BOB_SEED: Final = draw("document key bob of documents 1", 32)
SERVERS: Final = (draw("document key server 1", 32), draw("document key server 2", 32))
PERSON: Final = draw("a person without an account", 32)
TEAM, EPOCH_KEY, HISTORY_KEY = draw("a team", 16), draw("an epoch key", 32), draw("a history key", 32)
SESSION, SESSION_KEY = draw("a session of items", 16), draw("a session key", 32)


def both_keys(first: bytes, second: bytes) -> bytes:
    """Return the hash of two public keys."""
    return hashlib.sha256(first + second).digest()


_BOB_KEY: Final = document_key("bob of documents 1")
_SERVER_KEYS: Final = (document_key("server 1"), document_key("server 2"))

TO_LINK: Final = Making(SUBJECT, recipient(3, link_id(SECRET)), under(SECRET, KEY))
TO_BOB: Final = Making(
    SUBJECT, recipient(1, BOB.user_id, 1, hashlib.sha256(_BOB_KEY).digest()), to_key(_BOB_KEY, KEY)
)
TO_TEAM: Final = Making(SUBJECT, recipient(2, TEAM, 3), under(EPOCH_KEY, KEY))
TO_PASSWORD: Final = Making(
    SUBJECT,
    recipient(4, SALT, PASSES, MEMORY),
    under(from_password(PASSWORD.encode(), SALT, PASSES, MEMORY), KEY),
)
TO_PERSON: Final = Making(
    SUBJECT, recipient(5, PERSON, both_keys(*_SERVER_KEYS)), in_halves(*_SERVER_KEYS, KEY)
)
OF_EPOCH: Final = TO_BOB.with_(
    subject=[2, TEAM, 3, epoch_commitment(EPOCH_KEY, 3)], seal=to_key(_BOB_KEY, EPOCH_KEY + HISTORY_KEY)
)
OF_SESSION: Final = TO_LINK.with_(
    subject=[3, SESSION, 0, session_commitment(SESSION_KEY, SESSION)], seal=under(SECRET, SESSION_KEY)
)

LINK: Final = {"kind": "link", "fragment": fragment(SECRET)}
USER: Final = {"kind": "user", "user_id": BOB.user_id.hex(), "generation": 1, "seed": BOB_SEED.hex()}
MEMBER: Final = {"kind": "collection", "id": TEAM.hex(), "epoch": 3, "key": EPOCH_KEY.hex()}
WITH_PASSWORD: Final = {"kind": "password", "password": PASSWORD}
BY_SERVERS: Final = {
    "kind": "provisional", "id": PERSON.hex(), "first": SERVERS[0].hex(), "second": SERVERS[1].hex(),
}  # fmt: skip


def given(grant: bytes, reader: Json, **more: Any) -> Json:
    """Return the input of grant.open."""
    usual = {
        "grant": grant.hex(), "reader": dict(reader), "lists": [ALICE.snapshots[:1]], "now": NOW, "notes": [],
        "revoked": False, "front": None,
    }  # fmt: skip
    return usual | more
