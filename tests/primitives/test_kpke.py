"""K-PKE of ML-KEM-768 on packed integers: each step against kyber-py, and the bounds of the lanes.

kyber-py follows FIPS 203 line by line.

Not here: whole encapsulations (test_mlkem_split.py).
"""

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from letterlock._primitives import kpke
from letterlock._primitives.kpke import NARROW, WIDE, K, N, Q
from support import external
from support.pair import entropy_of
from support.step_counter import StepCounter

RING: Any = ML_KEM_768.R
MOST = 3 * N * (Q - 1) * 2
"""No sum of three products with coefficients -2..2 is larger."""
COINS = st.binary(min_size=32, max_size=32)


def unpacked(packed: int) -> list[int]:
    """The coefficients in narrow lanes."""
    data = packed.to_bytes(NARROW * N, "little")
    return [int.from_bytes(data[at : at + NARROW], "little") for at in range(0, len(data), NARROW)]


def transform(coefficients: list[int]) -> list[int]:
    return list(RING([*coefficients]).to_ntt().coeffs)  # which works in place


def small(coins: bytes, number: int) -> list[int]:
    """The oracle's coefficients, between 0 and q."""
    data = ML_KEM_768._prf(2, coins, bytes([number]))
    return list(RING.cbd(data, 2).coeffs)


# --- public ---------------------------------------------------------------------------------------


def test_the_transform_is_the_inverse_of_kyber_pys() -> None:
    draw = entropy_of("kpke")
    extremes = [[Q - 1] * N, [0] * N, [1, *[0] * 255], [*[0] * 255, Q - 1], [0, Q - 1] * 128]
    random = [[int.from_bytes(draw(2), "little") % Q for _ in range(N)] for _ in range(13)]
    for polynomials in ([each] for each in [*extremes, *random]):
        [packed] = kpke._polynomials([transform(polynomials[0])])
        assert unpacked(packed) == polynomials[0]
    together = kpke._polynomials([transform(each) for each in [*extremes[:3], *random[:6]]])
    assert [unpacked(packed) for packed in together] == [*extremes[:3], *random[:6]]


@pytest.mark.parametrize("values", [[4095] * N, [0, 4095] * 128, [4095, 0] * 128, [0, 0, 4095, 4095] * 64])
def test_the_transform_of_numbers_that_are_not_reduced(values: list[int]) -> None:
    """The lanes are wide enough for them too, although the check of PRIM-11 refuses them earlier."""
    expected = list(RING([n % Q for n in values], is_ntt=True).from_ntt().coeffs)
    assert [unpacked(packed) for packed in kpke._polynomials([values] * 3)] == [expected] * 3


def test_zetas_lie_around_zero() -> None:
    assert max(abs(zeta) for layer in kpke._LAYERS for zeta in layer) <= Q // 2
    assert [len(set(layer)) for layer in kpke._LAYERS] == [64, 32, 16, 8, 4, 2, 1]


def test_samples_are_kyber_pys() -> None:
    """One sample in a hundred needs more than three blocks of SHAKE-128, so both cases occur."""
    longer = 0
    for number in range(400):
        seed = hashlib.sha256(number.to_bytes(2, "big")).digest() + bytes([number % 3, number // 3 % 3])
        long = hashlib.shake_128(seed).digest(840)
        assert kpke._sample(seed) == list(RING.ntt_sample(long).coeffs)
        longer += len([n for n in kpke.decode(long[:504]) if n < Q]) < N
    assert longer == 3


def test_a_sample_that_takes_more_blocks() -> None:
    """CCTV's: a matrix element that takes 575 bytes."""
    text = external.path("cctv/ML-KEM/unluckysample-768.txt").read_text(encoding="utf-8")
    [line] = [line for line in text.splitlines() if line.startswith("ek = ")]
    rho = bytes.fromhex(line[5:])[-32:]
    needed = 0
    for i in range(K):
        for j in range(K):
            seed = rho + bytes([i, j])
            long = hashlib.shake_128(seed).digest(1008)
            assert kpke._sample(seed) == list(RING.ntt_sample(long).coeffs)
            accepted = [at for at, n in enumerate(kpke.decode(long)) if n < Q]
            needed = max(needed, accepted[N - 1] // 2 * 3 + 3)
    assert needed >= 575


def test_decode_is_little_endian_in_twelve_bits() -> None:
    assert kpke.decode(bytes.fromhex("01 f0 ff ff 0f 00")) == (0x001, 0xFFF, 0xFFF, 0x000)
    for length in (1, 2, 4, 5):
        with pytest.raises(ValueError, match="size"):
            kpke.decode(bytes(length))


# --- secret ---------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=20)
@given(coins=COINS, number=st.integers(0, 6))
def test_small_coefficients_are_kyber_pys_plus_two(coins: bytes, number: int) -> None:
    assert [(n - 2) % Q for n in unpacked(kpke._small(coins, number))] == small(coins, number)


def test_small_coefficients_of_every_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value of four bits, in every one of the 256 places."""
    for first in range(16):
        fields = [(first + at) % 16 for at in range(N)]
        data = bytes(low | high << 4 for low, high in zip(fields[0::2], fields[1::2], strict=True))
        monkeypatch.setattr(hashlib, "shake_256", lambda _, data=data: FixedHash(data))
        expected = [2 + (n & 1) + (n >> 1 & 1) - (n >> 2 & 1) - (n >> 3) for n in fields]
        assert unpacked(kpke._small(bytes(32), 0)) == expected


class FixedHash:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def digest(self, length: int) -> bytes:
        assert length == len(self.data)
        return self.data


def test_the_largest_products_stay_in_their_lanes() -> None:
    """A row of q - 1 and an extreme y give 256 terms of one sign in the first or the last coefficient."""
    row = [kpke._narrow(bytes([(Q - 1) & 0xFF]) * N, bytes([(Q - 1) >> 8]) * N)] * K
    for raised, factor in [(0, -2), (1, -1), (2, 0), (3, 1), (4, 2)]:
        product = unpacked(kpke._product(row, [kpke._narrow(bytes([raised]) * N)] * K))
        # Coefficient k has k + 1 terms of one sign and 255 - k of the other.
        terms = [3 * factor * (Q - 1) * (2 * k + 2 - N) for k in range(N)]
        assert [n + 2 - 1536 * Q for n in product] == terms
        assert max(map(abs, terms)) == abs(factor) * MOST // 2


def test_the_bounds_that_the_lanes_rely_on() -> None:
    bias = 1536 * Q
    assert bias > MOST + 2
    assert bias + MOST + 2 + (Q + 1) // 2 < 1 << 8 * NARROW
    assert 3 * N * (Q - 1) * 4 < 1 << 8 * NARROW
    largest = 4095 * 3328**7 * -kpke._SCALE
    assert largest < kpke._LIFT
    assert kpke._LIFT % Q == 0
    folded = (1 << 56) - 1 + (largest + kpke._LIFT >> 56) * pow(2, 56, Q)
    assert folded < 1 << 58
    assert (1 << 58) * kpke._RECIPROCAL < 1 << 8 * WIDE
    # n * e / 2^s < 1 for the excess e of the reciprocal: the quotient is exact.
    assert (kpke._RECIPROCAL * Q - (1 << kpke._SHIFT)) << 58 < 1 << kpke._SHIFT


def test_quotients_at_their_edges() -> None:
    top = ((1 << 58) - 1) // Q * Q
    numbers = [0, 1, Q - 1, Q, Q + 1, 2 * Q - 1, top - 1, top, (1 << 58) - 1]
    packed = int.from_bytes(b"".join(n.to_bytes(WIDE, "little") for n in numbers), "little")
    data = kpke._quotients(packed, 58, len(numbers)).to_bytes(WIDE * len(numbers), "little")
    found = [int.from_bytes(data[at : at + WIDE], "little") for at in range(0, len(data), WIDE)]
    assert found == [n // Q for n in numbers]


@pytest.mark.parametrize("bits", [4, 10])
@pytest.mark.parametrize("multiple", [0, 1, 1535, 3070])
def test_compression_of_every_residue(bits: int, multiple: int) -> None:
    """Also with a multiple of q added, up to the greatest number that a lane holds."""
    for start in range(0, Q, N):
        residues = [(start + at) % Q for at in range(N)]
        packed = sum((n + multiple * Q) << 8 * NARROW * at for at, n in enumerate(residues))
        assert kpke._compressed(packed, bits) == RING(residues).compress(bits).encode(bits)


@settings(deadline=None, max_examples=20)
@given(coins=COINS, message=COINS)
def test_c1_and_c2_are_kyber_pys_ciphertext(coins: bytes, message: bytes) -> None:
    ek, _ = ML_KEM_768.key_derive(bytes(64))
    expected = ML_KEM_768._k_pke_encrypt(ek, message, coins)
    assert kpke.encrypt_c1(ek[-32:], coins) == expected[:960]
    assert kpke.encrypt_c2(ek[:-32], coins, message) == expected[960:]


@pytest.mark.parametrize("fill", [0x00, 0xFF], ids=hex)
def test_messages_of_one_bit_value(fill: int) -> None:
    ek, _ = ML_KEM_768.key_derive(bytes(64))
    message = bytes([fill]) * 32
    assert (
        kpke.encrypt_c2(ek[:-32], bytes(32), message)
        == ML_KEM_768._k_pke_encrypt(ek, message, bytes(32))[960:]
    )


@pytest.mark.parametrize("fill", [0x00, 0x5A, 0xFF], ids=hex)
def test_c1_and_c2_take_few_steps_whatever_its_coins(fill: int) -> None:
    """Sampling rejects some values, so the steps vary a little; a loop over 256 x 256 would take more."""
    ek, _ = ML_KEM_768.key_derive(bytes(64))
    coins = bytes([fill]) * 32
    with StepCounter() as c1:
        kpke.encrypt_c1(ek[-32:], coins)
    with StepCounter() as c2:
        kpke.encrypt_c2(ek[:-32], coins, coins)
    assert c1.steps < 9_000
    assert c2.steps < 5_500
