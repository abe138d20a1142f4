"""Vectors of key derivation: HMAC, HKDF, and the protocol's three uses of them.

The expected answers are computed here with Python's own HMAC. Nothing is refused: an implementation that
exchanges salt and input, or two constants, gives another answer.
"""

from generators.support.family import Family
from generators.support.kdf import PQXDH, ROOT, X3DH, hkdf, mac
from generators.support.labels import draw


def macs(family: Family) -> None:
    group = family.group("kdf.hmac", "HMAC-SHA-256")
    for comment, flags, key, data in [
        ("RFC 4231, test case 1", ["Published"], b"\x0b" * 20, b"Hi There"),
        ("RFC 4231, test case 2", ["Published"], b"Jefe", b"what do ya want for nothing?"),
        ("an empty key and nothing to authenticate", ["Boundary"], b"", b""),
        ("a key of a whole block", ["Boundary"], draw("a key", 64), b"letterlock"),
        ("a key of more than a block is hashed first", ["Boundary"], draw("a key", 65), b"letterlock"),
    ]:
        given = {"key": key.hex(), "data": data.hex()}
        group.valid(comment, given, flags=flags, output={"mac": mac(key, data).hex()})


def expansions(family: Family) -> None:
    group = family.group("kdf.hkdf", "HKDF-SHA-256")
    salt, ikm, info = bytes(range(13)), b"\x0b" * 22, bytes(range(0xF0, 0xFA))
    for comment, flags, parts, length in [
        ("RFC 5869, test case 1", ["Published"], (salt, ikm, info), 42),
        ("RFC 5869, test case 3: no salt, no info", ["Published"], (b"", ikm, b""), 42),
        ("no salt is a salt of 32 zeros", [], (bytes(32), ikm, b""), 42),
        ("salt and input exchanged", ["ExchangedParts"], (ikm, salt, info), 42),
        ("salt and info exchanged", ["ExchangedParts"], (info, ikm, salt), 42),
        ("one byte", ["Boundary"], (salt, ikm, info), 1),
        ("two blocks", ["Boundary"], (salt, ikm, info), 64),
        ("a byte more than two blocks", ["Boundary"], (salt, ikm, info), 65),
        ("255 blocks, the most there are", ["Boundary"], (salt, ikm, info), 8160),
    ]:
        given = dict(zip(("salt", "ikm", "info"), (part.hex() for part in parts), strict=True))
        output = {"okm": hkdf(*parts, length).hex()}
        group.valid(comment, given | {"length": length}, flags=flags, output=output)


def handshakes(family: Family) -> None:
    group = family.group("kdf.handshake", "SK of both suites")
    agreements, kem_secret = draw("agreements", 128), draw("a kem secret", 32)
    for suite, comment, given, secret in [
        (1, "three agreements", agreements[:96], None),
        (1, "four agreements", agreements, None),
        (2, "three agreements and a KEM secret", agreements[:96], kem_secret),
        (2, "four agreements and a KEM secret", agreements, kem_secret),
        (
            2,
            "the fourth agreement and the KEM secret exchanged",
            agreements[:96] + kem_secret,
            agreements[96:],
        ),
    ]:
        label = X3DH if suite == 1 else PQXDH
        wanted = hkdf(bytes(32), b"\xff" * 32 + given + (secret or b""), label, 32)
        group.valid(
            f"suite {suite}: {comment}",
            {
                "suite": suite,
                "agreements": given.hex(),
                "kem_secret": None if secret is None else secret.hex(),
            },
            flags=["ExchangedParts"] if "exchanged" in comment else [],
            rules=["HAND-4", "HAND-5"] if suite == 2 else ["HAND-4"],
            output={"secret": wanted.hex()},
        )


def steps(family: Family) -> None:
    group = family.group("kdf.root", "a step of the root chain")
    root, agreement = draw("a root key", 32), draw("an agreement", 32)
    for comment, flags, rk, dh in [
        ("an ordinary step", [], root, agreement),
        ("root key and agreement exchanged", ["ExchangedParts"], agreement, root),
    ]:
        okm = hkdf(rk, dh, ROOT, 64)
        given = {"root": rk.hex(), "agreement": dh.hex()}
        output = {"root": okm[:32].hex(), "chain": okm[32:].hex()}
        group.valid(comment, given, flags=flags, rules=["RAT-1", "PRIM-9"], output=output)
    group = family.group("kdf.chain", "a step of a chain")
    chain = draw("a chain key", 32)
    for comment, ck in [("an ordinary step", chain), ("the step after it", mac(chain, b"\2"))]:
        output = {"message": mac(ck, b"\1").hex(), "chain": mac(ck, b"\2").hex()}
        group.valid(comment, {"chain": ck.hex()}, rules=["RAT-2"], output=output)


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "kdf",
        "HMAC-SHA-256 and HKDF-SHA-256",
        ["Known answers. A derivation refuses nothing."],
        {
            "Published": "printed in RFC 4231 or RFC 5869",
            "Boundary": "the shortest or longest value",
            "ExchangedParts": "the values of the previous test, exchanged",
        },
    )
    assert mac(b"Jefe", b"what do ya want for nothing?").hex().startswith("5bdcc146bf60754e6a042426089575c7")
    assert hkdf(b"", b"\x0b" * 22, b"", 42).hex().startswith("8da4e775a563c18f715f802a063c5a31")
    macs(family)
    expansions(family)
    handshakes(family)
    steps(family)
    return family
