"""Tickets of server 2, and successes: Ed25519 signatures that a server checks."""

from typing import Any, Final

from generators.families.recovery.attempts import success
from generators.families.recovery.locks import BOBS, ONE, TWO
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.recovery_scene import SERVERS, Made, ed25519, ed25519_sign, sha256

NOW: Final = 1_700_000_000
SEED: Final = draw("a ticket key", 32)
OTHER: Final = draw("another ticket key", 32)
BLINDED: Final = draw("a blinded input for server 1", 32)


def evaluate(made: Made = ONE, **changes: Value) -> bytes:
    """Return a request for an evaluation."""
    found: dict[str, Value] = {
        "user_id": made.user_id, "lock_id": made.lock_id, "blinded": BLINDED, "companion": None,
        "ticket": None,
    } | changes  # fmt: skip
    return encode([1, 31, *found.values()])


def ticket(
    made: Made = ONE,
    companion: bytes | None = None,
    end: int = NOW + 600,
    seed: bytes = SEED,
    label: bytes = b"letterlock-v1 ticket of a recovery",
) -> bytes:
    """Return a ticket."""
    bound = sha256(BLINDED) if companion is None else companion
    signed = label + encode([made.user_id, made.lock_id, bound, end])
    return end.to_bytes(4, "big") + ed25519_sign(seed, signed)


def add(family: Family) -> None:
    """Add the groups."""
    signed(family)
    checked(family)
    successes(family)


def signed(family: Family) -> None:
    """Add tickets that server 2 gives."""
    group = family.group("recovery.sign_ticket", "tickets")
    for comment, made in (("of a lock", ONE), ("of another user", BOBS)):
        given = {
            "seed": SEED.hex(), "request": evaluate(made, companion=sha256(BLINDED)).hex(), "now": NOW,
        }  # fmt: skip
        group.valid(comment, given, rules=["REC-15"], output={"ticket": ticket(made).hex()})
    given = {"seed": SEED.hex(), "request": evaluate().hex(), "now": NOW}
    group.valid("of a request without a companion", given, rules=["REC-15"], output={"ticket": None})


def _check(found: bytes | None, now: int = NOW, key: bytes | None = None, **changes: Any) -> Json:
    request = evaluate(ticket=found, **changes)
    return {"key": (ed25519(SEED) if key is None else key).hex(), "request": request.hex(), "now": now}


def checked(family: Family) -> None:
    """Add tickets that server 1 checks."""
    group = family.group("recovery.check_ticket", "tickets in time")
    for comment, now in (
        ("when it was signed", NOW), ("at its end", NOW + 600), ("two minutes after its end", NOW + 720),
        ("two minutes before it was signed", NOW - 120),
    ):  # fmt: skip
        group.valid(comment, _check(ticket(), now), rules=["REC-15"], output={})
    group = family.group("recovery.check_ticket", "tickets that are refused")
    for comment, given in (
        ("none", _check(None)),
        ("121 seconds after its end", _check(ticket(), NOW + 721)),
        ("121 seconds before it was signed", _check(ticket(), NOW - 121)),
        ("a year later", _check(ticket(), NOW + 366 * 86_400)),
        ("a later end than the signed one", _check((NOW + 700).to_bytes(4, "big") + ticket()[4:])),
        ("for another input", _check(ticket(companion=sha256(b"another input")))),
        ("for the input itself, not its hash", _check(ticket(companion=BLINDED))),
        ("for another lock", _check(ticket(TWO))),
        ("for another user", _check(ticket(BOBS))),
        ("by another key", _check(ticket(seed=OTHER))),
        ("under another key", _check(ticket(), key=ed25519(OTHER))),
        ("as a success", _check(ticket(label=b"letterlock-v1 success of a recovery"))),
        ("without a label", _check(ticket(label=b""))),
        ("a changed R", _check(flipped(ticket(), 4))),
        ("a changed S", _check(flipped(ticket(), 60))),
        ("zeros", _check(bytes(68))),
        ("of zeros, in time", _check(NOW.to_bytes(4, "big") + bytes(64))),
    ):
        group.invalid(comment, given, "RecoveryRefused", flags=["Ticket"], rules=["REC-15"])
    for comment, key in (("zero, of order 4", bytes(32)), ("the neutral element", b"\1" + bytes(31))):
        group.invalid(
            f"a key that is {comment}", _check(ticket(), key=key), "InvalidKey", flags=["BadKey"],
            rules=["PRIM-12"],
        )  # fmt: skip


def successes(family: Family) -> None:
    """Add successes."""
    group = family.group("recovery.verify_success", "successes")
    logins = ONE.logins()

    def given(request: bytes, number: int, key: bytes | None = None) -> Json:
        login = logins[number - 1] if key is None else key
        return {"key": login.hex(), "server": number, "request": request.hex()}

    for number in SERVERS:
        group.valid(f"at server {number}", given(success(ONE, number), number), rules=["REC-8"], output={})
    group = family.group("recovery.verify_success", "successes that are refused")
    sound = success(ONE, 1)

    def other(at: int, value: Value) -> bytes:
        name: list[Value] = [1, 32, ONE.user_id, ONE.lock_id, sound[-98:-66], sound[-64:]]
        return encode([*name[:at], value, *name[at + 1 :]])

    assert other(0, 1) == sound
    for comment, flag, request, number, key in (
        ("for the other server", "OtherPurpose", success(ONE, 2), 1, logins[1]),
        ("at the other server", "OtherPurpose", sound, 2, logins[0]),
        ("by the other login key", "Signature", success(ONE, 2), 2, logins[0]),
        ("of another lock", "OtherPurpose", success(TWO, 1), 1, None),
        ("another nonce", "Signature", other(4, bytes(32)), 1, None),
        ("another lock id", "Signature", other(3, TWO.lock_id), 1, None),
        ("another user", "Signature", other(2, BOBS.user_id), 1, None),
        ("a changed R", "Signature", flipped(sound, len(sound) - 64), 1, None),
        ("a changed S", "Signature", flipped(sound, len(sound) - 8), 1, None),
        ("a signature of zeros", "Signature", other(5, bytes(64)), 1, None),
    ):
        group.invalid(comment, given(request, number, key), "InvalidSignature", flags=[flag], rules=["REC-8"])
    for comment, key in (("zero, of order 4", bytes(32)), ("the neutral element", b"\1" + bytes(31))):
        group.invalid(
            f"a key that is {comment}", given(sound, 1, key), "InvalidKey", flags=["BadKey"],
            rules=["PRIM-12"],
        )  # fmt: skip
