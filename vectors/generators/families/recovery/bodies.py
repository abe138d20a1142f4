"""Calls, answers, locks, cards and contents of boxes as bytes: read, and refused."""

from typing import Any, Final

from generators.families.recovery.functions import BAD_ELEMENTS, SEED
from generators.families.recovery.locks import BOBS, ONE, TWO
from generators.support.bodies import Body, given, refuse
from generators.support.encoding import Value, encode
from generators.support.family import Family, Group
from generators.support.labels import draw
from generators.support.recovery_bodies import BAD_SIGNING_KEYS, add_bodies, bad_sealing_keys
from generators.support.recovery_scene import MEMORY, Made, ed25519, public_of
from generators.support.relay_elements import (
    Element,
    Wrong,
    blob,
    check_kind,
    items,
    name,
    or_null,
    record,
    shown,
    uint,
)
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed

U32: Final = 2**32 - 1
RECEIVING: Final = XWingKeyPair(XWingSeed(draw("a recovery device receiving", 32))).public.data


def shown_lock(data: bytes) -> Any:
    """Return one of the locks as an operation shows it."""
    made = next(each for each in (ONE, TWO) if each.lock() == data)
    return lock_fields(made)


def lock_fields(made: Made) -> dict[str, Any]:
    """Return the fields of a lock."""
    return {
        **made.name(), "passes": 3, "memory": MEMORY, "public_1": made.public[0].hex(),
        "public_2": made.public[1].hex(), "sealed": made.sealed().hex(),
    }  # fmt: skip


def _fixed(key: str, size: int, *, null: bool = False) -> Element:
    return blob(key, draw(f"recovery {key}", size), size, size, null=null)


def _long(key: str, size: int) -> Element:
    """Return a long byte string: zeros, which are short in the file."""
    return blob(key, bytes(size), size, size)


def _name() -> tuple[Element, Element]:
    return (
        blob("user_id", ONE.user_id, 32, 32),
        blob("lock_id", ONE.lock_id, 16, 16),
    )


def _standing() -> Element:
    elements = (uint("uses_left", 7, 0, 1000), uint("not_before", 1_700_000_000, 0, U32),
                uint("rests", 0, 0, 1, bool))  # fmt: skip
    return record(elements, dict)._replace(key="standing")


def _lock() -> Element:
    """Return a lock in a byte string."""
    found = blob("lock", ONE.lock(), 1, 256)
    wrong = [
        Wrong("Hardness", "with two passes", "REC-4", ONE.lock(passes=2)),
        Wrong("Shape", "without its last element", "WIRE-4", encode(ONE.fields())),
        Wrong("LongForm", "with a byte after it", "WIRE-2", ONE.lock() + b"\0"),
    ]
    ranges = [each for each in found.wrong if each.flag != "Range" or each.value == b""]
    return found._replace(right=[], wrong=[*ranges, *wrong], show=shown_lock)


def _locks() -> Element:
    found = items("locks", _lock(), 0, 2, lambda at: (TWO if at == 2 else ONE).lock())
    return found._replace(value=[TWO.lock(), ONE.lock()])


def _own_lock() -> Element:
    """Return a lock that must be of the user that is named beside it."""
    lock = _lock()
    return lock._replace(wrong=[*lock.wrong, Wrong("Shape", "of another user", "WIRE-4", BOBS.lock())])


def _key(key: str) -> Element:
    return blob(key, public_of(SEED), 32, 32)


def _payload() -> Element:
    """Return a payload, which may be much longer."""
    found = _fixed("payload", 40)
    wrong = [each for each in found.wrong if each.flag != "Range"]
    return found._replace(wrong=[*wrong, Wrong("Range", "no byte", "WIRE-4", b"")])


SIGNED: Final = _long("ml_dsa", 1952), _long("signature", 3373)

CARD: Final[list[Value]] = [1, ONE.user_id, RECEIVING, bytes(1952), bytes(3373)]


def shown_card(_: bytes) -> Any:
    """Return the one card as an operation shows it."""
    keys = ("user_id", "receiving", "ml_dsa", "signature")
    return {key: shown(value) for key, value in zip(keys, CARD[1:], strict=True)}


def _card(*, null: bool = False) -> Element:
    """Return a card in a byte string."""
    found = blob("card", encode(CARD), 1, 8192, null=null)
    wrong = [
        Wrong("Shape", "without its last element", "WIRE-4", encode(CARD[:-1])),
        Wrong("LongForm", "with a byte after it", "WIRE-2", encode(CARD) + b"\0"),
        Wrong("Shape", "with a shorter key", "WIRE-4", encode([*CARD[:2], RECEIVING[1:], *CARD[3:]])),
    ]
    types = [each for each in found.wrong if each.flag != "Range" or each.value == b""]
    return found._replace(right=[], wrong=[*types, *wrong], show=shown_card)


def _box() -> Element:
    """Return a box, which may be much longer."""
    return _fixed("box", 40)._replace(right=[], wrong=[Wrong("Range", "no byte", "WIRE-4", b"")])


def _lists() -> Element:
    one = blob("list", draw("recovery list", 30), 1, 192 * 1024)
    found = items("lists", one, 0, 20, lambda at: draw(f"recovery list {at}", 30))
    return found._replace(right=[each for each in found.right if "bytes" not in each[0]])


def _opaque(key: str, *, null: bool = False) -> Element:
    return blob(key, draw(f"recovery {key}", 90), 1, 512, null=null)


def _time() -> Element:
    """Return seconds. The latest that may be asked is no integer of JSON."""
    found = uint("time", 1_700_000_000, 0, 2**53)
    return found._replace(right=[*found.right[:1], ("2^53 - 1", 2**53 - 1)])


def _user_id() -> Element:
    return _name()[0]


BODIES: Final = (
    Body(
        "lock", None,
        (*_name(), uint("passes", 3, 3, 16), uint("memory", 2**27, 2**26, 2**30), _key("public_1"),
         _key("public_2"), _fixed("sealed", 80)),
    ),
    Body("show", 30, (_name()[0],)),
    Body("shown", None, (_locks(), _standing())),
    Body(
        "evaluate", 31,
        (*_name(), _fixed("blinded", 32), _fixed("companion", 32, null=True),
         _fixed("ticket", 68, null=True)),
    ),
    Body(
        "evaluated", None,
        (_fixed("evaluation", 96), _fixed("nonce", 32), _standing(), _fixed("ticket", 68, null=True)),
    ),
    Body("succeed", 32, (*_name(), _fixed("nonce", 32), _fixed("signature", 64))),
    Body("told", None, (_standing(),)),
    Body("begin", 33, (*_name(), _fixed("blinded", 32), *SIGNED)),
    Body("begun", None, (_fixed("evaluation", 96), _key("public"), _fixed("before", 16))),
    Body(
        "settle", 34,
        (_name()[0], _own_lock(), blob("login", ed25519(draw("a login key", 32)), 32, 32), *SIGNED),
    ),
    Body("finish", 35, (*_name(), _fixed("before", 16, null=True), *SIGNED)),
    Body("card", None, (_name()[0], blob("receiving", RECEIVING, 1216, 1216), *SIGNED)),
    Body(
        "put-box", 38,
        (_user_id(), uint("number", 5, 1, U32), _card(), _box(), uint("device_id", 7, 1, U32), *SIGNED),
    ),
    Body(
        "get-box", 39,
        (_user_id(), uint("after", 5, 0, U32), _time(),
         or_null(uint("device_id", 7, 1, U32)), *SIGNED),
    ),
    Body("kept", None, (uint("number", 5, 0, U32), _card(), _box(), uint("newest", 9, 0, U32), _lists())),
    Body("find", 48, (name("alice"),)),
    Body("found", None, (_user_id(),)),
    Body("identify", 36, (check_kind(), blob("claim", b"alice@example.org", 1, 320, null=True))),
    Body("challenged", None, (_opaque("challenge", null=True), uint("not_before", 1_700_000_000, 0, U32))),
    Body("prove", 37, (_opaque("challenge"), blob("proof", draw("a proof", 60), 1, 8192))),
    Body(
        "proven", None,
        (_opaque("pass"), _fixed("user_id", 32, null=True), uint("tries_left", 2, 0, 3)),
    ),
    Body("bind", 40, (_user_id(), _opaque("pass"), uint("device_id", 7, 1, U32), *SIGNED)),
    Body(
        "id-ticket", None,
        (blob("identity", b"alice@example.org", 1, 320), uint("server", 1, 1, 2), _fixed("nonce", 32),
         uint("not_after", 1_700_000_000, 0, U32), _fixed("signature", 64)),
    ),
    Body("contents", None, (uint("device_id", 7, 1, U32), *SIGNED, _payload())),
)  # fmt: skip


def add(family: Family) -> None:
    """Add the groups."""
    add_bodies(family, BODIES)
    together(family)
    keys(family)


def together(family: Family) -> None:
    """Add elements that do not fit each other."""
    group = family.group("recovery.decode", "elements that belong together")
    evaluation, nonce, ticket = draw("recovery evaluation", 96), draw("recovery nonce", 32), bytes(68)
    standing: list[Value] = [0, 1_700_000_000, 1]
    answer = {
        "evaluation": None, "nonce": None, "ticket": None,
        "standing": {"uses_left": 0, "not_before": 1_700_000_000, "rests": True},
    }  # fmt: skip
    data = given(encode([1, None, None, standing, None]))
    group.valid("evaluated, nothing, and why", {"kind": "evaluated", **data}, output=answer)
    for what, array in (
        ("an evaluation without a nonce", [1, evaluation, None, standing, ticket]),
        ("a nonce without an evaluation", [1, None, nonce, standing, None]),
    ):
        refuse(group, "evaluated", what, "Shape", "WIRE-4", encode(array))
    _kept_and_proven(group)
    for body in BODIES:
        if body.number is not None:
            following = [1, body.number + 1, *body.array()[2:]]
            refuse(group, body.kind, "as the call after it", "Number", "WIRE-4", encode(following))
    for kind, data in (("lock", ONE.lock(version=2)), ("settle", _settle(ONE.lock(version=2)))):
        asked = {"kind": kind, **given(data)}
        group.invalid(f"{kind}, a lock of version 2", asked, "UnsupportedVersion", flags=["Version"],
                      rules=["WIRE-1"])  # fmt: skip


def _kept_and_proven(group: Group) -> None:
    """Add a box with a card or neither, and a user with a pass only."""
    nothing: dict[str, Any] = {"number": 0, "card": None, "box": None, "newest": 0, "lists": []}
    data = given(encode([1, 0, None, None, 0, []]))
    group.valid("kept, no box and no lists", {"kind": "kept", **data}, output=nothing)
    card, box = encode(CARD), draw("recovery box", 40)
    refuse(group, "kept", "a card without a box", "Shape", "WIRE-4", encode([1, 1, card, None, 0, []]))
    refuse(group, "kept", "a box without a card", "Shape", "WIRE-4", encode([1, 1, None, box, 0, []]))
    wrong: dict[str, Any] = {"pass": None, "user_id": None, "tries_left": 1}
    group.valid(
        "proven, a wrong proof", {"kind": "proven", **given(encode([1, None, None, 1]))}, output=wrong
    )
    refuse(group, "proven", "a user without a pass", "Shape", "REC-34", encode([1, None, ONE.user_id, 1]))


def _settle(lock: bytes, login: bytes | None = None) -> bytes:
    body = next(each for each in BODIES if each.kind == "settle")
    array = body.array(1, lock, changed=True)
    return encode(array if login is None else [*array[:4], login, *array[5:]])


def keys(family: Family) -> None:
    """Add keys that no function and no signature has."""
    group = family.group("recovery.decode", "keys that are refused")
    for comment, bad in BAD_ELEMENTS.items():
        if len(bad) == 32:
            begun = encode([1, bytes(96), bad, bytes(16)])
            group.invalid(f"begun: {comment}", {"kind": "begun", **given(begun)}, "InvalidKey",
                          flags=["BadElement"], rules=["REC-7"])  # fmt: skip
    for comment, key in BAD_SIGNING_KEYS:
        asked = {"kind": "settle", **given(_settle(ONE.lock(), key))}
        group.invalid(f"settle: login key: {comment}", asked, "InvalidKey", flags=["BadKey"],
                      rules=["PRIM-12"])  # fmt: skip
    for comment, receiving in bad_sealing_keys(RECEIVING):
        card = encode([1, ONE.user_id, receiving, bytes(1952), bytes(3373)])
        group.invalid(f"card: {comment}", {"kind": "card", **given(card)}, "InvalidKey", flags=["BadKey"],
                      rules=["PRIM-15"])  # fmt: skip
