"""Vectors of keys: refused public keys, agreements and KEM secrets.

The points of low order and the spellings are computed here from the curve's equation, not taken from the
library.
"""

from kyber_py.ml_kem import ML_KEM_1024

from generators.support.family import Family
from generators.support.labels import draw, flipped

P = 2**255 - 19


def le(number: int) -> str:
    return number.to_bytes(32, "little").hex()


# --- Curve25519 -------------------------------------------------------------------------------------------

ORDER_8 = 325606250916557431795983626356110631294008115727848805560023387167927233504
ORDER_8_TOO = 39382357235489614581723060781553021112529911719440698176882885853963445705823
LOW = {
    "u = 0, order 2": 0,
    "u = 1, order 4": 1,
    "u = p - 1, order 4 on the twist": P - 1,
    "the first u of order 8": ORDER_8,
    "the second u of order 8": ORDER_8_TOO,
}


def doubled(u: int) -> int | None:
    """Return u of twice a point, or None for the neutral point (RFC 7748 section 4.1)."""
    below = 4 * u * (u * u + 486662 * u + 1) % P
    return None if below == 0 else (u * u - 1) ** 2 * pow(below, -1, P) % P


def is_of_low_order(u: int) -> bool:
    point: int | None = u
    for _ in range(3):
        point = None if point is None else doubled(point)
    return point is None


def is_on_curve(u: int) -> bool:
    return pow(u**3 + 486662 * u**2 + u, (P - 1) // 2, P) in {0, 1}


def curve_keys(family: Family) -> None:
    group = family.group("curve.public", "public keys, and bytes that are none")
    for comment, u in LOW.items():
        group.invalid(comment, {"key": le(u)}, "InvalidKey", flags=["LowOrder"], rules=["PRIM-2"])
    for u in (2, 3, 9, P - 2, P - 3, 2**254, ORDER_8 + 1, ORDER_8_TOO - 1):
        flags = ["Boundary"] if is_on_curve(u) else ["Boundary", "Twist"]
        names = {P - 2: "p - 2", P - 3: "p - 3", 2**254: "2^254"}
        near = "beside a point of low order" if abs(u - ORDER_8) < 2 or abs(u - ORDER_8_TOO) < 2 else None
        comment = f"u = {names.get(u, str(u))}" if near is None else f"{near}: u = {u}"
        group.valid(comment, {"key": le(u)}, flags=flags, rules=["PRIM-2"], output={"key": le(u)})
    for above in range(19):
        # p + 2 ... p + 18 are second spellings of 2 ... 18, p and p + 1 of points of low order.
        flags = ["NonCanonical", "LowOrder"] if above < 2 else ["NonCanonical"]
        comment = f"u = p + {above}: a second encoding of {above}"
        group.invalid(comment, {"key": le(P + above)}, "InvalidKey", flags=flags, rules=["PRIM-2"])
    sound = draw("a sound public key", 32)
    for comment, key in {
        "bit 255 of a sound key is set": flipped(bytes([*sound[:31], sound[31] & 0x7F]), 31, 0x80),
        "bit 255 of u = 9 is set": bytes.fromhex(le(9 + 2**255)),
        "all bits are set": b"\xff" * 32,
        "2p - 1, the largest encoding of p - 1 in 32 bytes": bytes.fromhex(le(2 * P - 1)),
        "2p, a third encoding of 0": bytes.fromhex(le(2 * P)),
        "2p + 1, a third encoding of 1": bytes.fromhex(le(2 * P + 1)),
    }.items():
        flags = ["HighBit", "NonCanonical"]
        group.invalid(comment, {"key": key.hex()}, "InvalidKey", flags=flags, rules=["PRIM-2"])
    for comment, u in LOW.items():
        with_bit = {"key": le(u + 2**255)}
        flags = ["HighBit", "LowOrder"]
        group.invalid(f"bit 255 set, {comment}", with_bit, "InvalidKey", flags=flags, rules=["PRIM-2"])
    plain = bytes.fromhex(le(9))
    for comment, key in {
        "no bytes": b"",
        "31 bytes": plain[:31],
        "33 bytes, the last one zero": plain + b"\0",
        "33 bytes, with a type byte 5 before the key": b"\5" + plain,
        "64 bytes": plain * 2,
    }.items():
        group.invalid(comment, {"key": key.hex()}, "InvalidKey", flags=["WrongLength"], rules=["PRIM-2"])


# RFC 7748 section 6.1
ALICE = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
ALICE_PUBLIC = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
BOB = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
BOB_PUBLIC = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
AGREED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"


def curve_agreements(family: Family) -> None:
    group = family.group("curve.from_private", "public keys of private keys, which are clamped at each use")
    published = {"flags": ["Published"], "rules": ["PRIM-2"]}
    group.valid("Alice's key", {"private": ALICE}, **published, output={"public": ALICE_PUBLIC})
    group.valid("Bob's key", {"private": BOB}, **published, output={"public": BOB_PUBLIC})
    clamped = bytes.fromhex(ALICE)
    other = bytes([clamped[0] ^ 7, *clamped[1:31], clamped[31] ^ 0x80])
    output = {"public": ALICE_PUBLIC}
    group.valid("Alice's key with other bits that clamping clears", {"private": other.hex()}, output=output)
    group.valid("all bits clear: clamping sets one", {"private": "00" * 32}, flags=["Boundary"])

    group = family.group("curve.agree", "agreements, and keys that would make the result known to everybody")
    both = {"shared": AGREED}
    group.valid("Alice with Bob", {"private": ALICE, "public": BOB_PUBLIC}, **published, output=both)
    group.valid("Bob with Alice", {"private": BOB, "public": ALICE_PUBLIC}, **published, output=both)
    off_curve = next(u for u in range(2, P) if not is_on_curve(u))
    on_twist = {"private": ALICE, "public": le(off_curve)}
    group.valid(f"with a point of the twist, u = {off_curve}", on_twist, flags=["Twist"], rules=["PRIM-2"])
    group.valid("with p - 2", {"private": ALICE, "public": le(P - 2)}, flags=["Boundary"], rules=["PRIM-2"])
    for comment, u in LOW.items():
        given = {"private": ALICE, "public": le(u)}
        group.invalid(comment, given, "InvalidKey", flags=["LowOrder"], rules=["PRIM-2", "PRIM-3"])
    masked = bytes.fromhex(BOB_PUBLIC)[:31] + bytes([bytes.fromhex(BOB_PUBLIC)[31] | 0x80])
    for comment, key, flag in [
        ("Bob's key with bit 255 set", masked.hex(), "HighBit"),
        ("u = p + 9, a second encoding of the base point", le(P + 9), "NonCanonical"),
        ("Bob's key without its last byte", BOB_PUBLIC[:-2], "WrongLength"),
        ("Bob's key and one byte more", BOB_PUBLIC + "00", "WrongLength"),
    ]:
        given = {"private": ALICE, "public": key}
        group.invalid(comment, given, "InvalidKey", flags=[flag], rules=["PRIM-2"])


# --- ML-KEM-1024 ------------------------------------------------------------------------------------------

SEED = draw("a kem seed", 64)
KEY: bytes = ML_KEM_1024._keygen_internal(SEED[:32], SEED[32:])[0]
Q = 3329


def with_coefficient(index: int, value: int) -> str:
    """Return the key with one of its 1,024 coefficients, 12 bits each, replaced."""
    start, shift = index * 12 // 8, index * 12 % 8
    two = int.from_bytes(KEY[start : start + 2], "little")
    two = two & ~(0xFFF << shift) | value << shift
    return (KEY[:start] + two.to_bytes(2, "little") + KEY[start + 2 :]).hex()


def kem_keys(family: Family) -> None:
    group = family.group("kem.from_seed", "encapsulation keys of seeds d || z")
    rules = ["PRIM-6"]
    group.valid("an ordinary seed", {"seed": SEED.hex()}, rules=rules, output={"public": KEY.hex()})
    other_z = SEED[:32] + draw("another z", 32)
    output = {"public": KEY.hex()}
    group.valid("another z gives the same key", {"seed": other_z.hex()}, rules=rules, output=output)

    group = family.group("kem.public", "encapsulation keys, and bytes that are none")
    largest = with_coefficient(0, Q - 1)
    given, output = {"key": largest}, {"key": largest}
    group.valid("a coefficient of q - 1", given, flags=["Boundary"], rules=["PRIM-7"], output=output)
    for where, index in {"first": 0, "second": 1, "middle": 511, "last": 1023}.items():
        for what, value in {"q": Q, "4095": 4095}.items():
            given = {"key": with_coefficient(index, value)}
            comment = f"the {where} coefficient is {what}"
            group.invalid(comment, given, "InvalidKey", flags=["Coefficient"], rules=["PRIM-7"])
    for comment, key in {
        "no bytes": b"",
        "a byte short": KEY[:-1],
        "a byte long": KEY + b"\0",
        "the length of an ML-KEM-768 key": KEY[:1152] + KEY[-32:],
        "a curve key": bytes.fromhex(BOB_PUBLIC),
    }.items():
        group.invalid(comment, {"key": key.hex()}, "InvalidKey", flags=["WrongLength"], rules=["PRIM-7"])


def kem_secrets(family: Family) -> None:
    group = family.group(
        "kem.decapsulate", "genuine and forged ciphertexts, and ciphertexts of another length"
    )
    secret, ciphertext = ML_KEM_1024._encaps_internal(KEY, draw("coins", 32))
    seed, rules = SEED.hex(), ["PRIM-6"]
    given = {"seed": seed, "ciphertext": ciphertext.hex()}
    group.valid("a sound ciphertext", given, rules=rules, output={"secret": secret.hex()})
    other = draw("another kem seed", 64)
    other_key, _ = ML_KEM_1024._keygen_internal(other[:32], other[32:])
    forged = {
        "the first bit is another": flipped(ciphertext, 0),
        "the last bit is another": flipped(ciphertext, -1, 0x80),
        "made for another key": ML_KEM_1024._encaps_internal(other_key, draw("coins", 32))[1],
        "all zeros": bytes(len(ciphertext)),
    }
    for comment, data in forged.items():
        given = {"seed": seed, "ciphertext": data.hex()}
        answer = group.valid(comment, given, flags=["ImplicitRejection"], rules=rules)
        assert answer["secret"] != secret.hex()
    for comment, data in {
        "no bytes": b"",
        "a byte short": ciphertext[:-1],
        "a byte long": ciphertext + b"\0",
        "the length of an ML-KEM-768 ciphertext": ciphertext[:1088],
    }.items():
        given = {"seed": seed, "ciphertext": data.hex()}
        group.invalid(comment, given, "MalformedMessage", flags=["WrongLength"], rules=rules)


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "keys",
        "X25519 and ML-KEM-1024",
        [
            "Public keys have one encoding: u is below p, bit 255 is clear, and the order is not low.",
            "KEM keys have coefficients below q = 3329. A ciphertext of the right length is never an error.",
        ],
        {
            "LowOrder": "the order of the point divides 8, so every agreement with it is all zero",
            "NonCanonical": "u is p or more, a second encoding of another key",
            "HighBit": "bit 255 is set, which RFC 7748 would mask",
            "WrongLength": "the wrong length for such a key or ciphertext",
            "Boundary": "a valid input next to a refused one",
            "Published": "the numbers are printed in RFC 7748 section 6.1",
            "Twist": "u belongs to the twist of the curve, which X25519 accepts as well",
            "Coefficient": "a coefficient of the KEM key is q or more (FIPS 203 section 7.2)",
            "ImplicitRejection": "a forged ciphertext gives another secret, not an error",
        },
    )
    assert all(is_of_low_order(u) for u in LOW.values())
    assert not any(is_of_low_order(u) for u in (2, 3, 9, P - 2))
    curve_keys(family)
    curve_agreements(family)
    kem_keys(family)
    kem_secrets(family)
    return family
