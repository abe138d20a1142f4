"""XEdDSA and the Ed25519 verification beneath it, against published and cross-checked vectors.

Sources: Wycheproof ed25519_test.json; C2SP CCTV ed25519/ed25519vectors.json; Signal's curve test
(libsignal/known_answers.json, entry xeddsa_signature); generated/xeddsa_vxeddsa_cross_checked.json, whose
note says how. No official XEdDSA vectors exist. support/external.py reads them.
"""

import pytest

from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import IdentityKey, IdentityKeyPair, PrivateKey
from letterlock._primitives.ed25519 import verify_edwards
from letterlock.errors import InvalidSignature
from support import external


def verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify_edwards(public, message, signature)
    except InvalidSignature:
        return False
    return True


def test_wycheproof_ed25519() -> None:
    counts = {"valid": 0, "invalid": 0}
    for group, case in external.wycheproof("ed25519_test"):
        public = bytes.fromhex(group["publicKey"]["pk"])
        message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
        expected = case["result"] == "valid"
        assert verifies(public, message, signature) == expected, f"tcId {case['tcId']}: {case['comment']}"
        counts[case["result"]] += 1
    assert counts == {"valid": 88, "invalid": 63}


def test_cctv_ed25519_edge_cases() -> None:
    """libsodium refuses a key or an R that is of low order or not canonical. PRIM-5"""
    cases = external.load("cctv/ed25519/ed25519vectors.json")
    assert len(cases) == 914
    accepted = [
        case
        for case in cases
        if verifies(bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"]))
    ]
    assert len(accepted) == 43
    refused_flags = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R"}
    assert {flag for case in cases for flag in case["flags"] or ()} >= refused_flags
    assert not any(refused_flags & set(case["flags"] or ()) for case in accepted)


def cross_checked() -> list[external.Case]:
    return list(external.load("generated/xeddsa_vxeddsa_cross_checked.json")["vectors"])


def test_cross_checked_signatures() -> None:
    signs = set()
    cases = cross_checked()
    assert len(cases) == 24
    for case in cases:
        pair = IdentityKeyPair.from_private(PrivateKey(bytes.fromhex(case["k"])))
        message, nonce = bytes.fromhex(case["msg"]), bytes.fromhex(case["Z"])
        signature = bytes.fromhex(case["xeddsa_sig"])
        assert pair.public.data.hex() == case["u"]
        assert xeddsa.convert_mont(pair.public).hex() == case["edwards_A"]
        assert xeddsa.sign(pair, message, nonce) == signature
        xeddsa.verify(pair.public, message, signature)
        signs.add(case["edwards_sign_of_kB"])
    assert signs == {0, 1}


def test_every_flipped_bit_of_a_signature_message_or_key_is_refused() -> None:
    case = next(case for case in cross_checked() if len(case["msg"]) == 2 * 32)
    public, message = IdentityKey(bytes.fromhex(case["u"])), bytes.fromhex(case["msg"])
    signature = bytes.fromhex(case["xeddsa_sig"])
    for bit in range(8 * len(signature)):
        with pytest.raises(InvalidSignature):
            xeddsa.verify(public, message, flip(signature, bit))
    for bit in range(8 * len(message)):
        with pytest.raises(InvalidSignature):
            xeddsa.verify(public, flip(message, bit), signature)
    for bit in range(255):
        with pytest.raises(InvalidSignature):
            xeddsa.verify(IdentityKey(flip(public.data, bit)), message, signature)


def flip(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def test_signal_signature_in_the_sign_bit_form() -> None:
    [case] = [
        each
        for each in external.load("libsignal/known_answers.json")["vectors"]
        if each["id"] == "xeddsa_signature"
    ]
    pair = IdentityKeyPair.from_private(PrivateKey(bytes.fromhex(case["identity_private"])))
    message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
    assert pair.public.data.hex() == case["identity_public"]
    assert signature[63] & 0x80
    xeddsa.verify_sign_bit_form(pair.public, message, signature)
    # The published form has no such bit: it reads as s of 2^253 or more.
    with pytest.raises(InvalidSignature):
        xeddsa.verify(pair.public, message, signature)
    for byte in range(64):
        with pytest.raises(InvalidSignature):
            xeddsa.verify_sign_bit_form(pair.public, message, flip(signature, 8 * byte))
