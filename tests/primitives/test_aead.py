"""ChaCha20-Poly1305 and XChaCha20-Poly1305: the printed answers, and what opening refuses.

Source: vectors/published/rfc8439_chacha20_poly1305.json. Large sets: tests/primitives/test_aead_published.py.
"""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._primitives.aead import open_at_rest, open_sealed, seal, seal_at_rest
from support import external, published

PARTS: Final = ("key", "nonce", "aad", "plaintext", "ciphertext", "tag")
RFC_8439: Final = published.cases("rfc8439_chacha20_poly1305")

# Section 2.8.2 is also what the tests of refusals change a bit of.
KEY, NONCE, AAD, SUNSCREEN, CIPHERTEXT, TAG = published.octets(RFC_8439[0], *PARTS)
SEALED: Final = CIPHERTEXT + TAG
XNONCE: Final = bytes(range(24))


@pytest.mark.parametrize("case", RFC_8439, ids=published.section)
def test_rfc_8439(case: external.Case) -> None:
    key, nonce, associated, plaintext, ciphertext, tag = published.octets(case, *PARTS)
    assert seal(key, nonce, plaintext, associated) == ciphertext + tag
    assert open_sealed(key, nonce, ciphertext + tag, associated) == plaintext


def flip(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


@pytest.mark.parametrize("what", ["key", "nonce", "sealed", "associated data"])
def test_every_flipped_bit_is_refused_in_one_way(what: str) -> None:
    # PRIM-8: a wrong key and a wrong tag cannot be told apart.
    parts = {"key": KEY, "nonce": NONCE, "sealed": SEALED, "associated data": AAD}
    for bit in range(8 * len(parts[what])):
        changed = {**parts, what: flip(parts[what], bit)}
        opened = open_sealed(changed["key"], changed["nonce"], changed["sealed"], changed["associated data"])
        assert opened is None


@pytest.mark.parametrize("length", range(17))
def test_a_sealed_text_without_room_for_a_tag_is_refused(length: int) -> None:
    assert open_sealed(KEY, NONCE, SEALED[:length], AAD) is None
    assert open_at_rest(KEY, XNONCE, SEALED[:length], AAD) is None


@pytest.mark.parametrize("length", [0, 8, 11, 13, 24])
def test_a_nonce_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        seal(KEY, bytes(length), SUNSCREEN, AAD)
    with pytest.raises(ValueError, match="12 bytes"):
        open_sealed(KEY, bytes(length), SEALED, AAD)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    for function in (seal, open_sealed):
        with pytest.raises(ValueError, match="32 bytes"):
            function(bytes(length), NONCE, SEALED, AAD)


def test_every_flipped_bit_at_rest_is_refused() -> None:
    sealed = seal_at_rest(KEY, XNONCE, SUNSCREEN, AAD)
    assert open_at_rest(KEY, XNONCE, sealed, AAD) == SUNSCREEN
    assert all(open_at_rest(flip(KEY, bit), XNONCE, sealed, AAD) is None for bit in range(256))
    assert all(open_at_rest(KEY, flip(XNONCE, bit), sealed, AAD) is None for bit in range(192))
    assert all(open_at_rest(KEY, XNONCE, flip(sealed, bit), AAD) is None for bit in range(8 * len(sealed)))
    assert all(open_at_rest(KEY, XNONCE, sealed, flip(AAD, bit)) is None for bit in range(8 * len(AAD)))


@pytest.mark.parametrize(
    ("key", "nonce"), [(0, 24), (31, 24), (33, 24), (32, 0), (32, 12), (32, 23), (32, 25)]
)
def test_other_lengths_at_rest_are_a_mistake_and_not_a_bad_tag(key: int, nonce: int) -> None:
    for function in (seal_at_rest, open_at_rest):
        with pytest.raises(ValueError, match=f"key and nonce of {key} and {nonce} bytes"):
            function(bytes(key), bytes(nonce), bytes(40), b"")


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=100))
def test_round_trips_add_16_bytes(plaintext: bytes, associated: bytes) -> None:
    sealed = seal(KEY, NONCE, plaintext, associated)
    assert len(sealed) == len(plaintext) + 16
    assert open_sealed(KEY, NONCE, sealed, associated) == plaintext
    sealed = seal_at_rest(KEY, XNONCE, plaintext, associated)
    assert len(sealed) == len(plaintext) + 16
    assert open_at_rest(KEY, XNONCE, sealed, associated) == plaintext
