"""Vectors of prekey bundles and publications: made, verified, and with a defect in each signature."""

from dataclasses import replace
from typing import Any

from generators.support.cbor_nodes import Node, blob, null_node, uint
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.people import BOB, MALLORY, Person
from generators.support.wire_nodes import bundle_node, publication_node
from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import OneTimePrekey
from letterlock._wire.prekey import PrekeyKind, PublicPrekey

Q = 2**252 + 27742317777372353535851937790883648493  # the order of the base point

family = Family(
    "bundles",
    "XEdDSA over prekeys",
    ["The signatures of bundles and publications, and the bundles that a publication makes."],
    {
        "BrokenSignature": "a signature that the identity key did not make",
        "HighS": "s is q or more, a second encoding of a signature",
        "MovedSignature": "a valid signature of the same identity over something else",
        "OtherIdentity": "not the identity key that signed",
        "Swapped": "a signed key in the place of another",
        "PrekeyKind": "a prekey of the wrong kind for its place",
        "Truncated": "a truncated encoding",
        "TrailingBytes": "bytes after the end",
    },
)  # fmt: skip

BARE, FULL = bundle_node(), bundle_node(kem=300)
PLACES = {"signed prekey": (BARE, 4), "one-time prekey": (BARE, 5), "KEM prekey": (FULL, 6)}


def spelt(person: Person, kind: PrekeyKind, id_: int) -> Json:
    secret, nonce = person.secret(kind, id_).hex(), person.nonce(kind, id_).hex()
    return {"kind": int(kind), "id": id_, "private": secret, "nonce": nonce}


def makings(person: Person, *, signed: int = 100, one_time: int | None = 200, kem: int | None = None) -> Json:
    kem_kind = PrekeyKind.KEM_LAST_RESORT if kem is not None and kem >= 400 else PrekeyKind.KEM_ONE_TIME
    return {
        "address": person.json,
        "identity": person.identity.private.expose().hex(),
        "signed": spelt(person, PrekeyKind.SIGNED, signed),
        "one_time": None if one_time is None else spelt(person, PrekeyKind.ONE_TIME, one_time),
        "kem": None if kem is None else spelt(person, kem_kind, kem),
    }


SOUND: dict[str, dict[str, Any]] = {
    "the signed prekey alone": {"one_time": None},
    "a one-time curve prekey": {},
    "the last-resort prekey alone": {"one_time": None, "kem": 400},
    "one-time prekeys of both kinds": {"kem": 300},
    "a one-time curve prekey and the last resort": {"kem": 400},
    "a one-time KEM prekey alone": {"one_time": None, "kem": 300},
    "ids of 0 and 2^32 - 1": {"signed": 0, "one_time": 2**32 - 1},
}


def sound(family: Family) -> None:
    made = family.group("bundle.make", "bundles made from keys and nonces")
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


def broken_signatures(family: Family) -> None:
    group = family.group("bundle.verify", "wrong signatures")
    for name, (whole, place) in PLACES.items():
        signature = content(whole, place, 3)
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
            refuse(group, f"{name}: {comment}", whole.at((place, 3), blob(wrong)), flag, "HAND-1")


def refuse(group, comment: str, data: bytes, flag: str, rule: str, expect: str = "InvalidSignature") -> None:
    group.invalid(comment, given(data), expect, flags=[flag], rules=[rule])


def moved_signatures(family: Family) -> None:
    """A signature covers kind, id and key, so none of them can be replaced."""
    group = family.group("bundle.verify", "valid signatures in the wrong place")
    for name, (whole, place) in PLACES.items():
        other = {4: BOB.signed(101), 5: BOB.one_time(201), 6: BOB.kem(301)}[place]
        refuse(group, f"{name}: another id", whole.at((place, 1), uint(99)), "MovedSignature", "HAND-2")
        key = whole.at((place, 2), blob(other.key.data))
        refuse(group, f"{name}: another key", key, "MovedSignature", "HAND-2")
        signature = whole.at((place, 3), blob(other.signature))
        refuse(group, f"{name}: the signature of another one", signature, "MovedSignature", "HAND-2")
        theirs = whole.at((place,), bundle_node(MALLORY, kem=300).items[place].encode())
        refuse(group, f"{name}: of another identity", theirs, "OtherIdentity", "HAND-1")
    kind = FULL.at((6, 0), uint(4))
    refuse(group, "a one-time KEM prekey shown as the last resort", kind, "MovedSignature", "HAND-2")
    kind = bundle_node(kem=400).at((6, 0), uint(3))
    refuse(group, "the last resort shown as a one-time KEM prekey", kind, "MovedSignature", "HAND-2")
    signed = BOB.signed()
    as_one_time = PublicPrekey(
        PrekeyKind.ONE_TIME, signed.id, OneTimePrekey(signed.key.data), signed.signature
    )
    key = BARE.at((5, 2), blob(signed.key.data))
    refuse(group, "the signed prekey's key as one-time prekey", key, "Swapped", "HAND-2")
    swapped = replace(BOB.bundle(), one_time=as_one_time).encode()
    comment = "the signed prekey as one-time prekey, with id and signature"
    refuse(group, comment, swapped, "Swapped", "HAND-2")
    identity = BARE.at((3,), blob(MALLORY.identity.public.data))
    refuse(group, "another identity key", identity, "OtherIdentity", "HAND-1")


def other_signed_bytes(family: Family) -> None:
    """The signature covers exactly the label, kind, id and key."""
    group = family.group("bundle.verify", "signatures over other bytes")
    signed, label = BOB.signed(), b"letterlock-v1 prekey signature"
    id_, key = signed.id.to_bytes(4, "big"), signed.key.data
    for comment, told in (
        ("label left out", b"\1" + id_ + key),
        ("kind left out", label + id_ + key),
        ("id left out", label + b"\1" + key),
        ("id little-endian", label + b"\1" + id_[::-1] + key),
        ("key left out", label + b"\1" + id_),
        ("kind in four bytes", label + bytes(3) + b"\1" + id_ + key),
    ):
        nonce = draw("bundles another signature", 64)
        data = BARE.at((4, 3), blob(xeddsa.sign(BOB.identity, told, nonce)))
        refuse(group, f"signed prekey: {comment}", data, "MovedSignature", "HAND-2")


def wrong_kinds(family: Family) -> None:
    group = family.group("bundle.verify", "prekeys in the place of others")
    for comment, path, prekey in (
        ("a one-time prekey in place of the signed one", 4, BARE.items[5]),
        ("a signed prekey in place of the one-time one", 5, BARE.items[4]),
        ("a KEM prekey in place of the one-time one", 5, FULL.items[6]),
        ("a one-time curve prekey in place of the KEM one", 6, BARE.items[5]),
        ("no signed prekey", 4, null_node("")),
    ):
        data = FULL.at((path,), prekey.encode())
        refuse(group, comment, data, "PrekeyKind", "WIRE-4", "MalformedMessage")
    refuse(group, "cut", BARE.encode()[:-1], "Truncated", "WIRE-2", "MalformedMessage")
    refuse(group, "a byte more", BARE.encode() + b"\0", "TrailingBytes", "WIRE-2", "MalformedMessage")


def publications(family: Family) -> None:
    empty, two = publication_node(), publication_node(one_time=[200, 201], kem_one_time=[300, 301])
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
    unequal = {"publication": publication_node(one_time=[200]).encode().hex()}
    taken.invalid("unequal lists", unequal, "MalformedMessage", flags=["PrekeyKind"], rules=["WIRE-11"])
    pair = publication_node(one_time=[200], kem_one_time=[300])
    for comment, whole, path, flag, wrong in (
        ("signed prekey: a bit of the signature", empty, (4, 3), "BrokenSignature", None),
        ("last resort: a bit of the signature", empty, (5, 3), "BrokenSignature", None),
        ("one-time prekey: a bit of the signature", pair, (6, 0, 3), "BrokenSignature", None),
        ("one-time KEM prekey: a bit of the signature", pair, (7, 0, 3), "BrokenSignature", None),
        ("signed prekey: another id", empty, (4, 1), "MovedSignature", uint(99)),
        ("last resort: another id", empty, (5, 1), "MovedSignature", uint(99)),
        ("another identity key", empty, (3,), "OtherIdentity", blob(MALLORY.identity.public.data)),
    ):
        changed = wrong or blob(flipped(content(whole, *path), 40))
        data = {"publication": whole.at(path, changed).hex()}
        verified.invalid(comment, data, "InvalidSignature", flags=[flag], rules=["HAND-1"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "bundles",
        "XEdDSA over prekeys",
        ["The signatures of bundles and publications, and the bundles that a publication makes."],
        {
            "BrokenSignature": "a signature that the identity key did not make",
            "HighS": "s is q or more, a second encoding of a signature",
            "MovedSignature": "a valid signature of the same identity over something else",
            "OtherIdentity": "not the identity key that signed",
            "Swapped": "a signed key in the place of another",
            "PrekeyKind": "a prekey of the wrong kind for its place",
            "Truncated": "a truncated encoding",
            "TrailingBytes": "bytes after the end",
        },
    )
    sound(family)
    broken_signatures(family)
    moved_signatures(family)
    other_signed_bytes(family)
    wrong_kinds(family)
    publications(family)
    return family
