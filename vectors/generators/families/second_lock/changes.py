"""Calls about a second lock that devices sign: which device, for which server, and for which call."""

from typing import Final

from generators.support.encoding import Value
from generators.support.family import Family, Json
from generators.support.halves import WAITS, Cut
from generators.support.labels import draw, flipped
from generators.support.recovery_home import DEVICE, HALF, HOME, KIOSK, PHONE, STRANGER
from generators.support.recovery_scene import SERVERS
from letterlock._wire.device_snapshot import Snapshot

ONE: Final = Cut("one")
LAY, KEEP, STOP, WATCH, NOTIFY = 41, 51, 49, 50, 52
NAME: Final[list[Value]] = [HOME.user_id, 5]
FIELDS: Final[dict[int, list[Value]]] = {
    LAY: [*NAME, ONE.deposit, ONE.halves[0]],
    KEEP: [*NAME, ONE.deposit],
    STOP: [*NAME, WAITS[0]],
    WATCH: [HOME.user_id],
    NOTIFY: [*NAME, ["mail", b"anna@example.org"]],
}
KINDS: Final = {LAY: "lay", KEEP: "keep", STOP: "stop", WATCH: "watch", NOTIFY: "notify"}
EARLIER: Final = HOME.lists()
NO_DEVICE: Final = HOME.lists(revoke=(DEVICE,))
NO_PHONE: Final = HOME.lists(revoke=(PHONE,))
RULES: Final = {LAY: "REC-36", KEEP: "REC-36", STOP: "REC-41", WATCH: "REC-41", NOTIFY: "REC-45"}
BY_ANY: Final = STOP, WATCH
"""The calls that every device may sign. The others are for the recovery device alone."""


def given(call: int, request: bytes, lists: list[Snapshot] | None = None, server: int = 1) -> Json:
    """Return the input: a call, and the user's lists."""
    shown = [each.encode().hex() for each in lists or EARLIER]
    return {"kind": KINDS[call], "server": server, "request": request.hex(), "snapshots": shown}


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("second_lock.verify_change", "calls by a device that may")
    for call, fields in FIELDS.items():
        for server in SERVERS:
            asked = given(call, HOME.change(call, fields, server=server), server=server)
            comment = f"{KINDS[call]}, by the recovery device, for server {server}"
            group.valid(comment, asked, rules=[RULES[call]], output={})
    for device, what in ((PHONE, "the phone"), (KIOSK, "a kiosk")):
        for call in BY_ANY:
            asked = given(call, HOME.change(call, FIELDS[call], device=device))
            group.valid(f"{KINDS[call]}, by {what}", asked, rules=[RULES[call]], output={})
    every = given(STOP, HOME.change(STOP, [*NAME, None], device=PHONE))
    group.valid("stop, without a wait", every, rules=["REC-41"], output={})
    nowhere = given(NOTIFY, HOME.change(NOTIFY, [*NAME, None]))
    group.valid("notify, nowhere", nowhere, rules=["REC-45"], output={})
    refusals(family)


def refusals(family: Family) -> None:
    """Add calls that are refused."""
    group = family.group("second_lock.verify_change", "calls that are refused")
    for call in FIELDS:
        for comment, flag, asked in _others(call):
            what, rules = f"{KINDS[call]}, {comment}", [RULES[call]]
            group.invalid(what, asked, "RecoveryRefused", flags=[flag], rules=rules)
    for comment, rule, asked in _changed():
        group.invalid(comment, asked, "RecoveryRefused", flags=["Signature"], rules=[rule])


def _others(call: int) -> list[tuple[str, str, Json]]:
    """Return a call of other devices, lists, servers and purposes."""
    fields, following = FIELDS[call], {LAY: KEEP, KEEP: STOP, STOP: WATCH, WATCH: LAY, NOTIFY: LAY}[call]
    by = PHONE if call in BY_ANY else DEVICE
    sound = HOME.change(call, fields, device=by)
    found = [
        ("for the other server", "OtherPurpose", given(call, sound, server=2)),
        ("signed for the other server", "OtherPurpose", given(call, HOME.change(call, fields, server=2))),
        ("signed as another call", "OtherPurpose",
         given(call, HOME.change(call, fields, device=by, signed=[1, following, *fields]))),
        ("signed without the server", "OtherPurpose",
         given(call, HOME.change(call, fields, device=by, signed=[call, *fields]))),
        ("signed as a binding", "OtherPurpose",
         given(call, HOME.change(call, fields, device=by, context=b"letterlock-v1 binding of an identity"))),
        ("with an ML-DSA key of its own", "OtherDevice", given(call, HOME.change(call, fields, device=HALF))),
        ("by another user's recovery device", "OtherDevice", given(call, STRANGER.change(call, fields))),
        ("by a device that was revoked", "OtherDevice",
         given(call, sound, NO_DEVICE if by == DEVICE else NO_PHONE)),
        ("by a device that is not listed", "OtherDevice", given(call, HOME.change(call, fields, device=7))),
        ("with the lists of another user", "OtherDevice", given(call, sound, STRANGER.lists())),
        ("for another user than that of the lists", "OtherDevice",
         given(call, HOME.change(call, [draw("another user", 32), *fields[1:]], device=by))),
        ("a changed ML-DSA half", "Signature", given(call, flipped(sound, -3000))),
        ("a changed Ed25519 half", "Signature", given(call, flipped(sound, -20))),
        ("a changed ML-DSA key", "Signature", given(call, flipped(sound, -4000))),
    ]  # fmt: skip
    if call not in BY_ANY:
        found += [
            (f"by {what}", "OtherDevice", given(call, HOME.change(call, fields, device=device)))
            for device, what in ((PHONE, "the phone"), (KIOSK, "a kiosk"))
        ]
    return found


def _changed() -> list[tuple[str, str, Json]]:
    """Return calls with another element than the signed one."""
    lay, keep, stop, notify = (FIELDS[each] for each in (LAY, KEEP, STOP, NOTIFY))
    another = Cut("two")
    return [
        (f"{KINDS[call]}, {comment}", rule,
         given(call, HOME.change(call, fields, signed=[1, call, *FIELDS[call]])))
        for call, comment, rule, fields in (
            (LAY, "another number than the signed one", "REC-37", [lay[0], 6, *lay[2:]]),
            (LAY, "another deposit than the signed one", "REC-36", [*lay[:2], another.deposit, lay[3]]),
            (LAY, "another half than the signed one", "REC-36", [*lay[:3], another.halves[0]]),
            (LAY, "the half of the other server", "REC-36", [*lay[:3], ONE.halves[1]]),
            (KEEP, "another number than the signed one", "REC-37", [keep[0], 6, keep[2]]),
            (KEEP, "another deposit than the signed one", "REC-36", [*keep[:2], another.deposit]),
            (STOP, "another number than the signed one", "REC-37", [stop[0], 6, stop[2]]),
            (STOP, "another wait than the signed one", "REC-41", [*NAME, WAITS[1]]),
            (STOP, "no wait where one was signed", "REC-41", [*NAME, None]),
            (NOTIFY, "another number than the signed one", "REC-45", [notify[0], 6, notify[2]]),
            (NOTIFY, "another address than the signed one", "REC-45", [*NAME, ["mail", b"a@example.org"]]),
            (NOTIFY, "another kind than the signed one", "REC-45", [*NAME, ["text", b"anna@example.org"]]),
            (NOTIFY, "no address where one was signed", "REC-45", [*NAME, None]),
        )
    ]  # fmt: skip
