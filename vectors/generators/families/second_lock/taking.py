"""What both servers give to whoever waited: the recovery key, a server at fault, or a wait that goes on."""

import hashlib

from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.halves import (
    ASKING,
    HALF,
    OTHER_ASKING,
    RELEASE,
    WAITS,
    Cut,
    commitment,
    public_of,
    wait,
)
from generators.support.hpke import seal_to
from generators.support.labels import draw, flipped
from generators.support.recovery_home import HOME, STRANGER

ONE, TWO, THREE = Cut("one"), Cut("two"), Cut("three")

Halves = list[list[Value]]


def answer(server: int, halves: Halves | None = None, *, waits: Value = False) -> bytes:
    """Return what a server gives. `waits` is another wait than the one that is over."""
    shown = wait(server) if waits is False else waits
    found: list[Value] = [*([ONE.given(server)] if halves is None else halves)]
    return encode([1, shown, found])


def given(first: bytes, second: bytes, *, asking: bytes = ASKING, user_id: bytes | None = None) -> Json:
    """Return the input of second_lock.finish."""
    whose = HOME.user_id if user_id is None else user_id
    asked = {"asking": asking.hex(), "user_id": whose.hex()}
    return {**asked, "first": first.hex(), "second": second.hex()}


def add(family: Family) -> None:
    """Add the groups."""
    keys(family)
    waiting(family)
    faults(family)
    others(family)


def keys(family: Family) -> None:
    """Add halves that make a recovery key."""
    group = family.group("second_lock.finish", "the halves of the newest deposit that both servers hold")
    for comment, mine, theirs, whole in (
        ("one at each", [ONE], [ONE], ONE),
        ("the newer one of two", [ONE, TWO], [ONE, TWO], TWO),
        ("the one before, because server 2 has no other", [ONE, TWO], [ONE], ONE),
        ("the one before, because server 1 has no other", [ONE], [ONE, TWO], ONE),
        ("the new one, because server 1 has kept it", [TWO], [ONE, TWO], TWO),
        ("the common one of three", [ONE, TWO], [ONE, THREE], ONE),
    ):
        first, second = ([each.given(at) for each in held] for at, held in ((1, mine), (2, theirs)))
        asked = given(answer(1, first), answer(2, second))
        group.valid(comment, asked, rules=["REC-43"], output={"key": whole.key.hex()})


def waiting(family: Family) -> None:
    """Add servers that give nothing yet, and waits that are over."""
    group = family.group("second_lock.finish", "a server that gives no half yet")
    none: Halves = []
    unsent = wait(1, told=0), wait(2, told=0)
    for comment, first, second, rule in (
        ("server 1 waits", answer(1, none, waits=wait(1, left=1)), answer(2), "REC-38"),
        ("server 2 waits", answer(1), answer(2, none, waits=wait(2, left=259_200)), "REC-38"),
        ("both wait", answer(1, none, waits=wait(1, left=5)), answer(2, none, waits=wait(2, left=9)),
         "REC-38"),
        ("server 1 has sent no notice yet", answer(1, none, waits=unsent[0]), answer(2), "REC-42"),
        ("server 2 has sent no notice yet", answer(1), answer(2, none, waits=unsent[1]), "REC-42"),
        ("a half from a server that still waits", answer(1, waits=wait(1, left=1)), answer(2), "REC-38"),
        ("a half from a server that has sent no notice", answer(1), answer(2, waits=unsent[1]), "REC-42"),
    ):  # fmt: skip
        group.invalid(comment, given(first, second), "HalfWaits", flags=["Waits"], rules=[rule])
    group = family.group("second_lock.finish", "a wait that is no longer there")
    for comment, first, second in (
        ("at server 1", answer(1, none, waits=None), answer(2)),
        ("at server 2", answer(1), answer(2, none, waits=None)),
        ("at both", answer(1, none, waits=None), answer(2, none, waits=None)),
        ("at server 1, with a half", answer(1, waits=None), answer(2)),
        ("at server 2, with a half", answer(1), answer(2, waits=None)),
        ("at server 2, while server 1 waits", answer(1, none, waits=wait(1, left=1)),
         answer(2, none, waits=None)),
    ):  # fmt: skip
        group.invalid(comment, given(first, second), "RecoveryRefused", flags=["Stopped"], rules=["REC-40"])


def faults(family: Family) -> None:
    """Add servers that show no common deposit, or give nothing."""
    group = family.group("second_lock.finish", "servers that hold other deposits")
    none: Halves = []

    def both(mine: list[Cut], theirs: list[Cut]) -> tuple[bytes, bytes]:
        return answer(1, [each.given(1) for each in mine]), answer(2, [each.given(2) for each in theirs])

    slower = Cut("one", ONE.delay + 1)
    for comment, answers in (
        ("none at server 1 after the delay", (answer(1, none), answer(2))),
        ("none at server 2 after the delay", (answer(1), answer(2, none))),
        ("none in common", both([ONE], [TWO])),
        ("none of two in common", both([ONE], [TWO, THREE])),
        ("in another order", both([ONE, TWO], [TWO, ONE])),
        ("with another delay", both([ONE], [slower])),
    ):
        group.invalid(comment, given(*answers), "ServerAtFault", flags=["Choice"], rules=["REC-43"])


def others(family: Family) -> None:
    """Add halves that are not the ones that the user cut."""
    group = family.group("second_lock.finish", "a half that is not the one of the deposit")
    cases: list[tuple[str, str, Json]] = []
    for server in (1, 2):
        other, wrong = 3 - server, draw("another half", 32)
        swapped = [ONE.deposit[0], *(commitment(each, ONE.halves[2 - each]) for each in (1, 2))]
        bound = [server, HOME.user_id, WAITS[server - 1], ONE.deposit]
        infos: list[tuple[str, bytes]] = [
            ("for the other server", RELEASE + encode([other, *bound[1:]])),
            ("for another user", RELEASE + encode([server, STRANGER.user_id, *bound[2:]])),
            ("for another wait", RELEASE + encode([*bound[:2], WAITS[other - 1], ONE.deposit])),
            ("for another deposit", RELEASE + encode([*bound[:3], TWO.deposit])),
            ("for a deposit the other way round", RELEASE + encode([*bound[:3], swapped])),
            ("without a deposit", RELEASE + encode(bound[:3])),
            ("without a label", encode(bound)),
            ("as a provisional seed", b"letterlock-v1 released provisional seed" + encode(bound)),
        ]
        cases += [(f"server {server}: sealed {what}", "REC-40", _with(server, ONE.given(server, info=info)))
                  for what, info in infos]  # fmt: skip
        cases += [
            (f"server {server}: another half", "REC-43", _with(server, ONE.given(server, half=wrong))),
            (f"server {server}: the half of the other server", "REC-43",
             _with(server, ONE.given(server, half=ONE.halves[other - 1]))),
            (f"server {server}: the half of the deposit before", "REC-43",
             _with(server, ONE.given(server, half=TWO.halves[server - 1]))),
            (f"server {server}: sealed to somebody else", "REC-40",
             _with(server, ONE.given(server, key=OTHER_ASKING))),
            (f"server {server}: a changed encapsulation", "REC-40",
             _with(server, [ONE.deposit, flipped(ONE.sealed(server), 5)])),
            (f"server {server}: a changed tag", "REC-40",
             _with(server, [ONE.deposit, flipped(ONE.sealed(server), -1)])),
        ]  # fmt: skip
    for comment, rule, asked in cases:
        group.invalid(comment, asked, "ServerAtFault", flags=["Half"], rules=[rule])
    sound = answer(1), answer(2)
    stranger = given(*sound, user_id=STRANGER.user_id)
    group.invalid("the halves of another user", stranger, "ServerAtFault", flags=["Half"], rules=["REC-40"])
    group.invalid("another key than the one that asked", given(*sound, asking=OTHER_ASKING), "ServerAtFault",
                  flags=["Half"], rules=["REC-40"])  # fmt: skip
    for comment, made in _commitments():
        group.invalid(comment, made, "ServerAtFault", flags=["Half"], rules=["REC-43"])


def _with(server: int, half: list[Value]) -> Json:
    """Return the input in which one server gives this half."""
    return given(*(answer(each, [half] if each == server else None) for each in (1, 2)))


def _commitments() -> list[tuple[str, Json]]:
    """Return sound halves under deposits that commit to them in another way."""
    found = list[tuple[str, Json]]()
    for comment, commitments in (
        ("both commitments the other way round",
         [commitment(each, ONE.halves[each - 1]) for each in (2, 1)]),
        ("commitments for another user",
         [commitment(each, ONE.halves[each - 1], user_id=STRANGER.user_id) for each in (1, 2)]),
        ("commitments without a label",
         [commitment(each, ONE.halves[each - 1], label=b"") for each in (1, 2)]),
        ("commitments without the servers", [_plain(ONE.halves[each - 1]) for each in (1, 2)]),
    ):  # fmt: skip
        deposit: list[Value] = [ONE.delay, *commitments]
        answers = list[bytes]()
        for server in (1, 2):
            info = RELEASE + encode([server, HOME.user_id, WAITS[server - 1], deposit])
            text = ONE.halves[server - 1]
            sealed = seal_to(public_of(ASKING), f"half {server} of {comment}", info, text)
            answers.append(answer(server, [[deposit, sealed]]))
        found.append((comment, given(*answers)))
    return found


def _plain(half: bytes) -> bytes:
    return hashlib.sha256(HALF + HOME.user_id + half).digest()
