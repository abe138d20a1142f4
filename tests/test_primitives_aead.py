"""ChaCha20-Poly1305 and XChaCha20-Poly1305: printed and published answers, and what opening refuses.

Sources: RFC 8439 section 2.8.2, transcribed; Wycheproof chacha20_poly1305_test.json and
xchacha20_poly1305_test.json, read from the external folder, see external.py.
"""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import external
from letterlock.primitives.aead import open_, open_at_rest, seal, seal_at_rest

KEY: Final = bytes(range(0x80, 0xA0))
NONCE: Final = bytes.fromhex("070000004041424344454647")
XNONCE: Final = bytes(range(24))
AAD: Final = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
SUNSCREEN: Final = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)
SEALED: Final = bytes.fromhex(
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
    "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
    "3ff4def08e4b7a9de576d26586cec64b6116"
    "1ae10b594f09e26a7e902ecbd0600691"
)


def test_rfc_8439_section_2_8_2() -> None:
    assert seal(KEY, NONCE, SUNSCREEN, AAD) == SEALED
    assert open_(KEY, NONCE, SEALED, AAD) == SUNSCREEN


def flip(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


@pytest.mark.parametrize("what", ["key", "nonce", "sealed", "associated data"])
def test_every_flipped_bit_is_refused_in_one_way(what: str) -> None:
    # PRIM-8: a wrong key and a wrong tag cannot be told apart.
    parts = {"key": KEY, "nonce": NONCE, "sealed": SEALED, "associated data": AAD}
    for bit in range(8 * len(parts[what])):
        changed = {**parts, what: flip(parts[what], bit)}
        opened = open_(changed["key"], changed["nonce"], changed["sealed"], changed["associated data"])
        assert opened is None


@pytest.mark.parametrize("length", range(17))
def test_a_sealed_text_without_room_for_a_tag_is_refused(length: int) -> None:
    assert open_(KEY, NONCE, SEALED[:length], AAD) is None
    assert open_at_rest(KEY, XNONCE, SEALED[:length], AAD) is None


@pytest.mark.parametrize("length", [0, 8, 11, 13, 24])
def test_a_nonce_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        seal(KEY, bytes(length), SUNSCREEN, AAD)
    with pytest.raises(ValueError, match="12 bytes"):
        open_(KEY, bytes(length), SEALED, AAD)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    for function in (seal, open_):
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
    assert open_(KEY, NONCE, sealed, associated) == plaintext
    sealed = seal_at_rest(KEY, XNONCE, plaintext, associated)
    assert len(sealed) == len(plaintext) + 16
    assert open_at_rest(KEY, XNONCE, sealed, associated) == plaintext


# --- Wycheproof -----------------------------------------------------------------------------------


def parts(case: external.Case) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """Key, nonce, plaintext, associated data, sealed text."""
    sealed = bytes.fromhex(case["ct"] + case["tag"])
    key, nonce, plaintext, associated = (bytes.fromhex(case[name]) for name in ("key", "iv", "msg", "aad"))
    return key, nonce, plaintext, associated, sealed


def test_wycheproof_chacha20_poly1305() -> None:
    counts = {"valid": 0, "forged": 0, "nonce": 0}
    for group, case in external.wycheproof("chacha20_poly1305_test"):
        key, nonce, plaintext, associated, sealed = parts(case)
        if group["ivSize"] != 96:
            assert case["flags"] == ["InvalidNonceSize"]
            with pytest.raises(ValueError, match="12 bytes"):
                seal(key, nonce, plaintext, associated)
            with pytest.raises(ValueError, match="12 bytes"):
                open_(key, nonce, sealed, associated)
            counts["nonce"] += 1
        elif case["result"] == "valid":
            assert seal(key, nonce, plaintext, associated) == sealed, f"tcId {case['tcId']}"
            assert open_(key, nonce, sealed, associated) == plaintext, f"tcId {case['tcId']}"
            counts["valid"] += 1
        else:
            assert open_(key, nonce, sealed, associated) is None
            counts["forged"] += 1
    assert counts == {"valid": 256, "forged": 60, "nonce": 9}


def test_wycheproof_xchacha20_poly1305() -> None:
    counts = {"valid": 0, "forged": 0, "nonce": 0}
    for group, case in external.wycheproof("xchacha20_poly1305_test"):
        key, nonce, plaintext, associated, sealed = parts(case)
        if group["ivSize"] != 192:
            assert case["flags"] == ["InvalidNonceSize"]
            with pytest.raises(ValueError, match="expected 32 and 24"):
                seal_at_rest(key, nonce, plaintext, associated)
            with pytest.raises(ValueError, match="expected 32 and 24"):
                open_at_rest(key, nonce, sealed.ljust(16, b"\0"), associated)
            counts["nonce"] += 1
        elif case["result"] == "valid":
            assert seal_at_rest(key, nonce, plaintext, associated) == sealed, f"tcId {case['tcId']}"
            assert open_at_rest(key, nonce, sealed, associated) == plaintext, f"tcId {case['tcId']}"
            counts["valid"] += 1
        else:
            assert open_at_rest(key, nonce, sealed, associated) is None, f"tcId {case['tcId']}"
            counts["forged"] += 1
    assert counts == {"valid": 246, "forged": 60, "nonce": 9}
