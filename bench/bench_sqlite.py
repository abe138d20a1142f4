"""Durable messages: accounts in SQLite files, each message committed to the disk before it is handed out.

The floor is a bare transaction that overwrites a row with as many bytes as the sealed session record has, and
waits for the same disk: write-ahead log, `synchronous=FULL`.
"""

import atexit
import os
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import floor
from case import Arguments, Case, Cases, Side, run
from conversation import ALICE, PAYLOAD, Conversation
from letterlock import SqliteStore, Suite

CASES = Cases()
SEALED = 40
"""Bytes that sealing adds to a value at rest: nonce and tag."""
OPEN: Final = ExitStack()
"""Folders and connections stay open until the process ends."""
atexit.register(OPEN.close)


def folder() -> Path:
    """Return a new temporary folder, which is removed when the process ends."""
    return Path(OPEN.enter_context(tempfile.TemporaryDirectory(prefix="letterlock-bench-")))


def durable_conversation(suite: Suite) -> tuple[Conversation, Side]:
    names = iter(("alice.db", "bob.db"))
    here = folder()

    def make() -> SqliteStore:
        return OPEN.enter_context(SqliteStore(here / next(names), key=os.urandom(32)))

    conversation = Conversation(suite, make)
    for store in conversation.stores:
        floor.settle(store)
    size = len(conversation.bare_sessions()[0].record.expose()) + SEALED
    return conversation, Side(OPEN.enter_context(floor.transaction(folder() / "floor.db", size)))


def encrypt(suite: Suite) -> tuple[Side, Side]:
    conversation, floor_ = durable_conversation(suite)

    def batch(count: int) -> list[Arguments]:
        conversation.turn()
        return [(PAYLOAD,)] * count

    return Side(conversation.post, batch), floor_


def decrypt(suite: Suite) -> tuple[Side, Side]:
    conversation, floor_ = durable_conversation(suite)

    def batch(count: int) -> list[Arguments]:
        conversation.turn()
        return [(ALICE, message) for message in conversation.messages(count)]

    return Side(conversation.bob.decrypt, batch), floor_


for suite_ in Suite:
    CASES.add(f"sqlite_encrypt_{suite_.name.lower()}", partial(encrypt, suite_), loops=10, disk=True)
    CASES.add(f"sqlite_decrypt_{suite_.name.lower()}", partial(decrypt, suite_), loops=10, disk=True)


@pytest.mark.parametrize("side", CASES.sides())
def test_sqlite(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)
