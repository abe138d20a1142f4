"""Composite signatures and ML-DSA-65 against published vectors (read by support/external.py).

Sources: the entry id-MLDSA65-Ed25519-SHA512 of the composite draft's own test vectors; Wycheproof
mldsa_65_verify_test.json and mldsa_65_sign_seed_test.json; NIST ACVP ML-DSA keyGen and sigVer; the first 25
of pyca's kat_MLDSA_65_det_pure.rsp.

The library draws random bytes for each ML-DSA signature. So where a file gives a deterministic signature, it
must verify here; our own signatures with the same seed must verify under the file's public key.

Not applicable: cases with an expanded private key, because the library takes only seeds (PRIM-14).
"""

import base64
from typing import Any, Final

import pytest

from letterlock._primitives.composite import CompositeSeed, DeviceSigningKey, DeviceSigningKeyPair
from letterlock._primitives.mldsa import MlDsa65KeyPair, MlDsa65PublicKey, MlDsaSeed
from letterlock.errors import InvalidKey, InvalidSignature
from support import external
from support.pair import flipped

ML_DSA: Final = 3309


def draft() -> tuple[bytes, bytes, list[dict[str, bytes]]]:
    """Return the message, the context and the cases of the draft's file."""
    document = external.load("composite/id-MLDSA65-Ed25519-SHA512.json")
    names = ("pk", "sk", "s", "sWithContext")
    cases = [{name: base64.b64decode(case[name]) for name in names} for case in document["tests"]]
    return base64.b64decode(document["m"]), base64.b64decode(document["ctx"]), cases


def test_the_drafts_signatures_verify() -> None:
    message, context, cases = draft()
    assert len(cases) == 1
    for case in cases:
        public = DeviceSigningKey.decode(case["pk"])
        public.verify(message, case["s"], b"")
        public.verify(message, case["sWithContext"], context)


def test_the_drafts_seed_gives_its_public_key() -> None:
    message, context, [case] = draft()
    pair = DeviceSigningKeyPair(CompositeSeed(case["sk"]))
    assert pair.public.data == case["pk"]
    # Ed25519 is deterministic, so this half is the draft's own.
    assert pair.sign(message, b"")[ML_DSA:] == case["s"][ML_DSA:]
    assert pair.sign(message, context)[ML_DSA:] == case["sWithContext"][ML_DSA:]


def test_the_drafts_signatures_are_refused_when_anything_differs() -> None:
    message, context, [case] = draft()
    public = DeviceSigningKey.decode(case["pk"])
    mixed = case["s"][:ML_DSA] + case["sWithContext"][ML_DSA:]
    for signature, ctx in (
        (case["s"], context),
        (case["sWithContext"], b""),
        (mixed, b""),
        (mixed, context),
        *((flipped(case["s"], at), b"") for at in range(0, len(case["s"]), 61)),
    ):
        with pytest.raises(InvalidSignature):
            public.verify(message, signature, ctx)


# --- ML-DSA-65 --------------------------------------------------------------------------------------------


def verdict(public: bytes, message: bytes, signature: bytes, context: bytes) -> str:
    """Return `valid`, or the kind of refusal."""
    try:
        MlDsa65PublicKey(public).verify(message, signature, context)
    except (InvalidKey, InvalidSignature, ValueError) as error:
        return type(error).__name__
    return "valid"


def test_wycheproof_verification() -> None:
    counts: dict[str, int] = {}
    for group, case in external.wycheproof("mldsa_65_verify_test"):
        found = verdict(
            bytes.fromhex(group["publicKey"]),
            bytes.fromhex(case["msg"]),
            bytes.fromhex(case["sig"]),
            bytes.fromhex(case.get("ctx", "")),
        )
        assert (found == "valid") == (case["result"] == "valid"), f"tcId {case['tcId']}: {case['comment']}"
        counts[found] = counts.get(found, 0) + 1
    assert counts == {"valid": 79, "InvalidSignature": 122, "InvalidKey": 4, "ValueError": 5}


def test_wycheproof_signing_from_seeds() -> None:
    counts = {"valid": 0, "length of the seed": 0, "length of the context": 0}
    for group, case in external.wycheproof("mldsa_65_sign_seed_test"):
        seed, message = bytes.fromhex(group["privateSeed"]), bytes.fromhex(case.get("msg", ""))
        context = bytes.fromhex(case.get("ctx", ""))
        if len(seed) != 32:
            with pytest.raises(ValueError, match="MlDsaSeed needs 32 bytes"):
                MlDsaSeed(seed)
            counts["length of the seed"] += 1
            continue
        pair = MlDsa65KeyPair(MlDsaSeed(seed))
        assert pair.public.data.hex() == group["publicKey"]
        if case["result"] == "invalid":
            with pytest.raises(ValueError, match="context of"):
                pair.sign(message, context)
            counts["length of the context"] += 1
        elif "msg" in case:
            pair.public.verify(message, bytes.fromhex(case["sig"]), context)
            pair.public.verify(message, pair.sign(message, context), context)
            counts["valid"] += 1
    assert counts == {"valid": 84, "length of the seed": 3, "length of the context": 1}


def acvp(document: external.Case) -> list[dict[str, Any]]:
    [group] = document["testGroups"]
    return list(group["tests"])


def test_acvp_key_generation() -> None:
    cases = acvp(external.load("acvp/ML-DSA-keyGen-FIPS204.65.json"))
    for case in cases:
        assert MlDsa65KeyPair(MlDsaSeed(bytes.fromhex(case["seed"]))).public.data.hex() == case["pk"].lower()
    assert len(cases) == 25


def test_acvp_verification() -> None:
    counts = {True: 0, False: 0}
    for case in acvp(external.load("acvp/ML-DSA-sigVer-FIPS204.65.external_pure.json")):
        fields = [bytes.fromhex(case[name]) for name in ("pk", "message", "signature", "context")]
        assert (verdict(*fields) == "valid") == case["testPassed"], case["tcId"]
        counts[case["testPassed"]] += 1
    assert counts == {True: 3, False: 12}


def test_pyca_known_answers() -> None:
    text = external.path("pyca/kat_MLDSA_65_det_pure.first25.rsp").read_text(encoding="utf-8")
    blocks = text.strip().split("count = ")[1:]
    for block in blocks:
        lines = [line.split(" = ") for line in block.splitlines()[1:] if " = " in line]
        case = dict(lines)
        pair = MlDsa65KeyPair(MlDsaSeed(bytes.fromhex(case["xi"])))
        message, context = bytes.fromhex(case["msg"]), bytes.fromhex(case.get("ctx", ""))
        assert pair.public.data.hex() == case["pk"].lower()
        pair.public.verify(message, bytes.fromhex(case["sm"])[:ML_DSA], context)
    assert len(blocks) == 25
