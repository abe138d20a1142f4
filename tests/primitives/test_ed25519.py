"""Ed25519 keys and signatures: what they are, and what is refused.

Not here: Wycheproof's and CCTV's cases of verification (test_xeddsa_published.py).
"""

import pytest

from letterlock._primitives.curve25519 import P
from letterlock._primitives.ed25519 import (
    SIGNATURE_BYTES,
    Ed25519KeyPair,
    Ed25519PublicKey,
    Ed25519Seed,
    verify_edwards,
)
from letterlock.errors import InvalidKey, InvalidSignature
from support import external
from support.pair import flipped

PAIR = Ed25519KeyPair(Ed25519Seed(bytes(range(32))))
OTHER = Ed25519KeyPair(Ed25519Seed(bytes(range(1, 33))))
MESSAGE = b"a request"
SIGNATURE = PAIR.sign(MESSAGE)


def test_a_signature_verifies_and_is_a_function_of_key_and_message() -> None:
    assert len(SIGNATURE) == SIGNATURE_BYTES == 64
    PAIR.public.verify(MESSAGE, SIGNATURE)
    assert Ed25519KeyPair(PAIR.seed).sign(MESSAGE) == SIGNATURE
    assert len({SIGNATURE, OTHER.sign(MESSAGE), PAIR.sign(MESSAGE + b"\0")}) == 3


def test_wycheproof_keys_sign_as_published() -> None:
    """The keys of Wycheproof's RFC 8032 groups are valid, and its valid signatures verify."""
    valid = 0
    for group, case in external.wycheproof("ed25519_test"):
        public = Ed25519PublicKey(bytes.fromhex(group["publicKey"]["pk"]))
        message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
        if case["result"] == "valid":
            public.verify(message, signature)
            valid += 1
        else:
            with pytest.raises(InvalidSignature):
                public.verify(message, signature)
    assert valid == 88


def test_a_pair_draws_32_bytes() -> None:
    asked = []

    def entropy(length: int) -> bytes:
        asked.append(length)
        return bytes(range(length))

    assert Ed25519KeyPair.generate(entropy).public == PAIR.public
    assert asked == [32]


@pytest.mark.parametrize("at", range(64))
def test_every_changed_byte_of_a_signature_is_refused(at: int) -> None:
    with pytest.raises(InvalidSignature):
        PAIR.public.verify(MESSAGE, flipped(SIGNATURE, at))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidSignature, match=f"{length} bytes; expected 64"):
        PAIR.public.verify(MESSAGE, (SIGNATURE * 2)[:length])


def test_another_key_or_message_is_refused() -> None:
    for public, message in ((OTHER.public, MESSAGE), (PAIR.public, b""), (PAIR.public, MESSAGE + b"\0")):
        with pytest.raises(InvalidSignature, match="does not verify"):
            public.verify(message, SIGNATURE)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidKey, match=f"{length} bytes; expected 32"):
        Ed25519PublicKey(bytes(length))


LOW_ORDER = {
    "the neutral point": 1,
    "order 2": P - 1,
    "order 4": 0,
    "order 4, other sign": 1 << 255,
    "order 8": int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    ),
    "order 8, negated": int.from_bytes(
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
    ),
}


@pytest.mark.parametrize("name", LOW_ORDER)
def test_a_key_of_low_order_is_refused(name: str) -> None:
    """PRIM-12."""
    with pytest.raises(InvalidKey, match="prime order"):
        Ed25519PublicKey(LOW_ORDER[name].to_bytes(32, "little"))


def test_a_key_that_is_not_canonical_or_not_on_the_curve_is_refused() -> None:
    """PRIM-12: y of p or more, and y without an x."""
    for y in (*range(P, 2**255), 2, 7):
        with pytest.raises(InvalidKey, match="canonical"):
            Ed25519PublicKey(y.to_bytes(32, "little"))


def test_a_key_of_mixed_order_is_refused() -> None:
    """PRIM-12: a key of prime order plus a point of low order. libsodium alone would verify with it."""
    from nacl import bindings

    for name in ("order 2", "order 4", "order 8"):
        low = LOW_ORDER[name].to_bytes(32, "little")
        mixed = _add(PAIR.public.data, low)
        assert bindings.crypto_core_ed25519_is_valid_point(mixed) is False
        with pytest.raises(InvalidKey, match="prime order"):
            Ed25519PublicKey(mixed)


def _add(one: bytes, other: bytes) -> bytes:
    """Return the sum of two Edwards points, by the affine formulae of RFC 8032 section 5.1."""
    d = -121665 * pow(121666, -1, P) % P
    (x1, y1), (x2, y2) = _point(one, d), _point(other, d)
    product = d * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _point(data: bytes, d: int) -> tuple[int, int]:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ~(1 << 255)
    square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert x * x % P == square
    return (x if x & 1 == sign else -x % P), y


def test_the_error_shows_neither_message_nor_signature() -> None:
    with pytest.raises(InvalidSignature) as caught:
        verify_edwards(PAIR.public.data, b"secret text", SIGNATURE)
    assert "secret text" not in str(caught.value)
    assert SIGNATURE.hex()[:8] not in str(caught.value)
