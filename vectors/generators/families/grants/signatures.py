"""Signatures of grants, and the places of leaves in trees."""

from generators.families.grants.scene import LINK, TO_LINK, given
from generators.support.document_signers import ALICE, AUTHOR, BOB, MALLORY, signed_by, signed_leaves
from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.labels import draw, flipped
from generators.support.made_grants import assembled, leaf_of
from letterlock._primitives import merkle

TERMS, SEALED, SIGNER = TO_LINK.terms(), TO_LINK.sealed(), TO_LINK.signer
LEAF = leaf_of(TERMS, SEALED)


def add(family: Family) -> None:
    """Add the groups."""
    changed(family)
    signers(family)
    places(family)


def parts() -> list[Value]:
    """Return the grant as an array."""
    place, by = signed_leaves(SIGNER, [LEAF])
    return [1, 16, TERMS, SEALED, place[0], by]


def changed(family: Family) -> None:
    """Add signatures of something else."""
    group = family.group("grant.open", "signatures of something else")
    whole = parts()
    by = whole[5]
    assert isinstance(by, list)
    signature = by[5]
    assert isinstance(signature, bytes)
    root = (1).to_bytes(4, "big") + merkle.leaf_hash(LEAF)

    def with_(value: list[Value]) -> bytes:
        return encode([*whole[:5], value])

    other = TO_LINK.with_(purpose="another")
    cases = {
        "the ML-DSA half changed": with_([*by[:5], flipped(signature, 5)]),
        "the Ed25519 half changed": with_([*by[:5], flipped(signature, -5)]),
        "another ML-DSA key": with_([*by[:4], draw("no key", 1952), signature]),
        "in the context of documents": with_(signed_by(SIGNER, root, AUTHOR)),
        "without the signer in what is signed":
            with_(signed_by(SIGNER, root, b"letterlock-v1 grant signature", standing_for=b"")),
        "without the size in what is signed":
            with_(signed_by(SIGNER, merkle.leaf_hash(LEAF), b"letterlock-v1 grant signature")),
        "of other terms": assembled(TERMS, SEALED, SIGNER, leaf=leaf_of(other.terms(), SEALED)),
        "of another sealed key": assembled(TERMS, SEALED, SIGNER, leaf=leaf_of(TERMS, other.sealed())),
        "of a note's leaf":
            assembled(TERMS, SEALED, SIGNER, leaf=b"letterlock-v1 leaf of a note" + LEAF[29:]),
        "of the leaf without its label": assembled(TERMS, SEALED, SIGNER, leaf=LEAF[29:]),
        "of the leaf's hash as a leaf": assembled(TERMS, SEALED, SIGNER, leaf=merkle.leaf_hash(LEAF)),
        "of nothing": assembled(TERMS, SEALED, SIGNER, leaf=b""),
        "the keys of another user": assembled(TERMS, SEALED, SIGNER.naming(key="mallory of documents 1")),
        "the keys of another device": assembled(TERMS, SEALED, SIGNER.naming(key="alice of documents 2")),
    }  # fmt: skip
    for comment, grant in cases.items():
        group.invalid(
            comment, given(grant, LINK), "InvalidSignature", flags=["Author"], rules=["DOC-30", "DOC-32"]
        )


def signers(family: Family) -> None:
    """Add signers that no list on record has, or that may not sign."""
    group = family.group("grant.open", "signers of grants")
    usual = ALICE.at(1, 1)
    two, three = [ALICE.snapshots[:2]], [ALICE.snapshots[:3]]
    for comment, signer, lists, expect in (
        ("a user of whom no list is on record", MALLORY.at(1), two, "UnknownAuthor"),
        ("a version that is not on record", ALICE.at(1, 3), two, "UnknownAuthor"),
        ("another hash of the version", usual.naming(list_hash=draw("no hash", 32)), two, "UnknownAuthor"),
        ("a device that the version does not list", usual.naming(device=3), two, "InvalidSignature"),
        ("a device of class limited", ALICE.at(4, 2), two, "InvalidSignature"),
        ("the name of another user", BOB.at(1).naming(key=usual.key), [BOB.snapshots], "InvalidSignature"),
        ("a device that was revoked since", ALICE.at(3, 2), three, "SignerRevoked"),
        ("a device that was revoked in the version", ALICE.at(3, 3), three, "InvalidSignature"),
    ):
        flags = ["Revoked"] if expect == "SignerRevoked" else ["Author"]
        wrong = given(TO_LINK.with_(signer=signer).grant(), LINK, lists=lists)
        group.invalid(comment, wrong, expect, flags=flags, rules=["DOC-31"])
    mallory = TO_LINK.with_(signer=MALLORY.at(1))
    for comment, terms, signer in (
        ("another user beside the signature", TERMS, MALLORY.at(1)),
        ("another user in the terms", mallory.terms(), usual),
        ("another device beside the signature", TERMS, ALICE.at(2, 1)),
        ("another version beside the signature", TERMS, ALICE.at(1, 2)),
    ):
        wrong = given(assembled(terms, SEALED, signer), LINK, lists=[ALICE.snapshots[:2], MALLORY.snapshots])
        group.invalid(comment, wrong, "MalformedMessage", flags=["Author"], rules=["DOC-33"])


def places(family: Family) -> None:
    """Add places that are not those of the leaf."""
    group = family.group("grant.open", "places of leaves")
    beside = [draw(f"leaf {number}", 90) for number in range(4)]
    all_places, by = signed_leaves(SIGNER, [LEAF, *beside])
    index, size, path = all_places[0]
    assert isinstance(path, list)
    hash_ = draw("no hash", 32)
    for comment, place, expect in (
        ("the place of another leaf", all_places[1], "InvalidSignature"),
        ("another index", [1, size, path], "InvalidSignature"),
        ("the last index, with a path of another length", [4, size, path], "MalformedMessage"),
        ("a tree with a leaf more", [0, 6, path], "InvalidSignature"),
        ("a tree with a leaf less", [0, 4, path], "MalformedMessage"),
        ("a tree of one leaf, without a path", [0, 1, []], "InvalidSignature"),
        ("a path without its last hash", [0, size, path[:-1]], "MalformedMessage"),
        ("a path with a hash too many", [0, size, [*path, hash_]], "MalformedMessage"),
        ("no path", [0, size, []], "MalformedMessage"),
        ("another hash in the path", [0, size, [hash_, *path[1:]]], "InvalidSignature"),
        ("two hashes exchanged", [0, size, [path[1], path[0], path[2]]], "InvalidSignature"),
        ("an index that is the size", [size, size, path], "MalformedMessage"),
        ("a size of 0", [0, 0, []], "MalformedMessage"),
        ("a size of 2^32", [0, 2**32, path], "MalformedMessage"),
        ("a hash of 31 bytes", [0, size, [*path[:-1], bytes(31)]], "MalformedMessage"),
        ("a path of 33 hashes", [0, 2**32 - 1, [hash_] * 33], "MalformedMessage"),
        ("an index that is text", ["0", size, path], "MalformedMessage"),
        ("a place of two elements", [0, size], "MalformedMessage"),
    ):
        wrong = given(encode([1, 16, TERMS, SEALED, place, by]), LINK)  # type: ignore[list-item]
        group.invalid(comment, wrong, expect, flags=["Place"], rules=["DOC-32"])
    assert index == 0
