"""The form of vectors/published/, and a comparison with other transcriptions of the same documents.

The numbers are copied by hand. No other test would find a wrong number that no function checks, so they are
compared with the sets in the external folder that transcribe the same documents.
"""

import ast
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from support import external, published
from support.external import Case

VECTORS = published.FOLDER.parent
FILES = sorted(published.FOLDER.glob("*.json"))
TESTS = Path(__file__).parents[1]
PROVENANCE = (VECTORS / "PROVENANCE.md").read_text(encoding="utf-8")

OPENS: Final = {
    "external.path": "{}",
    "external.load": "{}",
    "external.wycheproof": "wycheproof/{}.json",
}
"""The functions that open an external file, with the path that each opens for a name."""


def objects(value: object) -> Iterator[Case]:
    """Yield every JSON object in a document, outer ones first."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from objects(each)


# --- the files themselves -------------------------------------------------------------------------


def test_there_are_files() -> None:
    assert len(FILES) == len(list(published.FOLDER.iterdir())) == 6


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_names_its_source_and_comments_each_case(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    number = re.match(r"(rfc|fips)(\d+)_", path.name)
    assert number
    assert document["source"].startswith(f"{number[1].upper()} {number[2]}, ")
    for each in objects(document):
        assert "source" in each or "reason" in each or each["comment"], each
    assert f"| `{path.name}` |" in PROVENANCE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_test_repeats_its_numbers(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    numbers = {
        text
        for each in objects(document)
        for text in each.values()
        if isinstance(text, str) and re.fullmatch(r"[0-9a-f]{32,}", text) and len(set(text)) > 4
    }
    for name, digits in digits_of_tests().items():
        assert not [number for number in numbers if number in digits], name


@cache
def digits_of_tests() -> dict[str, str]:
    """Return each test file without quotes and spaces: a number may be split over several lines."""
    return {
        str(source.relative_to(TESTS)): re.sub(r'["\s]', "", source.read_text(encoding="utf-8"))
        for source in sorted(TESTS.rglob("*.py"))
    }


@cache
def used() -> set[str]:
    """Return every external file that a test opens, with a star for each variable part of a path."""
    found = set()
    for source in TESTS.rglob("*.py"):
        text = source.read_text(encoding="utf-8")
        if not any(name in text for name in OPENS):
            continue  # to take all files apart takes long
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in OPENS and node.args:
                name = re.sub(r"\{.*?\}", "*", ast.unparse(node.args[0]).removeprefix("f").strip("'\""))
                found.add(OPENS[ast.unparse(node.func)].format(name))
    return found


def named() -> set[str]:
    """Return each external file with a source in vectors/PROVENANCE.md; its star stands for 768 and 1024."""
    names = re.findall(r"`([a-z]+/[^`\s]+\.(?:json|txt|rsp|gz)|cctv/age-hybrid/\w+)`", PROVENANCE)
    return {name.replace("*", size) for name in names for size in ("768", "1024")}


@pytest.mark.parametrize("name", sorted(used() - {"SHA256SUMS"}))
def test_an_external_file_that_a_test_opens_has_a_source(name: str) -> None:
    assert any(fnmatchcase(each, name) for each in named())


def test_a_missing_source_would_be_noticed() -> None:
    assert len(used()) > 15
    assert "tlog/tiles.json" not in named()


def test_every_source_names_an_existing_file() -> None:
    """The folder may hold more than the tests use."""
    lines = external.path("SHA256SUMS").read_text(encoding="utf-8").splitlines()
    there = {line.split()[1].removeprefix("./") for line in lines}
    assert named() <= there


# --- the same documents, transcribed by others ----------------------------------------------------


def pyca(name: str) -> list[dict[str, str]]:
    """Return the cases of a pyca file: lines of `Name = value`. A repeated name begins the next case."""
    found: list[dict[str, str]] = [{}]
    text = external.path(f"pyca/{name}").read_text(encoding="utf-8")
    for field, value in re.findall(r"^(\w+) *=[ \t]*(.*)$", text, re.MULTILINE):
        if field in found[-1]:
            found.append({})
        found[-1][field] = value
    return found


def test_rfc_7748_equals_pyca() -> None:
    document = published.load("rfc7748_x25519")
    ours = [(case["scalar"], case["u"], case["out"]) for case in document["single"]]
    nine = (9).to_bytes(32, "little").hex()
    ours.append((nine, nine, document["iterated"][0]["out"]))
    theirs = pyca("x25519-rfc7748.txt")
    assert ours == [(case["INPUT_SCALAR"], case["INPUT_U"], case["OUTPUT_U"]) for case in theirs]


def test_rfc_5869_equals_pyca() -> None:
    ours = published.cases("rfc5869_hkdf_sha256")
    theirs = pyca("rfc-5869-HKDF-SHA256.txt")
    for one, other in zip(ours, theirs, strict=True):
        assert [one[name] for name in ("ikm", "salt", "info", "prk", "okm")] == [
            other[name] for name in ("IKM", "salt", "info", "PRK", "OKM")
        ]
        assert one["length"] == int(other["L"])


def test_rfc_4231_equals_pyca() -> None:
    ours = [
        (case["key"], case["data"], case["mac"])
        for case in published.cases("rfc4231_hmac_sha256")
        if case["section"] != "4.6"  # the truncated case, which pyca leaves out
    ]
    theirs = [(case["Key"], case["Msg"], case["MD"]) for case in pyca("rfc-4231-sha256.txt")]
    assert len(ours) == 6
    assert ours == theirs


def test_rfc_8439_equals_pyca() -> None:
    encryption, decryption = published.cases("rfc8439_chacha20_poly1305")
    theirs = pyca("chacha20poly1305-boringssl.txt")[0]
    assert bytes.fromhex(encryption["plaintext"]).decode() == theirs["IN"][1:-1]
    assert [encryption[name] for name in ("key", "nonce", "aad", "ciphertext", "tag")] == [
        theirs[name] for name in ("KEY", "NONCE", "AD", "CT", "TAG")
    ]
    theirs = pyca("chacha20poly1305-openssl.txt")[0]
    assert [decryption[name] for name in ("key", "nonce", "aad", "plaintext", "ciphertext", "tag")] == [
        theirs[name] for name in ("Key", "IV", "AAD", "Plaintext", "Ciphertext", "Tag")
    ]


def test_rfc_8949_equals_the_cbor_test_vectors() -> None:
    """Their list is that of RFC 7049, with f818 in addition, which is no longer well-formed."""
    document = published.load("rfc8949_appendix_a")
    ours = {each["hex"]: each for each in objects(document) if "hex" in each}
    theirs = {each["hex"]: each for each in external.load("cbor/appendix_a.json")}
    assert set(theirs) - set(ours) == {"f818"}
    assert set(ours) - set(theirs) == set()
    for name, case in ours.items():
        other = theirs[name]
        if "value" in case:
            assert case["value"] == other["decoded"]
        elif "bytes" in case:
            assert f"h'{case['bytes']}'" == other["diagnostic"]
        elif "diagnostic" in other:
            assert case["comment"] == other["diagnostic"]
        elif not re.search(r"_ |\.\.\.|\{1:", case["comment"]):
            # Their JSON has the value; ours has the RFC's text, which is JSON too.
            assert json.loads(case["comment"]) == other["decoded"]
    sent_or_passed = document["sent"] + document["passed_to_the_fields"]
    assert all(theirs[case["hex"]]["roundtrip"] for case in sent_or_passed)


@pytest.mark.parametrize("size", ["768", "1024"])
def test_fips_203_sizes_equal_acvp(size: str) -> None:
    [line] = [
        each
        for each in published.load("fips203_ml_kem")["parameter_sets"]
        if each["name"] == f"ML-KEM-{size}"
    ]
    document = external.load("acvp/ML-KEM-encapDecap-FIPS203.internalProjection.768_1024.json")
    cases = [
        case
        for group in document["testGroups"]
        if group["parameterSet"] == line["name"] and group.get("function") == "encapsulation"
        for case in group["tests"]
    ]
    assert cases
    names = {
        "ek": "encapsulation_key_bytes",
        "dk": "decapsulation_key_bytes",
        "c": "ciphertext_bytes",
        "k": "shared_secret_bytes",
    }
    for case in cases:
        assert {name: len(case[name]) // 2 for name in names} == {
            name: line[long] for name, long in names.items()
        }
