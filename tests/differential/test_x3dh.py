"""X3DH beside an independent implementation: the package `x3dh`, on libxeddsa's curve, for many random keys.

Both get the same private keys, the same label and SHA-256. The four ends must have one SK: initiator and
recipient, each of them ours and the other's. Each side also verifies the other's signature of the prekey.

The associated data differs by design: theirs is both identity keys one after the other, ours a hash of the
whole handshake (HAND-6). Only that both of theirs are what the text says is checked here.
"""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final

import pytest
from x3dh import (
    BaseState,
    BaseStateModel,
    HashFunction,
    Header,
    IdentityKeyFormat,
    IdentityKeyPairModel,
    KeyAgreementException,
    SignedPreKeyPairModel,
)
from x3dh.identity_key_pair import IdentityKeyPairPriv
from x3dh.types import SecretType

from letterlock import hazmat
from letterlock._handshake.agreement import Party, Prekeys, initiate_with, respond
from letterlock._handshake.bundle_signature import BundleSigner
from letterlock._primitives.curve25519 import (
    EphemeralKeyPair,
    IdentityKeyPair,
    OneTimePrekeyPair,
    PrivateKey,
    SignedPrekeyPair,
)
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.xeddsa import SigningKey
from letterlock._wire.bundle import BundleHead
from letterlock._wire.prekey import PrekeyKind, PublicPrekey
from letterlock.errors import InvalidSignature
from support import reference
from support.pair import ALICE, BOB, entropy_of, flipped

ROUNDS: Final = 100
SIGNAL_INFO: Final = b"WhisperText"


class State(BaseState):
    """The other implementation; keys are encoded as their own 32 bytes."""

    @staticmethod
    def _encode_public_key(key_format: IdentityKeyFormat, pub: bytes) -> bytes:
        assert key_format is IdentityKeyFormat.CURVE_25519
        return pub


@dataclass(frozen=True)
class Keys:
    """The private keys of one handshake."""

    alice_identity: bytes
    ephemeral: bytes
    bob_identity: bytes
    signed: bytes
    one_time: bytes | None


def drawn(seed: str, *, one_time: bool) -> Iterator[tuple[Keys, Entropy]]:
    draw = entropy_of(seed)
    for _ in range(ROUNDS):
        keys = Keys(draw(32), draw(32), draw(32), draw(32), draw(32) if one_time else None)
        yield keys, draw


def state(identity: bytes, signed: bytes, one_time: bytes | None, info: bytes, draw: Entropy) -> State:
    """Return a party of the other implementation with chosen keys; letterlock signs its prekey."""
    signature = hazmat.xeddsa_sign(identity, hazmat.public_key(signed), draw(64))
    model = BaseStateModel(
        identity_key=IdentityKeyPairModel(secret=identity, secret_type=SecretType.PRIV),
        signed_pre_key=SignedPreKeyPairModel(priv=signed, sig=signature, timestamp=0),
        old_signed_pre_key=None,
        pre_keys=frozenset() if one_time is None else frozenset({one_time}),
    )
    return State.from_model(model, IdentityKeyFormat.CURVE_25519, HashFunction.SHA_256, info)


async def others(keys: Keys, info: bytes, draw: Entropy, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Run the other implementation against itself with our ephemeral key; return its SK."""
    alice = state(keys.alice_identity, draw(32), None, info, draw)
    bob = state(keys.bob_identity, keys.signed, keys.one_time, info, draw)
    # The other side draws only the ephemeral key. It chooses a one-time prekey, and there is one.
    chosen = SimpleNamespace(token_bytes=lambda _: keys.ephemeral, choice=secrets.choice)
    monkeypatch.setattr("x3dh.base_state.secrets", chosen)
    secret, bound, header = await alice.get_shared_secret_active(bob.bundle, require_pre_key=False)
    again, bound_again, signed = await bob.get_shared_secret_passive(header, require_pre_key=False)
    assert header == Header(
        hazmat.public_key(keys.alice_identity),
        hazmat.public_key(keys.ephemeral),
        hazmat.public_key(keys.signed),
        None if keys.one_time is None else hazmat.public_key(keys.one_time),
    )
    assert bound == bound_again == header.identity_key + hazmat.public_key(keys.bob_identity)
    assert secret == again
    assert signed.priv == keys.signed
    return secret


def material(keys: Keys) -> tuple[bytes, bytes]:
    """Return our agreements as the initiator and as the recipient."""
    one_time = None if keys.one_time is None else hazmat.public_key(keys.one_time)
    as_initiator = hazmat.x3dh_initiator(
        keys.alice_identity,
        keys.ephemeral,
        hazmat.public_key(keys.bob_identity),
        hazmat.public_key(keys.signed),
        one_time,
    )
    as_recipient = hazmat.x3dh_recipient(
        keys.bob_identity,
        keys.signed,
        keys.one_time,
        hazmat.public_key(keys.alice_identity),
        hazmat.public_key(keys.ephemeral),
    )
    return as_initiator, as_recipient


@pytest.mark.parametrize("info", [reference.X3DH_INFO, SIGNAL_INFO])
@pytest.mark.parametrize("one_time", [True, False], ids=["with one-time prekey", "without"])
def test_four_ends_have_one_secret(*, one_time: bool, info: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for keys, draw in drawn(f"x3dh {one_time}", one_time=one_time):
        expected = asyncio.run(others(keys, info, draw, monkeypatch))
        assert len(expected) == 32
        for ours in material(keys):
            assert len(ours) == (128 if one_time else 96)
            assert hazmat.handshake_kdf(ours, info) == expected
        found.add(expected)
    assert len(found) == ROUNDS


@pytest.mark.parametrize("one_time", [True, False], ids=["with one-time prekey", "without"])
def test_a_handshake_from_a_bundle_has_the_same_secret(
    *, one_time: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way accounts go, with ids and a transcript."""
    for keys, draw in drawn(f"bundle {one_time}", one_time=one_time):
        expected = asyncio.run(others(keys, reference.X3DH_INFO, draw, monkeypatch))
        alice = Party(ALICE, IdentityKeyPair.from_private(PrivateKey(keys.alice_identity)))
        bob = Party(BOB, IdentityKeyPair.from_private(PrivateKey(keys.bob_identity)))
        signed = SignedPrekeyPair.from_private(PrivateKey(keys.signed))
        pair = None if keys.one_time is None else OneTimePrekeyPair.from_private(PrivateKey(keys.one_time))
        head = BundleHead(BOB, bob.identity.public, 0, PublicPrekey(PrekeyKind.SIGNED, 1, signed.public))
        once = None if pair is None else PublicPrekey(PrekeyKind.ONE_TIME, 2, pair.public)
        bundle = BundleSigner(head, SigningKey.of(bob.identity), draw).bundle(once, None)
        ephemeral = EphemeralKeyPair.from_private(PrivateKey(keys.ephemeral))
        made = initiate_with(alice, bundle, ephemeral, None)
        answered = respond(bob, ALICE, made.header, Prekeys(signed, pair, None))
        assert made.agreement.secret.expose() == answered.secret.expose() == expected
        assert made.agreement.associated_data == answered.associated_data


def test_each_side_verifies_the_other_s_signature() -> None:
    """Ours are checked in every handshake above; here a bad one is refused, and theirs are checked by us."""
    for keys, draw in drawn("signatures", one_time=False):
        made = State.create(
            IdentityKeyFormat.CURVE_25519,
            HashFunction.SHA_256,
            SIGNAL_INFO,
            IdentityKeyPairPriv(keys.bob_identity),
        )
        bundle = made.bundle
        assert bundle.identity_key == hazmat.public_key(keys.bob_identity)
        hazmat.xeddsa_verify(bundle.identity_key, bundle.signed_pre_key, bundle.signed_pre_key_sig)
        at = draw(1)[0] % 64
        forged = bundle._replace(signed_pre_key_sig=flipped(bundle.signed_pre_key_sig, at))
        with pytest.raises(InvalidSignature):
            hazmat.xeddsa_verify(forged.identity_key, forged.signed_pre_key, forged.signed_pre_key_sig)
        with pytest.raises(KeyAgreementException):
            asyncio.run(made.get_shared_secret_active(forged, require_pre_key=False))
