"""Handshakes through accounts in memory: `initiate`, and the first message that the recipient decrypts.

Each call has a new initiator, and a bundle with one-time prekeys of both kinds. The floor has the Edwards
form of the peer's identity key ready, and makes the KEM key pair from the seed, which is what a store holds.
"""

import itertools
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import floor
from case import Arguments, Case, Cases, Side, run
from conversation import BOB, PAYLOAD, SUITES
from letterlock import Account, Address, MemoryStore, Suite

CASES = Cases()


def account(address: Address) -> Account:
    return Account.create(MemoryStore(), address, suites=SUITES)


def initiate(suite: Suite) -> tuple[Side, Side]:
    bundle = account(BOB).bundle()

    def batch(count: int) -> list[Arguments]:
        return [(account(Address("alice")),) for _ in range(count)]

    def ours(alice: Account) -> None:
        alice.initiate(BOB, bundle, suite=suite)

    return Side(ours, batch), Side(floor.Handshake(suite is Suite.PQXDH).initiate)


def respond(suite: Suite) -> tuple[Side, Side]:
    bob, numbers = account(BOB), itertools.count()

    def batch(count: int) -> list[Arguments]:
        made = []
        for _ in range(count):
            address = Address(f"alice{next(numbers)}")
            alice = account(address)
            alice.initiate(BOB, bob.bundle(), suite=suite)
            made.append((address, alice.encrypt(BOB, PAYLOAD)))
        return made

    return Side(bob.decrypt, batch), Side(floor.Handshake(suite is Suite.PQXDH).respond)


for suite_ in Suite:
    CASES.add(f"initiate_{suite_.name.lower()}", partial(initiate, suite_), loops=3)
    CASES.add(f"first_decrypt_{suite_.name.lower()}", partial(respond, suite_), loops=3)


@pytest.mark.parametrize("side", CASES.sides())
def test_handshake(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
