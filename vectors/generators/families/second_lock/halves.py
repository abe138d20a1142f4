"""A recovery key that is cut into halves, and the deposit that both servers keep."""

from generators.support.encoding import Value
from generators.support.family import Family, Json
from generators.support.halves import Cut, watched
from generators.support.labels import draw
from generators.support.recovery_home import HOME

ONE, TWO, THREE = Cut("one"), Cut("two"), Cut("three")
LAST = 2**32 - 1


def cut(whole: Cut, first: str, second: str, *, key: bytes | None = None) -> Json:
    """Return the input of second_lock.cut."""
    return {
        "key": (whole.key if key is None else key).hex(), "user_id": HOME.user_id.hex(),
        "delay": whole.delay, "half": whole.halves[0].hex(), "first": first, "second": second,
    }  # fmt: skip


def add(family: Family) -> None:
    """Add the groups."""
    cutting(family)
    keeping(family)


def cutting(family: Family) -> None:
    """Add keys that are cut."""
    group = family.group("second_lock.cut", "what both servers are brought")
    nothing = watched(number=0)
    shortest, longest = Cut("one", 86_400), Cut("one", 259_200)
    for comment, whole, first, second, numbers in (
        ("a first second lock", ONE, nothing, nothing, [1, 1]),
        ("the shortest delay", shortest, nothing, nothing, [1, 1]),
        ("the longest delay", longest, nothing, nothing, [1, 1]),
        ("another one, at servers that count differently", TWO, watched(ONE.deposit, number=8),
         watched(ONE.deposit, number=LAST - 1), [9, LAST]),
    ):  # fmt: skip
        halves = [each.hex() for each in whole.halves]
        output = {"deposit": whole.shown(), "halves": halves, "numbers": numbers}
        group.valid(comment, cut(whole, first, second), rules=["REC-35"], output=output)
    for comment, first, second in (
        ("the last number at server 1", watched(number=LAST), nothing),
        ("the last number at server 2", nothing, watched(number=LAST)),
        ("the last number, with a deposit", watched(ONE.deposit, number=LAST), watched(ONE.deposit)),
    ):
        group.invalid(comment, cut(ONE, first, second), "ServerAtFault", flags=["LastNumber"],
                      rules=["REC-37"])  # fmt: skip


def keeping(family: Family) -> None:
    """Add what two servers hold after a change that was interrupted."""
    group = family.group("second_lock.keep", "the newest deposit that both servers hold")
    one, two, three = ONE.deposit, TWO.deposit, THREE.deposit
    for comment, first, second, kept in (
        ("one at each", [one], [one], ONE),
        ("both hold both", [one, two], [one, two], TWO),
        ("only server 1 has the new one", [one, two], [one], ONE),
        ("only server 2 has the new one", [one], [one, two], ONE),
        ("only server 1 has kept the new one", [two], [one, two], TWO),
        ("different new ones", [one, two], [one, three], ONE),
    ):
        given = _given(first, second)
        output = {"deposit": kept.shown(), "numbers": [3, 4]}
        group.valid(comment, given, rules=["REC-43"], output=output)
    bound: list[Value] = [one[0], draw("another commitment", 32), one[2]]
    for comment, first, second in (
        ("none at either", [], []),
        ("none at server 1", [], [one]),
        ("none at server 2", [one, two], []),
        ("none in common", [one], [two]),
        ("none of two in common", [one], [two, three]),
        ("in another order", [one, two], [two, one]),
        ("with another delay", [one], [[one[0] + 1, *one[1:]]]),  # type: ignore[operator]
        ("with another commitment", [one], [bound]),
        ("with both commitments the other way round", [one], [[one[0], one[2], one[1]]]),
    ):
        group.invalid(comment, _given(first, second), "ServerAtFault", flags=["Choice"], rules=["REC-43"])


def _given(first: list[list[Value]], second: list[list[Value]]) -> Json:
    shown = {"first": watched(*first), "second": watched(*second, number=4)}
    return {"user_id": HOME.user_id.hex(), **shown}
