"""Durable messages: accounts in SQLite files, each message committed to the disk before it is handed out.

The floor is a bare transaction that writes as many bytes, the session's record sealed, to a row that is
there, and waits for the same disk: write-ahead log, `synchronous=FULL`.
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
from case import Arguments, Room, Side, Work, run
from conversation import ALICE, PAYLOAD, Talk
from letterlock import SqliteStore, Suite

ROOM = Room()
SEALED = 40
"""Nonce and tag that a value has more at rest."""
_OPEN: Final = ExitStack()
"""Folders and connections: a work goes on until the process ends."""
atexit.register(_OPEN.close)


def folder() -> Path:
    """Return a new folder on the disk where temporary files are; it goes when the process ends."""
    return Path(_OPEN.enter_context(tempfile.TemporaryDirectory(prefix="letterlock-bench-")))


def conversation(suite: Suite) -> tuple[Talk, Side]:
    names = iter(("alice.db", "bob.db"))
    here = folder()

    def make() -> SqliteStore:
        return _OPEN.enter_context(SqliteStore(here / next(names), key=os.urandom(32)))

    talk = Talk(suite, make)
    for store in talk.stores:
        floor.settle(store)
    size = len(talk.voices()[0].record.expose()) + SEALED
    return talk, Side(_OPEN.enter_context(floor.transaction(folder() / "floor.db", size)))


def encrypt(suite: Suite) -> tuple[Side, Side]:
    talk, floor_ = conversation(suite)

    def batch(count: int) -> list[Arguments]:
        talk.turn()
        return [(PAYLOAD,)] * count

    return Side(talk.post, batch), floor_


def decrypt(suite: Suite) -> tuple[Side, Side]:
    talk, floor_ = conversation(suite)

    def batch(count: int) -> list[Arguments]:
        talk.turn()
        return [(ALICE, letter) for letter in talk.letters(count)]

    return Side(talk.bob.decrypt, batch), floor_


for suite_ in Suite:
    ROOM.add(f"sqlite_encrypt_{suite_.name.lower()}", partial(encrypt, suite_), loops=10, disk=True)
    ROOM.add(f"sqlite_decrypt_{suite_.name.lower()}", partial(decrypt, suite_), loops=10, disk=True)


@pytest.mark.parametrize("side", ROOM.sides())
def test_sqlite(benchmark: BenchmarkFixture, side: tuple[Work, int]) -> None:
    run(benchmark, side)
