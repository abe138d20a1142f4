"""X25519 against published vectors.

Sources: Wycheproof x25519_test.json; Signal's curve tests (libsignal/known_answers.json, entries
x25519_agreement and noncanonical_public_keys). support/external.py reads them.
"""

import pytest

from letterlock._primitives.curve25519 import (
    IdentityKey,
    IdentityKeyPair,
    PrivateKey,
    PublicKey,
    is_canonical,
    x25519,
)
from letterlock.errors import InvalidKey
from support import external

REFUSED_FLAGS = {"NonCanonicalPublic", "LowOrderPublic"}


def signal(name: str) -> external.Case:
    entries = external.load("libsignal/known_answers.json")["vectors"]
    [entry] = [each for each in entries if each["id"] == name]
    return dict(entry)


def test_wycheproof_public_keys() -> None:
    """Exactly the keys flagged as non-canonical or of low order are refused; all others agree."""
    accepted = refused = 0
    for _, case in external.wycheproof("x25519_test"):
        data, label = bytes.fromhex(case["public"]), f"tcId {case['tcId']}: {case['comment']}"
        private = PrivateKey(bytes.fromhex(case["private"]))
        if REFUSED_FLAGS & set(case["flags"]):
            with pytest.raises(InvalidKey):
                PublicKey(data)
            refused += 1
            continue
        pair = IdentityKeyPair.from_private(private)
        assert pair.agree(PublicKey(data)).expose().hex() == case["shared"], label
        accepted += 1
    assert (accepted, refused) == (474, 44)


def test_wycheproof_bare_function() -> None:
    """The bare function is RFC 7748 as written: it masks and reduces, and refuses only an all-zero result."""
    agreed = zero = 0
    for _, case in external.wycheproof("x25519_test"):
        k, u = bytes.fromhex(case["private"]), bytes.fromhex(case["public"])
        if "ZeroSharedSecret" in case["flags"]:
            assert not any(bytes.fromhex(case["shared"]))
            with pytest.raises(InvalidKey, match="all zeros"):
                x25519(k, u)
            zero += 1
        else:
            assert x25519(k, u).hex() == case["shared"], f"tcId {case['tcId']}"
            agreed += 1
    assert (agreed, zero) == (487, 31)


def test_signal_agreement() -> None:
    entry = signal("x25519_agreement")
    alice, bob = (
        IdentityKeyPair.from_private(PrivateKey(bytes.fromhex(entry[f"{who}_private"])))
        for who in ("alice", "bob")
    )
    assert alice.public == IdentityKey(bytes.fromhex(entry["alice_public"]))
    assert bob.public == IdentityKey(bytes.fromhex(entry["bob_public"]))
    assert alice.agree(bob.public).expose().hex() == entry["shared_secret"]
    assert bob.agree(alice.public).expose().hex() == entry["shared_secret"]


def test_signal_noncanonical_public_keys() -> None:
    entry = signal("noncanonical_public_keys")
    out_of_range = [bytes.fromhex(each) for each in entry["out_of_range"]]
    in_range = [bytes.fromhex(each) for each in entry["in_range"]]
    assert len(out_of_range) >= 20
    assert in_range
    for data in out_of_range:
        assert not is_canonical(data)
        with pytest.raises(InvalidKey):
            PublicKey(data)
    assert all(map(is_canonical, in_range))
