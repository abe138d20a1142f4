"""Durable messages: accounts in SQLite files, each message committed to the disk before it is handed out.

The floor is a bare transaction that writes as many bytes, the session's record sealed, to a row that is
there, and waits for the same disk: write-ahead log, `synchronous=FULL`.
"""

import atexit
import itertools
import os
import sqlite3
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from letterlock import SqliteStore, Suite
from letterlock.stores.vault import TAG_LENGTH
from talk import ALICE, PAYLOAD, Talk
from work import Arguments, Room, Side, Work, run

ROOM = Room()
SEALED = 40
"""Nonce and tag that a value has more at rest."""
_OPEN: Final = ExitStack()
"""Folders and connections: a work goes on until the process ends."""
atexit.register(_OPEN.close)


def folder() -> Path:
    """Return a new folder on the disk where temporary files are; it goes when the process ends."""
    return Path(_OPEN.enter_context(tempfile.TemporaryDirectory(prefix="letterlock-bench-")))


def transaction(size: int) -> Side:
    """One row of one table, read and replaced."""
    connection = sqlite3.connect(folder() / "floor.db", isolation_level=None)
    _OPEN.callback(connection.close)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY, peer BLOB, rank INTEGER, record BLOB)")
    peer = os.urandom(TAG_LENGTH)
    connection.execute("INSERT INTO sessions VALUES (1, ?, 0, ?)", (peer, os.urandom(size)))
    records = itertools.cycle((os.urandom(size), os.urandom(size)))  # SQLite does not write what stands there

    def act() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT record FROM sessions WHERE id = 1").fetchall()
        connection.execute("UPDATE sessions SET rank = 0, record = ? WHERE id = 1", (next(records),))
        connection.execute("COMMIT")

    return Side(act)


def conversation(suite: Suite) -> tuple[Talk, Side]:
    names = iter(("alice.db", "bob.db"))
    here = folder()

    def make() -> SqliteStore:
        return _OPEN.enter_context(SqliteStore(here / next(names), key=os.urandom(32)))

    talk = Talk(suite, make)
    return talk, transaction(len(talk.voices()[0].record.expose()) + SEALED)


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
