"""Vectors of XEdDSA: signatures with a chosen Z, and each mistake of a lenient verifier.

Signatures that no honest signer makes are built here from the formulae of spec/primitives.md; libsodium only
multiplies and adds points.
"""

import hashlib
from collections.abc import Callable

from nacl.bindings import crypto_core_ed25519_add, crypto_scalarmult_ed25519_base_noclamp

from generators.support.family import Family
from generators.support.labels import draw, flipped
from letterlock import hazmat

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493


MESSAGE = b"letterlock"


def number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def le(value: int) -> bytes:
    return value.to_bytes(32, "little")


def hashed(*parts: bytes) -> int:
    return number(hashlib.sha512(b"".join(parts)).digest()) % Q


def base(scalar: int) -> bytes:
    """Return enc of a multiple of B; libsodium refuses the neutral point."""
    return crypto_scalarmult_ed25519_base_noclamp(le(scalar)) if scalar % Q else NEUTRAL


class Signer:
    """A private key and its values of section 2.3. `edwards` is enc(kB); `big_a` is without the sign."""

    def __init__(self, label: str) -> None:
        self.private = draw(label, 32)
        k = bytes([self.private[0] & 0xF8, *self.private[1:31], self.private[31] & 0x7F | 0x40])
        point = base(number(k))
        self.sign = point[31] >> 7
        self.k = number(k) % Q
        self.a = Q - self.k if self.sign else self.k
        self.edwards = point
        self.public = hazmat.public_key(self.private)
        self.big_a = point[:31] + bytes([point[31] & 0x7F])
        self.r = number(draw(label + ", r", 64)) % Q

    def signed(self, message: bytes, r: int | None = None) -> tuple[bytes, int]:
        """Return R and s."""
        r = self.r if r is None else r
        return base(r), (r + hashed(base(r), self.big_a, message) * self.a) % Q


def find(sign: int) -> Signer:
    signers = (Signer(f"a signer {index}") for index in range(100))
    return next(signer for signer in signers if signer.sign == sign)


NEUTRAL = le(1)
LOW = {  # the points of low order, by their canonical encodings with x even
    2: le(P - 1),
    4: le(0),
    8: bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
}
SIGNERS = {"Sign0": find(0), "Sign1": find(1)}
ONE = SIGNERS["Sign1"]
R, S = ONE.signed(MESSAGE)


def signing(family: Family) -> None:
    group = family.group("xeddsa.sign", "signatures with a chosen Z")
    for flag, signer in SIGNERS.items():
        for comment, message, nonce in [
            ("a short message", MESSAGE, draw("Z", 64)),
            ("another Z makes another signature", MESSAGE, draw("another Z", 64)),
            ("no message", b"", draw("Z", 64)),
            ("a Z of zeros", MESSAGE, bytes(64)),
        ]:
            given = {"private": signer.private.hex(), "message": message.hex(), "nonce": nonce.hex()}
            named = f"{comment}, sign bit {signer.sign}"
            answer = group.valid(named, given, flags=[flag], rules=["PRIM-4"])
            assert answer["public"] == signer.public.hex()
    given = {
        "private": ONE.private.hex(),
        "message": draw("a long message", 4096).hex(),
        "nonce": draw("Z", 64).hex(),
    }
    group.valid("4,096 bytes", given, flags=["Sign1", "Long"], rules=["PRIM-4"])


def verifying(family: Family) -> None:
    group = family.group("xeddsa.verify", "signatures that verify")

    def sound(comment: str, signer: Signer, message: bytes, *flags: str) -> None:
        big_r, s = signer.signed(message)
        signature = (big_r + le(s)).hex()
        given = {"public": signer.public.hex(), "message": message.hex(), "signature": signature}
        group.valid(comment, given, flags=flags, rules=["PRIM-5"], output={})

    for flag, signer in SIGNERS.items():
        sound(f"a short message, sign bit {signer.sign}", signer, MESSAGE, flag)
        sound(f"no message, sign bit {signer.sign}", signer, b"", flag)
    sound("4,096 bytes", ONE, draw("a long message", 4096), "Sign1", "Long")


Refuse = Callable[..., None]


def refuser(family: Family, comment: str) -> Refuse:
    group = family.group("xeddsa.verify", comment)

    def refuse(
        comment: str,
        signature: bytes,
        *flags: str,
        public: bytes = ONE.public,
        message: bytes = MESSAGE,
        expect: str = "InvalidSignature",
    ) -> None:
        given = {"public": public.hex(), "message": message.hex(), "signature": signature.hex()}
        rules = ["PRIM-2"] if expect == "InvalidKey" else ["PRIM-5"]
        group.invalid(comment, given, expect, flags=flags, rules=rules)

    return refuse


def changed(family: Family) -> None:
    refuse = refuser(family, "a changed signature, key or message")
    signature = R + le(S)
    refuse("the first bit of R", flipped(signature, 0), "Changed")
    refuse("the sign bit of R", flipped(signature, 31, 0x80), "Changed")
    refuse("the first bit of s", flipped(signature, 32), "Changed")
    refuse("a middle bit of s", flipped(signature, 48), "Changed")
    refuse("R and s exchanged", signature[32:] + signature[:32], "Changed")
    refuse("-s for s", R + le(Q - S), "Changed")
    refuse("s = 0", R + bytes(32), "Changed")
    refuse("all zeros", bytes(64), "Changed", "LowOrder")
    for comment, message in {
        "a bit of the message": flipped(MESSAGE, 3),
        "the message without its end": MESSAGE[:-1],
        "the message with a zero byte more": MESSAGE + b"\0",
        "no message": b"",
    }.items():
        refuse(comment, signature, "WrongMessage", message=message)
    refuse("another key", signature, "WrongKey", public=SIGNERS["Sign0"].public)
    for comment, data in {
        "no bytes": b"",
        "R alone": R,
        "a byte short": signature[:-1],
        "a byte long": signature + b"\0",
        "a byte in front": b"\0" + signature,
        "the signature twice": signature * 2,
    }.items():
        refuse(comment, data, "WrongLength")


def high(family: Family) -> None:
    refuse = refuser(family, "the same signature with a larger s, valid for a verifier that reduces s")
    for times, comment in {
        1: "s + q, below 2^253, which the publication lets pass",
        2: "s + 2q, 2^253 or more",
        4: "s + 4q, 2^254 or more",
        8: "s + 8q, 2^255 or more",
    }.items():
        refuse(comment, R + le(S + times * Q), "HighS")
    refuse("bit 255 of s is set", R + le(S + 2**255), "HighS", "SignBit")
    refuse("bit 253 of s is set", R + le(S + 2**253), "HighS")
    refuse("s = q, a second encoding of 0", R + le(Q), "HighS")
    refuse("all bits of s are set", R + b"\xff" * 32, "HighS")


def low_order(family: Family) -> None:
    refuse = refuser(family, "R of low order, not canonical, or right only with the cofactor")

    def with_r(big_r: bytes, r: int) -> bytes:
        """Return a signature whose s fits this R, where R is rB and a point of low order."""
        return big_r + le((r + hashed(big_r, ONE.big_a, MESSAGE) * ONE.a) % Q)

    refuse("r = 0: R is the neutral point, and the equation holds", with_r(NEUTRAL, 0), "LowOrder")
    for order, point in LOW.items():
        refuse(f"R is of order {order}", with_r(point, 0), "LowOrder", "Cofactor")
    for order, point in LOW.items():
        torsion = back = crypto_core_ed25519_add(base(ONE.r), point)
        for _ in range(order - 1):
            back = crypto_core_ed25519_add(back, point)
        assert back == base(ONE.r) != torsion
        refuse(f"R is rB and a point of order {order}", with_r(torsion, ONE.r), "Cofactor")
    for comment, point in {
        "R is the neutral point, encoded with y = p + 1": le(P + 1),
        "R is the neutral point, with a sign that its x has not": le(1 + 2**255),
    }.items():
        refuse(comment, with_r(point, 0), "LowOrder", "NonCanonical")


def otherwise_signed(family: Family) -> None:
    refuse = refuser(family, "signatures by other rules, each valid by its own")
    big_r, r = base(ONE.r), ONE.r

    def by(h: int, a: int) -> bytes:
        return big_r + le((r + h * a) % Q)

    signed_form = by(hashed(big_r, ONE.edwards, MESSAGE), ONE.k)
    in_form = signed_form[:63] + bytes([signed_form[63] | 0x80])
    hazmat.xeddsa_verify_sign_bit_form(ONE.public, MESSAGE, in_form)
    refuse("the sign of A in the top bit of s", in_form, "SignBit", "Sign1")
    refuse("under A with its sign, the bit of s cleared", signed_form, "SignBit", "Sign1")
    h = hashed(big_r, ONE.big_a, MESSAGE)
    refuse("a = k where it should be -k", by(h, ONE.k), "WrongKey", "Sign1")
    refuse("h over u instead of A", by(hashed(big_r, ONE.public, MESSAGE), ONE.a), "WrongHash")
    refuse("h without A", by(hashed(big_r, MESSAGE), ONE.a), "WrongHash")
    refuse("h with A before R", by(hashed(ONE.big_a, big_r, MESSAGE), ONE.a), "WrongHash")
    digest = hashlib.sha512(MESSAGE).digest()
    refuse("over the digest of the message", by(hashed(big_r, ONE.big_a, digest), ONE.a), "WrongHash")


def bad_keys(family: Family) -> None:
    refuse = refuser(family, "keys under which no signature may verify")
    edwards = {0: (LOW[2], 2), 1: (LOW[4], 4)}
    for u, (big_a, order) in edwards.items():
        # h is a multiple of the order, so hA vanishes, and R = sB is the whole equation.
        r = next(r for r in range(2, 1000) if hashed(base(r), big_a, MESSAGE) % order == 0)
        comment = f"u = {u}: A is of order {order}, and the equation holds"
        refuse(comment, base(r) + le(r), "LowOrder", public=le(u), expect="InvalidKey")
    signature = R + le(S)
    for comment, key in {
        "u = p - 1, which has no A": le(P - 1),
        "the first u of order 8": le(
            325606250916557431795983626356110631294008115727848805560023387167927233504
        ),
    }.items():
        refuse(comment, signature, "LowOrder", public=key, expect="InvalidKey")
    for comment, key in {
        "the signer's key with bit 255 set": flipped(ONE.public, 31, 0x80),
        "u = p + 9": le(P + 9),
    }.items():
        refuse(comment, signature, "NonCanonical", public=key, expect="InvalidKey")
    for comment, key in {
        "a key of 31 bytes": ONE.public[:-1],
        "a key of 33 bytes": ONE.public + b"\0",
    }.items():
        refuse(comment, signature, "WrongLength", public=key, expect="InvalidKey")
    # Curve25519 has v with v^2 = u^3 + 486662 u^2 + u only for half of all u.
    twist = next(u for u in range(2, 100) if pow(u**3 + 486662 * u**2 + u, (P - 1) // 2, P) == P - 1)
    refuse(f"u = {twist} is on the twist, and no A has this y", signature, "WrongKey", public=le(twist))


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "xeddsa",
        "XEdDSA over Curve25519 and SHA-512",
        [
            "Revision 1 as published: the signer's Edwards key has sign bit 0.",
            "The verifier is stricter than the publication: s < q, A and R canonical and not of low order.",
            "It does not multiply by the cofactor.",
        ],
        {
            "Sign0": "bit 255 of enc(kB) is clear: a = k",
            "Sign1": "bit 255 of enc(kB) is set: a = -k",
            "HighS": "s is q or more, a second encoding of a signature",
            "LowOrder": "the order of R or A divides 8",
            "NonCanonical": "R or u is not below p, or is zero with a sign",
            "Cofactor": "the equation holds only when both sides are multiplied by 8",
            "SignBit": "the variant of XEdDSA that carries the sign of A in the top bit of s",
            "WrongHash": "h was computed over other bytes than R || A || M",
            "WrongKey": "another key signed, or the key is invalid",
            "WrongMessage": "another message was signed",
            "WrongLength": "a signature without 64 bytes, or a key without 32",
            "Changed": "a changed signature",
            "Long": "4,096 bytes, more than any prekey needs",
        },
    )
    signing(family)
    verifying(family)
    changed(family)
    high(family)
    low_order(family)
    otherwise_signed(family)
    bad_keys(family)
    return family
