"""Vectors of the erasure code: codewords of a text, and texts restored from codewords."""

from generators.support.family import Family, Group, run
from generators.support.labels import draw

TEXTS = {
    "one piece": draw("erasure one piece", 32),
    "a header and its MAC": draw("erasure header", 96),
    "ct2 and its MAC": draw("erasure ct2", 160),
    "ct1": draw("erasure ct1", 960),
    "a vector": draw("erasure vector", 1152),
    "zeros": bytes(96),
    "ones": b"\xff" * 96,
}
LAST = 2**16 - 1
RULES = ["RAT-12"]
Codewords = list[list[int | str]]


def codewords(text: bytes, *indices: int) -> Codewords:
    """Return the codewords with these indices, as an input of `erasure.text`."""
    given = {"text": text.hex(), "count": 1}
    return [[index, run("erasure.codewords", given | {"first": index})["codewords"]] for index in indices]


def encoding(family: Family) -> None:
    group = family.group("erasure.codewords", "codewords of a text")
    for name, text in TEXTS.items():
        share = len(text) // 32
        for first, count in ((0, share), (share, 3), (share - 1, 2), (1000, 1), (LAST - 1, 2)):
            flags = ["Parity"] if first + count > share else []
            if first + count > LAST:
                flags.append("Boundary")
            given = {"text": text.hex(), "first": first, "count": count}
            output = {"codewords": text.hex()} if (first, count) == (0, share) else None
            group.valid(f"{name}: {count} from {first} on", given, flags=flags, rules=RULES, output=output)
    singles(group)


def singles(group: Group) -> None:
    """One element of one codeword is 1 or x, all others are 0: the result is a single Lagrange factor."""
    for element in (0, 1, 15):
        for codeword, value in ((0, 1), (1, 1), (2, 2), (2, 0x8000)):
            text = bytearray(96)
            text[32 * codeword + 2 * element : 32 * codeword + 2 * element + 2] = value.to_bytes(2, "big")
            comment = f"element {element} of codeword {codeword} is {value:#06x}, the rest zeros"
            given = {"text": bytes(text).hex(), "first": 3, "count": 4}
            group.valid(comment, given, flags=["Parity"], rules=RULES)


def decoding(family: Family) -> None:
    group = family.group("erasure.text", "texts restored from enough codewords")
    for name, text in TEXTS.items():
        share = len(text) // 32
        for comment, indices in {
            "its own pieces": range(share),
            "its own pieces, the last first": range(share - 1, -1, -1),
            "parity alone": range(share, 2 * share),
            "the last indices": range(LAST, LAST - share, -1),
            "every other index": range(0, 2 * share, 2),
            "far apart": range(7, 7 + 1700 * share, 1700),
            "all its pieces but the first": range(1, share + 1),
        }.items():
            given = {"length": len(text), "codewords": codewords(text, *indices)}
            if not group.asks(given):
                flags = ["Parity"] if max(indices) >= share else []
                output = {"text": text.hex()}
                group.valid(f"{name}: {comment}", given, flags=flags, rules=RULES, output=output)
    repeated(group)


def repeated(group: Group) -> None:
    text, other = TEXTS["a header and its MAC"], draw("erasure other", 32).hex()
    one, five, nine = codewords(text, 1, 5, 9)
    for comment, given in {
        "an index twice, alike": [one, five, five, nine],
        "an index twice, the second with other bytes": [one, five, [5, other], nine],
        "one codeword more than is needed": [one, five, nine, [0, other]],
        "ten more than are needed": [one, five, nine, *([n, other] for n in range(10, 20))],
    }.items():
        question = {"length": len(text), "codewords": given}
        group.valid(comment, question, flags=["Twice"], rules=RULES, output={"text": text.hex()})


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "erasure",
        "GF(2^16), Lagrange interpolation",
        [
            "A text has 32 N bytes. Codewords 0 to N - 1 are the text, the others lie on its polynomials.",
            "Nothing is refused here: wrong codewords are refused with the message that carries them.",
        ],
        {
            "Parity": "codewords beyond the text, which must be computed",
            "Boundary": "the last index, the shortest or the longest text",
            "Twice": "an index that occurs twice, or more codewords than necessary: the first ones count",
        },
    )
    encoding(family)
    decoding(family)
    return family
