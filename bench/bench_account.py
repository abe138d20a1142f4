"""Messages end to end through accounts in memory: what an application sees.

The floor is a session's floor (bench_session.py). Where an account saves its session, one `cbor2.loads` and
one `cbor2.dumps` of its record are added.
"""

from collections.abc import Callable
from functools import partial

import cbor2
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import floor
from bench_session import SKIPPED, least
from case import Arguments, Case, Cases, Side, run
from conversation import ALICE, BOB, PAYLOAD, SUITES, Conversation
from letterlock import Account, MemoryStore, Suite
from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.entropy import system_entropy

CASES = Cases()


def saved(conversation: Conversation, act: Callable[[], object], times: int = 1) -> Side:
    """Return the floor of a case that loads and saves the session so many times."""
    record = conversation.bare_sessions()[0].record.expose()
    elements = cbor2.loads(record)

    def floor_() -> None:
        for _ in range(times):
            cbor2.loads(record)
        act()
        for _ in range(times):
            cbor2.dumps(elements)

    return Side(floor_)


def encrypt(suite: Suite) -> tuple[Side, Side]:
    conversation = Conversation(suite)

    def batch(count: int) -> list[Arguments]:
        conversation.turn()
        return [(PAYLOAD,)] * count

    return Side(conversation.post, batch), saved(conversation, least(suite).encrypt)


def decrypt(suite: Suite) -> tuple[Side, Side]:
    conversation = Conversation(suite)

    def batch(count: int) -> list[Arguments]:
        conversation.turn()
        return [(ALICE, message) for message in conversation.messages(count)]

    return Side(conversation.bob.decrypt, batch), saved(conversation, least(suite).decrypt)


def ping_pong(suite: Suite) -> tuple[Side, Side]:
    conversation, floor_message = Conversation(suite), least(suite)

    def floor_() -> None:
        floor_message.ping_pong()
        floor_message.ping_pong()

    return Side(conversation.ping_pong), saved(conversation, floor_, times=4)


def skip(suite: Suite) -> tuple[Side, Side]:
    def batch(_: int) -> list[Arguments]:
        conversation = Conversation(suite)
        return [(conversation, conversation.messages(SKIPPED + 1)[-1])]

    def ours(conversation: Conversation, message: bytes) -> None:
        conversation.bob.decrypt(ALICE, message)

    return Side(ours, batch), saved(Conversation(suite), partial(least(suite).decrypt_after, SKIPPED))


def late(suite: Suite) -> tuple[Side, Side]:
    """The 999 that were skipped, in reverse."""

    def batch(_: int) -> list[Arguments]:
        conversation = Conversation(suite)
        *skipped, last = conversation.messages(SKIPPED + 1)
        conversation.bob.decrypt(ALICE, last)
        return [(conversation, skipped[::-1])]

    def ours(conversation: Conversation, messages: list[bytes]) -> None:
        for message in messages:
            conversation.bob.decrypt(ALICE, message)

    floor_message = least(suite)

    def floor_() -> None:
        for _ in range(SKIPPED):
            floor_message.decrypt_late()

    return Side(ours, batch), Side(floor_)


def publish() -> tuple[Side, Side]:
    def batch(count: int) -> list[Arguments]:
        return [(Account.create(MemoryStore(), BOB, suites=SUITES),) for _ in range(count)]

    scalar, public = xeddsa.calculate_key_pair(IdentityKeyPair.generate(system_entropy).private)
    ours = Side(lambda account: account.publish(100), batch)
    return ours, Side(partial(floor.publish, scalar.expose(), public, 100))


for suite_ in Suite:
    end = suite_.name.lower()
    CASES.add(f"account_encrypt_{end}", partial(encrypt, suite_), loops=10)
    CASES.add(f"account_decrypt_{end}", partial(decrypt, suite_), loops=10)
    CASES.add(f"account_ping_pong_{end}", partial(ping_pong, suite_), loops=5, units=2)
    # It makes thousands of objects at once, and the memory they find varies from run to run.
    CASES.add(f"account_skip_999_{end}", partial(skip, suite_), loops=1, steady=False)
    CASES.add(f"account_late_999_{end}", partial(late, suite_), loops=1, units=SKIPPED)
CASES.add("publish_100", publish, loops=1)


@pytest.mark.parametrize("side", CASES.sides())
def test_account(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
