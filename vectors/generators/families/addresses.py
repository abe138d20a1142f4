"""Vectors of addresses: names with one encoding and visible characters, and all others.

The CBOR is written here by hand. Characters are of categories that no later Unicode will change.
"""

from generators.support.encoding import encode, head
from generators.support.family import Family, Group


def address(name: str, device_id: int = 1) -> bytes:
    return encode([name, device_id])


def allowed(family: Family) -> None:
    group = family.group("address.decode", "addresses")
    for comment, flags, name, device_id in [
        ("an ordinary one", [], "alice", 1),
        ("an e-mail address", [], "alice@example.org", 2),
        ("a name of one byte", ["Boundary"], "a", 1),
        ("a name of 255 bytes", ["Boundary"], "a" * 255, 1),
        ("a name of 255 bytes and 128 characters", ["Boundary"], "\u00e9" * 127 + "e", 1),
        ("the largest device id", ["Boundary"], "alice", 2**32 - 1),
        ("a device id of 24", ["Boundary"], "alice", 24),
        ("a device id of 2^16", ["Boundary"], "alice", 2**16),
        ("a letter with an accent, composed", [], "Zo\u00eb", 1),
        ("a mark that composes with nothing", [], "x\u0301", 1),
        ("Hangul, composed", [], "\ud55c\uae00", 1),
        ("beyond the basic plane", [], "\U0001f4e8", 1),
        ("a space within", ["Boundary"], "Alice Liddell", 1),
        ("two spaces within", [], "Alice  Liddell", 1),
        ("a ligature", ["NotNfkc"], "\ufb01ona", 1),
        ("full-width letters", ["NotNfkc"], "\uff21\uff4c\uff49\uff43\uff45", 1),
        ("beside the grapheme joiner", ["Boundary"], "a\u034eb\u0350", 1),
        ("beside the Mongolian selectors", ["Boundary"], "\u180a\u1810", 1),
        ("beside the Hangul fillers", ["Boundary"], "\u3163\u3165\uffa1", 1),
        ("beside the variation selectors", ["Boundary"], "\ufe10", 1),
        ("beside the blank Braille pattern", ["Boundary"], "\u27ff\u2801", 1),
        ("beside the null notehead", ["Boundary"], "\U0001d158\U0001d15a", 1),
        ("a low line, which looks like a space", [], "Alice_Liddell", 1),
        ("a middle dot and a hyphen", [], "Alice\u00b7Liddell\u2010Dodgson", 1),
    ]:
        given = {"data": address(name, device_id).hex()}
        group.valid(comment, given, flags=flags, rules=["WIRE-8"], output={"address": [name, device_id]})


def names(family: Family) -> None:
    group = family.group("address.decode", "names with more than one encoding, or with invisible characters")

    def refuse(comment: str, name: str, flag: str) -> None:
        given = {"data": address(name).hex()}
        group.invalid(comment, given, "MalformedMessage", flags=[flag], rules=["WIRE-8"])

    refuse("no name", "", "Length")
    refuse("256 bytes", "a" * 256, "Length")
    refuse("256 bytes in 128 characters", "\u00e9" * 128, "Length")
    for comment, name in {
        "an accent as a mark of its own": "Zoe\u0308",
        "Hangul in its parts": "\u1112\u1161\u11ab",
        "the Angstrom sign, which is a letter": "\u212b",
        "the Ohm sign, which is a letter": "\u2126",
        "two marks in the wrong order": "x\u0301\u0323",
        "a letter that normal form C takes apart": "\u0958",
        "an en quad, which is an en space, within": "a\u2000b",
    }.items():
        refuse(comment, name, "NotNfc")
    characters = {
        "Control": [0x00, 0x07, 0x0A, 0x1F, 0x7F, 0x80, 0x85, 0x9F],
        "Format": [0xAD, 0x061C, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x202E, 0x2060, 0x2066, 0xFEFF],
        "Unassigned": [0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF],
        "Private": [0xE000, 0xF8FF, 0xF0000, 0x10FFFD],
        "Separator": [0x2028, 0x2029],
        "Invisible": [
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180D, 0x180F, 0x3164),
            *(0xFE00, 0xFE0F, 0xFFA0, 0xE0100, 0xE01EF),
        ],
        "Blank": [0x2800, 0x2D7F, 0xFFFC, 0x1107F, 0x13441, 0x13442, 0x16FE4, 0x1D159],
        "OtherSpace": [0xA0, 0x1680, *range(0x2002, 0x200B), 0x202F, 0x205F, 0x3000],
    }
    for flag, codes in characters.items():
        for code in codes:
            refuse(f"U+{code:04X} within", f"al{chr(code)}ice", flag)
    refuse("U+E0001, a tag, at the end", "alice\U000e0001", "Format")
    refuse("U+FE0F after an emoji", "\u2709\ufe0f", "Invisible")
    for code in (0x20, 0xA0, 0x1680, 0x2003, 0x202F, 0x205F, 0x3000):
        refuse(f"U+{code:04X} before the name", f"{chr(code)}alice", "Space")
        refuse(f"U+{code:04X} after the name", f"alice{chr(code)}", "Space")
    refuse("a space and nothing else", " ", "Space")
    for code in (0x2800, 0x3164, 0x1D159, 0xA0):
        refuse(f"U+{code:04X} and nothing else", chr(code), "OtherSpace" if code == 0xA0 else "Blank")


ALICE, ONE = encode("alice"), b"\x01"


def bytes_of_names(family: Family) -> None:
    group = family.group("address.decode", "names that are not text")
    for comment, data in {
        "half of a surrogate pair": b"al\xed\xa0\x80ice",
        "a surrogate pair in six bytes": b"\xed\xa0\xbd\xed\xb3\xa8",
        "a letter in two bytes that needs one": b"al\xc1\xa9ce",
        "a zero in two bytes": b"al\xc0\x80ice",
        "a byte that continues nothing": b"al\x80ice",
        "a character cut short at the end": b"Zo\xc3",
        "beyond U+10FFFF": b"\xf4\x90\x80\x80",
        "Latin 1": b"Zo\xeb",
    }.items():
        whole = b"\x82" + head(3, len(data)) + data + ONE
        rules = ["WIRE-2", "WIRE-8"]
        group.invalid(comment, {"data": whole.hex()}, "MalformedMessage", flags=["Utf8"], rules=rules)


PAIR = b"\x82" + ALICE


def refuse(group: Group, rule: str, cases: list[tuple[str, str, bytes]]) -> None:
    for comment, flag, data in cases:
        group.invalid(comment, {"data": data.hex()}, "MalformedMessage", flags=[flag], rules=[rule])


def types(family: Family) -> None:
    group = family.group("address.decode", "other types, ranges and numbers of elements")
    cases = [
        ("device id 0", "Number", PAIR + b"\0"),
        ("device id 2^32", "Number", PAIR + head(0, 2**32)),
        ("device id 2^64 - 1", "Number", PAIR + head(0, 2**64 - 1)),
        ("device id -1", "Number", PAIR + b"\x20"),
        ("device id 1.0", "Number", PAIR + b"\xf9\x3c\x00"),
        ("device id true", "Number", PAIR + b"\xf5"),
        ("device id null", "Number", PAIR + b"\xf6"),
        ("device id undefined", "Number", PAIR + b"\xf7"),
        ("device id as a text", "Number", PAIR + encode("1")),
        ("device id as a byte", "Number", PAIR + b"\x41\x01"),
        ("the name as a byte string", "Type", b"\x82\x45alice" + ONE),
        ("the name as a number", "Type", b"\x82\x01" + ONE),
        ("the name null", "Type", b"\x82\xf6" + ONE),
        ("the name in an array", "Type", b"\x82\x81" + ALICE + ONE),
        ("device id before name", "Type", b"\x82" + ONE + ALICE),
        ("a text and no array", "Type", ALICE),
        ("a map", "Type", b"\xa1" + ALICE + ONE),
        ("null", "Type", b"\xf6"),
        ("an array of none", "Shape", b"\x80"),
        ("the name alone", "Shape", b"\x81" + ALICE),
        ("three elements", "Shape", b"\x83" + ALICE + ONE + ONE),
        ("an address in an array", "Shape", b"\x81" + PAIR + ONE),
    ]
    refuse(group, "WIRE-4", cases)


def encodings(family: Family) -> None:
    group = family.group("address.decode", "other encodings")
    tagged = [
        ("the device id as a bignum", "Tag", PAIR + b"\xc2\x41\x01"),
        ("a tagged name", "Tag", b"\x82\xd8\x20" + ALICE + ONE),
        ("the tag of CBOR itself before it all", "Tag", b"\xd9\xd9\xf7" + PAIR + ONE),
    ]
    refuse(group, "WIRE-5", tagged)
    cases = [
        ("the array's head in two bytes", "LongForm", b"\x98\x02" + ALICE + ONE),
        ("the name's head in two bytes", "LongForm", b"\x82\x78\x05alice" + ONE),
        ("the name's head in three bytes", "LongForm", b"\x82\x79\x00\x05alice" + ONE),
        ("the device id in two bytes", "LongForm", PAIR + b"\x18\x01"),
        ("the device id in three bytes", "LongForm", PAIR + b"\x19\x00\x01"),
        ("the device id in five bytes", "LongForm", PAIR + b"\x1a\x00\x00\x00\x01"),
        ("the device id in nine bytes", "LongForm", PAIR + b"\x1b" + bytes(7) + ONE),
        ("an array of indefinite length", "Indefinite", b"\x9f" + ALICE + ONE + b"\xff"),
        ("a name of indefinite length", "Indefinite", b"\x82\x7f" + ALICE + b"\xff" + ONE),
        ("no bytes", "Bytes", b""),
        ("no device id", "Bytes", PAIR),
        ("a name cut short", "Bytes", b"\x82\x65ali"),
        ("a byte after the end", "Bytes", PAIR + ONE + b"\0"),
        ("the address twice", "Bytes", (PAIR + ONE) * 2),
    ]
    refuse(group, "WIRE-2", cases)


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "addresses",
        "CBOR and Unicode normal form C",
        [
            "An address is [name, device id]. Both sides hash it, so each address has exactly one encoding.",
            "Only characters with stable properties appear. Noncharacters stand for unassigned ones.",
        ],
        {
            "Boundary": "as long, large or near as an allowed name or number can be",
            "Length": "a name with no bytes, or with more than 255",
            "Number": "a device id of another range or type",
            "Type": "another CBOR type in place of the name or the address",
            "Shape": "not exactly two elements",
            "LongForm": "a head that is longer than necessary",
            "Indefinite": "an indefinite length",
            "Tag": "a tag, which is refused unread",
            "Bytes": "too few bytes, or too many",
            "Utf8": "the name is not UTF-8",
            "NotNfc": "the name is not in normal form C",
            "NotNfkc": "normal form KC would change the name, which is no reason to refuse it",
            "Control": "a character of category Cc",
            "Format": "a character of category Cf; most of them are invisible",
            "Unassigned": "a noncharacter, which will never be assigned",
            "Private": "a character for private use",
            "Separator": "a line or paragraph separator",
            "Invisible": "a joiner, filler or variation selector",
            "Blank": "a character that shows nothing although no Unicode property says so",
            "OtherSpace": "another space than U+0020",
            "Space": "white space at the beginning or the end",
        },
    )
    allowed(family)
    names(family)
    bytes_of_names(family)
    types(family)
    encodings(family)
    return family
