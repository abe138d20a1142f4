"""Sealed keys under other terms than they were sealed for. The mover signs the new terms."""

from typing import Any

from generators.families.grants.scene import LINK, MEMBER, NOW, TO_BOB, TO_LINK, TO_TEAM, USER, given
from generators.support.document_signers import ALICE, MALLORY
from generators.support.family import Family
from generators.support.labels import draw
from generators.support.made_grants import assembled, recipient
from generators.support.sealed_documents import Document


def add(family: Family) -> None:
    """Add the group."""
    group = family.group("grant.open", "sealed keys that were moved")
    lists = [ALICE.snapshots[:2], MALLORY.snapshots]
    other = Document("another document")
    subject = TO_LINK.subject
    commitment = subject[3]
    moves: dict[str, dict[str, Any]] = {
        "to another document": {"subject": [1, other.id, 1, other.commitment]},
        "to another id": {"subject": [1, other.id, 1, commitment]},
        "to another version": {"subject": [1, subject[1], 2, commitment]},
        "to another commitment": {"subject": [*subject[:3], other.commitment]},
        "to a subject of another kind": {"subject": [2, *subject[1:]]},
        "to another granter": {"signer": MALLORY.at(1)},
        "to another device of the granter": {"signer": ALICE.at(2, 1)},
        "to another version of the granter's list": {"signer": ALICE.at(1, 2)},
        "to another purpose": {"purpose": "research"},
        "to another time": {"issued": NOW},
        "to an end": {"valid_until": NOW + 1},
        "behind another grant": {"before": draw("a grant before", 32)},
    }
    for comment, changes in moves.items():
        terms = TO_LINK.with_(**changes)
        wrong = given(assembled(terms.terms(), TO_LINK.sealed(), terms.signer), LINK, lists=lists)
        rules = ["DOC-35"]
        group.invalid(comment, wrong, "AuthenticationFailed", flags=["Moved"], rules=rules)
    ending = TO_LINK.with_(valid_until=NOW + 1)
    for comment, end in (("past its end", None), ("to a later end", NOW + 10**6)):
        terms = ending.with_(valid_until=end)
        wrong = given(assembled(terms.terms(), ending.sealed(), terms.signer), LINK)
        group.invalid(comment, wrong, "AuthenticationFailed", flags=["Moved"], rules=["DOC-35", "DOC-44"])
    for comment, making, reader, changes in (
        ("to another version, for a user", TO_BOB, USER, {"subject": [1, subject[1], 2, commitment]}),
        ("to another granter, for a user", TO_BOB, USER, {"signer": MALLORY.at(1)}),
        ("to another version, for a collection", TO_TEAM, MEMBER,
         {"subject": [1, subject[1], 2, commitment]}),
        ("from a link to a collection", TO_LINK, MEMBER, {"recipient": TO_TEAM.recipient}),
        ("from a collection to a link", TO_TEAM, LINK, {"recipient": TO_LINK.recipient}),
    ):  # fmt: skip
        terms = making.with_(**changes)
        wrong = given(assembled(terms.terms(), making.sealed(), terms.signer), reader, lists=lists)
        group.invalid(comment, wrong, "AuthenticationFailed", flags=["Moved"], rules=["DOC-35"])
    epoch = TO_TEAM.with_(recipient=recipient(2, draw("a team", 16), 4))
    wrong = given(assembled(epoch.terms(), TO_TEAM.sealed(), epoch.signer), {**MEMBER, "epoch": 4})
    group.invalid("to another epoch", wrong, "AuthenticationFailed", flags=["Moved"], rules=["DOC-35"])
    team = TO_TEAM.with_(recipient=recipient(2, draw("another team", 16), 3))
    reader = {**MEMBER, "id": draw("another team", 16).hex()}
    wrong = given(assembled(team.terms(), TO_TEAM.sealed(), team.signer), reader)
    group.invalid("to another collection", wrong, "AuthenticationFailed", flags=["Moved"], rules=["DOC-35"])
