"""Changes of locks: who signed them, for which server, and for which call."""

from typing import Final

from generators.families.recovery.locks import ONE, TWO
from generators.support.encoding import Value
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.recovery_home import DEVICE, HALF, HOME, KIOSK, PHONE, STRANGER
from generators.support.recovery_scene import SERVERS, Made, ed25519
from letterlock._wire.device_snapshot import Snapshot

BLINDED: Final = draw("a first blinded input", 32)
LOGIN: Final = ed25519(draw("a login seed", 32))
NAME: Final[list[Value]] = [HOME.user_id, ONE.lock_id]
CALLS: Final[dict[str, tuple[int, list[Value]]]] = {
    "begin": (33, [*NAME, BLINDED]),
    "settle": (34, [HOME.user_id, ONE.lock(user_id=HOME.user_id), LOGIN]),
    "finish": (35, [*NAME, TWO.lock_id]),
}
EARLIER: Final = HOME.lists()
NO_DEVICE: Final = HOME.lists(revoke=(DEVICE,))


def given(kind: str, request: bytes, lists: list[Snapshot] | None = None, server: int = 1) -> Json:
    """Return the input: a change, and the user's lists."""
    shown = [each.encode().hex() for each in lists or EARLIER]
    return {"kind": kind, "server": server, "request": request.hex(), "snapshots": shown}


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("recovery.verify_change", "changes that the recovery device signed")
    for kind, (call, fields) in CALLS.items():
        for server in SERVERS:
            request = HOME.change(call, fields, server=server)
            asked = given(kind, request, server=server)
            group.valid(f"{kind}, for server {server}", asked, rules=["REC-10"], output={})
    first = given("finish", HOME.change(35, [*NAME, None]))
    group.valid("finish, of a first lock", first, rules=["REC-10"], output={})
    others = HOME.lists(revoke=(PHONE, KIOSK))
    asked = given("begin", HOME.change(*CALLS["begin"]), others)
    group.valid("begin, when all others were revoked", asked, rules=["REC-10"], output={})
    refused(family)


def refused(family: Family) -> None:
    """Add changes that are refused."""
    group = family.group("recovery.verify_change", "changes that are refused")
    (begin, begins), (settle, settles), (finish, finishes) = CALLS.values()
    sound = HOME.change(begin, begins)
    other = Made("three").lock(user_id=HOME.user_id)
    cases: list[tuple[str, str, str, Json]] = [
        ("begin, for the other server", "OtherPurpose", "REC-10", given("begin", sound, server=2)),
        ("settle, for the other server", "OtherPurpose", "REC-10",
         given("settle", HOME.change(settle, settles), server=2)),
        ("finish, for the other server", "OtherPurpose", "REC-10",
         given("finish", HOME.change(finish, finishes), server=2)),
        ("by the phone", "OtherDevice", "REC-10", given("begin", HOME.change(begin, begins, device=PHONE))),
        ("by a kiosk", "OtherDevice", "REC-10", given("begin", HOME.change(begin, begins, device=KIOSK))),
        ("with an ML-DSA key of its own", "OtherDevice", "REC-10",
         given("begin", HOME.change(begin, begins, device=HALF))),
        ("by another user's recovery device", "OtherDevice", "REC-10",
         given("begin", STRANGER.change(begin, begins))),
        ("by a recovery device that was revoked", "OtherDevice", "REC-10", given("begin", sound, NO_DEVICE)),
        ("with the lists of another user", "OtherDevice", "REC-10",
         given("begin", sound, STRANGER.lists())),
        ("for another user than that of the lists", "OtherDevice", "REC-10",
         given("begin", HOME.change(begin, [draw("another user", 32), *begins[1:]]))),
        ("in another context", "OtherPurpose", "REC-10",
         given("begin", HOME.change(begin, begins, context=b"letterlock-v1 recovery card"))),
        ("begin, signed as another call", "OtherPurpose", "REC-10",
         given("begin", HOME.change(begin, begins, signed=[1, 34, *begins]))),
        ("finish, signed as another call", "OtherPurpose", "REC-10",
         given("finish", HOME.change(finish, finishes, signed=[1, 33, *finishes]))),
        ("signed without the server", "OtherPurpose", "REC-10",
         given("begin", HOME.change(begin, begins, signed=[begin, *begins]))),
        ("another blinded input than the signed one", "Signature", "REC-10",
         given("begin", HOME.change(begin, begins, signed=[1, begin, *NAME, bytes(32)]))),
        ("another lock than the signed one", "Signature", "REC-10",
         given("settle", HOME.change(settle, [HOME.user_id, other, LOGIN], signed=[1, settle, *settles]))),
        ("another login key than the signed one", "Signature", "REC-10",
         given("settle", HOME.change(settle, [*settles[:2], ed25519(draw("mallory", 32))],
                                     signed=[1, settle, *settles]))),
        ("another lock before than the signed one", "Signature", "REC-17",
         given("finish", HOME.change(finish, [*NAME, bytes(16)], signed=[1, finish, *finishes]))),
        ("a lock before where none was signed", "Signature", "REC-17",
         given("finish", HOME.change(finish, finishes, signed=[1, finish, *NAME, None]))),
        ("no lock before where one was signed", "Signature", "REC-17",
         given("finish", HOME.change(finish, [*NAME, None], signed=[1, finish, *finishes]))),
        ("a changed ML-DSA half", "Signature", "PRIM-13", given("begin", flipped(sound, -3000))),
        ("a changed Ed25519 half", "Signature", "PRIM-13", given("begin", flipped(sound, -20))),
        ("a changed ML-DSA key", "Signature", "REC-10", given("begin", flipped(sound, -4000))),
    ]  # fmt: skip
    for comment, flag, rule, asked in cases:
        group.invalid(comment, asked, "RecoveryRefused", flags=[flag], rules=[rule])
