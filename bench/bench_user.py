"""Device lists: a version of 32 devices read and verified, against the two signatures that it has."""

import hashlib
import os
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from nacl import bindings
from pytest_benchmark.fixture import BenchmarkFixture

from case import Case, Cases, Side, run
from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.labels import LIST_SIGNATURE
from letterlock._primitives.xwing import XWingKeyPair
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass, Snapshot
from letterlock.limits import MAX_DEVICES
from letterlock.user import ListChain
from letterlock.user._drafts import first_snapshot, next_snapshot
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot

CASES = Cases()
LABEL = b"COMPSIG-MLDSA65-Ed25519-SHA512"


def floor_verify(key: MLDSA65PublicKey, edwards: bytes, snapshot: bytes, signature: bytes) -> None:
    """Verify both halves of the composite signature, straight from the libraries."""
    digest = hashlib.sha512(snapshot).digest()
    context = bytes([len(LIST_SIGNATURE)]) + LIST_SIGNATURE
    signed = b"CompositeAlgorithmSignatures2025" + LABEL + context + digest
    bindings.crypto_sign_open(signature[3309:] + signed, edwards)
    key.verify(signature[:3309], signed, LABEL)


def first_list(count: int) -> tuple[DeviceList, DeviceSigningKeyPair]:
    """Return version 1 with this many devices, and the signing key of the first."""
    identities = [IdentityKeyPair.generate(system_entropy) for _ in range(count)]
    signings = [DeviceSigningKeyPair.generate(system_entropy) for _ in range(count)]
    devices = tuple(
        listed_device(at, identity.public, signing.public, DeviceClass.FULL, 1)
        for at, (identity, signing) in enumerate(zip(identities, signings, strict=True), 1)
    )
    snapshot: Snapshot = first_snapshot(devices, XWingKeyPair.generate(system_entropy).public.data, 0)
    proofs = tuple(
        prove_possession(snapshot, at, identity, signing, os.urandom(64))
        for at, (identity, signing) in enumerate(zip(identities, signings, strict=True), 1)
    )
    return sign_snapshot(snapshot, 1, signings[0], proofs), signings[0]


def extend(chain: ListChain, data: bytes) -> ListChain:
    return chain.extended((DeviceList.decode(data),))


def verify() -> tuple[Side, Side]:
    first, signing = first_list(MAX_DEVICES)
    chain = ListChain.verify([first])
    new = sign_snapshot(next_snapshot(first, chain.user_id, 1), 1, signing)
    key = MLDSA65PublicKey.from_public_bytes(new.ml_dsa)
    floor = partial(floor_verify, key, signing.public.ed25519.data, new.encoded_snapshot, new.signature)
    return Side(partial(extend, chain, new.encode())), Side(floor)


CASES.add("device_list_32", verify, loops=5)


@pytest.mark.parametrize("side", CASES.sides())
def test_user(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
