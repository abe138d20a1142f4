"""Packages: what the new device gets when its owner has compared the digits."""

from dataclasses import replace
from typing import Final

from generators.support.encoding import Value, encode
from generators.support.family import Family, Group, Json
from generators.support.labels import draw, flipped
from generators.support.linking_scene import NEW, OFFER, PACKAGE, Scene, sha256, stranger_key
from generators.support.owner import LIMITED, Owner

PAYLOAD: Final = b"what the device is given"


def given(scene: Scene, sealed: bytes, *, offer: bytes | None = None, answer: bytes | None = None) -> Json:
    """Return the input."""
    return {
        "device": scene.device(),
        "code": scene.code.hex(),
        "sealed_offer": (offer or scene.sealed_offer()).hex(),
        "answer": (answer or scene.answer()).hex(),
        "sealed_package": sealed.hex(),
    }


def output(scene: Scene, version: int, payload: bytes) -> Json:
    """Return what a package gives."""
    user_id = scene.owner.user_id.hex()
    return {"user_id": user_id, "version": version, "id": NEW, "payload": payload.hex()}


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("linking.take_package", "what the new device reads in a package")
    scene = Scene("packages")
    sound = scene.package_fields(PAYLOAD)
    package = encode(sound)
    for comment, payload in (("a package", PAYLOAD), ("an empty payload", b"")):
        sealed = scene.sealed_package(encode(scene.package_fields(payload)))
        group.valid(comment, given(scene, sealed), rules=["USR-21"], output=output(scene, 2, payload))
    limited = Scene("packages for a limited device", LIMITED)
    sealed = limited.sealed_package(encode(limited.package_fields(PAYLOAD)))
    group.valid("for a limited device", given(limited, sealed), output=output(limited, 2, PAYLOAD))
    seals(group, scene, package)
    shapes(group, scene, sound)
    lists(family, scene, sound)
    signatures(family, scene, sound)


def seals(group: Group, scene: Scene, package: bytes) -> None:
    """Add packages that are sealed otherwise."""
    info, transcript = scene.package_info(), scene.transcript()
    sealed = scene.sealed_package(package)
    changed = scene.answer_fields()
    changed[6] = draw("another nonce", 32)
    parts = (sha256(scene.bundle), sha256(scene.sealed_offer()), sha256(scene.answer()))
    for comment, wrong in (
        ("another secret", PACKAGE + draw("another secret", 32) + transcript),
        ("another transcript", PACKAGE + scene.secret + sha256(transcript)),
        ("a transcript in another order", PACKAGE + scene.secret + sha256(parts[0], parts[2], parts[1])),
        ("the label of an offer", OFFER + scene.secret + transcript),
        ("what an offer is bound to", scene.offer_info()),
    ):
        resealed = given(scene, scene.sealed_package(package, wrong))
        group.invalid(
            f"sealed with {comment}", resealed, "AuthenticationFailed", flags=["OtherSeal"], rules=["PRIM-16"]
        )
    for comment, wrong_given in (
        (
            "sealed for another device",
            given(scene, scene.sealed_package(package, info, stranger_key("mallory"))),
        ),
        ("after another answer", given(scene, sealed, answer=encode(changed))),
        ("the last byte changed", given(scene, flipped(sealed, -1))),
    ):
        group.invalid(comment, wrong_given, "AuthenticationFailed", flags=["OtherSeal"], rules=["USR-21"])
    group.invalid("no byte", given(scene, b""), "MalformedMessage", flags=["LongForm"])


def shapes(group: Group, scene: Scene, sound: list[Value]) -> None:
    """Add packages of another shape. Their parts are short, because a shape is checked first."""
    short: list[Value] = [1, 14, [scene.owner.lists[0].encode()], PAYLOAD, bytes(3373)]

    def other(at: int, value: Value) -> bytes:
        return encode([*short[:at], value, *short[at + 1 :]])

    for comment, flag, rule, wrong in (
        ("another kind", "Shape", "WIRE-4", other(1, 13)),
        ("no lists", "Shape", "WIRE-4", other(2, [])),
        ("lists are null", "Shape", "WIRE-4", other(2, None)),
        ("a list that is an array", "Shape", "WIRE-4", other(2, [[]])),
        ("a list that is a snapshot", "Shape", "WIRE-4", other(2, [scene.snapshot.encode()])),
        ("no payload", "Shape", "WIRE-4", other(3, None)),
        ("a payload that is a text", "Shape", "WIRE-4", other(3, "payload")),
        ("a signature of 3,372 bytes", "Shape", "WIRE-4", other(4, bytes(3372))),
        ("no signature", "Shape", "WIRE-4", encode(short[:4])),
        ("a sixth element", "Shape", "WIRE-4", encode([*short, None])),
        ("a byte after the end", "LongForm", "WIRE-4", encode(short) + b"\0"),
        ("cut short", "LongForm", "WIRE-4", encode(short)[:-1]),
    ):
        sealed = given(scene, scene.sealed_package(wrong))
        group.invalid(comment, sealed, "MalformedMessage", flags=[flag], rules=[rule])
    sealed = given(scene, scene.sealed_package(other(0, 2)))
    group.invalid("version 2", sealed, "UnsupportedVersion", flags=["Shape"], rules=["WIRE-1"])


def lists(family: Family, scene: Scene, sound: list[Value]) -> None:
    """Add packages with other device lists, signed as if they were right."""
    group = family.group("linking.take_package", "packages with other device lists")
    first, second = scene.owner.lists[0], scene.list_with_new()
    signature = sound[4]
    later = scene.owner.sign(scene.owner.draft(after=second), 1)
    forked = scene.owner.sign(replace(scene.snapshot, issued=5), 1)
    mallory = Owner("mallory of packages")
    unsigned = replace(second, signature=first.signature)
    for comment, error, rule, chain in (
        ("version 1 alone", "LinkingRefused", "USR-21", [first]),
        ("another user", "LinkingRefused", "USR-21", [mallory.lists[0]]),
        ("another version 2 than the offer's", "LinkingRefused", "USR-21", [first, forked]),
        ("a version after the offer's", "LinkingRefused", "USR-21", [first, second, later]),
        ("without version 1", "InvalidDeviceList", "USR-6", [second]),
        ("version 2 twice", "InvalidDeviceList", "USR-7", [first, second, second]),
        ("version 1 of another user", "InvalidDeviceList", "USR-7", [mallory.lists[0], second]),
        ("versions in the other order", "InvalidDeviceList", "USR-6", [second, first]),
        (
            "without the new device's proof",
            "InvalidDeviceList",
            "USR-14",
            [first, replace(second, proofs=())],
        ),
        ("a version that nobody signed", "InvalidSignature", "USR-15", [first, unsigned]),
    ):
        package = encode([1, 14, [each.encode() for each in chain], PAYLOAD, signature])
        sealed = given(scene, scene.sealed_package(package))
        group.invalid(comment, sealed, error, flags=["OtherDevice"], rules=[rule])


def signatures(family: Family, scene: Scene, sound: list[Value]) -> None:
    """Add packages whose signature is of another key, or covers something else."""
    group = family.group("linking.take_package", "packages that the old device did not sign")
    covered = scene.transcript() + PAYLOAD
    right = scene.sign(covered)
    for comment, signature in (
        ("a signature of the new device", scene.sign(covered, device=NEW)),
        ("a signature in the context of lists", scene.sign(covered, b"letterlock-v1 list signature")),
        ("a signature of the payload alone", scene.sign(PAYLOAD)),
        ("a signature of another payload", scene.sign(scene.transcript())),
        ("the signature of the list", scene.list_with_new().signature),
        ("a signature with its first bit changed", flipped(right, 0)),
        ("a signature with its last bit changed", flipped(right, -1)),
    ):
        package = encode([*sound[:4], signature])
        sealed = given(scene, scene.sealed_package(package))
        group.invalid(comment, sealed, "InvalidSignature", flags=["NotSigned"], rules=["USR-21"])
