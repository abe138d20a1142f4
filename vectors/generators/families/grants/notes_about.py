"""Notes about grants: withdrawals, and certificates of erasure."""

from generators.families.grants.scene import DOCUMENT, TO_LINK
from generators.support.document_signers import ALICE, MALLORY, signed_leaves
from generators.support.encoding import encode
from generators.support.family import Family, Json
from generators.support.labels import draw
from generators.support.made_grants import Note


def given(note: bytes, *, versions: int = 1, revoked: bool = False) -> Json:
    """Return the input of note.read."""
    return {"note": note.hex(), "lists": [ALICE.snapshots[:versions]], "revoked": revoked}


def add(family: Family) -> None:
    """Add the group."""
    group = family.group("note.read", "notes")
    hashes = [draw(f"hash {number}", 32) for number in range(256)]
    usual = Note(1, DOCUMENT.id, [TO_LINK.hash()], reason="no longer treated here")
    erasure = Note(2, DOCUMENT.id, [DOCUMENT.commitment], count=5)
    for comment, note, rules in (
        ("a withdrawal", usual, ["DOC-43"]),
        ("a certificate of an erasure", erasure, ["DOC-45"]),
        ("256 hashes", usual.with_(hashes=hashes), ["DOC-43"]),
        (
            "the greatest numbers",
            erasure.with_(count=2**32 - 1, issued=2**53 - 1, subject_kind=255),
            ["DOC-45"],
        ),
    ):
        group.valid(comment, given(note.encode()), rules=rules)
    of_revoked = usual.with_(signer=ALICE.at(3, 2)).encode()
    older = given(of_revoked, versions=3, revoked=True)
    group.valid(
        "of a device that was revoked since, taken as older", older, flags=["Revoked"], rules=["DOC-31"]
    )
    wrong = given(of_revoked, versions=3)
    comment = "of a device that was revoked since"
    group.invalid(comment, wrong, "SignerRevoked", flags=["Revoked"], rules=["DOC-31"])
    for comment, note in (
        ("action 0", usual.with_(action=0)),
        ("action 3", usual.with_(action=3)),
        ("a subject of kind 0", usual.with_(subject_kind=0)),
        ("a subject's id of 15 bytes", usual.with_(subject_id=bytes(15))),
        ("no hash", usual.with_(hashes=[])),
        ("257 hashes", usual.with_(hashes=[*hashes, bytes(32)])),
        ("a hash of 31 bytes", usual.with_(hashes=[bytes(31)])),
        ("a hash that is null", usual.with_(hashes=[None])),
        ("a count of 2^32", erasure.with_(count=2**32)),
        ("a time of 2^53", usual.with_(issued=2**53)),
        ("a reason of 65 characters", usual.with_(reason="r" * 65)),
        ("a control character in the reason", usual.with_(reason="a\x1bb")),
        ("the label of a grant", usual.with_(label="letterlock-v1 terms of a grant")),
    ):
        wrong = given(note.encode())
        group.invalid(comment, wrong, "MalformedMessage", flags=["Shape"], rules=["DOC-43"])
    places, by = signed_leaves(usual.signer, [usual.leaf()])
    for comment, made, expect in (
        ("version 2", [2, 17, usual.terms(), places[0], by], "UnsupportedVersion"),
        ("the kind of a grant", [1, 16, usual.terms(), places[0], by], "MalformedMessage"),
        ("six elements", [1, 17, usual.terms(), places[0], by, None], "MalformedMessage"),
        ("four elements", [1, 17, usual.terms(), places[0]], "MalformedMessage"),
    ):
        wrong = given(encode(made))  # type: ignore[arg-type]
        group.invalid(comment, wrong, expect, flags=["Shape"], rules=["WIRE-1"])
    mallory = MALLORY.at(1)
    for comment, made, expect in (
        ("signed by somebody else as the user", usual.encode(signer=usual.signer.naming(key=mallory.key)),
         "InvalidSignature"),
        ("the leaf of a grant", usual.encode(leaf=b"letterlock-v1 leaf of a grant" + usual.leaf()[28:]),
         "InvalidSignature"),
        ("the leaf of another note", usual.encode(leaf=erasure.leaf()), "InvalidSignature"),
        ("a signer of whom no list is on record", usual.with_(signer=mallory).encode(), "UnknownAuthor"),
        ("a device of class limited", usual.with_(signer=ALICE.at(4, 2)).encode(), "InvalidSignature"),
        ("another signer beside the signature", usual.encode(signer=mallory), "MalformedMessage"),
    ):  # fmt: skip
        wrong = given(made, versions=2)
        group.invalid(comment, wrong, expect, flags=["Author"], rules=["DOC-30", "DOC-32"])
