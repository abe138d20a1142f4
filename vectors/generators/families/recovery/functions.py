"""The function of two parties: keys, elements, evaluations with their proofs; and what a password gives."""

from typing import Any, Final

from generators.support.family import Family, Json
from generators.support.labels import draw
from generators.support.recovery_scene import MEMORY, PASSES, evaluator, public_of, server

SEED: Final = draw("a server's seed", 32)
OTHER: Final = draw("another server's seed", 32)
INPUT: Final = b"an input"
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
FIELD: Final = 2**255 - 19

BAD_ELEMENTS: Final = {
    "the identity": bytes(32),
    "31 bytes": bytes(31),
    "33 bytes": public_of(SEED) + b"\0",
    "no byte": b"",
    "p, another encoding of the identity": FIELD.to_bytes(32, "little"),
    "a number above p": (FIELD + 6).to_bytes(32, "little"),
    "all bits": b"\xff" * 32,
    "1, which is negative": b"\1" + bytes(31),
    "p - 1": (FIELD - 1).to_bytes(32, "little"),
    "an element with its highest bit set": public_of(SEED)[:31] + bytes([public_of(SEED)[31] | 0x80]),
    "an element with its lowest bit set": bytes([public_of(SEED)[0] | 1]) + public_of(SEED)[1:],
    "no square": bytes.fromhex("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"),
}
"""What is no element, by the reason."""

PROOFS: Final[dict[str, Json]] = {
    "with another key": {"seed": OTHER.hex()},
    "with another key, and the proof of the right one": {"seed": OTHER.hex(), "proof_seed": SEED.hex()},
    "with the right key, and the proof of another one": {"proof_seed": OTHER.hex()},
    "of another input": {"other": b"another input".hex()},
    "of the same input, blinded again": {"other": INPUT.hex()},
    "with another number c": {"change": ["add", 32, "01"]},
    "with another number s": {"change": ["add", 64, "01"]},
    "with s in a second encoding": {"change": ["add", 64, ORDER.to_bytes(32, "little").hex()]},
    "with c in a second encoding": {"change": ["add", 32, ORDER.to_bytes(32, "little").hex()]},
    "with a proof of zeros": {"change": ["put", 32, bytes(64).hex()]},
    "with the generator for an element": {"change": ["put", 0, (
        "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"
    )]},
    "with the identity for an element": {"change": ["put", 0, bytes(32).hex()]},
    "with an element in a second encoding": {"change": ["put", 0, BAD_ELEMENTS["all bits"].hex()]},
    "without its last byte": {"change": ["cut", 95]},
    "without its proof": {"change": ["cut", 32]},
    "that is empty": {"change": ["cut", 0]},
}  # fmt: skip
"""Evaluations that are refused, by how a server made them."""


def add(family: Family) -> None:
    """Add the groups."""
    elements(family)
    evaluations(family)
    passwords(family)


def elements(family: Family) -> None:
    """Add keys, and bytes that are none."""
    rules = ["REC-7"]
    group = family.group("voprf.from_seed", "keys of servers")
    for comment, seed in (("a seed", SEED), ("zeros", bytes(32)), ("all bits", b"\xff" * 32)):
        group.valid(comment, {"seed": seed.hex()}, rules=rules, output={"public": public_of(seed).hex()})
    group = family.group("voprf.public", "public keys")
    for comment, seed in (("a key", SEED), ("another key", OTHER)):
        key = public_of(seed).hex()
        group.valid(comment, {"key": key}, rules=rules, output={"key": key})
    for comment, bad in BAD_ELEMENTS.items():
        group.invalid(comment, {"key": bad.hex()}, "InvalidKey", flags=["BadElement"], rules=rules)
    group = family.group("voprf.evaluate", "evaluations without their proofs")
    for comment, seed in (("of an element", OTHER), ("of the server's own public key", SEED)):
        given = {"seed": SEED.hex(), "blinded": public_of(seed).hex()}
        group.valid(comment, given, rules=rules)
    for comment, bad in BAD_ELEMENTS.items():
        given = {"seed": SEED.hex(), "blinded": bad.hex()}
        group.invalid(comment, given, "InvalidKey", flags=["BadElement"], rules=rules)


def evaluations(family: Family) -> None:
    """Add both parts together."""
    group = family.group("voprf.run", "both parts")
    rules = ["REC-7"]
    public = public_of(SEED)

    def run(text: bytes = INPUT, key: bytes = public, **changes: Any) -> Json:
        return {"input": text.hex(), "public": key.hex(), "server": server(SEED, **changes)}

    for comment, text in (
        ("an input", INPUT), ("another input", b"another input"), ("an input of a byte", b"\0"),
        ("an input of 65,535 bytes", draw("a long input", 65_535)),
    ):  # fmt: skip
        output = {"output": evaluator(SEED).evaluate_known_input(text).hex()}
        group.valid(comment, run(text), rules=rules, output=output)
    for comment, changes in PROOFS.items():
        group.invalid(
            f"an evaluation {comment}", run(**changes), "InvalidSignature", flags=["Proof"], rules=rules
        )
    group.invalid(
        "another public key", run(key=public_of(OTHER)), "InvalidSignature", flags=["Proof"], rules=rules
    )
    group.invalid("no public key", run(key=bytes(32)), "InvalidKey", flags=["BadElement"], rules=rules)


def passwords(family: Family) -> None:
    """Add what Argon2id gives. Each takes long, so there are few."""
    group = family.group("recovery.stretch", "stretched passwords, and the inputs of both servers")
    rules = ["REC-3"]
    alice, lock = draw("user of recovery alice", 32), draw("lock id one", 16)

    def given(password: str, passes: int = PASSES, memory: int = MEMORY, user_id: bytes = alice) -> Json:
        name = {"user_id": user_id.hex(), "lock_id": lock.hex()}
        return {"password": password, **name, "passes": passes, "memory": memory}

    sound = group.valid("a password", given("correct horse"), rules=rules)
    wide = "\uff43orrect\u00a0horse"
    answer = group.valid("the same from another keyboard", given(wide), rules=rules)
    assert answer == sound
    group.valid("with four passes, of another user", given("p", 4, user_id=draw("bob", 32)), rules=rules)
    for comment, password in (("an empty password", ""), ("4,097 bytes", "p" * 4097)):
        group.invalid(comment, given(password), "UsageError", flags=["Password"], rules=rules)
    for comment, passes, memory in (
        ("two passes", 2, MEMORY), ("17 passes", 17, MEMORY),
        ("a byte of memory too few", PASSES, MEMORY - 1),
        ("a byte of memory too many", PASSES, 2**30 + 1), ("no passes", 0, MEMORY), ("no memory", PASSES, 0),
    ):  # fmt: skip
        group.invalid(
            comment, given("correct horse", passes, memory), "UsageError", flags=["Hardness"], rules=["REC-4"]
        )
