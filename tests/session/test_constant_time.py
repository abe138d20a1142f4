"""MACs and digests of secrets are compared in constant time: by `hmac.compare_digest`, never by == or !=."""

import ast
import hmac
import re
import sys
from pathlib import Path

import pytest

import letterlock
from letterlock._primitives import mlkem_split
from letterlock._primitives.mlkem import KemSeed, MlKem768KeyPair
from letterlock.errors import InvalidKey
from support.pair import Pair
from support.triple_session import turns

PACKAGE = Path(letterlock.__file__).parent
ROOMS = ("_ratchet", "_handshake", "_session", "_primitives", "_device")
SECRET = re.compile(
    r"(?:^|_)(?:mac|macs|digest|hash|tag|expected|fingerprint|secret|shared|seed|root_key)(?:$|_)"
)
"""Names of what a comparison must not tell about."""


def names_in(node: ast.expr) -> set[str]:
    return {
        each.id if isinstance(each, ast.Name) else each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Name | ast.Attribute)
    }


def compared_early(source: str) -> list[str]:
    """Return each == or != of something secret by its name; lengths and kinds may be compared."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare) or not any(
            isinstance(op, ast.Eq | ast.NotEq) for op in node.ops
        ):
            continue
        sides = [node.left, *node.comparators]
        lengths = [
            each for each in sides if isinstance(each, ast.Call) and names_in(each.func) & {"len", "type"}
        ]
        if not lengths and any(SECRET.search(name) for each in sides for name in names_in(each)):
            found.append(ast.unparse(node))
    return found


def test_no_source_compares_a_mac_or_digest_early() -> None:
    files = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))]
    assert len(files) > 40
    found = {path.name: compared_early(path.read_text(encoding="utf-8")) for path in files}
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize(
    "source",
    [
        "mac != expected",
        "_hash(key) == key_hash",
        "if digest(x) != y: pass",
        "a == self._expected",
        "x == our_tag",
    ],
)
def test_the_check_sees_what_it_is_for(source: str) -> None:
    assert compared_early(source)


@pytest.mark.parametrize("source", ["len(mac) != 32", "number == 1", "hmac.compare_digest(mac, expected)"])
def test_the_check_lets_lengths_pass(source: str) -> None:
    assert not compared_early(source)


@pytest.mark.pure
def test_the_braids_macs_and_the_header_hash_are_compared_in_constant_time(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two epochs: each has a MAC over the header, a hash in it, and a MAC over the ciphertext."""
    true, seen = hmac.compare_digest, []

    def spy(one: bytes, other: bytes) -> bool:
        frame = sys._getframe(1)
        caller = frame.f_back
        seen.append(
            (frame.f_code.co_name, caller.f_code.co_name if caller else "", len(one), true(one, other))
        )
        return true(one, other)

    pair.converse()
    monkeypatch.setattr(hmac, "compare_digest", spy)
    turns(pair, 12)
    checks = {(name, caller) for name, caller, length, equal in seen if length == 32 and equal}
    assert len([1 for name, _ in checks if name == "_check"]) >= 2  # of the header, and of the ciphertext
    assert any(name == "encapsulate_vector" for name, _ in checks)


@pytest.mark.pure
def test_a_header_hash_that_differs_is_seen_by_the_same_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the comparison says equal, another header's vector goes through: nothing else looks at it."""
    one, other = (MlKem768KeyPair(KemSeed(bytes([each]) * 64)) for each in (1, 2))
    header, _ = mlkem_split.split(one.public)
    _, vector = mlkem_split.split(other.public)
    m = mlkem_split.EncapsulationRandomness(bytes(32))
    with pytest.raises(InvalidKey, match="does not belong to this header"):
        mlkem_split.encapsulate_vector(header, vector, m)
    monkeypatch.setattr(hmac, "compare_digest", lambda _one, _other: True)
    assert len(mlkem_split.encapsulate_vector(header, vector, m)) == 128
