"""ML-KEM: lengths, the modulus check, implicit rejection, and agreement with a second implementation.

The second implementation is kyber-py, which follows FIPS 203 line by line and takes its randomness as an
argument. Sizes and parameters: vectors/published/fips203_ml_kem.json. Published vectors:
tests/primitives/test_mlkem_published.py.
"""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768, ML_KEM_1024

from letterlock._primitives.mlkem import (
    SEED_BYTES,
    KemKeyPair,
    KemPublicKey,
    KemSecret,
    KemSeed,
    MlKem768KeyPair,
    MlKem768PublicKey,
    MlKem1024KeyPair,
    MlKem1024PublicKey,
)
from letterlock.errors import InvalidKey, MalformedMessage
from support import published

FIPS_203 = published.load("fips203_ml_kem")
Q = FIPS_203["q"]
LINES = {line["name"]: line for line in FIPS_203["parameter_sets"]}
BY_NAME: dict[str, tuple[type[KemKeyPair[Any]], Any]] = {
    "ML-KEM-768": (MlKem768KeyPair, ML_KEM_768),
    "ML-KEM-1024": (MlKem1024KeyPair, ML_KEM_1024),
}

# The pair type and its lengths of ek and ciphertext; then the oracle.
SIZES = pytest.mark.parametrize(
    ("pair_type", "ek_bytes", "ciphertext_bytes", "oracle"),
    [
        (pair_type, LINES[name]["encapsulation_key_bytes"], LINES[name]["ciphertext_bytes"], oracle)
        for name, (pair_type, oracle) in BY_NAME.items()
    ],
    ids=["768", "1024"],
)
PAIRS = pytest.mark.parametrize(
    "pair", [t(KemSeed(bytes(range(64)))) for t in (MlKem768KeyPair, MlKem1024KeyPair)]
)


def with_coefficient(data: bytes, index: int, value: int) -> bytes:
    """Return an encapsulation key with its 12-bit coefficient number `index` replaced."""
    at, high = index // 2 * 3, index % 2
    pair = int.from_bytes(data[at : at + 3], "little") & ~(0xFFF << 12 * high) | value << 12 * high
    return data[:at] + pair.to_bytes(3, "little") + data[at + 3 :]


def test_the_parameter_sets_are_those_with_a_type() -> None:
    assert sorted(LINES) == sorted(BY_NAME)


@pytest.mark.parametrize("name", BY_NAME)
def test_fips_203_tables_2_and_3(name: str) -> None:
    """The library's lengths, the oracle's parameters, and the arithmetic of sections 5 and 7 between them."""
    line, (pair_type, oracle) = LINES[name], BY_NAME[name]
    n, k, d_u, d_v = FIPS_203["n"], line["k"], line["d_u"], line["d_v"]
    assert (oracle.k, oracle.eta_1, oracle.eta_2, oracle.du, oracle.dv) == (
        k, line["eta_1"], line["eta_2"], d_u, d_v,
    )  # fmt: skip
    assert (oracle.R.n, oracle.R.q) == (n, Q)
    # A coefficient takes 12 bits; dk is the secret vector, ek, H(ek) and z.
    assert line["encapsulation_key_bytes"] == 12 * k * n // 8 + 32
    assert line["decapsulation_key_bytes"] == 12 * k * n // 8 + line["encapsulation_key_bytes"] + 2 * 32
    assert line["ciphertext_bytes"] == n * (d_u * k + d_v) // 8
    assert line["rbg_strength_bits"] == 64 * k
    assert line["encapsulation_key_bytes"] == pair_type.PUBLIC.LENGTH
    assert line["ciphertext_bytes"] == pair_type.PUBLIC.CIPHERTEXT_BYTES
    assert FIPS_203["seed_bytes"] == KemSeed.LENGTH == SEED_BYTES
    assert line["shared_secret_bytes"] == KemSecret.LENGTH
    assert len(oracle.key_derive(bytes(64))[1]) == line["decapsulation_key_bytes"]


@SIZES
def test_lengths(pair_type: type[KemKeyPair[Any]], ek_bytes: int, ciphertext_bytes: int, oracle: Any) -> None:
    pair = pair_type.generate(lambda length: bytes(range(length)))
    assert pair.PUBLIC.LENGTH == len(pair.public.data) == ek_bytes
    made = pair.public.encapsulate()
    assert pair.PUBLIC.CIPHERTEXT_BYTES == len(made.ciphertext) == ciphertext_bytes
    assert len(made.secret.expose()) == 32
    assert oracle.key_derive(bytes(range(64)))[0] == pair.public.data


@SIZES
@settings(deadline=None, max_examples=8)
@given(seed=st.binary(min_size=64, max_size=64), m=st.binary(min_size=32, max_size=32))
def test_agrees_with_kyber_py(
    pair_type: type[KemKeyPair[Any]], ek_bytes: int, ciphertext_bytes: int, oracle: Any, seed: bytes, m: bytes
) -> None:
    pair = pair_type(KemSeed(seed))
    ek, dk = oracle.key_derive(seed)
    assert pair.public.data == ek
    secret, ciphertext = oracle._encaps_internal(ek, m)
    assert pair.decapsulate(ciphertext).expose() == secret
    ours = pair.public.encapsulate()
    assert oracle.decaps(dk, ours.ciphertext) == ours.secret.expose()
    # Implicit rejection: a secret of its own from z and the ciphertext, and no error.
    forged = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    rejected = pair.decapsulate(forged).expose()
    assert rejected == oracle.decaps(dk, forged) != secret


def test_generate_draws_one_seed_of_64_bytes() -> None:
    drawn: list[int] = []

    def entropy(length: int) -> bytes:
        drawn.append(length)
        return b"\x07" * length

    pair = MlKem1024KeyPair.generate(entropy)
    assert drawn == [64]
    assert pair.seed == KemSeed(b"\x07" * 64)
    assert pair.public == MlKem1024KeyPair(KemSeed(b"\x07" * 64)).public


@PAIRS
def test_encapsulation_is_fresh_and_decapsulation_is_not(pair: KemKeyPair[Any]) -> None:
    one, other = pair.public.encapsulate(), pair.public.encapsulate()
    assert one.ciphertext != other.ciphertext
    assert one.secret != other.secret
    assert pair.decapsulate(one.ciphertext) == pair.decapsulate(one.ciphertext) == one.secret


@PAIRS
def test_a_forged_ciphertext_gives_another_secret_and_no_error(pair: KemKeyPair[Any]) -> None:
    made = pair.public.encapsulate()
    secrets = {made.secret.expose()}
    size = len(made.ciphertext)
    for at in [0, 1, 2, size // 2, size - 129, size - 2, size - 1]:
        forged = bytearray(made.ciphertext)
        forged[at] ^= 0x10
        secrets.add(pair.decapsulate(bytes(forged)).expose())
    secrets |= {pair.decapsulate(bytes([fill]) * size).expose() for fill in (0x00, 0xFF)}
    assert len(secrets) == 10
    assert pair.decapsulate(made.ciphertext) == made.secret


@PAIRS
def test_z_alone_changes_the_secret_of_a_forgery_alone(pair: KemKeyPair[Any]) -> None:
    seed = pair.seed.expose()
    sibling = type(pair)(KemSeed(seed[:32] + bytes(32)))
    made = pair.public.encapsulate()
    assert sibling.public == pair.public
    assert sibling.decapsulate(made.ciphertext) == made.secret
    forged = bytes(len(made.ciphertext))
    assert sibling.decapsulate(forged) != pair.decapsulate(forged)


@PAIRS
@pytest.mark.parametrize("change", [-1, 1, -32, 1000], ids=str)
def test_a_key_of_another_length_is_refused(pair: KemKeyPair[Any], change: int) -> None:
    data = (pair.public.data * 2)[: pair.PUBLIC.LENGTH + change]
    with pytest.raises(InvalidKey, match=f"kem key of {len(data)} bytes; expected {pair.PUBLIC.LENGTH}"):
        pair.PUBLIC(data)


def test_the_key_of_one_size_is_not_a_key_of_the_other() -> None:
    small, large = (t(KemSeed(bytes(64))).public.data for t in (MlKem768KeyPair, MlKem1024KeyPair))
    with pytest.raises(InvalidKey, match="of 1184 bytes; expected 1568"):
        MlKem1024PublicKey(small)
    with pytest.raises(InvalidKey, match="of 1568 bytes; expected 1184"):
        MlKem768PublicKey(large)
    for empty in (MlKem768PublicKey, MlKem1024PublicKey):
        with pytest.raises(InvalidKey, match="of 0 bytes"):
            empty(b"")


@PAIRS
@pytest.mark.parametrize("value", [Q, Q + 1, 4095])
@pytest.mark.parametrize("where", ["first", "second", "middle", "last"])
def test_a_coefficient_of_q_or_more_is_refused(pair: KemKeyPair[Any], where: str, value: int) -> None:
    # PRIM-7
    last = (pair.PUBLIC.LENGTH - 32) // 384 * 256 - 1
    index = {"first": 0, "second": 1, "middle": last // 2, "last": last}[where]
    with pytest.raises(InvalidKey, match="not canonical"):
        pair.PUBLIC(with_coefficient(pair.public.data, index, value))
    accepted = pair.PUBLIC(with_coefficient(pair.public.data, index, Q - 1))
    assert len(accepted.encapsulate().ciphertext) == pair.PUBLIC.CIPHERTEXT_BYTES


@PAIRS
@pytest.mark.parametrize("change", [-1, 1], ids=str)
def test_a_ciphertext_of_another_length_is_refused(pair: KemKeyPair[Any], change: int) -> None:
    size = pair.PUBLIC.CIPHERTEXT_BYTES
    for length in (0, size + change):
        with pytest.raises(MalformedMessage, match=f"kem ciphertext of {length} bytes; expected {size}"):
            pair.decapsulate(bytes(length))


def test_the_ciphertext_of_the_other_size_is_refused() -> None:
    small, large = MlKem768KeyPair(KemSeed(bytes(64))), MlKem1024KeyPair(KemSeed(bytes(64)))
    with pytest.raises(MalformedMessage):
        small.decapsulate(large.public.encapsulate().ciphertext)
    with pytest.raises(MalformedMessage):
        large.decapsulate(small.public.encapsulate().ciphertext)


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"KemSeed needs 64 bytes, not {length}"):
        KemSeed(bytes(length))


@PAIRS
def test_a_public_key_is_a_value(pair: KemKeyPair[Any]) -> None:
    key: KemPublicKey = pair.public
    again = type(key)(key.data)
    assert again == key
    assert hash(again) == hash(key)
    assert pickle.loads(pickle.dumps(key)) == key
    assert copy.copy(key) == copy.deepcopy(key) == key
    assert repr(key) == f"{type(key).__name__}({key.data[:8].hex()}...)"
    other = type(pair)(KemSeed(bytes(64))).public
    last_byte = type(key)(key.data[:-1] + bytes([key.data[-1] ^ 1]))
    sibling = type("Sibling", (type(key),), {"__slots__": ()})(key.data)
    for different in (other, last_byte, sibling):
        assert different != key
        assert key != different
    assert key.__eq__(key.data) is NotImplemented
    for name in ("data", "_key", "other"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(key, name, b"")


def test_an_error_shows_no_byte_of_the_key() -> None:
    data = MlKem768KeyPair(KemSeed(bytes(64))).public.data
    wrong = with_coefficient(data, 0, 4095)
    with pytest.raises(InvalidKey) as caught:
        MlKem768PublicKey(wrong)
    for text in (str(caught.value), str(caught.value.__cause__)):
        assert data[32:40].hex() not in text
        assert repr(data[32:40])[2:-1] not in text
