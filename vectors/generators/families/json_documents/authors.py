"""Authors of JSON documents: signatures that do not verify, and signers that nobody knows."""

from generators.families.json_documents.whole import one
from generators.support.document_signers import ALICE, BOB, signed_by
from generators.support.document_signers import AUTHOR as DOCUMENT_AUTHOR
from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.labels import draw, flipped


def add(family: Family) -> None:
    """Add the group."""
    group = family.group("json.open", "authors")
    made, usual = one([["dose"], "1.50"]), ALICE.at(1, 1)
    sections = made.sections()
    statement = made.statement(sections)
    by = made.signed(statement)
    signature = by[5]
    assert isinstance(signature, bytes)

    def signed(fields: list[Value]) -> bytes:
        return made.document(sections, made.trailer(sections, encode([*statement, fields])))

    later = made.with_(said={"issued": 5})
    cases = {
        "the ML-DSA half changed": signed([*by[:5], flipped(signature, 0)]),
        "the Ed25519 half changed": signed([*by[:5], flipped(signature, -1)]),
        "zeros": signed([*by[:5], bytes(3373)]),
        "another ML-DSA key": signed([*by[:4], draw("no key", 1952), signature]),
        "of another time": signed(later.signed(later.statement(sections))),
        "the statement itself instead of its hash": signed(
            signed_by(usual, encode(statement), b"letterlock-v1 author of json")
        ),
        "in the context of other documents": made.with_(context=DOCUMENT_AUTHOR).document(),
        "the keys of another user's device":
            made.with_(signer=usual.naming(key="mallory of documents 1")).document(),
        "the keys of another device": made.with_(signer=usual.naming(key="alice of documents 2")).document(),
    }  # fmt: skip
    for comment, document in cases.items():
        wrong = made.given(document)
        group.invalid(comment, wrong, "InvalidSignature", flags=["Author"], rules=["DOC-30", "DOC-104"])
    two = [ALICE.snapshots[:2]]
    for comment, signer, lists, expect in (
        ("a device of class limited", ALICE.at(4, 2), two, "InvalidSignature"),
        (
            "a device that is not in the named version",
            ALICE.at(3, 2).naming(version=1, list_hash=usual.list_hash),
            two,
            "InvalidSignature",
        ),
        ("a user whose lists are not on record", BOB.at(1), None, "UnknownAuthor"),
        ("a version that is not on record", ALICE.at(1, 2), None, "UnknownAuthor"),
        ("a hash that no list has", usual.naming(list_hash=bytes(32)), None, "UnknownAuthor"),
        ("no lists", usual, [], "UnknownAuthor"),
    ):
        wrong = made.with_(signer=signer).given(lists=lists)
        group.invalid(comment, wrong, expect, flags=["Author"], rules=["DOC-30", "DOC-104"])
