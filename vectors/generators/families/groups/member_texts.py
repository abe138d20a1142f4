"""What a device of a member makes of the texts that it is shown, by the log and its letters."""

from generators.families.groups.member_scenes import (
    BEGUN,
    BEN_WRITES,
    GONE,
    LEFT,
    MORE,
    ONE,
    READS,
    TWO,
    Play,
    add_plays,
)
from generators.support.collection_logs import (
    ADD,
    CLOSE,
    RENEW,
    WRITER,
    member,
)
from generators.support.family import Family, Json
from generators.support.group_scenes import (
    ANNA,
    BEN,
    CREATED,
    DAY,
    EVE,
    SEED,
    Scene,
    learned,
    waited,
)
from generators.support.labels import draw


def add(family: Family) -> None:
    """Add the groups."""
    add_plays(family, "texts and the entries that they name", named())
    add_plays(family, "texts before the first key that was handed out", early())
    add_plays(family, "what is over", over())


def named() -> list[Play]:
    """Return texts that name an entry. [GRP-38] [GRP-39]"""
    ben, wrong = ONE.writer(BEN), "InvalidGroupText"
    ends = {"before": LEFT, "reads": READS, "gone": GONE, "two": TWO}
    of = {name: scene.writer(BEN) for name, scene in ends.items()}
    start = {
        name: [scene.taken(), scene.secret(ANNA, 1), scene.secret(ANNA, 2), scene.chain(BEN, of[name])]
        for name, scene in ends.items()
    }
    closed = Scene(CREATED.add(ANNA.at(1, 1), CLOSE))
    on_its_way = [
        Play(
            f"a text of a user who {what}, on its way",
            [*start[name], ends[name].text(of[name], 0)],
            None,
            ["GRP-38"],
            scene=ends[name],
        )
        for name, what in (("before", "left"), ("reads", "may only read now"), ("gone", "was removed"))
    ]
    return [
        *on_its_way,
        Play(
            "a text before the group was closed",
            [closed.taken(), closed.chain(BEN, closed.writer(BEN)), closed.text(closed.writer(BEN), 0)],
            None,
            ["GRP-38"],
            scene=closed,
        ),
        Play(
            "of a user who left",
            [*start["before"], LEFT.text(of["before"], 0, entry=2)],
            wrong,
            ["GRP-38"],
            scene=LEFT,
        ),
        Play(
            "of a user who may only read",
            [*start["reads"], READS.text(of["reads"], 0, entry=2)],
            wrong,
            ["GRP-38"],
            scene=READS,
        ),
        Play(
            "of a user who was removed",
            [*start["gone"], GONE.text(of["gone"], 0, 2, entry=2)],
            wrong,
            ["GRP-38"],
            scene=GONE,
        ),
        Play(
            "of a user who was removed, in the epoch before",
            [*start["gone"], GONE.text(of["gone"], 0, entry=2)],
            wrong,
            ["GRP-38"],
            scene=GONE,
        ),
        Play(
            "of the epoch before its entry",
            [*start["two"], TWO.text(of["two"], 0, entry=2)],
            wrong,
            ["GRP-38"],
            scene=TWO,
        ),
        Play(
            "of the epoch after its entry",
            [*start["two"], TWO.text(of["two"], 0, 2)],
            wrong,
            ["GRP-38"],
            scene=TWO,
        ),
        Play("of an epoch to come", [*BEGUN, ONE.text(ben, 0, 2)], wrong, ["GRP-38"]),
        Play("of a stranger", [*BEGUN, ONE.text(ONE.writer(EVE), 0)], wrong, ["GRP-38"]),
        Play(
            "of a device that nobody listed",
            [*BEGUN, ONE.text(ONE.writer(BEN, 5), 0)],
            "DeviceNotListed",
            ["GRP-38"],
        ),
        Play(
            "of a device that is revoked now",
            [
                *BEGUN,
                ONE.chain(ANNA, ONE.writer(ANNA, 2)),
                learned(ANNA, 3),
                ONE.text(ONE.writer(ANNA, 2), 0),
            ],
            "DeviceRevoked",
            ["GRP-38"],
        ),
        Play(
            "after an entry to come",
            [*BEGUN, ONE.text(ben, 0, entry=2), BEN_WRITES],
            "GroupEntryMissing",
            ["GRP-39"],
        ),
        Play(
            "after an entry that came since",
            [
                TWO.taken(1, 1),
                TWO.secret(BEN, 2),
                TWO.chain(BEN, of["two"]),
                TWO.text(of["two"], 0, 2, entry=2),
                TWO.taken(2),
                TWO.secret(BEN, 2),
                TWO.text(of["two"], 0, 2, entry=2),
            ],
            "GroupEntryMissing",
            ["GRP-39"],
            scene=TWO,
        ),
        Play(
            "the entry of another log",
            [*BEGUN, ONE.text(ben, 0, entry_hash=draw("another entry", 32)), BEN_WRITES],
            "InvalidSignature",
            ["GRP-1", "GRP-7"],
        ),
        Play("twice", [*BEGUN, BEN_WRITES, BEN_WRITES], "DuplicateMessage", ["GRP-8"]),
        Play(
            "twice, with others between",
            [*BEGUN, BEN_WRITES, ONE.text(ben, 2), ONE.text(ben, 1), ONE.text(ben, 1)],
            "DuplicateMessage",
            ["GRP-8"],
        ),
        Play("the greatest number", [*BEGUN, ONE.text(ben, 0, base=2**32 - 1), BEN_WRITES], wrong, ["GRP-8"]),
        Play(
            "of another group",
            [*BEGUN, ONE.text(ben.with_(group=draw("other", 16)), 0), BEN_WRITES],
            "MalformedMessage",
            ["GRP-2"],
        ),
        Play(
            "of a newcomer, before the entry that adds it",
            [MORE.taken(), MORE.chain(EVE, MORE.writer(EVE)), MORE.text(MORE.writer(EVE), 0)],
            wrong,
            ["GRP-38"],
            scene=MORE,
        ),
        Play(
            "2,001 are skipped",
            [*BEGUN, ONE.text(ben, 2_001), ONE.text(ben, 2_000), ONE.text(ben, 2_001)],
            "TooManySkipped",
            ["GRP-7"],
        ),
        Play(
            "under another key",
            [*BEGUN, ONE.text(ben, 0, key=bytes(32)), BEN_WRITES],
            "AuthenticationFailed",
            ["GRP-7"],
        ),
    ]


def early() -> list[Play]:
    """Return texts before the first one whose key was handed out. [GRP-14]"""
    ben, held = ONE.writer(BEN), "GroupKeyMissing"
    log = ONE.taken()
    later, first = ONE.chain(BEN, ben, number=3), ONE.chain(BEN, ben)
    texts = [ONE.text(ben, at) for at in range(5)]
    two, both = TWO.writer(BEN), [TWO.taken(), TWO.secret(ANNA, 1), TWO.secret(BEN, 2)]
    answer = TWO.chain(BEN, two, 2, number=2)
    new = Scene(CREATED.add(ANNA.at(1, 1), ADD, [member(EVE.at(1), WRITER)]), reader=EVE.user_id)
    other = new.writer(BEN)
    forged = ONE.text(ben, 1, signing_seed=draw("another signing key", 32))
    return [
        Play(
            "its letter comes later",
            [log, later, texts[3], texts[1], first, texts[1], texts[0], texts[4]],
            held,
            ["GRP-14"],
        ),
        Play("its letter does not come", [log, later, texts[2], texts[3]], held, ["GRP-14"]),
        Play(
            "it opens once", [log, later, first, texts[1], texts[1]], "DuplicateMessage", ["GRP-14", "GRP-8"]
        ),
        Play(
            "the chain of the epoch before has its key",
            [*both, answer, TWO.text(two, 0, 2, entry=2), TWO.chain(BEN, two), TWO.text(two, 0, 2, entry=2)],
            held,
            ["GRP-14"],
            scene=TWO,
        ),
        Play(
            "a forged one is refused", [log, later, forged, texts[3]], "InvalidSignature", ["GRP-14", "GRP-7"]
        ),
        Play(
            "it was sealed before this user came",
            [new.taken(), new.chain(BEN, other, number=1), new.text(other, 0), new.text(other, 1, entry=2)],
            "InvalidGroupText",
            ["GRP-14"],
            scene=new,
        ),
        Play(
            "it was sealed before this user came, and no chain is here",
            [new.taken(), new.text(other, 0), new.chain(BEN, other), new.text(other, 1, entry=2)],
            "InvalidGroupText",
            ["GRP-14"],
            scene=new,
        ),
        Play(
            "more than 2,000 are between",
            [log, ONE.chain(BEN, ben, number=2_001), first, texts[0], ONE.text(ben, 2_001)],
            held,
            ["GRP-14"],
        ),
        Play(
            "of a seed that was begun in the epoch",
            [
                log,
                ONE.chain(BEN, ben, base=SEED, number=3),
                ONE.text(ben, 1, base=SEED),
                ONE.chain(BEN, ben, base=SEED),
                ONE.text(ben, 1, base=SEED),
            ],
            held,
            ["GRP-14"],
        ),
        Play(
            "the chain of the epoch before is of another seed",
            [
                *both,
                answer,
                TWO.chain(BEN, TWO.writer(BEN, seed=" 2")),
                TWO.text(two, 0, 2, entry=2),
                TWO.text(two, 2, 2, entry=2),
            ],
            held,
            ["GRP-14"],
            scene=TWO,
        ),
    ]


def over() -> list[Play]:
    """Return epochs that are deleted, and keys for which there is no room. [GRP-41] [GRP-42]"""
    two = TWO.writer(BEN)
    start = [TWO.taken(), TWO.secret(ANNA, 1), TWO.secret(BEN, 2), TWO.chain(BEN, two)]
    old, new = TWO.text(two, 0), TWO.text(two, 0, 2, entry=2)
    log = CREATED
    for _ in range(7):
        log = log.add(BEN.at(1), RENEW)
    many = Scene(log)
    ben, all_ = many.writer(BEN), [many.taken(), *(many.secret(BEN, each) for each in range(1, 9))]
    eighth = many.text(ben, 0, 8, entry=8)
    first, second = many.text(ben, 0), many.text(ben, 0, 2, entry=2)
    given = [*all_, many.chain(BEN, ben)]
    wrong = "InvalidGroupText"
    return [
        Play("29 days", [*start, waited(30 * DAY - 1), old, new], None, ["GRP-41"], scene=TWO),
        Play("30 days", [*start, waited(30 * DAY), old, new], wrong, ["GRP-41"], scene=TWO),
        Play("seven later epochs, at once", [*given, first, second, eighth], None, ["GRP-41"], scene=many),
        Play(
            "seven later epochs, less than a day",
            [*given, waited(DAY - 1), first, second],
            None,
            ["GRP-41"],
            scene=many,
        ),
        Play(
            "seven later epochs, a day",
            [*given, waited(DAY), first, second, eighth],
            wrong,
            ["GRP-41"],
            scene=many,
        ),
        Play(
            "five later epochs are kept",
            [*given, waited(DAY), second, many.text(ben, 0, 3, entry=3)],
            wrong,
            ["GRP-41"],
            scene=many,
        ),
        Play(
            "all of them, 30 days later, and the chain goes on",
            [*given, waited(30 * DAY), first, second, eighth],
            wrong,
            ["GRP-41"],
            scene=many,
        ),
        Play(
            "a chain that comes after its epoch was deleted",
            [TWO.taken(), TWO.secret(BEN, 2), waited(30 * DAY), TWO.chain(BEN, two), old, new],
            wrong,
            ["GRP-41", "GRP-37"],
            scene=TWO,
            also=["GroupKeyMissing"],
        ),
        Play(
            "seven later epochs, a day, and a secret between comes after it",
            [
                many.taken(),
                *(many.secret(BEN, each) for each in range(1, 9) if each != 3),
                many.chain(BEN, ben),
                first,
                waited(DAY),
                many.secret(BEN, 3),
                eighth,
                second,
                waited(DAY),
                many.text(ben, 1, 2, entry=2),
            ],
            wrong,
            ["GRP-41"],
            scene=many,
        ),
        *room(),
    ]


def room() -> list[Play]:
    """Return chains with so many skipped texts that there is no room for all keys. [GRP-42]"""
    ten = [ONE.writer(ANNA, seed=f" {at}") for at in range(1, 11)]
    steps: list[Json] = [ONE.taken(), ONE.chain(BEN, ONE.writer(BEN))]
    for at, writer in enumerate(ten, 1):
        handed = ONE.chain(ANNA, writer, base=at * SEED, before=(at - 1) * SEED + 2_001 if at > 1 else 0)
        steps += [handed, ONE.text(writer, 2_000, base=at * SEED)]
    late, of_ben = ONE.text(ten[0], 7, base=SEED), ONE.text(ONE.writer(BEN), 0)
    last = ONE.text(ten[9], 2_001, base=10 * SEED)
    return [
        Play("20,000 keys", [*steps, late], None, ["GRP-42"]),
        Play(
            "20,001 keys: who has the most loses all",
            [*steps, ONE.text(ONE.writer(BEN), 1), of_ben, late, last],
            "DuplicateMessage",
            ["GRP-42"],
        ),
    ]
