"""ML-KEM-768 and ML-KEM-1024 against published vectors (read by support/external.py).

Sources: Wycheproof mlkem_*_test.json, mlkem_*_keygen_seed_test.json, mlkem_*_encaps_test.json; NIST ACVP
ML-KEM keyGen and encapDecap (internalProjection, both larger sizes); C2SP CCTV ML-KEM modulus-*.txt.gz,
unluckysample-*.txt, intermediate-*.txt and strcmp-*.txt; the first 25 of each size of pyca's kat_MLKEM_*.rsp.

Encapsulation is random in the library, so where a file gives m, kyber-py computes K and c from it (which
shows that the file is read correctly). The library must accept the key, decapsulate c to K where a file gives
the seed, and make ciphertexts that kyber-py decapsulates where a file gives dk.

Not applicable: cases with an expanded or semi-expanded decapsulation key, because the library takes only
seeds (PRIM-6). Wycheproof mlkem_*_semi_expanded_decaps_test.json and ACVP's decapsulationKeyCheck are
not run; CCTV strcmp-*.txt and ACVP's decapsulation go through kyber-py.
"""

import gzip
from typing import Any, Final

import pytest
from kyber_py.ml_kem import ML_KEM_768, ML_KEM_1024

from letterlock._primitives.mlkem import KemKeyPair, KemPublicKey, KemSeed, MlKem768KeyPair, MlKem1024KeyPair
from letterlock.errors import InvalidKey, MalformedMessage
from support import external

PAIRS: Final[dict[str, type[KemKeyPair[Any]]]] = {"768": MlKem768KeyPair, "1024": MlKem1024KeyPair}
ORACLES: Final[dict[str, Any]] = {"768": ML_KEM_768, "1024": ML_KEM_1024}

SIZE = pytest.mark.parametrize("size", ["768", "1024"])


def public_key(size: str, ek: bytes) -> KemPublicKey:
    return PAIRS[size].PUBLIC(ek)


# --- Wycheproof -----------------------------------------------------------------------------------


@SIZE
def test_wycheproof_decapsulation(size: str) -> None:
    """The seed gives ek, and c gives K, also by implicit rejection. Wrong lengths are refused."""
    counts = {"valid": 0, "length of the seed": 0, "length of c": 0}
    for _, case in external.wycheproof(f"mlkem_{size}_test"):
        seed, ciphertext = bytes.fromhex(case["seed"]), bytes.fromhex(case["c"])
        if len(seed) != 64:
            with pytest.raises(ValueError, match="KemSeed needs 64 bytes"):
                KemSeed(seed)
            counts["length of the seed"] += 1
            assert case["result"] == "invalid"
            continue
        pair = PAIRS[size](KemSeed(seed))
        if case["result"] == "valid":
            assert pair.public.data.hex() == case["ek"], f"tcId {case['tcId']}"
            assert pair.decapsulate(ciphertext).expose().hex() == case["K"], f"tcId {case['tcId']}"
            counts["valid"] += 1
        else:
            with pytest.raises(MalformedMessage, match="kem ciphertext of"):
                pair.decapsulate(ciphertext)
            counts["length of c"] += 1
    assert counts == {"valid": 153, "length of the seed": 20, "length of c": 20}


@SIZE
def test_wycheproof_key_generation(size: str) -> None:
    cases = external.wycheproof(f"mlkem_{size}_keygen_seed_test")
    for _, case in cases:
        pair = PAIRS[size](KemSeed(bytes.fromhex(case["seed"])))
        assert pair.public.data.hex() == case["ek"], f"tcId {case['tcId']}"
    assert len(cases) == 100


@SIZE
def test_wycheproof_encapsulation(size: str) -> None:
    seeds = {
        case["ek"]: KemSeed(bytes.fromhex(case["seed"]))
        for name in ("keygen_seed_test", "test")
        for _, case in external.wycheproof(f"mlkem_{size}_{name}")
        if len(case["seed"]) == 2 * 64
    }
    counts = {"accepted": 0, "with its seed": 0, "refused": 0}
    for _, case in external.wycheproof(f"mlkem_{size}_encaps_test"):
        ek, label = bytes.fromhex(case["ek"]), f"tcId {case['tcId']}: {case.get('comment')}"
        if case["result"] == "invalid":
            with pytest.raises(InvalidKey):
                public_key(size, ek)
            counts["refused"] += 1
            continue
        made = public_key(size, ek).encapsulate()
        assert len(made.ciphertext) == len(case["c"]) // 2
        secret, ciphertext = ORACLES[size]._encaps_internal(ek, bytes.fromhex(case["m"]))
        assert (secret.hex(), ciphertext.hex()) == (case["K"], case["c"]), label
        if case["ek"] in seeds:
            pair = PAIRS[size](seeds[case["ek"]])
            assert pair.decapsulate(bytes.fromhex(case["c"])).expose().hex() == case["K"], label
            assert pair.decapsulate(made.ciphertext) == made.secret, label
            counts["with its seed"] += 1
        counts["accepted"] += 1
    assert counts == {"accepted": 133, "with its seed": 130, "refused": {"768": 132, "1024": 136}[size]}


# --- ACVP -----------------------------------------------------------------------------------------


def acvp(name: str, size: str, function: str | None = None) -> list[external.Case]:
    document = external.load(f"acvp/ML-KEM-{name}-FIPS203.internalProjection.768_1024.json")
    [group] = [
        group
        for group in document["testGroups"]
        if group["parameterSet"] == f"ML-KEM-{size}" and group.get("function") == function
    ]
    binary = {"z", "d", "ek", "dk", "c", "k", "m"}
    return [
        {name: bytes.fromhex(value) if name in binary else value for name, value in case.items()}
        for case in group["tests"]
    ]


@SIZE
def test_acvp_key_generation(size: str) -> None:
    cases = acvp("keyGen", size)
    for case in cases:
        assert PAIRS[size](KemSeed(case["d"] + case["z"])).public.data == case["ek"], case["tcId"]
        assert ORACLES[size].key_derive(case["d"] + case["z"]) == (case["ek"], case["dk"])
    assert len(cases) == 25


@SIZE
def test_acvp_encapsulation(size: str) -> None:
    cases = acvp("encapDecap", size, "encapsulation")
    for case in cases:
        assert ORACLES[size]._encaps_internal(case["ek"], case["m"]) == (case["k"], case["c"])
        made = public_key(size, case["ek"]).encapsulate()
        assert len(made.ciphertext) == len(case["c"])
        assert ORACLES[size].decaps(case["dk"], made.ciphertext) == made.secret.expose()
    assert len(cases) == 25


@SIZE
def test_acvp_encapsulation_key_check(size: str) -> None:
    counts = {True: 0, False: 0}
    for case in acvp("encapDecap", size, "encapsulationKeyCheck"):
        try:
            public_key(size, case["ek"])
            accepted = True
        except InvalidKey:
            accepted = False
        assert accepted == case["testPassed"], f"{case['tcId']}: {case['reason']}"
        counts[accepted] += 1
    assert counts == {True: 5, False: 5}


@SIZE
def test_acvp_decapsulation_through_kyber_py(size: str) -> None:
    reasons = {"valid decapsulation": 0, "modified ciphertext": 0}
    for case in acvp("encapDecap", size, "decapsulation"):
        assert ORACLES[size].decaps(case["dk"], case["c"]) == case["k"], case["tcId"]
        assert len(case["c"]) == PAIRS[size].PUBLIC.CIPHERTEXT_BYTES
        public_key(size, case["ek"])
        reasons[case["reason"]] += 1
    assert reasons == {"valid decapsulation": 5, "modified ciphertext": 5}


# --- CCTV and pyca --------------------------------------------------------------------------------


@SIZE
def test_cctv_modulus(size: str) -> None:
    """Each coefficient in turn is q or more."""
    lines = gzip.decompress(external.path(f"cctv/ML-KEM/modulus-{size}.txt.gz").read_bytes()).split()
    assert len(lines) == {"768": 780, "1024": 1040}[size]
    for line in lines:
        with pytest.raises(InvalidKey, match="coefficient is q or more"):
            public_key(size, bytes.fromhex(line.decode()))


def cctv(name: str) -> dict[str, bytes]:
    """The fields of a CCTV text file that are hex; a line may name its value twice."""
    text = external.path(f"cctv/ML-KEM/{name}.txt").read_text(encoding="utf-8")
    lines = [line.split(" = ") for line in text.splitlines() if line]
    return {line[0]: bytes.fromhex(line[-1]) for line in lines if "{" not in line[-1]}


@SIZE
@pytest.mark.parametrize("name", ["unluckysample", "intermediate"])
def test_cctv_samples(size: str, name: str) -> None:
    """A key whose matrix takes unusually long to sample, and one with all its steps.

    The draft's key generation made them. It hashes no k, so the seed gives another key today.
    """
    fields = cctv(f"{name}-{size}")
    made = public_key(size, fields["ek"]).encapsulate()
    assert len(made.ciphertext) == len(fields["c"])
    assert ORACLES[size]._encaps_internal(fields["ek"], fields["m"]) == (fields["K"], fields["c"])
    assert ORACLES[size].decaps(fields["dk"], fields["c"]) == fields["K"]
    assert ORACLES[size].decaps(fields["dk"], made.ciphertext) == made.secret.expose()
    assert PAIRS[size](KemSeed(fields["d"] + fields["z"])).public.data != fields["ek"]


@SIZE
def test_cctv_strcmp_through_kyber_py(size: str) -> None:
    """A ciphertext that differs from the true one after a zero byte: the secret is the implicit one.

    The file has only an expanded key. The library is tested with the encapsulation key inside it, and must
    accept a ciphertext of this length.
    """
    fields = cctv(f"strcmp-{size}")
    assert ORACLES[size].decaps(fields["dk"], fields["c"]) == fields["K"]
    pair = PAIRS[size](KemSeed(bytes(64)))
    ek = fields["dk"][-64 - pair.PUBLIC.LENGTH : -64]
    made = public_key(size, ek).encapsulate()
    assert ORACLES[size].decaps(fields["dk"], made.ciphertext) == made.secret.expose() != fields["K"]
    assert len(pair.decapsulate(fields["c"]).expose()) == 32


def blocks(text: str) -> list[dict[str, bytes]]:
    """The cases of a .rsp file: a `count` line, then lines of a name and hex."""
    cases = text.strip().split("count = ")[1:]
    lines = [[line.split(" = ") for line in case.splitlines()[1:] if line] for case in cases]
    return [{name: bytes.fromhex(value) for name, value in case} for case in lines]


@SIZE
def test_pyca_known_answers(size: str) -> None:
    text = external.path(f"pyca/kat_MLKEM_{size}.first25.rsp").read_text(encoding="utf-8")
    cases = blocks(text)
    for case in cases:
        pair = PAIRS[size](KemSeed(case["d"] + case["z"]))
        assert pair.public.data == case["pk"]
        assert pair.decapsulate(case["ct"]).expose() == case["ss"]
        assert pair.decapsulate(case["ct_n"]).expose() == case["ss_n"]
    assert len(cases) == 25
