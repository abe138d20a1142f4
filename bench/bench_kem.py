"""ML-KEM: making a key, encapsulating, decapsulating; and the two halves of an incremental encapsulation.

No library offers half of an encapsulation. The floor of each half, and of both together, is one whole
encapsulation by OpenSSL.
"""

import os
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import mlkem
from pytest_benchmark.fixture import BenchmarkFixture

from case import Case, Cases, Side, run
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.mlkem import KemSeed, MlKem768KeyPair, MlKem1024KeyPair
from letterlock._primitives.mlkem_split import (
    EncapsulationRandomness,
    encapsulate_header,
    encapsulate_vector,
    split,
)

CASES = Cases()
Pair = type[MlKem768KeyPair] | type[MlKem1024KeyPair]


def library(kind: Pair, seed: bytes) -> mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey:
    return kind.LIBRARY.from_seed_bytes(seed)


def generate(kind: Pair) -> tuple[Side, Side]:
    seed = os.urandom(64)

    def least() -> bytes:
        return library(kind, seed).public_key().public_bytes_raw()

    return Side(partial(kind, KemSeed(seed))), Side(least)


def encapsulate(kind: Pair) -> tuple[Side, Side]:
    pair = kind.generate(system_entropy)
    key = library(kind, pair.seed.expose()).public_key()
    return Side(pair.public.encapsulate), Side(key.encapsulate)


def decapsulate(kind: Pair) -> tuple[Side, Side]:
    pair = kind.generate(system_entropy)
    ciphertext = pair.public.encapsulate().ciphertext
    key = library(kind, pair.seed.expose())
    return Side(partial(pair.decapsulate, ciphertext)), Side(partial(key.decapsulate, ciphertext))


def halves(first: bool, second: bool) -> tuple[Side, Side]:
    pair, m = MlKem768KeyPair.generate(system_entropy), EncapsulationRandomness(os.urandom(32))
    header, vector = split(pair.public)

    def ours() -> None:
        if first:
            encapsulate_header(header, m)
        if second:
            encapsulate_vector(header, vector, m)

    key = mlkem.MLKEM768PrivateKey.from_seed_bytes(pair.seed.expose()).public_key()
    return Side(ours), Side(key.encapsulate)


CASES.add("kem1024_generate", partial(generate, MlKem1024KeyPair), loops=10)
CASES.add("kem1024_encapsulate", partial(encapsulate, MlKem1024KeyPair), loops=30)
CASES.add("kem1024_decapsulate", partial(decapsulate, MlKem1024KeyPair), loops=30)
CASES.add("kem768_generate", partial(generate, MlKem768KeyPair), loops=10)
CASES.add("kem768_encapsulate", partial(encapsulate, MlKem768KeyPair), loops=30)
CASES.add("kem768_decapsulate", partial(decapsulate, MlKem768KeyPair), loops=30)
CASES.add("kem768_split_header", partial(halves, True, False), loops=3)
CASES.add("kem768_split_vector", partial(halves, False, True), loops=3)
CASES.add("kem768_split_both", partial(halves, True, True), loops=3)


@pytest.mark.parametrize("side", CASES.sides())
def test_kem(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
