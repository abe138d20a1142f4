"""What a device of a member makes of the letters that it gets, by the log."""

from generators.families.groups.member_scenes import (
    BEGUN,
    MORE,
    ONE,
    READS,
    TWO,
    Play,
    add_plays,
)
from generators.support.family import Family
from generators.support.group_scenes import (
    ANNA,
    BEN,
    EVE,
    SEED,
    learned,
)
from generators.support.labels import draw


def add(family: Family) -> None:
    """Add the groups."""
    add_plays(family, "letters that wait, and chains that are taken", taken())
    add_plays(family, "chains that are not taken", dropped())
    add_plays(family, "seeds that take the place of others", seeds())
    add_plays(family, "many seeds beside a chain that was carried on", beside())


def taken() -> list[Play]:
    """Return letters that are taken."""
    ben = ONE.writer(BEN)
    chain, text = ONE.chain(BEN, ben), ONE.text(ben, 0)
    eve = MORE.writer(EVE)
    two = TWO.writer(BEN)
    return [
        Play("two members", [*BEGUN, text, ONE.text(ONE.writer(ANNA), 0)], None, ["GRP-37", "GRP-38"]),
        Play("the chain is before the log", [chain, ONE.taken(), text], None, ["GRP-37"]),
        Play(
            "of another device",
            [*BEGUN, ONE.chain(ANNA, ONE.writer(ANNA, 3)), ONE.text(ONE.writer(ANNA, 3), 0)],
            None,
            ["GRP-37"],
        ),
        Play(
            "the chain is before the entry that adds its user",
            [MORE.taken(1, 1), MORE.chain(EVE, eve), MORE.taken(2), MORE.text(eve, 0, entry=2)],
            None,
            ["GRP-37"],
            scene=MORE,
        ),
        Play(
            "the chain goes on into the next epoch",
            [
                TWO.taken(),
                TWO.secret(ANNA, 1),
                TWO.secret(BEN, 2),
                TWO.chain(BEN, two),
                TWO.text(two, 0, 2, entry=2),
            ],
            None,
            ["GRP-37", "GRP-38"],
            scene=TWO,
        ),
        Play(
            "the chain of the next epoch is before its entry",
            [
                TWO.taken(1, 1),
                TWO.chain(BEN, two, 2),
                TWO.secret(BEN, 2),
                TWO.taken(2),
                TWO.text(two, 0, 2, entry=2),
            ],
            None,
            ["GRP-37"],
            scene=TWO,
        ),
        Play(
            "the same chain again", [*BEGUN, chain, text, chain, ONE.text(ben, 1)], None, ["GRP-37", "GRP-44"]
        ),
    ]


def dropped() -> list[Play]:
    """Return letters that are not taken, each with the text that does not open for it."""
    ben, anna = ONE.writer(BEN), ONE.writer(ANNA)
    log, text, secret = ONE.taken(), ONE.text(ben, 0), ONE.secret(ANNA, 1)
    right, two = ONE.chain(BEN, ben), TWO.writer(BEN)
    late, carried = TWO.text(two, 0, 2, entry=2), [TWO.taken(), TWO.chain(BEN, two)]
    eve = ONE.writer(EVE)
    held = "GroupKeyMissing"
    return [
        Play("no letter", [log, secret, text, right, text], held, ["GRP-39"]),
        Play(
            "the chain of somebody else",
            [log, ONE.chain(ANNA, ben, device=1), text, right, text],
            held,
            ["GRP-37"],
        ),
        Play(
            "the chain of another device of the user",
            [log, ONE.chain(ANNA, ONE.writer(ANNA, 3), device=1), ONE.text(ONE.writer(ANNA, 3), 0)],
            held,
            ["GRP-37"],
        ),
        Play(
            "of a device that is not listed",
            [log, ONE.chain(BEN, ONE.writer(BEN, 2)), text, right, text],
            held,
            ["GRP-37"],
        ),
        Play(
            "of a device that is revoked",
            [learned(ANNA, 3), log, ONE.chain(ANNA, ONE.writer(ANNA, 2)), ONE.text(ONE.writer(ANNA, 2), 0)],
            "DeviceRevoked",
            ["GRP-37", "GRP-38"],
        ),
        Play(
            "a chain of another entry",
            [log, ONE.chain(BEN, ben.with_(openings={1: draw("another entry", 32)})), text, right, text],
            held,
            ["GRP-37"],
        ),
        Play(
            "of another group",
            [log, ONE.chain(BEN, ben.with_(group=draw("other", 16))), text, right, text],
            held,
            ["GRP-37"],
        ),
        Play("of an epoch to come", [log, ONE.chain(BEN, ben, 2), text, right, text], held, ["GRP-37"]),
        Play(
            "of a stranger",
            [log, ONE.chain(EVE, eve), ONE.text(eve, 0)],
            "InvalidGroupText",
            ["GRP-37", "GRP-38"],
        ),
        Play(
            "of a user who may only read",
            [READS.taken(), READS.chain(ANNA, READS.writer(ANNA)), READS.text(READS.writer(BEN), 0, entry=2)],
            "InvalidGroupText",
            ["GRP-38"],
            scene=READS,
        ),
        Play(
            "of a stranger, for an epoch that is over",
            [TWO.taken(), TWO.chain(EVE, TWO.writer(EVE)), TWO.text(TWO.writer(EVE), 0)],
            "InvalidGroupText",
            ["GRP-43"],
            scene=TWO,
        ),
        Play(
            "no secret of the next epoch",
            [*carried, late, TWO.secret(BEN, 2), late],
            held,
            ["GRP-39"],
            scene=TWO,
        ),
        Play(
            "another secret",
            [*carried, TWO.secret(BEN, 2, secret=bytes(32)), late, TWO.secret(ANNA, 2), late],
            held,
            ["GRP-5"],
            scene=TWO,
        ),
        Play(
            "the secret of the epoch before",
            [*carried, TWO.secret(BEN, 2, secret=draw("epoch secret 1", 32)), late, TWO.secret(BEN, 2), late],
            held,
            ["GRP-5"],
            scene=TWO,
        ),
        Play(
            "the secret with another entry",
            [*carried, TWO.secret(BEN, 2, opening=bytes(32)), late, TWO.secret(BEN, 2), late],
            held,
            ["GRP-5"],
            scene=TWO,
        ),
        Play(
            "the secret of a device that is not listed",
            [*carried, TWO.secret(BEN, 2, device=2), late, TWO.secret(BEN, 2), late],
            held,
            ["GRP-5"],
            scene=TWO,
        ),
        Play(
            "a secret that is there already stays",
            [*carried, TWO.secret(BEN, 2), TWO.secret(ANNA, 2, secret=bytes(32)), late, late],
            "DuplicateMessage",
            ["GRP-5", "GRP-8"],
            scene=TWO,
        ),
        Play(
            "the chain key was changed",
            [log, ONE.chain(BEN, anna), ONE.text(anna, 0), right, text],
            held,
            ["GRP-37"],
        ),
    ]


def seeds() -> list[Play]:
    """Return seeds that follow each other in an epoch, and one that was stolen. [GRP-29] [GRP-43] [GRP-44]"""
    first, second = ONE.writer(BEN), ONE.writer(BEN, seed=" 2")
    third, thief = ONE.writer(BEN, seed=" 3"), ONE.writer(BEN, seed=" thief")
    log, one = ONE.taken(), ONE.chain(BEN, first)
    two = ONE.chain(BEN, second, base=SEED, before=2)
    three = ONE.chain(BEN, third, base=2 * SEED, before=SEED + 1)
    stolen = ONE.text(first, 2)
    old, new = [ONE.text(first, at) for at in (0, 1)], ONE.text(second, 0, base=SEED)
    other = ONE.chain(BEN, thief, base=SEED, before=2)
    wrong = "InvalidGroupText"
    many = [ONE.writer(BEN, seed=f" {at}") for at in range(1, 18)]
    chains = [
        ONE.chain(BEN, each, base=SEED * at, before=SEED * (at - 1) + 1) for at, each in enumerate(many, 1)
    ]
    lost, kept = ONE.text(many[0], 0, base=SEED), ONE.text(many[1], 0, base=2 * SEED)
    return [
        Play("texts of both seeds", [log, one, two, *old, new], None, ["GRP-29"]),
        Play("texts of both, the later seed first", [log, two, one, new, *old], None, ["GRP-29"]),
        Play("texts of the earlier seed come late", [log, one, two, new, *reversed(old)], None, ["GRP-29"]),
        Play(
            "a text of the earlier seed after the next one began",
            [log, one, two, old[0], stolen, new],
            wrong,
            ["GRP-29"],
        ),
        Play("the same, the later seed first", [log, two, one, stolen, old[0]], wrong, ["GRP-29"]),
        Play("the same, long after", [log, one, two, ONE.text(first, 1_000), new], wrong, ["GRP-29"]),
        Play(
            "no text was sent under the earlier seed",
            [log, one, ONE.chain(BEN, second, base=SEED), old[0], new],
            wrong,
            ["GRP-29"],
        ),
        Play(
            "of three seeds, a text of the second after the third began",
            [log, one, two, three, ONE.text(second, 1, base=SEED), new],
            wrong,
            ["GRP-29"],
        ),
        Play("of three seeds in another order", [log, three, two, one, stolen, new, *old], wrong, ["GRP-29"]),
        Play(
            "another seed in the place of one that opened a text",
            [log, two, new, other, ONE.text(thief, 1, base=SEED), ONE.text(second, 1, base=SEED)],
            "InvalidSignature",
            ["GRP-44"],
        ),
        Play(
            "seeds that change places make no old text new",
            [log, two, new, other, two, new],
            "DuplicateMessage",
            ["GRP-44", "GRP-8"],
        ),
        Play(
            "another seed in the place of one that opened nothing",
            [log, two, other, new, ONE.text(thief, 0, base=SEED)],
            "InvalidSignature",
            ["GRP-44"],
        ),
        Play(
            "another seed in the place of the first one, which opened a text",
            [log, one, old[0], ONE.chain(BEN, third), ONE.text(third, 1), old[1]],
            "InvalidSignature",
            ["GRP-44"],
        ),
        Play("sixteen seeds", [log, one, *chains[:16], lost, kept], None, ["GRP-43"]),
        Play("seventeen seeds", [log, one, *chains, lost, kept], "GroupKeyMissing", ["GRP-43"]),
        Play(
            "seventeen seeds, the greatest first",
            [log, one, *reversed(chains), lost, kept],
            "GroupKeyMissing",
            ["GRP-43"],
        ),
        Play(
            "a text of a seed that nobody handed out", [log, one, new, old[0]], "GroupKeyMissing", ["GRP-39"]
        ),
    ]


def beside() -> list[Play]:
    """Return seeds that are begun in an epoch into which another chain goes on. [GRP-43]"""
    before = TWO.writer(BEN)
    log = [TWO.taken(), TWO.secret(ANNA, 1), TWO.secret(BEN, 2), TWO.chain(BEN, before)]
    many = [TWO.writer(BEN, seed=f" {at}", begun=2) for at in range(1, 18)]
    chains = [
        TWO.chain(BEN, each, 2, base=SEED * at, before=SEED * (at - 1) + 1 if at > 1 else 2)
        for at, each in enumerate(many, 1)
    ]
    own = [TWO.text(before, at, 2, entry=2) for at in range(3)]
    first, second, last = (
        TWO.text(many[at], 0, 2, entry=2, base=SEED * (at + 1)) for at in (0, 1, len(many) - 1)
    )
    held, rules = "GroupKeyMissing", ["GRP-29", "GRP-43"]
    return [
        Play("sixteen seeds", [*log, own[0], *chains[:16], own[1], first, second], None, rules, TWO),
        Play("seventeen seeds", [*log, own[0], *chains, own[1], second, last, first], held, rules, TWO),
        Play(
            "sixteen seeds, and what opened before them opens no more",
            [*log, own[0], *chains[:16], own[0], own[1]],
            "DuplicateMessage",
            ["GRP-8", "GRP-43"],
            TWO,
        ),
        Play(
            "seventeen seeds in another order, and the same",
            [*log, own[1], *reversed(chains), own[1], own[0], own[0]],
            "DuplicateMessage",
            ["GRP-8", "GRP-43"],
            TWO,
        ),
        Play("seventeen, and it opens its first text then", [*log, *chains, own[0], first], held, rules, TWO),
        Play(
            "seventeen, and a text of it after they began",
            [*log, own[0], chains[0], own[2], *chains[1:], own[1], first],
            "InvalidGroupText",
            rules,
            TWO,
            [held],
        ),
    ]
