"""Incremental ML-KEM-768 against published vectors: of whole encapsulation, and of Signal's incremental one.

Sources, read by support/external.py: NIST ACVP ML-KEM encapDecap; Wycheproof
mlkem_768_encaps_test; C2SP CCTV ML-KEM unluckysample, intermediate, strcmp and modulus;
libsignal/known_answers.json. Where m is given, K and c are compared byte for byte.

CCTV's strcmp-768 gives no m, but a ciphertext that faulty decapsulations confuse with another one. The test
makes real ciphertexts for its key. kyber-py decapsulates them, because the file has only an expanded key.
"""

import gzip
from typing import Any

import pytest
from kyber_py.ml_kem import ML_KEM_768

from letterlock import hazmat
from letterlock._primitives.mlkem import MlKem768PublicKey
from letterlock._primitives.mlkem_split import (
    EncapsulationRandomness,
    encapsulate_header,
    encapsulate_vector,
    split,
)
from letterlock.errors import InvalidKey
from support import external


def acvp(function: str) -> list[external.Case]:
    document = external.load("acvp/ML-KEM-encapDecap-FIPS203.internalProjection.768_1024.json")
    [group] = [
        group
        for group in document["testGroups"]
        if (group["parameterSet"], group["function"]) == ("ML-KEM-768", function)
    ]
    return list(group["tests"])


def cctv(name: str) -> dict[str, bytes]:
    text = external.path(f"cctv/ML-KEM/{name}-768.txt").read_text(encoding="utf-8")
    lines = [line.split(" = ") for line in text.splitlines() if line]
    return {line[0]: bytes.fromhex(line[-1]) for line in lines if "{" not in line[-1]}


def known(name: str) -> dict[str, Any]:
    [entry] = [
        each for each in external.load("libsignal/known_answers.json")["vectors"] if each["id"] == name
    ]
    return dict(entry)


def test_acvp_encapsulation() -> None:
    cases = acvp("encapsulation")
    for case in cases:
        secret, ciphertext = hazmat.mlkem768_encapsulate(bytes.fromhex(case["ek"]), bytes.fromhex(case["m"]))
        assert (secret.hex(), ciphertext.hex()) == (case["k"].lower(), case["c"].lower()), case["tcId"]
    assert len(cases) == 25


def test_acvp_encapsulation_key_check() -> None:
    counts = {True: 0, False: 0}
    for case in acvp("encapsulationKeyCheck"):
        ek = bytes.fromhex(case["ek"])
        header = ek[-32:] + key_hash(ek)
        m = EncapsulationRandomness(bytes(32))
        try:
            encapsulate_vector(header, ek[:-32], m)
            accepted = True
        except InvalidKey:
            accepted = False
        assert accepted == case["testPassed"], f"{case['tcId']}: {case['reason']}"
        counts[accepted] += 1
    assert counts == {True: 5, False: 5}


def key_hash(ek: bytes) -> bytes:
    return bytes(ML_KEM_768._H(ek))


def test_wycheproof_encapsulation() -> None:
    counts = {"valid": 0, "invalid": 0}
    for _, case in external.wycheproof("mlkem_768_encaps_test"):
        ek, m = bytes.fromhex(case["ek"]), bytes.fromhex(case["m"])
        counts[case["result"]] += 1
        if case["result"] == "valid":
            secret, ciphertext = hazmat.mlkem768_encapsulate(ek, m)
            assert (secret.hex(), ciphertext.hex()) == (case["K"], case["c"]), case["tcId"]
            continue
        with pytest.raises(InvalidKey):
            hazmat.mlkem768_encapsulate(ek, m)
        with pytest.raises(InvalidKey):
            encapsulate_vector(ek[-32:] + key_hash(ek), ek[:-32], EncapsulationRandomness(m))
    assert counts == {"valid": 133, "invalid": 132}


@pytest.mark.parametrize("name", ["unluckysample", "intermediate"])
def test_cctv_samples(name: str) -> None:
    fields = cctv(name)
    assert hazmat.mlkem768_encapsulate(fields["ek"], fields["m"]) == (fields["K"], fields["c"])
    header, vector = split(MlKem768PublicKey(fields["ek"]))
    m = EncapsulationRandomness(fields["m"])
    if name == "intermediate":
        assert header == fields["\N{GREEK SMALL LETTER RHO}"] + fields["H(ek)"]
        assert encapsulate_header(header, m)[1] == fields["c1"]
        assert encapsulate_vector(header, vector, m) == fields["c2"]


def test_cctv_strcmp() -> None:
    fields = cctv("strcmp")
    ek = fields["dk"][1152:-64]
    for number in range(5):
        secret, ciphertext = hazmat.mlkem768_encapsulate(ek, bytes([number]) * 32)
        assert ML_KEM_768.decaps(fields["dk"], ciphertext) == secret
        assert secret != fields["K"]
        # From its first difference on another ciphertext: implicit rejection, as in the published case.
        spliced = ciphertext[:1] + fields["c"][1:]
        assert ML_KEM_768.decaps(fields["dk"], spliced) != secret


def test_cctv_modulus() -> None:
    """PRIM-11: each coefficient in turn is q or more, under a header with the right hash."""
    lines = gzip.decompress(external.path("cctv/ML-KEM/modulus-768.txt.gz").read_bytes()).split()
    assert len(lines) == 780
    for line in lines:
        ek = bytes.fromhex(line.decode())
        with pytest.raises(InvalidKey, match="coefficient is q or more"):
            encapsulate_vector(ek[-32:] + key_hash(ek), ek[:-32], EncapsulationRandomness(bytes(32)))


def test_libsignal_known_answers() -> None:
    """K of a state in which ct1 was sampled, and a header and vector out of real traffic."""
    # PRIM-10
    entry = known("spqr_issue1275_states")
    m = EncapsulationRandomness(bytes.fromhex(entry["encaps_randomness_m"]))
    secret, _ = encapsulate_header(bytes.fromhex(entry["header"]), m)
    assert secret.expose().hex() == entry["kem_shared_secret_K"]
    traffic = {
        name: bytes.fromhex(part["message_hex"])
        for name, part in known("spqr_erasure_code_kat")["erasure"].items()
    }
    header, mac = traffic["Hdr"][:64], traffic["Hdr"][64:]
    assert len(mac) == 32
    assert split(MlKem768PublicKey(traffic["Ek"] + header[:32])) == (header, traffic["Ek"])
    assert len(encapsulate_vector(header, traffic["Ek"], m)) == 128
