"""Composite signatures, alone."""

from generators.support.family import Family
from generators.support.labels import draw, flipped
from generators.support.owner import SigningPair

MESSAGE, CONTEXT = b"a message", b"a context"
HALF = 3309


def add(family: Family) -> None:
    """Add the groups."""
    seed, other_seed = draw("users signing seed", 64), draw("users other signing seed", 64)
    pair, other = SigningPair(seed), SigningPair(other_seed)
    group = family.group("composite.from_seed", "the public key of a seed")
    for name, each in (("a seed", seed), ("another seed", other_seed), ("zeros", bytes(64))):
        group.valid(name, {"seed": each.hex()}, rules=["PRIM-14"])
    group = family.group("composite.verify", "both halves must verify")
    signature = pair.sign(MESSAGE, CONTEXT)
    given = {
        "public": pair.public.data.hex(), "message": MESSAGE.hex(), "context": CONTEXT.hex(),
        "signature": signature.hex(),
    }  # fmt: skip
    group.valid("a signature", given, rules=["PRIM-13"], output={})
    for comment, message, context in (
        ("an empty message and no context", b"", b""),
        ("a long message and the longest context", draw("users long", 5000), draw("users context", 255)),
    ):
        made = pair.sign(message, context)
        fields = {"message": message.hex(), "context": context.hex(), "signature": made.hex()}
        group.valid(comment, given | fields, rules=["PRIM-13"], output={})
    theirs = other.sign(MESSAGE, CONTEXT)
    for comment, flag, wrong in (
        ("the ML-DSA half of another key", "OtherKey", theirs[:HALF] + signature[HALF:]),
        ("the Ed25519 half of another key", "OtherKey", signature[:HALF] + theirs[HALF:]),
        ("the signature of another key", "OtherKey", theirs),
        ("the ML-DSA half of zeros", "Changed", bytes(HALF) + signature[HALF:]),
        ("the Ed25519 half of zeros", "Changed", signature[:HALF] + bytes(64)),
        ("the halves exchanged", "Changed", signature[HALF:] + signature[:HALF]),
        ("the last bit of the Ed25519 half", "Changed", flipped(signature, -1)),
        ("the first bit of the ML-DSA half", "Changed", flipped(signature, 0)),
        ("the ML-DSA half alone", "Size", signature[:HALF]),
        ("the Ed25519 half alone", "Size", signature[HALF:]),
        ("a byte more", "Size", signature + b"\0"),
        ("nothing", "Size", b""),
    ):
        group.invalid(
            comment, given | {"signature": wrong.hex()}, "InvalidSignature", flags=[flag], rules=["PRIM-13"]
        )
    for comment, fields in (
        ("another message", {"message": b"a messagf".hex()}),
        ("another context", {"context": b"a contexu".hex()}),
        ("no context", {"context": ""}),
        (
            "a byte moved from the message to the context",
            {"message": MESSAGE[1:].hex(), "context": "20" + "61"},
        ),
    ):
        group.invalid(comment, given | fields, "InvalidSignature", flags=["Changed"], rules=["PRIM-13"])
    public = pair.public.data
    for comment, flag, key in (
        ("a key of 1,983 bytes", "Size", public[:-1]),
        ("an Ed25519 key of low order", "BadKey", public[:1952] + b"\x01" + bytes(31)),
        ("an Ed25519 key that is not canonical", "BadKey", public[:1952] + b"\xee" + b"\xff" * 30 + b"\x7f"),
        ("an Ed25519 key that is no point", "BadKey", public[:1952] + b"\x02" + bytes(31)),
    ):
        group.invalid(comment, given | {"public": key.hex()}, "InvalidKey", flags=[flag], rules=["PRIM-12"])
