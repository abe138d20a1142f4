"""Chains as they are handed out: the body of GROUP_CHAIN."""

from typing import Final

from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.group_texts import Writer
from generators.support.labels import draw

ALICE: Final = Writer("alice")
MALFORMED = "MalformedMessage"
CHAIN_KIND: Final = 10


def given(chain: bytes) -> Json:
    """Return the input of content.read_body."""
    return {"kind": CHAIN_KIND, "body": chain.hex()}


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("content.read_body", "chains that devices hand out")
    for comment, chain in (
        ("before the first text", ALICE.chain()),
        ("in the middle", ALICE.chain(7, 3, 14)),
        ("of one epoch", ALICE.chain(epochs=1)),
        ("with a new seed", ALICE.chain(changes={"number": 5_000})),
        ("with a new seed after seven texts", ALICE.chain(changes={"number": 5_000, "before": 7})),
        (
            "the greatest numbers",
            ALICE.chain(changes={"epoch": 2**32 - 1, "number": 2**32 - 1, "before": 2**32 - 1}),
        ),
    ):
        group.valid(comment, given(chain), rules=["GRP-3"])
    shapes(family)
    weak(family)


def shapes(family: Family) -> None:
    """Add chains of another form."""
    group = family.group("content.read_body", "chains of another form")
    keys = b"".join(ALICE.signing_key(at) for at in range(1, 18))
    cases: dict[str, dict[str, Value]] = {
        "the kind of a text": {"kind": 28},
        "a group id of 15 bytes": {"group": bytes(15)},
        "a group id that is a text": {"group": "a" * 16},
        "an opening of 31 bytes": {"opening": bytes(31)},
        "a number of 2^32": {"number": 2**32},
        "a number before that is above the number": {"before": 1},
        "null for the number before": {"before": None},
        "a chain key of 33 bytes": {"key": bytes(33)},
        "a seed of 31 bytes": {"seed": bytes(31)},
        "no signing key": {"signing": b""},
        "half a signing key": {"signing": keys[:48]},
        "17 signing keys": {"signing": keys},
    }
    for comment, changes in cases.items():
        chain = ALICE.chain(changes=changes)
        group.invalid(comment, given(chain), MALFORMED, flags=["Shape"], rules=["GRP-3", "WIRE-4"])
    usual = ALICE.chain()
    group.invalid(
        "format 2",
        given(ALICE.chain(changes={"format": 2})),
        "UnsupportedVersion",
        flags=["Shape"],
        rules=["WIRE-1"],
    )
    for comment, chain in (
        ("a byte behind it", usual + b"\0"),
        ("without its last byte", usual[:-1]),
        ("no byte", b""),
        ("1,025 bytes", usual + bytes(1_025 - len(usual))),
        ("epoch 0", ALICE.chain(changes={"epoch": 0})),
        ("nine elements", bytes([usual[0] - 1]) + usual[1:]),
        ("an array inside", encode([1, 29, [b"a"]])),
    ):
        group.invalid(comment, given(chain), MALFORMED, flags=["Shape"], rules=["GRP-3", "WIRE-4"])


def weak(family: Family) -> None:
    """Add signing keys under which others could sign."""
    group = family.group("content.read_body", "signing keys that are refused")
    for comment, key in (
        ("the neutral element", b"\1" + bytes(31)),
        ("zero, of order 4", bytes(32)),
        ("an encoding that is not canonical", b"\xee" + b"\xff" * 30 + b"\x7f"),
        ("no point", draw("no point of the curve 3", 31) + b"\x7f"),
    ):
        for place, signing in (("first", [key]), ("second", [ALICE.signing_key(1), key])):
            chain = ALICE.chain(changes={"signing": b"".join(signing)})
            comment_ = f"{place} key: {comment}"
            group.invalid(comment_, given(chain), "InvalidKey", flags=["WeakKey"], rules=["GRP-3", "PRIM-12"])
