"""Key derivation: root step, chain step, skips, the hybrid KDF, HKDF."""

import os
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import floor
from case import Case, Cases, Side, run
from letterlock._primitives.curve25519 import RatchetKeyPair, SharedPoint
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import PQ_HYBRID
from letterlock._ratchet.double import ReceivingChain, kdf_ck
from letterlock._ratchet.keys import ChainKey, MessageKey, RootKey
from letterlock._ratchet.pq_keys import SparseChainKey, SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.root import kdf_rk

CASES = Cases()
KEY = os.urandom(32)
OTHER = os.urandom(32)


def root_step() -> tuple[Side, Side]:
    ours = partial(kdf_rk, RootKey(KEY), SharedPoint(OTHER))
    return Side(ours), Side(partial(floor.hkdf64, KEY, OTHER, floor.ROOT_INFO))


def chain_step() -> tuple[Side, Side]:
    return Side(partial(kdf_ck, ChainKey(KEY))), Side(partial(floor.step, KEY))


def sparse_step() -> tuple[Side, Side]:
    chain = SparseChainKey(KEY)

    def ours() -> None:
        LETTERLOCK.step(chain, 5)

    return Side(ours), Side(partial(floor.step, KEY, b"\0\0\0\5\1", b"\0\0\0\5\2"))


def skips(count: int) -> tuple[Side, Side]:
    chain = ReceivingChain(RatchetKeyPair.generate(system_entropy).public, ChainKey(KEY))

    def ours() -> None:
        _, gap = chain.skip(count)
        assert gap is not None
        gap.keys()

    return Side(ours), Side(partial(floor.walk, KEY, count))


def hybrid() -> tuple[Side, Side]:
    ours = partial(LETTERLOCK.hybrid, MessageKey(KEY), SparseMessageKey(OTHER))
    return Side(ours), Side(partial(floor.hkdf32, OTHER, KEY, PQ_HYBRID))


def hkdf(length: int) -> tuple[Side, Side]:
    ours = partial(hkdf_sha256, KEY, OTHER, floor.ROOT_INFO, length)
    least = {32: floor.hkdf32, 64: floor.hkdf64, 96: floor.hkdf96}[length]
    return Side(ours), Side(partial(least, KEY, OTHER, floor.ROOT_INFO))


CASES.add("root_step", root_step, loops=400)
CASES.add("chain_step", chain_step, loops=1000)
CASES.add("sparse_step", sparse_step, loops=500)
CASES.add("skip_1", partial(skips, 1), loops=400)
CASES.add("skip_100", partial(skips, 100), loops=10)
CASES.add("skip_2000", partial(skips, 2000), loops=1)
CASES.add("hybrid_kdf", hybrid, loops=500)
CASES.add("hkdf_32", partial(hkdf, 32), loops=500)
CASES.add("hkdf_64", partial(hkdf, 64), loops=400)
CASES.add("hkdf_96", partial(hkdf, 96), loops=400)


@pytest.mark.parametrize("side", CASES.sides())
def test_kdf(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
