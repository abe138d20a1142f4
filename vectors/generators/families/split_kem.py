"""Vectors of ML-KEM-768 in two steps. kyber-py computes the expected answers."""

import hashlib
from dataclasses import dataclass

from kyber_py.ml_kem import ML_KEM_512, ML_KEM_768, ML_KEM_1024

from generators.support.family import Family, Json
from generators.support.labels import draw, flipped


@dataclass(frozen=True)
class Key:
    """A key pair from a label, and the result of encapsulation with m from the same label."""

    label: str

    @property
    def seed(self) -> bytes:
        return draw(f"split-kem {self.label} seed", 64)

    @property
    def m(self) -> bytes:
        return draw(f"split-kem {self.label} m", 32)

    @property
    def public(self) -> bytes:
        return ML_KEM_768._keygen_internal(self.seed[:32], self.seed[32:])[0]

    @property
    def vector(self) -> bytes:
        return self.public[:1152]

    @property
    def rho(self) -> bytes:
        return self.public[1152:]

    @property
    def header(self) -> bytes:
        return self.rho + hashlib.sha3_256(self.public).digest()

    def encapsulated(self) -> tuple[bytes, bytes, bytes]:
        secret, ciphertext = ML_KEM_768._encaps_internal(self.public, self.m)
        return secret, ciphertext[:960], ciphertext[960:]


KEYS = [Key("one"), Key("two"), Key("three")]
SOUND, OTHER = KEYS[0], KEYS[1]


def with_coefficient(vector: bytes, index: int, value: int) -> bytes:
    """Return a vector with one 12-bit coefficient replaced."""
    whole = int.from_bytes(vector, "little")
    whole &= ~(0xFFF << 12 * index)
    return (whole | value << 12 * index).to_bytes(len(vector), "little")


def splitting(family: Family) -> None:
    group = family.group("split_kem.split", "keys split in two")
    for key in KEYS:
        output = {"header": key.header.hex(), "vector": key.vector.hex()}
        group.valid(f"key {key.label}", {"key": key.public.hex()}, rules=["PRIM-10"], output=output)
    for comment, vector in {
        "all coefficients q - 1": int("d00" * 768, 16).to_bytes(1152, "little"),
        "all coefficients 0": bytes(1152),
    }.items():
        whole = vector + SOUND.rho
        header = SOUND.rho + hashlib.sha3_256(whole).digest()
        output = {"header": header.hex(), "vector": vector.hex()}
        group.valid(comment, {"key": whole.hex()}, flags=["Boundary"], rules=["PRIM-10"], output=output)
    group = family.group("split_kem.split", "bytes that are not keys")
    seed = SOUND.seed
    for comment, data in {
        "nothing": b"",
        "a byte short": SOUND.public[:-1],
        "a byte long": SOUND.public + b"\0",
        "the vector alone": SOUND.vector,
        "an ML-KEM-512 key": ML_KEM_512._keygen_internal(seed[:32], seed[32:])[0],
        "an ML-KEM-1024 key": ML_KEM_1024._keygen_internal(seed[:32], seed[32:])[0],
    }.items():
        group.invalid(comment, {"key": data.hex()}, "InvalidKey", flags=["Length"], rules=["PRIM-7"])
    for comment, vector in coefficients().items():
        data = (vector + SOUND.rho).hex()
        group.invalid(comment, {"key": data}, "InvalidKey", flags=["Coefficient"], rules=["PRIM-7"])


def coefficients() -> dict[str, bytes]:
    """Return vectors with one coefficient of q or more."""
    return {
        f"coefficient {index} is {value}": with_coefficient(SOUND.vector, index, value)
        for index in (0, 1, 766, 767)
        for value in (3329, 4095)
    }


def headers(family: Family) -> None:
    group = family.group("split_kem.encapsulate_header", "the first step")
    for key in KEYS:
        secret, first, _ = key.encapsulated()
        given = {"header": key.header.hex(), "m": key.m.hex()}
        output = {"secret": secret.hex(), "ct1": first.hex()}
        group.valid(f"key {key.label}", given, rules=["PRIM-10"], output=output)
    _, first, _ = SOUND.encapsulated()
    for comment, header in {
        "the hash of another key, which cannot be detected yet": SOUND.rho + OTHER.header[32:],
        "a header of zeros": bytes(64),
    }.items():
        answer = group.valid(comment, {"header": header.hex(), "m": SOUND.m.hex()}, flags=["OtherKey"])
        assert answer["ct1"] != first.hex()
    group = family.group("split_kem.encapsulate_header", "bytes that are not headers")
    for comment, header in {
        "nothing": b"",
        "a byte short": SOUND.header[:-1],
        "a byte long": SOUND.header + b"\0",
        "rho alone": SOUND.rho,
        "with its MAC": SOUND.header + draw("split-kem mac", 32),
    }.items():
        given = {"header": header.hex(), "m": SOUND.m.hex()}
        group.invalid(comment, given, "InvalidKey", flags=["Length"], rules=["PRIM-11"])


def vectors(family: Family) -> None:
    group = family.group("split_kem.encapsulate_vector", "the second step")
    for key in KEYS:
        given = {"header": key.header.hex(), "vector": key.vector.hex(), "m": key.m.hex()}
        output = {"ct2": key.encapsulated()[2].hex()}
        group.valid(f"key {key.label}", given, rules=["PRIM-11"], output=output)
    group = family.group("split_kem.encapsulate_vector", "vectors that do not match the header")
    sound: Json = {"header": SOUND.header.hex(), "vector": SOUND.vector.hex(), "m": SOUND.m.hex()}

    def refuse(comment: str, flag: str, rule: str, **changes: bytes) -> None:
        given = sound | {name: data.hex() for name, data in changes.items()}
        group.invalid(comment, given, "InvalidKey", flags=[flag], rules=[rule])

    hashed = {
        "rho || vector": hashlib.sha3_256(SOUND.rho + SOUND.vector),
        "the vector alone": hashlib.sha3_256(SOUND.vector),
        "the key, with SHA-256": hashlib.sha256(SOUND.public),
        "the key, with SHA3-512": hashlib.sha3_512(SOUND.public),
    }
    for comment, digest in hashed.items():
        refuse(f"a hash over {comment}", "OtherHash", "PRIM-10", header=SOUND.rho + digest.digest()[:32])
    for comment, vector in {
        "of another key": OTHER.vector,
        "with its first bit inverted": flipped(SOUND.vector, 0),
        "with its last coefficient one less": with_coefficient(SOUND.vector, 767, last(SOUND.vector) - 1),
        "of zeros, which would give m away": bytes(1152),
    }.items():
        refuse(f"a vector {comment}", "OtherKey", "PRIM-11", vector=vector)
    refuse("rho of another key", "OtherKey", "PRIM-11", header=OTHER.rho + SOUND.header[32:])
    refuse("the hash of another key", "OtherKey", "PRIM-11", header=SOUND.rho + OTHER.header[32:])
    refuse("the header of another key", "OtherKey", "PRIM-11", header=OTHER.header)
    for comment, vector in coefficients().items():
        header = SOUND.rho + hashlib.sha3_256(vector + SOUND.rho).digest()
        refuse(f"{comment}, and the header fits", "Coefficient", "PRIM-7", vector=vector, header=header)
    for comment, vector in {
        "nothing": b"",
        "a byte short": SOUND.vector[:-1],
        "a byte long": SOUND.vector + b"\0",
        "the whole key": SOUND.public,
    }.items():
        refuse(f"vector: {comment}", "Length", "PRIM-11", vector=vector)
    for comment, header in {"a byte short": SOUND.header[:-1], "a byte long": SOUND.header + b"\0"}.items():
        refuse(f"header: {comment}", "Length", "PRIM-11", header=header)


def last(vector: bytes) -> int:
    return int.from_bytes(vector, "little") >> 12 * 767


def decapsulating(family: Family) -> None:
    group = family.group("split_kem.decapsulate", "decapsulation")
    secret, first, second = SOUND.encapsulated()
    for key in KEYS:
        theirs, one, two = key.encapsulated()
        given = {"seed": key.seed.hex(), "ct1": one.hex(), "ct2": two.hex()}
        group.valid(f"key {key.label}", given, rules=["PRIM-10"], output={"secret": theirs.hex()})
    sound = {"seed": SOUND.seed.hex(), "ct1": first.hex(), "ct2": second.hex()}
    _, other_first, other_second = OTHER.encapsulated()
    for comment, changes in {
        "a bit of ct1": {"ct1": flipped(first, 500)},
        "a bit of ct2": {"ct2": flipped(second, 127)},
        "ct1 for another key": {"ct1": other_first},
        "ct2 for another key": {"ct2": other_second},
        "both for another key": {"ct1": other_first, "ct2": other_second},
    }.items():
        given = sound | {name: data.hex() for name, data in changes.items()}
        forged = bytes.fromhex(given["ct1"] + given["ct2"])
        private = ML_KEM_768._keygen_internal(SOUND.seed[:32], SOUND.seed[32:])[1]
        output = {"secret": ML_KEM_768.decaps(private, forged).hex()}
        assert output["secret"] != secret.hex()
        group.valid(comment, given, flags=["ImplicitRejection"], output=output)
    group = family.group("split_kem.decapsulate", "bytes that are not ciphertexts")
    for comment, changes in {
        "no ct1": {"ct1": b""},
        "no ct2": {"ct2": b""},
        "ct1: a byte short": {"ct1": first[:-1]},
        "ct1: a byte long": {"ct1": first + b"\0"},
        "ct2: a byte short": {"ct2": second[:-1]},
        "ct2: a byte long": {"ct2": second + b"\0"},
        "ct2 with its MAC": {"ct2": second + draw("split-kem mac", 32)},
    }.items():
        given = sound | {name: data.hex() for name, data in changes.items()}
        group.invalid(comment, given, "MalformedMessage", flags=["Length"], rules=["PRIM-7"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "split-kem",
        "ML-KEM-768, SHA3-256, SHA3-512",
        [
            "Encapsulation to a header, then to the vector. ct1 || ct2 is the ordinary ciphertext for m.",
            "Keys, secrets and ciphertexts equal those of kyber-py for the same seeds and m.",
        ],
        {
            "Length": "too few or too many bytes",
            "Coefficient": "a coefficient of q or more",
            "OtherKey": "a vector and a header of different keys",
            "OtherHash": "the hash in the header is not over the key as FIPS 203 encodes it",
            "ImplicitRejection": "a forged ciphertext, which gives another secret, not an error",
            "Boundary": "coefficients at the end of their range",
        },
    )
    splitting(family)
    headers(family)
    vectors(family)
    decapsulating(family)
    return family
