"""Grants that open, each for its reader."""

from generators.families.grants.scene import (
    BY_SERVERS,
    EPOCH_KEY,
    FRONT,
    HISTORY_KEY,
    KEY,
    LINK,
    MEMBER,
    NOW,
    OF_EPOCH,
    OF_SESSION,
    SALT,
    SESSION_KEY,
    TO_BOB,
    TO_LINK,
    TO_PASSWORD,
    TO_PERSON,
    TO_TEAM,
    USER,
    WITH_PASSWORD,
    given,
)
from generators.support.document_signers import ALICE
from generators.support.family import Family
from generators.support.labels import draw
from generators.support.made_grants import from_password, to_key, under
from generators.support.owner import document_key


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("grant.open", "grants that open")
    for comment, making, reader, key in (
        ("to a user", TO_BOB, USER, KEY),
        ("to a collection", TO_TEAM, MEMBER, KEY),
        ("to a link", TO_LINK, LINK, KEY),
        ("to a password", TO_PASSWORD, WITH_PASSWORD, KEY),
        ("to a provisional recipient", TO_PERSON, BY_SERVERS, KEY),
        ("of an epoch of a collection, with its history key", OF_EPOCH, USER, EPOCH_KEY + HISTORY_KEY),
        ("of an epoch, without its history key",
         OF_EPOCH.with_(seal=to_key(document_key("bob of documents 1"), EPOCH_KEY)), USER, EPOCH_KEY),
        ("of an epoch, to a collection",
         OF_EPOCH.with_(recipient=TO_TEAM.recipient, seal=under(EPOCH_KEY, EPOCH_KEY)), MEMBER, EPOCH_KEY),
        ("of a session", OF_SESSION, LINK, SESSION_KEY),
    ):  # fmt: skip
        answer = group.valid(comment, given(making.grant(), reader), rules=["DOC-33", "DOC-35"])
        assert answer["key"] == key.hex()
        assert answer["hash"] == making.hash().hex()
    with_front = given(TO_LINK.grant(), LINK, front=FRONT)
    group.valid("with the front of the document", with_front, rules=["DOC-42"])
    secret = from_password("Zo\u00eb 1\u20442".encode(), SALT, 3, 67_108_864)
    making = TO_PASSWORD.with_(seal=under(secret, KEY))
    reader = {"kind": "password", "password": "Zoe\u0308 \u00bd"}
    group.valid("a password in another normal form", given(making.grant(), reader), rules=["DOC-38"])
    for comment, changes in (
        ("an end that is now", {"valid_until": NOW}),
        ("the last possible end", {"valid_until": 2**53 - 1}),
        ("a grant before it", {"before": draw("a grant before", 32)}),
        ("no purpose", {"purpose": ""}),
        ("a purpose of 64 characters", {"purpose": "\u00e9\U0001f600" * 32}),
    ):
        group.valid(comment, given(TO_LINK.with_(**changes).grant(), LINK), rules=["DOC-44"])
    beside = [draw(f"leaf {number}", 90) for number in range(6)]
    for size, at in ((2, 0), (2, 1), (5, 4), (7, 3), (7, 6)):
        wanted = given(TO_LINK.grant(beside=beside[: size - 1], at=at), LINK)
        group.valid(f"leaf {at} of {size}", wanted, rules=["DOC-32"])
    revoked = TO_LINK.with_(signer=ALICE.at(3, 2)).grant()
    wanted = given(revoked, LINK, lists=[ALICE.snapshots[:3]], revoked=True)
    group.valid(
        "of a device that was revoked since, taken as older", wanted, flags=["Revoked"], rules=["DOC-31"]
    )
    group.valid("of the same device before that", given(revoked, LINK, lists=[ALICE.snapshots[:2]]))
