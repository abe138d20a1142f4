"""Vectors of X-Wing keys, and of bytes that are sealed to them with HPKE."""

from generators.support.family import Family, Json
from generators.support.hpke import EK_BYTES, ENC_BYTES, Encapsulated, agreed, seal
from generators.support.labels import draw, flipped
from generators.support.people import BAD_KEYS
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed

SEED, OTHER_SEED = draw("an x-wing seed", 32), draw("another x-wing seed", 32)
PUBLIC, OTHER = (XWingKeyPair(XWingSeed(each)).public.data for each in (SEED, OTHER_SEED))
INFO = b"what the text is bound to"
TEXT = b"a text that is sealed"
Q = 3329


def with_coefficient(key: bytes, index: int, value: int) -> bytes:
    """Return a key whose ML-KEM half has another coefficient of 12 bits."""
    at = 3 * (index // 2)
    pair = int.from_bytes(key[at : at + 3], "little")
    shift = 12 * (index % 2)
    changed = pair & ~(0xFFF << shift) | value << shift
    return key[:at] + changed.to_bytes(3, "little") + key[at + 3 :]


def keys(family: Family) -> None:
    """Add keys."""
    group = family.group("xwing.from_seed", "the public key of a seed")
    for comment, seed in (("a seed", SEED), ("another seed", OTHER_SEED), ("a seed of zeros", bytes(32))):
        group.valid(comment, {"seed": seed.hex()})
    group = family.group("xwing.public", "whether 1,216 bytes are a public key")
    largest = with_coefficient(PUBLIC, 767, Q - 1)
    for comment, key in (
        ("a key", PUBLIC),
        ("the last coefficient is q - 1", largest),
        ("another matrix seed", flipped(PUBLIC, EK_BYTES - 1)),
    ):
        group.valid(comment, {"key": key.hex()}, rules=["PRIM-15"], output={"key": key.hex()})
    wrong = {
        "no byte": b"",
        "a byte short": PUBLIC[:-1],
        "a byte long": PUBLIC + b"\0",
        "the ML-KEM half alone": PUBLIC[:EK_BYTES],
        "the X25519 half alone": PUBLIC[EK_BYTES:],
        "the halves in the other order": PUBLIC[EK_BYTES:] + PUBLIC[:EK_BYTES],
        "the first coefficient is q": with_coefficient(PUBLIC, 0, Q),
        "the second coefficient is q": with_coefficient(PUBLIC, 1, Q),
        "the last coefficient is q": with_coefficient(PUBLIC, 767, Q),
        "the last coefficient is 4095": with_coefficient(PUBLIC, 767, 4095),
    }
    for comment, key in wrong.items():
        group.invalid(comment, {"key": key.hex()}, "InvalidKey", flags=["BadKey"], rules=["PRIM-15"])
    for comment, half in BAD_KEYS.items():
        given = {"key": (PUBLIC[:EK_BYTES] + half).hex()}
        group.invalid(
            f"the X25519 half is {comment}", given, "InvalidKey", flags=["BadKey"], rules=["PRIM-15"]
        )


def opening(sealed: bytes, info: bytes = INFO, seed: bytes = SEED, made: Encapsulated | None = None) -> Json:
    """Return the input; with what the encapsulation drew, if an implementation can seal the same."""
    drawn = None if made is None else {"m": made.m.hex(), "ephemeral": made.ephemeral.hex()}
    return {"seed": seed.hex(), "info": info.hex(), "sealed": sealed.hex(), "encapsulation": drawn}


def sealed_texts(family: Family) -> None:
    """Add sealed texts."""
    group = family.group("hpke.open", "a text that was sealed to a key")
    for comment, info, text in (
        ("a text", INFO, TEXT),
        ("no byte", INFO, b""),
        ("one byte", INFO, b"\0"),
        ("no info", b"", TEXT),
        ("a long info", draw("a long info", 1000), TEXT),
        ("a long text", INFO, draw("a long text", 4096)),
    ):
        made = Encapsulated.to(PUBLIC, comment)
        given = opening(seal(made, info, text), info, made=made)
        group.valid(comment, given, rules=["PRIM-16"], output={"text": text.hex()})
    for name, point in BAD_KEYS.items():
        if "order" not in name and "encoding of 0" not in name:
            agreement = agreed(SEED, point)
            odd = Encapsulated.of_point(PUBLIC, point, agreement, name)
            comment = f"the X25519 half of the encapsulation is {name}"
            given = opening(seal(odd, INFO, TEXT))
            group.valid(comment, given, flags=["OtherSpelling"], output={"text": TEXT.hex()})
    made = Encapsulated.to(PUBLIC, "a text")
    sealed = seal(made, INFO, TEXT)
    for comment, data in (
        ("no byte", b""),
        ("the encapsulation alone", sealed[:ENC_BYTES]),
        ("one byte less than an empty text", seal(made, INFO, b"")[:-1]),
    ):
        group.invalid(f"{comment}: too short", opening(data), "MalformedMessage", flags=["TooShort"])
    changed = {
        "the first byte of the ML-KEM ciphertext": 0,
        "the last byte of the ML-KEM ciphertext": 1087,
        "the first byte of the X25519 key": 1088,
        "the last byte of the X25519 key": ENC_BYTES - 1,
        "the first byte of the text": ENC_BYTES,
        "the last byte of the text": ENC_BYTES + len(TEXT) - 1,
        "the first byte of the tag": ENC_BYTES + len(TEXT),
        "the last byte of the tag": len(sealed) - 1,
    }
    wrong = {f"{where} changed": opening(flipped(sealed, at)) for where, at in changed.items()}
    wrong |= {
        "bit 255 of the X25519 key set": opening(flipped(sealed, ENC_BYTES - 1, 0x80)),
        "cut short by a byte": opening(sealed[:-1]),
        "a byte after the end": opening(sealed + b"\0"),
        "a byte before the beginning": opening(b"\0" + sealed),
        "another info": opening(sealed, INFO[:-1]),
        "no info, where there is one": opening(sealed, b""),
        "a longer info": opening(sealed, INFO + b"\0"),
        "another key": opening(sealed, seed=OTHER_SEED),
        "sealed to another key": opening(seal(Encapsulated.to(OTHER, "a text"), INFO, TEXT)),
        "the encapsulation of another text": opening(
            Encapsulated.to(PUBLIC, "one byte").enc + sealed[ENC_BYTES:]
        ),
        "all zeros": opening(bytes(len(sealed))),
    }
    for comment, given in wrong.items():
        group.invalid(comment, given, "AuthenticationFailed", flags=["Changed"], rules=["PRIM-8"])
    for name, point in BAD_KEYS.items():
        if "order" in name:
            void = Encapsulated.of_point(PUBLIC, point, bytes(32), name)
            comment = f"sealed with an agreement of zeros: {name}"
            given = opening(seal(void, INFO, TEXT))
            group.invalid(comment, given, "AuthenticationFailed", flags=["AllZero"], rules=["PRIM-8"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "hpke",
        "HPKE with X-Wing, HKDF-SHA-256 and ChaCha20-Poly1305",
        [
            "The generator seals by the formulae of RFC 9180 and X-Wing. `encapsulation` is what it drew: m",
            "of ML-KEM-768, and the ephemeral X25519 private key. It is null in tests that only open.",
        ],
        {
            "AllZero": "sealed for an X25519 agreement of zeros, so that everybody can open the X25519 half",
            "OtherSpelling": "an X25519 key that is not canonical; RFC 7748 says what it stands for",
            "BadKey": "bytes that no honest implementation takes for a key",
            "Changed": "a sealed text, its info or its key is another one",
            "TooShort": "fewer bytes than the encapsulation and the tag have",
        },
    )
    keys(family)
    sealed_texts(family)
    return family
