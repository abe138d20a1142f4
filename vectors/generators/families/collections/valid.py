"""Logs that follow the rules."""

from generators.families.collections.scene import ALICE, BOB, CAROL, CHILD, CREATED, DAVE
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
    in_order,
    member,
    opening,
    padded_name,
    sealed_name,
    user,
)
from generators.support.family import Family
from generators.support.labels import draw


def add(family: Family) -> None:
    """Add the group."""
    group = family.group("log.follow", "logs that follow the rules")
    added = CREATED.add(ALICE, ADD, [member(DAVE, READER)])
    left = CREATED.add(CAROL, LEAVE)
    removed = CREATED.add(ALICE, REMOVE, [user(BOB)])
    renamed = sealed_name(1, padded_name(b"another name"))
    many = in_order(
        member(ALICE, ADMIN), *([1, draw(f"member {number}", 32), 1, 0, 1] for number in range(999))
    )
    child = [2, CHILD, READER, 0, 4]
    for comment, log, rules in (
        ("one member", Log().add(ALICE, CREATE, [member(ALICE, ADMIN)]), ["DOC-60", "DOC-61"]),
        ("three members", CREATED, ["DOC-60", "DOC-62"]),
        ("1,000 members", Log().add(ALICE, CREATE, many), ["DOC-64"]),
        ("a member is added", added, ["DOC-65"]),
        ("two members are added, of which one reads from now on",
         CREATED.add(ALICE, ADD, in_order(member(DAVE, WRITER, 1), [2, CHILD, WRITER, 0, 9])), ["DOC-65"]),
        ("a second admin is added, who adds another member",
         CREATED.add(ALICE, ADD, [member(DAVE, ADMIN)]).add(DAVE, ADD, [child]), ["DOC-63"]),
        ("a member is removed", removed, ["DOC-66", "DOC-69"]),
        ("a removed member is added again", removed.add(ALICE, ADD, [member(BOB, READER, 2, 3)]), ["DOC-65"]),
        ("two members are removed", CREATED.add(ALICE, REMOVE, in_order(user(BOB), user(CAROL))), ["DOC-66"]),
        ("an admin is removed by another one",
         CREATED.add(ALICE, ADD, [member(DAVE, ADMIN)]).add(DAVE, REMOVE, [user(ALICE)]), ["DOC-66"]),
        ("a reader leaves", left, ["DOC-68"]),
        ("two members leave", left.add(BOB, LEAVE), ["DOC-68"]),
        ("a writer begins an epoch after that", left.add(BOB, RENEW), ["DOC-68", "DOC-69"]),
        ("a removal begins it", left.add(ALICE, REMOVE, [user(BOB)]), ["DOC-68"]),
        ("a member is added to a spent collection", left.add(ALICE, ADD, [member(DAVE, READER)]), ["DOC-63"]),
        ("a spent collection is closed", left.add(ALICE, CLOSE), ["DOC-63"]),
        ("a role is changed while it is spent", left.add(ALICE, ROLE, [[*user(BOB), READER]]), ["DOC-67"]),
        ("an admin leaves, with another one there",
         CREATED.add(ALICE, ROLE, [[*user(BOB), ADMIN]]).add(ALICE, LEAVE), ["DOC-64", "DOC-68"]),
        ("a writer becomes a reader, and stays one of the epoch's writers",
         CREATED.add(ALICE, ROLE, [[*user(BOB), READER]]), ["DOC-67", "DOC-81"]),
        ("the next epoch has other writers",
         CREATED.add(ALICE, ROLE, [[*user(BOB), READER]]).add(ALICE, RENEW), ["DOC-81"]),
        ("an admin makes itself a writer",
         CREATED.add(ALICE, ADD, [member(DAVE, ADMIN)]).add(ALICE, ROLE, [[*user(ALICE), WRITER]]),
         ["DOC-67"]),
        ("the collection is renamed", CREATED.add(ALICE, RENAME, [renamed]), ["DOC-63"]),
        ("a collection is a member", CREATED.add(ALICE, ADD, [child]), ["DOC-65"]),
        ("a collection is removed",
         CREATED.add(ALICE, ADD, [child]).add(ALICE, REMOVE, [[2, CHILD]]), ["DOC-66"]),
        ("an epoch for a new document key",
         CREATED.add(ALICE, RENEW, opening=opening(2, renewed=[[*user(BOB), 2]])), ["DOC-69"]),
        ("an epoch for two new keys, with a collection's",
         CREATED.add(ALICE, ADD, [child]).add(
             BOB, RENEW, opening=opening(2, renewed=[[*user(BOB), 7], [2, CHILD, 5]])), ["DOC-69"]),
        ("an epoch without a link", CREATED.add(ALICE, RENEW, opening=opening(2, link=None)), ["DOC-69"]),
        ("a link that leads over an epoch",
         CREATED.add(ALICE, RENEW).add(
             ALICE, RENEW, opening=opening(3, link=[1, bytes(80)])), ["DOC-69", "DOC-74"]),
        ("the collection is closed", CREATED.add(ALICE, CLOSE), ["DOC-63"]),
        ("a newer list of the author", CREATED.add(ALICE.naming(version=2), RENEW), ["DOC-70"]),
        ("another device of the author", CREATED.add(ALICE.naming(device=2), RENEW), ["DOC-70"]),
        ("five entries",
         added.add(ALICE, REMOVE, [user(CAROL)]).add(BOB, RENEW).add(DAVE, LEAVE), ["DOC-61"]),
    ):  # fmt: skip
        answer = group.valid(comment, log.given(), rules=rules)
        assert answer["collection"] == log.id.hex()
        assert answer["head"] == log.entries[-1].hash().hex()
