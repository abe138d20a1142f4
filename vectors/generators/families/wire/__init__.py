"""Vectors of the five kinds of encoding, and of everything that a receiver must refuse."""

from collections.abc import Iterable
from functools import partial

from generators.families.wire.triple import triple_sound, triple_values
from generators.families.wire.values import (
    NOTES,
    bundle_values,
    initial_values,
    publication_values,
    ratchet_values,
)
from generators.support.cbor_nodes import (
    ARRAY,
    NULL,
    Defect,
    Node,
    counts,
    cuts,
    head,
    indefinite,
    lengths,
    long_forms,
    number_node,
    other_types,
    tagged,
)
from generators.support.family import Family, Group, Json
from generators.support.labels import draw
from generators.support.wire_nodes import (
    BARE,
    BUNDLE,
    INITIAL,
    INITIAL_KEM,
    PUBLICATION,
    RATCHET,
    TRIPLE,
    initial_node,
    old_bundle,
    old_publication,
    ratchet_node,
)

TAGS = (0, 2, 24, 55799)
KINDS = ("initial", "ratchet", "bundle", "publication", "triple")
VERSIONS = {"initial": 1, "ratchet": 1, "bundle": 2, "publication": 2, "triple": 1}
OPTIONAL = ("one-time prekey", "one-time prekey id", "KEM prekey")
WHOLES = {
    "initial": INITIAL,
    "ratchet": RATCHET,
    "bundle": BUNDLE,
    "publication": PUBLICATION,
    "triple": TRIPLE,
}


def given(kind: str, data: bytes) -> Json:
    return {"kind": kind, "data": data.hex()}


def refuse(group: Group, kind: str, defects: Iterable[Defect]) -> None:
    for each in defects:
        group.invalid(
            f"{kind}, {each.comment}",
            given(kind, each.data),
            "MalformedMessage",
            flags=[each.flag],
            rules=[each.rule],
        )


def sound(family: Family, kind: str, values: dict[str, Node]) -> None:
    group = family.group("wire.decode", f"{kind}: sound")
    for comment, node in values.items():
        rules = ["WIRE-6"] if kind in ("initial", "ratchet", "triple") else ["WIRE-2"]
        flags = ["Boundary"] if any(character.isdigit() for character in comment) else []
        group.valid(f"{kind}, {comment}", given(kind, node.encode()), flags=flags, rules=rules)


def openings(family: Family, kind: str, whole: Node) -> None:
    """Version and kind are read first."""
    group = family.group("wire.decode", f"{kind}: version and kind")
    own_version = VERSIONS[kind]
    for version in (0, 3 - own_version, 23, 24, 255, 2**32 - 1, 2**32, 2**64 - 1):
        data = whole.with_item(0, number_node("", version).data).encode()
        group.invalid(
            f"{kind}, version {version}",
            given(kind, data),
            "UnsupportedVersion",
            flags=["OtherVersion"],
            rules=["WIRE-1"],
        )
    later = head(ARRAY, 3) + number_node("", 3).data + draw("a later version", 40)
    group.invalid(
        f"{kind}, version 3, and then nothing that versions 1 and 2 know",
        given(kind, later),
        "UnsupportedVersion",
        flags=["OtherVersion"],
        rules=["WIRE-1"],
    )
    refuse(group, kind, (each for each in other_types(whole) if each.comment.startswith("version: ")))
    own = KINDS.index(kind) + 1
    for number in (0, *(each for each in (1, 2, 3, 4, 5) if each != own), 6, 2**32):
        data = whole.with_item(1, number_node("", number).data).encode()
        defect = Defect(f"kind {number}", "OtherKind", "WIRE-4", data)
        if number in (1, 2, 3, 4, 5) and VERSIONS[KINDS[number - 1]] != own_version:
            comment = f"{kind}, {defect.comment}, which has another version"
            flags, rules = ["OtherKind"], ["WIRE-1"]
            group.invalid(comment, given(kind, data), "UnsupportedVersion", flags=flags, rules=rules)
        else:
            refuse(group, kind, [defect])
    for other, another in WHOLES.items():
        if other != kind:
            refuse(group, kind, [Defect(f"a sound {other}", "OtherKind", "WIRE-4", another.encode())])
    for comment, data in (
        ("nothing at all", b""),
        ("the head of the array alone", whole.encode()[:1]),
        ("null", NULL),
        ("a number", b"\x01"),
        ("a map", b"\xa1\x01\x02"),
        ("an empty array", head(ARRAY, 0)),
    ):
        refuse(group, kind, [Defect(comment, "NoEnvelope", "WIRE-4", data)])


def forms(family: Family, kind: str, whole: Node, tags: Iterable[int]) -> None:
    """All other encodings of a value."""
    group = family.group("wire.decode", f"{kind}: other encodings, and cuts")
    refuse(group, kind, long_forms(whole))
    refuse(group, kind, indefinite(whole))
    refuse(group, kind, tagged(whole, tuple(tags)))
    refuse(group, kind, cuts(whole))
    group = family.group("wire.decode", f"{kind}: other types, lengths and counts")
    refuse(group, kind, counts(whole))
    refuse(
        group,
        kind,
        other_types(whole, first=1, optional=("one-time prekey", "one-time prekey id", "KEM prekey")),
    )
    refuse(group, kind, lengths(whole, free=("sealed", "ratchet message", "codewords")))


BOUNDARIES = (0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1)


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "wire",
        "deterministic CBOR",
        [
            "The encodings of initial, ratchet and triple messages, prekey bundles and publications.",
            "Messages and publications above the size limit are not recorded: each would have megabytes.",
        ],
        NOTES,
    )
    accepted = partial(sound, family)
    sound(family, "ratchet", {
        "the first message of a chain, N and PN 0, with a sealed text of 56 bytes, the shortest": RATCHET,
        **{f"N is {n}": ratchet_node(number=n) for n in BOUNDARIES[1:]},
        **{f"PN is {n}": ratchet_node(previous=n) for n in BOUNDARIES[1:]},
        "a sealed text of 255 bytes": ratchet_node(sealed=255),
        "a sealed text of 256 bytes": ratchet_node(sealed=256),
        "a sealed text of 1048 bytes": ratchet_node(sealed=1048),
    })  # fmt: skip
    openings(family, "ratchet", RATCHET)
    forms(family, "ratchet", RATCHET, TAGS)
    ratchet_values(family.group("wire.decode", "ratchet: values"))

    triple_sound(accepted)
    openings(family, "triple", TRIPLE)
    forms(family, "triple", TRIPLE, TAGS)
    triple_values(family)

    sound(family, "initial", {
        "X3DH with a one-time prekey": INITIAL,
        "X3DH without a one-time prekey": initial_node(one_time=None),
        "PQXDH with a one-time prekey": INITIAL_KEM,
        "PQXDH without a one-time prekey": initial_node(one_time=None, kem=33),
        "PQXDH, and all ids are 0": initial_node(signed=0, one_time=0, kem=0),
        **{f"ids are {n}": initial_node(signed=n, one_time=n) for n in BOUNDARIES},
        "PQXDH, and the kem prekey id is 4294967295": initial_node(kem=2**32 - 1),
        "PQXDH with a triple message without codewords": initial_node(kem=33, message=BARE.encode()),
    })  # fmt: skip
    openings(family, "initial", INITIAL)
    forms(family, "initial", INITIAL, TAGS)
    initial_values(family.group("wire.decode", "initial: values"))

    bundle_values(family, accepted)
    openings(family, "bundle", BUNDLE)
    forms(family, "bundle", BUNDLE, TAGS[2:])

    publication_values(family, accepted)
    openings(family, "publication", PUBLICATION)
    versions_of_old(family)
    return family


def versions_of_old(family: Family) -> None:
    """Bundles and publications as release 0.1.0 made them, with a signature for each prekey."""
    group = family.group("wire.decode", "bundles and publications of version 1")
    for kind, data in {"bundle": old_bundle(), "publication": old_publication()}.items():
        comment, flags = f"{kind}, whole and of version 1", ["OtherVersion"]
        group.invalid(comment, given(kind, data), "UnsupportedVersion", flags=flags, rules=["WIRE-1"])
