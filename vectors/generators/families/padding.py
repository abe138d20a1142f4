"""Vectors of padding: PADME lengths, padded texts, and paddings that sealing does not make."""

from generators.support.family import Family
from generators.support.labels import draw
from generators.support.padding import pad, padded_length

MOST = 16 * 1024 * 1024
BOUNDARIES = [
    0,
    1,
    30,
    31,
    32,
    35,
    36,
    62,
    63,
    64,
    71,
    72,
    127,
    128,
    255,
    256,
    1000,
    4095,
    65535,
    65536,
    1048575,
]


def lengths(family: Family) -> None:
    group = family.group("padding.length", "padded lengths")
    for length in BOUNDARIES:
        flags = [] if length == 1000 else ["Boundary"]
        output = {"padded": padded_length(length)}
        group.valid(f"{length} bytes", {"length": length}, flags=flags, rules=["WIRE-9"], output=output)
    for length in (MOST - 1, MOST):
        output = {"padded": padded_length(length)}
        group.valid(f"{length} bytes", {"length": length}, flags=["Longest"], rules=["WIRE-9"], output=output)
    given = {"length": MOST + 1}
    group.invalid("16 MiB and a byte", given, "PlaintextTooLong", flags=["Longest"], rules=["WIRE-9"])


TEXTS = {
    "no text": b"",
    "the longest text that fits 32 bytes": draw("31", 31),
    "the shortest that does not": draw("32", 32),
    "a text that ends in zeros": b"text\0\0\0",
    "a text that ends in a mark": b"text\x80",
    "a text that is itself padded": pad(b"text"),
}


def padding(family: Family) -> None:
    for operation, about in [("padding.pad", "padding"), ("padding.unpad", "unpadding")]:
        group = family.group(operation, about)
        for comment, text in TEXTS.items():
            plain, padded = {"plaintext": text.hex()}, {"padded": pad(text).hex()}
            given, output = (plain, padded) if operation == "padding.pad" else (padded, plain)
            flags = ["LooksPadded"] if "text that" in comment and "fits" not in comment else []
            group.valid(comment, given, flags=flags, rules=["WIRE-9"], output=output)


def refusals(family: Family) -> None:
    group = family.group("padding.unpad", "paddings that sealing does not make")
    text = b"letterlock"
    rest = 32 - len(text) - 1
    long = draw("a text of 40", 40)
    for comment, flag, padded in [
        ("no bytes", "NoMark", b""),
        ("32 zeros", "NoMark", bytes(32)),
        ("a text of 32 bytes, and nothing", "NoMark", draw("32", 31) + b"\x7f"),
        ("a text and zeros", "NoMark", text + bytes(rest + 1)),
        ("0x81 for the mark", "NoMark", text + b"\x81" + bytes(rest)),
        ("0x01 for the mark", "NoMark", text + b"\x01" + bytes(rest)),
        ("0x40 for the mark", "NoMark", text + b"\x40" + bytes(rest)),
        ("0xff for the mark", "NoMark", text + b"\xff" + bytes(rest)),
        ("0x00 for the mark, which comes a byte later as 0x08", "NoMark", text + b"\0\x08" + bytes(rest - 1)),
        ("a one as the last byte", "AfterMark", text + b"\x80" + bytes(rest - 1) + b"\1"),
        ("a one behind the mark", "AfterMark", text + b"\x80\1" + bytes(rest - 1)),
        ("spaces behind the mark", "AfterMark", text + b"\x80" + b" " * rest),
        ("PKCS 7: the count of bytes in each", "AfterMark", text + bytes([rest + 1]) * (rest + 1)),
        ("the mark alone", "TooShort", b"\x80"),
        ("a text, the mark and no zeros", "TooShort", text + b"\x80"),
        ("31 bytes", "TooShort", text + b"\x80" + bytes(rest - 1)),
        ("33 bytes for a text of 32", "TooShort", draw("32", 32) + b"\x80"),
        ("40 bytes and the mark, rounded to nothing", "TooShort", long + b"\x80"),
        ("40 bytes and the mark, a zero short", "TooShort", pad(long)[:-1]),
        ("33 bytes for a short text", "TooLong", text + b"\x80" + bytes(rest + 1)),
        ("36 bytes for a text of 31", "TooLong", draw("31", 31) + b"\x80" + bytes(4)),
        ("64 bytes for a short text", "TooLong", text + b"\x80" + bytes(rest + 32)),
        ("64 bytes for no text", "TooLong", b"\x80" + bytes(63)),
        ("40 bytes, to the step after the next", "TooLong", pad(long) + bytes(4)),
        ("40 bytes and the mark, a zero more", "TooLong", pad(long) + b"\0"),
        ("40 bytes, to the next power of two", "TooLong", long + b"\x80" + bytes(23)),
    ]:
        group.invalid(comment, {"padded": padded.hex()}, "MalformedMessage", flags=[flag], rules=["WIRE-9"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "padding",
        "PADME, at least 32 bytes",
        ["Each plaintext has exactly one padding. Padded texts are already authenticated."],
        {
            "Boundary": "next to a length where the padded length changes",
            "Longest": "16 MiB, the longest plaintext, and its neighbours",
            "LooksPadded": "the text itself ends like a padding",
            "NoMark": "the mark 0x80 is missing",
            "AfterMark": "the bytes after the mark are not all zero",
            "TooShort": "shorter than the padded length of this text",
            "TooLong": "longer than the padded length of this text, which would be a hidden channel",
        },
    )
    assert padded_length(MOST) == 17_301_504
    lengths(family)
    padding(family)
    refusals(family)
    return family
