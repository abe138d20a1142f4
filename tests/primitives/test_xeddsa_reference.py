"""XEdDSA against a second implementation: the published formulas on Python's integers.

Source: "The XEdDSA and VXEdDSA Signature Schemes", revision 1, sections 2.3, 2.4, 3.3 and 3.4. It is
slow and leaks its secrets through timing, so it is for tests only.
"""

import hashlib
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import IdentityKey, IdentityKeyPair, PrivateKey
from letterlock._primitives.ed25519 import verify_edwards
from letterlock.errors import InvalidSignature

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


class Point(NamedTuple):
    """A point of -x^2 + y^2 = 1 + d x^2 y^2, as X/Z, Y/Z."""

    x: int
    y: int
    z: int = 1


IDENTITY = Point(0, 1)


def add(a: Point, b: Point) -> Point:
    """RFC 8032 section 5.1 says the formulas are complete: they double as well."""
    zz, xx, yy = a.z * b.z % P, a.x * b.x % P, a.y * b.y % P
    dxy = D * xx * yy % P
    cross = ((a.x + a.y) * (b.x + b.y) - xx - yy) % P
    f, g = (zz * zz - dxy) % P, (zz * zz + dxy) % P
    return Point(zz * f * cross % P, zz * g * (yy + xx) % P, f * g % P)


def multiply(scalar: int, point: Point) -> Point:
    result = IDENTITY
    for bit in f"{scalar:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def encode(point: Point) -> bytes:
    x, y = (each * pow(point.z, -1, P) % P for each in (point.x, point.y))
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point of a y-coordinate and a sign bit; None if it is not on the curve."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != xx:
        return None
    return Point(P - x if x & 1 != sign else x, y)


B = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little")) or IDENTITY


def clamp(k: bytes) -> int:
    return int.from_bytes(k, "little") & (2**254 - 8) | 2**254


def calculate_key_pair(k: bytes) -> tuple[bytes, int, int]:
    """A with sign bit 0, a, and the sign that kB had."""
    big_e = encode(multiply(clamp(k), B))
    sign = big_e[31] >> 7
    a = (-clamp(k) if sign else clamp(k)) % Q
    return big_e[:31] + bytes([big_e[31] & 0x7F]), a, sign


def hash_number(*parts: bytes, prefix: int | None = None) -> int:
    """SHA-512 as a little-endian number; hash_i with its prefix of 2^256 - 1 - i."""
    start = b"" if prefix is None else (2**256 - 1 - prefix).to_bytes(32, "little")
    return int.from_bytes(hashlib.sha512(start + b"".join(parts)).digest(), "little")


def reference_sign(k: bytes, message: bytes, z: bytes) -> bytes:
    big_a, a, _ = calculate_key_pair(k)
    r = hash_number(a.to_bytes(32, "little"), message, z, prefix=1) % Q
    big_r = encode(multiply(r, B))
    h = hash_number(big_r, big_a, message) % Q
    return big_r + ((r + h * a) % Q).to_bytes(32, "little")


def reference_verify(u: bytes, message: bytes, signature: bytes) -> bool:
    """Section 3.4 as written: R is compared as bytes, s may be q or more, A of any order."""
    number, s = int.from_bytes(u, "little"), int.from_bytes(signature[32:], "little")
    if number >= P or s >= 2**253:
        return False
    big_a = ((number - 1) * pow(number + 1, P - 2, P) % P).to_bytes(32, "little")
    point = decode(big_a)
    if point is None:
        return False
    h = hash_number(signature[:32], big_a, message) % Q
    minus_a = Point(P - point.x, point.y)
    return encode(add(multiply(s, B), multiply(h, minus_a))) == signature[:32]


def key_pairs() -> st.SearchStrategy[IdentityKeyPair]:
    return st.binary(min_size=32, max_size=32).map(lambda k: IdentityKeyPair.from_private(PrivateKey(k)))


NONCES = st.binary(min_size=64, max_size=64)


def test_the_reference_knows_its_own_curve() -> None:
    assert encode(multiply(Q, B)) == encode(IDENTITY)
    assert encode(B).hex() == "58" + "66" * 31
    assert (
        multiply(2, B)[0] * pow(multiply(2, B)[2], -1, P) % P == add(B, B)[0] * pow(add(B, B)[2], -1, P) % P
    )


@settings(deadline=None, max_examples=25)
@given(key_pairs(), st.binary(max_size=200), NONCES)
def test_signatures_are_equal_byte_for_byte(pair: IdentityKeyPair, message: bytes, nonce: bytes) -> None:
    signature = xeddsa.sign(pair, message, nonce)
    assert signature == reference_sign(pair.private.expose(), message, nonce)
    assert reference_verify(pair.public.data, message, signature)
    xeddsa.verify(pair.public, message, signature)


@settings(deadline=None, max_examples=25)
@given(key_pairs())
def test_key_pairs_are_equal(pair: IdentityKeyPair) -> None:
    scalar, edwards = xeddsa.calculate_key_pair(pair.private)
    expected, a, _ = calculate_key_pair(pair.private.expose())
    assert edwards == expected == xeddsa.convert_mont(pair.public)
    assert int.from_bytes(scalar.expose(), "little") == a


@pytest.mark.parametrize("sign", [0, 1])
def test_both_signs_of_kb(sign: int) -> None:
    keys = (hashlib.sha256(bytes([n])).digest() for n in range(256))
    k = next(k for k in keys if calculate_key_pair(k)[2] == sign)
    pair = IdentityKeyPair.from_private(PrivateKey(k))
    signature = xeddsa.sign(pair, b"message", bytes(64))
    assert signature == reference_sign(k, b"message", bytes(64))
    xeddsa.verify(pair.public, b"message", signature)


@settings(deadline=None, max_examples=25)
@given(key_pairs(), st.binary(max_size=40), NONCES, st.integers(0, 511), st.booleans())
def test_what_is_accepted_the_published_text_accepts(
    pair: IdentityKeyPair, message: bytes, nonce: bytes, bit: int, flip: bool
) -> None:
    signature = bytearray(xeddsa.sign(pair, message, nonce))
    signature[bit // 8] ^= flip << bit % 8
    assert reference_verify(pair.public.data, message, bytes(signature)) == (not flip)
    if flip:
        with pytest.raises(InvalidSignature):
            xeddsa.verify(pair.public, message, bytes(signature))
    else:
        xeddsa.verify(pair.public, message, bytes(signature))


def sign_bit_form(k: bytes, message: bytes, z: bytes) -> bytes:
    """The sign-bit form: a is not negated, and the top bit of s carries the sign of A."""
    a, big_a = clamp(k) % Q, encode(multiply(clamp(k), B))
    r = hash_number(a.to_bytes(32, "little"), message, z, prefix=1) % Q
    big_r = encode(multiply(r, B))
    s = (r + hash_number(big_r, big_a, message) * a) % Q
    return big_r + (s | (big_a[31] >> 7) << 255).to_bytes(32, "little")


@pytest.mark.parametrize("sign", [0, 1])
def test_the_sign_bit_form_is_verified_by_its_own_function_alone(sign: int) -> None:
    keys = (hashlib.sha256(bytes([n])).digest() for n in range(256))
    k = next(k for k in keys if calculate_key_pair(k)[2] == sign)
    pair = IdentityKeyPair.from_private(PrivateKey(k))
    signature = sign_bit_form(k, b"message", bytes(64))
    assert signature[63] >> 7 == sign
    xeddsa.verify_sign_bit_form(pair.public, b"message", signature)
    if sign:
        without = signature[:63] + bytes([signature[63] & 0x7F])
        for each in (signature, without):
            with pytest.raises(InvalidSignature):
                xeddsa.verify(pair.public, b"message", each)
    else:
        xeddsa.verify(pair.public, b"message", signature)


# --- PRIM-5: where libsodium is stricter than the text ---------------------------------------------

PAIR = IdentityKeyPair.from_private(PrivateKey(bytes(range(32))))
MESSAGE = b"strict"


def refuse(signature: bytes, public: IdentityKey = PAIR.public) -> None:
    with pytest.raises(InvalidSignature, match="does not verify"):
        xeddsa.verify(public, MESSAGE, signature)


def test_s_of_q_or_more_is_refused_though_the_text_accepts_it() -> None:
    signature = xeddsa.sign(PAIR, MESSAGE, bytes(64))
    s = int.from_bytes(signature[32:], "little") + Q
    assert s < 2**253
    malleable = signature[:32] + s.to_bytes(32, "little")
    assert reference_verify(PAIR.public.data, MESSAGE, malleable)
    refuse(malleable)


@pytest.mark.parametrize("bit", [253, 254, 255])
def test_excess_bits_of_s_are_refused(bit: int) -> None:
    signature = xeddsa.sign(PAIR, MESSAGE, bytes(64))
    s = int.from_bytes(signature[32:], "little") | 1 << bit
    excess = signature[:32] + s.to_bytes(32, "little")
    assert not reference_verify(PAIR.public.data, MESSAGE, excess)
    refuse(excess)


def test_r_at_infinity_is_refused_though_the_text_accepts_it() -> None:
    """r = 0: such a signature reveals a, because s = ha."""
    big_a, a, _ = calculate_key_pair(PAIR.private.expose())
    big_r = encode(IDENTITY)
    s = hash_number(big_r, big_a, MESSAGE) * a % Q
    signature = big_r + s.to_bytes(32, "little")
    assert reference_verify(PAIR.public.data, MESSAGE, signature)
    refuse(signature)


def low_order_edwards() -> list[bytes]:
    """The canonical encodings of the eight points of order 1, 2, 4 and 8."""
    candidates = (decode(hashlib.sha256(bytes([n])).digest()[:31] + b"\x00") for n in range(64))
    points = (multiply(Q, point) for point in candidates if point is not None)
    generator = next(point for point in points if encode(multiply(4, point)) != encode(IDENTITY))
    return [encode(multiply(n, generator)) for n in range(8)]


def test_a_of_low_order_is_refused_though_the_arithmetic_holds() -> None:
    points = low_order_edwards()
    assert len(set(points)) == 8
    verified = 0
    for big_a in points:
        for n in range(16):
            big_r, message = encode(multiply(n + 1, B)), bytes([n])
            signature = big_r + (n + 1).to_bytes(32, "little")
            # With h = 0 (mod the order of A) the equation sB = R + hA holds for a message nobody signed.
            h = hash_number(big_r, big_a, message) % Q
            verified += encode(multiply(h, decode(big_a) or IDENTITY)) == encode(IDENTITY)
            with pytest.raises(InvalidSignature):
                verify_edwards(big_a, message, signature)
    assert verified >= 16
