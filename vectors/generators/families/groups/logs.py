"""Logs of groups: where their rules differ from those of collections."""

from typing import Any, Final

from generators.support.collection_logs import (
    ADD,
    ADMIN,
    CLOSE,
    CREATE,
    LEAVE,
    READER,
    REMOVE,
    RENAME,
    RENEW,
    ROLE,
    WRITER,
    Entry,
    Log,
    in_order,
    member,
    padded_name,
    user,
)
from generators.support.collection_logs import opening as collection_opening
from generators.support.document_signers import ALICE as ALICE_OWNER
from generators.support.document_signers import BOB as BOB_OWNER
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.group_logs import LABEL, GroupLog, opening, sealed_name
from generators.support.group_people import ALICE, BOB, CAROL, CREATED, MALLORY, THREE, somebody
from generators.support.labels import draw

LISTS: Final = [ALICE_OWNER.snapshots[:1], BOB_OWNER.snapshots]
COLLECTION_LABEL: Final = "letterlock-v1 collection entry"


SIGNED: Final = GroupLog().add(ALICE, CREATE, in_order(member(ALICE, ADMIN), member(BOB, WRITER)))


def add(family: Family) -> None:
    """Add the groups."""
    followed(family)
    kinds(family)
    members(family)
    openings(family)
    parted(family)
    shared(family)
    shapes(family)
    signed(family)


def followed(family: Family) -> None:
    """Add logs that hold."""
    group = family.group("log.follow", "logs of groups")
    dave = somebody("dave")
    left = CREATED.add(BOB, LEAVE)
    for comment, log in (
        ("three members", CREATED),
        ("somebody is added, in the same epoch", CREATED.add(ALICE, ADD, [member(dave, WRITER)])),
        ("somebody is removed: the next epoch", CREATED.add(ALICE, REMOVE, [user(CAROL)])),
        ("somebody leaves", left),
        ("somebody leaves, and a new epoch begins", left.add(ALICE, RENEW)),
        ("a writer begins an epoch", CREATED.add(BOB, RENEW)),
        (
            "roles change",
            CREATED.add(ALICE, ROLE, [[*user(BOB), ADMIN]]).add(BOB, ROLE, [[*user(ALICE), READER]]),
        ),
        ("the name changes", CREATED.add(ALICE, RENAME, [sealed_name(1, padded_name(b"team"))])),
        ("the group is closed", CREATED.add(ALICE, CLOSE)),
        (
            "newcomers are given what was before",
            GroupLog()
            .add(ALICE, CREATE, THREE, opening=opening(1, history=1))
            .add(BOB, RENEW, opening=opening(2, history=1)),
        ),
        (
            "a member's generation grew",
            CREATED.add(BOB, RENEW, opening=opening(2, renewed=[[*user(CAROL), 2]])),
        ),
        (
            "the commitment of the last epoch but one",
            CREATED.add(BOB, RENEW).add(BOB, RENEW, opening=opening(1)),
        ),
    ):
        group.valid(comment, log.given(), rules=["GRP-9", "GRP-10", "GRP-11"])


def parted(family: Family) -> None:
    """Add the phases after somebody went: nobody is added before one more epoch. [GRP-13]"""
    group = family.group("log.follow", "who is added after somebody went")
    removed = CREATED.add(ALICE, REMOVE, [user(CAROL)])
    left = CREATED.add(BOB, LEAVE)
    renewed = CREATED.add(BOB, RENEW, opening=opening(2, renewed=[[*user(CAROL), 2]]))
    again = [member(MALLORY, WRITER)]
    for comment, log, phase in (
        ("after one more epoch", removed.add(ALICE, RENEW).add(ALICE, ADD, again), "open"),
        (
            "after a removal and two more epochs",
            removed.add(ALICE, REMOVE, [user(BOB)]).add(ALICE, RENEW).add(ALICE, ADD, again),
            "open",
        ),
        (
            "a name after a removal",
            removed.add(ALICE, RENAME, [sealed_name(2, padded_name(b"team"))]),
            "parted",
        ),
        ("a role after a removal", removed.add(ALICE, ROLE, [[*user(BOB), READER]]), "parted"),
        ("a removal in a spent group", left.add(ALICE, REMOVE, [user(CAROL)]), "parted"),
        ("somebody leaves after a removal", removed.add(BOB, LEAVE), "spent"),
        ("a group that is closed after a removal", removed.add(ALICE, CLOSE), "closed"),
        ("the same generation is not named again", renewed.add(BOB, RENEW).add(ALICE, ADD, again), "open"),
    ):
        answer = group.valid(comment, log.given(), rules=["GRP-13"])
        assert answer["phase"] == phase, comment
    for comment, log in (
        ("right after a removal", removed),
        ("after two removals", removed.add(ALICE, REMOVE, [user(BOB)])),
        ("after a removal and a name", removed.add(ALICE, RENAME, [sealed_name(2, padded_name(b"team"))])),
        ("after somebody left", left),
        ("after somebody left, in the next epoch", left.add(ALICE, RENEW)),
        ("after somebody left and somebody was removed", left.add(ALICE, REMOVE, [user(CAROL)])),
        ("after a device of a member was revoked", renewed),
    ):
        refuse(group, f"somebody is added {comment}", log.add(ALICE, ADD, again), "Phase", "GRP-13")
    back = removed.add(ALICE, ADD, [member(CAROL, READER)])
    refuse(group, "who was removed is added again at once", back, "Phase", "GRP-13")


def refuse(group: Any, comment: str, log: Log, flag: str, *rules: str) -> None:
    """Add a log whose last entry breaks a rule."""
    group.invalid(comment, log.given(), "InvalidEntry", flags=[flag], rules=list(rules))


def kinds(family: Family) -> None:
    """Add entries of the other kind of log."""
    group = family.group("log.follow", "entries of the other kind of log")
    other: dict[str, Any] = {"label": COLLECTION_LABEL, "kind": 20}
    renew = CREATED.next(BOB, RENEW, opening=collection_opening(2), **other)
    refuse(group, "a collection's opening in a group", CREATED.with_(renew), "Kind", "GRP-9")
    for comment, entry in (
        ("a collection's addition in a group", CREATED.next(ALICE, ADD, [member(MALLORY, READER)], **other)),
        ("a collection's closing in a group", CREATED.next(ALICE, CLOSE, **other)),
    ):
        refuse(group, comment, CREATED.with_(entry), "Kind", "GRP-9")
    of_collection = Log().add(ALICE, CREATE, THREE)
    for comment, entry in (
        (
            "a group's opening in a collection",
            of_collection.next(BOB, RENEW, opening=opening(2), label=LABEL, kind=30),
        ),
        ("a group's leaving in a collection", of_collection.next(BOB, LEAVE, label=LABEL, kind=30)),
        (
            "a group's role in a collection",
            of_collection.next(ALICE, ROLE, [[*user(BOB), READER]], label=LABEL, kind=30),
        ),
    ):
        refuse(group, comment, of_collection.with_(entry), "Kind", "GRP-9")


def members(family: Family) -> None:
    """Add members that a group must not have."""
    group = family.group("log.follow", "members that a group must not have")
    inside: list[Value] = [2, draw("a collection inside", 16), READER, 0, 1]
    admin = member(ALICE, ADMIN)
    for comment, log in (
        ("a collection", GroupLog().add(ALICE, CREATE, [admin, inside])),
        ("a collection that is added", CREATED.add(ALICE, ADD, [inside])),
        (
            "a reader from epoch 1 on",
            GroupLog().add(ALICE, CREATE, in_order(admin, member(BOB, READER, since=1))),
        ),
        (
            "a writer who is added, from this epoch on",
            CREATED.add(ALICE, ADD, [member(MALLORY, WRITER, since=1)]),
        ),
        (
            "an admin who is added, from this epoch on",
            CREATED.add(ALICE, ADD, [member(MALLORY, ADMIN, since=1)]),
        ),
    ):
        refuse(group, comment, log, "Members", "GRP-10")
    for comment, log in (
        ("no admin", GroupLog().add(ALICE, CREATE, [member(ALICE, WRITER)])),
        ("the last admin leaves", CREATED.add(ALICE, LEAVE)),
        ("the last admin becomes a writer", CREATED.add(ALICE, ROLE, [[*user(ALICE), WRITER]])),
        ("somebody is added twice", CREATED.add(ALICE, ADD, [member(BOB, WRITER)])),
        ("somebody is removed who is no member", CREATED.add(ALICE, REMOVE, [user(MALLORY)])),
        ("the author removes itself", CREATED.add(ALICE, REMOVE, [user(ALICE)])),
    ):
        refuse(group, comment, log, "Members", "DOC-64", "DOC-65", "DOC-66")


def openings(family: Family) -> None:
    """Add openings that a group's epoch must not have."""
    group = family.group("log.follow", "openings that a group's epoch must not have")
    with_history = GroupLog().add(ALICE, CREATE, THREE, opening=opening(1, history=1))
    repeated = opening(2, commitment=opening(1)[0])
    for comment, log in (
        ("the commitment before again", CREATED.add(BOB, RENEW, opening=repeated)),
        (
            "the commitment before again, at a removal",
            CREATED.add(ALICE, REMOVE, [user(CAROL)], opening=repeated),
        ),
        ("history is given from now on", CREATED.add(ALICE, RENEW, opening=opening(2, history=1))),
        ("history is given no more", with_history.add(ALICE, RENEW, opening=opening(2))),
    ):
        refuse(group, comment, log, "Opening", "GRP-11")
    for comment, log in (
        (
            "an addition that begins an epoch",
            CREATED.add(ALICE, ADD, [member(MALLORY, WRITER)], epoch=2, opening=opening(2)),
        ),
        (
            "an addition with an opening",
            CREATED.add(ALICE, ADD, [member(MALLORY, WRITER)], opening=opening(1)),
        ),
        ("a removal that begins none", CREATED.add(ALICE, REMOVE, [user(CAROL)], epoch=1, opening=None)),
        ("a new epoch of the same number", CREATED.add(BOB, RENEW, epoch=1)),
        ("an epoch that is left out", CREATED.add(BOB, RENEW, epoch=3)),
        ("a leaving that begins an epoch", CREATED.add(BOB, LEAVE, epoch=2, opening=opening(2))),
        (
            "entry 1 with a renewed member",
            GroupLog().add(ALICE, CREATE, THREE, opening=opening(1, renewed=[[*user(BOB), 2]])),
        ),
        (
            "a generation that did not grow",
            CREATED.add(BOB, RENEW, opening=opening(2, renewed=[[*user(CAROL), 1]])),
        ),
        (
            "a generation of no member",
            CREATED.add(BOB, RENEW, opening=opening(2, renewed=[[*user(MALLORY), 2]])),
        ),
    ):
        refuse(group, comment, log, "Opening", "DOC-69")


def shared(family: Family) -> None:
    """Add what is refused in both kinds of log."""
    group = family.group("log.follow", "phases, roles and places in the log of a group")
    left, closed = CREATED.add(BOB, LEAVE), CREATED.add(ALICE, CLOSE)
    for comment, log in (
        ("a name while the group is spent", left.add(ALICE, RENAME, [sealed_name(1, padded_name(b"team"))])),
        ("who left begins an epoch", left.add(BOB, RENEW)),
        ("a new epoch of a closed group", closed.add(ALICE, RENEW)),
        ("somebody leaves a closed group", closed.add(BOB, LEAVE)),
        ("a writer adds", CREATED.add(BOB, ADD, [member(MALLORY, WRITER)])),
        ("a writer removes", CREATED.add(BOB, REMOVE, [user(CAROL)])),
        ("a writer renames", CREATED.add(BOB, RENAME, [sealed_name(1, padded_name(b"team"))])),
        ("a writer makes itself admin", CREATED.add(BOB, ROLE, [[*user(BOB), ADMIN]])),
        ("a writer closes", CREATED.add(BOB, CLOSE)),
        ("a reader begins an epoch", CREATED.add(CAROL, RENEW)),
        ("a stranger begins an epoch", CREATED.add(MALLORY, RENEW)),
        ("who was removed begins an epoch", CREATED.add(ALICE, REMOVE, [user(BOB)]).add(BOB, RENEW)),
    ):
        refuse(group, comment, log, "Phase", "DOC-63")
    for comment, log in (
        ("another entry before", CREATED.add(BOB, RENEW, before=bytes(32))),
        ("another group", CREATED.add(BOB, RENEW, collection=bytes(16))),
        ("another number", CREATED.add(BOB, RENEW, number=3)),
        ("no entry before", CREATED.add(BOB, RENEW, before=None)),
        ("a group id in entry 1", GroupLog().add(ALICE, CREATE, THREE, collection=bytes(16))),
    ):
        refuse(group, comment, log, "Phase", "DOC-61")


def shapes(family: Family) -> None:
    """Add terms of another form."""
    group = family.group("log.follow", "terms of a group's entry of another form")
    usual = opening(1)
    changes: dict[str, dict[str, Any]] = {
        "the opening of a collection": {"opening": collection_opening(1)},
        "another label": {"label": "letterlock-v1 entry"},
        "the label in bytes": {"label": LABEL.encode()},
        "a commitment of 31 bytes": {"opening": opening(1, commitment=bytes(31))},
        "a name of 283 bytes": {"opening": opening(1, name=bytes(283))},
        "null for the name": {"opening": opening(1, name=None)},
        "null for the renewed members": {"opening": opening(1, renewed=None)},
        "history 2": {"opening": opening(1, history=2)},
        "null for history": {"opening": opening(1, history=None)},
        "three elements in the opening": {"opening": usual[:3]},
        "five elements in the opening": {"opening": [*usual, None]},
        "action 9": {"action": 9},
        "epoch 0": {"epoch": 0},
    }
    for comment, each in changes.items():
        entry: Entry = CREATED.entries[0].with_(**each)
        wrong = GroupLog([entry]).given()
        group.invalid(comment, wrong, "MalformedMessage", flags=["Shape"], rules=["GRP-9", "WIRE-4"])


def given(entries: list[bytes]) -> Json:
    """Return the input of log.read."""
    return {"entries": [each.hex() for each in entries], "lists": LISTS}


def signed(family: Family) -> None:
    """Add entries with signatures."""
    group = family.group("log.read", "signed logs of groups")
    first = SIGNED.entries[0]
    whole = SIGNED.add(BOB, RENEW).add(ALICE, CLOSE)
    answer = group.valid("three entries of two users", given(whole.signed()), rules=["DOC-71", "GRP-9"])
    assert answer["taken"] == 3
    of_collection = Log().add(ALICE, CREATE, in_order(member(ALICE, ADMIN), member(BOB, WRITER)))
    for comment, made in (
        ("a group's terms as an entry of a collection", first.with_(kind=20).encode()),
        ("a collection's terms as an entry of a group", of_collection.entries[0].with_(kind=30).encode()),
        ("the kind of a text", first.with_(kind=28).encode()),
        ("the kind of a fork's evidence", first.with_(kind=21).encode()),
        ("without its last byte", first.encode()[:-1]),
        ("a byte behind it", first.encode() + b"\0"),
    ):
        group.invalid(comment, given([made]), "MalformedMessage", flags=["Kind"], rules=["GRP-9"])
    leaf = of_collection.entries[0].with_(label=COLLECTION_LABEL).leaf()
    own = first.leaf()
    for comment, made in (
        (
            "signed under the label of collections",
            first.encode(leaf=COLLECTION_LABEL.encode() + own[len(LABEL) :]),
        ),
        ("with the signature of a collection's entry", first.encode(leaf=leaf)),
        ("signed by somebody else", first.encode(ALICE.naming(key="mallory of documents 1"))),
        ("with the signature of another entry", first.encode(leaf=SIGNED.next(BOB, RENEW).leaf())),
    ):
        group.invalid(
            comment, given([made]), "InvalidSignature", flags=["Signature"], rules=["DOC-71", "GRP-9"]
        )
    mixed = [
        of_collection.entries[0].encode(),
        of_collection.next(BOB, RENEW, opening=opening(2), label=LABEL, kind=30).encode(),
    ]
    group.invalid(
        "a group's entry behind a collection's", given(mixed), "InvalidEntry", flags=["Kind"], rules=["GRP-9"]
    )
    stranger = SIGNED.add(MALLORY, RENEW)
    group.invalid(
        "a stranger's entry", given(stranger.signed()), "InvalidEntry", flags=["Phase"], rules=["DOC-63"]
    )
    forks(family)


def forks(family: Family) -> None:
    """Add evidence of forks."""
    group = family.group("fork.check", "two histories of a group")
    shared_ = [SIGNED.entries[0].encode()]
    ours, theirs = SIGNED.next(BOB, RENEW).encode(), SIGNED.next(ALICE, CLOSE).encode()

    def evidence(before: list[bytes], one: list[bytes], other: list[bytes]) -> Json:
        parts: list[Value] = [list(before), list(one), list(other)]
        return {"evidence": encode([1, 21, *parts]).hex(), "lists": LISTS}

    group.valid("two second entries", evidence(shared_, [ours], [theirs]), rules=["DOC-80"])
    for comment, wrong in (
        ("one history", evidence(shared_, [ours], [])),
        ("the same entry twice", evidence(shared_, [ours], [ours])),
        ("the first entry is missing", evidence([], [ours], [theirs])),
        (
            "a collection's entry against a group's",
            evidence(shared_, [ours], [SIGNED.next(ALICE, CLOSE, label=COLLECTION_LABEL, kind=20).encode()]),
        ),
    ):
        group.invalid(comment, wrong, "InvalidEntry", flags=["Kind"], rules=["DOC-80", "GRP-9"])
