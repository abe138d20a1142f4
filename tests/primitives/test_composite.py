"""Composite signatures: both halves must verify, over the same bytes and in the same context."""

import hashlib
from collections.abc import Callable
from typing import Final

import pytest

from letterlock._primitives.composite import (
    PUBLIC_BYTES,
    SIGNATURE_BYTES,
    CompositeKeyPair,
    CompositePublicKey,
    CompositeSeed,
    DeviceSigningKey,
    DeviceSigningKeyPair,
)
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.mldsa import MlDsa65KeyPair, MlDsa65PublicKey, MlDsaSeed
from letterlock.errors import InvalidKey, InvalidSignature
from support.pair import flipped

SEED: Final = bytes(range(64))
PAIR: Final = DeviceSigningKeyPair(CompositeSeed(SEED))
OTHER: Final = DeviceSigningKeyPair(CompositeSeed(SEED[::-1]))
CONTEXT: Final = b"a context"
MESSAGE: Final = b"a device list"
SIGNATURE: Final = PAIR.sign(MESSAGE, CONTEXT)
ML_DSA: Final = 3309


def test_sizes_are_the_drafts() -> None:
    assert len(PAIR.public.data) == PUBLIC_BYTES == 1984
    assert len(SIGNATURE) == SIGNATURE_BYTES == 3373


def test_a_signature_verifies() -> None:
    """PRIM-13."""
    PAIR.public.verify(MESSAGE, SIGNATURE, CONTEXT)
    PAIR.public.verify(b"", PAIR.sign(b"", b""), b"")
    PAIR.public.verify(bytes(2**16), PAIR.sign(bytes(2**16), bytes(255)), bytes(255))


def test_the_seed_gives_both_keys() -> None:
    """PRIM-14: the seed is all that is stored."""
    again = DeviceSigningKeyPair(CompositeSeed(SEED))
    assert again.public == PAIR.public
    assert PAIR.public.ml_dsa == MlDsa65KeyPair(MlDsaSeed(SEED[:32])).public
    assert PAIR.public.ed25519 == Ed25519KeyPair(Ed25519Seed(SEED[32:])).public
    again.public.verify(MESSAGE, SIGNATURE, CONTEXT)


def test_a_pair_draws_64_bytes() -> None:
    asked = []

    def entropy(length: int) -> bytes:
        asked.append(length)
        return bytes(range(length))

    assert DeviceSigningKeyPair.generate(entropy).public == PAIR.public
    assert asked == [64]


def test_the_ed25519_half_is_fixed_and_the_ml_dsa_half_is_hedged() -> None:
    again = PAIR.sign(MESSAGE, CONTEXT)
    assert again[ML_DSA:] == SIGNATURE[ML_DSA:]
    assert again[:ML_DSA] != SIGNATURE[:ML_DSA]


def test_the_halves_sign_the_representative_of_the_draft() -> None:
    label = b"COMPSIG-MLDSA65-Ed25519-SHA512"
    digest = hashlib.sha512(MESSAGE).digest()
    signed = b"CompositeAlgorithmSignatures2025" + label + bytes([len(CONTEXT)]) + CONTEXT + digest
    PAIR.public.ml_dsa.verify(signed, SIGNATURE[:ML_DSA], label)
    PAIR.public.ed25519.verify(signed, SIGNATURE[ML_DSA:])


def test_a_key_survives_its_encoding() -> None:
    assert DeviceSigningKey.decode(PAIR.public.data) == PAIR.public
    assert hash(DeviceSigningKey.decode(PAIR.public.data)) == hash(PAIR.public)


def test_keys_of_two_roles_are_never_equal() -> None:
    assert CompositePublicKey.decode(PAIR.public.data) != PAIR.public


# --- refused ----------------------------------------------------------------------------------------------

theirs: Final = OTHER.sign(MESSAGE, CONTEXT)
REFUSED: Final[dict[str, tuple[bytes, bytes, bytes]]] = {
    "another message": (b"another", SIGNATURE, CONTEXT),
    "a longer message": (MESSAGE + b"\0", SIGNATURE, CONTEXT),
    "another context": (MESSAGE, SIGNATURE, b"a contexT"),
    "no context": (MESSAGE, SIGNATURE, b""),
    "context moved into the message": (CONTEXT + MESSAGE, SIGNATURE, b""),
    "signature of another key": (MESSAGE, theirs, CONTEXT),
    "ml-dsa half of another key": (MESSAGE, theirs[:ML_DSA] + SIGNATURE[ML_DSA:], CONTEXT),
    "ed25519 half of another key": (MESSAGE, SIGNATURE[:ML_DSA] + theirs[ML_DSA:], CONTEXT),
    "ml-dsa half of another message": (
        MESSAGE, PAIR.sign(b"another", CONTEXT)[:ML_DSA] + SIGNATURE[ML_DSA:], CONTEXT,
    ),
    "ed25519 half of another message": (
        MESSAGE, SIGNATURE[:ML_DSA] + PAIR.sign(b"another", CONTEXT)[ML_DSA:], CONTEXT,
    ),
    "ml-dsa half empty": (MESSAGE, bytes(ML_DSA) + SIGNATURE[ML_DSA:], CONTEXT),
    "ed25519 half empty": (MESSAGE, SIGNATURE[:ML_DSA] + bytes(64), CONTEXT),
    "halves exchanged": (MESSAGE, SIGNATURE[ML_DSA:] + SIGNATURE[:ML_DSA], CONTEXT),
    "ml-dsa half alone": (MESSAGE, SIGNATURE[:ML_DSA], CONTEXT),
    "ed25519 half alone": (MESSAGE, SIGNATURE[ML_DSA:], CONTEXT),
    "one byte short": (MESSAGE, SIGNATURE[:-1], CONTEXT),
    "one byte more": (MESSAGE, SIGNATURE + b"\0", CONTEXT),
    "nothing": (MESSAGE, b"", CONTEXT),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str) -> None:
    """PRIM-13."""
    with pytest.raises(InvalidSignature):
        PAIR.public.verify(*REFUSED[name])


def test_both_halves_signed_without_their_label_are_refused() -> None:
    """Each half verifies as a plain signature over the message, and not as half of a composite."""
    plain = MlDsa65KeyPair(MlDsaSeed(SEED[:32])).sign(MESSAGE) + Ed25519KeyPair(Ed25519Seed(SEED[32:])).sign(
        MESSAGE
    )
    with pytest.raises(InvalidSignature):
        PAIR.public.verify(MESSAGE, plain, b"")


def test_changed_bytes_anywhere_are_refused() -> None:
    for at in (*range(0, ML_DSA, 97), *range(ML_DSA - 6, SIGNATURE_BYTES)):
        for mask in (1, 0x80):
            with pytest.raises(InvalidSignature):
                PAIR.public.verify(MESSAGE, flipped(SIGNATURE, at, mask), CONTEXT)


def test_the_cheaper_check_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forger without the Ed25519 key causes no ML-DSA verification."""
    calls: list[str] = []
    monkeypatch.setattr(MlDsa65PublicKey, "verify", lambda *_: calls.append("ml-dsa"))
    with pytest.raises(InvalidSignature):
        PAIR.public.verify(MESSAGE, bytes(SIGNATURE_BYTES), CONTEXT)
    assert calls == []
    PAIR.public.verify(MESSAGE, bytes(ML_DSA) + SIGNATURE[ML_DSA:], CONTEXT)
    assert calls == ["ml-dsa"]


@pytest.mark.parametrize("length", [0, 32, 1952, 1983, 1985])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidKey, match=f"{length} bytes; expected 1984"):
        DeviceSigningKey.decode(bytes(length))


def test_a_key_with_a_bad_ed25519_half_is_refused() -> None:
    """PRIM-12."""
    for half in (bytes(32), b"\xff" * 32, b"\x01" + bytes(31)):
        with pytest.raises(InvalidKey, match="prime order"):
            DeviceSigningKey.decode(PAIR.public.ml_dsa.data + half)


CALLS: Final[dict[str, Callable[[], object]]] = {
    "sign": lambda: PAIR.sign(MESSAGE, bytes(256)),
    "verify": lambda: PAIR.public.verify(MESSAGE, SIGNATURE, bytes(256)),
    "ml-dsa sign": lambda: MlDsa65KeyPair(MlDsaSeed(SEED[:32])).sign(MESSAGE, bytes(256)),
    "ml-dsa verify": lambda: PAIR.public.ml_dsa.verify(MESSAGE, SIGNATURE[:ML_DSA], bytes(256)),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_context_of_256_bytes_is_a_mistake_of_the_caller(name: str) -> None:
    with pytest.raises(ValueError, match="context of 256 bytes; at most 255"):
        CALLS[name]()


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_seed_of_another_length_is_a_mistake_of_the_caller(length: int) -> None:
    with pytest.raises(ValueError, match="CompositeSeed needs 64 bytes"):
        CompositeSeed(bytes(length))


def test_an_error_shows_neither_message_nor_signature() -> None:
    for wrong in (SIGNATURE[:ML_DSA] + bytes(64), bytes(ML_DSA) + SIGNATURE[ML_DSA:]):
        with pytest.raises(InvalidSignature) as caught:
            PAIR.public.verify(MESSAGE, wrong, CONTEXT)
        assert "device list" not in str(caught.value)
        assert SIGNATURE.hex()[:8] not in str(caught.value)


def test_the_base_pair_has_the_base_key() -> None:
    assert type(CompositeKeyPair[CompositePublicKey](CompositeSeed(SEED)).public) is CompositePublicKey
