"""Evidence of forks."""

from generators.families.collections.scene import ALICE, BOB, MALLORY
from generators.families.collections.signed import START, TWO
from generators.support.collection_logs import (
    ADD,
    ADMIN,
    CLOSE,
    CREATE,
    LEAVE,
    READER,
    RENEW,
    Log,
    in_order,
    member,
)
from generators.support.document_signers import ALICE as OWNER
from generators.support.document_signers import MALLORY as MALLORY_OWNER
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json

LISTS = [*TWO, MALLORY_OWNER.snapshots]


def evidence(*parts: list[bytes], kind: int = 21, version: int = 1) -> bytes:
    """Return evidence."""
    return encode([version, kind, *(list(part) for part in parts)])  # type: ignore[list-item]


def given(data: bytes, lists: list[list[str]] | None = None) -> Json:
    """Return the input of fork.check."""
    return {"evidence": data.hex(), "lists": LISTS if lists is None else lists}


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("fork.check", "evidence of forks")
    first = START.signed()
    closed, left = START.next(ALICE, CLOSE), START.next(MALLORY, LEAVE)
    renewed = START.add(BOB, RENEW)
    after = renewed.next(ALICE, CLOSE)
    fork = evidence(first, [closed.encode()], [left.encode()])
    for comment, data, number in (
        ("two entries that follow one", fork, 2),
        ("one history that goes on",
         evidence(first, [closed.encode()], [*renewed.signed()[1:], after.encode()]), 2),
        ("after two entries", evidence(renewed.signed(), [after.encode()],
                                       [renewed.next(BOB, LEAVE).encode()]), 3),
    ):  # fmt: skip
        answer = group.valid(comment, given(data), flags=["Fork"], rules=["DOC-80"])
        assert answer["number"] == number
    thief = START.next(OWNER.at(3, 2), CLOSE)
    revoked = given(evidence(first, [thief.encode()], [left.encode()]), [OWNER.snapshots[:3], *LISTS[1:]])
    comment = "by a device that was revoked since"
    group.valid(comment, revoked, flags=["Fork", "Revoked"], rules=["DOC-80"])
    other = Log().add(ALICE, CREATE, in_order(member(ALICE, ADMIN), member(BOB, READER)))
    unsigned = closed.encode(ALICE.naming(key=BOB.key))
    broken = START.next(BOB, ADD, [member(BOB, ADMIN)])
    for comment, data, expect, flag in (
        ("one history twice", evidence(first, [closed.encode()], [closed.encode()]), "InvalidEntry", "Fork"),
        ("one history twice, signed again", evidence(first, [closed.encode()], [closed.encode(beside=b"x")]),
         "InvalidEntry", "Fork"),
        ("nothing of ours", evidence(first, [], [closed.encode()]), "InvalidEntry", "Fork"),
        ("nothing of theirs", evidence(first, [closed.encode()], []), "InvalidEntry", "Fork"),
        ("nothing", evidence([], [], []), "InvalidEntry", "Fork"),
        ("two collections", evidence([], first, other.signed()), "InvalidEntry", "Fork"),
        ("an entry of another collection",
         evidence(first, [closed.encode()], other.add(ALICE, CLOSE).signed()[1:]), "InvalidEntry", "Fork"),
        ("a shared entry that stands in both histories",
         evidence(first, renewed.signed()[1:], [renewed.signed()[1], after.encode()]), "InvalidEntry",
         "Fork"),
        ("no first entry", evidence([], [closed.encode()], [left.encode()]), "InvalidEntry", "Place"),
        ("a history that leaves out an entry", evidence(first, [closed.encode()], [after.encode()]),
         "InvalidEntry", "Place"),
        ("an entry that breaks a rule", evidence(first, [closed.encode()], [broken.encode()]), "InvalidEntry",
         "Author"),
        ("an entry that nobody signed", evidence(first, [left.encode()], [unsigned]), "InvalidSignature",
         "Signature"),
        ("our entry that nobody signed", evidence(first, [unsigned], [left.encode()]), "InvalidSignature",
         "Signature"),
        ("a shared entry that nobody signed",
         evidence([START.entries[0].encode(ALICE.naming(key=BOB.key))], [closed.encode()], [left.encode()]),
         "InvalidSignature", "Signature"),
    ):  # fmt: skip
        group.invalid(comment, given(data), expect, flags=[flag], rules=["DOC-80"])
    missing = given(fork, TWO)
    group.invalid("no lists of an author", missing, "UnknownAuthor", flags=["Signature"], rules=["DOC-80"])
    forms(family, first, closed.encode(), left.encode())


def forms(family: Family, first: list[bytes], ours: bytes, theirs: bytes) -> None:
    """Add evidence of another form."""
    group = family.group("fork.check", "evidence of another form")
    usual: list[Value] = [1, 21, [first[0]], [ours], [theirs]]
    for comment, data, expect in (
        ("version 2", evidence(first, [ours], [theirs], version=2), "UnsupportedVersion"),
        ("the kind of an entry", evidence(first, [ours], [theirs], kind=20), "MalformedMessage"),
        (
            "the kind of evidence of device lists",
            evidence(first, [ours], [theirs], kind=9),
            "MalformedMessage",
        ),
        ("two histories without what they share", encode(usual[:4]), "MalformedMessage"),
        ("a fourth array", encode([*usual, []]), "MalformedMessage"),
        ("an entry that is an array", encode([*usual[:4], [[theirs]]]), "MalformedMessage"),
        ("an entry that is none", evidence(first, [ours], [b"entry"]), "MalformedMessage"),
        ("an entry of 73,729 bytes", evidence(first, [ours], [bytes(73_729)]), "MalformedMessage"),
        ("501 entries", evidence([b""] * 501, [], []), "MalformedMessage"),
        ("a byte after it", encode(usual) + b"\0", "MalformedMessage"),
    ):
        group.invalid(comment, given(data), expect, flags=["Shape"], rules=["WIRE-1", "DOC-80"])
