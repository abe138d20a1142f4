"""Texts that are refused. Each play ends with a text that opens: what was refused has changed nothing."""

from typing import Any, Final

from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.group_texts import (
    SIGNATURE_LABEL,
    TEXT_LABEL,
    Text,
    Writer,
    entry_hash,
    moved,
    opened,
    played,
    walked,
)
from generators.support.labels import flipped

ALICE: Final = Writer("alice")
BOB: Final = Writer("bob")
FIRST: Final = ALICE.said(1, 0)


def add(family: Family) -> None:
    """Add the groups."""
    signatures(family)
    keys(family)
    numbers(family)
    elsewhere(family)
    contents(family)
    shapes(family)


def refused(step: Json, *, first: list[Json] | None = None, last: Json | None = None) -> Json:
    """Return a play in which one step is refused, and the last one is not."""
    return played(ALICE, [*(first or []), step, last or opened(FIRST)])


def signatures(family: Family) -> None:
    """Add signatures that do not verify."""
    group = family.group("group.play", "signatures of texts")
    usual = Text(ALICE, 1, 0)
    before = usual.header() + encode(usual.sealed())
    for comment, text in (
        ("changed in its first half", flipped(FIRST, -64)),
        ("changed in its second half", flipped(FIRST, -1)),
        ("zeros", FIRST[:-64] + bytes(64)),
        ("by another member", ALICE.text(1, 0, signing_seed=BOB.signing_seed(1))),
        ("by the key of the next epoch", ALICE.text(1, 0, signing_seed=ALICE.signing_seed(2))),
        (
            "by another device of the user",
            ALICE.text(1, 0, signing_seed=ALICE.with_(device=2).signing_seed(1)),
        ),
        ("of another text", FIRST[:-64] + ALICE.said(1, 1)[-64:]),
        ("without the label", ALICE.text(1, 0, signed=entry_hash(1) + before)),
        ("without the hash of the entry", ALICE.text(1, 0, signed=SIGNATURE_LABEL + before)),
        ("of the header alone", ALICE.text(1, 0, signed=SIGNATURE_LABEL + entry_hash(1) + usual.header())),
        ("under the label of the tag", ALICE.text(1, 0, signed=TEXT_LABEL + entry_hash(1) + before)),
        ("with a text that was changed", flipped(FIRST, -80)),
        ("with a nonce that was changed", flipped(FIRST, len(usual.header()) + 2)),
        ("with another entry in the header", FIRST.replace(b"\1\1X\x20", b"\1\2X\x20", 1)),
        ("with another number in the header", FIRST.replace(b"\1\0X", b"\1\3X", 1)),
        ("with other bytes sealed in its place", _resealed()),
    ):
        assert text != FIRST, comment
        group.invalid_play(
            f"signature: {comment}",
            refused(opened(text)),
            "InvalidSignature",
            flags=["Signature"],
            rules=["GRP-7"],
        )
    for comment, step in (
        ("another entry than the sender's", opened(FIRST, entry_hash(2))),
        ("an entry of which one bit differs", opened(FIRST, flipped(entry_hash(1), 31))),
        ("zeros for the entry", opened(FIRST, bytes(32))),
    ):
        group.invalid_play(
            comment, refused(step), "InvalidSignature", flags=["OtherLog"], rules=["GRP-1", "GRP-7"]
        )


def _resealed() -> bytes:
    """Return a text that another member has sealed, with the sender's signature of another one."""
    other = ALICE.text(1, 0, said=b"forged")
    return other[:-64] + FIRST[-64:]


def keys(family: Family) -> None:
    """Add texts whose sender signed them, and which do not open."""
    group = family.group("group.play", "texts that are signed, and do not open")
    usual = Text(ALICE, 1, 0)
    header = usual.header()
    entry = TEXT_LABEL + entry_hash(1)
    cases: dict[str, dict[str, Any]] = {
        "under the key of the next text": {"key": ALICE.message_key(1, 1)},
        "under the chain key": {"key": ALICE.keys(1)[0]},
        "under the key of another device": {"key": ALICE.with_(device=2).message_key(1, 0)},
        "under the key of another member": {"key": BOB.message_key(1, 0)},
        "under the key of the next epoch": {"key": ALICE.message_key(2, 0)},
        "under a key of another secret": {"key": ALICE.with_(secrets={1: bytes(32)}).message_key(1, 0)},
        "under the key of another group": {"key": ALICE.with_(group=bytes(16)).message_key(1, 0)},
        "for another entry": {"sealed_for": TEXT_LABEL + entry_hash(2) + header},
        "without an entry": {"sealed_for": TEXT_LABEL + header},
        "without the header": {"sealed_for": entry},
        "without the label": {"sealed_for": entry_hash(1) + header},
        "under the label of the signature": {"sealed_for": SIGNATURE_LABEL + entry_hash(1) + header},
        "with nothing beside": {"sealed_for": b""},
        "for another number": {"sealed_for": entry + Text(ALICE, 1, 1).header()},
    }
    for comment, changes in cases.items():
        wrong = refused(opened(ALICE.text(1, 0, **changes)))
        group.invalid_play(
            f"sealed {comment}",
            wrong,
            "AuthenticationFailed",
            flags=["WrongKey"],
            rules=["GRP-1", "GRP-2", "GRP-7"],
        )
    for comment, step, last in (
        ("another secret of the next epoch", moved(2, secret=bytes(32)), opened(FIRST)),
        ("another opening of the next epoch", moved(2, opening=bytes(32)), opened(FIRST)),
    ):
        wrong = played(ALICE, [step, opened(ALICE.said(2, 0)), last])
        group.invalid_play(
            comment, wrong, "AuthenticationFailed", flags=["WrongKey"], rules=["GRP-2", "GRP-5"]
        )
    key = walked(ALICE.keys(1)[0], 0)
    stranger = played(ALICE, [opened(FIRST)], ALICE.chain(changes={"key": flipped(key, 0)}))
    group.invalid_play(
        "another chain key was handed out",
        stranger,
        "AuthenticationFailed",
        flags=["WrongKey"],
        rules=["GRP-3"],
    )


def numbers(family: Family) -> None:
    """Add numbers that were opened, or are too far."""
    group = family.group("group.play", "numbers that were opened, or are too far")
    second = ALICE.said(1, 1)
    for comment, steps in (
        ("the same text twice", [opened(FIRST), opened(FIRST)]),
        ("another text of the same number", [opened(FIRST), opened(ALICE.text(1, 0, said=b"another"))]),
        ("a text that came late, twice", [opened(second), opened(FIRST), opened(FIRST)]),
        ("a text twice, after others", [opened(FIRST), opened(ALICE.said(1, 4)), opened(FIRST)]),
        ("a text twice, after the next epoch began", [opened(FIRST), moved(2), opened(FIRST)]),
    ):
        wrong = played(ALICE, [*steps, opened(ALICE.said(1, 2))])
        group.invalid_play(comment, wrong, "DuplicateMessage", flags=["Repeated"], rules=["GRP-8"])
    before = played(ALICE, [opened(second), opened(ALICE.said(1, 3))], ALICE.chain(3))
    group.invalid_play(
        "a text from before the chain was handed out",
        before,
        "DuplicateMessage",
        flags=["Repeated"],
        rules=["GRP-3"],
    )
    for comment, number, first in (
        ("2,001 are missing", 2_001, []),
        ("2,001 are missing after one", 2_002, [opened(FIRST)]),
        ("the greatest number", 2**32 - 1, []),
        ("the first number of the next seed", 5_000, []),
    ):
        text = ALICE.text(1, number, key=bytes(32))
        wrong = refused(opened(text), first=first, last=opened(ALICE.said(1, 1)))
        group.invalid_play(comment, wrong, "TooManySkipped", flags=["Skipped"], rules=["GRP-7"])
    forged = ALICE.text(1, 2_001, key=bytes(32), signing_seed=BOB.signing_seed(1))
    group.invalid_play(
        "too many, by somebody else: the signature is first",
        refused(opened(forged)),
        "InvalidSignature",
        flags=["Signature"],
        rules=["GRP-7"],
    )
    stranger = ALICE.text(1, 1_500, key=bytes(32))
    group.invalid_play(
        "1,500 are missing, and the tag does not verify",
        refused(opened(stranger)),
        "AuthenticationFailed",
        flags=["WrongKey"],
        rules=["GRP-7"],
    )


def elsewhere(family: Family) -> None:
    """Add texts that were moved to another epoch, sender or group."""
    group = family.group("group.play", "texts that were moved elsewhere")
    in_two = ALICE.said(2, 0)
    moves: dict[str, dict[str, Value]] = {"epoch 2": {"epoch": 2}}
    for comment, changes in moves.items():
        text = ALICE.text(1, 0, header_changes=changes)
        wrong = played(ALICE, [moved(2), opened(text), opened(in_two)])
        group.invalid_play(
            f"a text of epoch 1 in {comment}", wrong, "InvalidSignature", flags=["Moved"], rules=["GRP-2"]
        )
    back = ALICE.text(2, 0, header_changes={"epoch": 1})
    wrong = played(ALICE, [moved(2), opened(back), opened(in_two)])
    group.invalid_play(
        "a text of epoch 2 in epoch 1", wrong, "InvalidSignature", flags=["Moved"], rules=["GRP-2"]
    )
    signed = ALICE.text(1, 0, header_changes={"epoch": 2}, signing_seed=ALICE.signing_seed(2))
    wrong = played(ALICE, [moved(2), opened(signed), opened(in_two)])
    group.invalid_play(
        "a text of epoch 1, signed in epoch 2",
        wrong,
        "AuthenticationFailed",
        flags=["Moved"],
        rules=["GRP-2"],
    )
    named: dict[str, Text] = {
        "another member's text in this name": Text(BOB, 1, 0, header_changes={"user": ALICE.user_id}),
        "another device's text in this sender's name":
            Text(ALICE.with_(device=2), 1, 0, header_changes={"device": 1}),
        "another group's text in this group":
            Text(ALICE.with_(group=bytes(16)), 1, 0, header_changes={"group": ALICE.group},
                 signing_seed=BOB.signing_seed(1)),
    }  # fmt: skip
    for comment, text in named.items():
        wrong = refused(opened(text.encode()))
        group.invalid_play(comment, wrong, "InvalidSignature", flags=["Moved"], rules=["GRP-7"])
    for comment, other in (
        ("of another sender", BOB.said(1, 0)),
        ("of another device", ALICE.with_(device=2).text(1, 0)),
        ("of another group", ALICE.with_(group=bytes(16)).text(1, 0)),
        ("of an epoch that has not begun", in_two),
    ):
        wrong = refused(opened(other))
        group.invalid_play(comment, wrong, "UsageError", flags=["Moved"], rules=["GRP-2"])


def contents(family: Family) -> None:
    """Add what a sender may seal, and which is no content."""
    group = family.group("group.play", "what is sealed is no content")
    four: list[Value] = [[at, 1, 0, 0, bytes(32)] for at in range(4)]
    cases: dict[str, Value] = {
        "no heads": [bytes(32), b"a"],
        "four elements": [bytes(32), [], b"a", None],
        "a head of 31 bytes": [bytes(31), [], b"a"],
        "null for the head": [None, [], b"a"],
        "null for the heads of others": [bytes(32), None, b"a"],
        "a text of characters": [bytes(32), [], "a"],
        "null for the text": [bytes(32), [], None],
        "five heads of others": [bytes(32), [*four, [4, 1, 0, 0, bytes(32)]], b"a"],
        "a head of others twice": [bytes(32), [four[0], four[0]], b"a"],
        "members in another order": [bytes(32), [four[1], four[0]], b"a"],
        "devices in another order": [bytes(32), [[0, 2, 0, 0, bytes(32)], [0, 1, 0, 0, bytes(32)]], b"a"],
        "member 1,000": [bytes(32), [[1_000, 1, 0, 0, bytes(32)]], b"a"],
        "device 0": [bytes(32), [[0, 0, 0, 0, bytes(32)]], b"a"],
        "a number of 2^32": [bytes(32), [[0, 1, 0, 2**32, bytes(32)]], b"a"],
        "another's head of 33 bytes": [bytes(32), [[0, 1, 0, 0, bytes(33)]], b"a"],
        "another's head without a number": [bytes(32), [[0, 1, 0, bytes(32)]], b"a"],
        "another's head with a sixth element": [bytes(32), [[0, 1, 0, 0, bytes(32), None]], b"a"],
        "texts read from a later one on": [bytes(32), [[0, 1, 6, 5, bytes(32)]], b"a"],
        "texts read from null on": [bytes(32), [[0, 1, None, 5, bytes(32)]], b"a"],
        "texts read from a text on": [bytes(32), [[0, 1, "0", 5, bytes(32)]], b"a"],
        "a byte string": b"a",
    }
    found = {comment: encode(each) for comment, each in cases.items()}
    found["a byte behind it"] = encode([bytes(32), [], b"a"]) + b"\0"
    found["no byte"] = b""
    found["a text in a long form"] = b"\x83\x58\x20" + bytes(32) + b"\x80\x58\1a"
    for comment, content in found.items():
        wrong = refused(opened(ALICE.text(1, 0, content=content)))
        group.invalid_play(
            f"content: {comment}", wrong, "MalformedMessage", flags=["Content"], rules=["GRP-6"]
        )
    sound = encode([bytes(32), [], b"a"])
    for comment, padding in (
        ("without a mark", bytes(64)),
        ("a padding of 32 bytes too many", sound + b"\x80" + bytes(64 - len(sound) - 1 + 32)),
        ("another mark", sound + b"\x40" + bytes(64 - len(sound) - 1)),
    ):
        wrong = refused(opened(ALICE.text(1, 0, padding=padding)))
        group.invalid_play(comment, wrong, "MalformedMessage", flags=["Content"], rules=["WIRE-9"])


def shapes(family: Family) -> None:
    """Add texts of another form."""
    group = family.group("group.decode_text", "the form of texts")
    first = FIRST
    output = {
        "group_id": ALICE.group.hex(), "epoch": 1, "entry": 1, "user_id": ALICE.user_id.hex(), "device_id": 1,
        "number": 0, "sealed": Text(ALICE, 1, 0, before=ALICE.first_head(1)).sealed().hex(),
    }  # fmt: skip
    group.valid("a text", {"data": first.hex()}, rules=["WIRE-4"], output=output)
    great: dict[str, Value] = {
        "epoch": 2**32 - 1, "entry": 2**32 - 1, "device": 2**32 - 1, "number": 2**32 - 1,
    }  # fmt: skip
    widest = ALICE.text(1, 0, header_changes=great)
    group.valid("the greatest numbers", {"data": widest.hex()}, rules=["WIRE-4"])
    cases: dict[str, dict[str, Value]] = {
        "the kind of a chain": {"kind": 29},
        "the kind of an entry": {"kind": 30},
        "a group id of 17 bytes": {"group": bytes(17)},
        "epoch 0": {"epoch": 0},
        "epoch 2^32": {"epoch": 2**32},
        "entry 0": {"entry": 0},
        "entry 2^32": {"entry": 2**32},
        "a user id of 31 bytes": {"user": bytes(31)},
        "a user id that is a text": {"user": "a" * 32},
        "device 0": {"device": 0},
        "device 2^32": {"device": 2**32},
        "a number of 2^32": {"number": 2**32},
        "null for the number": {"number": None},
    }
    for comment, changes in cases.items():
        wrong = {"data": ALICE.text(1, 0, header_changes=changes).hex()}
        group.invalid(comment, wrong, "MalformedMessage", flags=["Shape"], rules=["WIRE-4"])
    header = Text(ALICE, 1, 0).header()
    other = {"data": ALICE.text(1, 0, header_changes={"format": 2}).hex()}
    group.invalid("format 2", other, "UnsupportedVersion", flags=["Shape"], rules=["WIRE-1"])
    for comment, data in (
        ("55 bytes that are sealed", header + encode(bytes(55)) + encode(bytes(64))),
        ("a signature of 63 bytes", header + encode(bytes(56)) + encode(bytes(63))),
        ("null for the signature", header + encode(bytes(56)) + encode(None)),
        ("no signature", b"\x89" + header[1:] + encode(bytes(56))),
        ("eleven elements", b"\x8b" + first[1:] + encode(None)),
        ("a number in a long form", header[:-1] + b"\x18\0" + first[len(header) :]),
        ("a byte behind it", first + b"\0"),
        ("without its last byte", first[:-1]),
        ("no byte", b""),
    ):
        group.invalid(comment, {"data": data.hex()}, "MalformedMessage", flags=["Shape"], rules=["WIRE-4"])
