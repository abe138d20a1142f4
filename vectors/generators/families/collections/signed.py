"""Logs with signatures: entries that are taken, wait for somebody to vouch, or are refused."""

from typing import Any

from generators.families.collections.scene import ALICE, BOB, CREATED, MALLORY
from generators.support.collection_logs import (
    ADD,
    ADMIN,
    CLOSE,
    CREATE,
    LEAVE,
    READER,
    RENEW,
    ROLE,
    WRITER,
    Log,
    in_order,
    member,
    user,
)
from generators.support.document_signers import ALICE as OWNER
from generators.support.document_signers import AUTHOR, LEAVES, signed_by, signed_leaves
from generators.support.document_signers import BOB as BOB_OWNER
from generators.support.document_signers import MALLORY as MALLORY_OWNER
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from letterlock._primitives import merkle

TWO = [OWNER.snapshots[:1], BOB_OWNER.snapshots]
START = Log().add(ALICE, CREATE, in_order(member(ALICE, ADMIN), member(BOB, WRITER), member(MALLORY, READER)))


def given(entries: list[bytes], lists: Any = None) -> Json:
    """Return the input of log.read."""
    return {"entries": [each.hex() for each in entries], "lists": TWO if lists is None else lists}


def add(family: Family) -> None:
    """Add the groups."""
    taken(family)
    waiting(family)
    refused(family)
    forms(family)


def taken(family: Family) -> None:
    """Add logs that are taken whole, or as far as lists are known."""
    group = family.group("log.read", "logs that are taken")
    whole = START.add(BOB, RENEW).add(ALICE, CLOSE)
    answer = group.valid("three entries of two users", given(whole.signed()), rules=["DOC-71"])
    assert (answer["taken"], answer["unvouched"], answer["missing"]) == (3, None, None)
    beside = START.entries[0].encode(beside=draw("the leaf of a grant", 90))
    group.valid("an entry beside a grant, under one signature", given([beside]), rules=["DOC-71"])
    later = START.add(MALLORY, LEAVE).add(ALICE, CLOSE)
    answer = group.valid("an author of whom no list is on record", given(later.signed()), rules=["DOC-71"])
    assert answer["taken"] == 1
    assert answer["missing"]["user_id"] == MALLORY_OWNER.user_id.hex()
    answer = group.valid("no lists at all", given(START.signed(), []), rules=["DOC-71"])
    assert answer["taken"] == 0
    other = START.add(ALICE.naming(list_hash=draw("no hash", 32)), CLOSE)
    group.valid("an author that names another list", given(other.signed()), rules=["DOC-71"])
    newer = START.add(OWNER.at(1, 2), RENEW).add(OWNER.at(2, 2), CLOSE)
    group.valid(
        "a newer list and another device", given(newer.signed(), [OWNER.snapshots[:2]]), rules=["DOC-70"]
    )


def waiting(family: Family) -> None:
    """Add entries of a device that was revoked since, which need somebody to vouch for them. [DOC-72]"""
    group = family.group("log.read", "entries of a device that was revoked since")
    three = [OWNER.snapshots[:3], BOB_OWNER.snapshots]
    thief = OWNER.at(3, 2)
    start = Log().add(thief, CREATE, in_order(member(ALICE, ADMIN), member(BOB, WRITER)))
    for comment, log, count in (
        ("nobody vouches for entry 1", start, 0),
        ("a writer vouches for entry 1", start.add(BOB, RENEW), 2),
        ("nobody vouches for entry 2", START.add(thief, CLOSE), 1),
        ("a writer vouches for entry 2", START.add(thief, RENEW).add(BOB, RENEW), 3),
        ("the owner vouches with a newer list", START.add(thief, RENEW).add(OWNER.at(1, 3), RENEW), 3),
        ("a reader does not vouch", START.add(thief, ROLE, [[*user(BOB), READER]]).add(BOB, LEAVE), 3),
        ("whoever becomes a writer by the entry does not vouch",
         Log().add(ALICE, CREATE, in_order(member(ALICE, ADMIN), member(BOB, READER))).add(
             thief, ROLE, [[*user(BOB), WRITER]]).add(BOB, RENEW), 1),
        ("a revoked device does not vouch for itself", START.add(thief, RENEW).add(thief, RENEW), 1),
        ("an entry behind one that nobody vouches for", START.add(thief, RENEW).add(MALLORY, LEAVE), 1),
    ):  # fmt: skip
        lists = [*three, MALLORY_OWNER.snapshots] if log.entries[-1].signer == MALLORY else three
        answer = group.valid(comment, given(log.signed(), lists), flags=["Revoked"], rules=["DOC-72"])
        assert answer["taken"] == count, comment
        assert (answer["unvouched"] is None) == (count == len(log.entries))
    in_time = given(START.add(thief, CLOSE).signed(), [OWNER.snapshots[:2], BOB_OWNER.snapshots])
    group.valid("the same before the device was revoked", in_time, rules=["DOC-72"])


def refused(family: Family) -> None:
    """Add logs with an entry whose signature or place is wrong."""
    group = family.group("log.read", "signatures, and rules before signatures")
    second = START.next(ALICE, CLOSE)
    first = START.signed()[0]
    places, by = signed_leaves(ALICE, [second.leaf()])
    signature = by[5]
    assert isinstance(signature, bytes)

    def with_(*fields: Value) -> bytes:
        return encode([1, 20, second.terms(), places[0], list(fields)])

    cases = {
        "the ML-DSA half changed": with_(*by[:5], flipped(signature, 3)),
        "the Ed25519 half changed": with_(*by[:5], flipped(signature, -3)),
        "another ML-DSA key": with_(*by[:4], draw("no key", 1952), signature),
        "the keys of another user": second.encode(ALICE.naming(key=BOB.key)),
        "the leaf of another entry": second.encode(leaf=START.entries[0].leaf()),
        "the leaf of a grant": second.encode(leaf=b"letterlock-v1 leaf of a grant" + second.leaf()[-32:]),
        "in the context of documents":
            with_(*signed_by(ALICE, (1).to_bytes(4, "big") + merkle.leaf_hash(second.leaf()), AUTHOR)),
        "the terms themselves instead of the root": with_(*signed_by(ALICE, second.terms(), LEAVES)),
        "another place":
            encode([1, 20, second.terms(), [0, 2, [draw("no hash", 32)]], by]),
    }  # fmt: skip
    for comment, made in cases.items():
        wrong = given([first, made])
        group.invalid(comment, wrong, "InvalidSignature", flags=["Signature"], rules=["DOC-71"])
    limited, revoked = OWNER.at(4, 2), OWNER.at(3, 3)
    for comment, signer in (
        ("a device of class limited", limited),
        ("a device that was revoked in the version", revoked),
    ):
        log = Log().add(signer, CREATE, [member(ALICE, ADMIN)])
        wrong = given(log.signed(), [OWNER.snapshots[:3]])
        group.invalid(comment, wrong, "InvalidSignature", flags=["Signature"], rules=["DOC-31", "DOC-71"])
    other = CREATED.add(ALICE, CLOSE)
    for comment, entries in (
        (
            "a rule is broken, and the signature too",
            [first, START.next(BOB, ADD, [member(BOB, ADMIN)]).encode(MALLORY)],
        ),
        ("entry 2 alone", [second.encode()]),
        ("an entry of another collection", [first, other.signed()[1]]),
        ("an entry twice", [first, second.encode(), second.encode()]),
        ("a removed member's entry", [first, *START.add(MALLORY, LEAVE).add(MALLORY, LEAVE).signed()[1:]]),
    ):
        wrong = given(entries, [*TWO, MALLORY_OWNER.snapshots])
        group.invalid(comment, wrong, "InvalidEntry", flags=["Place"], rules=["DOC-61", "DOC-71"])
    moved = second.encode(BOB)
    wrong = given([first, moved])
    comment = "an entry that another member signed, whose role does not allow it"
    group.invalid(comment, wrong, "InvalidEntry", flags=["Signature"], rules=["DOC-63"])


def forms(family: Family) -> None:
    """Add entries of another form."""
    group = family.group("log.read", "entries of another form")
    entry = START.entries[0]
    places, by = signed_leaves(ALICE, [entry.leaf()])
    usual: list[Value] = [1, 20, entry.terms(), places[0], by]

    def with_(at: int, value: Value) -> bytes:
        return encode([*usual[:at], value, *usual[at + 1 :]])

    for comment, made, expect in (
        ("version 2", with_(0, 2), "UnsupportedVersion"),
        ("the kind of evidence", with_(1, 21), "MalformedMessage"),
        ("the kind of a grant", with_(1, 16), "MalformedMessage"),
        ("terms that are an array", with_(2, [b"terms"]), "MalformedMessage"),
        ("no terms", with_(2, b""), "MalformedMessage"),
        ("null for the place", with_(3, None), "MalformedMessage"),
        ("a path of another length", with_(3, [0, 1, [bytes(32)]]), "MalformedMessage"),
        ("null for who signed", with_(4, None), "MalformedMessage"),
        ("a signature of 3,372 bytes", with_(4, [*by[:5], bytes(3372)]), "MalformedMessage"),
        ("four elements", encode(usual[:4]), "MalformedMessage"),
        ("six elements", encode([*usual, None]), "MalformedMessage"),
        ("a byte after it", encode(usual) + b"\0", "MalformedMessage"),
        ("without its last byte", encode(usual)[:-1], "MalformedMessage"),
        ("73,729 bytes", encode(usual) + bytes(73_729 - len(encode(usual))), "MalformedMessage"),
    ):
        group.invalid(comment, given([made]), expect, flags=["Shape"], rules=["WIRE-1", "WIRE-4"])
