"""Calls and answers of a second lock as bytes: read, and refused."""

from typing import Final

from generators.support.bodies import Body, given
from generators.support.encoding import encode
from generators.support.family import Family
from generators.support.halves import ASKING, Cut, public_of
from generators.support.labels import draw
from generators.support.recovery_bodies import add_bodies, bad_sealing_keys, swap_numbers
from generators.support.relay_elements import Element, blob, check_kind, items, or_null, record, uint

U32: Final = 2**32 - 1
SIGNED: Final = blob("ml_dsa", bytes(1952), 1952, 1952), blob("signature", bytes(3373), 3373, 3373)
USER_ID: Final = blob("user_id", draw("user of a second lock", 32), 32, 32)
NUMBER: Final = uint("number", 5, 0, U32)
WAIT_ID: Final = blob("wait_id", draw("a wait", 16), 16, 16)
KEY: Final = blob("key", public_of(ASKING), 1216, 1216)


def _delay() -> Element:
    """Return a delay, whose limits are a rule of their own."""
    found = uint("delay", 100_000, 86_400, 259_200)
    wrong = [each._replace(rule="REC-38") if each.flag == "Range" else each for each in found.wrong]
    return found._replace(wrong=wrong)


def _deposit() -> Element:
    commitments = [blob(key, draw(key, 32), 32, 32) for key in ("commitment_1", "commitment_2")]
    return record((_delay(), *commitments), dict)._replace(key="deposit")


def _wait() -> Element:
    elements = (WAIT_ID, uint("asked", 1_700_000_000, 0, U32), uint("told", 1, 0, 1, bool),
                uint("left", 1000, 0, 259_200))  # fmt: skip
    return record(elements, dict)._replace(key="wait")


def _deposits() -> Element:
    return items("deposits", _deposit(), 0, 2, lambda at: Cut(f"deposit {at}").deposit)


def _halves() -> Element:
    """Return deposits, each with a sealed half of zeros."""
    sealed = blob("sealed", bytes(1168), 1168, 1168)
    one = record((_deposit(), sealed), lambda shown: [shown["deposit"], shown["sealed"]])
    return items("halves", one, 0, 2, lambda at: [Cut(f"deposit {at}").deposit, bytes(1168)])


def _place() -> Element:
    elements = (check_kind(), blob("address", b"anna@example.org", 1, 320))
    return or_null(record(elements, lambda shown: [shown["kind"], shown["address"]])._replace(key="place"))


BODIES: Final = (
    Body("lay", 41, (USER_ID, NUMBER, _deposit(), blob("half", draw("a half", 32), 32, 32), *SIGNED)),
    Body("keep", 51, (USER_ID, NUMBER, _deposit(), *SIGNED)),
    Body("ask", 42, (USER_ID, KEY)),
    Body("asked", None, (_wait(),)),
    Body("take", 43, (USER_ID, WAIT_ID)),
    Body("given", None, (or_null(_wait()), _halves())),
    Body("stop", 49, (USER_ID, NUMBER, or_null(WAIT_ID), *SIGNED)),
    Body("notify", 52, (USER_ID, NUMBER, _place(), *SIGNED)),
    Body("watch", 50, (USER_ID, *SIGNED)),
    Body("watched", None, (NUMBER, _deposits(), or_null(_wait()), uint("quiet", 100, 0, 604_800))),
)


def add(family: Family) -> None:
    """Add the groups."""
    add_bodies(family, BODIES)
    swap_numbers(family, BODIES)
    keys(family)


def keys(family: Family) -> None:
    """Add keys that nothing is sealed to."""
    group = family.group("recovery.decode", "keys that are refused")
    for comment, key in bad_sealing_keys(public_of(ASKING)):
        asked = {"kind": "ask", **given(encode([1, 42, USER_ID.value, key]))}
        group.invalid(f"ask: {comment}", asked, "InvalidKey", flags=["BadKey"], rules=["PRIM-15"])
