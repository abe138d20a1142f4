"""The primitives of a handshake: the native module gives what libsodium, OpenSSL and Python give.

Published vectors run in tests/primitives, with the module and without it.
"""

import copy
import hashlib
import pickle
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_1024
from nacl import bindings

from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import (
    LOW_ORDER,
    IdentityKeyPair,
    P,
    PrivateKey,
    x25519,
)
from letterlock._primitives.ed25519 import verify_edwards
from letterlock._primitives.kdf import MAX_HKDF_BYTES, hkdf_sha256
from letterlock._primitives.mlkem import KemSeed, MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._primitives.native import NATIVE, Native
from letterlock.errors import InvalidKey, InvalidSignature, LetterlockError
from support.native import without_native

if NATIVE is None:
    pytest.skip("letterlock-fast is not installed, or switched off", allow_module_level=True)
FAST: Native = NATIVE

Q = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point."""
ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
"""A point of order 8."""
KEYS = st.binary(min_size=32, max_size=32)
UNUSUAL = [
    *sorted(LOW_ORDER),
    *((int.from_bytes(u, "little") | 1 << 255).to_bytes(32, "little") for u in sorted(LOW_ORDER)),
    *(u.to_bytes(32, "little") for u in (P, P + 1, P + 9, 9 + 2**255, 2**255 - 1, 2**256 - 1, 2, P - 2)),
]


def outcome(act: Callable[[], object]) -> object:
    try:
        return act()
    except LetterlockError as error:
        return type(error), str(error)


def both(act: Callable[[], object]) -> object:
    """Return what comes of this natively, having seen that Python's way gives the same."""
    native = outcome(act)
    with without_native():
        assert outcome(act) == native
    return native


# --- X25519 -----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=200)
@given(KEYS, KEYS | st.sampled_from(UNUSUAL))
def test_agreements_are_the_same(private: bytes, public: bytes) -> None:
    both(lambda: x25519(private, public))


@pytest.mark.parametrize("public", UNUSUAL, ids=bytes.hex)
def test_unusual_points_give_the_same(public: bytes) -> None:
    result = both(lambda: x25519(bytes(range(32)), public))
    reduced = int.from_bytes(public, "little") % 2**255 % P
    is_low = reduced in {int.from_bytes(u, "little") for u in LOW_ORDER}
    assert isinstance(result, tuple) is is_low  # PRIM-3
    assert (FAST.agree(bytes(range(32)), public) is None) is is_low


@settings(deadline=None, max_examples=100)
@given(KEYS)
def test_public_keys_are_the_same(private: bytes) -> None:
    both(lambda: IdentityKeyPair.from_private(PrivateKey(private)).public)


# --- signatures -------------------------------------------------------------------------------------------


def signed(seed: int) -> tuple[IdentityKeyPair, bytes, bytes]:
    draw = random.Random(seed)
    pair = IdentityKeyPair.from_private(PrivateKey(draw.randbytes(32)))
    message = draw.randbytes(draw.randrange(2000))
    return pair, message, xeddsa.sign(pair, message, draw.randbytes(64))


@pytest.mark.parametrize("seed", range(20))
def test_a_signature_verifies_natively(seed: int) -> None:
    pair, message, signature = signed(seed)
    assert both(lambda: xeddsa.verify(pair.public, message, signature)) is None
    assert FAST.verifies(xeddsa.convert_mont(pair.public), message, signature)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 3), st.integers(0, 8 * 64 - 1))
def test_a_signature_with_a_bit_flipped_is_refused(seed: int, bit: int) -> None:
    pair, message, signature = signed(seed)
    wrong = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
    result = both(lambda: xeddsa.verify(pair.public, message, wrong))
    assert result == (InvalidSignature, "signature does not verify under this key: discard it")
    assert not FAST.verifies(xeddsa.convert_mont(pair.public), message, wrong)


def test_another_message_and_another_key_are_refused() -> None:
    (one, message, signature), (other, _, _) = signed(1), signed(2)
    for public, text in ((one.public, message + b"\0"), (one.public, message[1:]), (other.public, message)):
        assert isinstance(both(partial(xeddsa.verify, public, text, signature)), tuple)


def test_s_of_q_or_more_is_refused() -> None:
    pair, message, signature = signed(1)
    s = int.from_bytes(signature[32:], "little") + Q
    wrong = signature[:32] + s.to_bytes(32, "little")
    assert isinstance(both(lambda: xeddsa.verify(pair.public, message, wrong)), tuple)
    assert not FAST.verifies(xeddsa.convert_mont(pair.public), message, wrong)


EDWARDS_LOW_ORDER = [
    (y | sign << 255).to_bytes(32, "little")
    for sign in (0, 1)
    for y in (
        0,
        1,
        P - 1,
        int.from_bytes(ORDER_8, "little"),
        P - int.from_bytes(ORDER_8, "little"),
        P,  # 0 again
        P + 1,
    )
]


@pytest.mark.parametrize("point", EDWARDS_LOW_ORDER, ids=bytes.hex)
def test_a_key_or_a_point_of_low_order_is_refused(point: bytes) -> None:
    """Otherwise one signature would verify for many messages. PRIM-5"""
    pair, _, _ = signed(1)
    edwards = xeddsa.convert_mont(pair.public)
    for number in range(16):
        message = bytes([number])
        for public, signature in ((point, point + bytes(32)), (edwards, point + bytes(32))):
            assert isinstance(both(partial(verify_edwards, public, message, signature)), tuple)
            assert not FAST.verifies(public, message, signature)


def test_a_part_of_order_8_in_r_is_refused() -> None:
    """The equation then holds only after a multiplication by 8, which neither of the two does."""
    draw = random.Random(7)
    pair, message, _ = signed(1)
    scalar, public = xeddsa.calculate_key_pair(pair.private)
    r = bindings.crypto_core_ed25519_scalar_reduce(draw.randbytes(64))
    big_r = bindings.crypto_core_ed25519_add(bindings.crypto_scalarmult_ed25519_base_noclamp(r), ORDER_8)
    h = bindings.crypto_core_ed25519_scalar_reduce(hashlib.sha512(big_r + public + message).digest())
    s = bindings.crypto_core_ed25519_scalar_add(
        r, bindings.crypto_core_ed25519_scalar_mul(h, scalar.expose())
    )
    assert isinstance(both(lambda: verify_edwards(public, message, big_r + s)), tuple)
    assert not FAST.verifies(public, message, big_r + s)


# --- HKDF -------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=100), st.integers(1, 200))
def test_derived_keys_are_the_same(salt: bytes, ikm: bytes, info: bytes, length: int) -> None:
    both(lambda: hkdf_sha256(salt, ikm, info, length))


@pytest.mark.parametrize("length", [1, 31, 32, 33, 64, MAX_HKDF_BYTES - 1, MAX_HKDF_BYTES])
def test_derived_keys_of_any_length_are_the_same(length: int) -> None:
    assert len(both(lambda: hkdf_sha256(b"", b"ikm", b"info", length))) == length  # type: ignore[arg-type]


# --- ML-KEM-1024 ------------------------------------------------------------------------------------------


def kem(seed: int) -> MlKem1024KeyPair:
    return MlKem1024KeyPair(KemSeed(random.Random(seed).randbytes(64)))


def in_openssl(seed: int) -> MlKem1024KeyPair:
    with without_native():
        return kem(seed)


@pytest.mark.parametrize("seed", range(20))
def test_both_libraries_open_what_either_makes(seed: int) -> None:
    native, openssl = kem(seed), in_openssl(seed)
    assert native.public == openssl.public
    for made in (native.public.encapsulate(), openssl.public.encapsulate()):
        assert native.decapsulate(made.ciphertext) == openssl.decapsulate(made.ciphertext) == made.secret


@pytest.mark.parametrize("seed", range(20))
def test_a_forged_ciphertext_gives_the_same_secret(seed: int) -> None:
    draw = random.Random(seed)
    native, openssl = kem(seed), in_openssl(seed)
    made = native.public.encapsulate()
    at = draw.randrange(1568)
    flipped = made.ciphertext[:at] + bytes([made.ciphertext[at] ^ 1]) + made.ciphertext[at + 1 :]
    for forged in (flipped, draw.randbytes(1568), bytes(1568)):
        assert native.decapsulate(forged) == openssl.decapsulate(forged) != made.secret


@pytest.mark.parametrize("seed", range(5))
def test_an_encapsulation_is_the_one_of_fips_203(seed: int) -> None:
    m = random.Random(seed).randbytes(32)
    data = kem(seed).public.data
    assert FAST.encapsulate(data, m) == ML_KEM_1024._encaps_internal(data, m)


def test_two_encapsulations_differ() -> None:
    public = kem(1).public
    assert public.encapsulate().secret != public.encapsulate().secret
    read = MlKem1024PublicKey(public.data)
    assert kem(1).decapsulate((made := read.encapsulate()).ciphertext) == made.secret


@pytest.mark.parametrize("coefficient", [0, 1, 511, 1022, 1023])
@pytest.mark.parametrize("value", [3328, 3329, 3330, 4095])
def test_the_same_public_keys_are_canonical(coefficient: int, value: int) -> None:
    """PRIM-7: two coefficients of 12 bits stand in three bytes."""
    data = bytearray(kem(1).public.data)
    at, shift = coefficient // 2 * 3, coefficient % 2 * 12
    pair = int.from_bytes(data[at : at + 3], "little") & ~(0xFFF << shift) | value << shift
    data[at : at + 3] = pair.to_bytes(3, "little")
    result = both(lambda: MlKem1024PublicKey(bytes(data)))
    refused = (InvalidKey, "kem key is not canonical (a coefficient is q or more): discard it")
    assert (result == refused) is (value > 3328)
    assert FAST.is_kem_public(bytes(data)) is (value < 3329)


@pytest.mark.parametrize("length", [0, 1184, 1567, 1569])
def test_another_length_of_a_public_key_is_refused(length: int) -> None:
    result = both(lambda: MlKem1024PublicKey(bytes(length)))
    assert result == (InvalidKey, f"kem key of {length} bytes; expected 1568: discard it")


def test_an_expanded_key_is_neither_shown_nor_copied() -> None:
    key = FAST.kem_key(bytes(range(64)))
    assert "KemKey object at" in repr(key)
    assert [name for name in dir(key) if not name.startswith("_")] == ["decapsulate", "public"]
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="KemKey"):
            act(key)
    with pytest.raises(TypeError):
        type(key)()


# --- arguments that no caller of ours gives ---------------------------------------------------------------

RIGHT: dict[str, tuple[Any, ...]] = {
    "agree": (bytes(32), (9).to_bytes(32, "little")),
    "public_of": (bytes(32),),
    "verifies": (bytes(32), b"", bytes(64)),
    "hkdf": (b"", b"", b"", 32),
    "kem_key": (bytes(64),),
    "is_kem_public": (bytes(1568),),
    "encapsulate": (bytes(1568), bytes(32)),
}
ANY_LENGTH = {("verifies", 1), ("hkdf", 0), ("hkdf", 1), ("hkdf", 2)}
SIZED = [
    (name, at) for name, given in RIGHT.items() for at in range(len(given)) if (name, at) not in ANY_LENGTH
]


@pytest.mark.parametrize(("name", "at"), SIZED)
def test_arguments_of_another_length_are_refused(name: str, at: int) -> None:
    right = list(RIGHT[name])
    getattr(FAST, name)(*right)
    value = right[at]
    for wrong in (0, 8161, 1 << 32) if type(value) is int else (b"", value[1:], value + b"\0"):
        with pytest.raises(ValueError, match="this is a bug of the caller"):
            getattr(FAST, name)(*right[:at], wrong, *right[at + 1 :])


@pytest.mark.parametrize("length", [0, 1088, 1567, 1569])
def test_a_ciphertext_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="this is a bug of the caller"):
        FAST.kem_key(bytes(64)).decapsulate(bytes(length))


def test_encapsulating_to_a_key_that_is_not_canonical_is_refused() -> None:
    with pytest.raises(ValueError, match="this is a bug of the caller"):
        FAST.encapsulate(b"\xff" * 1568, bytes(32))
