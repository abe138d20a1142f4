"""ChaCha20-Poly1305 and XChaCha20-Poly1305 against published vectors (read by support/external.py).

Sources: Wycheproof chacha20_poly1305_test.json and xchacha20_poly1305_test.json; pyca's
chacha20poly1305-openssl.txt and chacha20poly1305-boringssl.txt.
"""

import re

import pytest

from letterlock._primitives.aead import open_at_rest, open_sealed, seal, seal_at_rest
from support import external

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
                open_sealed(key, nonce, sealed, associated)
            counts["nonce"] += 1
        elif case["result"] == "valid":
            assert seal(key, nonce, plaintext, associated) == sealed, f"tcId {case['tcId']}"
            assert open_sealed(key, nonce, sealed, associated) == plaintext, f"tcId {case['tcId']}"
            counts["valid"] += 1
        else:
            assert open_sealed(key, nonce, sealed, associated) is None
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


# --- pyca -----------------------------------------------------------------------------------------


def blocks(name: str) -> list[dict[str, bytes]]:
    """The cases of a file of `NAME = value` lines; a value is hex, or text in quotes."""
    found: list[dict[str, bytes]] = []
    text = external.path(f"pyca/{name}.txt").read_text(encoding="utf-8")
    for field, value in re.findall(r"^(\w+) *= *(.*)$", text, re.MULTILINE):
        if field == "COUNT":
            found.append({})
        elif field == "Result":
            found[-1][field] = value.encode()
        else:
            found[-1][field.upper()] = value[1:-1].encode() if value[:1] == '"' else bytes.fromhex(value)
    return found


def test_pyca_chacha20_poly1305_of_openssl() -> None:
    counts = {"valid": 0, "forged": 0}
    for case in blocks("chacha20poly1305-openssl"):
        sealed = case["CIPHERTEXT"] + case["TAG"]
        opened = open_sealed(case["KEY"], case["IV"], sealed, case["AAD"])
        if "Result" in case:
            assert opened is None
            counts["forged"] += 1
            continue
        assert opened == case["PLAINTEXT"]
        assert seal(case["KEY"], case["IV"], case["PLAINTEXT"], case["AAD"]) == sealed
        counts["valid"] += 1
    assert counts == {"valid": 4, "forged": 1}


def test_pyca_chacha20_poly1305_of_boringssl() -> None:
    cases = blocks("chacha20poly1305-boringssl")
    for case in cases:
        sealed = case["CT"] + case["TAG"]
        assert seal(case["KEY"], case["NONCE"], case["IN"], case["AD"]) == sealed
        assert open_sealed(case["KEY"], case["NONCE"], sealed, case["AD"]) == case["IN"]
    assert len(cases) == 66
