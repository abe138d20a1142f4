"""Messages end to end through accounts in memory: what an application sees.

The floor is that of a session (bench_session.py), and, where an account saves its session, one `cbor2.loads`
and one `cbor2.dumps` of its record.
"""

from collections.abc import Callable
from functools import partial

import cbor2
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import floor
from bench_session import SKIPPED, least
from case import Arguments, Room, Side, Work, run
from conversation import ALICE, BOB, PAYLOAD, SUITES, Talk
from letterlock import Account, MemoryStore, Suite
from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.entropy import system_entropy

ROOM = Room()


def saved(talk: Talk, act: Callable[[], object], times: int = 1) -> Side:
    """Return the floor of a work that loads and saves the session so many times."""
    record = talk.voices()[0].record.expose()
    elements = cbor2.loads(record)

    def floor_() -> None:
        for _ in range(times):
            cbor2.loads(record)
        act()
        for _ in range(times):
            cbor2.dumps(elements)

    return Side(floor_)


def encrypt(suite: Suite) -> tuple[Side, Side]:
    talk = Talk(suite)

    def batch(count: int) -> list[Arguments]:
        talk.turn()
        return [(PAYLOAD,)] * count

    return Side(talk.post, batch), saved(talk, least(suite).encrypt)


def decrypt(suite: Suite) -> tuple[Side, Side]:
    talk = Talk(suite)

    def batch(count: int) -> list[Arguments]:
        talk.turn()
        return [(ALICE, letter) for letter in talk.letters(count)]

    return Side(talk.bob.decrypt, batch), saved(talk, least(suite).decrypt)


def ping_pong(suite: Suite) -> tuple[Side, Side]:
    talk, message = Talk(suite), least(suite)

    def floor_() -> None:
        message.ping_pong()
        message.ping_pong()

    return Side(talk.ping_pong), saved(talk, floor_, times=4)


def skip(suite: Suite) -> tuple[Side, Side]:
    def batch(_: int) -> list[Arguments]:
        talk = Talk(suite)
        return [(talk, talk.letters(SKIPPED + 1)[-1])]

    def ours(talk: Talk, letter: bytes) -> None:
        talk.bob.decrypt(ALICE, letter)

    return Side(ours, batch), saved(Talk(suite), partial(least(suite).decrypt_after, SKIPPED))


def late(suite: Suite) -> tuple[Side, Side]:
    """The 999 that were skipped, in reverse."""

    def batch(_: int) -> list[Arguments]:
        talk = Talk(suite)
        *skipped, last = talk.letters(SKIPPED + 1)
        talk.bob.decrypt(ALICE, last)
        return [(talk, skipped[::-1])]

    def ours(talk: Talk, letters: list[bytes]) -> None:
        for letter in letters:
            talk.bob.decrypt(ALICE, letter)

    message = least(suite)

    def floor_() -> None:
        for _ in range(SKIPPED):
            message.decrypt_late()

    return Side(ours, batch), Side(floor_)


def publish() -> tuple[Side, Side]:
    def batch(count: int) -> list[Arguments]:
        return [(Account.create(MemoryStore(), BOB, suites=SUITES),) for _ in range(count)]

    scalar, public = xeddsa.calculate_key_pair(IdentityKeyPair.generate(system_entropy).private)
    ours = Side(lambda account: account.publish(100), batch)
    return ours, Side(partial(floor.publish, scalar.expose(), public, 100))


for suite_ in Suite:
    end = suite_.name.lower()
    ROOM.add(f"account_encrypt_{end}", partial(encrypt, suite_), loops=10)
    ROOM.add(f"account_decrypt_{end}", partial(decrypt, suite_), loops=10)
    ROOM.add(f"account_ping_pong_{end}", partial(ping_pong, suite_), loops=5, units=2)
    # Some thousand objects at once: what memory they find varies from run to run.
    ROOM.add(f"account_skip_999_{end}", partial(skip, suite_), loops=1, steady=False)
    ROOM.add(f"account_late_999_{end}", partial(late, suite_), loops=1, units=SKIPPED)
ROOM.add("publish_100", publish, loops=1)


@pytest.mark.parametrize("side", ROOM.sides())
def test_account(benchmark: BenchmarkFixture, side: tuple[Work, int]) -> None:
    run(benchmark, side)
