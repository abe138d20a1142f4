"""Bindings of identities, and tickets in which an application names one."""

import hashlib
from typing import Final

from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.recovery_home import DEVICE, HALF, HOME, KIOSK, PHONE, STRANGER
from generators.support.recovery_scene import SERVERS, ed25519, ed25519_sign
from letterlock._wire.device_snapshot import Snapshot

PASS: Final = draw("a pass", 90)
BINDING: Final = b"letterlock-v1 binding of an identity"
TICKET: Final = b"letterlock-v1 ticket of an identity"
SEED: Final = draw("an application's key", 32)
FIELDS: Final[list[Value]] = [1, b"alice@example.org", 2, draw("nonce of a challenge", 32), 1_700_000_600]


def add(family: Family) -> None:
    """Add the groups."""
    bindings(family)
    tickets(family)


def bind(
    *, device: int = PHONE, named: int | None = None, server: int = 1, user_id: bytes | None = None,
    signed: list[Value] | None = None, context: bytes = BINDING,
) -> bytes:  # fmt: skip
    """Return a binding. `named` is another device id than the signer's."""
    whose = user_id or HOME.user_id
    covered = [server, 40, whose, hashlib.sha256(PASS).digest()] if signed is None else signed
    ml_dsa, signature = HOME.signature(encode(covered), context, device)
    return encode([1, 40, whose, PASS, named or device, ml_dsa, signature])


def given(request: bytes, lists: list[Snapshot] | None = None, server: int = 1) -> Json:
    """Return the input of recovery.verify_binding."""
    shown = [each.encode().hex() for each in lists or HOME.lists()]
    return {"server": server, "request": request.hex(), "snapshots": shown}


def bindings(family: Family) -> None:
    """Add bindings."""
    group = family.group("recovery.verify_binding", "bindings by a device that may change the list")
    for device, what in ((PHONE, "the phone"), (DEVICE, "the recovery device")):
        for server in SERVERS:
            asked = given(bind(device=device, server=server), server=server)
            group.valid(f"by {what}, at server {server}", asked, rules=["REC-32"], output={})
    group = family.group("recovery.verify_binding", "bindings that are refused")
    hashed = hashlib.sha256(PASS).digest()
    sound = bind()
    for comment, flag, asked in (
        ("for the other server", "OtherPurpose", given(sound, server=2)),
        ("by a kiosk", "OtherDevice", given(bind(device=KIOSK))),
        ("by a kiosk that names the phone", "OtherDevice", given(bind(device=KIOSK, named=PHONE))),
        ("by a device that is not listed", "OtherDevice", given(bind(device=7))),
        ("by the phone that names the recovery device", "OtherDevice", given(bind(named=DEVICE))),
        ("with an ML-DSA key of its own", "OtherDevice", given(bind(device=HALF, named=DEVICE))),
        ("by a phone that was revoked", "OtherDevice", given(sound, HOME.lists(revoke=(PHONE,)))),
        ("with the lists of another user", "OtherDevice", given(sound, STRANGER.lists())),
        ("for another user", "OtherDevice", given(bind(user_id=STRANGER.user_id))),
        ("signed for another user", "Signature", given(bind(signed=[1, 40, STRANGER.user_id, hashed]))),
        ("signed for another pass", "Signature", given(bind(signed=[1, 40, HOME.user_id, bytes(32)]))),
        ("signed over the pass itself", "OtherPurpose", given(bind(signed=[1, 40, HOME.user_id, PASS]))),
        ("signed as another call", "OtherPurpose", given(bind(signed=[1, 38, HOME.user_id, hashed]))),
        ("signed as a change of a lock", "OtherPurpose",
         given(bind(context=b"letterlock-v1 change of a lock"))),
        ("a changed ML-DSA half", "Signature", given(flipped(sound, -3000))),
        ("a changed Ed25519 half", "Signature", given(flipped(sound, -20))),
    ):  # fmt: skip
        group.invalid(comment, asked, "RecoveryRefused", flags=[flag], rules=["REC-32"])


def ticket(
    fields: list[Value] = FIELDS, *, label: bytes = TICKET, signed: list[Value] | None = None
) -> bytes:
    """Return a ticket."""
    return encode([*fields, ed25519_sign(SEED, label + encode(signed or fields))])


def tickets(family: Family) -> None:
    """Add tickets."""
    group = family.group("recovery.verify_id_ticket", "tickets that an application signed")
    key, sound = ed25519(SEED), ticket()
    for comment, fields in (("for server 2", FIELDS), ("for server 1", [*FIELDS[:2], 1, *FIELDS[3:]])):
        asked = {"key": key.hex(), "ticket": ticket(fields).hex()}
        group.valid(comment, asked, rules=["REC-30"], output={})
    group = family.group("recovery.verify_id_ticket", "tickets that are refused")
    changes: list[tuple[str, int, Value]] = [
        ("another identity", 1, b"mallory@example.org"), ("another server", 2, 1),
        ("another nonce", 3, bytes(32)),
        ("a later end", 4, 1_800_000_000),
    ]  # fmt: skip
    cases = [
        (what, ticket([*FIELDS[:at], new, *FIELDS[at + 1 :]], signed=FIELDS)) for what, at, new in changes
    ]
    cases += [
        ("without a label", ticket(label=b"")),
        ("as a ticket of a recovery", ticket(label=b"letterlock-v1 ticket of a recovery")),
        ("without the version", ticket(signed=FIELDS[1:])),
        ("a changed R", flipped(sound, -64)),
        ("a changed S", flipped(sound, -8)),
    ]
    for comment, found in cases:
        asked = {"key": key.hex(), "ticket": found.hex()}
        group.invalid(comment, asked, "InvalidSignature", flags=["Signature"], rules=["REC-30"])
    for comment, bad in (("zero, of order 4", bytes(32)), ("31 bytes", key[:31])):
        asked = {"key": bad.hex(), "ticket": sound.hex()}
        group.invalid(f"a key: {comment}", asked, "InvalidKey", flags=["BadKey"], rules=["PRIM-12"])
