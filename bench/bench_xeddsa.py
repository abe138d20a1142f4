"""XEdDSA: a signature made and verified, over what a curve prekey and a KEM prekey sign."""

import os
from functools import partial

import pytest
from nacl import bindings
from pytest_benchmark.fixture import BenchmarkFixture

import floor
from case import Case, Cases, Side, run
from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.entropy import system_entropy

CASES = Cases()
PAIR = IdentityKeyPair.generate(system_entropy)
NONCE = os.urandom(xeddsa.NONCE_BYTES)


def sign(size: int) -> tuple[Side, Side]:
    message = os.urandom(size)
    scalar, public = xeddsa.calculate_key_pair(PAIR.private)
    ours = partial(xeddsa.sign, PAIR, message, NONCE)
    return Side(ours), Side(partial(floor.sign, scalar.expose(), public, message, NONCE))


def verify(size: int) -> tuple[Side, Side]:
    message = os.urandom(size)
    signature = xeddsa.sign(PAIR, message, NONCE)
    edwards = xeddsa.convert_mont(PAIR.public)
    assert bindings.crypto_sign_open(signature + message, edwards) == message
    ours = partial(xeddsa.verify, PAIR.public, message, signature)
    return Side(ours), Side(partial(floor.verify, edwards, signature + message))


CASES.add("xeddsa_sign_67", partial(sign, 67), loops=30)
CASES.add("xeddsa_sign_1603", partial(sign, 1603), loops=30)
CASES.add("xeddsa_verify_67", partial(verify, 67), loops=30)
CASES.add("xeddsa_verify_1603", partial(verify, 1603), loops=30)


@pytest.mark.parametrize("side", CASES.sides())
def test_xeddsa(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
