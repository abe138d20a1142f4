"""RAT-12, the erasure code: any N codewords give the text, in any order. Known answers, and the field."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._ratchet import erasure
from letterlock._ratchet.erasure import Codeword, Collected, codeword
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX
from support import external

SHARES = [1, 2, 3, 5, 30, 36]


def text_of(share: int, seed: object = 0) -> bytes:
    return random.Random(f"{share} {seed}").randbytes(share * CODEWORD_BYTES)


def collect(text: bytes, indices: list[int]) -> Collected:
    return Collected(len(text)).add(codeword(text, index) for index in indices)


def product(a: int, b: int) -> int:
    """Multiply in the field by shifting, adding and reducing."""
    result = 0
    for bit in range(16):
        if b >> bit & 1:
            result ^= a << bit
    for bit in range(30, 15, -1):
        if result >> bit & 1:
            result ^= 0x1100B << (bit - 16)
    return result


def value_at(points: dict[int, int], x: int) -> int:
    """Interpolate after Lagrange: weights are products, and inverses are powers."""
    total = 0
    for j, value in points.items():
        weight = value
        for k in points:
            if k != j:
                weight = product(weight, product(x ^ k, inverse(j ^ k)))
        total ^= weight
    return total


def inverse(a: int) -> int:
    result, power = 1, a
    for bit in range(16):
        if 0xFFFE >> bit & 1:
            result = product(result, power)
        power = product(power, power)
    return result


def elements(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


@pytest.mark.parametrize("share", SHARES)
def test_the_first_codewords_are_the_text(share: int) -> None:
    text = text_of(share)
    assert b"".join(codeword(text, index).data for index in range(share)) == text


@pytest.mark.parametrize("share", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("index", [9, 10, 255, 256, MAX_CODEWORD_INDEX])
def test_further_codewords_lie_on_the_polynomials(share: int, index: int) -> None:
    text = text_of(share)
    whole = [elements(text[at : at + CODEWORD_BYTES]) for at in range(0, len(text), CODEWORD_BYTES)]
    for p, element in enumerate(elements(codeword(text, index).data)):
        assert element == value_at({j: share_[p] for j, share_ in enumerate(whole)}, index)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_codewords_in_sufficient_number_give_the_text(data: st.DataObject) -> None:
    share = data.draw(st.sampled_from(SHARES))
    text = text_of(share, data.draw(st.integers(0, 9)))
    indices = data.draw(
        st.lists(st.integers(0, MAX_CODEWORD_INDEX), min_size=share, max_size=share + 3, unique=True)
    )
    collected = collect(text, indices)
    assert collected.is_complete
    assert len(collected.codewords) == share
    assert collected.text() == text


@pytest.mark.parametrize("filler", [bytes(CODEWORD_BYTES), b"\xff" * CODEWORD_BYTES])
def test_texts_of_equal_bits_are_restored(filler: bytes) -> None:
    text = filler * 5
    assert collect(text, [7, 900, 2, MAX_CODEWORD_INDEX, 40]).text() == text
    assert (
        collect(text[:32] + bytes(96) + text[:32], [5, 6, 7, 8, 9]).text()
        == text[:32] + bytes(96) + text[:32]
    )


@pytest.mark.parametrize("share", SHARES)
def test_one_codeword_too_few_gives_no_text(share: int) -> None:
    text = text_of(share)
    collected = collect(text, list(range(1, share)))
    assert not collected.is_complete
    with pytest.raises(ValueError, match=f"^{share - 1} codewords of {share}$"):
        collected.text()


def test_of_two_codewords_with_one_index_the_first_is_kept() -> None:
    text = text_of(3)
    collected = collect(text, [4, 4, 4]).add([Codeword(4, bytes(32)), codeword(text, 4)])
    assert collected.codewords == (codeword(text, 4),)
    assert collected.add([codeword(text, 0), codeword(text, 9)]).text() == text


def test_no_more_are_kept_than_are_needed() -> None:
    text = text_of(3)
    whole = collect(text, [1, 2, 3])
    assert whole.add([codeword(text, 0), Codeword(8, bytes(32))]) == whole
    assert len(collect(text, list(range(500))).codewords) == 3


def test_a_changed_codeword_gives_another_text() -> None:
    text = text_of(3)
    changed = Codeword(5, bytes(31) + b"\1")
    assert Collected(96).add([codeword(text, 0), codeword(text, 1), changed]).text() != text


def test_the_field_is_that_of_the_known_answers() -> None:
    for case in known()["gf"]:
        a, b = int(case["a"], 16), int(case["b"], 16)
        assert product(a, b) == int(case["product"], 16)
    for case in known()["inv"]:
        assert inverse(int(case["a"], 16)) == int(case["inverse"], 16)


def test_the_tables_give_the_product() -> None:
    powers, logs = erasure._tables()
    rng = random.Random(0)
    for _ in range(300):
        a, b = rng.randrange(1, 2**16), rng.randrange(1, 2**16)
        assert powers[(logs[a] + logs[b]) % (2**16 - 1)] == product(a, b)
    assert sorted(powers) == list(range(1, 2**16))


def test_multiplying_a_codeword_multiplies_each_element() -> None:
    rng = random.Random(1)
    for _ in range(40):
        data, factor = rng.randbytes(CODEWORD_BYTES), rng.randrange(2**16)
        tables = erasure._multiples(int.from_bytes(data, "big"))
        total = 0
        for place, table in enumerate(tables):
            total ^= table[factor >> 4 * place & 15]
        expected = [product(each, factor) for each in elements(data)]
        assert elements(total.to_bytes(CODEWORD_BYTES, "big")) == expected


def known() -> external.Case:
    answers = external.load("libsignal/known_answers.json")["vectors"]
    found: external.Case = next(each for each in answers if each["id"] == "spqr_erasure_code_kat")
    return found


def test_codewords_equal_known_answers() -> None:
    checked = 0
    for case in known()["erasure"].values():
        text = bytes.fromhex(case["message_hex"])
        assert len(text) == CODEWORD_BYTES * case["data_chunks"]
        for index, data in case["parity_chunks"].items():
            assert codeword(text, int(index)).data.hex() == data
            checked += 1
        assert collect(text, list(range(500, 500 + case["data_chunks"]))).text() == text
    assert checked == 16
