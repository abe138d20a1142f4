"""Entries of the log that a device of a member gets again, and entries that do not follow each other."""

from generators.families.groups.member_scenes import Play, add_plays
from generators.support.collection_logs import ADD, RENEW, WRITER, member
from generators.support.family import Family, Json
from generators.support.group_scenes import ANNA, BEN, CREATED, EVE, Scene

LONG = Scene(CREATED.add(BEN.at(1), RENEW).add(ANNA.at(1, 1), ADD, [member(EVE.at(1), WRITER)]))


def shown(*numbers: int) -> Json:
    """Return a step that takes these entries of the log, in this order."""
    entries = LONG.log.signed()
    return {"do": "take", "entries": [entries[each - 1].hex() for each in numbers]}


def add(family: Family) -> None:
    """Add the group."""
    add_plays(family, "entries that are on record already", again())
    add_plays(family, "entries that do not follow each other", jumping())


def again() -> list[Play]:
    """Return logs of which the device is shown again what it has. [DOC-116]"""
    whole, rule = shown(1, 2, 3), ["DOC-116"]
    return [
        Play("all of them", [whole, whole], None, rule, LONG),
        Play("the first one", [whole, shown(1)], None, rule, LONG),
        Play("the newest one", [whole, shown(3)], None, rule, LONG),
        Play("some of them, and new ones", [shown(1, 2), whole], None, rule, LONG),
        Play("the newest one, and a new one", [shown(1, 2), shown(2, 3)], None, rule, LONG),
        Play("none", [whole, shown()], None, rule, LONG),
    ]


def jumping() -> list[Play]:
    """Return entries that lead nowhere. The log stays as it is. [DOC-116]"""
    whole, rule, wrong = shown(1, 2, 3), ["DOC-116"], "InvalidEntry"
    return [
        Play(
            "one is left out, of those on record",
            [whole, shown(1, 3), whole],
            wrong,
            rule,
            LONG,
            flag="Order",
        ),
        Play(
            "one is left out, of which the last is new",
            [shown(1, 2), shown(1, 3), whole],
            wrong,
            rule,
            LONG,
            flag="Order",
        ),
        Play("one is left out, of new ones", [shown(1), shown(1, 3), whole], wrong, rule, LONG, flag="Order"),
        Play("in another order", [whole, shown(2, 1), whole], wrong, rule, LONG, flag="Order"),
        Play(
            "in another order, new ones too",
            [shown(1), shown(1, 3, 2), whole],
            wrong,
            rule,
            LONG,
            flag="Order",
        ),
        Play("one twice, which is on record", [whole, shown(1, 1), whole], wrong, rule, LONG, flag="Order"),
        Play("one twice, which is new", [shown(1), shown(2, 2), whole], wrong, rule, LONG, flag="Order"),
        Play("back to the first one", [whole, shown(1, 2, 1), whole], wrong, rule, LONG, flag="Order"),
        Play("before the log is here", [shown(1, 1), whole], wrong, rule, LONG, flag="Order"),
        Play(
            "a number that nobody has, after one on record",
            [whole, shown(3, 2), whole],
            wrong,
            rule,
            LONG,
            flag="Order",
        ),
        Play("without those before", [shown(1), shown(3), whole], "UsageError", rule, LONG, flag="Order"),
        Play("without the first one", [shown(2, 3), whole], "UsageError", rule, LONG, flag="Order"),
        Play(
            "after the first one alone",
            [shown(2), shown(1), shown(3), whole],
            "UsageError",
            rule,
            LONG,
            flag="Order",
        ),
    ]
