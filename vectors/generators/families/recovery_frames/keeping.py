"""The calls by which a server keeps a card and a box, and gives them: who signed them, and for what."""

from typing import Any, Final

from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.recovery_home import DEVICE, HALF, HOME, KIOSK, PHONE, STRANGER
from generators.support.recovery_scene import SERVERS, sha256
from letterlock._wire.device_snapshot import Snapshot

KEEPING: Final = b"letterlock-v1 keeping of a recovery box"
PUT, GET = 38, 39
BOX: Final = draw("a box that a server keeps", 200)
LISTS: Final = HOME.lists()
NO_PHONE: Final = HOME.lists(revoke=(PHONE,))
NO_DEVICE: Final = HOME.lists(revoke=(DEVICE,))
NOW: Final = 1_700_000_000


def put(
    *, device: int = PHONE, named: int | None = None, server: int = 1, user_id: bytes | None = None,
    signed: list[Value] | None = None, context: bytes = KEEPING, card: bytes | None = None,
) -> bytes:  # fmt: skip
    """Return a box that is brought. `named` is another device id than the signer's."""
    whose, shown = user_id or HOME.user_id, HOME.card() if card is None else card
    sound: list[Value] = [server, PUT, whose, 5, sha256(shown), sha256(BOX)]
    ml_dsa, signature = HOME.signature(encode(sound if signed is None else signed), context, device)
    return encode([1, PUT, whose, 5, shown, BOX, named or device, ml_dsa, signature])


def get(
    *, device: int = PHONE, named: int | None = None, server: int = 1, user_id: bytes | None = None,
    signed: list[Value] | None = None, context: bytes = KEEPING,
) -> bytes:  # fmt: skip
    """Return a question for a box. The recovery device names no id."""
    whose = user_id or HOME.user_id
    sound: list[Value] = [server, GET, whose, 0, NOW]
    ml_dsa, signature = HOME.signature(encode(sound if signed is None else signed), context, device)
    shown = None if device in (DEVICE, HALF) and named is None else named or device
    return encode([1, GET, whose, 0, NOW, shown, ml_dsa, signature])


def given(
    request: bytes, lists: list[Snapshot] | None = None, *, server: int = 1, kept: bytes | None = None
) -> Json:
    """Return the input: a call, the user's lists, and the card that the server keeps."""
    shown = [each.encode().hex() for each in lists or LISTS]
    kind = "put-box" if request[:3] == encode([1, PUT, *[0] * 7])[:3] else "get-box"
    card = None if kept is None else kept.hex()
    return {"kind": kind, "server": server, "request": request.hex(), "snapshots": shown, "kept": card}


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("recovery.verify_keeping", "by devices that may")
    for server in SERVERS:
        asked = given(put(server=server), server=server)
        group.valid(f"put-box, by the phone, for server {server}", asked, rules=["REC-21"], output={})
        asked = given(get(server=server), server=server)
        group.valid(f"get-box, by the phone, for server {server}", asked, rules=["REC-22"], output={})
        asked = given(get(device=DEVICE, server=server), server=server, kept=HOME.card())
        comment = f"get-box, by the recovery device of the card, for server {server}"
        group.valid(comment, asked, rules=["REC-22"], output={})
    asked = given(get(), kept=HOME.card())
    group.valid("get-box, by the phone, with a card", asked, rules=["REC-22"], output={})
    for call, rule, make in ((PUT, "REC-21", put), (GET, "REC-22", get)):
        _refused(family, call, rule, make)
    _elements(family)
    _recovery_device(family)
    _cards(family)


def _refused(family: Family, call: int, rule: str, make: Any) -> None:
    """Add calls of other devices, servers and purposes."""
    kind = "put-box" if call == PUT else "get-box"
    group = family.group("recovery.verify_keeping", f"{kind}: others than devices that may")
    sound, hashes = make(), [sha256(HOME.card()), sha256(BOX)]
    fields: list[Value] = [HOME.user_id, 5, *hashes] if call == PUT else [HOME.user_id, 0, NOW]
    for comment, flag, asked in (
        ("for the other server", "OtherPurpose", given(sound, server=2)),
        ("signed for the other server", "OtherPurpose", given(make(server=2))),
        ("by a kiosk", "OtherDevice", given(make(device=KIOSK))),
        ("by a kiosk that names the phone", "OtherDevice", given(make(device=KIOSK, named=PHONE))),
        ("by the phone that names the kiosk", "OtherDevice", given(make(named=KIOSK))),
        ("by a device that is not listed", "OtherDevice", given(make(device=7))),
        ("by the phone that names another device", "OtherDevice", given(make(named=DEVICE))),
        ("with an ML-DSA key of its own", "OtherDevice", given(make(device=HALF, named=DEVICE))),
        ("by a phone that was revoked", "OtherDevice", given(sound, NO_PHONE)),
        ("with the lists of another user", "OtherDevice", given(sound, STRANGER.lists())),
        ("for another user", "OtherDevice", given(make(user_id=STRANGER.user_id))),
        ("signed for another user", "Signature",
         given(make(signed=[1, call, STRANGER.user_id, *fields[1:]]))),
        ("signed as the other call", "OtherPurpose", given(make(signed=[1, PUT + GET - call, *fields]))),
        ("signed without the server", "OtherPurpose", given(make(signed=[call, *fields]))),
        ("signed as a change", "OtherPurpose", given(make(context=b"letterlock-v1 change of a lock"))),
        ("signed as a box", "OtherPurpose", given(make(context=b"letterlock-v1 recovery box"))),
        ("a changed ML-DSA half", "Signature", given(flipped(sound, -3000))),
        ("a changed Ed25519 half", "Signature", given(flipped(sound, -20))),
        ("a changed ML-DSA key", "Signature", given(flipped(sound, -4000))),
    ):  # fmt: skip
        group.invalid(f"{kind}, {comment}", asked, "RecoveryRefused", flags=[flag], rules=[rule])


def _elements(family: Family) -> None:
    """Add calls with other elements than the signed ones."""
    group = family.group("recovery.verify_keeping", "other elements than the signed ones")
    user, card, box = HOME.user_id, sha256(HOME.card()), sha256(BOX)
    for comment, rule, request in (
        ("put-box, another number", "REC-21", put(signed=[1, PUT, user, 4, card, box])),
        ("put-box, another card", "REC-21", put(signed=[1, PUT, user, 5, bytes(32), box])),
        ("put-box, another box", "REC-21", put(signed=[1, PUT, user, 5, card, bytes(32)])),
        ("put-box, card and box the other way round", "REC-21", put(signed=[1, PUT, user, 5, box, card])),
        ("put-box, the card itself", "REC-21", put(signed=[1, PUT, user, 5, HOME.card(), box])),
        ("get-box, another version", "REC-22", get(signed=[1, GET, user, 1, NOW])),
        ("get-box, another time", "REC-22", get(signed=[1, GET, user, 0, NOW + 1])),
        ("get-box, version and time the other way round", "REC-22", get(signed=[1, GET, user, NOW, 0])),
    ):
        group.invalid(comment, given(request), "RecoveryRefused", flags=["Signature"], rules=[rule])


def _recovery_device(family: Family) -> None:
    """Add questions of a recovery device, which names no id."""
    group = family.group("recovery.verify_keeping", "questions of other recovery devices")
    sound = get(device=DEVICE)
    stranger = given(sound, kept=STRANGER.card())
    for comment, flag, asked in (
        ("no card is kept", "OtherDevice", given(sound)),
        ("the card of another recovery device is kept", "OtherDevice", stranger),
        ("for the other server", "OtherPurpose", given(sound, server=2, kept=HOME.card())),
        ("with an ML-DSA key of its own", "OtherDevice", given(get(device=HALF), kept=HOME.card())),
        ("signed as a change", "OtherPurpose",
         given(get(device=DEVICE, context=b"letterlock-v1 change of a lock"), kept=HOME.card())),
        ("for another user", "OtherDevice",
         given(get(device=DEVICE, user_id=STRANGER.user_id), kept=HOME.card())),
        ("a changed ML-DSA half", "Signature", given(flipped(sound, -3000), kept=HOME.card())),
        ("a changed Ed25519 half", "Signature", given(flipped(sound, -20), kept=HOME.card())),
    ):  # fmt: skip
        what = f"get-box without a device id, {comment}"
        group.invalid(what, asked, "RecoveryRefused", flags=[flag], rules=["REC-22"])


def _cards(family: Family) -> None:
    """Add boxes with cards of others than the listed recovery device."""
    group = family.group("recovery.verify_keeping", "boxes with another card")
    mine, theirs = HOME.recovery.receiving, STRANGER.recovery.receiving
    for comment, card, lists in (
        ("of another user", STRANGER.card(), LISTS),
        ("of another recovery device, for this user", STRANGER.card(user_id=HOME.user_id), LISTS),
        ("by the phone", HOME.card(device=PHONE), LISTS),
        ("with another key than the signed one",
         HOME.card(receiving=theirs, signed=encode([HOME.user_id, mine])), LISTS),
        ("of a recovery device that was revoked", HOME.card(), NO_DEVICE),
        ("with a changed signature", flipped(HOME.card(), -20), LISTS),
    ):  # fmt: skip
        asked = given(put(card=card), lists)
        group.invalid(f"put-box, a card {comment}", asked, "BoxRefused", flags=["Card"], rules=["REC-13"])
