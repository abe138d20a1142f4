"""Durable messages: accounts in SQLite files, each message committed to the disk before it is handed out.

The floor is a bare transaction that writes as many bytes, the session's record sealed, to a row that is
there, and waits for the same disk: write-ahead log, `synchronous=FULL`.
"""

import itertools
import os
import sqlite3
import tempfile
from functools import partial
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from talk import ALICE, PAYLOAD, Talk
from work import Arguments, Room, Side, Work, run

from letterlock import SqliteStore, Suite
from letterlock.stores.vault import TAG_LENGTH

ROOM = Room()
SEALED = 40
"""Nonce and tag that a value has more at rest."""
_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []


def folder() -> Path:
    """Return a new folder on the disk where temporary files are; it goes when the process ends."""
    _FOLDERS.append(tempfile.TemporaryDirectory(prefix="letterlock-bench-"))
    return Path(_FOLDERS[-1].name)


def transaction(size: int) -> Side:
    """One row of one table, read and replaced."""
    connection = sqlite3.connect(folder() / "floor.db", isolation_level=None)
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
    talk = Talk(suite, lambda: SqliteStore(here / next(names), key=os.urandom(32)))
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
