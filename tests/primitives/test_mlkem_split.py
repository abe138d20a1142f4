"""PRIM-10, PRIM-11: encapsulation to a header first and a vector later, opened by ordinary decapsulation.

OpenSSL and kyber-py decapsulate; neither knows that the ciphertext was made in two steps.
LETTERLOCK_DEEP=1 repeats the agreement 10,000 times. Published vectors:
tests/primitives/test_mlkem_split_published.py.
"""

import hashlib
import os
from collections.abc import Callable

import pytest
from kyber_py.ml_kem import ML_KEM_768

from letterlock import hazmat
from letterlock._primitives import kpke
from letterlock._primitives.mlkem import KemSeed, MlKem768KeyPair, MlKem768PublicKey
from letterlock._primitives.mlkem_split import (
    FIRST_BYTES,
    HEADER_BYTES,
    SECOND_BYTES,
    VECTOR_BYTES,
    EncapsulationRandomness,
    encapsulate_header,
    encapsulate_vector,
    split,
)
from letterlock.errors import InvalidKey
from support.pair import entropy_of, flipped

ROUNDS = 10_000 if os.environ.get("LETTERLOCK_DEEP") == "1" else 50
Q = kpke.Q

PAIR = MlKem768KeyPair(KemSeed(bytes(range(64))))
HEADER, VECTOR = split(PAIR.public)
M = EncapsulationRandomness(bytes(range(100, 132)))


def with_coefficient(vector: bytes, index: int, value: int) -> bytes:
    number = int.from_bytes(vector, "little")
    number += value - (number >> 12 * index & 0xFFF) << 12 * index
    return number.to_bytes(len(vector), "little")


def header_of(vector: bytes, rho: bytes) -> bytes:
    """Return a header with the right hash for any vector."""
    return rho + hashlib.sha3_256(vector + rho).digest()


# --- agreement ------------------------------------------------------------------------------------


def test_lengths_add_up() -> None:
    assert HEADER_BYTES + VECTOR_BYTES == len(HEADER) + len(VECTOR) == MlKem768PublicKey.LENGTH + 32
    assert FIRST_BYTES + SECOND_BYTES == MlKem768PublicKey.CIPHERTEXT_BYTES
    secret, first = encapsulate_header(HEADER, M)
    assert (len(secret.expose()), len(first)) == (32, FIRST_BYTES)
    assert len(encapsulate_vector(HEADER, VECTOR, M)) == SECOND_BYTES


def test_the_header_has_the_keys_hash_in_fips_203s_order() -> None:
    # PRIM-10
    vector, rho = PAIR.public.data[:1152], PAIR.public.data[1152:]
    assert rho + hashlib.sha3_256(vector + rho).digest() == HEADER
    assert vector == VECTOR
    # An expanded decapsulation key is the secret vector, ek, H(ek) and z.
    _, dk = ML_KEM_768.key_derive(PAIR.seed.expose())
    assert dk[-64:-32] == HEADER[32:]


def test_the_other_order_gives_another_secret() -> None:
    """The text of the ML-KEM Braid has rho || vector; ordinary decapsulation does not agree with it."""
    other = HEADER[:32] + hashlib.sha3_256(HEADER[:32] + VECTOR).digest()
    secret, first = encapsulate_header(other, M)
    second = kpke.encrypt_c2(VECTOR, hashlib.sha3_512(M.expose() + other[32:]).digest()[32:], M.expose())
    assert PAIR.decapsulate(first + second) != secret


def test_decapsulation_agrees() -> None:
    """50 keys, or 10,000: made by OpenSSL, encapsulated to in two steps, opened by OpenSSL."""
    draw = entropy_of("split")
    for _ in range(ROUNDS):
        pair = MlKem768KeyPair.generate(draw)
        header, vector = split(pair.public)
        m = EncapsulationRandomness.generate(draw)
        secret, first = encapsulate_header(header, m)
        assert pair.decapsulate(first + encapsulate_vector(header, vector, m)) == secret


def test_it_is_kyber_pys_encapsulation() -> None:
    draw = entropy_of("kyber-py")
    for _ in range(25):
        ek, dk = ML_KEM_768.key_derive(draw(64))
        m = draw(32)
        secret, ciphertext = hazmat.mlkem768_encapsulate(ek, m)
        assert (secret, ciphertext) == ML_KEM_768._encaps_internal(ek, m)
        assert ML_KEM_768.decaps(dk, ciphertext) == secret


def test_ct1_depends_on_the_header_alone() -> None:
    """Two keys that share rho: with one header there is one ct1, and m decides it."""
    assert encapsulate_header(HEADER, M) == encapsulate_header(HEADER, EncapsulationRandomness(M.expose()))
    for at in (0, 31, 32, 63):
        secret, first = encapsulate_header(flipped(HEADER, at), M)
        assert first != encapsulate_header(HEADER, M)[1]
        # rho is no input of G; the hash is.
        assert (secret == encapsulate_header(HEADER, M)[0]) == (at < 32)
    for at in (0, 31):
        other = EncapsulationRandomness(flipped(M.expose(), at))
        secret, first = encapsulate_header(HEADER, other)
        assert secret != encapsulate_header(HEADER, M)[0]
        assert first != encapsulate_header(HEADER, M)[1]


def test_ct1_and_ct2_of_two_encapsulations_do_not_fit() -> None:
    other = EncapsulationRandomness(bytes(32))
    secret, first = encapsulate_header(HEADER, M)
    rejected = PAIR.decapsulate(first + encapsulate_vector(HEADER, VECTOR, other))
    assert rejected not in (secret, encapsulate_header(HEADER, other)[0])


def test_generate_draws_32_bytes() -> None:
    drawn: list[int] = []

    def entropy(length: int) -> bytes:
        drawn.append(length)
        return b"\x07" * length

    assert EncapsulationRandomness.generate(entropy) == EncapsulationRandomness(b"\x07" * 32)
    assert drawn == [32]
    for length in (0, 31, 33, 64):
        with pytest.raises(ValueError, match=f"needs 32 bytes, not {length}"):
            EncapsulationRandomness(bytes(length))


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 15, 31, 32, 33, 48, 63])
def test_a_header_with_a_flipped_bit_is_refused(at: int) -> None:
    # PRIM-11: rho, then the hash
    for mask in (0x01, 0x80):
        with pytest.raises(InvalidKey, match="does not belong to this header"):
            encapsulate_vector(flipped(HEADER, at, mask), VECTOR, M)


def test_a_vector_of_another_key_is_refused() -> None:
    # PRIM-11
    other, vector = split(MlKem768KeyPair(KemSeed(bytes(64))).public)
    for header, wrong in [(HEADER, vector), (other, VECTOR)]:
        with pytest.raises(InvalidKey, match="does not belong to this header"):
            encapsulate_vector(header, wrong, M)
    assert len(encapsulate_vector(other, vector, M)) == SECOND_BYTES


@pytest.mark.parametrize("at", [0, 1, 383, 384, 575, 768, 1150, 1151])
def test_a_vector_with_a_flipped_bit_is_refused(at: int) -> None:
    with pytest.raises(InvalidKey):
        encapsulate_vector(HEADER, flipped(VECTOR, at), M)


@pytest.mark.parametrize("value", [Q, Q + 1, 4095])
@pytest.mark.parametrize("index", [0, 1, 255, 256, 384, 511, 512, 766, 767])
def test_a_coefficient_of_q_or_more_is_refused(index: int, value: int) -> None:
    """PRIM-11: even if the header has the hash of the wrong vector."""
    wrong = with_coefficient(VECTOR, index, value)
    with pytest.raises(InvalidKey, match="a coefficient is q or more"):
        encapsulate_vector(header_of(wrong, HEADER[:32]), wrong, M)
    accepted = with_coefficient(VECTOR, index, Q - 1)
    assert len(encapsulate_vector(header_of(accepted, HEADER[:32]), accepted, M)) == SECOND_BYTES


def test_a_second_encoding_of_the_same_vector_is_refused() -> None:
    zero = with_coefficient(VECTOR, 3, 0)
    assert len(encapsulate_vector(header_of(zero, HEADER[:32]), zero, M)) == SECOND_BYTES
    spelling = with_coefficient(VECTOR, 3, Q)
    with pytest.raises(InvalidKey):
        encapsulate_vector(header_of(spelling, HEADER[:32]), spelling, M)


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 96, 128])
def test_a_header_of_another_length_is_refused(length: int) -> None:
    wrong = (HEADER * 2)[:length]
    calls: list[Callable[[], object]] = [
        lambda: encapsulate_header(wrong, M),
        lambda: encapsulate_vector(wrong, VECTOR, M),
    ]
    for call in calls:
        with pytest.raises(InvalidKey, match=f"kem header of {length} bytes; expected 64"):
            call()


@pytest.mark.parametrize("length", [0, 1120, 1149, 1151, 1153, 1155, 1184])
def test_a_vector_of_another_length_is_refused(length: int) -> None:
    # PRIM-11. 1,184 bytes are a whole key instead of a vector.
    with pytest.raises(InvalidKey, match=f"kem vector of {length} bytes; expected 1152"):
        encapsulate_vector(HEADER, (VECTOR * 2)[:length], M)


def test_an_unchecked_vector_of_zeros_would_reveal_m() -> None:
    """PRIM-11: ct2 to a vector of zeros reveals m, and K follows from m."""
    zeros = bytes(VECTOR_BYTES)
    with pytest.raises(InvalidKey):
        encapsulate_vector(HEADER, zeros, M)
    coins = hashlib.sha3_512(M.expose() + HEADER[32:]).digest()[32:]
    nibbles = [half for byte in kpke.encrypt_c2(zeros, coins, M.expose()) for half in (byte & 15, byte >> 4)]
    bits = sum((4 <= nibble < 12) << at for at, nibble in enumerate(nibbles))
    assert bits.to_bytes(32, "little") == M.expose()


def test_an_error_shows_no_byte_of_the_key_nor_of_m() -> None:
    wrong = with_coefficient(VECTOR, 0, 4095)
    calls: list[Callable[[], object]] = [
        lambda: encapsulate_vector(HEADER, wrong, M),
        lambda: encapsulate_vector(flipped(HEADER, 40), VECTOR, M),
        lambda: encapsulate_header(HEADER[:-1], M),
    ]
    for call in calls:
        with pytest.raises(InvalidKey) as caught:
            call()
        for data in (HEADER, VECTOR, M.expose()):
            assert data[8:12].hex() not in str(caught.value)
            assert repr(data[8:12])[2:-1] not in str(caught.value)
