"""Calls and answers about provisional identities as bytes: read, and refused."""

from typing import Final

from generators.support.bodies import Body, given, refuse, refuse_bytes
from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.halves import ASKING, public_of
from generators.support.labels import draw
from generators.support.recovery_bodies import BAD_SIGNING_KEYS, add_bodies, bad_sealing_keys, swap_numbers
from generators.support.recovery_scene import ed25519
from generators.support.relay_elements import Element, blob, check_kind, different, items, record, uint

U32: Final = 2**32 - 1
ADDRESS: Final = blob("address", b"somebody@example.org", 1, 320)
OWNER: Final = blob("owner", ed25519(draw("owner of an identity", 32)), 32, 32)
KEY: Final = blob("key", public_of(ASKING), 1216, 1216)
USER_ID: Final = blob("user_id", draw("user who claims", 32), 32, 32)


def id_(at: int) -> bytes:
    """Return the id of an identity."""
    return draw(f"provisional id {at}", 32)


ID: Final = blob("id", id_(1), 32, 32)


def _ids() -> Element:
    found = items("ids", ID, 0, 32, id_)
    return different(found, [("the same twice", [id_(1), id_(1)]),
                             ("the same at both ends", [id_(1), id_(2), id_(1)])])  # fmt: skip


def _seeds() -> Element:
    """Return ids, each with a sealed seed of zeros."""
    sealed = blob("sealed", bytes(1168), 1168, 1168)
    one = record((ID, sealed), lambda shown: [shown["id"], shown["sealed"]])
    found = items("seeds", one, 0, 32, lambda at: [id_(at), bytes(1168)])
    first: list[Value] = [id_(1), bytes(1168)]
    other: list[Value] = [id_(1), bytes(1167) + b"\1"]
    return different(found, [("the same twice", [first, first]), ("two seeds under one id", [first, other])])


BODIES: Final = (
    Body("make", 44, (check_kind(), ADDRESS, ID, OWNER, uint("end", 1_700_000_000, 0, U32))),
    Body("release", 45, (KEY,)),
    Body("released", None, (_seeds(),)),
    Body("claimed", 46, (USER_ID, _ids())),
    Body("withdraw", 47, (check_kind(), ADDRESS, ID, blob("signature", draw("a signature", 64), 64, 64))),
)


def add(family: Family) -> None:
    """Add the groups."""
    add_bodies(family, BODIES)
    made(family)
    swap_numbers(family, BODIES)
    keys(family)


def made(family: Family) -> None:
    """Add answers with a key, or with a user: there is always one of the two."""
    group = family.group("recovery.decode", "encodings that are read: made")
    with_key, with_user = Body("made", None, (KEY,)), Body("made", None, (USER_ID,))
    answer = {"key": None, "user_id": None}
    for what, body, array in (
        ("a key", with_key, [1, KEY.value, None]),
        ("a user", with_user, [1, None, USER_ID.value]),
    ):
        whole = answer | body.answer(body.array())
        group.valid(f"made, {what}", {"kind": "made", **given(encode(array))}, output=whole)
    for flag, what, rule, value in KEY.wrong:
        if value is not None:
            refuse(group, "made", f"key: {what}", flag, rule, encode([1, value, None]))
    for flag, what, rule, value in USER_ID.wrong:
        if value is not None:
            refuse(group, "made", f"user_id: {what}", flag, rule, encode([1, None, value]))
    refuse(group, "made", "a key and a user", "Shape", "WIRE-4", encode([1, KEY.value, USER_ID.value]))
    refuse(group, "made", "neither", "Shape", "WIRE-4", encode([1, None, None]))
    refuse_bytes(group, Body("made", None, (blob("key", b"", 0, 0), USER_ID))._replace(
        elements=(KEY._replace(value=None), USER_ID)))  # fmt: skip


def keys(family: Family) -> None:
    """Add keys that nothing is sealed to, and that verify nothing."""
    group = family.group("recovery.decode", "keys that are refused")
    for comment, key in bad_sealing_keys(public_of(ASKING)):
        for what, array in (("release", [1, 45, key]), ("made", [1, key, None])):
            asked = {"kind": what, **given(encode(array))}
            group.invalid(f"{what}: {comment}", asked, "InvalidKey", flags=["BadKey"], rules=["PRIM-15"])
    for comment, key in BAD_SIGNING_KEYS:
        asked = {"kind": "make", **given(encode([1, 44, "mail", ADDRESS.value, id_(1), key, 5]))}
        group.invalid(f"make: {comment}", asked, "InvalidKey", flags=["BadKey"], rules=["PRIM-12"])
