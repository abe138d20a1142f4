"""Answers: what the new device proves to the old one."""

from dataclasses import replace

from generators.families.linking.offers import EXPIRES, TIMES
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.linking_scene import NEW, NOW, Scene
from generators.support.owner import keys


def add(family: Family) -> None:
    """Add the groups."""
    scene = Scene("answers")
    encodings(family, scene)
    taken(family, scene)


def fields(answer: list[Value]) -> Json:
    """Return the fields of an answer, as operations have them."""
    names = ("ml_dsa", "identity_signature", "signature", "nonce")
    shown = {
        name: each.hex() for name, each in zip(names, answer[3:], strict=True) if isinstance(each, bytes)
    }
    return {"id": answer[2], **shown}


def encodings(family: Family, scene: Scene) -> None:
    """Add answers as bytes."""
    sound = scene.answer_fields()
    data = encode(sound)

    def other(at: int, value: Value) -> bytes:
        return encode([*sound[:at], value, *sound[at + 1 :]])

    group = family.group("linking.decode_answer", "the fields of an answer")
    group.valid("an answer", {"data": data.hex()}, output=fields(sound))
    for comment, flag, wrong in (
        ("another kind", "Shape", other(1, 12)),
        ("id 0", "Shape", other(2, 0)),
        ("an ML-DSA key of 1,951 bytes", "Shape", other(3, bytes(1951))),
        ("an ML-DSA key of 1,953 bytes", "Shape", other(3, bytes(1953))),
        ("an identity signature of 63 bytes", "Shape", other(4, bytes(63))),
        ("a signature of 3,372 bytes", "Shape", other(5, bytes(3372))),
        ("no signature", "Shape", other(5, None)),
        ("a nonce of 31 bytes", "Shape", other(6, bytes(31))),
        ("a nonce that is a text", "Shape", other(6, "n" * 32)),
        ("no nonce", "Shape", encode(sound[:6])),
        ("an eighth element", "Shape", encode([*sound, None])),
        ("a byte after the end", "LongForm", data + b"\0"),
        ("cut short", "LongForm", data[:-1]),
        ("the kind in two bytes", "LongForm", data[:2] + b"\x18\x0d" + data[3:]),
    ):
        group.invalid(comment, {"data": wrong.hex()}, "MalformedMessage", flags=[flag], rules=["WIRE-4"])
    group.invalid(
        "version 2", {"data": other(0, 2).hex()}, "UnsupportedVersion", flags=["Shape"], rules=["WIRE-1"]
    )


def taken(family: Family, scene: Scene) -> None:
    """Add what the old device does with an answer."""
    sound, sealed = scene.answer_fields(), scene.sealed_offer()

    def given(answer: bytes, now: int = NOW, offered: bytes = sealed) -> Json:
        return {
            "first": scene.owner.lists[0].snapshot.encode().hex(), "code": scene.code.hex(),
            "bundle": scene.bundle.hex(), "offer": scene.offer().hex(), "sealed_offer": offered.hex(),
            "answer": answer.hex(), "now": now,
        }  # fmt: skip

    def other(at: int, value: Value) -> bytes:
        return encode([*sound[:at], value, *sound[at + 1 :]])

    group = family.group("linking.take_answer", "the digits that the old device shows after an answer")
    data = scene.answer()
    digits = {"digits": scene.digits(sealed)}
    group.valid("an answer", given(data), rules=["USR-19"], output=digits)
    group.valid("in the last second", given(data, EXPIRES - 1), flags=["Time"], output=digits)
    resealed = flipped(sealed, -1)
    group.valid(
        "after another sealed offer", given(data, offered=resealed), output={"digits": scene.digits(resealed)}
    )
    for comment, now in TIMES.items():
        group.invalid(comment, given(data, now), "LinkingRefused", flags=["Time"], rules=["USR-20"])
    for comment, wrong in (
        ("another nonce", other(6, draw("another nonce", 32))),
        ("a nonce of zeros", other(6, bytes(32))),
        ("the nonce's hash", other(6, scene.bundle_fields()[6])),
        ("the id of the old device", other(2, 1)),
        ("an id that is not listed", other(2, 3)),
    ):
        rule = "USR-19" if "nonce" in comment else "USR-14"
        group.invalid(comment, given(wrong), "LinkingRefused", flags=["OtherDevice"], rules=[rule])
    stranger = keys("a device of mallory")
    group.invalid(
        "another ML-DSA key", given(other(3, stranger.signing.public.ml_dsa.data)), "InvalidDeviceList",
        flags=["OtherDevice"], rules=["USR-14"],
    )  # fmt: skip
    signatures(family, scene, given)


def signatures(family: Family, scene: Scene, given: object) -> None:
    """Add answers whose signatures are of another key, or of something else."""
    assert callable(given)
    group = family.group("linking.take_answer", "answers that prove nothing")
    proof, stranger = scene.proof(), keys("a device of mallory")
    elsewhere = scene.proof(replace(scene.snapshot, issued=5))
    foreign = stranger.prove(scene.snapshot, NEW)
    listed = scene.new.signing.sign(scene.snapshot.encode(), b"letterlock-v1 list signature")
    half = 3309
    for comment, wrong in (
        ("a proof for another snapshot", elsewhere),
        ("an identity signature for another snapshot",
         replace(proof, identity_signature=elsewhere.identity_signature)),
        ("an identity signature of another key",
         replace(proof, identity_signature=foreign.identity_signature)),
        ("an identity signature with its last bit changed",
         replace(proof, identity_signature=flipped(proof.identity_signature, -1))),
        ("a signature for another snapshot", replace(proof, signature=elsewhere.signature)),
        ("a signature of another key", replace(proof, signature=foreign.signature)),
        ("a list signature in place of the proof's", replace(proof, signature=listed)),
        ("the ML-DSA half of another key",
         replace(proof, signature=foreign.signature[:half] + proof.signature[half:])),
        ("the Ed25519 half of another key",
         replace(proof, signature=proof.signature[:half] + foreign.signature[half:])),
        ("signatures of zeros", replace(proof, identity_signature=bytes(64), signature=bytes(3373))),
    ):  # fmt: skip
        data = scene.answer(wrong)
        group.invalid(comment, given(data), "InvalidSignature", flags=["NotSigned"], rules=["USR-14"])
