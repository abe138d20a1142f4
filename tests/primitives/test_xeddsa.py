"""XEdDSA: what signing and verifying refuse, and what a signature depends on.

The formulas themselves are checked in tests/primitives/test_xeddsa_reference.py and against published values
in tests/primitives/test_xeddsa_published.py.
"""

import pytest

from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import SIGNATURE_BYTES, IdentityKey, IdentityKeyPair, P, PrivateKey
from letterlock._primitives.ed25519 import verify_edwards
from letterlock.errors import InvalidSignature, UsageError
from letterlock.limits import MAX_SIGNED_MESSAGE

PAIR = IdentityKeyPair.from_private(PrivateKey(bytes(range(32))))
OTHER = IdentityKeyPair.from_private(PrivateKey(bytes(range(1, 33))))
NONCE = bytes(range(64))
MESSAGE = b"a signed prekey"
SIGNATURE = xeddsa.sign(PAIR, MESSAGE, NONCE)


def test_a_signature_verifies() -> None:
    assert len(SIGNATURE) == SIGNATURE_BYTES == 64
    xeddsa.verify(PAIR.public, MESSAGE, SIGNATURE)


def test_signing_is_a_function_of_key_message_and_nonce() -> None:
    assert xeddsa.sign(PAIR, MESSAGE, NONCE) == SIGNATURE
    others = [
        xeddsa.sign(PAIR, MESSAGE, NONCE[:63] + b"\0"),
        xeddsa.sign(PAIR, MESSAGE + b"\0", NONCE),
        xeddsa.sign(OTHER, MESSAGE, NONCE),
    ]
    # R must differ: two messages under one r reveal the private key.
    assert len({signature[:32] for signature in [SIGNATURE, *others]}) == 4


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_a_nonce_of_another_length_is_refused(length: int) -> None:
    # PRIM-4: the caller ensures that the bytes are fresh; sign() checks that there are 64.
    with pytest.raises(ValueError, match=f"nonce of {length} bytes; expected 64"):
        xeddsa.sign(PAIR, MESSAGE, bytes(length))


def test_the_longest_message_is_signed_and_a_longer_one_refused() -> None:
    longest = b"m" * MAX_SIGNED_MESSAGE
    xeddsa.verify(PAIR.public, longest, xeddsa.sign(PAIR, longest, NONCE))
    with pytest.raises(UsageError, match=f"{MAX_SIGNED_MESSAGE + 1} bytes; at most {MAX_SIGNED_MESSAGE}"):
        xeddsa.sign(PAIR, longest + b"m", NONCE)


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 96, 128])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    wrong = (SIGNATURE * 2)[:length]
    for verify in (xeddsa.verify, xeddsa.verify_sign_bit_form):
        with pytest.raises(InvalidSignature, match=f"signature of {length} bytes; expected 64"):
            verify(PAIR.public, MESSAGE, wrong)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_an_edwards_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"edwards key of {length} bytes"):
        verify_edwards(bytes(length), MESSAGE, SIGNATURE)


def test_another_message_or_key_is_refused() -> None:
    for public, message in [(PAIR.public, MESSAGE + b"\0"), (PAIR.public, b""), (OTHER.public, MESSAGE)]:
        with pytest.raises(InvalidSignature, match="does not verify"):
            xeddsa.verify(public, message, SIGNATURE)


def test_a_key_on_the_twist_verifies_nothing() -> None:
    """convert_mont gives a y that is on no point of the curve."""
    for u in range(2, 40):
        twisted = pow(u**3 + 486662 * u**2 + u, (P - 1) // 2, P) == P - 1
        if twisted:
            with pytest.raises(InvalidSignature):
                xeddsa.verify(IdentityKey(u.to_bytes(32, "little")), MESSAGE, SIGNATURE)


def test_the_sign_bit_form_carries_the_sign_in_the_signature() -> None:
    """The published form equals this one with sign bit 0; with sign bit 1 the key is the other point, -A."""
    xeddsa.verify_sign_bit_form(PAIR.public, MESSAGE, SIGNATURE)
    flipped = SIGNATURE[:63] + bytes([SIGNATURE[63] | 0x80])
    with pytest.raises(InvalidSignature):
        xeddsa.verify_sign_bit_form(PAIR.public, MESSAGE, flipped)
    with pytest.raises(InvalidSignature):
        xeddsa.verify(PAIR.public, MESSAGE, flipped)


def test_an_error_shows_neither_message_nor_signature() -> None:
    with pytest.raises(InvalidSignature) as caught:
        xeddsa.verify(PAIR.public, b"secret text", SIGNATURE)
    assert "secret text" not in str(caught.value)
    assert SIGNATURE.hex()[:8] not in str(caught.value)
