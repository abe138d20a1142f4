"""Triple messages: valid ones, and those whose fields do not go together."""

from collections.abc import Callable
from typing import Final

from generators.families.wire.values import Refusals, Sound, replaced
from generators.support.cbor_nodes import ARRAY, NULL, Node, blob, long_head, other_types, uint
from generators.support.family import Family
from generators.support.labels import draw
from generators.support.people import FEW_BAD_KEYS
from generators.support.wire_nodes import BARE, TRIPLE, triple_node

_BOUNDARIES: Final = (23, 24, 255, 256, 65535, 65536, 2**32 - 1)
_COUNTERS: Final[dict[str, Callable[[int], Node]]] = {
    "PN": lambda n: triple_node(previous=n),
    "N": lambda n: triple_node(number=n),
    "epoch": lambda n: triple_node(place=(n, 1, 0)),
    "n": lambda n: triple_node(place=(1, n, 0)),
    "PN of n": lambda n: triple_node(place=(1, 1, n)),
}
_CARRYING: Final = {1: "Hdr", 2: "Ek", 3: "EkCt1Ack", 5: "Ct1", 6: "Ct2"}
_BARE: Final = {0: "None", 4: "Ct1Ack"}


def triple_sound(sound: Sound) -> None:
    sound("triple", {
        "the first message of a chain, with a header's three codewords": TRIPLE,
        **{f"type {t}, {name}": triple_node(type_=t, codewords=2) for t, name in _CARRYING.items()},
        **{f"type {t}, {name}": triple_node(type_=t, codewords=None) for t, name in _BARE.items()},
        **{f"{name} is {n}": make(n) for name, make in _COUNTERS.items() for n in _BOUNDARIES},
        "index 65535 and one codeword": triple_node(first=65535, codewords=1),
        "index 65533 and three codewords": triple_node(first=65533),
        "index 23 and 7 codewords": triple_node(first=23, codewords=7),
        "index 24 and 8 codewords": triple_node(first=24, codewords=8),
        "64 codewords": triple_node(codewords=64),
        "a sealed text of 256 bytes": triple_node(sealed=256),
    })  # fmt: skip


def triple_values(family: Family) -> None:
    refuse = Refusals(family.group("wire.decode", "triple: values"), "triple")
    refuse.keys("ratchet key", replaced(TRIPLE, 2), FEW_BAD_KEYS)
    for index, name in ((3, "PN"), (4, "N"), (5, "epoch"), (6, "n"), (7, "PN of n"), (9, "index")):
        for number in (2**32, 2**64 - 1) if name != "index" else (65536, 2**32):
            refuse.add(f"{name} is {number}", TRIPLE.at((index,), uint(number)), "OutOfRange")
    for index, name in ((5, "epoch"), (6, "n")):
        refuse.add(f"{name} is 0", TRIPLE.at((index,), uint(0)), "OutOfRange")
    for length in (0, 24, 55):
        refuse.add(f"a sealed text of {length} bytes", triple_node(sealed=length).encode(), "WrongLength")
    for number in (7, 23, 256):
        refuse.add(f"type {number}", TRIPLE.at((8,), uint(number)), "OutOfRange", "WIRE-12")
    refuse.add(
        "elements without number: the head says 2^32 - 1",
        long_head(ARRAY, 2**32 - 1, 4) + TRIPLE.encode()[1:],
        "WrongCount",
        "WIRE-3",
    )
    plain = bytes([ARRAY << 5 | 6]) + TRIPLE.encode()[1:]
    refuse.add("its head says 6, as many as a ratchet message has", plain, "WrongCount", "WIRE-3")
    for each in other_types(BARE, first=9):
        if each.comment.startswith(("index", "codewords")) and "empty" not in each.comment:
            refuse.add(f"None: {each.comment}", each.data, each.flag, "WIRE-12")
    parts(refuse)


def parts(refuse: Refusals) -> None:
    """WIRE-12: type, index and codewords of a message must go together."""

    def add(comment: str, data: bytes) -> None:
        refuse.add(comment, data, "PqHeader", "WIRE-12")

    for number, name in _BARE.items():
        bare, one = triple_node(type_=number, codewords=None), blob(draw("wire codewords", 32))
        add(f"{name} with index and codewords", TRIPLE.at((8,), uint(number)))
        add(f"{name} with an index", bare.at((9,), uint(0)))
        add(f"{name} with a codeword", bare.at((10,), one))
        add(f"{name} with codewords of no bytes", bare.at((10,), blob(b"")))
    for number, name in _CARRYING.items():
        add(f"{name} without index and codewords", BARE.at((8,), uint(number)))
        whole = triple_node(type_=number, first=1, codewords=1)
        add(f"{name} without an index", whole.at((9,), NULL))
        add(f"{name} without codewords", whole.at((10,), NULL))
        add(f"{name} with codewords of no bytes", whole.at((10,), blob(b"")))
    for length in (1, 16, 31, 33, 63, 95, 97):
        add(f"codewords of {length} bytes", TRIPLE.at((10,), blob(draw("wire codewords", length))))
    for length in (65 * 32, 64 * 32 + 1):
        add(f"codewords of {length} bytes", TRIPLE.at((10,), blob(draw("wire codewords", length))))
    for first, count in ((65535, 2), (65534, 3), (65473, 64)):
        add(f"{count} codewords from index {first} on", triple_node(first=first, codewords=count).encode())
