"""What a device of a member sends: its chain and to whom, answers to requests, and what it asks for."""

from generators.families.groups.member_scenes import BEGUN, BEN_WRITES, ONE, TWO, Play, add_plays
from generators.support.collection_logs import (
    ADD,
    CLOSE,
    LEAVE,
    READER,
    REMOVE,
    RENEW,
    ROLE,
    WRITER,
    member,
    user,
)
from generators.support.family import Family
from generators.support.group_scenes import (
    ANNA,
    BEN,
    CREATED,
    DAY,
    EVE,
    HOUR,
    RESTORE,
    SEND,
    WANT_CHAIN,
    WANT_SECRET,
    Scene,
    learned,
    waited,
)
from generators.support.group_scenes import (
    READER as OURS,
)


def add(family: Family) -> None:
    """Add the groups."""
    add_plays(family, "who has the chain of a device", sent())
    add_plays(family, "a device that seals nothing", silent())
    add_plays(family, "requests, and whether they are answered", answered())
    add_plays(family, "what is asked for, and when", asked())


def sent() -> list[Play]:
    """Return texts that a device seals, with who has its chain then. [GRP-34] [GRP-35] [GRP-36]"""
    two = [TWO.taken(1, 1), TWO.secret(ANNA, 1)]
    start = [ONE.taken(), ONE.secret(ANNA, 1)]
    more = Scene(CREATED.add(ANNA.at(1, 1), ADD, [member(EVE.at(1), WRITER)]))
    gone = Scene(CREATED.add(ANNA.at(1, 1), REMOVE, [user(BEN.at(1))]))
    again = Scene(gone.log.add(ANNA.at(1, 1), RENEW).add(ANNA.at(1, 1), ADD, [member(BEN.at(1), WRITER)]))
    back = [again.secret(ANNA, each) for each in (1, 2, 3)]
    return [
        Play("two texts", [*start, SEND, SEND], None, ["GRP-34"]),
        Play(
            "a device that came since",
            [learned(ANNA, 1), *start, SEND, learned(ANNA, 2), SEND],
            None,
            ["GRP-34"],
        ),
        Play("a device that was revoked", [*start, SEND, learned(ANNA, 3), SEND, SEND], None, ["GRP-35"]),
        Play(
            "a device that was revoked before it had the chain",
            [learned(ANNA, 3), *start, SEND, SEND],
            None,
            ["GRP-34"],
        ),
        Play(
            "the next epoch",
            [*two, SEND, TWO.taken(2), TWO.secret(BEN, 2), SEND],
            None,
            ["GRP-34"],
            scene=TWO,
        ),
        Play(
            "a member that came",
            [more.taken(1, 1), more.secret(ANNA, 1), SEND, more.taken(2), SEND],
            None,
            ["GRP-34"],
            scene=more,
        ),
        Play(
            "a member that went",
            [gone.taken(1, 1), gone.secret(ANNA, 1), SEND, gone.taken(2), gone.secret(ANNA, 2), SEND],
            None,
            ["GRP-34"],
            scene=gone,
        ),
        Play(
            "a member that went and came back",
            [again.taken(1, 1), *back, SEND, again.taken(2, 3), *back, SEND, again.taken(4), SEND],
            None,
            ["GRP-34"],
            scene=again,
        ),
        Play("a store that went back", [*start, SEND, RESTORE, SEND, SEND], None, ["GRP-36"]),
        Play("a store that went back before the first text", [*start, RESTORE, SEND], None, ["GRP-36"]),
        Play("seven days", [*start, SEND, waited(7 * DAY - 1), SEND, waited(1), SEND], None, ["GRP-4"]),
    ]


def silent() -> list[Play]:
    """Return groups for which nothing is sealed. [GRP-33]"""
    left = Scene(CREATED.add(BEN.at(1), LEAVE))
    gone = Scene(CREATED.add(ANNA.at(1, 1), REMOVE, [user(BEN.at(1))]))
    renewed = Scene(left.log.add(ANNA.at(1, 1), RENEW))
    closed = Scene(CREATED.add(ANNA.at(1, 1), CLOSE))
    out = Scene(CREATED.add(ANNA.at(1, 1), REMOVE, [user(OURS)]))
    reads = Scene(CREATED.add(ANNA.at(1, 1), ROLE, [[*user(OURS), READER]]))
    writes = Scene(reads.log.add(ANNA.at(1, 1), ROLE, [[*user(OURS), WRITER]]))
    ours = Scene(CREATED.add(ANNA.at(1, 1), REMOVE, [user(BEN.at(1))]).add(ANNA.at(1, 1), RENEW))

    def ready(scene: Scene) -> list[dict[str, object]]:
        return [scene.taken(1, 1), scene.secret(ANNA, 1), SEND, scene.taken(2)]

    return [
        Play("no log", [SEND, ONE.taken(), ONE.secret(ANNA, 1), SEND], "UsageError", ["GRP-33"]),
        Play("no secret", [ONE.taken(), SEND, ONE.secret(ANNA, 1), SEND], "GroupKeyMissing", ["GRP-33"]),
        Play(
            "a wrong secret",
            [ONE.taken(), ONE.secret(ANNA, 1, secret=bytes(32)), SEND],
            "GroupKeyMissing",
            ["GRP-33", "GRP-5"],
        ),
        Play(
            "no secret of the next epoch",
            [*ready(TWO), SEND, TWO.secret(BEN, 2), SEND],
            "GroupKeyMissing",
            ["GRP-33"],
            scene=TWO,
        ),
        Play("somebody left", [*ready(left), SEND], "GroupEpochDue", ["GRP-33"], scene=left),
        Play(
            "the secret with another entry",
            [ONE.taken(), ONE.secret(ANNA, 1, opening=bytes(32)), SEND, ONE.secret(ANNA, 1), SEND],
            "GroupKeyMissing",
            ["GRP-33", "GRP-5"],
        ),
        Play(
            "the secret of a device that is not listed",
            [ONE.taken(), ONE.secret(BEN, 1, device=2), SEND, ONE.secret(ANNA, 1), SEND],
            "GroupKeyMissing",
            ["GRP-33"],
        ),
        Play(
            "somebody was removed, and the next secret is not here",
            [*ready(gone), SEND, gone.secret(ANNA, 2), SEND],
            "GroupKeyMissing",
            ["GRP-33"],
            scene=gone,
        ),
        Play(
            "somebody left, until an epoch begins",
            [
                renewed.taken(1, 2),
                renewed.secret(ANNA, 1),
                SEND,
                renewed.taken(3),
                renewed.secret(ANNA, 2),
                SEND,
            ],
            "GroupEpochDue",
            ["GRP-33"],
            scene=renewed,
        ),
        Play("the group is closed", [*ready(closed), SEND], "UsageError", ["GRP-33"], scene=closed),
        Play("this user was removed", [*ready(out), SEND], "UsageError", ["GRP-33"], scene=out),
        Play("this user may only read", [*ready(reads), SEND], "UsageError", ["GRP-33"], scene=reads),
        Play(
            "this user may only read for a while",
            [writes.taken(1, 2), writes.secret(ANNA, 1), SEND, writes.taken(3), SEND],
            "UsageError",
            ["GRP-33"],
            scene=writes,
        ),
        Play(
            "the secret of an epoch between is missing, and the seed is a new one",
            [ours.taken(1, 1), ours.secret(ANNA, 1), SEND, ours.taken(2), SEND, ours.secret(ANNA, 3), SEND],
            "GroupKeyMissing",
            ["GRP-33"],
            scene=ours,
        ),
    ]


def answered() -> list[Play]:
    """Return requests. What is not answered is no error. [GRP-40]"""
    start = [ONE.taken(), ONE.secret(ANNA, 1), SEND]
    secret, chain = ONE.request(BEN, 1, WANT_SECRET), ONE.request(BEN, 1, WANT_CHAIN)
    more = Scene(TWO.log.add(ANNA.at(1, 1), ADD, [member(EVE.at(1), WRITER)]))
    gone = Scene(CREATED.add(ANNA.at(1, 1), REMOVE, [user(BEN.at(1))]))
    keys = [*(more.secret(ANNA, each) for each in (1, 2)), SEND]
    went = [gone.taken(), gone.secret(ANNA, 1), gone.secret(ANNA, 2), SEND]
    rule = ["GRP-40"]
    return [
        Play(
            "for the secret, twice in an hour",
            [*start, secret, waited(HOUR - 1), secret, waited(1), secret],
            None,
            rule,
        ),
        Play("for the chain, twice in an hour", [*start, chain, chain, waited(HOUR), chain], None, rule),
        Play("for both", [*start, secret, chain], None, rule),
        Play(
            "of two devices",
            [*start, ONE.request(ANNA, 1, WANT_CHAIN), ONE.request(ANNA, 1, WANT_CHAIN, 3)],
            None,
            rule,
        ),
        Play(
            "of a stranger",
            [*start, ONE.request(EVE, 1, WANT_SECRET), ONE.request(EVE, 1, WANT_CHAIN)],
            None,
            rule,
        ),
        Play("of a device that is not listed", [*start, ONE.request(BEN, 1, WANT_SECRET, 2)], None, rule),
        Play(
            "of a device that was revoked",
            [*start, learned(ANNA, 3), ONE.request(ANNA, 1, WANT_SECRET, 2)],
            None,
            rule,
        ),
        Play(
            "of a user who was removed",
            [
                *went,
                gone.request(BEN, 2, WANT_SECRET),
                gone.request(BEN, 2, WANT_CHAIN),
                gone.request(BEN, 1, WANT_SECRET),
            ],
            None,
            rule,
            scene=gone,
        ),
        Play(
            "for the secret of an epoch before",
            [more.taken(), *keys, more.request(BEN, 1, WANT_SECRET)],
            None,
            rule,
            scene=more,
        ),
        Play(
            "for the chain of an epoch before",
            [more.taken(), *keys, more.request(BEN, 1, WANT_CHAIN)],
            None,
            rule,
            scene=more,
        ),
        Play(
            "of a newcomer, for the secret of an epoch before",
            [more.taken(), *keys, more.request(EVE, 1, WANT_SECRET)],
            None,
            rule,
            scene=more,
        ),
        Play(
            "of a newcomer, for that of now",
            [more.taken(), *keys, more.request(EVE, 2, WANT_SECRET)],
            None,
            rule,
            scene=more,
        ),
        Play(
            "for an epoch to come",
            [*start, ONE.request(BEN, 2, WANT_SECRET), ONE.request(BEN, 2, WANT_CHAIN)],
            None,
            rule,
        ),
        Play("for a secret that is not here", [ONE.taken(), secret], None, rule),
        Play("for a chain, before the first text", [ONE.taken(), ONE.secret(ANNA, 1), chain], None, rule),
        Play("before the log is here", [secret, *start], None, rule),
    ]


def asked() -> list[Play]:
    """Return what is asked for. [GRP-39]"""
    two = TWO.writer(BEN)
    text = TWO.text(two, 0, 2, entry=2)
    hours = [each for hour in (1, 2, 4, 8) for each in (hour * HOUR - 1, 1)]
    pauses = [waited(seconds) for seconds in (59, 1, *hours, 16 * HOUR, DAY)]
    held, rule = "GroupKeyMissing", ["GRP-39"]
    chain = ONE.chain(BEN, ONE.writer(BEN))
    return [
        Play("a chain, five times", [ONE.taken(), BEN_WRITES, *pauses], held, rule),
        Play(
            "a chain that comes",
            [ONE.taken(), BEN_WRITES, waited(60), chain, BEN_WRITES, waited(HOUR)],
            held,
            rule,
        ),
        Play("a chain that comes at once", [ONE.taken(), BEN_WRITES, chain, waited(60)], held, rule),
        Play(
            "a secret",
            [TWO.taken(), TWO.chain(BEN, two), text, waited(60), waited(HOUR)],
            held,
            rule,
            scene=TWO,
        ),
        Play(
            "a secret that comes of somebody else",
            [TWO.taken(), TWO.chain(BEN, two), text, waited(60), TWO.secret(ANNA, 2), waited(HOUR), text],
            held,
            rule,
            scene=TWO,
        ),
        Play("a secret and a chain", [TWO.taken(), text, waited(60)], held, rule, scene=TWO),
        Play(
            "the text is shown again",
            [ONE.taken(), BEN_WRITES, waited(30), BEN_WRITES, waited(30), BEN_WRITES],
            held,
            rule,
        ),
        Play(
            "of two senders", [ONE.taken(), BEN_WRITES, ONE.text(ONE.writer(ANNA), 0), waited(60)], held, rule
        ),
        Play(
            "nothing, for a text of a stranger",
            [*BEGUN, ONE.text(ONE.writer(EVE), 0), waited(60)],
            "InvalidGroupText",
            rule,
        ),
        Play(
            "nothing more, once its epoch was deleted",
            [TWO.taken(), TWO.text(two, 0), waited(60), waited(30 * DAY), waited(HOUR), waited(8 * HOUR)],
            held,
            ["GRP-39", "GRP-41"],
            scene=TWO,
        ),
        Play(
            "what an epoch lacks that is not deleted, beside one that is",
            [TWO.taken(), TWO.text(two, 0), text, waited(60), waited(30 * DAY), waited(2 * HOUR)],
            held,
            ["GRP-39", "GRP-41"],
            scene=TWO,
        ),
        Play(
            "nothing, for an entry to come",
            [*BEGUN, ONE.text(ONE.writer(BEN), 0, entry=2), waited(60)],
            "GroupEntryMissing",
            rule,
        ),
    ]
