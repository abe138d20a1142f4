"""HMAC-SHA-256 and HKDF-SHA-256: the answers printed in the RFCs, and the published vector sets.

Sources: RFC 4231 section 4 (test cases 1 to 7) and RFC 5869 appendix A (1 to 3), transcribed; Wycheproof
hmac_sha256_test.json and hkdf_sha256_test.json, and Signal's HKDF tests (libsignal/known_answers.json,
entries hkdf_*), read from the external folder, see external.py.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import external
from letterlock.primitives.kdf import MAX_HKDF_BYTES, hkdf_sha256, hmac_sha256

RFC_4231 = {
    "1": (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    "2": (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    "3": (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    "4": (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    "5, truncated": (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    "6, long key": (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    "7, long key and data": (
        b"\xaa" * 131,
        (
            b"This is a test using a larger than block-size key and a larger than block-size data. "
            b"The key needs to be hashed before being used by the HMAC algorithm."
        ),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
}

RFC_5869 = {
    "1": (
        bytes(range(13)),
        b"\x0b" * 22,
        bytes(range(0xF0, 0xFA)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    "2, long": (
        bytes(range(0x60, 0xB0)),
        bytes(range(0x50)),
        bytes(range(0xB0, 0x100)),
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    ),
    "3, empty salt and info": (
        b"",
        b"\x0b" * 22,
        b"",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
}


@pytest.mark.parametrize(("key", "data", "expected"), RFC_4231.values(), ids=RFC_4231.keys())
def test_rfc_4231(key: bytes, data: bytes, expected: str) -> None:
    mac = hmac_sha256(key, data)
    assert len(mac) == 32
    assert mac.hex()[: len(expected)] == expected


@pytest.mark.parametrize(("salt", "ikm", "info", "okm"), RFC_5869.values(), ids=RFC_5869.keys())
def test_rfc_5869(salt: bytes, ikm: bytes, info: bytes, okm: str) -> None:
    assert hkdf_sha256(salt, ikm, info, len(okm) // 2).hex() == okm


@settings(deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80), st.integers(1, 200))
def test_hkdf_is_made_of_hmac(salt: bytes, ikm: bytes, info: bytes, length: int) -> None:
    """RFC 5869 sections 2.2 and 2.3, on the other function."""
    prk, block, okm = hmac_sha256(salt, ikm), b"", b""
    for counter in range(1, 8):
        block = hmac_sha256(prk, block + info + bytes([counter]))
        okm += block
    assert hkdf_sha256(salt, ikm, info, length) == okm[:length]


def test_an_empty_salt_is_32_zero_bytes() -> None:
    assert hkdf_sha256(b"", b"ikm", b"info", 32) == hkdf_sha256(bytes(32), b"ikm", b"info", 32)


def test_the_longest_output_and_one_more() -> None:
    assert MAX_HKDF_BYTES == 8160
    assert len(hkdf_sha256(b"", b"ikm", b"", MAX_HKDF_BYTES)) == MAX_HKDF_BYTES
    with pytest.raises(ValueError, match="8160"):
        hkdf_sha256(b"", b"ikm", b"", MAX_HKDF_BYTES + 1)


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
