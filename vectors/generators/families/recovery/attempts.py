"""Attempts with both servers: who is at fault, a server, the other one, or the password."""

from typing import Any, Final

from generators.families.recovery.functions import PROOFS
from generators.families.recovery.locks import ONE, TWO
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.recovery_scene import MEMORY, SERVERS, Made, ed25519_sign, public_of, server

NONCES: Final = [draw(f"nonce {each} of an attempt", 32) for each in SERVERS]
MALLORY: Final = draw("seed of mallory", 32)


def servers(made: Made, **changes: dict[str, Any]) -> Json:
    """Return both servers of a lock, with changes of one of them."""
    return {
        f"server_{each}": {
            **server(made.seed(each)), "waits": False, "nonce": NONCES[each - 1].hex(),
            **changes.get(f"server_{each}", {}),
        }
        for each in SERVERS
    }  # fmt: skip


def attempt(made: Made = ONE, lock: bytes | None = None, **changes: dict[str, Any]) -> Json:
    """Return an attempt with the right password."""
    found = made.lock() if lock is None else lock
    return {"stretched": made.stretched.hex(), "lock": found.hex(), **servers(made, **changes)}


def success(made: Made, number: int) -> bytes:
    """Return how a server is told of a success."""
    name: list[Value] = [made.user_id, made.lock_id]
    nonce = NONCES[number - 1]
    signed = b"letterlock-v1 success of a recovery" + encode([number, *name, nonce])
    return encode([1, 32, *name, nonce, ed25519_sign(made.keys()[number - 1], signed)])


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("recovery.attempt", "attempts that open a lock")
    for comment, made in (("a lock", ONE), ("another lock", TWO)):
        output = {"key": made.key.hex(), "successes": [success(made, each).hex() for each in SERVERS]}
        group.valid(comment, attempt(made), rules=["REC-7", "REC-8"], output=output)
    faults(family)
    passwords(family)


def faults(family: Family) -> None:
    """Add servers that are at fault, one at a time, and servers that wait."""
    group = family.group("recovery.attempt", "a server at fault, or one that waits")
    for number in SERVERS:
        at, other = f"server_{number}", ONE.seed(3 - number).hex()
        lies = PROOFS | {
            "with the other server's key": {"seed": other},
            "with the key of an earlier lock": {"seed": TWO.seed(number).hex()},
        }
        lies = {
            comment: change
            for comment, change in lies.items()
            if "right one" not in comment and "right key" not in comment and "same input" not in comment
        }
        lies |= {
            "of the same password, blinded again": {"other": ONE.input(number).hex()},
            "for the other server": {"other": ONE.input(3 - number).hex()},
        }
        for comment, change in lies.items():
            given = attempt(**{at: change})
            group.invalid(
                f"server {number}: an evaluation {comment}", given, "ServerAtFault", flags=["Proof"],
                rules=["REC-7"],
            )  # fmt: skip
        given = attempt(**{at: {"seed": other}}) | {"stretched": TWO.stretched.hex()}
        group.invalid(
            f"server {number}: with another key, and the password is wrong", given, "ServerAtFault",
            flags=["Proof"], rules=["REC-7"],
        )  # fmt: skip
        waits = attempt(**{at: {"waits": True}})
        group.invalid(f"server {number} waits", waits, "LockWaits", flags=["Waits"], rules=["REC-9"])
    early = attempt(server_2={"waits": True}, server_1={"seed": MALLORY.hex()})
    group.invalid("server 2 waits, and server 1 is not asked", early, "LockWaits", flags=["Waits"],
                  rules=["REC-15"])  # fmt: skip


def passwords(family: Family) -> None:
    """Add wrong passwords, and locks that were changed: both proofs verify, and the lock does not open."""
    group = family.group("recovery.attempt", "both proofs verify, and the lock does not open")
    wrong = attempt() | {"stretched": TWO.stretched.hex()}
    group.invalid("another password", wrong, "WrongPassword", flags=["Password"], rules=["REC-7"])
    near = attempt() | {"stretched": flipped(ONE.stretched, 31).hex()}
    group.invalid("another bit of h", near, "WrongPassword", flags=["Password"], rules=["REC-7"])
    first, second = ONE.public
    for number in SERVERS:
        own = {f"public_{number}": public_of(MALLORY)}
        lock = ONE.lock(ONE.sealed(), **own)
        given = attempt(lock=lock, **{f"server_{number}": {"seed": MALLORY.hex()}})
        group.invalid(
            f"a key of its own in the lock, at server {number}", given, "WrongPassword",
            flags=["Changed"], rules=["REC-5"],
        )  # fmt: skip
    exchanged = ONE.lock(public_1=second, public_2=first)
    swapped = {f"server_{each}": {"seed": ONE.seed(3 - each).hex()} for each in SERVERS}
    for comment, given in (
        ("both keys exchanged, with their servers", attempt(lock=exchanged, **swapped)),
        ("another user", attempt(lock=ONE.lock(user_id=draw("mallory", 32)))),
        ("another lock id", attempt(lock=ONE.lock(lock_id=TWO.lock_id))),
        ("a pass more", attempt(lock=ONE.lock(passes=4))),
        ("more memory", attempt(lock=ONE.lock(memory=2 * MEMORY))),
        ("another commitment", attempt(lock=ONE.lock(flipped(ONE.sealed(), 0)))),
        ("another ciphertext", attempt(lock=ONE.lock(flipped(ONE.sealed(), 40)))),
        ("another tag", attempt(lock=ONE.lock(flipped(ONE.sealed(), 79)))),
    ):
        group.invalid(comment, given, "WrongPassword", flags=["Changed"], rules=["REC-5"])
