"""X25519 and its keys: the answers printed in RFC 7748, canonical encoding, low order, roles.

Source of the numbers: vectors/published/rfc7748_x25519.json.
"""

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock import hazmat
from letterlock._primitives import curve25519
from letterlock._primitives.curve25519 import (
    LOW_ORDER,
    EphemeralKey,
    EphemeralKeyPair,
    IdentityKey,
    IdentityKeyPair,
    KeyPair,
    OneTimePrekey,
    OneTimePrekeyPair,
    P,
    PrivateKey,
    PublicKey,
    RatchetKey,
    RatchetKeyPair,
    SignedPrekey,
    SignedPrekeyPair,
    agree,
    is_canonical,
    x25519,
)
from letterlock.errors import InvalidKey
from support import published
from support.external import Case

ROLES = [PublicKey, IdentityKey, SignedPrekey, OneTimePrekey, EphemeralKey, RatchetKey]
PAIRS = [IdentityKeyPair, SignedPrekeyPair, OneTimePrekeyPair, EphemeralKeyPair, RatchetKeyPair]
NINE = (9).to_bytes(32, "little")

MONTGOMERY_A = 486662

RFC_7748 = published.load("rfc7748_x25519")


def little(u: int) -> bytes:
    return u.to_bytes(32, "little")


# --- RFC 7748 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scalar", "u", "expected"), [(case["scalar"], case["u"], case["out"]) for case in RFC_7748["single"]]
)
def test_section_5_2(scalar: str, u: str, expected: str) -> None:
    assert x25519(bytes.fromhex(scalar), bytes.fromhex(u)).hex() == expected


@pytest.mark.parametrize(
    ("times", "expected"), [(case["times"], case["out"]) for case in RFC_7748["iterated"]]
)
def test_section_5_2_iterated(times: int, expected: str) -> None:
    k = u = NINE
    for _ in range(times):
        k, u = x25519(k, u), k
    assert k.hex() == expected


@pytest.mark.parametrize("case", RFC_7748["diffie_hellman"])
def test_section_6_1(case: Case) -> None:
    ours, theirs, shared = published.octets(case, "alice_private", "bob_private", "shared")
    alice = IdentityKeyPair.from_private(PrivateKey(ours))
    bob = SignedPrekeyPair.from_private(PrivateKey(theirs))
    assert [alice.public.data, bob.public.data] == published.octets(case, "alice_public", "bob_public")
    assert alice.agree(bob.public).expose() == shared
    assert bob.agree(alice.public).expose() == shared
    assert agree(alice.private, bob.public) == bob.agree(alice.public)
    assert hazmat.x25519(ours, bob.public.data) == hazmat.x25519(theirs, alice.public.data) == shared


# --- PRIM-2: one spelling, and no low order -------------------------------------------------------


def square_roots(n: int) -> list[int]:
    """The square roots of n modulo p = 5 (mod 8): none, one (of zero) or two."""
    n %= P
    root = pow(n, (P + 3) // 8, P)
    if root * root % P != n:
        root = root * pow(2, (P - 1) // 4, P) % P
    return sorted({root, P - root} if root else {0}) if root * root % P == n else []


def test_square_roots() -> None:
    for n in range(50):
        assert all(root * root % P == n for root in square_roots(n))
        assert bool(square_roots(n)) == (n == 0 or pow(n, (P - 1) // 2, P) == 1)


def points_of_order_dividing_8() -> set[int]:
    """Every u with 8P at infinity, on the curve or its twist: both double by one formula.

    u(2P) = (u^2 - 1)^2 / 4u(u^2 + Au + 1), so that 2P is
      infinity      where u(u^2 + Au + 1) = 0: the torsion of order 2;
      (0, 0)        where u^2 = 1: order 4;
      u = 1 or -1   where (u^2 - 1)^2 = 4tu(u^2 + Au + 1), t = 1 or -1: order 8. With w = u + 1/u this is
                    w^2 - 4tw - 4 - 4tA = 0, or w = 2t +- 2 sqrt(2 + tA), and then u^2 - wu + 1 = 0.
    """
    half = pow(2, -1, P)
    found = {0, 1, P - 1}
    found |= {(-MONTGOMERY_A + root) * half % P for root in square_roots(MONTGOMERY_A**2 - 4)}
    for t in (1, -1):
        for outer in square_roots(2 + t * MONTGOMERY_A):
            w = (2 * t + 2 * outer) % P
            found |= {(w + inner) * half % P for inner in square_roots(w * w - 4)}
    return found


def double(u: int) -> int | None:
    """u(2P) of u(P); None is infinity."""
    denominator = 4 * u * (u * u + MONTGOMERY_A * u + 1) % P
    return (u * u - 1) ** 2 * pow(denominator, -1, P) % P if denominator else None


def test_low_order_list_is_what_the_arithmetic_finds() -> None:
    assert {int.from_bytes(data, "little") for data in LOW_ORDER} == points_of_order_dividing_8()
    assert len(LOW_ORDER) == 5


@pytest.mark.parametrize("data", sorted(LOW_ORDER), ids=lambda data: data.hex()[:8])
def test_each_listed_point_doubles_to_infinity_within_three_steps(data: bytes) -> None:
    u: int | None = int.from_bytes(data, "little")
    for _ in range(3):
        u = None if u is None else double(u)
    assert u is None


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("data", sorted(LOW_ORDER), ids=lambda data: data.hex()[:8])
def test_low_order_is_refused(role: type[PublicKey], data: bytes) -> None:
    with pytest.raises(InvalidKey, match="low order"):
        role(data)


@pytest.mark.parametrize("u", [2, 8, 9, 10, P - 2, P - 3, P - 9], ids=lambda u: str(u % 1000))
def test_neighbours_of_the_low_order_points_are_accepted(u: int) -> None:
    assert PublicKey(little(u)).data == little(u)


EDGES = {
    "0": 0,
    "p-20": P - 20,
    "p-2": P - 2,
    "p-1": P - 1,
    "p": P,
    "p+1": P + 1,
    "p+17": P + 17,
    "2^255-1": 2**255 - 1,
    "2^255": 2**255,
    "2^255+9": 2**255 + 9,
    "2^255+p-1": 2**255 + P - 1,
    "2^256-1": 2**256 - 1,
    "top byte 7e, rest ff": 0x7E << 248 | (2**248 - 1),
    "top byte 7f, rest 0": 0x7F << 248,
    "top byte 7f, byte 0 ed, one middle byte fe": P - 2**8,
    "top byte 7f, byte 0 ff, last middle byte fe": 2**255 - 1 - 2**240,
}


@pytest.mark.parametrize("u", EDGES.values(), ids=EDGES.keys())
def test_is_canonical_at_its_edges(u: int) -> None:
    assert is_canonical(little(u)) == (u < P)


def test_is_canonical_at_every_last_byte() -> None:
    for low in range(256):
        u = 0x7F << 248 | (2**248 - 256) | low
        assert is_canonical(little(u)) == (u < P) == (low < 0xED)


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32) | st.integers(0, 2**256 - 1).map(little))
def test_is_canonical_is_below_p(data: bytes) -> None:
    assert is_canonical(data) == (int.from_bytes(data, "little") < P)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("u", [P + 2, P + 9, 2**255 - 1, 2**255 + 9, 2**256 - 1], ids=lambda u: f"{u:x}"[-6:])
def test_a_second_encoding_is_refused(role: type[PublicKey], u: int) -> None:
    with pytest.raises(InvalidKey, match="not canonical"):
        role(little(u))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_a_public_key_of_another_length_is_refused(role: type[PublicKey], length: int) -> None:
    with pytest.raises(InvalidKey, match=f"{length} bytes; expected 32"):
        role(b"\x09" * length)


# --- PRIM-3: no all-zero agreement ----------------------------------------------------------------


@pytest.mark.parametrize("spelling", [0, 2**255], ids=["canonical", "bit 255 set"])
@pytest.mark.parametrize("data", sorted(LOW_ORDER), ids=lambda data: data.hex()[:8])
def test_an_all_zero_agreement_is_refused(data: bytes, spelling: int) -> None:
    u = little(int.from_bytes(data, "little") | spelling)
    for scalar in (bytes(32), b"\xff" * 32, NINE, bytes(range(32))):
        with pytest.raises(InvalidKey, match="all zeros"):
            x25519(scalar, u)


def test_agree_refuses_keys_that_bypassed_the_type() -> None:
    forced = object.__new__(RatchetKey)
    object.__setattr__(forced, "data", bytes(32))
    pair = RatchetKeyPair.from_private(PrivateKey(b"\x42" * 32))
    with pytest.raises(InvalidKey):
        pair.agree(forced)


@pytest.mark.parametrize(("k", "u"), [(0, 32), (31, 32), (33, 32), (32, 0), (32, 31), (32, 33)])
def test_x25519_refuses_lengths_that_c_would_read_past(k: int, u: int) -> None:
    with pytest.raises(ValueError, match="expected 32 each"):
        x25519(b"\x09" * k, b"\x09" * u)


def test_the_scalar_is_clamped() -> None:
    plain = bytes(range(1, 33))
    clamped = bytes([plain[0] & 0xF8]) + plain[1:31] + bytes([plain[31] & 0x7F | 0x40])
    assert plain != clamped
    assert x25519(plain, NINE) == x25519(clamped, NINE)


# --- roles ----------------------------------------------------------------------------------------


def test_two_roles_never_compare_equal() -> None:
    keys = [role(NINE) for role in ROLES]
    for i, one in enumerate(keys):
        for j, other in enumerate(keys):
            assert (one == other) == (i == j)
    assert IdentityKey(NINE) == IdentityKey(NINE)
    assert hash(IdentityKey(NINE)) == hash(IdentityKey(NINE))
    assert IdentityKey(NINE) != object()


def test_a_public_key_prints_and_pickles_and_does_not_change() -> None:
    key = IdentityKey(NINE)
    assert repr(key) == f"IdentityKey({NINE.hex()})"
    again = pickle.loads(pickle.dumps(key))
    assert again == key
    assert copy.deepcopy(key) == key
    with pytest.raises(AttributeError):
        key.data = bytes(32)  # type: ignore[misc]


@pytest.mark.parametrize("pair_type", PAIRS)
def test_a_pair_has_the_public_key_of_its_role(pair_type: type[KeyPair[PublicKey]]) -> None:
    drawn: list[int] = []

    def entropy(length: int) -> bytes:
        drawn.append(length)
        return b"\x42" * length

    pair = pair_type.generate(entropy)
    assert drawn == [32]
    assert type(pair.public) is pair_type.PUBLIC
    assert pair.public.data == x25519(b"\x42" * 32, NINE)
    assert pair.private == PrivateKey(b"\x42" * 32)
    joined = pair_type(pair.private, pair.public)
    assert joined.agree(PublicKey(NINE)) == pair.agree(PublicKey(NINE))


def test_a_pair_refuses_halves_of_another_type() -> None:
    pair = IdentityKeyPair.from_private(PrivateKey(b"\x42" * 32))
    with pytest.raises(TypeError, match="needs a private key"):
        IdentityKeyPair(pair.private, SignedPrekey(pair.public.data))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="needs a private key"):
        IdentityKeyPair(b"\x42" * 32, pair.public)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="needs a private key"):
        IdentityKeyPair(curve25519.SharedPoint(b"\x42" * 32), pair.public)  # type: ignore[arg-type]


def test_a_pair_does_not_change() -> None:
    pair = IdentityKeyPair.from_private(PrivateKey(b"\x42" * 32))
    for name in ("private", "public", "other"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(pair, name, None)
