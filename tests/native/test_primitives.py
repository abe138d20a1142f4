"""Codewords and incremental encapsulation: the native module gives what Python gives."""

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._primitives import aead, mlkem_split
from letterlock._primitives.mlkem import KemSecret, KemSeed, MlKem768KeyPair
from letterlock._primitives.mlkem_split import EncapsulationRandomness, split
from letterlock._primitives.native import NATIVE, Native
from letterlock._ratchet import erasure
from letterlock._ratchet.erasure import Codeword, Collected
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX

if NATIVE is None:
    pytest.skip("letterlock-fast is not installed, or switched off", allow_module_level=True)
FAST: Native = NATIVE

SHARES = st.sampled_from([1, 2, 3, 5, 30, 36])
INDICES = st.integers(0, MAX_CODEWORD_INDEX)


def text_of(share: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(share * CODEWORD_BYTES)


def in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "NATIVE", None)
    monkeypatch.setattr(mlkem_split, "NATIVE", None)


@settings(deadline=None, max_examples=60)
@given(SHARES, INDICES, st.integers(0, 5), st.integers(0, 9))
def test_the_codewords_are_the_same(share: int, first: int, count: int, seed: int) -> None:
    text, end = text_of(share, seed), min(first + count, MAX_CODEWORD_INDEX + 1)
    native = erasure.codewords(text, first, end)
    with pytest.MonkeyPatch.context() as monkeypatch:
        in_python(monkeypatch)
        assert erasure.codewords(text, first, end) == native


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_the_restored_texts_are_the_same(data: st.DataObject) -> None:
    """From any codewords, also from those that belong to no text of ours."""
    share = data.draw(SHARES)
    indices = data.draw(st.lists(INDICES, min_size=share, max_size=share, unique=True))
    draw = random.Random(data.draw(st.integers(0, 9)))
    collected = Collected(
        share * CODEWORD_BYTES, tuple(Codeword(each, draw.randbytes(CODEWORD_BYTES)) for each in indices)
    )
    native = collected.text()
    with pytest.MonkeyPatch.context() as monkeypatch:
        in_python(monkeypatch)
        assert collected.text() == native


def test_both_steps_of_an_encapsulation_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(3)
    cases = []
    for _ in range(30):
        header, vector = split(MlKem768KeyPair(KemSeed(draw.randbytes(64))).public)
        cases.append((header, vector, EncapsulationRandomness(draw.randbytes(32))))

    def results() -> list[tuple[bytes, bytes, bytes]]:
        return [
            (
                *each_of(mlkem_split.encapsulate_header(header, m)),
                mlkem_split.encapsulate_vector(header, vector, m),
            )
            for header, vector, m in cases
        ]

    def each_of(step: tuple[KemSecret, bytes]) -> tuple[bytes, bytes]:
        return step[0].expose(), step[1]

    native = results()
    in_python(monkeypatch)
    assert results() == native


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [(b"", 0, 1), (bytes(33), 0, 1), (bytes(37 * 32), 0, 1), (bytes(64), 2, 1), (bytes(64), 0, 65537)],
)
def test_what_has_no_codewords_is_refused(text: bytes, first: int, end: int) -> None:
    with pytest.raises(ValueError, match="this is a bug of the caller"):
        FAST.codewords(text, first, end)


@pytest.mark.parametrize(
    ("share", "entries"), [(0, b""), (1, bytes(33)), (2, bytes(34)), (2, bytes(68)), (37, bytes(37 * 34))]
)
def test_what_gives_no_text_is_refused(share: int, entries: bytes) -> None:
    with pytest.raises(ValueError, match="this is a bug of the caller"):
        FAST.restore(share, entries)


@pytest.mark.parametrize("changed", ["header", "vector"])
def test_a_vector_of_another_header_is_refused_natively_too(changed: str) -> None:
    # PRIM-11: Python has checked it before; nothing may reveal m even if it had not.
    header, vector = split(MlKem768KeyPair(KemSeed(bytes(64))).public)
    other_header, other_vector = split(MlKem768KeyPair(KemSeed(b"1" + bytes(63))).public)
    pair = (other_header, vector) if changed == "header" else (header, other_vector)
    with pytest.raises(ValueError, match="this is a bug of the caller"):
        FAST.encapsulate_vector(*pair, bytes(32))


def test_a_coefficient_of_q_is_refused_natively_too() -> None:
    header, _ = split(MlKem768KeyPair(KemSeed(bytes(64))).public)
    vector = (3329).to_bytes(2, "little") + bytes(1150)
    right = header[:32] + hashlib.sha3_256(vector + header[:32]).digest()
    with pytest.raises(ValueError, match="this is a bug of the caller"):
        FAST.encapsulate_vector(right, vector, bytes(32))


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 700, 4080, 4096, 4097, 9000])
def test_rows_are_sealed_and_opened_the_same(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(length)
    key, nonce, row = draw.randbytes(32), draw.randbytes(24), draw.randbytes(50)
    plaintext = draw.randbytes(length)

    def results() -> list[object]:
        sealed = aead.seal_at_rest(key, nonce, plaintext, row)
        places = range(0, len(sealed), max(1, len(sealed) // 40))
        forged = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in places]
        opened = [
            aead.open_at_rest(key, nonce, each, row) for each in (sealed, *forged, sealed[1:], sealed[:-1])
        ]
        others = [
            aead.open_at_rest(nonce[:8] + nonce, nonce, sealed, row),
            aead.open_at_rest(key, key[:24], sealed, row),
            aead.open_at_rest(key, nonce, sealed, row[1:]),
            aead.open_at_rest(key, nonce, sealed[:15], row),
        ]
        assert opened[0] == plaintext
        assert not any(opened[1:] + others)
        return [sealed, opened, others]

    native = results()
    monkeypatch.setattr(aead, "NATIVE", None)
    assert results() == native


@pytest.mark.parametrize(("key", "nonce"), [(31, 24), (33, 24), (32, 12), (32, 25), (0, 24), (32, 0)])
def test_keys_and_nonces_of_rows_of_other_lengths_are_refused_natively_too(key: int, nonce: int) -> None:
    for call in (FAST.seal_at_rest, FAST.open_at_rest):
        with pytest.raises(ValueError, match="this is a bug of the caller"):
            call(bytes(key), bytes(nonce), bytes(40), b"row")


def test_what_is_too_short_for_a_tag_is_no_row() -> None:
    for length in range(16):
        assert FAST.open_at_rest(bytes(32), bytes(24), bytes(length), b"row") is None
