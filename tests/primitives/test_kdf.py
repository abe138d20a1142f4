"""HMAC-SHA-256 and HKDF-SHA-256: the answers printed in the RFCs, and the published vector sets.

Sources: vectors/published/rfc4231_hmac_sha256.json and rfc5869_hkdf_sha256.json; Wycheproof
hmac_sha256_test.json and hkdf_sha256_test.json, and Signal's HKDF tests (libsignal/known_answers.json,
entries hkdf_*), read by support/external.py.
"""

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock import hazmat
from letterlock._primitives.kdf import (
    MAX_HKDF_BYTES,
    hkdf_sha256,
    hmac_sha256,
    hmac_sha256_each,
    hmac_sha256_pair,
    hmac_sha256_walk,
)
from support import external, published

RFC_4231 = published.cases("rfc4231_hmac_sha256")
RFC_5869 = published.cases("rfc5869_hkdf_sha256")


@pytest.mark.parametrize("case", RFC_4231, ids=published.section)
def test_rfc_4231(case: external.Case) -> None:
    key, data, expected = published.octets(case, "key", "data", "mac")
    mac = hmac_sha256(key, data)
    assert len(mac) == 32
    # Section 4.6 prints half of it.
    assert len(expected) == (16 if case["section"] == "4.6" else 32)
    assert mac[: len(expected)] == expected
    assert hazmat.hmac_sha256(key, data) == mac


@pytest.mark.parametrize("case", RFC_5869, ids=published.section)
def test_rfc_5869(case: external.Case) -> None:
    salt, ikm, info, prk, okm = published.octets(case, "salt", "ikm", "info", "prk", "okm")
    assert len(okm) == case["length"]
    assert hkdf_sha256(salt, ikm, info, case["length"]) == okm
    assert hazmat.hkdf_sha256(salt, ikm, info, case["length"]) == okm
    assert hmac_sha256(salt, ikm) == prk


@settings(deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80), st.integers(1, 200))
def test_hkdf_is_built_from_hmac(salt: bytes, ikm: bytes, info: bytes, length: int) -> None:
    """RFC 5869 sections 2.2 and 2.3, computed with hmac_sha256."""
    prk, block, okm = hmac_sha256(salt, ikm), b"", b""
    for counter in range(1, 8):
        block = hmac_sha256(prk, block + info + bytes([counter]))
        okm += block
    assert hkdf_sha256(salt, ikm, info, length) == okm[:length]


@settings(deadline=None)
@given(st.binary(max_size=140), st.binary(max_size=200))
def test_hmac_is_the_standard_librarys(key: bytes, data: bytes) -> None:
    assert hmac_sha256(key, data) == hmac.digest(key, data, "sha256")


@pytest.mark.parametrize("length", [63, 64, 65, 128])
def test_hmac_under_a_key_about_as_long_as_a_block(length: int) -> None:
    key = bytes(range(length))
    assert hmac_sha256(key, b"data") == hmac.digest(key, b"data", "sha256")


@settings(deadline=None)
@given(st.binary(max_size=64), st.binary(max_size=80), st.binary(max_size=80))
def test_a_pair_is_two_hmacs(key: bytes, one: bytes, other: bytes) -> None:
    assert hmac_sha256_pair(key, one, other) == (hmac_sha256(key, one), hmac_sha256(key, other))


def test_keys_of_another_length_are_refused_where_the_mac_would_be_wrong() -> None:
    for length in (0, 31, 33, 64):
        with pytest.raises(ValueError, match=f"{length} bytes; expected 32"):
            hmac_sha256_walk(bytes(length), [b"1"])
    with pytest.raises(ValueError, match="65 bytes; at most 64"):
        hmac_sha256_pair(bytes(65), b"1", b"2")


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(max_size=80), max_size=5))
def test_each_key_of_a_walk_is_the_hmac_under_the_one_before(key: bytes, data: list[bytes]) -> None:
    expected = [key]
    for each in data:
        expected.append(hmac_sha256(expected[-1], each))
    assert hmac_sha256_walk(key, data) == expected
    macs = [hmac_sha256(one, each) for one, each in zip(expected, data, strict=False)]
    assert hmac_sha256_each(expected, data) == macs


def test_an_empty_salt_is_32_zero_bytes() -> None:
    assert hkdf_sha256(b"", b"ikm", b"info", 32) == hkdf_sha256(bytes(32), b"ikm", b"info", 32)


def test_the_longest_output_and_one_more() -> None:
    assert MAX_HKDF_BYTES == 8160
    assert len(hkdf_sha256(b"", b"ikm", b"", MAX_HKDF_BYTES)) == MAX_HKDF_BYTES
    for length in (MAX_HKDF_BYTES + 1, 0, -1):
        with pytest.raises(ValueError, match="8160"):
            hkdf_sha256(b"", b"ikm", b"", length)


def test_wycheproof_hmac() -> None:
    counts = {"valid": 0, "invalid": 0}
    for group, case in external.wycheproof("hmac_sha256_test"):
        mac = hmac_sha256(bytes.fromhex(case["key"]), bytes.fromhex(case["msg"]))
        equal = mac[: group["tagSize"] // 8].hex() == case["tag"]
        assert equal == (case["result"] == "valid"), f"tcId {case['tcId']}: {case['comment']}"
        counts[case["result"]] += 1
    assert counts == {"valid": 66, "invalid": 108}


def test_wycheproof_hkdf() -> None:
    counts = {"valid": 0, "invalid": 0}
    for _, case in external.wycheproof("hkdf_sha256_test"):
        ikm, salt, info = (bytes.fromhex(case[name]) for name in ("ikm", "salt", "info"))
        if case["result"] == "valid":
            okm = hkdf_sha256(salt, ikm, info, case["size"])
            assert okm.hex() == case["okm"], f"tcId {case['tcId']}: {case['comment']}"
        else:
            assert case["flags"] == ["SizeTooLarge"]
            with pytest.raises(ValueError, match="8160"):
                hkdf_sha256(salt, ikm, info, case["size"])
        counts[case["result"]] += 1
    assert counts == {"valid": 83, "invalid": 3}


def test_signal_hkdf() -> None:
    entries = external.load("libsignal/known_answers.json")["vectors"]
    cases = [each for each in entries if each["id"].startswith("hkdf_")]
    assert len(cases) == 3
    for case in cases:
        salt, ikm, info = (bytes.fromhex(case[name]) for name in ("salt", "ikm", "info"))
        assert hkdf_sha256(salt, ikm, info, case["length"]).hex() == case["okm"], case["id"]
