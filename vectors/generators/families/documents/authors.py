"""Authors of documents: signatures that do not verify, and signers that nobody knows."""

import hashlib

from generators.support.document_signers import ALICE, AUTHOR, BOB, LEAVES, MALLORY, signed_by
from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.labels import draw, flipped
from generators.support.sealed_documents import Document, given


def add(family: Family) -> None:
    """Add the groups."""
    signatures(family)
    signers(family)


def signatures(family: Family) -> None:
    """Add signatures of something else, and changed ones."""
    group = family.group("document.open", "signatures")
    document = Document("signed")
    statement = document.statement()
    message = hashlib.sha256(encode(statement)).digest()
    by = signed_by(ALICE.at(1, 1), message, AUTHOR)
    signature = by[5]
    assert isinstance(signature, bytes)

    def trailer(at: int, value: Value) -> bytes:
        return document.trailer_of([*statement, [*by[:at], value, *by[at + 1 :]]])

    bare = signed_by(ALICE.at(1, 1), message, AUTHOR, standing_for=b"")
    cases = {
        "the ML-DSA half changed": trailer(5, flipped(signature, 0)),
        "the Ed25519 half changed": trailer(5, flipped(signature, -1)),
        "zeros": trailer(5, bytes(3373)),
        "without the signer in what is signed": document.trailer_of([*statement, bare]),
        "the statement itself instead of its hash": document.trailer(signed=encode(statement)),
        "in the context of grants": document.trailer(context=LEAVES),
        "of another time": document.trailer_of([*document.statement(issued=5), by]),
        "another ML-DSA key": trailer(4, draw("no key", 1952)),
        "the keys of another user's device":
            document.trailer(ALICE.at(1, 1).naming(key="mallory of documents 1")),
        "the keys of another device": document.trailer(ALICE.at(1, 1).naming(key="alice of documents 2")),
    }  # fmt: skip
    for comment, made in cases.items():
        flags = ["Author"]
        wrong = given(document, document.parts(made))
        group.invalid(comment, wrong, "InvalidSignature", flags=flags, rules=["DOC-3", "DOC-30"])
    wrong = given(document, document.parts(trailer(5, flipped(signature, 0))), "pipe")
    comment = "the ML-DSA half changed, in one pass"
    group.invalid(comment, wrong, "InvalidSignature", flags=["Author"], rules=["DOC-3"])


def signers(family: Family) -> None:
    """Add signers that no list on record has, or that may not sign."""
    group = family.group("document.open", "signers")
    document = Document("a signer")
    usual = ALICE.at(1, 1)
    two = [ALICE.snapshots[:2]]
    for comment, signer, lists, expect in (
        ("a user of whom no list is on record", MALLORY.at(1), two, "UnknownAuthor"),
        ("no list of anybody", usual, [], "UnknownAuthor"),
        ("a version that is not on record", ALICE.at(1, 3), two, "UnknownAuthor"),
        ("another hash of the version", usual.naming(list_hash=draw("no hash", 32)), two, "UnknownAuthor"),
        ("the hash of another version", usual.naming(version=2), two, "UnknownAuthor"),
        ("a device that the version does not list", ALICE.at(3, 2).naming(
            version=1, list_hash=ALICE.lists[0].hash), two, "InvalidSignature"),
        ("a device that was revoked in the version", ALICE.at(3, 3), [ALICE.snapshots[:3]],
         "InvalidSignature"),
        ("a device that nobody has", usual.naming(device=9), two, "InvalidSignature"),
        ("a device of class limited", ALICE.at(4, 2), two, "InvalidSignature"),
        ("the name of another user", BOB.at(1).naming(key=usual.key), [BOB.snapshots], "InvalidSignature"),
    ):  # fmt: skip
        wrong = given(document, document.parts(document.trailer(signer)), lists=lists)
        group.invalid(comment, wrong, expect, flags=["Author"], rules=["DOC-31"])
    parts = document.parts(document.trailer(MALLORY.at(1)))
    wrong = given(document, parts, "pipe")
    comment = "a user of whom no list is on record, in one pass"
    group.invalid(comment, wrong, "UnknownAuthor", flags=["Author"], rules=["DOC-31"])
