"""Vectors of the payload of a linking package: its encoding, and the document seeds in it."""

import hashlib
import hmac
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.owner import FULL, LIMITED, NOW, RECOVERY, document_key, keys
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import Snapshot
from letterlock.user._drafts import first_snapshot, next_snapshot

LABEL: Final = b"letterlock-v1 document seed"
SEED: Final = draw("a document seed", 32)
SEALED: Final = [draw(f"a sealed seed {number}", 48) for number in range(2)]

WIDE, HIGH = "\uff21nn", "\U00020000nn"
"""In the order of their code points. In UTF-16, and so in JavaScript's own order, it is the other one."""


def pin(name: str, version: int = 3, state: int = 1) -> list[Value]:
    """Return a pin."""
    user_id = draw(f"user id of {name}", 32)
    return [name, user_id, version, user_id if version == 1 else draw(f"hash of {name} {version}", 32), state]


def fields(payload: list[Value]) -> Json:
    """Return the fields of a payload, as operations have them."""
    _, name, seed, sealed, pins = payload
    assert isinstance(sealed, list)
    assert isinstance(pins, list)
    names = ("name", "user_id", "version", "hash", "state")
    return {
        "name": name,
        "seed": seed.hex() if isinstance(seed, bytes) else None,
        "sealed": [each.hex() for each in sealed if isinstance(each, bytes)],
        "pins": [
            {
                key: each.hex() if isinstance(each, bytes) else each
                for key, each in zip(names, shown, strict=True)
            }
            for shown in pins
            if isinstance(shown, list)
        ],
    }


SOUND: Final[list[Value]] = [1, "alice", SEED, list(SEALED), [pin("bob"), pin("carol", 1, 2)]]


def encodings(family: Family) -> None:
    """Add payloads as bytes."""
    group = family.group("payload.decode", "what a payload holds")
    for comment, payload in (
        ("a payload", SOUND),
        ("without contacts", [*SOUND[:4], []]),
        ("for a device that may not read documents", [1, "alice", None, [], SOUND[4]]),
        ("with the first seed alone", [1, "alice", SEED, [], SOUND[4]]),
        ("with the longest names", [1, "\u00f8" * 127 + "x", SEED, [], [pin("b" * 255)]]),
        ("a pin of the highest version", [1, "alice", SEED, [], [pin("bob", 2**32 - 1)]]),
        ("with the most sealed seeds", [1, "alice", SEED, [SEALED[0]] * 999, []]),
        (
            "names in the order of code points",
            [1, "alice", SEED, [], [pin("Z"), pin("a"), pin(WIDE), pin(HIGH)]],
        ),
        ("a name that begins another", [1, "alice", SEED, [], [pin("bob"), pin("bob2"), pin("bobby")]]),
    ):
        group.valid(comment, {"data": encode(payload).hex()}, rules=["USR-41"], output=fields(payload))

    def whole(at: int, value: Value) -> bytes:
        return encode([*SOUND[:at], value, *SOUND[at + 1 :]])

    def part(at: int, value: Value) -> bytes:
        sound = pin("bob")
        return whole(4, [[*sound[:at], value, *sound[at + 1 :]]])

    data = encode(SOUND)
    for comment, flag, rule, wrong in (
        ("no byte", "LongForm", "WIRE-4", b""),
        ("version 2", "Shape", "USR-41", whole(0, 2)),
        ("no version", "Shape", "USR-41", whole(0, None)),
        ("no name", "Shape", "USR-41", whole(1, None)),
        ("an empty name", "Name", "WIRE-8", whole(1, "")),
        ("a name of 256 bytes", "Name", "WIRE-8", whole(1, "a" * 256)),
        ("a name with an invisible character", "Name", "WIRE-8", whole(1, "al\u200bice")),
        ("a name that is not composed", "Name", "WIRE-8", whole(1, "a\u0308lice")),
        ("a name that is a byte string", "Shape", "USR-41", whole(1, b"alice")),
        ("a seed of 31 bytes", "Shape", "USR-41", whole(2, bytes(31))),
        ("a seed of 33 bytes", "Shape", "USR-41", whole(2, bytes(33))),
        ("a seed that is a text", "Shape", "USR-41", whole(2, "s" * 32)),
        ("an empty seed", "Shape", "USR-41", whole(2, b"")),
        ("sealed seeds without a seed", "Shape", "USR-41", whole(2, None)),
        ("sealed seeds are null", "Shape", "USR-41", whole(3, None)),
        ("a sealed seed of 47 bytes", "Shape", "USR-41", whole(3, [SEALED[0], bytes(47)])),
        ("a sealed seed that is null", "Shape", "USR-41", whole(3, [None])),
        ("1,000 sealed seeds", "Shape", "USR-41", whole(3, [SEALED[0]] * 1000)),
        ("pins are null", "Shape", "USR-41", whole(4, None)),
        ("a pin that is null", "Shape", "USR-41", whole(4, [None])),
        ("a pin of four elements", "Shape", "USR-41", whole(4, [pin("bob")[:4]])),
        ("a pin of six elements", "Shape", "USR-41", whole(4, [[*pin("bob"), None]])),
        ("a pin without a name", "Name", "WIRE-8", part(0, "")),
        ("a pin with a name of 256 bytes", "Name", "WIRE-8", part(0, "b" * 256)),
        ("a pin with an invisible character", "Name", "WIRE-8", part(0, "bo\u202eb")),
        ("a user id of 31 bytes", "Shape", "USR-41", part(1, bytes(31))),
        ("a user id that is null", "Shape", "USR-41", part(1, None)),
        ("a pin of version 0", "Shape", "USR-41", part(2, 0)),
        ("a pin of version 2^32", "Shape", "USR-41", part(2, 2**32)),
        ("a hash of 33 bytes", "Shape", "USR-41", part(3, bytes(33))),
        ("state 0", "Shape", "USR-41", part(4, 0)),
        ("state 3", "Shape", "USR-41", part(4, 3)),
        ("a state that is null", "Shape", "USR-41", part(4, None)),
        ("version 1 with a hash that is not the user id", "Contradiction", "USR-41", part(2, 1)),
        ("one name twice", "Order", "USR-41", whole(4, [pin("bob"), pin("bob", 4)])),
        ("names in another order", "Order", "USR-41", whole(4, [pin("carol"), pin("bob")])),
        ("names in the order of UTF-16", "Order", "USR-41", whole(4, [pin(HIGH), pin(WIDE)])),
        ("names without regard to case", "Order", "USR-41", whole(4, [pin("a"), pin("B")])),
        ("the user's own name", "Order", "USR-41", whole(4, [pin("alice"), pin("bob")])),
        ("a sixth element", "Shape", "USR-41", encode([*SOUND, None])),
        ("no pins", "Shape", "USR-41", encode(SOUND[:4])),
        ("a byte after the end", "LongForm", "WIRE-4", data + b"\0"),
        ("cut short", "LongForm", "WIRE-4", data[:-1]),
        ("the version in two bytes", "LongForm", "WIRE-2", data[:1] + b"\x18\x01" + data[2:]),
        ("an array of unknown length", "LongForm", "WIRE-2", b"\x9f" + data[1:] + b"\xff"),
    ):
        group.invalid(comment, {"data": wrong.hex()}, "MalformedMessage", flags=[flag], rules=[rule])


# --- document seeds ---------------------------------------------------------------------------------------


def versions(name: str, new_class: int, generations: int = 3) -> list[Snapshot]:
    """Return the snapshots of a chain that has these generations, and adds device 2 last."""
    device = keys(f"{name} 1").listed(1, FULL)
    made = [first_snapshot((device,), document_key(f"{name} 1"), NOW)]
    for generation in range(2, generations + 1):
        made.append(after(made, document_key(f"{name} {generation}")))
    new = keys(f"{name} 2").listed(2, new_class, len(made) + 1)
    newest, user_id = unsigned(made[-1]), unsigned(made[0]).hash
    return [*made, next_snapshot(newest, user_id, NOW, add=(new,))]


def after(made: list[Snapshot], key: bytes) -> Snapshot:
    """Return the version after the last one, with a new document key."""
    return next_snapshot(unsigned(made[-1]), unsigned(made[0]).hash, NOW, document_key=key)


def unsigned(snapshot: Snapshot) -> DeviceList:
    """Return a snapshot as a list that nobody signed."""
    return DeviceList(snapshot, (), 1, b"", b"")


def seed_of(name: str, generation: int) -> bytes:
    """Return the seed of a generation of `versions`."""
    return draw(f"document key {name} {generation}", 32)


def sealed(
    seed: bytes, later: bytes, user_id: bytes, generation: int, public: bytes, label: bytes = LABEL
) -> bytes:
    """Return a sealed seed, by the formulae of spec/user.md."""
    number = generation.to_bytes(4, "big")
    extracted = hmac.digest(bytes(32), later, "sha256")
    key = hmac.digest(extracted, label + user_id + number + b"\1", "sha256")
    associated = user_id + number + hashlib.sha256(public).digest()
    return ChaCha20Poly1305(key).encrypt(bytes(12), seed, associated)


def seal_all(name: str, user_id: bytes, generations: int) -> list[bytes]:
    """Return the sealed seeds of a chain, the newest first."""
    return [
        sealed(seed_of(name, at), seed_of(name, at + 1), user_id, at, document_key(f"{name} {at}"))
        for at in reversed(range(1, generations))
    ]


def given_to(snapshots: list[Snapshot], seed: bytes | None, parts: list[bytes], device: int = 2) -> Json:
    """Return the input: a chain, and a payload with these seeds."""
    payload = encode([1, "alice", seed, list(parts), []])
    shown = [each.encode().hex() for each in snapshots]
    return {"snapshots": shown, "id": device, "payload": payload.hex()}


NAME: Final = "alice of seeds"
CHAIN: Final = versions(NAME, FULL)
USER_ID: Final = unsigned(CHAIN[0]).hash
RIGHT: Final = seal_all(NAME, USER_ID, 3)
NEWEST: Final = seed_of(NAME, 3)
KIOSKS: Final = (("a limited device", "dave of seeds", LIMITED), ("a class of later", "erin of seeds", 77))


def seeds(family: Family) -> None:
    """Add the document seeds that are right."""
    group = family.group("payload.seal_seeds", "seeds, each sealed under the one after it")
    for count in (1, 2, 3):
        given = {"user_id": USER_ID.hex(), "seeds": [seed_of(NAME, at).hex() for at in range(1, count + 1)]}
        output = {"sealed": [each.hex() for each in seal_all(NAME, USER_ID, count)]}
        group.valid(f"{count} generations", given, rules=["USR-42"], output=output)
    group = family.group("payload.seeds", "the seeds that a new device gets, from the first generation")
    all_seeds = {"seeds": [seed_of(NAME, at).hex() for at in (1, 2, 3)]}
    group.valid("three generations", given_to(CHAIN, NEWEST, RIGHT), rules=["USR-42"], output=all_seeds)
    for comment, name, class_ in (
        ("one generation", "bob of seeds", FULL),
        ("a recovery device", "carol of seeds", RECOVERY),
    ):
        seed = seed_of(name, 1)
        given = given_to(versions(name, class_, 1), seed, [])
        group.valid(comment, given, rules=["USR-42"], output={"seeds": [seed.hex()]})
    for comment, name, class_ in KIOSKS:
        given = given_to(versions(name, class_, 1), None, [])
        group.valid(f"{comment}, without a seed", given, rules=["USR-43"], output={"seeds": []})


def rights(family: Family) -> None:
    """Add seeds for devices that may not have them."""
    group = family.group("payload.seeds", "which devices get seeds")
    recovery = versions("carol of seeds", RECOVERY, 1)
    for comment, given in (
        *(
            (f"{comment} with a seed", given_to(versions(name, class_, 1), seed_of(name, 1), []))
            for comment, name, class_ in KIOSKS
        ),
        ("a full device without a seed", given_to(CHAIN, None, [])),
        ("a recovery device without a seed", given_to(recovery, None, [])),
        ("a device that is not listed, with a seed", given_to(CHAIN, NEWEST, RIGHT, 3)),
    ):
        group.invalid(comment, given, "LinkingRefused", flags=["Rights"], rules=["USR-43"])


def wrong_seeds(family: Family) -> None:
    """Add seeds that are not those of the chain."""
    two, three, public = seed_of(NAME, 2), NEWEST, document_key(f"{NAME} 2")
    other = draw("another seed", 32)
    cases: list[tuple[str, list[bytes], bytes]] = [
        ("another newest seed", RIGHT, other),
        ("the seed of the generation before", RIGHT, two),
        ("the generations before alone", RIGHT[1:], two),
        ("a sealed seed missing", RIGHT[:1], NEWEST),
        ("the first sealed seed missing", RIGHT[1:], NEWEST),
        ("no sealed seed", [], NEWEST),
        ("a sealed seed too many", [*RIGHT, RIGHT[0]], NEWEST),
        ("sealed seeds in the other order", RIGHT[::-1], NEWEST),
        ("one sealed seed twice", [RIGHT[0], RIGHT[0]], NEWEST),
    ]
    for comment, at in (("the first byte", 0), ("the last byte", 47)):
        cases.append((f"{comment} of a sealed seed changed", [flipped(RIGHT[0], at), RIGHT[1]], NEWEST))
        cases.append((f"{comment} of the oldest one changed", [RIGHT[0], flipped(RIGHT[1], at)], NEWEST))
    for comment, made in (
        ("sealed under its own seed", sealed(two, two, USER_ID, 2, public)),
        ("sealed under the seed before it", sealed(two, seed_of(NAME, 1), USER_ID, 2, public)),
        ("sealed for another user", sealed(two, three, draw("a user id", 32), 2, public)),
        ("sealed for another generation", sealed(two, three, USER_ID, 3, public)),
        ("sealed for another document key", sealed(two, three, USER_ID, 2, document_key(f"{NAME} 3"))),
        (
            "sealed with another label",
            sealed(two, three, USER_ID, 2, public, b"letterlock-v1 linking digits"),
        ),
        ("another seed, sealed as it should be", sealed(other, three, USER_ID, 2, public)),
        ("the newest seed again, sealed as it should be", sealed(three, three, USER_ID, 2, public)),
    ):
        cases.append((comment, [made, RIGHT[1]], NEWEST))
    oldest, first = sealed(other, two, USER_ID, 1, document_key(f"{NAME} 1")), seed_of(NAME, 1)
    newer = [sealed(two, other, USER_ID, 2, public), RIGHT[1]]
    cases += [
        ("another oldest seed, sealed as it should be", [RIGHT[0], oldest], NEWEST),
        ("another newest seed, which opens the others", newer, other),
        (
            "the oldest seed under another document key",
            [RIGHT[0], sealed(first, two, USER_ID, 1, public)],
            NEWEST,
        ),
    ]
    group = family.group("payload.seeds", "seeds that are not those of the chain")
    for comment, parts, seed in cases:
        given = given_to(CHAIN, seed, parts)
        group.invalid(comment, given, "LinkingRefused", flags=["WrongSeed"], rules=["USR-42"])
    single = versions("bob of seeds", FULL, 1)
    given = given_to(single, other, [])
    group.invalid("another first seed", given, "LinkingRefused", flags=["WrongSeed"], rules=["USR-42"])
    shorter = [CHAIN[0], replace(CHAIN[1], document_key=CHAIN[0].document_key), *CHAIN[2:]]
    given = given_to(shorter, NEWEST, RIGHT)
    comment = "a seed for a generation that the chain has not"
    group.invalid(comment, given, "LinkingRefused", flags=["WrongSeed"], rules=["USR-42"])
    junk = given_to(CHAIN, NEWEST, [bytes(47)])
    group.invalid("a sealed seed of 47 bytes", junk, "MalformedMessage", flags=["Shape"], rules=["USR-41"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "linking-payload",
        "the payload of a linking package, and the document seeds in it",
        ["`snapshots` are those of a user's device lists from version 1 on, whose signatures were verified."],
        {
            "Contradiction": "elements that contradict each other",
            "LongForm": "another encoding, or too many or too few bytes",
            "Name": "a name that no address has",
            "Order": "names in another order, or one that may not be there",
            "Rights": "a seed for a device that may not read documents, or none for one that may",
            "Shape": "an element of another type, length or range",
            "WrongSeed": "seeds that are not those of the chain's document keys",
        },
    )
    encodings(family)
    seeds(family)
    rights(family)
    wrong_seeds(family)
    return family
