"""Offers: what the old device makes of a code, and what the new device takes."""

from dataclasses import replace
from typing import Final

from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.hpke import seal_to
from generators.support.labels import draw, flipped
from generators.support.linking_scene import LIFETIME, NEW, NOW, OFFER, PACKAGE, Scene, sha256, stranger_key
from generators.support.owner import FULL, LIMITED, RECOVERY, keys

EXPIRES: Final = NOW + LIFETIME
TIMES: Final = {
    "a second before the code was made": EXPIRES - LIFETIME - 1,
    "when the code expires": EXPIRES,
    "a day later": EXPIRES + 86_400,
    "at the beginning of time": 0,
}
"""Times at which a code is refused."""


def add(family: Family) -> None:
    """Add the groups."""
    encodings(family)
    made(family)
    taken(family)


def encodings(family: Family) -> None:
    """Add offers as bytes."""
    scene = Scene("offers as bytes")
    snapshot = scene.snapshot.encode()
    sound: list[Value] = [1, 12, snapshot, NEW]
    data = encode(sound)
    group = family.group("linking.decode_offer", "the fields of an offer")
    output = {"snapshot": snapshot.hex(), "id": NEW}
    group.valid("an offer", {"data": data.hex()}, output=output)
    highest: Json = {"snapshot": snapshot.hex(), "id": 2**32 - 1}
    group.valid("the highest id", {"data": encode([1, 12, snapshot, 2**32 - 1]).hex()}, output=highest)
    for comment, flag, rule, wrong in (
        ("no byte", "LongForm", "WIRE-4", b""),
        ("another kind", "Shape", "WIRE-4", encode([1, 13, *sound[2:]])),
        ("no snapshot", "Shape", "WIRE-4", encode([1, 12, None, NEW])),
        ("an empty snapshot", "Shape", "WIRE-4", encode([1, 12, b"", NEW])),
        ("a snapshot that is an array", "Shape", "WIRE-4", encode([1, 12, [], NEW])),
        ("a snapshot with a byte after its end", "Shape", "WIRE-4", encode([1, 12, snapshot + b"\0", NEW])),
        ("a snapshot cut short", "Shape", "WIRE-4", encode([1, 12, snapshot[:-1], NEW])),
        ("a snapshot of 16,385 bytes", "Shape", "WIRE-3",
         encode([1, 12, snapshot.ljust(16_385, b"\0"), NEW])),
        ("a device list in place of a snapshot", "Shape", "WIRE-4",
         encode([1, 12, scene.owner.lists[0].encode(), NEW])),
        ("id 0", "Shape", "WIRE-4", encode([1, 12, snapshot, 0])),
        ("an id of 2^32", "Shape", "WIRE-4", encode([1, 12, snapshot, 2**32])),
        ("no id", "Shape", "WIRE-4", encode([1, 12, snapshot])),
        ("a fifth element", "Shape", "WIRE-4", encode([*sound, None])),
        ("a byte after the end", "LongForm", "WIRE-4", data + b"\0"),
        ("cut short", "LongForm", "WIRE-4", data[:-1]),
        ("the id in two bytes", "LongForm", "WIRE-2", data[:-1] + b"\x18\x02"),
    ):  # fmt: skip
        group.invalid(comment, {"data": wrong.hex()}, "MalformedMessage", flags=[flag], rules=[rule])
    group.invalid(
        "version 2", {"data": encode([2, *sound[1:]]).hex()}, "UnsupportedVersion", flags=["Shape"],
        rules=["WIRE-1"],
    )  # fmt: skip


def made(family: Family) -> None:
    """Add what the old device does with a code and a bundle."""
    scene = Scene("offers that are made")

    def given(**changes: object) -> Json:
        sound = {
            "first": scene.owner.lists[0].snapshot.encode().hex(), "code": scene.code.hex(),
            "bundle": scene.bundle.hex(), "now": NOW, "id": NEW, "class": int(FULL),
        }  # fmt: skip
        return sound | changes

    group = family.group("linking.make_offer", "the offer of device 1, before it is sealed")
    output = {"offer": scene.offer().hex()}
    group.valid("an offer", given(), rules=["USR-20"], output=output)
    limited = {"offer": scene.offer(scene.with_device(device_class=LIMITED)).hex()}
    group.valid("of a limited device", given(**{"class": int(LIMITED)}), output=limited)
    ninth = replace(
        scene.snapshot, devices=(scene.snapshot.devices[0], replace(scene.snapshot.devices[1], id=9))
    )
    group.valid("of device 9", given(id=9), output={"offer": scene.offer(ninth, 9).hex()})
    last = {"offer": scene.offer(replace(scene.snapshot, issued=EXPIRES - 1)).hex()}
    group.valid("in the last second", given(now=EXPIRES - 1), flags=["Time"], rules=["USR-20"], output=last)
    for comment, now in TIMES.items():
        group.invalid(comment, given(now=now), "LinkingRefused", flags=["Time"], rules=["USR-20"])
    other = Scene("another new device")
    for comment, bundle in (
        ("the bundle of another device", other.bundle),
        ("a bundle with another nonce's hash", flipped(scene.bundle, -1)),
        (
            "a bundle with another receiving key",
            encode([*scene.bundle_fields()[:5], stranger_key("mallory"), sha256(scene.nonce)]),
        ),
        ("a bundle with a byte after its end", scene.bundle + b"\0"),
        ("no bundle", b""),
    ):
        group.invalid(
            comment, given(bundle=bundle.hex()), "LinkingRefused", flags=["OtherDevice"], rules=["USR-20"]
        )
    low = encode([1, 10, bytes(32), *scene.bundle_fields()[3:]])
    code = encode([1, 11, sha256(low), scene.secret, EXPIRES, ""])
    group.invalid(
        "a code for a bundle with a key of low order", given(bundle=low.hex(), code=code.hex()), "InvalidKey",
        flags=["BadKey"], rules=["PRIM-2"],
    )  # fmt: skip
    junk = encode([1, 11, sha256(b"junk"), scene.secret, EXPIRES, ""])
    group.invalid(
        "a code for what is no bundle", given(bundle=b"junk".hex(), code=junk.hex()), "MalformedMessage",
        flags=["Shape"], rules=["WIRE-4"],
    )  # fmt: skip


def taken(family: Family) -> None:
    """Add what the new device does with a sealed offer."""
    scene = Scene("offers that are taken")
    device, info = scene.device(), scene.offer_info()

    def given(sealed: bytes, now: int = NOW) -> Json:
        return {"device": device, "code": scene.code.hex(), "sealed_offer": sealed.hex(), "now": now}

    def answer(sealed: bytes, version: int = 2, device_id: int = NEW, offer: bytes | None = None) -> Json:
        snapshot = scene.snapshot.encode() if offer is None else offer
        return {
            "version": version, "hash": sha256(snapshot).hex(), "id": device_id,
            "digits": scene.digits(sealed),
        }  # fmt: skip

    group = family.group("linking.take_offer", "what the new device reads in an offer")
    sealed = scene.sealed_offer()
    group.valid("an offer", given(sealed), rules=["USR-19"], output=answer(sealed))
    group.valid("in the last second", given(sealed, EXPIRES - 1), flags=["Time"], output=answer(sealed))
    for comment, class_ in (
        ("as a limited device", LIMITED),
        ("as a recovery device", RECOVERY),
        ("as a class of later", 77),
    ):
        snapshot = scene.with_device(device_class=class_)
        found = scene.sealed_offer(scene.offer(snapshot))
        group.valid(comment, given(found), output=answer(found, offer=snapshot.encode()))
    for comment, now in TIMES.items():
        group.invalid(comment, given(sealed, now), "LinkingRefused", flags=["Time"], rules=["USR-20"])
    for comment, wrong in (
        ("another secret", OFFER + draw("another secret", 32) + info[-32:]),
        ("another bundle", info[:-32] + sha256(Scene("another new device").bundle)),
        ("the label of a package", PACKAGE + info[len(OFFER) :]),
        ("secret and bundle exchanged", OFFER + info[-32:] + scene.secret),
        ("no info", b""),
    ):
        resealed = scene.sealed_offer(info=wrong)
        group.invalid(
            f"sealed with {comment}", given(resealed), "AuthenticationFailed", flags=["OtherSeal"],
            rules=["PRIM-16"],
        )  # fmt: skip
    elsewhere = seal_to(stranger_key("mallory"), "elsewhere", info, scene.offer())
    for comment, wrong in (
        ("sealed for another device", elsewhere),
        ("the last byte changed", flipped(sealed, -1)),
        ("cut short by a byte", sealed[:-1]),
    ):
        group.invalid(comment, given(wrong), "AuthenticationFailed", flags=["OtherSeal"], rules=["PRIM-8"])
    group.invalid("no byte", given(b""), "MalformedMessage", flags=["LongForm"])
    others(family, scene, given)


def others(family: Family, scene: Scene, given: object) -> None:
    """Add offers that do not add this device as it is, or whose snapshot is not well formed."""
    assert callable(given)
    group = family.group("linking.take_offer", "offers that are not about this device")
    stranger = keys("a device of mallory")
    listed = stranger.listed(NEW, FULL, 2)
    first, new = scene.snapshot.devices
    for comment, offer in (
        ("an id that is not listed", scene.offer(device_id=3)),
        ("the id of the old device", scene.offer(device_id=1)),
        ("another device under the id", scene.offer(replace(scene.snapshot, devices=(first, listed)))),
        ("another identity key", scene.offer(scene.with_device(identity=stranger.identity.public))),
        ("another Ed25519 key", scene.offer(scene.with_device(ed25519=listed.ed25519))),
        ("another ML-DSA key", scene.offer(scene.with_device(ml_dsa_hash=listed.ml_dsa_hash))),
        ("added in an earlier version", scene.offer(scene.with_device(added=1))),
        ("this device under another id", scene.offer(scene.with_device(id=3))),
    ):
        sealed = scene.sealed_offer(offer)
        group.invalid(comment, given(sealed), "LinkingRefused", flags=["OtherDevice"], rules=["USR-21"])
    for comment, rule, snapshot in (
        ("devices in another order", "USR-2", replace(scene.snapshot, devices=(new, first))),
        ("one id twice", "USR-2", replace(scene.snapshot, devices=(first, new, new))),
        ("added in a later version", "USR-2", scene.with_device(added=3)),
        ("two recovery devices", "USR-3", replace(
            scene.snapshot, devices=tuple(replace(each, device_class=RECOVERY) for each in (first, new)))),
        ("no document key", "USR-5", replace(scene.snapshot, document_key=None)),
        ("nobody may sign", "USR-5", replace(
            scene.snapshot, devices=tuple(replace(each, device_class=LIMITED) for each in (first, new)))),
    ):  # fmt: skip
        sealed = scene.sealed_offer(scene.offer(snapshot))
        group.invalid(comment, given(sealed), "InvalidDeviceList", flags=["OtherDevice"], rules=[rule])
    group.invalid(
        "an answer in place of an offer", given(scene.sealed_offer(scene.answer())), "MalformedMessage",
        flags=["Shape"], rules=["WIRE-4"],
    )  # fmt: skip
