"""What a message costs, end to end through an account in memory. Run with
`python -m pytest bench -n0 --benchmark-enable`; plain pytest does not collect this folder.
"""

import os

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from letterlock import Account, Address, MemoryStore

PAYLOAD = os.urandom(100)
ALICE, BOB = Address("alice"), Address("bob")


@pytest.fixture
def talking() -> tuple[Account, Account]:
    """Two accounts that have both spoken."""
    alice, bob = Account.create(MemoryStore(), ALICE), Account.create(MemoryStore(), BOB)
    alice.initiate(BOB, bob.bundle())
    bob.decrypt(ALICE, alice.encrypt(BOB, b"hello"))
    alice.decrypt(BOB, bob.encrypt(ALICE, b"hello"))
    return alice, bob


def test_encrypt_one_way(benchmark: BenchmarkFixture, talking: tuple[Account, Account]) -> None:
    alice, _ = talking
    benchmark(alice.encrypt, BOB, PAYLOAD)


def test_decrypt_in_order(benchmark: BenchmarkFixture, talking: tuple[Account, Account]) -> None:
    alice, bob = talking
    benchmark.pedantic(
        bob.decrypt, setup=lambda: ((ALICE, alice.encrypt(BOB, PAYLOAD)), {}), rounds=2000, warmup_rounds=50
    )


def test_ping_pong(benchmark: BenchmarkFixture, talking: tuple[Account, Account]) -> None:
    alice, bob = talking

    def turn() -> None:
        bob.decrypt(ALICE, alice.encrypt(BOB, PAYLOAD))
        alice.decrypt(BOB, bob.encrypt(ALICE, PAYLOAD))

    benchmark(turn)


def test_initiate(benchmark: BenchmarkFixture) -> None:
    alice, bob = Account.create(MemoryStore(), ALICE), Account.create(MemoryStore(), BOB)
    bundle = bob.bundle()
    benchmark.pedantic(alice.initiate, (BOB, bundle), rounds=200, warmup_rounds=5)


def test_publish_100(benchmark: BenchmarkFixture) -> None:
    bob = Account.create(MemoryStore(), BOB)
    benchmark.pedantic(bob.publish, (100,), rounds=5)
