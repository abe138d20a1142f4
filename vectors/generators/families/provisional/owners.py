"""The key of whoever asked for an identity, and what it signs to withdraw it."""

from typing import Final

from generators.families.provisional.bodies import id_
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.kdf import hkdf
from generators.support.labels import draw, flipped
from generators.support.recovery_scene import SERVERS, ed25519, ed25519_sign

OWNER: Final = b"letterlock-v1 owner of a provisional identity"
WITHDRAWAL: Final = b"letterlock-v1 withdrawal of a provisional identity"
SECRETS: Final = draw("owner secret of a granter", 32), draw("owner secret of another granter", 32)


def seed(secret: bytes, at: int) -> bytes:
    """Return the seed of the owner key of an identity."""
    return hkdf(b"", secret, OWNER + id_(at), 32)


def withdrawal(
    *, server: int = 1, at: int = 1, secret: bytes = SECRETS[0], label: bytes = WITHDRAWAL,
    signed: list[Value] | None = None, kind: str = "mail", address: bytes = b"somebody@example.org",
) -> bytes:  # fmt: skip
    """Return the call that ends identity `at`. `signed` is signed in the place of what has to be."""
    covered = [server, id_(at)] if signed is None else signed
    return encode([1, 47, kind, address, id_(at), ed25519_sign(seed(secret, 1), label + encode(covered))])


def given(request: bytes, server: int = 1, *, key: bytes | None = None) -> Json:
    """Return the input of provisional.verify_withdrawal."""
    shown = ed25519(seed(SECRETS[0], 1)) if key is None else key
    return {"key": shown.hex(), "server": server, "request": request.hex()}


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("provisional.owner", "the owner key of each identity")
    for number, secret in enumerate(SECRETS, 1):
        for at in (1, 2):
            output = {"key": ed25519(seed(secret, at)).hex()}
            asked = {"secret": secret.hex(), "id": id_(at).hex()}
            group.valid(f"of secret {number}, for identity {at}", asked, rules=["PRV-1"], output=output)
    group = family.group("provisional.verify_withdrawal", "withdrawals by the owner")
    for server in SERVERS:
        asked = given(withdrawal(server=server), server)
        group.valid(f"at server {server}", asked, rules=["PRV-6"], output={})
    spelled = given(withdrawal(address=b"Somebody@EXAMPLE.org", kind="oidc"))
    group.valid("for an address that is written in another way", spelled, rules=["PRV-2"], output={})
    refusals(family)


def refusals(family: Family) -> None:
    """Add withdrawals that are refused."""
    group = family.group("provisional.verify_withdrawal", "withdrawals that are refused")
    sound, key = withdrawal(), ed25519(seed(SECRETS[0], 1))
    for comment, flag, asked in (
        ("for the other server", "OtherPurpose", given(sound, 2)),
        ("signed for the other server", "OtherPurpose", given(withdrawal(server=2))),
        ("of another identity, with the key of the first", "Signature",
         given(withdrawal(at=2, signed=[1, id_(1)]))),
        ("signed for another identity", "Signature", given(withdrawal(signed=[1, id_(2)]))),
        ("by another granter", "Signature", given(withdrawal(secret=SECRETS[1]))),
        ("under the owner key of another identity", "Signature",
         given(sound, key=ed25519(seed(SECRETS[0], 2)))),
        ("signed without the server", "OtherPurpose", given(withdrawal(signed=[id_(1)]))),
        ("signed with the number of the call", "OtherPurpose", given(withdrawal(signed=[1, 47, id_(1)]))),
        ("without a label", "OtherPurpose", given(withdrawal(label=b""))),
        ("as a ticket of an identity", "OtherPurpose",
         given(withdrawal(label=b"letterlock-v1 ticket of an identity"))),
        ("a changed id", "Signature", given(flipped(sound, -70))),
        ("a changed R", "Signature", given(flipped(sound, -64))),
        ("a changed S", "Signature", given(flipped(sound, -8))),
    ):  # fmt: skip
        group.invalid(comment, asked, "InvalidSignature", flags=[flag], rules=["PRV-6"])
    for comment, bad in (("zero, of order 4", bytes(32)), ("31 bytes", key[:31]), ("33 bytes", key + b"\0")):
        group.invalid(f"a key: {comment}", given(sound, key=bad), "InvalidKey", flags=["BadKey"],
                      rules=["PRIM-12"])  # fmt: skip
