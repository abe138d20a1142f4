"""Vectors of prekey bundles and publications: made, verified, and with everything that is signed changed."""

from collections.abc import Iterator
from typing import Any, Final

from generators.support.cbor_nodes import Node, blob, null_node, text, uint
from generators.support.family import Family, Group, Json
from generators.support.labels import draw, flipped
from generators.support.people import BOB, MADE_ON, MALLORY, Person
from generators.support.wire_nodes import bundle_node, publication_node
from letterlock._primitives import xeddsa
from letterlock._wire.prekey import PrekeyKind

Q: Final = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
LABEL: Final = b"letterlock-v1 bundle signature"

NOTES: Final = {
    "BrokenSignature": "a signature that the identity key did not make",
    "HighS": "s is q or more, a second encoding of a signature",
    "MovedSignature": "a valid signature of the same identity over something else",
    "OtherIdentity": "not the identity key that signed",
    "Dropped": "a prekey that was signed is missing",
    "Added": "a prekey that was not signed",
    "Mixed": "signed prekeys of two bundles in one",
    "PrekeyKind": "a prekey of the wrong kind for its place",
    "Truncated": "a truncated encoding",
    "TrailingBytes": "bytes after the end",
}

BARE, PAIR, LAST = bundle_node(), bundle_node(kem=300), bundle_node(one_time=None, kem=400)


def spelt(person: Person, kind: PrekeyKind, id_: int) -> Json:
    return {"kind": int(kind), "id": id_, "private": person.secret(kind, id_).hex()}


def makings(
    person: Person,
    *,
    signed: int = 100,
    one_time: int | None = 200,
    kem: int | None = None,
    made_on: int = MADE_ON,
) -> Json:
    kem_kind = PrekeyKind.KEM_LAST_RESORT if kem is not None and kem >= 400 else PrekeyKind.KEM_ONE_TIME
    return {
        "address": person.json,
        "identity": person.identity.private.expose().hex(),
        "made_on": made_on,
        "signed": spelt(person, PrekeyKind.SIGNED, signed),
        "one_time": None if one_time is None else spelt(person, PrekeyKind.ONE_TIME, one_time),
        "kem": None if kem is None else spelt(person, kem_kind, kem),
        "nonce": person.nonce(signed, one_time, kem, made_on=made_on).hex(),
    }


SOUND: dict[str, dict[str, Any]] = {
    "the signed prekey alone": {"one_time": None},
    "a one-time curve prekey": {},
    "the last-resort prekey alone": {"one_time": None, "kem": 400},
    "one-time prekeys of both kinds": {"kem": 300},
    "a one-time curve prekey and the last resort": {"kem": 400},
    "a one-time KEM prekey alone": {"one_time": None, "kem": 300},
    "ids of 0 and 2^32 - 1": {"signed": 0, "one_time": 2**32 - 1},
    "made in 1970": {"kem": 300, "made_on": 0},
    "made on the last day of 9999": {"kem": 300, "made_on": 2_932_896},
}


def sound(family: Family) -> None:
    made = family.group("bundle.make", "bundles made from keys and a nonce")
    for comment, chosen in SOUND.items():
        output = {"bundle": BOB.bundle(**chosen).encode().hex()}
        made.valid(comment, makings(BOB, **chosen), rules=["HAND-2"], output=output)
    verified = family.group("bundle.verify", "valid bundles")
    for comment, chosen in SOUND.items():
        verified.valid(comment, given(bundle_node(BOB, **chosen)), rules=["HAND-1"], output={})


def given(bundle: Node | bytes) -> Json:
    return {"bundle": (bundle if isinstance(bundle, bytes) else bundle.encode()).hex()}


def content(whole: Node, *path: int) -> bytes:
    node = whole
    for index in path:
        assert node.items is not None
        node = node.items[index]
    return node.content or b""


def item(whole: Node, index: int) -> bytes:
    assert whole.items is not None
    return whole.items[index].encode()


def refuse(
    group: Group, comment: str, data: bytes, flag: str, rule: str, expect: str = "InvalidSignature"
) -> None:
    group.invalid(comment, given(data), expect, flags=[flag], rules=[rule])


def broken_signatures(family: Family) -> None:
    group = family.group("bundle.verify", "wrong signatures")
    for name, whole in {"a pair": PAIR, "the last resort": LAST, "without a KEM prekey": BARE}.items():
        signature = content(whole, 8)
        s = int.from_bytes(signature[32:], "little")
        for comment, flag, wrong in (
            ("a bit of R", "BrokenSignature", flipped(signature, 0)),
            ("a high bit of R", "BrokenSignature", flipped(signature, 31, 0x80)),
            ("a bit of s", "BrokenSignature", flipped(signature, 32)),
            ("all zero", "BrokenSignature", bytes(64)),
            ("R and s exchanged", "BrokenSignature", signature[32:] + signature[:32]),
            ("s + q in place of s", "HighS", signature[:32] + (s + Q).to_bytes(32, "little")),
            ("the top bit of s", "HighS", flipped(signature, 63, 0x80)),
        ):
            refuse(group, f"{name}: {comment}", whole.at((8,), blob(wrong)), flag, "HAND-1")


def changes(whole: Node, others: dict[int, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield each value of a bundle changed, under its signature. `others` are other keys, by place."""
    yield "another version of the name", whole.at((2, 0), text("bob2"))
    yield "another device id", whole.at((2, 1), uint(2))
    yield "a day earlier", whole.at((4,), uint(MADE_ON - 1))
    yield "a day later", whole.at((4,), uint(MADE_ON + 1))
    yield "in 1970", whole.at((4,), uint(0))
    for place, key in others.items():
        name = {5: "signed prekey", 6: "one-time prekey", 7: "KEM prekey"}[place]
        yield f"{name}: another id", whole.at((place, 1), uint(99))
        yield f"{name}: id 0", whole.at((place, 1), uint(0))
        yield f"{name}: another key", whole.at((place, 2), blob(key))


def changed_values(family: Family) -> None:
    """The signature covers everything, so nothing can be replaced."""
    group = family.group("bundle.verify", "values changed after they were signed")
    signed, one_time = BOB.signed(101).key.data, BOB.one_time(201).key.data
    for name, whole, others in (
        ("a pair", PAIR, {5: signed, 6: one_time, 7: BOB.kem(301).key.data}),
        ("the last resort", LAST, {5: signed, 7: BOB.kem(401).key.data}),
        ("without a KEM prekey", BARE, {5: signed, 6: one_time}),
    ):
        for comment, data in changes(whole, others):
            refuse(group, f"{name}: {comment}", data, "MovedSignature", "HAND-2")
        identity = whole.at((3,), blob(MALLORY.identity.public.data))
        refuse(group, f"{name}: another identity key", identity, "OtherIdentity", "HAND-1")
        theirs = whole.at((8,), blob(MALLORY.bundle(kem=300).signature))
        refuse(group, f"{name}: another identity's signature", theirs, "OtherIdentity", "HAND-1")
    kind = PAIR.at((7, 0), uint(4))
    refuse(group, "a one-time KEM prekey shown as the last resort", kind, "MovedSignature", "HAND-2")
    kind = LAST.at((7, 0), uint(3))
    refuse(group, "the last resort shown as a one-time KEM prekey", kind, "MovedSignature", "HAND-2")


def mixtures(family: Family) -> None:
    """What a server can make of bundles that are all signed."""
    group = family.group("bundle.verify", "prekeys left out, added and exchanged")
    null = null_node("").encode()
    other, rotated = bundle_node(one_time=201, kem=301), bundle_node(signed=101, one_time=201, kem=301)
    for comment, flag, data in (
        ("a pair without its one-time prekey", "Dropped", PAIR.at((6,), null)),
        ("a pair without its KEM prekey", "Dropped", PAIR.at((7,), null)),
        ("the last resort without its KEM prekey", "Dropped", LAST.at((7,), null)),
        ("a curve prekey alone, without it", "Dropped", BARE.at((6,), null)),
        ("the last resort with a one-time prekey", "Added", LAST.at((6,), item(PAIR, 6))),
        ("a KEM prekey where there was none", "Added", BARE.at((7,), item(PAIR, 7))),
        ("the last resort in place of the one-time KEM prekey", "Mixed", PAIR.at((7,), item(LAST, 7))),
        ("a one-time KEM prekey in place of the last resort", "Mixed", LAST.at((7,), item(PAIR, 7))),
        ("the one-time prekey of another pair", "Mixed", PAIR.at((6,), item(other, 6))),
        ("the KEM prekey of another pair", "Mixed", PAIR.at((7,), item(other, 7))),
        ("the signature of another pair", "Mixed", PAIR.at((8,), item(other, 8))),
        ("the signature of the last resort", "Mixed", PAIR.at((8,), item(LAST, 8))),
        ("the signed prekey of another rotation", "Mixed", PAIR.at((5,), item(rotated, 5))),
        ("a pair of another rotation under its signature", "Mixed", rotated.at((5,), item(PAIR, 5))),
        ("the signed prekey's key as one-time prekey", "Mixed", BARE.at((6, 2), blob(content(BARE, 5, 2)))),
        ("the one-time prekey's key as signed prekey", "Mixed", BARE.at((5, 2), blob(content(BARE, 6, 2)))),
        ("the identity key as signed prekey", "Mixed", BARE.at((5, 2), blob(content(BARE, 3)))),
    ):
        refuse(group, comment, data, flag, "HAND-2")


def other_signed_bytes(family: Family) -> None:
    """The signature covers exactly the label and the encoding before it."""
    group = family.group("bundle.verify", "signatures over other bytes")
    body = PAIR.encode()[:-66]
    signed = PAIR.items[5].encode() if PAIR.items else b""
    key = content(PAIR, 5, 2)
    for comment, told in (
        ("label left out", body),
        ("label of version 1", b"letterlock-v1 prekey signature" + body),
        ("the head of the signature too", LABEL + body + b"\x58\x40"),
        ("the whole bundle with a signature of zeros", LABEL + body + blob(bytes(64))),
        ("an array of eight elements", LABEL + b"\x88" + body[1:]),
        ("without the version", LABEL + body[2:]),
        ("without the address", LABEL + body.replace(item(PAIR, 2), b"")),
        ("without the identity key", LABEL + body.replace(item(PAIR, 3), b"")),
        ("without the day", LABEL + body.replace(item(PAIR, 4), b"")),
        ("the signed prekey with its kind and id alone", LABEL + signed),
        ("the signed prekey's key alone, as published", key),
        ("the signed prekey, as in version 1", b"letterlock-v1 prekey signature\1\0\0\0\x64" + key),
        ("the hash of it in its place", LABEL + draw("bundles hash", 32)),
    ):
        nonce = draw(f"bundles another signature {comment}", 64)
        data = PAIR.at((8,), blob(xeddsa.sign(BOB.identity, told, nonce)))
        refuse(group, comment, data, "MovedSignature", "HAND-2")


def wrong_kinds(family: Family) -> None:
    group = family.group("bundle.verify", "prekeys in the place of others")
    for comment, path, prekey in (
        ("a one-time prekey in place of the signed one", 5, item(BARE, 6)),
        ("a signed prekey in place of the one-time one", 6, item(BARE, 5)),
        ("a KEM prekey in place of the one-time one", 6, item(PAIR, 7)),
        ("a one-time curve prekey in place of the KEM one", 7, item(BARE, 6)),
        ("no signed prekey", 5, null_node("").encode()),
        ("no signature", 8, null_node("").encode()),
    ):
        refuse(group, comment, PAIR.at((path,), prekey), "PrekeyKind", "WIRE-4", "MalformedMessage")
    refuse(group, "cut", BARE.encode()[:-1], "Truncated", "WIRE-2", "MalformedMessage")
    refuse(group, "a byte more", BARE.encode() + b"\0", "TrailingBytes", "WIRE-2", "MalformedMessage")


def publications(family: Family) -> None:
    empty, two = publication_node(), publication_node(pairs=[(200, 300), (201, 301)])
    verified = family.group("publication.verify", "publications")
    taken = family.group("publication.bundles", "the bundles that a server hands out")
    for comment, node, pairs in (("no pairs", empty, 0), ("two pairs", two, 2)):
        data = {"publication": node.encode().hex()}
        verified.valid(comment, data, rules=["HAND-1"], output={})
        output = {
            "bundles": [BOB.bundle(one_time=200 + n, kem=300 + n).encode().hex() for n in range(pairs)],
            "last_resort": BOB.bundle(one_time=None, kem=400).encode().hex(),
        }
        taken.valid(comment, data, rules=["WIRE-11"], output=output)
    half = {"publication": two.at((8, 0), b"\x82" + two.items[8].items[0].encode()[1:-66]).hex()}
    taken.invalid(
        "a pair without a signature", half, "MalformedMessage", flags=["PrekeyKind"], rules=["WIRE-11"]
    )
    for comment, flag, data in changed_publications(empty, two):
        given = {"publication": data.hex()}
        rule = "HAND-1" if flag in ("BrokenSignature", "OtherIdentity") else "HAND-2"
        verified.invalid(comment, given, "InvalidSignature", flags=[flag], rules=[rule])


def changed_publications(empty: Node, two: Node) -> Iterator[tuple[str, str, bytes]]:
    """Yield comment, flag and a publication with something changed after it was signed."""
    rotated = publication_node_of(101)
    for comment, whole, path in (
        ("the last resort", empty, (7,)),
        ("the first pair", two, (8, 0, 2)),
        ("the last pair", two, (8, 1, 2)),
    ):
        for bit in (0, 40):
            wrong = blob(flipped(content(whole, *path), bit))
            yield f"{comment}: a bit of byte {bit} of the signature", "BrokenSignature", whole.at(path, wrong)
    for comment, path in (
        ("signed prekey", (5, 1)),
        ("last resort", (6, 1)),
        ("first one-time prekey", (8, 0, 0, 1)),
        ("last one-time KEM prekey", (8, 1, 1, 1)),
    ):
        yield f"{comment}: another id", "MovedSignature", two.at(path, uint(99))
    yield "another day", "MovedSignature", two.at((4,), uint(MADE_ON + 1))
    yield "another device id", "MovedSignature", two.at((2, 1), uint(2))
    yield "another name", "MovedSignature", two.at((2, 0), text("bob2"))
    yield "another identity key", "OtherIdentity", two.at((3,), blob(MALLORY.identity.public.data))
    yield "another rotation's signed prekey", "Mixed", two.at((5,), item(rotated, 5))
    first, second = (each.items for each in two.items[8].items)
    for place, name in enumerate(("one-time prekeys", "KEM prekeys", "signatures")):
        pairs = [[each.encode() for each in pair] for pair in (first, second)]
        pairs[0][place], pairs[1][place] = pairs[1][place], pairs[0][place]
        joined = b"\x82" + b"".join(b"\x83" + b"".join(pair) for pair in pairs)
        yield f"the {name} of two pairs exchanged", "Mixed", two.at((8,), joined)


def publication_node_of(signed: int) -> Node:
    """Return a bundle with another signed prekey, for its parts."""
    return bundle_node(signed=signed, one_time=None, kem=400)


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "bundles",
        "XEdDSA over bundles",
        ["The signature of bundles and publications, and the bundles that a publication makes."],
        NOTES,
    )
    sound(family)
    broken_signatures(family)
    changed_values(family)
    mixtures(family)
    other_signed_bytes(family)
    wrong_kinds(family)
    publications(family)
    return family
