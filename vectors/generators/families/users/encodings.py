"""Device lists as bytes. The encodings here are written by hand."""

import cbor2

from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.owner import FULL, LIMITED, RECOVERY, Owner


def add(family: Family) -> None:
    """Add the groups."""
    alice = Owner("alice of encodings")
    plain = alice.make(1)
    data = plain.encode()
    outer = cbor2.loads(data)
    inner = cbor2.loads(outer[2])
    group = family.group("device_list.decode", "the fields of a device list")
    group.valid("a version that adds nothing", {"data": data.hex()}, rules=["USR-1"])
    group.valid("version 1", {"data": alice.lists[0].encode().hex()}, rules=["USR-1", "USR-6"])
    bob = Owner("bob of encodings", [(1, FULL), (2**32 - 1, RECOVERY)])
    bob.next(add=[(2, LIMITED)])
    revoking = bob.make(1, revoke=(2,))
    group.valid("a version that revokes", {"data": revoking.encode().hex()})
    group.valid("the last version", {"data": alice.make(1, revoke=(1,)).encode().hex()}, rules=["USR-5"])

    def whole(at: int, value: Value) -> bytes:
        return encode([*outer[:at], value, *outer[at + 1 :]])

    def part(at: int, value: Value) -> bytes:
        return whole(2, encode([*inner[:at], value, *inner[at + 1 :]]))

    def device(at: int, value: Value) -> bytes:
        first = inner[5][0]
        return part(5, [[*first[:at], value, *first[at + 1 :]]])

    for comment, flag, rule, wrong in (
        ("the label is another", "Shape", "WIRE-4", part(0, "letterlock-v1 device proof")),
        ("the label is a byte string", "Shape", "WIRE-4", part(0, b"letterlock-v1 device list")),
        ("version 0", "Shape", "WIRE-4", part(1, 0)),
        ("a version of 2^32", "Shape", "WIRE-4", part(1, 2**32)),
        ("a hash before of 31 bytes", "Shape", "WIRE-4", part(2, bytes(31))),
        ("a user id of 33 bytes", "Shape", "WIRE-4", part(3, bytes(33))),
        ("a user id that is a text", "Shape", "WIRE-4", part(3, "u" * 32)),
        ("no issue time", "Shape", "WIRE-4", part(4, None)),
        ("devices are null", "Shape", "WIRE-4", part(5, None)),
        ("device 0", "Shape", "WIRE-4", device(0, 0)),
        ("an Ed25519 key of 31 bytes", "Shape", "WIRE-4", device(2, bytes(31))),
        ("an ML-DSA hash of 33 bytes", "Shape", "WIRE-4", device(3, bytes(33))),
        ("class 0", "Shape", "WIRE-4", device(4, 0)),
        ("class 256", "Shape", "WIRE-4", device(4, 256)),
        ("added in version 0", "Shape", "WIRE-4", device(5, 0)),
        ("a device of five elements", "Shape", "WIRE-4", part(5, [inner[5][0][:5]])),
        ("a revoked device without its version", "Shape", "WIRE-4", part(6, [[2]])),
        ("a document key of 1,215 bytes", "Shape", "WIRE-4", part(7, [1, bytes(1215)])),
        ("a document key of generation 0", "Shape", "WIRE-4", part(7, [0, bytes(1216)])),
        ("a ninth element in the snapshot", "Shape", "WIRE-4", whole(2, encode([*inner, None]))),
        ("the snapshot is an array", "Shape", "WIRE-4", whole(2, inner)),
        ("proofs are null", "Shape", "WIRE-4", whole(3, None)),
        ("signer 0", "Shape", "WIRE-4", whole(4, 0)),
        ("an ML-DSA key of 1,951 bytes", "Shape", "WIRE-4", whole(5, bytes(1951))),
        ("a signature of 3,372 bytes", "Shape", "WIRE-4", whole(6, bytes(3372))),
        ("33 devices", "Size", "WIRE-3", part(5, [[id_, *inner[5][0][1:]] for id_ in range(1, 34)])),
        ("65 revoked devices", "Size", "WIRE-3", part(6, [[id_, 1] for id_ in range(2, 67)])),
        ("an eighth element", "Shape", "WIRE-4", encode([*outer, None])),
        ("kind 9", "Version", "WIRE-4", whole(1, 9)),
        ("a byte after the end", "LongForm", "WIRE-2", data + b"\0"),
        ("cut short", "LongForm", "WIRE-2", data[:-1]),
        ("the version in two bytes", "LongForm", "WIRE-2", data[:1] + b"\x18\x01" + data[2:]),
        (
            "the version of the list in two bytes", "LongForm", "WIRE-2",
            whole(2, outer[2][:28] + b"\x18" + outer[2][28:]),
        ),
        ("a byte after the end of the snapshot", "LongForm", "WIRE-2", whole(2, outer[2] + b"\0")),
        ("a tag in the snapshot", "LongForm", "WIRE-5", whole(2, b"\xc1" + outer[2])),
    ):  # fmt: skip
        group.invalid(comment, {"data": wrong.hex()}, "MalformedMessage", flags=[flag], rules=[rule])
    group.invalid(
        "version 2", {"data": whole(0, 2).hex()}, "UnsupportedVersion", flags=["Version"], rules=["WIRE-1"]
    )
    for comment, key in (("of low order", bytes(32)), ("that is not canonical", b"\xff" * 32)):
        wrong = device(1, key)
        group.invalid(
            f"an identity key {comment}",
            {"data": wrong.hex()},
            "InvalidKey",
            flags=["BadKey"],
            rules=["PRIM-2"],
        )
