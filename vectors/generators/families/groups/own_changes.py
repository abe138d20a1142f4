"""Changes of a device's own: who is sent the secret of an epoch once the entry is in the log, and who not."""

from typing import Final

from generators.families.groups.member_scenes import Play, add_plays
from generators.support.collection_logs import (
    ADD,
    ADMIN,
    CLOSE,
    CREATE,
    LEAVE,
    REMOVE,
    RENEW,
    ROLE,
    WRITER,
    in_order,
    member,
    user,
)
from generators.support.document_signers import Person
from generators.support.family import Family, Json
from generators.support.group_logs import GroupLog, epoch_secret
from generators.support.group_scenes import ANNA, BEN, EVE, SEND, WANT_SECRET, Scene, learned, waited

OWN: Final = Person("owner of a group")
"""Whose device plays. It is an admin."""
ZOE: Final = Person("zoe of a group")
"""Nobody has her lists until they are learned."""

ANNAS, BENS, OURS = ANNA.at(1, 1), BEN.at(1), OWN.at(1)
MEMBERS: Final = in_order(member(ANNAS, ADMIN), member(BENS, WRITER), member(OURS, ADMIN))
BASE: Final = GroupLog().add(ANNAS, CREATE, MEMBERS)
GIVEN: Final[Json] = {"do": "secrets"}


def scene(log: GroupLog) -> Scene:
    """Return a scene in which the owner's device plays."""
    return Scene(log, OWN.user_id)


def made(log: GroupLog, number: int = 2) -> Json:
    """Return a step with a change that the device made: the entry of this number, and the secret with it."""
    entry = log.entries[number - 1]
    secret = None if entry.opening is None else epoch_secret(int(str(entry.epoch))).hex()
    return {"do": "change", "entry": log.signed()[number - 1].hex(), "secret": secret}


def play(
    comment: str, log: GroupLog, *steps: Json, expect: str | None = None, flag: str | None = None
) -> Play:
    """Return a play that begins with the first entry and its secret."""
    at = scene(log)
    begun = [learned(OWN, 1), at.taken(1, 1), at.secret(ANNA, 1)]
    return Play(comment, [*begun, *steps], expect, [], at, flag=flag)


def add(family: Family) -> None:
    """Add the groups."""
    put(family, "the secret of an epoch that this device begins", "GRP-30", [*begun(), *not_begun()])
    put(family, "the secret for whom this device adds", "GRP-31", [*added(), *not_added()])


def put(family: Family, comment: str, rule: str, plays: list[Play]) -> None:
    """Add plays about one rule as a group."""
    add_plays(family, comment, [Play(
        each.comment, each.steps, each.expect, [rule], each.scene, each.also, each.flag
    ) for each in plays])  # fmt: skip


RENEWED: Final = BASE.add(OURS, RENEW)
REMOVED: Final = BASE.add(OURS, REMOVE, [user(BENS)])
FOUNDED: Final = GroupLog().add(OURS, CREATE, MEMBERS)
WITH_ZOE: Final = BASE.add(ANNAS, ADD, [member(ZOE.at(1), WRITER)])


def begun() -> list[Play]:
    """Return epochs that this device begins. [GRP-30]"""
    one, gone, zoe = scene(RENEWED), scene(REMOVED), scene(WITH_ZOE.add(OURS, RENEW))
    late = scene(BASE.add(ANNAS, ROLE, [[*user(BENS), ADMIN]]).add(OURS, RENEW))
    named = BASE.add(OURS, ROLE, [[*user(BENS), ADMIN]])
    new = scene(FOUNDED)
    found = [learned(OWN, 1), made(FOUNDED, 1), new.taken(), GIVEN, SEND, new.taken(), GIVEN]
    return [
        play("before the entry and after it", RENEWED, made(RENEWED), SEND, GIVEN, one.taken(2), GIVEN, SEND),
        play("the entry again", RENEWED, made(RENEWED), one.taken(2), GIVEN, one.taken(1), waited(0), GIVEN),
        play("somebody is removed", REMOVED, made(REMOVED), GIVEN, gone.taken(2), GIVEN, SEND),
        Play("a group", found, None, [], new),
        play("without a device that was revoked", RENEWED, learned(ANNA, 3), made(RENEWED), one.taken(2),
             GIVEN),
        play("after an entry of somebody else", late.log, made(late.log, 3), late.taken(2), GIVEN, SEND),
        play("a member whose lists come later", zoe.log, zoe.taken(2, 2), made(zoe.log, 3), zoe.taken(3),
             GIVEN,
             waited(0), GIVEN, learned(ZOE, 1), GIVEN, waited(0), GIVEN, waited(0), GIVEN),
        play("an entry that begins none", named, made(named), scene(named).taken(2), GIVEN, SEND),
        play("a request before the entry, and after it", RENEWED, made(RENEWED), one.request(BEN, 2,
             WANT_SECRET),
             GIVEN, one.taken(2), one.request(BEN, 2, WANT_SECRET), GIVEN),
    ]  # fmt: skip


def not_begun() -> list[Play]:
    """Return changes that lost, or that others went on from at once. [GRP-30]"""
    ours, theirs = made(RENEWED), scene(BASE.add(ANNAS, RENEW))
    closed, left = scene(BASE.add(ANNAS, CLOSE)), scene(BASE.add(BENS, LEAVE))
    gone, out = scene(BASE.add(ANNAS, REMOVE, [user(BENS)])), scene(BASE.add(ANNAS, REMOVE, [user(OURS)]))
    on = scene(RENEWED.add(BENS, RENEW))
    put_out, went = scene(RENEWED.add(ANNAS, REMOVE, [user(OURS)])), scene(RENEWED.add(BENS, LEAVE))
    removed = scene(RENEWED.add(ANNAS, REMOVE, [user(BENS)]))
    third = scene(BASE.add(ANNAS, RENEW).add(ANNAS, RENEW))
    bens = on.writer(BEN, begun=2)
    one, wrong = scene(RENEWED), scene(BASE.with_(BASE.next(OURS, RENEW, before=bytes(32))))
    forged = RENEWED.entries[1].encode(leaf=bytes(32)).hex()
    zoe = scene(WITH_ZOE.add(OURS, RENEW).add(ANNAS, REMOVE, [user(ZOE.at(1))]))
    held, due, silent = "GroupKeyMissing", "GroupEpochDue", "UsageError"
    return [
        play("somebody else began it", theirs.log, ours, theirs.taken(2), GIVEN, SEND, expect=held),
        play("somebody else began it, and gives the secret", theirs.log, ours, theirs.taken(2), SEND,
             theirs.secret(ANNA, 2), SEND, waited(0), GIVEN, expect=held),
        play("somebody else began two", third.log, ours, third.taken(2), SEND, waited(0), GIVEN, expect=held),
        play("a request for the one that somebody else began", theirs.log, ours, theirs.taken(2),
             theirs.request(BEN, 2, WANT_SECRET), SEND, GIVEN, expect=held),
        play("somebody else removed a member first", gone.log, made(REMOVED), gone.taken(2), SEND, GIVEN,
             expect=held),
        play("somebody left first", left.log, ours, left.taken(2), SEND, GIVEN, expect=due),
        play("the group was closed first", closed.log, ours, closed.taken(2), SEND, GIVEN, expect=silent),
        play("this user was removed first", out.log, ours, out.taken(2), SEND, GIVEN, expect=silent),
        play("the next one began at once", on.log, ours, on.taken(2), GIVEN, SEND, waited(0), GIVEN,
             expect=held),
        play("the next one began at once, and texts of ours open", on.log, ours, on.taken(2),
             on.chain(BEN, bens, 2), on.text(bens, 0, 2, entry=2), SEND, GIVEN, expect=held),
        play("the next one began since", on.log, ours, on.taken(2, 2), GIVEN, on.taken(3), GIVEN, SEND,
             expect=held),
        play("this user was removed at once", put_out.log, ours, put_out.taken(2), GIVEN, SEND,
             expect=silent),
        play("this user was removed since", put_out.log, ours, put_out.taken(2, 2), SEND, put_out.taken(3),
             SEND,
             expect=silent),
        play("somebody left at once", went.log, ours, went.taken(2), GIVEN, SEND, expect=due),
        play("somebody left since", went.log, ours, went.taken(2, 2), GIVEN, went.taken(3), GIVEN, SEND,
             expect=due),
        play("somebody was removed at once", removed.log, ours, removed.taken(2), GIVEN, SEND, expect=held),
        play("somebody was removed since", removed.log, ours, removed.taken(2, 2), GIVEN, removed.taken(3),
             GIVEN,
             SEND, expect=held),
        play("a member whose lists are missing was removed since", zoe.log, zoe.taken(2, 2), made(zoe.log, 3),
             zoe.taken(3, 3), GIVEN, zoe.taken(4), learned(ZOE, 1), waited(0), GIVEN, SEND, expect=held),
        play("the entry with a signature that does not verify", RENEWED, ours, {"do": "take",
             "entries": [forged]},
             GIVEN, one.taken(2), GIVEN, expect="InvalidSignature"),
        play("an entry that does not follow", RENEWED, ours, wrong.taken(2), GIVEN, one.taken(2), GIVEN,
             expect="InvalidEntry", flag="Order"),
        play("entries before it are missing", on.log, made(on.log, 2), on.taken(3), GIVEN, on.taken(2, 2),
             GIVEN,
             expect="UsageError", flag="Order"),
        play("a text of it before its entry", on.log, ours, on.chain(BEN, bens, 2), on.text(bens, 0, 2,
             entry=2), GIVEN,
             on.taken(2, 2), on.text(bens, 0, 2, entry=2), expect="GroupEntryMissing"),
    ]  # fmt: skip


ADDED: Final = BASE.add(OURS, ADD, [member(EVE.at(1), WRITER)])
BOTH: Final = BASE.add(OURS, ADD, in_order(member(EVE.at(1), WRITER), member(ZOE.at(1), WRITER)))


def added() -> list[Play]:
    """Return members whom this device adds. [GRP-31]"""
    one, both = scene(ADDED), scene(BOTH)
    theirs = scene(BASE.add(ANNAS, ADD, [member(EVE.at(1), WRITER)]))
    zoe = scene(ADDED.add(ANNAS, ADD, [member(ZOE.at(1), WRITER)]))
    again = scene(REMOVED.add(OURS, RENEW).add(OURS, ADD, [member(BENS, WRITER)]))
    owed = [made(BOTH), both.taken(2), GIVEN, SEND]
    return [
        play("one", ADDED, made(ADDED), GIVEN, SEND, one.taken(2), GIVEN, SEND),
        play("the entry again", ADDED, made(ADDED), one.taken(2), one.taken(1), waited(0), GIVEN),
        play("two", BOTH, learned(ZOE, 1), made(BOTH), both.taken(2), GIVEN, SEND),
        play("one whose lists are missing", BOTH, *owed, waited(0), GIVEN),
        play("one whose lists come later", BOTH, *owed, learned(ZOE, 1), GIVEN, waited(0), GIVEN, waited(0),
             GIVEN, SEND),
        play("one who asks", ADDED, made(ADDED), one.taken(2), one.request(EVE, 1, WANT_SECRET), GIVEN),
        play("somebody else adds another one at once", zoe.log, learned(ZOE, 1), made(ADDED), zoe.taken(2),
             GIVEN),
        play("whom somebody else adds", theirs.log, theirs.taken(2), GIVEN, waited(0), GIVEN, SEND),
        play("one who was removed, in a later epoch", again.log, made(again.log, 2), again.taken(2, 2), GIVEN,
             made(again.log, 3), again.taken(3, 3), GIVEN, made(again.log, 4), again.taken(4), GIVEN),
    ]  # fmt: skip


def not_added() -> list[Play]:
    """Return additions that lost, or newcomers who are not sent the secret any more. [GRP-31]"""
    ours, both = made(ADDED), scene(BOTH)
    theirs, left = scene(BASE.add(ANNAS, RENEW)), scene(BASE.add(BENS, LEAVE))
    closed = scene(BASE.add(ANNAS, CLOSE))
    gone = scene(ADDED.add(ANNAS, REMOVE, [user(EVE.at(1))]))
    went, on = scene(ADDED.add(EVE.at(1), LEAVE)), scene(ADDED.add(BENS, RENEW))
    out = scene(ADDED.add(ANNAS, REMOVE, [user(OURS)]))
    zoes = [made(BOTH), both.taken(2, 2)]
    zoe_gone, zoe_went = scene(BOTH.add(ANNAS, REMOVE, [user(ZOE.at(1))])), scene(BOTH.add(ZOE.at(1), LEAVE))
    zoe_on, zoe_out = scene(BOTH.add(BENS, RENEW)), scene(BOTH.add(ANNAS, REMOVE, [user(OURS)]))
    one = scene(ADDED)
    forged = ADDED.entries[1].encode(leaf=bytes(32)).hex()
    since = [learned(ZOE, 1), waited(0), GIVEN]
    held, due, silent = "GroupKeyMissing", "GroupEpochDue", "UsageError"
    return [
        play("an epoch began first", theirs.log, ours, theirs.taken(2), GIVEN, SEND, expect=held),
        play("an epoch began first, and its secret comes", theirs.log, ours, theirs.taken(2), SEND,
             theirs.secret(ANNA, 2), SEND, waited(0), GIVEN, expect=held),
        play("somebody left first", left.log, ours, left.taken(2), GIVEN, SEND, expect=due),
        play("the group was closed first", closed.log, ours, closed.taken(2), GIVEN, SEND, expect=silent),
        play("removed at once", gone.log, ours, gone.taken(2), GIVEN, SEND, expect=held),
        play("removed since", gone.log, ours, gone.taken(2, 2), GIVEN, gone.taken(3), GIVEN, SEND,
             expect=held),
        play("left at once", went.log, ours, went.taken(2), GIVEN, SEND, expect=due),
        play("left since", went.log, ours, went.taken(2, 2), GIVEN, went.taken(3), GIVEN, SEND, expect=due),
        play("an epoch begins at once", on.log, ours, on.taken(2), GIVEN, SEND, expect=held),
        play("this user is removed at once", out.log, ours, out.taken(2), GIVEN, SEND, expect=silent),
        play("removed before the lists are there", zoe_gone.log, *zoes, zoe_gone.taken(3), *since, SEND,
             expect=held),
        play("left before the secret was sent", zoe_went.log, *zoes, learned(ZOE, 1), zoe_went.taken(3),
             waited(0),
             GIVEN, SEND, expect=due),
        play("an epoch begins before the lists are there", zoe_on.log, *zoes, zoe_on.taken(3), *since, SEND,
             expect=held),
        play("this user is removed before the lists are there", zoe_out.log, *zoes, zoe_out.taken(3), *since,
             SEND,
             expect=silent),
        play("the entry with a signature that does not verify", ADDED, ours, {"do": "take",
             "entries": [forged]},
             GIVEN, one.taken(2), GIVEN, expect="InvalidSignature"),
    ]  # fmt: skip
