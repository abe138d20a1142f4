"""Values out of range, invalid keys, and fields that do not go together."""

from collections.abc import Callable
from typing import Final

from generators.support.cbor_nodes import ARRAY, NULL, UINT, Node, blob, head, long_head, text, uint
from generators.support.family import Family, Group
from generators.support.labels import draw, flipped
from generators.support.people import BAD_KEYS, FEW_BAD_KEYS
from generators.support.wire_nodes import (
    BARE,
    BUNDLE,
    INITIAL,
    INITIAL_KEM,
    PUBLICATION,
    RATCHET,
    TRIPLE,
    bundle_node,
    initial_node,
    publication_node,
    ratchet_node,
)

NOTES: Final = {
    "Boundary": "a number or length where its head becomes longer, or at the end of its range",
    "OtherVersion": "a version that is unknown, or not that of the kind: refused before the rest is read",
    "OtherKind": "another kind than the expected one",
    "NoEnvelope": "not an array that begins with version and kind",
    "LongForm": "a head that is longer than necessary",
    "IndefiniteLength": "an array or string of indefinite length",
    "Tag": "a tag, which could make a parser do unwanted work",
    "Truncated": "a truncated encoding",
    "TrailingBytes": "bytes after the end",
    "WrongCount": "another number of elements",
    "WrongType": "an element of another type, even if a language takes it for the same",
    "WrongLength": "a byte string of another length",
    "OutOfRange": "a number outside its range, or without a meaning",
    "InvalidKey": "32 bytes that are not a public key: of low order, or a second encoding",
    "InvalidKemKey": "1,568 bytes that are not an encapsulation key: a coefficient is q or more",
    "SuiteMix": "fields of one suite in the other",
    "PqHeader": "type, index and codewords that do not go together, or are not whole",
    "InnerMessage": "the ratchet or triple message inside an initial message is wrong",
    "PrekeyKind": "a prekey of the wrong kind for its place",
    "Name": "an invalid name or device id",
    "TooLarge": "more bytes or items than the limit",
    "TooDeep": "arrays nested deeper than the limit",
    "NoPair": "not one prekey of each kind and a signature",
    "RepeatedId": "two prekeys of one publication with the same id",
}


class Refusals:
    """The refused encodings of one kind, in one group."""

    def __init__(self, group: Group, kind: str) -> None:
        self._group, self._kind = group, kind

    def add(
        self, comment: str, data: bytes, flag: str, rule: str = "WIRE-4", expect: str = "MalformedMessage"
    ) -> None:
        given = {"kind": self._kind, "data": data.hex()}
        self._group.invalid(f"{self._kind}, {comment}", given, expect, flags=[flag], rules=[rule])

    def keys(self, name: str, edit: Callable[[bytes], bytes], keys: dict[str, bytes]) -> None:
        for what, key in keys.items():
            self.add(f"{name}: {what}", edit(blob(key)), "InvalidKey", "PRIM-2", "InvalidKey")


def replaced(whole: Node, *path: int) -> Callable[[bytes], bytes]:
    return lambda data: whole.at(path, data)


def ratchet_values(group: Group) -> None:
    refuse = Refusals(group, "ratchet")
    refuse.keys("ratchet key", replaced(RATCHET, 2), BAD_KEYS)
    for index, name in ((3, "PN"), (4, "N")):
        for number in (2**32, 2**64 - 1):
            refuse.add(f"{name} is {number}", RATCHET.at((index,), uint(number)), "OutOfRange")
    for length in (0, 24, 55):
        data = ratchet_node(sealed=length).encode()
        refuse.add(f"a sealed text of {length} bytes", data, "WrongLength")
    refuse.add(
        "a sealed text that says it has 4 GiB",
        RATCHET.at((5,), long_head(2, 2**32 - 1, 4) + draw("wire sealed", 56)),
        "Truncated",
        "WIRE-2",
    )
    refuse.add(
        "elements without number: the head says 2^32 - 1",
        long_head(ARRAY, 2**32 - 1, 4) + RATCHET.encode()[1:],
        "WrongCount",
        "WIRE-3",
    )
    refuse.add("arrays in an array", RATCHET.at((5,), b"\x81" * 60 + b"\x80"), "TooDeep", "WIRE-3")


def initial_values(group: Group) -> None:
    refuse = Refusals(group, "initial")
    refuse.keys("identity key", replaced(INITIAL, 3), FEW_BAD_KEYS)
    refuse.keys("ephemeral key", replaced(INITIAL, 4), FEW_BAD_KEYS)
    for suite in (0, 3, 23, 256, 2**32):
        refuse.add(f"suite {suite}", INITIAL.at((2,), uint(suite)), "OutOfRange")
    for index, name in ((5, "signed prekey id"), (6, "one-time prekey id")):
        refuse.add(f"{name} is 2^32", INITIAL.at((index,), uint(2**32)), "OutOfRange")
    refuse.add("KEM prekey id is 2^32, in suite 2", INITIAL_KEM.at((7,), uint(2**32)), "OutOfRange")
    plain, triple = initial_node(kem=33, message=RATCHET.encode()), initial_node(message=TRIPLE.encode())
    for comment, data in (
        ("suite 1 with both KEM fields", plain.at((2,), uint(1))),
        ("suite 1 with a KEM prekey id", INITIAL.at((7,), uint(33))),
        ("suite 1 with a CT", INITIAL.at((8,), blob(draw("wire kem ciphertext", 1568)))),
        ("suite 2 without KEM fields", triple.at((2,), uint(2))),
        ("suite 2 without a KEM prekey id", INITIAL_KEM.at((7,), NULL)),
        ("suite 2 without a CT", INITIAL_KEM.at((8,), NULL)),
    ):
        refuse.add(comment, data, "SuiteMix", "WIRE-7")
    for comment, data in (
        ("suite 1 with a triple message", triple.encode()),
        ("suite 2 with a ratchet message", plain.encode()),
    ):
        refuse.add(comment, data, "SuiteMix", "PQR-8")
    for length in (0, 1088, 1567, 1569):
        data = INITIAL_KEM.at((8,), blob(draw("wire kem ciphertext", length)))
        refuse.add(f"a CT of {length} bytes", data, "WrongLength")
    inner_values(refuse)


def inner_values(refuse: Refusals) -> None:
    inside = RATCHET.encode()
    for comment, data in (
        ("empty", b""),
        ("cut short", inside[:-1]),
        ("a byte after its end", inside + b"\0"),
        ("an initial message", INITIAL.encode()),
        ("a bundle", BUNDLE.encode()),
        ("kind 6", RATCHET.at((1,), uint(6))),
        ("one element more", head(ARRAY, 7) + inside[1:] + NULL),
        ("a long form", RATCHET.at((4,), long_head(UINT, 0, 1))),
        ("a tag before it", b"\xd8\x18" + inside),
        ("a sealed text of 55 bytes", ratchet_node(sealed=55).encode()),
    ):
        refuse.add(f"the ratchet message: {comment}", INITIAL.at((9,), blob(data)), "InnerMessage")
    later = INITIAL.at((9,), blob(RATCHET.at((0,), uint(2))))
    refuse.add("the ratchet message: version 2", later, "InnerMessage", "WIRE-1", "UnsupportedVersion")
    bundle = INITIAL.at((9,), blob(RATCHET.at((1,), uint(3))))
    comment = "the ratchet message: kind 3, whose version is 2"
    refuse.add(comment, bundle, "InnerMessage", "WIRE-1", "UnsupportedVersion")
    key = INITIAL.at((9,), blob(RATCHET.at((2,), blob(bytes(32)))))
    refuse.add("the ratchet message: a key of low order", key, "InnerMessage", "PRIM-2", "InvalidKey")
    array = INITIAL.at((9,), inside)
    refuse.add("the ratchet message: not in a byte string", array, "InnerMessage")
    inner_triples(refuse)


def inner_triples(refuse: Refusals) -> None:
    inside = TRIPLE.encode()
    for comment, data, rule in (
        ("cut short", inside[:-1], "WIRE-2"),
        ("a byte after its end", inside + b"\0", "WIRE-2"),
        ("one element more", head(ARRAY, 13) + inside[1:] + NULL, "WIRE-3"),
        ("a long form", TRIPLE.at((7,), long_head(UINT, 0, 1)), "WIRE-2"),
        ("epoch 0", TRIPLE.at((5,), uint(0)), "WIRE-4"),
        ("type 7", TRIPLE.at((8,), uint(7)), "WIRE-12"),
        ("type 1 without codewords", BARE.at((8,), uint(1)), "WIRE-12"),
        ("half a codeword", TRIPLE.at((10,), blob(bytes(48))), "WIRE-12"),
    ):
        whole = INITIAL_KEM.at((9,), blob(data))
        refuse.add(f"suite 2, the triple message: {comment}", whole, "InnerMessage", rule)
    later = INITIAL_KEM.at((9,), blob(TRIPLE.at((0,), uint(2))))
    comment = "suite 2, the triple message: version 2"
    refuse.add(comment, later, "InnerMessage", "WIRE-1", "UnsupportedVersion")
    key = INITIAL_KEM.at((9,), blob(TRIPLE.at((2,), blob(bytes(32)))))
    comment = "suite 2, the triple message: a key of low order"
    refuse.add(comment, key, "InnerMessage", "PRIM-2", "InvalidKey")


DAYS: Final = (0, 23, 24, 255, 256, 65535, 65536, 2_932_896)

Sound = Callable[[str, dict[str, Node]], None]


def bundle_values(family: Family, sound: Sound) -> None:
    whole = bundle_node(kem=300)
    sound("bundle", {
        "a curve one-time prekey, no KEM prekey": BUNDLE,
        "signed prekey alone": bundle_node(one_time=None),
        "a one-time prekey of both kinds": whole,
        "a last-resort prekey": bundle_node(one_time=None, kem=400),
        "a one-time curve prekey and the last-resort prekey": bundle_node(kem=400),
        "ids of 0 and 4294967295": bundle_node(signed=0, one_time=2**32 - 1),
        "ids of 65535 and 65536": bundle_node(signed=65535, one_time=65536),
        **{f"made on day {day}": bundle_node(made_on=day) for day in DAYS},
    })  # fmt: skip
    group = family.group("wire.decode", "bundle: values")
    refuse = Refusals(group, "bundle")
    refuse.keys("identity key", replaced(BUNDLE, 3), FEW_BAD_KEYS)
    refuse.keys("signed prekey", replaced(BUNDLE, 5, 2), FEW_BAD_KEYS)
    refuse.keys("one-time prekey", replaced(BUNDLE, 6, 2), FEW_BAD_KEYS)
    for place, name, kinds in ((5, "signed prekey", (0, 2, 3, 4, 5)), (6, "one-time prekey", (0, 1, 3, 4))):
        for kind in kinds:
            data = BUNDLE.at((place, 0), uint(kind))
            refuse.add(f"{name}: kind {kind}", data, "PrekeyKind")
        refuse.add(f"{name}: id 2^32", BUNDLE.at((place, 1), uint(2**32)), "OutOfRange")
    for day in (2_932_897, 2**32, 2**64 - 1):
        refuse.add(f"made on day {day}", BUNDLE.at((4,), uint(day)), "OutOfRange", "WIRE-13")
    address_values(refuse)
    for count in (6, 8193):
        deep = BUNDLE.at((2,), b"\x81" * (count - 1) + b"\x80")
        refuse.add(f"{count} bytes of arrays in the address's place", deep, "TooDeep", "WIRE-3")
    short = BUNDLE.encode()
    padding = short + blob(bytes(8193 - len(short) - 3))
    refuse.add("8193 bytes, the first of them a sound bundle", padding, "TooLarge", "WIRE-3")
    kem_values(refuse, whole)


def kem_values(refuse: Refusals, whole: Node) -> None:
    assert whole.items is not None
    assert whole.items[7].items is not None
    key = whole.items[7].items[2].content or b""
    for comment, data in (
        ("the first coefficient is 4095", b"\xff" + flipped(key, 1, ~key[1] & 0x0F)[1:]),
        ("the first coefficient is q", b"\x01" + bytes([key[1] & 0xF0 | 0x0D]) + key[2:]),
    ):
        refuse.add(
            f"KEM prekey: {comment}", whole.at((7, 2), blob(data)), "InvalidKemKey", "PRIM-7", "InvalidKey"
        )
    refuse.add("KEM prekey: an ML-KEM-768 key", whole.at((7, 2), blob(key[:1184])), "WrongLength")
    refuse.add("KEM prekey: a byte fewer", whole.at((7, 2), blob(key[:-1])), "WrongLength")
    for kind in (1, 2, 5):
        refuse.add(f"KEM prekey: kind {kind}", whole.at((7, 0), uint(kind)), "PrekeyKind")


def address_values(refuse: Refusals) -> None:
    for comment, path, data in (
        ("an empty name", (2, 0), text("")),
        ("a name of 256 bytes", (2, 0), text("x" * 256)),
        ("a name with a space at its end", (2, 0), text("bob ")),
        ("a name that is not in normal form C", (2, 0), text("bo\u0301b")),
        ("a name with a zero-width joiner", (2, 0), text("bo\u200db")),
        ("device id 0", (2, 1), uint(0)),
        ("device id 2^32", (2, 1), uint(2**32)),
    ):
        refuse.add(comment, BUNDLE.at(path, data), "Name", "WIRE-8")
    for comment, name in (
        ("a byte that begins nothing", b"bo\xff"),
        ("a letter cut short", b"bo\xc3"),
        ("a letter in more bytes than it needs", b"bo\xc1\xa2"),
        ("half of a surrogate pair", b"bo\xed\xa0\x80"),
    ):
        refuse.add(f"a name with {comment}", BUNDLE.at((2, 0), text(name)), "Name", "WIRE-2")


def publication_values(family: Family, sound: Sound) -> None:
    one, two = publication_node(pairs=[(200, 300)]), publication_node(pairs=[(200, 300), (201, 301)])
    sound("publication", {
        "no one-time prekeys": PUBLICATION,
        "one pair of one-time prekeys": one,
        "two pairs of one-time prekeys": two,
    })  # fmt: skip
    group = family.group("wire.decode", "publication: values")
    refuse = Refusals(group, "publication")
    same = PUBLICATION.at((6, 1), uint(100))
    refuse.add("signed and last-resort prekey have one id", same, "RepeatedId", "WIRE-11")
    for comment, path, id_ in (
        ("the pair has one id", (8, 0, 0, 1), 300),
        ("the signed and a one-time prekey have one id", (8, 0, 0, 1), 100),
        ("the last resort and a one-time KEM prekey have one id", (8, 0, 1, 1), 400),
        ("two one-time prekeys have one id", (8, 0, 0, 1), 201),
        ("two one-time KEM prekeys have one id", (8, 1, 1, 1), 300),
    ):
        refuse.add(comment, two.at(path, uint(id_)), "RepeatedId", "WIRE-11")
    for day in (2_932_897, 2**32):
        refuse.add(f"made on day {day}", PUBLICATION.at((4,), uint(day)), "OutOfRange", "WIRE-13")
    publication_parts(refuse)
    pairs(refuse, one)


def publication_parts(refuse: Refusals) -> None:
    refuse.add("the last resort: kind 3", PUBLICATION.at((6, 0), uint(3)), "PrekeyKind")
    refuse.add("the last resort: null", PUBLICATION.at((6,), NULL), "WrongType")
    refuse.add("the signed prekey: kind 2", PUBLICATION.at((5, 0), uint(2)), "PrekeyKind")
    refuse.keys("identity key", replaced(PUBLICATION, 3), FEW_BAD_KEYS)
    refuse.add("the last resort's signature: null", PUBLICATION.at((7,), NULL), "WrongType")
    refuse.add(
        "the last resort's signature: a byte fewer", PUBLICATION.at((7,), blob(bytes(63))), "WrongLength"
    )
    refuse.add("list of pairs: null", PUBLICATION.at((8,), NULL), "WrongType")
    refuse.add("list of pairs: a map", PUBLICATION.at((8,), b"\xa0"), "WrongType")
    refuse.add(
        "list of pairs: a long head", PUBLICATION.at((8,), long_head(ARRAY, 0, 1)), "LongForm", "WIRE-2"
    )
    endless = PUBLICATION.at((8,), b"\x9f\xff")
    refuse.add("list of pairs: of indefinite length", endless, "IndefiniteLength", "WIRE-2")
    refuse.add("a tag in a prekey", PUBLICATION.at((6, 1), b"\xc2" + uint(400)), "Tag", "WIRE-5")
    refuse.add("an element more", head(ARRAY, 10) + PUBLICATION.encode()[1:] + NULL, "WrongCount", "WIRE-3")
    refuse.add("an element fewer", head(ARRAY, 8) + PUBLICATION.encode()[1:-1], "WrongCount", "WIRE-3")
    refuse.add("a byte after the end", PUBLICATION.encode() + b"\0", "TrailingBytes", "WIRE-2")
    many = PUBLICATION.at((8,), head(ARRAY, 10_020) + b"\x80" * 10_020)
    refuse.add("10,020 empty arrays in place of pairs", many, "TooLarge", "WIRE-3")
    several = PUBLICATION.at((8,), head(ARRAY, 1001) + b"\x80" * 1001)
    refuse.add("1,001 empty arrays in place of pairs", several, "TooLarge", "WIRE-11")
    deep = PUBLICATION.at((8,), b"\x81" * 6 + b"\x80")
    refuse.add("arrays nested to 8 in place of pairs", deep, "TooDeep", "WIRE-3")


def pairs(refuse: Refusals, one: Node) -> None:
    """Pairs that are not a one-time prekey of each kind and a signature."""
    assert one.items is not None
    assert one.items[8].items is not None
    curve, kem, signature = one.items[8].items[0].items or ()
    refuse.add("a one-time prekey: kind 1", one.at((8, 0, 0, 0), uint(1)), "PrekeyKind")
    refuse.add("a one-time KEM prekey: kind 4", one.at((8, 0, 1, 0), uint(4)), "PrekeyKind")
    for comment, items in {
        "no signature": (curve, kem),
        "no one-time KEM prekey": (curve, signature),
        "no one-time prekey": (kem, signature),
        "nothing": (),
        "two one-time prekeys": (curve, curve, signature),
        "two one-time KEM prekeys": (kem, kem, signature),
        "exchanged": (kem, curve, signature),
        "the signature first": (signature, curve, kem),
        "a second signature": (curve, kem, signature, signature),
    }.items():
        data = head(ARRAY, len(items)) + b"".join(each.encode() for each in items)
        refuse.add(f"a pair: {comment}", one.at((8, 0), data), "NoPair", "WIRE-11")
    for place, name in enumerate(("one-time prekey", "one-time KEM prekey", "signature")):
        refuse.add(f"a pair: null in place of the {name}", one.at((8, 0, place), NULL), "NoPair", "WIRE-11")
    refuse.add("cut in its last pair", one.encode()[:-1], "Truncated", "WIRE-2")
