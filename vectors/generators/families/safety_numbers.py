"""Vectors of safety numbers: the digits that people compare, and the codes that phones scan.

The fingerprints of the changed codes are computed here from the formulae of spec/session.md.
"""

import hashlib

from generators.support.family import Family, run
from generators.support.labels import draw, flipped
from letterlock import hazmat
from letterlock._wire import cbor

Side = tuple[str, int, str]
"""Name, device id, label of the private identity key."""

ALICE, BOB = ("alice", 1, "alice"), ("bob", 1, "bob")
SIDES: list[tuple[str, list[str], Side, Side]] = [
    ("Alice and Bob", [], ALICE, BOB),
    ("Bob and Alice: the same digits", ["Order"], BOB, ALICE),
    ("another device of Bob's, with a key of its own", [], ALICE, ("bob", 2, "bob's telephone")),
    ("the largest device id", [], ALICE, ("bob", 2**32 - 1, "bob")),
    ("names in other scripts", ["Unicode"], ("Zo\u00eb", 1, "zoe"), ("\u30a2\u30ea\u30b9", 3, "arisu")),
    ("a name of 255 bytes", ["Unicode"], ("\u00e9" * 127 + "e", 7, "long"), ("\U0001f4e8", 1, "emoji")),
]


def key(label: str) -> bytes:
    return hazmat.public_key(draw(f"identity of {label}", 32))


def side(given: Side) -> dict[str, object]:
    name, device_id, label = given
    return {"address": [name, device_id], "identity": key(label).hex()}


def fingerprint(given: Side) -> bytes:
    name, device_id, label = given
    identity = b"\5" + key(label)
    digest = b"\0\0" + identity + cbor.encode([name, device_id])
    for _ in range(5200):
        digest = hashlib.sha512(digest + identity).digest()
    return digest[:32]


def digits(given: Side) -> str:
    data = fingerprint(given)
    fives = (data[at : at + 5] for at in range(0, 30, 5))
    return "".join(f"{int.from_bytes(five, 'big') % 100_000:05d}" for five in fives)


def code(shown: bytes, other: bytes) -> bytes:
    return b"\x08\x02\x12\x22\x0a\x20" + shown + b"\x1a\x22\x0a\x20" + other


def computing(family: Family) -> None:
    group = family.group("safety_number.compute", "digits and codes")
    for comment, flags, ours, theirs in SIDES:
        output = {
            "digits": "".join(sorted([digits(ours), digits(theirs)])),
            "scannable": code(fingerprint(ours), fingerprint(theirs)).hex(),
        }
        given = {"ours": side(ours), "theirs": side(theirs)}
        group.valid(comment, given, flags=flags, rules=["SES-6"], output=output)
    sound = {"ours": side(ALICE), "theirs": side(BOB)}
    for who in ("ours", "theirs"):
        for comment, identity in {
            "of low order": bytes(32),
            "with bit 255 set": flipped(key("bob"), 31, 0x80),
            "with a type byte": b"\5" + key("bob"),
        }.items():
            given = sound | {who: sound[who] | {"identity": identity.hex()}}
            named = f"an identity key {comment}, {who}"
            group.invalid(named, given, "InvalidKey", flags=["BadKey"], rules=["PRIM-2"])


def scanning(family: Family) -> None:
    group = family.group("safety_number.verify", "Alice scans a code that may be Bob's")
    given = {"ours": side(ALICE), "theirs": side(BOB)}
    ours, theirs = fingerprint(ALICE), fingerprint(BOB)
    sound = code(theirs, ours)
    shown = run("safety_number.compute", {"ours": side(BOB), "theirs": side(ALICE)})
    assert shown["scannable"] == sound.hex()
    group.valid("Bob's code", given | {"scanned": sound.hex()}, rules=["SES-10"], output={})
    mallory = fingerprint(("bob", 1, "mallory"))
    for comment, flag, scanned in [
        ("Alice's own code", "NotTheirs", code(ours, theirs)),
        ("Bob's code with his own key twice", "NotTheirs", code(theirs, theirs)),
        ("Alice's key twice", "NotTheirs", code(ours, ours)),
        ("Bob's key is another", "OtherKey", code(mallory, ours)),
        ("Bob sees another key of Alice's", "OtherKey", code(theirs, fingerprint(("alice", 1, "mallory")))),
        ("both see a third key", "OtherKey", code(mallory, fingerprint(("alice", 1, "mallory")))),
        ("Bob's other device", "OtherAddress", code(fingerprint(("bob", 2, "bob")), ours)),
        ("Bob under another name", "OtherAddress", code(fingerprint(("Bob", 1, "bob")), ours)),
        ("version 1", "Version", flipped(sound, 1, 3)),
        ("version 3", "Version", flipped(sound, 1, 1)),
        ("version 0", "Version", flipped(sound, 1, 2)),
        ("no bytes", "WrongLength", b""),
        ("cut to the version", "WrongLength", sound[:2]),
        ("cut after the first fingerprint", "WrongLength", sound[:38]),
        ("a byte short", "WrongLength", sound[:-1]),
        ("a byte long", "WrongLength", sound + b"\0"),
        ("an unknown field at the end", "WrongLength", sound + b"\x20\x00"),
        ("the code twice", "WrongLength", sound * 2),
        ("the first bit of Bob's fingerprint", "Changed", flipped(sound, 6)),
        ("the last bit of Bob's fingerprint", "Changed", flipped(sound, 37, 0x80)),
        ("the last bit of Alice's fingerprint", "Changed", flipped(sound, -1, 0x80)),
        ("a tag of another field", "Changed", flipped(sound, 2, 0x30)),
        ("the fields in the other order", "LongForm", sound[:2] + sound[38:] + sound[2:38]),
        ("the version in two bytes", "LongForm", b"\x08\x82\x00" + sound[2:]),
        ("text: the code in hexadecimal", "LongForm", sound.hex().encode()),
    ]:
        changed = given | {"scanned": scanned.hex()}
        group.invalid(comment, changed, "SafetyNumberMismatch", flags=[flag], rules=["SES-10"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "safety-numbers",
        "Signal's numeric fingerprints, version 0, and their scannable form, version 2",
        [
            "The digits of both sides are sorted, so both read the same. A code shows its own side first.",
            "A scanned code must equal the other side's code, byte for byte.",
        ],
        {
            "Unicode": "names beyond ASCII; the identifier is the CBOR encoding of the address",
            "Order": "the same two sides, exchanged",
            "OtherKey": "the key of someone in between",
            "OtherAddress": "the right keys under other addresses",
            "NotTheirs": "a valid code, but not of the other side",
            "Version": "the code is of another version",
            "WrongLength": "the code is too short or too long",
            "Changed": "the right code, with something changed",
            "LongForm": "the same content in another encoding of protobuf",
            "BadKey": "an invalid identity key",
        },
    )
    computing(family)
    scanning(family)
    return family
