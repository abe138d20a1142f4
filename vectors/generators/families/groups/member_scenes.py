"""What the plays of members share: logs, their beginnings, and how a play is added."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from generators.support.collection_logs import ADD, LEAVE, READER, REMOVE, RENEW, ROLE, WRITER, member, user
from generators.support.family import Family, Json
from generators.support.group_scenes import ANNA, BEN, CREATED, EVE, Scene

FLAGS: Final = {
    "AuthenticationFailed": "WrongKey", "DeviceNotListed": "Unlisted", "DeviceRevoked": "Unlisted",
    "DuplicateMessage": "Repeated", "GroupEntryMissing": "Held", "GroupEpochDue": "Spent",
    "GroupKeyMissing": "Held", "InvalidGroupText": "Judged", "InvalidSignature": "Signature",
    "MalformedMessage": "Shape", "TooManySkipped": "Skipped", "UsageError": "Silent",
}  # fmt: skip
"""The flag of a play that is about an error."""

ONE: Final = Scene(CREATED)
TWO: Final = Scene(CREATED.add(BEN.at(1), RENEW))
LEFT: Final = Scene(CREATED.add(BEN.at(1), LEAVE))
READS: Final = Scene(CREATED.add(ANNA.at(1, 1), ROLE, [[*user(BEN.at(1)), READER]]))
GONE: Final = Scene(CREATED.add(ANNA.at(1, 1), REMOVE, [user(BEN.at(1))]))
MORE: Final = Scene(CREATED.add(ANNA.at(1, 1), ADD, [member(EVE.at(1), WRITER)]))


def begun(scene: Scene) -> list[Json]:
    """Return steps after which the log, the first secret, and two chains are there."""
    chains = [scene.chain(each, scene.writer(each)) for each in (ANNA, BEN)]
    return [scene.taken(), scene.secret(ANNA, 1), *chains]


BEGUN: Final = begun(ONE)
BEN_WRITES: Final = ONE.text(ONE.writer(BEN), 0)


@dataclass(frozen=True)
class Play:
    """A play, and the error that it is about, if there is one."""

    comment: str
    steps: Sequence[Json]
    expect: str | None
    rules: Sequence[str]
    scene: Scene = ONE
    also: Sequence[str] = ()
    flag: str | None = None


def add_plays(family: Family, comment: str, plays: Sequence[Play]) -> None:
    """Add plays as one group."""
    group = family.group("group.member", comment)
    for each in plays:
        given, what = each.scene.given(*each.steps), f"{comment}: {each.comment}"
        if each.expect is None:
            group.play(what, given, rules=each.rules)
        else:
            flags = [each.flag or FLAGS[each.expect]]
            group.invalid_play(what, given, each.expect, flags=flags, rules=each.rules, also=each.also)
