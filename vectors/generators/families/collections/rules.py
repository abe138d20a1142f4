"""Logs of which one entry breaks a rule."""

from dataclasses import replace

from generators.families.collections.scene import ALICE, BOB, CAROL, CHILD, CREATED, DAVE, MALLORY
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
    Log,
    commitments,
    in_order,
    member,
    opening,
    padded_name,
    sealed_name,
    user,
)
from generators.support.encoding import Value
from generators.support.family import Family
from generators.support.labels import draw

NAME = sealed_name(1, padded_name(b"another name"))
ADDED = CREATED.add(ALICE, ADD, [member(DAVE, READER)])
LEFT = CREATED.add(CAROL, LEAVE)
REMOVED = CREATED.add(ALICE, REMOVE, [user(BOB)])
CLOSED = CREATED.add(ALICE, CLOSE)


def add(family: Family) -> None:
    """Add the groups."""
    places(family)
    authors(family)
    phases(family)
    changes(family)
    members(family)
    openings(family)


def places(family: Family) -> None:
    """Add entries that do not follow the one before."""
    group = family.group("log.follow", "places of entries")
    first, second = CREATED.entries[0], ADDED.entries[1]
    third = ADDED.next(ALICE, CLOSE)
    other = Log().add(BOB, CREATE, [member(BOB, ADMIN)])
    twin = CREATED.next(ALICE, ADD, [member(DAVE, WRITER)])
    for comment, entries in (
        ("entry 2 first", [second]),
        ("entry 1 twice", [first, first]),
        ("entry 2 twice", [first, second, second]),
        ("entry 2 missing", [first, third]),
        ("two entries exchanged", [first, third, second]),
        ("a number that is one too great", [first, second.with_(number=3)]),
        ("a number that is one too small", [first, second, third.with_(number=2)]),
        ("the greatest number", [first, second.with_(number=2**32 - 1)]),
        ("another collection's id", [first, second.with_(collection=other.id)]),
        ("no collection id", [first, second.with_(collection=None)]),
        ("another hash before", [first, second.with_(before=draw("no hash", 32))]),
        ("no hash before", [first, second.with_(before=None)]),
        ("the hash of an earlier entry", [first, second, third.with_(before=first.hash())]),
        ("an entry that follows a fork", [first, second, CREATED.with_(twin).next(ALICE, CLOSE)]),
        ("an entry of another collection", [*other.entries, second]),
        ("the same entry by another device before it", [first.with_(signer=ALICE.naming(device=2)), second]),
        ("entry 1 with a collection id", [first.with_(collection=CREATED.id)]),
        ("entry 1 with a hash before", [first.with_(before=bytes(32))]),
        ("entry 1 with number 2", [first.with_(number=2)]),
        ("entry 1 in epoch 2", [first.with_(epoch=2)]),
    ):
        wrong = Log(entries).given()
        group.invalid(comment, wrong, "InvalidEntry", flags=["Place"], rules=["DOC-60", "DOC-61"])
    newer = Log([first.with_(signer=ALICE.naming(version=5))])
    for comment, log in (
        ("an older list of the author", newer.add(ALICE.naming(version=4), CLOSE)),
        ("an older list, with another author between",
         newer.add(BOB, LEAVE).add(ALICE.naming(version=4), CLOSE)),
        ("an older list on another device", newer.add(ALICE.naming(version=4, device=2), CLOSE)),
    ):  # fmt: skip
        group.invalid(comment, log.given(), "InvalidEntry", flags=["Place"], rules=["DOC-70"])


def refuse(family: Family, comment: str, cases: dict[str, Log], flag: str, rules: list[str]) -> None:
    """Add logs whose last entry is refused."""
    group = family.group("log.follow", comment)
    for name, log in cases.items():
        group.invalid(name, log.given(), "InvalidEntry", flags=[flag], rules=rules)


def authors(family: Family) -> None:
    """Add entries of authors who may not."""
    add_dave: list[Value] = [member(DAVE, READER)]
    cases = {
        "a writer adds": CREATED.add(BOB, ADD, add_dave),
        "a reader adds": CREATED.add(CAROL, ADD, add_dave),
        "somebody who is no member adds": CREATED.add(MALLORY, ADD, add_dave),
        "somebody adds itself": CREATED.add(DAVE, ADD, [member(DAVE, ADMIN)]),
        "a writer removes": CREATED.add(BOB, REMOVE, [user(CAROL)]),
        "a reader begins an epoch": CREATED.add(CAROL, RENEW),
        "a reader begins the epoch after somebody left": CREATED.add(BOB, LEAVE).add(CAROL, RENEW),
        "somebody who is no member leaves": CREATED.add(DAVE, LEAVE),
        "a writer changes a role": CREATED.add(BOB, ROLE, [[*user(CAROL), WRITER]]),
        "a writer makes itself an admin": CREATED.add(BOB, ROLE, [[*user(BOB), ADMIN]]),
        "a writer renames": CREATED.add(BOB, RENAME, [NAME]),
        "a writer closes": CREATED.add(BOB, CLOSE),
        "the author of entry 1 is no member": Log().add(MALLORY, CREATE, [member(ALICE, ADMIN)]),
        "the author of entry 1 is a writer": Log().add(
            BOB, CREATE, in_order(member(ALICE, ADMIN), member(BOB, WRITER))),
    }  # fmt: skip
    refuse(family, "authors", cases, "Author", ["DOC-63"])
    cases = {
        "a removed writer begins an epoch": REMOVED.add(BOB, RENEW),
        "a removed member leaves": REMOVED.add(BOB, LEAVE),
        "who left begins an epoch": CREATED.add(BOB, LEAVE).add(BOB, RENEW),
        "who left leaves again": LEFT.add(CAROL, LEAVE),
        "a removed admin adds itself again": CREATED.add(ALICE, ADD, [member(DAVE, ADMIN)]).add(
            DAVE, REMOVE, [user(ALICE)]).add(ALICE, ADD, [member(ALICE, ADMIN)]),
        "who was an admin removes": CREATED.add(ALICE, ADD, [member(DAVE, ADMIN)]).add(
            ALICE, ROLE, [[*user(DAVE), READER]]).add(DAVE, REMOVE, [user(BOB)]),
    }  # fmt: skip
    refuse(family, "authors who were removed, or left", cases, "Removed", ["DOC-63"])


def phases(family: Family) -> None:
    """Add actions that the phase does not allow."""
    cases = {
        "a second creation": CREATED.add(ALICE, CREATE, [member(ALICE, ADMIN)]),
        "a spent collection is renamed": LEFT.add(ALICE, RENAME, [NAME]),
        "a member is added to a closed collection": CLOSED.add(ALICE, ADD, [member(DAVE, READER)]),
        "a member is removed from a closed collection": CLOSED.add(ALICE, REMOVE, [user(BOB)]),
        "a member leaves a closed collection": CLOSED.add(BOB, LEAVE),
        "an epoch of a closed collection": CLOSED.add(BOB, RENEW),
        "a role in a closed collection": CLOSED.add(ALICE, ROLE, [[*user(BOB), READER]]),
        "a closed collection is renamed": CLOSED.add(ALICE, RENAME, [NAME]),
        "a closed collection is closed": CLOSED.add(ALICE, CLOSE),
        "a log that begins with an addition": Log().add(
            ALICE, ADD, [member(ALICE, ADMIN)], epoch=1, opening=opening(1)),
        "a log that begins with an epoch": Log().add(ALICE, RENEW),
    }  # fmt: skip
    refuse(family, "phases", cases, "Phase", ["DOC-63"])


def changes(family: Family) -> None:
    """Add changes that are out of order, or without effect."""
    two = in_order(member(DAVE, READER), member(MALLORY, READER))
    names = in_order(user(BOB), user(CAROL))
    roles = in_order([*user(BOB), READER], [*user(CAROL), WRITER])
    twice = [member(DAVE, READER), member(DAVE, WRITER)]
    child: Value = [2, CHILD, READER, 0, 1]
    cases = {
        "members in another order": CREATED.add(ALICE, ADD, two[::-1]),
        "a collection before a user": CREATED.add(ALICE, ADD, [child, member(DAVE, READER)]),
        "a member twice": CREATED.add(ALICE, ADD, [two[0], two[0]]),
        "a member twice, with two roles": CREATED.add(ALICE, ADD, twice),
        "names in another order": CREATED.add(ALICE, REMOVE, names[::-1]),
        "a name twice": CREATED.add(ALICE, REMOVE, [user(BOB), user(BOB)]),
        "roles in another order": CREATED.add(ALICE, ROLE, roles[::-1]),
        "two roles of one member": CREATED.add(ALICE, ROLE, [[*user(BOB), READER], [*user(BOB), ADMIN]]),
        "members of entry 1 in another order": Log().add(
            ALICE, CREATE, in_order(member(ALICE, ADMIN), member(BOB, READER))[::-1]),
    }  # fmt: skip
    refuse(family, "the order of changes", cases, "Changes", ["DOC-62"])
    cases = {
        "nobody is added": CREATED.add(ALICE, ADD, []),
        "entry 1 adds nobody": Log().add(ALICE, CREATE, []),
        "a member is added again": CREATED.add(ALICE, ADD, [member(BOB, WRITER)]),
        "a member is added with another role": CREATED.add(ALICE, ADD, [member(BOB, ADMIN)]),
        "a new member since an epoch to come": CREATED.add(ALICE, ADD, [member(DAVE, READER, 2)]),
        "a new member since an epoch that is over": CREATED.add(ALICE, RENEW).add(ALICE, RENEW).add(
            ALICE, ADD, [member(DAVE, READER, 2)]),
        "a first member since epoch 2": Log().add(
            ALICE, CREATE, in_order(member(ALICE, ADMIN), member(BOB, READER, 2))),
    }  # fmt: skip
    refuse(family, "additions", cases, "Changes", ["DOC-65"])
    cases = {
        "nobody is removed": CREATED.add(ALICE, REMOVE, []),
        "somebody is removed who is no member": CREATED.add(ALICE, REMOVE, [user(DAVE)]),
        "a collection is removed that is no member": CREATED.add(ALICE, REMOVE, [[2, CHILD]]),
        "somebody is removed again": REMOVED.add(ALICE, REMOVE, [user(BOB)]),
        "an admin removes itself": CREATED.add(ALICE, ADD, [member(DAVE, ADMIN)]).add(
            ALICE, REMOVE, [user(ALICE)]),
    }  # fmt: skip
    refuse(family, "removals", cases, "Changes", ["DOC-66"])
    cases = {
        "no role is changed": CREATED.add(ALICE, ROLE, []),
        "the role that a member has": CREATED.add(ALICE, ROLE, [[*user(BOB), WRITER]]),
        "the role of somebody who is no member": CREATED.add(ALICE, ROLE, [[*user(DAVE), WRITER]]),
        "one role of two that is none": CREATED.add(
            ALICE, ROLE, in_order([*user(BOB), READER], [*user(CAROL), READER])),
    }  # fmt: skip
    refuse(family, "roles", cases, "Changes", ["DOC-67"])
    refuse(family, "names", {"no name": CREATED.add(ALICE, RENAME, [])}, "Changes", ["DOC-63"])


def members(family: Family) -> None:
    """Add entries after which a collection has members that it must not have."""
    many = in_order(
        member(ALICE, ADMIN), *([1, draw(f"member {number}", 32), 1, 0, 1] for number in range(999))
    )
    cases = {
        "1,001 members": Log().add(ALICE, CREATE, many).add(ALICE, ADD, [member(DAVE, READER)]),
        "the only admin leaves": CREATED.add(ALICE, LEAVE),
        "the only admin makes itself a writer": CREATED.add(ALICE, ROLE, [[*user(ALICE), WRITER]]),
        "entry 1 without an admin": Log().add(ALICE, CREATE, [member(ALICE, WRITER)]),
        "an admin from now on": CREATED.add(ALICE, ADD, [member(DAVE, ADMIN, 1)]),
        "a member from now on becomes an admin": CREATED.add(ALICE, ADD, [member(DAVE, READER, 1)]).add(
            ALICE, ROLE, [[*user(DAVE), ADMIN]]),
        "a collection as an admin": CREATED.add(ALICE, ADD, [[2, CHILD, ADMIN, 0, 1]]),
        "a collection becomes an admin": CREATED.add(ALICE, ADD, [[2, CHILD, READER, 0, 1]]).add(
            ALICE, ROLE, [[2, CHILD, ADMIN]]),
        "the author of entry 1 from epoch 1 on": Log().add(ALICE, CREATE, [member(ALICE, ADMIN, 1)]),
    }  # fmt: skip
    refuse(family, "members", cases, "Members", ["DOC-64"])


def openings(family: Family) -> None:
    """Add openings that are missing, left over, or not those of the epoch."""
    first = CREATED.entries[0]
    epoch_1, history_1 = commitments(1)
    later = CREATED.add(ALICE, RENEW)
    from_now = CREATED.add(ALICE, ADD, [member(DAVE, WRITER, 1)])

    def renew(**changes: Value) -> Log:
        return CREATED.add(ALICE, RENEW, opening=opening(2, **changes))  # type: ignore[arg-type]

    def entry_1(**changes: Value) -> Log:
        return Log([replace(first, opening=opening(1, **changes))])  # type: ignore[arg-type]

    cases = {
        "entry 1 without an opening": Log([first.with_(opening=None)]),
        "a removal without an opening": CREATED.add(ALICE, REMOVE, [user(BOB)], opening=None),
        "an epoch without an opening": CREATED.add(ALICE, RENEW, opening=None),
        "an addition with an opening": CREATED.add(ALICE, ADD, [member(DAVE, READER)], opening=opening(2)),
        "an addition with an opening, in the next epoch": CREATED.add(
            ALICE, ADD, [member(DAVE, READER)], opening=opening(2), epoch=2),
        "a leave with an opening": CREATED.add(CAROL, LEAVE, opening=opening(2), epoch=2),
        "an addition in the next epoch": CREATED.add(ALICE, ADD, [member(DAVE, READER)], epoch=2),
        "a closing in an earlier epoch": later.add(ALICE, CLOSE, epoch=1),
        "an epoch with the number of the one before": CREATED.add(ALICE, RENEW, epoch=1, opening=opening(2)),
        "an epoch that is one too far": CREATED.add(ALICE, RENEW, epoch=3, opening=opening(3)),
        "the keys of the epoch before": renew(commitment=epoch_1, history=history_1),
        "the epoch key of the epoch before": renew(commitment=epoch_1),
        "the history key of the epoch before": renew(history=history_1),
        "the history key of the epoch before as the epoch key": renew(commitment=history_1),
        "one commitment twice": renew(history=commitments(2)[0]),
        "one commitment twice in entry 1": entry_1(history=epoch_1),
        "a link in entry 1": entry_1(link=[1, bytes(80)]),
        "a renewed member in entry 1": entry_1(renewed=[[*user(BOB), 2]]),
        "a link to the epoch itself": renew(link=[2, bytes(80)]),
        "a link to an epoch to come": renew(link=[3, bytes(80)]),
        "a generation that did not grow": renew(renewed=[[*user(BOB), 1]]),
        "a generation of somebody who is no member": renew(renewed=[[*user(DAVE), 2]]),
        "renewed members in another order": renew(
            renewed=in_order([*user(BOB), 2], [*user(CAROL), 2])[::-1]),
        "a renewed member twice": renew(renewed=[[*user(BOB), 2], [*user(BOB), 3]]),
        "a generation of a member that is removed": CREATED.add(
            ALICE, REMOVE, [user(BOB)], opening=opening(2, renewed=[[*user(BOB), 2]])),
        "a generation below one that was renewed": renew(renewed=[[*user(BOB), 5]]).add(
            ALICE, RENEW, opening=opening(3, renewed=[[*user(BOB), 4]])),
        "an author that reads from an epoch on": from_now.add(DAVE, RENEW),
    }  # fmt: skip
    refuse(family, "openings", cases, "Opening", ["DOC-69"])
