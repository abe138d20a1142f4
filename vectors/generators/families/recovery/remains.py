"""What a recovered user finds: the keys of the recovery device, its card, and the box."""

from typing import Any, Final

from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.recovery_home import (
    DEVICE,
    ED25519,
    HALF,
    HOME,
    IDENTITY,
    KIOSK,
    ML_DSA,
    PHONE,
    STRANGER,
    TABLET,
    Home,
)
from generators.support.relay_elements import shown
from letterlock._wire.device_snapshot import Snapshot

LISTS: Final = HOME.lists()
NO_DEVICE: Final = HOME.lists(revoke=(DEVICE,))
NO_PHONE: Final = HOME.lists(revoke=(PHONE,))
PAYLOAD: Final = HOME.payload()
CONTENTS: Final = HOME.contents(PAYLOAD)


def add(family: Family) -> None:
    """Add the groups."""
    devices(family)
    cards(family)
    boxes(family)
    boxes_refused(family)


def devices(family: Family) -> None:
    """Add recovery devices."""
    group = family.group("recovery.device", "the public keys of recovery devices")
    for home in (HOME, STRANGER):
        made = home.recovery
        output = {
            "identity": made.identity.public.data.hex(), "ed25519": made.signing.public.ed25519.data.hex(),
            "ml_dsa": made.signing.public.ml_dsa.data.hex(), "receiving": made.receiving.hex(),
        }  # fmt: skip
        group.valid(home.name, {"key": home.key.hex()}, rules=["REC-13"], output=output)


def _lists(snapshots: list[Snapshot]) -> list[str]:
    return [each.encode().hex() for each in snapshots]


def cards(family: Family) -> None:
    """Add cards."""
    group = family.group("recovery.check_card", "cards of the listed recovery device")
    for comment, lists in (("a card", LISTS), ("when the phone was revoked", NO_PHONE)):
        output = {"receiving": shown(HOME.recovery.receiving)}
        given = {"card": HOME.card().hex(), "snapshots": _lists(lists)}
        group.valid(comment, given, rules=["REC-13"], output=output)
    group = family.group("recovery.check_card", "cards that are refused")
    mine, theirs = HOME.recovery.receiving, STRANGER.recovery.receiving
    for comment, flag, card, lists in (
        ("of a keeper", "OtherDevice", STRANGER.card(user_id=HOME.user_id), LISTS),
        ("with a key of the keeper's", "Signature",
         HOME.card(receiving=theirs, signed=encode([HOME.user_id, mine])), LISTS),
        ("by the phone", "OtherDevice", HOME.card(device=PHONE), LISTS),
        ("with an ML-DSA key of its own", "OtherDevice", HOME.card(device=HALF), LISTS),
        ("of this recovery device, for another user", "OtherDevice",
         HOME.card(user_id=STRANGER.user_id), LISTS),
        ("by a recovery device that was revoked", "OtherDevice", HOME.card(), NO_DEVICE),
        ("with the lists of another user", "OtherDevice", HOME.card(), STRANGER.lists()),
        ("of another user", "OtherDevice", STRANGER.card(), LISTS),
        ("signed for another user", "Signature", HOME.card(signed=encode([STRANGER.user_id, mine])), LISTS),
        ("signed without the user", "OtherPurpose", HOME.card(signed=encode([mine])), LISTS),
        ("signed as a change", "OtherPurpose",
         HOME.card(context=b"letterlock-v1 change of a lock"), LISTS),
        ("signed as a box", "OtherPurpose", HOME.card(context=b"letterlock-v1 recovery box"), LISTS),
        ("a changed ML-DSA half", "Signature", flipped(HOME.card(), -3000), LISTS),
        ("a changed Ed25519 half", "Signature", flipped(HOME.card(), -20), LISTS),
        ("a changed ML-DSA key", "Signature", flipped(HOME.card(), -4000), LISTS),
    ):  # fmt: skip
        given = {"card": card.hex(), "snapshots": _lists(lists)}
        group.invalid(comment, given, "BoxRefused", flags=[flag], rules=["REC-13"])


def _box(box: bytes | None = None, lists: list[Snapshot] | None = None, home: Home = HOME) -> Json:
    found = HOME.box(CONTENTS) if box is None else box
    return {"key": home.key.hex(), "box": found.hex(), "snapshots": _lists(lists or LISTS)}


def _pin(name: str) -> list[Value]:
    return [name, draw(f"user id of {name}", 32), 3, draw(f"hash of {name}", 32), 1]


def boxes(family: Family) -> None:
    """Add boxes that open."""
    group = family.group("recovery.open_box", "boxes that open")

    def add_(comment: str, contents: bytes, lists: list[Snapshot], generations: int, **more: Any) -> None:
        seeds = [HOME.seed(each).hex() for each in range(1, generations + 1)]
        output = {"name": HOME.name, "seeds": seeds, "contacts": []} | more
        group.valid(comment, _box(HOME.box(contents), lists), rules=["REC-14"], output=output)

    add_("two generations", CONTENTS, LISTS, 2)
    add_("one generation", HOME.contents(HOME.payload(1)), HOME.lists(generations=1), 1)
    add_("three generations", HOME.contents(HOME.payload(3)), HOME.lists(generations=3), 3)
    add_("by the recovery device itself", HOME.contents(PAYLOAD, device=DEVICE), LISTS, 2)
    add_("by a device of a later version", HOME.contents(PAYLOAD, device=TABLET), HOME.lists_with_tablet(), 2)
    pins: list[Value] = [_pin("bob"), _pin("carol")]
    contacts = [[name, draw(f"user id of {name}", 32).hex()] for name in ("bob", "carol")]
    add_("with contacts", HOME.contents(HOME.payload(pins=pins)), LISTS, 2, contacts=contacts)
    add_("made after a revocation", HOME.contents(HOME.payload(3)), HOME.lists(revoke=(KIOSK,)), 3)


def boxes_refused(family: Family) -> None:
    """Add boxes that are refused."""
    group = family.group("recovery.open_box", "boxes that are refused")
    own, theirs = HOME.contents, STRANGER
    no_seed = encode([1, HOME.name, None, [], []])
    other_seed = encode([1, HOME.name, draw("another seed", 32), [HOME.sealed_seed(1)], []])
    swapped = encode([1, HOME.name, HOME.seed(2), [draw("sealed", 48)], []])
    label = b"letterlock-v1 linking package"
    cases: list[tuple[str, str, bytes, list[Snapshot]]] = [
        ("sealed to another recovery device", "WrongKey",
         HOME.box(CONTENTS, receiving=theirs.recovery.receiving), LISTS),
        ("sealed for another user", "WrongKey",
         HOME.box(CONTENTS, info=b"letterlock-v1 recovery box" + theirs.user_id), LISTS),
        ("sealed as a linking package", "WrongKey", HOME.box(CONTENTS, info=label + HOME.user_id), LISTS),
        ("a changed encapsulation", "WrongKey", flipped(HOME.box(CONTENTS), 5), LISTS),
        ("a changed ciphertext", "WrongKey", flipped(HOME.box(CONTENTS), 1200), LISTS),
        ("a changed tag", "WrongKey", flipped(HOME.box(CONTENTS), -1), LISTS),
        ("by a phone that was revoked", "OtherDevice", HOME.box(own(HOME.payload(3))), NO_PHONE),
        ("by a kiosk", "OtherDevice", HOME.box(own(PAYLOAD, device=KIOSK)), LISTS),
        ("with an ML-DSA key of its own", "OtherDevice",
         HOME.box(own(PAYLOAD, device=HALF, named=DEVICE)), LISTS),
        ("by a device that was never listed", "OtherDevice", HOME.box(own(PAYLOAD, device=7)), LISTS),
        ("by a kiosk that names the phone", "OtherDevice",
         HOME.box(own(PAYLOAD, device=KIOSK, named=PHONE)), LISTS),
        ("by a stranger's phone", "OtherDevice",
         HOME.box(theirs.contents(PAYLOAD, signed=HOME.user_id + PAYLOAD)), LISTS),
        ("signed for another user", "Signature",
         HOME.box(own(PAYLOAD, signed=theirs.user_id + PAYLOAD)), LISTS),
        ("signed without the user", "OtherPurpose", HOME.box(own(PAYLOAD, signed=PAYLOAD)), LISTS),
        ("another payload than the signed one", "Signature",
         HOME.box(own(HOME.payload(pins=[_pin("mallory")]), signed=HOME.user_id + PAYLOAD)), LISTS),
        ("signed as a card", "OtherPurpose",
         HOME.box(own(PAYLOAD, context=b"letterlock-v1 recovery card")), LISTS),
        ("signed as a linking package", "OtherPurpose", HOME.box(own(PAYLOAD, context=label)), LISTS),
        ("a changed ML-DSA half", "Signature", HOME.box(_changed(-len(PAYLOAD) - 3000)), LISTS),
        ("a changed Ed25519 half", "Signature", HOME.box(_changed(-len(PAYLOAD) - 20)), LISTS),
        ("without seeds", "OtherSeeds", HOME.box(own(no_seed)), LISTS),
        ("of an earlier generation", "OtherSeeds", HOME.box(own(HOME.payload(1))), LISTS),
        ("of a later generation", "OtherSeeds", HOME.box(own(HOME.payload(3))), LISTS),
        ("another newest seed", "OtherSeeds", HOME.box(own(other_seed)), LISTS),
        ("a sealed seed that does not open", "OtherSeeds", HOME.box(own(swapped)), LISTS),
    ]  # fmt: skip
    for comment, flag, box, lists in cases:
        group.invalid(comment, _box(box, lists), "BoxRefused", flags=[flag], rules=["REC-14"])
    shapes(family)


def _changed(at: int) -> bytes:
    return flipped(CONTENTS, at - 3)


def shapes(family: Family) -> None:
    """Add boxes of another form, and lists of another recovery device."""
    group = family.group("recovery.open_box", "boxes of another form, and other lists")
    signature = HOME.signature(HOME.user_id + PAYLOAD, b"letterlock-v1 recovery box", PHONE)
    wrong_payload = encode([2, HOME.name, HOME.seed(1), [], []])
    for comment, flag, rule, box in (
        ("no byte", "Shape", "PRIM-16", b""),
        ("too short for an encapsulation", "Shape", "PRIM-16", bytes(1135)),
        ("four elements", "Shape", "WIRE-4", HOME.box(encode([1, PHONE, *signature]))),
        ("device 0", "Range", "WIRE-4", HOME.box(encode([1, 0, *signature, PAYLOAD]))),
        ("a byte after the end", "LongForm", "WIRE-2", HOME.box(CONTENTS + b"\0")),
        ("a payload of version 2", "Shape", "USR-41", HOME.box(HOME.contents(wrong_payload))),
        ("an empty payload", "Range", "WIRE-4", HOME.box(HOME.contents(b""))),
    ):
        group.invalid(comment, _box(box), "MalformedMessage", flags=[flag], rules=[rule])
    later = HOME.box(encode([2, PHONE, *signature, PAYLOAD]))
    group.invalid("version 2", _box(later), "UnsupportedVersion", flags=["Version"], rules=["WIRE-1"])
    for comment, given in (
        ("the recovery device was revoked", _box(lists=NO_DEVICE)),
        ("the recovery device of another key", _box(home=STRANGER)),
        ("the lists of another user", _box(lists=STRANGER.lists())),
        ("another identity of the recovery device", _box(lists=HOME.lists(changed=IDENTITY))),
        ("another ML-DSA key of the recovery device", _box(lists=HOME.lists(changed=ML_DSA))),
        ("another Ed25519 key of the recovery device", _box(lists=HOME.lists(changed=ED25519))),
    ):
        group.invalid(comment, given, "InvalidDeviceList", flags=["OtherDevice"], rules=["REC-14"])
